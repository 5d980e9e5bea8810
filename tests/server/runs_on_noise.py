"""The server's runs with noise for digits, so that they are quick. Other processes import this."""

import torch

import lenet.train
from lenet.data import DataSet, Digits
from lenet.server import runs
from lenet.settings import Request

LONG = Request("tutorial", "synthetic", epochs=200)

_run = runs._run


def run_on_few_digits(*arguments) -> None:
    """What a run's process does, with noise for digits."""
    frames = torch.randint(256, (512, 28, 28), dtype=torch.uint8)
    digits = Digits(frames, torch.arange(512) % 10)
    lenet.train.load = lambda name, *_: DataSet(name, digits, digits)
    _run(*arguments)
