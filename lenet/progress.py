"""How far a training run has come: what a checkpoint holds besides weights, and its check.

A file may come from anywhere, so all of a run's progress is checked where it enters and trusted
afterwards. This file knows what a run counts, nothing of how it trains or of files.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch

from lenet.model import SHAPES
from lenet.recipes import RECIPES, Schedule
from lenet.records import build
from lenet.settings import DATA_SETS, Settings, check_limits

_MOST_STEPS = 1 << 32  # a film counts them in 32 bits


@dataclass(eq=False)  # tensors do not compare to one truth
class Progress:
    """All that a run needs besides its weights to go on as if it had never stopped.

    Attributes:
        settings: what the run is trained with.
        data_checksum: of the data set's training digits.
        schedule: of the learning rate.
        random: uint8, the state of the run's generator.
        epoch: epochs done.
        seen: images of the running epoch done; 0 between two epochs.
        step: batches done in all.
        elapsed: seconds of training.
        logged: sum and number of the losses since the last `Batch` event.
        epoch_loss: the same since the epoch began.
        optimizer: SGD's state dict. Only the momentum is taken from it: the recipe has the rest.
        versions: of torch, and the threads, for people who compare bits.
        epoch_random: uint8, the generator's state when the running epoch began; None between two.
        permutation: int32, the order of the running epoch's images, in which teaching may repeat
            some in the place of others; None between two.
        image_losses: float32, the loss of each training image when it was last looked at, infinite
            before; None in a run that leaves none out.
        origin: the weights that teaching began from, or None in other runs.
    """

    settings: Settings
    data_checksum: str
    schedule: Schedule
    random: torch.Tensor
    epoch: int = 0
    seen: int = 0
    step: int = 0
    elapsed: float = 0.0
    logged: tuple[float, int] = (0.0, 0)
    epoch_loss: tuple[float, int] = (0.0, 0)
    optimizer: dict[str, Any] = field(default_factory=lambda: {"state": {}})
    versions: dict[str, Any] = field(default_factory=dict)
    epoch_random: torch.Tensor | None = None
    permutation: torch.Tensor | None = None
    image_losses: torch.Tensor | None = None
    origin: dict[str, Any] | None = None

    @property
    def batch(self) -> int:
        """Batches of the running epoch done."""
        return math.ceil(self.seen / self.settings.batch_size)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.settings.epochs


# ---------------------------------------------------------------- progress ↔ what a file holds


def to_record(progress: Progress) -> dict[str, Any]:
    """Progress as a checkpoint file holds it: dicts, lists, numbers, texts and tensors."""
    record = {f.name: getattr(progress, f.name) for f in fields(progress)}
    record |= {"settings": asdict(progress.settings), "schedule": asdict(progress.schedule)}
    return {name: value for name, value in record.items() if value is not None}


def from_record(record: Any) -> Progress:
    """The progress that a checkpoint file holds.

    Raises:
        ValueError: something is missing or unusable; the end of a sentence that says what.
    """
    progress = build(Progress, record)
    optional = "versions", "epoch_random", "permutation", "image_losses", "origin"
    for f in fields(Progress):
        if f.name not in (*record, *optional):
            raise ValueError(f"it has no {f.name}")
    _check_settings(progress.settings, record)
    for name, usable in _USABLE.items():
        if not usable(getattr(progress, name)):
            raise ValueError(f"its {name} is unusable")
    if progress.epoch > progress.settings.epochs or (progress.finished and progress.seen):
        raise ValueError("it has gone on for more epochs than its settings say")
    if not progress.schedule.start <= progress.step <= progress.schedule.end:
        raise ValueError("its step is not one of its schedule")
    order, random = progress.permutation, progress.epoch_random
    if progress.seen > (0 if order is None or random is None else len(order)):
        raise ValueError("it has seen more images than its epoch has")
    return progress


def _check_settings(settings: Settings, record: Any) -> None:
    """Check settings; one that only a later version knows might change the run."""
    if record["settings"].keys() - {f.name for f in fields(Settings)}:
        raise ValueError("it has settings that this version does not know")
    if settings.recipe not in RECIPES or settings.data not in DATA_SETS or settings.epochs < 1:
        raise ValueError("its settings are unusable")
    try:
        check_limits(
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            seed=settings.seed,
            training_images=settings.training_images,
            wrong_labels=settings.wrong_labels,
        )
    except ValueError as error:
        raise ValueError(f"its settings are unusable ({str(error).removesuffix('.')})") from error


def _is_schedule(schedule: Schedule) -> bool:
    return (
        0 <= schedule.start <= schedule.end < _MOST_STEPS
        and 0 < schedule.peak <= 1
        and 0 <= schedule.warm_up < 1
    )


def _is_sum(losses: tuple[float, int]) -> bool:
    return math.isfinite(losses[0]) and losses[1] >= 0


def _is_dense(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_meta


def _is_random(state: torch.Tensor) -> bool:
    try:
        torch.Generator().set_state(state)
    except (RuntimeError, TypeError):
        return False
    return True


def _is_order(order: torch.Tensor) -> bool:
    return (
        _is_dense(order)
        and order.dtype == torch.int32
        and order.dim() == 1
        and bool(((order >= 0) & (order < len(order))).all())
    )


def _are_losses(losses: torch.Tensor) -> bool:
    return (
        _is_dense(losses)
        and losses.dtype == torch.float32
        and losses.dim() == 1
        and not losses.isnan().any()
    )


def _is_momentum(optimizer: dict[str, Any]) -> bool:
    """Whether SGD's state has no momentum yet, or one for each of LeNet's parameters."""
    state = optimizer.get("state")
    if state == {}:
        return True
    shapes = dict(enumerate(SHAPES.values()))
    if not isinstance(state, dict) or state.keys() != shapes.keys():
        return False
    for number, shape in shapes.items():
        momentum = state[number].get("momentum_buffer") if isinstance(state[number], dict) else None
        if not isinstance(momentum, torch.Tensor) or not _is_dense(momentum):
            return False
        if not _is_finite(momentum, shape):
            return False
    return True


def _is_finite(tensor: torch.Tensor, shape: torch.Size) -> bool:
    """Whether all of a tensor of floating-point numbers of this shape are finite."""
    return (
        tensor.shape == shape
        and tensor.is_floating_point()
        and bool(tensor.float().isfinite().all())
    )


def _are_weights(weights: dict[str, Any]) -> bool:
    """Whether these are LeNet's."""
    return weights.keys() == SHAPES.keys() and all(
        isinstance(value, torch.Tensor) and _is_dense(value) and _is_finite(value, SHAPES[name])
        for name, value in weights.items()
    )


_USABLE: dict[str, Callable[[Any], bool]] = {
    "schedule": _is_schedule,
    "random": _is_random,
    "epoch": lambda count: count >= 0,
    "seen": lambda count: count >= 0,
    "step": lambda count: count >= 0,
    "elapsed": lambda seconds: 0 <= seconds < math.inf,
    "logged": _is_sum,
    "epoch_loss": _is_sum,
    "optimizer": _is_momentum,
    "epoch_random": lambda state: state is None or _is_random(state),
    "permutation": lambda order: order is None or _is_order(order),
    "image_losses": lambda losses: losses is None or _are_losses(losses),
    "origin": lambda weights: weights is None or _are_weights(weights),
}
