"""What a run is asked for, and what it is trained with once the rest is filled in.

This file knows recipes and what a checkpoint's run says of itself, nothing of data or the loop.
"""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lenet.checkpoint import Checkpoint
from lenet.recipes import RECIPES

# What a visitor may ask for: the smallest and the largest value of each.
LIMITS = {
    "epochs": (1, 200),
    "batch_size": (8, 2048),
    "learning_rate": (1e-6, 1.0),
    "seed": (0, 2**31 - 1),
}


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
        if name != "learning_rate" and value != int(value):
            raise ValueError(f"{words} {value:g} is not a whole number.")


@dataclass(frozen=True)
class Request:
    """What somebody asks for; None means the recipe's own, or on resuming the run's.

    Attributes:
        recipe: a name in `RECIPES`; `fast` where nothing else says.
        data: a name in `lenet.data.DATA_SETS`; `mnist` where nothing else says.
        drawings: drawings files that are mixed into the training set.
        epochs: on resuming: as many more, an epoch that was broken off being the first of them.
        hold_out: test on the last training images, held out of training, not on the test set.
        skip_bad: leave bad lines of drawings files out.
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


def settings_of(run: dict) -> Settings:
    """The settings of a checkpoint's run.

    Raises:
        ValueError: it has none, or not those that this version knows.
    """
    try:
        settings = Settings(**{**run["settings"], "drawings": tuple(run["settings"]["drawings"])})
        RECIPES[settings.recipe], run["epoch"]
    except (KeyError, TypeError) as error:
        raise ValueError("The checkpoint's run is damaged or of another version.") from error
    return settings


def settle(request: Request, checkpoint: Checkpoint | None = None) -> Settings:
    """Fill in what was not asked for: from the run that is resumed, else from the recipe.

    Raises:
        ValueError: a setting is unknown or out of range, or a finished run is to go on for no
            epochs.
    """
    if request.recipe is not None and request.recipe not in RECIPES:
        raise ValueError(f"There is no recipe {request.recipe!r}: choose {', '.join(RECIPES)}.")
    check_limits(
        epochs=request.epochs,
        batch_size=request.batch_size,
        learning_rate=request.learning_rate,
        seed=request.seed,
    )
    asked = {
        name: value
        for name, value in asdict(request).items()
        if value is not None and name != "resume"
    }
    recipe = RECIPES[request.recipe or "fast"]
    if checkpoint is None or checkpoint.run is None:
        return Settings(
            **{
                "recipe": "fast",
                "data": "mnist",
                "drawings": (),
                "epochs": recipe.epochs,
                "batch_size": recipe.batch_size,
                "learning_rate": recipe.learning_rate,
                "seed": 0,
                **asked,
            }
        )
    before = settings_of(checkpoint.run)
    done = checkpoint.run["epoch"]
    if request.epochs is not None:
        asked["epochs"] = done + request.epochs
    elif done >= before.epochs:
        raise ValueError(
            f"{Path(request.resume).name} has finished its {before.epochs} epochs: say for how "
            "many more epochs it is to go on."
        )
    if request.recipe not in (None, before.recipe):
        before = replace(before, batch_size=recipe.batch_size, learning_rate=recipe.learning_rate)
    return replace(before, **asked)
