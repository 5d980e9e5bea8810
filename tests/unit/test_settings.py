"""lenet.settings: what a visitor may ask for."""

import pytest

from lenet.settings import LIMITS, check_limits


@pytest.mark.parametrize("name", LIMITS)
def test_a_setting_may_be_at_its_limits_and_not_beyond(name):
    low, high = LIMITS[name]
    check_limits(**{name: low})
    check_limits(**{name: high})
    check_limits(**{name: None})
    for value in (low - 1, high + 1, -high, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=r"is out of range: choose \S+ to \S+\.$") as error:
            check_limits(**{name: value})
        assert str(error.value).startswith(name.replace("_", " ").capitalize())
        assert f"{low:g} to {high:g}" in str(error.value)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "seed", "training_images"])
def test_what_is_counted_is_whole(name):
    check_limits(**{name: 100.0})
    with pytest.raises(ValueError, match=r"100\.5 is not a whole number\.$"):
        check_limits(**{name: 100.5})
