"""What the unit tests share."""

from collections.abc import Iterator

import pytest
import torch

from lenet.data import DataSet, Digits
from lenet.synthetic import synthetic_digits


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """On busy cores the threads of such small work only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data() -> DataSet:
    """1,000 digits to learn from: 16 batches of 64 an epoch, the last of 40."""
    return DataSet(
        "synthetic", Digits(*synthetic_digits(1000, seed=5)), Digits(*synthetic_digits(300, seed=6))
    )
