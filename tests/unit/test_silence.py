"""Silenced maps and units answer 0, and the network that was asked stays as it is."""

import pytest
import torch
from support import finished, small_set

from lenet import Recognizer
from lenet.insight import UNITS, activations, silence
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs
from lenet.server import data_sets
from lenet.synthetic import example_strokes
from lenet.ui.draw.inside import accuracy_without, units_in
from lenet.ui.draw.tab import read_drawing
from lenet.ui.shared.requests import RequestError


@pytest.mark.parametrize("layer", UNITS)
def test_a_silenced_unit_answers_0_and_no_other_of_its_layer_changes(layer: str):
    model = Recognizer.load().model
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    number = UNITS[layer] - 1
    without = LeNet()
    without.load_state_dict(silence(model.state_dict(), [(layer, 0), (layer, number)]))
    inputs = frames_to_inputs(small_set().test.frames)
    whole, rest = activations(model, inputs)[layer], activations(without, inputs)[layer]
    assert whole[:, 1:number].any()
    assert not rest[:, [0, number]].any()
    assert torch.allclose(rest[:, 1:number], whole[:, 1:number], atol=1e-4)
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, before[name])


NOTHING = [["conv1", number] for number in range(6)]


def read(silenced: object, digit: int = 4) -> dict:
    drawing = {"strokes": example_strokes()[digit], "checkpoint": "lenet.pt", "whole": True}
    return finished(read_drawing({**drawing, "inside": {"why": None, "silenced": silenced}}))


def test_the_pad_s_answer_does_without_what_is_silenced():
    whole, rest = read(None), read(NOTHING)
    assert whole["digit"] == 4
    assert rest["probabilities"] != whole["probabilities"]
    assert read(NOTHING, 0)["probabilities"] == rest["probabilities"]  # nothing comes through
    assert rest["inside"]["network"] == whole["inside"]["network"]  # its weights are explained
    assert read(None)["probabilities"] == whole["probabilities"]


@pytest.mark.parametrize(
    "silenced",
    [
        "conv1",
        {"conv1": 0},
        ["conv1"],
        [["conv1"]],
        [["conv1", 6]],
        [["conv1", -1]],
        [["conv1", True]],
        [["conv1", 0.0]],
        [["fc3", 0]],
        [["../lenet", 0]],
        [[0, "conv1"]],
        [["fc1", 120]],
        [["fc1", 0, 0]],
        [[["conv1"], 0]],
    ],
)
def test_what_is_no_unit_gets_one_sentence(silenced: object):
    with pytest.raises(RequestError, match="silenced"):
        units_in(silenced)
    assert read(silenced).keys() == {"error"}


def test_the_test_set_is_read_without_what_is_silenced(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    monkeypatch.setattr(data_sets, "load", lambda name: small_set())
    data_sets._load.cache_clear()
    everything = [["fc2", number] for number in range(84)]
    request = {"checkpoint": "lenet.pt", "silenced": everything}
    answer = accuracy_without(request)
    data_sets._load.cache_clear()
    assert "error" not in answer
    # Without the last units, every image gets the same answer: that of the biases.
    bias = Recognizer.load().model.fc3.bias
    assert answer["without"] == int((small_set().test.labels == bias.argmax()).sum())
    assert answer["count"] == 60
    assert answer["whole"] > answer["without"]
    wrong = accuracy_without({"checkpoint": "none.pt", "silenced": everything})
    assert "error" in wrong
