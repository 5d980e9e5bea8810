"""The server's runs, on noise so that they are quick. Other processes import this."""

import torch

import lenet.train
from lenet.data import DataError, DataSet, Digits
from lenet.server.runs import work_on
from lenet.settings import Request

LONG = Request("tutorial", "synthetic", epochs=200)


def run_on_few_digits(*arguments) -> None:
    """What a run's process does, on noise."""
    lenet.train.load = _noise
    work_on(*arguments)


def run_without_mnist(*arguments) -> None:
    """The same where MNIST cannot be loaded."""

    def load(name: str, *_) -> DataSet:
        if name == "mnist":
            raise DataError("MNIST could not be loaded: there is <no> mirror.")
        return _noise(name)

    lenet.train.load = load
    work_on(*arguments)


def _noise(name: str, *_) -> DataSet:
    frames = torch.randint(256, (512, 28, 28), dtype=torch.uint8)
    digits = Digits(frames, torch.arange(512) % 10)
    return DataSet(name, digits, digits)
