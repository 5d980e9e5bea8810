"""Checkpoints: one file each, written so that a crash leaves the old one or the new one.

A file holds a network, and for a run that can go on everything that it needs (`lenet.train` says
what). Files are read with `weights_only=True`: nothing in a file that a visitor brings may run.
This file knows the network's names and shapes, and nothing of training.
"""

import pickle
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from lenet.files import PROJECT_CHECKPOINTS, checkpoints_folder, replacing
from lenet.model import LeNet

SHIPPED = PROJECT_CHECKPOINTS / "lenet.pt"
SUFFIXES = (".pt", ".pth")

_FORMAT = "lenet-live 1"
_MAX_BYTES = 16 << 20  # ours take one; no LeNet of 61,706 numbers needs more


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or written: one sentence with the file and the reason."""


@dataclass
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        network: LeNet's state dict as training left it, float32.
        averaged: the running average of the weights, or None where none is kept.
        run: the state of the training run, as `lenet.train` makes it; None for bare weights.
        temperature: the logits are divided by this before the softmax.
        sure_above: the smallest highest probability at which an answer counts as sure.
        accuracy: on the test set of the data that it was trained on, 0..1, or None.
    """

    network: dict[str, torch.Tensor]
    averaged: dict[str, torch.Tensor] | None = None
    run: dict[str, Any] | None = None
    temperature: float = 1.0
    sure_above: float = 0.0
    accuracy: float | None = None
    path: Path | None = field(default=None, compare=False)

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
    found = [p for p in _files(checkpoints_folder()) if p != SHIPPED]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [SHIPPED, *found] if SHIPPED.exists() else found


def _files(where: Path) -> list[Path]:
    try:
        return [p for p in where.iterdir() if p.suffix in SUFFIXES and p.is_file()]
    except OSError:  # no such folder yet
        return []


def write(checkpoint: Checkpoint, path: Path | str) -> None:
    """Write a checkpoint: to a temporary file in the same folder, flushed, then renamed.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written to; what stood at `path`
            stands there still.
    """
    path = Path(path)
    content = {f.name: getattr(checkpoint, f.name) for f in fields(Checkpoint) if f.name != "path"}
    try:
        with replacing(path) as file:
            torch.save({"format": _FORMAT, **content}, file)
    except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into RuntimeError
        reason = getattr(error, "strerror", None) or "the disk may be full"
        raise CheckpointError(f"The checkpoint {path} could not be written: {reason}.") from error


def read(path: Path | str) -> Checkpoint:
    """Read a checkpoint of ours, or a bare state dict such as the lesson's `.pth`.

    Raises:
        CheckpointError: there is no such file, it is damaged, holds another network, or wants to
            run code.
    """
    path = Path(path)
    try:
        if _size(path) > _MAX_BYTES:
            raise CheckpointError(f"{path.name} is not a LeNet checkpoint: the file is too large.")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise CheckpointError(f"{path.name} could not be read: {error.strerror}.") from error
    except pickle.UnpicklingError as error:
        reason = (
            "it is a pickle that holds more than weights and might run code"
            if "GLOBAL" in str(error) or path.read_bytes().startswith(pickle.PROTO)
            else "it is not a checkpoint file"
        )
        raise CheckpointError(f"{path.name} was not loaded: {reason}.") from error
    except Exception as error:  # torch meets a damaged file with almost any exception
        raise CheckpointError(
            f"{path.name} is damaged, cut off or no checkpoint at all."
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} is not a LeNet checkpoint: it holds no weights.")
    if content.pop("format", None) != _FORMAT:
        content = {"network": content}
    names = {f.name for f in fields(Checkpoint)}
    content = {"network": None} | {k: v for k, v in content.items() if k in names}
    checkpoint = Checkpoint(**content | {"path": path})
    _check_weights(checkpoint.network, path)
    if checkpoint.averaged is not None:
        _check_weights(checkpoint.averaged, path)
    if not (
        _within(checkpoint.temperature, 1e-3, 1e3)
        and _within(checkpoint.sure_above, 0, 1)
        and (checkpoint.accuracy is None or _within(checkpoint.accuracy, 0, 1))
        and isinstance(checkpoint.run, dict | None)
    ):
        raise CheckpointError(
            f"{path.name} is damaged: what stands beside its weights is unusable."
        )
    return checkpoint


def _size(path: Path) -> int:
    """The file's bytes; where torch zipped it, those of what it unpacks to: it may be a bomb."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _within(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and low <= value <= high


def _check_weights(weights: object, path: Path) -> None:
    expected = {name: tuple(p.shape) for name, p in LeNet().named_parameters()}
    if not isinstance(weights, dict) or weights.keys() != expected.keys():
        raise CheckpointError(
            f"{path.name} holds another network: LeNet's layers are conv1, conv2, fc1, fc2 and fc3."
        )
    for name, shape in expected.items():
        value = weights[name]
        if not (
            isinstance(value, torch.Tensor)
            and value.is_floating_point()
            and value.layout == torch.strided
            and not value.is_meta
        ):
            raise CheckpointError(f"{path.name} holds no floating-point weights for {name}.")
        if tuple(value.shape) != shape:
            raise CheckpointError(
                f"{path.name} holds another network: its {name} has the shape "
                f"{tuple(value.shape)}, LeNet's has {shape}."
            )
        if not value.float().isfinite().all():
            raise CheckpointError(f"{path.name} holds weights that are NaN or infinite in {name}.")
