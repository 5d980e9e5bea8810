"""What a run is asked for, and what it is trained with once the rest is filled in.

`lenet.job` fills it in. This file knows nothing of checkpoints, data or the loop.
"""

import math
from dataclasses import dataclass

DATA_SETS = ("mnist", "synthetic")
ALL_IMAGES = 60_000  # training images of each data set

# What a visitor may ask for: the smallest and the largest value of each.
LIMITS = {
    "epochs": (1, 200),
    "batch_size": (8, 2048),
    "learning_rate": (1e-6, 1.0),
    "seed": (0, 2**31 - 1),
    "training_images": (100, ALL_IMAGES),
    "wrong_labels": (0, 100),
}
_FRACTIONS = ("learning_rate", "wrong_labels")


def check_limits(**values: float | None) -> None:
    """Check settings by name against `LIMITS`; None is passed over.

    Raises:
        ValueError: one sentence with the setting, its value and its range.
    """
    for name, value in values.items():
        low, high = LIMITS[name]
        words = name.replace("_", " ").capitalize()
        if value is None:
            continue
        if not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"{words} {value:g} is out of range: choose {low:g} to {high:g}.")
        if name not in _FRACTIONS and value != int(value):
            raise ValueError(f"{words} {value:g} is not a whole number.")


@dataclass(frozen=True)
class Request:
    """What somebody asks for; None means the recipe's own, or on resuming the run's.

    Attributes:
        recipe: a name in `RECIPES`; `fast` where nothing else says.
        data: a name in `DATA_SETS`; `mnist` where nothing else says.
        drawings: drawings files that are mixed into the training set.
        epochs: on resuming: as many more; an interrupted epoch counts as the first.
        hold_out: test on the last training images, held out of training, not on the test set.
        skip_bad: leave bad lines of drawings files out.
        training_images: how many of the data set's are learnt from, at most.
        wrong_labels: percent of these that get another digit's label.
        resume: the checkpoint to go on from.
    """

    recipe: str | None = None
    data: str | None = None
    drawings: tuple[str, ...] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int | None = None
    hold_out: bool | None = None
    skip_bad: bool | None = None
    training_images: int | None = None
    wrong_labels: float | None = None
    resume: str | None = None


@dataclass(frozen=True)
class Settings:
    """All that decides a run's course; `epochs` counts from the very beginning."""

    recipe: str
    data: str
    drawings: tuple[str, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    hold_out: bool = False
    skip_bad: bool = False
    training_images: int = ALL_IMAGES  # what has a default is missing from older checkpoints
    wrong_labels: float = 0.0

    @property
    def damages(self) -> bool:
        """Whether the run has fewer images or other labels than its data set."""
        return self.training_images < ALL_IMAGES or self.wrong_labels > 0
