"""The lesson's code, the tutorial's and this project's, runs from its first step to its last."""

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from PIL import Image

import lenet.data
import lenet.train
from lenet.data import DataError, DataSet, Digits
from lenet.descent import descend, stop_and_go_on
from lenet.lesson import STEPS
from lenet.model import LeNet
from lenet.synthetic import synthetic_digits
from scripts.notebook import NOTEBOOK, text


@pytest.fixture(scope="module")
def small() -> DataSet:
    """As many images as the lesson's hundred steps need."""
    train, test = Digits(*synthetic_digits(6400, seed=1)), Digits(*synthetic_digits(300, seed=2))
    return DataSet("synthetic", train, test)


@pytest.fixture
def no_mnist(small: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST cannot be loaded, the synthetic digits are few, and files go to an empty folder."""

    def load(name: str, *_: Any) -> DataSet:
        if name == "mnist":
            raise DataError("There is no mirror.")
        return small

    monkeypatch.setattr(lenet.data, "load", load)
    monkeypatch.setattr(lenet.train, "load", load)
    monkeypatch.chdir(tmp_path)


def run_all(codes: list[str]) -> list[str]:
    """What each of these, run one after the other as in a notebook, prints."""
    names: dict[str, Any] = {"__name__": "lesson"}
    printed = []
    for number, code in enumerate(codes, 1):
        with redirect_stdout(io.StringIO()) as output:
            exec(compile(code, f"step {number}", "exec"), names)
        printed.append(output.getvalue())
    return printed


def test_our_lines_run(no_mnist: None):
    printed = run_all([step.ours for step in STEPS])
    assert printed[0].startswith("6400 300 torch.Size([6400, 28, 28])")
    assert printed[1].startswith("torch.Size([64, 1, 32, 32]) -0.424")
    assert "61,706 in all" in printed[2]
    assert printed[3].startswith("0.001 [2.3")
    assert "Epoch 1:" in printed[4]
    assert "246824 bytes of weights" in printed[5]
    assert re.match(r"\d+\.\d\d% of 300 read right", printed[6])
    assert "read as" in printed[7]
    assert "the same to the bit: True" in printed[8]
    assert "Epoch 2:" in printed[8]


def test_the_tutorial_s_lines_run(no_mnist: None, small: DataSet, monkeypatch: pytest.MonkeyPatch):
    class MNIST:
        """torchvision's, with the small set."""

        def __init__(self, root: str, train: bool, download: bool) -> None:
            self.digits = small.train if train else small.test
            self.transform = None

        def __len__(self) -> int:
            return len(self.digits)

        def __getitem__(self, index: int) -> tuple[Any, int]:
            image = Image.fromarray(self.digits.frames[index].numpy())
            assert self.transform
            return self.transform(image), int(self.digits.labels[index])

    monkeypatch.setattr(torchvision.datasets, "MNIST", MNIST)
    printed = run_all([step.tutorial for step in STEPS])
    assert printed[0] == "6400 300\n"
    assert printed[1] == "torch.Size([64, 1, 32, 32]) torch.Size([64])\n"
    assert printed[2] == "61706\n"
    assert float(printed[3]) == pytest.approx(2.3, abs=0.1)
    # The mean of a hundred losses, not ten times as much.
    assert re.fullmatch(r"\[1,   100\] loss: [12]\.\d{3}\n", printed[4])
    assert printed[6].startswith("Accuracy: ")
    assert len(printed[7].splitlines()) == 9


def test_what_the_steps_say_is_so():
    network, steps = LeNet(), {step.title: step for step in STEPS}
    sizes = {
        name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()
    }
    largest = steps["The network"]
    assert largest.answer == largest.guesses.index(max(sizes, key=lambda name: sizes[name]))
    assert f"{sizes['conv1'] + sizes['conv2']:,}" in largest.reveal
    assert 4 * sum(sizes.values()) == 246_824
    assert len(STEPS) == 9
    for step in STEPS:
        assert step.tab in ("draw", "train", "results", "data")
        assert step.answer is None or 0 <= step.answer < len(step.guesses)
        assert len(step.text) < 400, "a step is one screen"
    json.dumps([vars(step) for step in STEPS])


def test_the_notebook_is_what_the_script_writes():
    message = "Run python -m scripts.notebook: lenet/lesson.py has changed."
    assert NOTEBOOK.read_text() == text(), message


# ---------------------------------------------------------------- the experiments


def test_a_step_goes_down_the_gradient(small: DataSet):
    frames, labels = small.train.frames[:64], small.train.labels[:64]
    descent = descend(frames, labels, rate=0.1, steps=3)
    assert len(descent.losses) == 4
    assert descent.losses[0] == pytest.approx(2.3, abs=0.05)
    assert descent.losses[-1] < descent.losses[0]
    # The gradient is what the loss changes by when the weight does.
    torch.manual_seed(0)
    assert descent.weight == LeNet().conv1.weight[0, 0, 2, 2].item()
    assert descent == descend(frames, labels, rate=0.1, steps=3)


def test_only_the_momentum_makes_a_run_go_on(small: DataSet):
    frames, labels = small.train.frames, small.train.labels
    never = stop_and_go_on(frames, labels, stop=12, end=12)
    assert stop_and_go_on(frames, labels, stop=8, end=12, keep_momentum=True) == never
    alone = stop_and_go_on(frames, labels, stop=8, end=12)
    assert alone[:9] == never[:9]
    assert alone[9:] != never[9:]
