"""lenet.runs: the server's run, in real processes: started, stopped, killed, found again.

The runs are the server's own but for their data: a few hundred digits, so that they are quick.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from lenet import runs
from lenet.checkpoint import CheckpointError, read
from lenet.data import DataError, DataSet, Digits
from lenet.log import LogError, read_log
from lenet.runs import Run, RunError
from lenet.settings import Request

ROOT = Path(__file__).parent.parent
WAIT = 120  # seconds for another process on a busy machine
LONG = Request("tutorial", "synthetic", epochs=200)
SHORT = Request("tutorial", "synthetic", epochs=2)

_run = runs._run


def run_on_few_digits(*arguments) -> None:
    """What a run's process does, with noise for digits."""
    frames = torch.randint(256, (512, 28, 28), dtype=torch.uint8)
    digits = Digits(frames, torch.arange(512) % 10)
    runs.train.__globals__["load"] = lambda name: DataSet(name, digits, digits)
    _run(*arguments)


def run_without_data(*arguments) -> None:
    """What a run's process does where there are no data."""

    def load(name: str) -> None:
        raise DataError("MNIST could not be loaded.")

    runs.train.__globals__["load"] = load
    _run(*arguments)


def run_that_hangs(*_) -> None:
    """A run's process that has not begun yet."""
    time.sleep(WAIT)
