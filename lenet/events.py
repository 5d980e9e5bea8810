"""The event log of a training run: JSON lines, written as the run goes, read while it goes.

An event is a dict with `event` and `elapsed`; `lenet.train` says which there are. This file writes
and reads them and puts them into the words of the lesson.
"""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Event = dict[str, Any]

ENDINGS = ("done", "stopped", "error")


class LogError(RuntimeError):
    """A log that cannot be written: one sentence with the file and the reason."""


class EventLog:
    """A log that is written to, each event as soon as it happens.

    The `start` of a new run begins the file anew. The `start` of a resumed run goes on where its
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
            LogError: the disk is full, or the folder is gone.
        """
        with self._told():
            if event["event"] == "start":
                self._begin(event)
            else:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(event) + "\n")

    def _begin(self, start: Event) -> None:
        """Rewrite the log up to a `start`, at once: a full disk leaves it as it was."""
        kept = []
        if start["resumed_from"]:
            kept = _before(read_log(self.path), (start["epoch"], start["batch"]))
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in [*kept, start])
        os.replace(temporary, self.path)

    @contextmanager
    def _told(self):
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise LogError(f"The log {self.path.name} could not be written: {reason}.") from error


def _before(events: list[Event], position: tuple[int, int]) -> list[Event]:
    """The events up to a position, (epochs done, batches of the next done), without an ending."""
    kept = []
    for event in events:
        if event["event"] in ENDINGS or _when(event) > position:
            break
        kept.append(event)
    return kept


def read_log(path: Path | str) -> list[Event]:
    """All whole events of a log; a line that is still being written is left out."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(text) for text in lines if text.endswith("\n")]


def _when(event: Event) -> tuple[int, int]:
    if event["event"] == "batch":
        return event["epoch"] - 1, event["batch"]
    return (event["epoch"], 0) if event["event"] == "epoch" else (0, 0)


def line(event: Event) -> str | None:
    """An event in the words of the lesson, or None for one that needs no words."""
    kind = event["event"]
    if kind == "start":
        return _start_line(event)
    if kind == "batch":
        return f"[{event['epoch']}, {event['batch']:5d}] loss: {event['loss']:.3f}"
    if kind == "epoch":
        return (
            f"Epoch {event['epoch']}: {event['test_accuracy']:.2%} of the test images right, "
            f"test loss {event['test_loss']:.3f}"
        )
    if kind == "done":
        return f"Finished training after {event['elapsed']:.1f} s"
    if kind == "stopped":
        return f"Stopped after {event['elapsed']:.1f} s of training"
    if kind == "error":
        return event["message"]
    return None


def _start_line(event: Event) -> str:
    settings = (
        f"recipe {event['recipe']}, data {_data(event)}, {event['epochs']} epochs, "
        f"batches of {event['batch_size']}, learning rate {event['learning_rate']:g}, "
        f"seed {event['seed']}, on {event['device']}"
    )
    if not event["resumed_from"]:
        return f"Training: {settings}"
    changed = ", ".join(event["changed"]) or "nothing"
    return f"Resuming {Path(event['resumed_from']).name}, changed: {changed}; {settings}"


def _data(event: Event) -> str:
    words = " and ".join([event["data"], *(Path(path).name for path in event.get("drawings", ()))])
    if event.get("bad_lines"):
        words += f" ({event['bad_lines']} bad lines left out)"
    if event.get("hold_out"):
        words += " (the last training images held out as the test set)"
    return words
