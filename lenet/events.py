"""What happens in a training run, as types, and its log: one JSON object a line.

`lenet.train` yields events; the log is written as the run goes, and read while it goes. What a log
holds is checked where it is read and trusted afterwards. This file also puts events into the words
of the lesson. It knows nothing of how a run trains.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from lenet.files import replacing
from lenet.records import build
from lenet.settings import ALL_IMAGES

MAX_BYTES = 32 << 20  # of a log: twenty times the longest run's


class LogError(RuntimeError):
    """A log that cannot be written or read: one sentence with the file and the reason."""


# ---------------------------------------------------------------- the events


@dataclass(frozen=True, kw_only=True)
class _Happened:
    """What every event tells.

    Attributes:
        elapsed: seconds of training so far; evaluation and start-up are not counted.
    """

    elapsed: float


@dataclass(frozen=True, kw_only=True)
class Start(_Happened):
    """A run begins or goes on: its settings, as `lenet.settings.Settings` has them, and its place.

    Attributes:
        epoch: epochs that are done.
        batch: batches of the next epoch that are done.
        step: batches that are done in all, of whatever size; None in older logs.
        pid: of the process that trains.
        device: such as `cpu`.
        parameters: of the network.
        images: that an epoch has.
        bad_lines: of drawings files that were left out.
        batches: that an epoch has.
        resumed_from: the checkpoint that the run goes on from, or None.
        changed: in words, each setting that differs from the checkpoint's.
    """

    recipe: str
    data: str
    drawings: tuple[str, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    hold_out: bool = False  # what has a default here is missing from the oldest logs
    skip_bad: bool = False
    training_images: int = ALL_IMAGES
    wrong_labels: float = 0.0
    epoch: int
    batch: int
    step: int | None = None
    pid: int
    device: str
    parameters: int
    images: int
    bad_lines: int = 0
    batches: int
    resumed_from: str | None
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Batch(_Happened):
    """A hundred batches are done, or an epoch that has fewer.

    Attributes:
        epoch: the running one, from 1.
        batch: batches of it that are done.
        loss: the mean over the batches since the event before.
        learning_rate: of the last batch.
        images_per_second: images of the epoch that are done, since the event before; those that a
            recipe leaves out count.
    """

    epoch: int
    batch: int
    loss: float
    learning_rate: float
    images_per_second: float


@dataclass(frozen=True, kw_only=True)
class Epoch(_Happened):
    """An epoch is done.

    Attributes:
        epoch: its number, from 1.
        train_loss: the mean over its batches.
        test_loss: of the test images.
        test_accuracy: the share of the test images that were read right, 0..1.
        train_accuracy: the share of the data set's training images, by the labels that the run was
            given, that were read right, 0..1: of the first 10,000. None where nothing is damaged.
    """

    epoch: int
    train_loss: float
    test_loss: float
    test_accuracy: float
    train_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class Saved(_Happened):
    """The checkpoint `path` was written."""

    path: str


@dataclass(frozen=True, kw_only=True)
class Note(_Happened):
    """Something that whoever reads the log should know; the run goes on.

    Attributes:
        message: one sentence.
    """

    message: str


@dataclass(frozen=True, kw_only=True)
class Taught(_Happened):
    """A network was taught somebody's drawings, and this is what changed.

    Attributes:
        drawings: how many there are.
        before: how many of them the network had read right that teaching began from.
        after: the same of networks that were taught without the drawing, each with all those of
            the other folds; None where there are too few drawings for that.
        folds: how many parts the drawings were divided into; 0 where they were not.
        accuracy_before: the share of the test images that it had read right, 0..1.
        accuracy: the same after teaching.
    """

    drawings: int
    before: int
    after: int | None
    folds: int
    accuracy_before: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class Done(_Happened):
    """The last epoch is done: the end.

    Attributes:
        test_accuracy: after it, 0..1.
        checkpoint: the path of the last checkpoint.
    """

    test_accuracy: float
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class Stopped(_Happened):
    """The run was asked to stop and can go on: the end for now.

    Attributes:
        test_accuracy: after the last whole epoch, 0..1, or None before the first.
        checkpoint: the path of the last checkpoint, or None where data were still being loaded.
    """

    test_accuracy: float | None
    checkpoint: str | None


@dataclass(frozen=True, kw_only=True)
class Error(_Happened):
    """The run failed: the end.

    Attributes:
        kind: the exception's name.
        message: one sentence for whoever asked for the run.
    """

    kind: str
    message: str


Ending = Done | Stopped | Error
Event = Start | Batch | Epoch | Saved | Note | Taught | Ending

_KINDS: dict[str, type[Event]] = {
    "start": Start,
    "batch": Batch,
    "epoch": Epoch,
    "checkpoint": Saved,
    "note": Note,
    "taught": Taught,
    "done": Done,
    "stopped": Stopped,
    "error": Error,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

AnEvent = TypeVar("AnEvent", bound=Event)


def latest(events: Sequence[Event], kind: type[AnEvent]) -> AnEvent | None:
    """The last event of a kind, or None where there is none."""
    return next((event for event in reversed(events) if isinstance(event, kind)), None)


# ---------------------------------------------------------------- an event ↔ a line of JSON


def to_json(event: Event) -> str:
    """An event as one JSON object on one line, without the line's end."""
    return json.dumps({"event": _NAMES[type(event)], **asdict(event)})


