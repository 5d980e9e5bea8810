"""Checkpoints: one file each, written so that a crash leaves the old one or the new one.

A file holds a network, and where a run can go on, its `lenet.progress`. `lenet.torch_file` reads
it: nothing in a file that a visitor brings may run. What it holds is checked here and trusted
afterwards. This file knows the network's names and shapes, and nothing of training.
"""

import io
import math
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

import torch

from lenet.files import PROJECT_CHECKPOINTS, checkpoints_folder, replacing
from lenet.model import SHAPES, LeNet
from lenet.progress import Progress, from_record, to_record
from lenet.records import LARGEST_INTEGER
from lenet.torch_file import TorchFileError, load

SHIPPED = PROJECT_CHECKPOINTS / "lenet.pt"
SUFFIXES = (".pt", ".pth")

_FORMAT = "lenet-live 1"
_MAX_OUTPUT = 1e30  # beyond it float32 may overflow; trained networks stay below 1e10
_RANGES = {
    "temperature": (1e-3, 1e3),
    "sure_above": (0, 1),
    "digit_slope": (-1e3, 1e3),
    "digit_offset": (-1e6, math.inf),
    "sure_digit_above": (0, 1),
    "accuracy": (0, 1),
}


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or written: one sentence with the file and the reason."""


@dataclass
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        network: LeNet's state dict as training left it, float32.
        averaged: the running average of the weights, or None where none is kept.
        run: how far the training run has come; None for bare weights.
        temperature: the logits are divided by this before the softmax.
        sure_above: the smallest highest probability at which an answer counts as sure.
        digit_slope, digit_offset: a drawing of evidence E (`lenet.recognize`) is a digit with the
            probability 1 / (1 + exp(-(slope · E + offset))); where nothing is known of what is no
            digit, that is 1 of every drawing.
        sure_digit_above: the smallest such probability at which an answer counts as sure.
        accuracy: on the test set of the data that it was trained on, 0..1, or None.
        path: the file that it was read from, or None.
    """

    network: dict[str, torch.Tensor]
    averaged: dict[str, torch.Tensor] | None = None
    run: Progress | None = None
    temperature: float = 1.0
    sure_above: float = 0.0
    digit_slope: float = 0.0
    digit_offset: float = math.inf
    sure_digit_above: float = 0.0
    accuracy: float | None = None
    path: Path | None = field(default=None, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as plain bytes: torch would pass handles of shared memory."""
        file = io.BytesIO()
        _save(self, file)
        return _unpack, (file.getvalue(), self.path)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The weights to read digits with: the average where one is kept."""
        return self.averaged or self.network

    def model(self) -> LeNet:
        """LeNet with the weights to read digits with, on the CPU, in evaluation mode."""
        model = LeNet()
        model.load_state_dict(self.weights)
        return model.eval()


def list_checkpoints() -> list[Path]:
    """The shipped checkpoint first, then those in `checkpoints_folder()`, the newest first."""
    found = []
    with suppress(OSError):  # no such folder yet
        for path in checkpoints_folder().iterdir():
            if path.suffix in SUFFIXES and path != SHIPPED and path.is_file():
                with suppress(FileNotFoundError):  # it has just been removed
                    found.append((path.stat().st_mtime, path))
    newest_first = [path for _, path in sorted(found, reverse=True)]
    return [SHIPPED, *newest_first] if SHIPPED.exists() else newest_first


def write(checkpoint: Checkpoint, path: Path | str) -> None:
    """Write a checkpoint: to a temporary file in the same folder, flushed, then renamed.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written to; the old file at `path`
            is kept.
    """
    path = Path(path)
    try:
        with replacing(path) as file:
            _save(checkpoint, file)
    except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into RuntimeError
        reason = getattr(error, "strerror", None) or "the disk may be full"
        raise CheckpointError(f"The checkpoint {path} could not be written: {reason}.") from error


def _save(checkpoint: Checkpoint, file: BinaryIO) -> None:
    content = {f.name: getattr(checkpoint, f.name) for f in fields(Checkpoint) if f.name != "path"}
    if checkpoint.run:
        content["run"] = to_record(checkpoint.run)
    torch.save({"format": _FORMAT, **content}, file)


def read(path: Path | str) -> Checkpoint:
    """Read a checkpoint of ours, or a bare state dict such as the lesson's `.pth`.

    Raises:
        CheckpointError: there is no such file, it is damaged, holds another network or a run of
            another version, or wants to run code.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = load(file)
    except OSError as error:
        raise CheckpointError(f"{path.name} could not be read: {error.strerror}.") from error
    except TorchFileError as error:
        raise CheckpointError(f"{path.name} was not loaded: {error}.") from error
    return _checked(content, path)


def _unpack(content: bytes, path: Path | None) -> Checkpoint:
    """A checkpoint that another process has packed."""
    return _checked(load(io.BytesIO(content)), path or Path("checkpoint"))


def _checked(content: Any, path: Path) -> Checkpoint:
    """The checkpoint that a file's content makes, or CheckpointError."""
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} is not a LeNet checkpoint: it holds no weights.")
    if content.pop("format", None) != _FORMAT:
        content = {"network": content}
    names = {f.name for f in fields(Checkpoint)}
    content = {"network": None} | {k: v for k, v in content.items() if k in names}
    _check_weights(content["network"], path)
    if content.get("averaged") is not None:
        _check_weights(content["averaged"], path)
    if content.get("run") is not None:
        try:
            content["run"] = from_record(content["run"])
        except ValueError as error:
            raise CheckpointError(
                f"{path.name} holds a run that is damaged or of another version: {error}."
            ) from error
    checkpoint = Checkpoint(**content | {"path": path})
    for name, limits in _RANGES.items():
        value = getattr(checkpoint, name)
        if not ((name == "accuracy" and value is None) or _within(value, *limits)):
            raise CheckpointError(f"{path.name} is damaged: its {name} is unusable.")
    return checkpoint


def _within(value: object, low: float, high: float) -> bool:
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return False
    return isinstance(value, int | float) and low <= value <= high


def _check_weights(weights: object, path: Path) -> None:
    if not isinstance(weights, dict) or weights.keys() != SHAPES.keys():
        raise CheckpointError(
            f"{path.name} holds another network: LeNet's layers are conv1, conv2, fc1, fc2 and fc3."
        )
    for name, size in SHAPES.items():
        value, shape = weights[name], tuple(size)
        if not (isinstance(value, torch.Tensor) and value.is_floating_point()):
            raise CheckpointError(f"{path.name} holds no floating-point weights for {name}.")
        if tuple(value.shape) != shape:
            raise CheckpointError(
                f"{path.name} holds another network: its {name} has the shape "
                f"{tuple(value.shape)}, LeNet's has {shape}."
            )
        if not value.float().isfinite().all():
            raise CheckpointError(f"{path.name} holds weights that are NaN or infinite in {name}.")
    if _largest_output(weights) > _MAX_OUTPUT:
        raise CheckpointError(f"{path.name} holds weights so large that no answer can be computed.")


def _largest_output(weights: dict[str, torch.Tensor]) -> float:
    """A bound of the logits and of all values on the way to them, whatever the network reads."""
    bound = 3.0  # no normalised pixel is larger
    for layer in dict.fromkeys(name.partition(".")[0] for name in SHAPES):
        weight, bias = (weights[f"{layer}.{kind}"].double().abs() for kind in ("weight", "bias"))
        bound = max(bound, float((bound * weight.flatten(1).sum(1) + bias).max()))
    return bound
