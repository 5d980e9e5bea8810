"""What the unit tests share."""

import pytest

from lenet.data import DataSet, Digits
from lenet.synthetic import synthetic_digits


@pytest.fixture(scope="module")
def data() -> DataSet:
    """1,000 digits to learn from: 16 batches of 64 an epoch, the last of 40."""
    return DataSet(
        "synthetic", Digits(*synthetic_digits(1000, seed=5)), Digits(*synthetic_digits(300, seed=6))
    )