def from_json(text: str | bytes) -> Event:
    """The event that one line of a log holds; fields that this version does not know are ignored.

    Raises:
        ValueError: it is no JSON object, of no known kind, or lacks a field or its type; one
            sentence that says which.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("It is not JSON.") from error
    name = record.get("event") if isinstance(record, dict) else None
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError("It is not an event that this version knows.")
    try:
        return build(kind, record)
    except ValueError as error:
        raise ValueError(f"The event {name!r} is damaged: {error}.") from error


# ---------------------------------------------------------------- the log


class EventLog:
    """A log that is written to, each event as soon as it happens.

    The `Start` of a new run begins the file anew. The `Start` of a resumed run goes on where its
    checkpoint stood: what a killed run had logged after that happens once more.
    """

    def __init__(self, path: Path | str) -> None:
        """Make the log's folder; half a line that a full disk or a power cut left is cut off.

        Raises:
            LogError: the folder or the log cannot be written to.
        """
        self.path = Path(path).resolve()  # a link to a log stays one
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)

    def append(self, event: Event) -> None:
        """Write one event.

        Raises:
            LogError: the disk is full, the folder is gone, or a resumed run's log is damaged.
        """
        with self._told():
            if isinstance(event, Start):
                self._begin(event)
            else:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(to_json(event) + "\n")

    def _begin(self, start: Start) -> None:
        """Rewrite the log up to a `Start`, at once: a full disk leaves it as it was."""
        kept: list[Event] = []
        if start.resumed_from:
            kept = _before(read_log(self.path), (start.epoch, start.batch))
        with replacing(self.path) as file:
            file.writelines(to_json(event).encode() + b"\n" for event in [*kept, start])

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise LogError(f"The log {self.path.name} could not be written: {reason}.") from error


def _before(events: list[Event], position: tuple[int, int]) -> list[Event]:
    """The events up to a position, (epochs done, batches of the next done), without an ending."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Ending) or _when(event) > position:
            break
        kept.append(event)
    return kept


def _when(event: Event) -> tuple[int, int]:
    if isinstance(event, Batch):
        return event.epoch - 1, event.batch
    return (event.epoch, 0) if isinstance(event, Epoch) else (0, 0)


def read_log(path: Path | str) -> list[Event]:
    """All whole events of a log; a line that is still being written is left out.

    Raises:
        LogError: it cannot be read, is too large, or a line is damaged or of a version that this
            one does not know.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LogError(f"The log {path.name} could not be read: it is too large.")
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LogError(f"The log {path.name} could not be read: {error.strerror}.") from error
    events = []
    for number, text in enumerate(lines, 1):
        try:
            events.append(from_json(text))
        except ValueError as error:
            raise LogError(
                f"The log {path.name} could not be read, line {number}: {error}"
            ) from error
    return events


# ---------------------------------------------------------------- in words


def line(event: Event) -> str | None:
    """An event in the words of the lesson, or None for one that needs no words."""
    match event:
        case Start():
            return _start_line(event)
        case Batch():
            return f"[{event.epoch}, {event.batch:5d}] loss: {event.loss:.3f}"
        case Epoch():
            return _epoch_line(event)
        case Taught():
            return _taught_line(event)
        case Done():
            return f"Finished training after {event.elapsed:.1f} s"
        case Stopped():
            return f"Stopped after {event.elapsed:.1f} s of training"
        case Note() | Error():
            return event.message
        case Saved():
            return None


def _start_line(event: Start) -> str:
    epochs = f"{event.epochs} epoch{'s' * (event.epochs != 1)}"
    settings = (
        f"recipe {event.recipe}, data {_data(event)}, {epochs}, "
        f"batches of {event.batch_size}, learning rate {event.learning_rate:g}, "
        f"seed {event.seed}, on {event.device}"
    )
    if not event.resumed_from:
        return f"Training: {settings}"
    changed = ", ".join(event.changed) or "nothing"
    return f"Resuming {Path(event.resumed_from).name}, changed: {changed}; {settings}"


def _epoch_line(event: Epoch) -> str:
    right = f"{event.test_accuracy:.2%} of the test images right"
    if event.train_accuracy is not None:
        right += f", {event.train_accuracy:.2%} of the training images"
    return f"Epoch {event.epoch}: {right}, test loss {event.test_loss:.3f}"


def _taught_line(event: Taught) -> str:
    test = f"{event.accuracy:.2%} of the test images right, {event.accuracy_before:.2%} before"
    drawn = f"{event.before} of the {event.drawings} drawings right before"
    if event.after is None:
        return f"{drawn}; {test}"
    return (
        f"{event.after} of the {event.drawings} drawings right, each read by a network that was "
        f"not taught it, {event.before} before; {test}"
    )


def _data(event: Start) -> str:
    damage = []
    if event.training_images < ALL_IMAGES:
        damage.append(f"{event.training_images:,} images")
    if event.wrong_labels:
        damage.append(f"{event.wrong_labels:g} % of the labels wrong")
    data = f"{event.data} ({', '.join(damage)})" if damage else event.data
    words = " and ".join([data, *(Path(path).name for path in event.drawings)])
    if event.bad_lines:
        words += f" ({event.bad_lines} bad lines left out)"
    if event.hold_out:
        words += " (the last training images held out as the test set)"
    return words
