"""What the inside view gets: every layer by its name, its numbers as bytes; and odd requests."""

import base64

import pytest
import torch
from support import finished

from lenet import Recognizer
from lenet.insight import activations, attribute
from lenet.preprocess import normalize
from lenet.synthetic import example_strokes
from lenet.ui.draw.inside import Packed, look_inside, read_weights
from lenet.ui.draw.tab import read_drawing

STROKES = example_strokes()[4]


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    return Recognizer.load()


def unpacked(packed: Packed) -> torch.Tensor:
    """The numbers that the bytes stand for."""
    bytes_ = torch.tensor(list(base64.b64decode(packed["bytes"])), dtype=torch.float)
    step = packed["scale"] / (255 - packed["zero"])
    return ((bytes_ - packed["zero"]) * step).view(packed["shape"])


def test_each_layer_comes_with_its_name_shape_and_scale(reader: Recognizer):
    recognition = reader.recognize(STROKES)
    inputs = normalize(recognition.pixels)[None, None]
    found = look_inside(reader.model, recognition, 7)
    layers = {packed["name"]: unpacked(packed) for packed in found["layers"]}
    expected = activations(reader.model, inputs)
    assert list(layers) == ["frame", "conv1", "conv2", "fc1", "fc2", "why"]
    assert torch.equal(layers.pop("frame")[0], recognition.frame.float())
    expected["why"] = attribute(reader.model, inputs, 7)[None]
    for name, values in layers.items():
        shape = (1, 32, 32) if name == "why" else expected[name].shape[1:]
        assert values.shape == shape
        step = expected[name].abs().max() / (127 if name == "why" else 255)
        assert (values - expected[name].view(shape)).abs().max() <= 0.51 * step, name
    assert found["why"] == 7
    assert found["logits"] == pytest.approx(expected["fc3"][0].tolist())


def test_a_layer_that_is_all_zero_stays_so(reader: Recognizer):
    model = Recognizer.load().model
    torch.nn.init.constant_(model.conv2.weight, 0)
    torch.nn.init.constant_(model.conv2.bias, -1)
    layers = look_inside(model, reader.recognize(STROKES), 0)["layers"]
    (conv2,) = (packed for packed in layers if packed["name"] == "conv2")
    assert not unpacked(conv2).any()


def test_other_weights_are_another_network(reader: Recognizer):
    recognition = reader.recognize(STROKES)
    model = Recognizer.load().model
    before = look_inside(model, recognition, 0)["network"]
    assert look_inside(reader.model, recognition, 0)["network"] == before
    with torch.no_grad():
        model.conv1.weight[0, 0, 0, 0] += 1
    assert look_inside(model, recognition, 0)["network"] != before


def test_the_weights_come_with_their_names_and_shapes(reader: Recognizer):
    answer = finished(read_weights("lenet.pt"))
    assert "weights" in answer
    state = reader.model.state_dict()
    layers = ("conv1", "conv2", "fc3")
    names = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    assert [weights["name"] for weights in answer["weights"]] == names
    for weights in answer["weights"]:
        floats = torch.frombuffer(
            bytearray(base64.b64decode(weights["floats"])), dtype=torch.float32
        )
        assert torch.equal(floats.view(weights["shape"]), state[weights["name"]])


def test_weights_of_a_missing_network_get_one_sentence():
    answer = finished(read_weights("none.pt"))
    assert "error" in answer and answer["error"].endswith(".")


# ---------------------------------------------------------------- requests that make no sense


def read(**drawing) -> dict:
    return finished(read_drawing({"checkpoint": "lenet.pt", **drawing}))


@pytest.mark.parametrize("why", [None, 3.0, True, "4", -1, 10, [], {}])
def test_a_question_about_what_is_no_digit_is_about_the_digit_that_is_read(why):
    assert read(strokes=example_strokes()[7], inside={"why": why})["inside"]["why"] == 7


@pytest.mark.parametrize("inside", [None, 1, "why", [], True])
def test_a_malformed_question_about_the_inside_is_ignored(inside):
    answer = read(strokes=example_strokes()[7], inside=inside)
    assert answer["digit"] == 7 and "inside" not in answer


@pytest.mark.parametrize("frame", ["?", "", "AAAA", 5, None, [], {}])
def test_a_frame_that_is_none_gets_one_sentence(frame):
    assert read(frame=frame)["error"].startswith("A frame ")
