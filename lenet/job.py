"""What a run begins with: everything that was asked for settled, and the checkpoint read, once.

A job is made where somebody asks for a run, and travels from there to the process that trains. This
file knows nothing of data or of how a run trains.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lenet.checkpoint import SHIPPED, Checkpoint, read
from lenet.drawings import Drawing
from lenet.recipes import RECIPES
from lenet.settings import DATA_SETS, Request, Settings, check_limits


@dataclass(frozen=True)
class Job:
    """A run that can begin.

    Attributes:
        request: what was asked for.
        settings: what the run is trained with.
        resumed: what it goes on from, or None for a new network.
        drawings: what the settings' drawings files hold, where that has been read already.
    """

    request: Request
    settings: Settings
    resumed: Checkpoint | None = None
    drawings: tuple[Drawing, ...] | None = None

    @property
    def goes_on(self) -> bool:
        """Whether a run goes on to the end that it had, as if it had never stopped."""
        run = self.resumed.run if self.resumed else None
        return run is not None and self.request == Request(resume=self.request.resume)

    @property
    def epochs(self) -> int:
        """Epochs that are left to train."""
        run = self.resumed.run if self.resumed else None
        return self.settings.epochs - (run.epoch if run else 0)


def prepare(request: Request, resumed: Checkpoint | None = None) -> Job:
    """Read what is resumed, and settle everything else.

    Teaching a hand begins from a network's weights, wherever its run stood. A network that was
    taught before begins where that teaching began, so that it does not drift away.

    Args:
        request: what is asked for.
        resumed: the checkpoint `request.resume`, where it has been read already.

    Raises:
        lenet.checkpoint.CheckpointError: the checkpoint cannot be read.
        ValueError: as `settle`.
    """
    teaches = request.recipe in RECIPES and RECIPES[request.recipe].teaches
    if teaches and not request.resume:
        request = replace(request, resume=str(SHIPPED))
    if request.resume and resumed is None:
        resumed = read(request.resume)
    if teaches and resumed:
        origin = resumed.run.origin if resumed.run else None
        weights = origin or resumed.weights
        resumed = replace(resumed, network=weights, averaged=None, run=None, accuracy=None)
    return Job(request, settle(request, resumed), resumed)


def settle(request: Request, checkpoint: Checkpoint | None = None) -> Settings:
    """Fill in what was not asked for: from the run that is resumed, else from the recipe.

    Raises:
        ValueError: a setting is unknown or out of range, a finished run is to go on for no epochs,
            or there are no drawings to teach.
    """
    settings = _settled(request, checkpoint)
    if RECIPES[settings.recipe].teaches and not settings.drawings:
        raise ValueError(
            f"Recipe {settings.recipe} teaches somebody's drawings: name a file of them with "
            "--drawings."
        )
    return settings


def _settled(request: Request, checkpoint: Checkpoint | None) -> Settings:
    if request.recipe is not None and request.recipe not in RECIPES:
        raise ValueError(f"There is no recipe {request.recipe!r}: choose {', '.join(RECIPES)}.")
    if request.data is not None and request.data not in DATA_SETS:
        raise ValueError(f"There is no data set {request.data!r}: choose {' or '.join(DATA_SETS)}.")
    check_limits(
        epochs=request.epochs,
        batch_size=request.batch_size,
        learning_rate=request.learning_rate,
        seed=request.seed,
        training_images=request.training_images,
        wrong_labels=request.wrong_labels,
    )
    asked: dict[str, Any] = {
        name: value
        for name, value in asdict(request).items()
        if value is not None and name != "resume"
    }
    recipe = RECIPES[request.recipe or "fast"]
    run = checkpoint.run if checkpoint else None
    if run is None:
        own = Settings(
            recipe="fast",
            data="mnist",
            drawings=(),
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            seed=0,
        )
        return replace(own, **asked)
    before = run.settings
    if request.epochs is not None:
        asked["epochs"] = run.epoch + request.epochs
    elif run.finished:
        raise ValueError(
            f"{Path(request.resume or '').name} has finished its {before.epochs} epochs: say for "
            "how many more epochs it is to go on."
        )
    if request.recipe not in (None, before.recipe):
        before = replace(before, batch_size=recipe.batch_size, learning_rate=recipe.learning_rate)
    return replace(before, **asked)
