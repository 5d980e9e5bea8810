"""The event log of a training run: JSON lines, written as the run goes, read while it goes.

An event is a dict with `event` and `elapsed`; `lenet.train` says which there are. This file writes
and reads them and puts them into the words of the lesson.
"""

import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]

ENDINGS = ("done", "stopped", "error")


class EventLog:
    """A log that is written to, each event as soon as it happens.

    The `start` of a new run begins the file anew. The `start` of a resumed run goes on where its
    checkpoint stood: what a killed run had logged after that happens once more.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, event: Event) -> None:
        """Write one event.

        Raises:
            OSError: the disk is full, or the folder is gone.
        """
        kept = []
        if event["event"] == "start":
            if event["resumed_from"]:
                kept = _before(read_log(self.path), (event["epoch"], event["batch"]))
            self.path.write_text("", encoding="utf-8")
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(e) + "\n" for e in [*kept, event])


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
        f"recipe {event['recipe']}, data {event['data']}, {event['epochs']} epochs, "
        f"batches of {event['batch_size']}, learning rate {event['learning_rate']:g}, "
        f"seed {event['seed']}, on {event['device']}"
    )
    if not event["resumed_from"]:
        return f"Training: {settings}"
    changed = ", ".join(event["changed"]) or "nothing"
    return f"Resuming {Path(event['resumed_from']).name}, changed: {changed}; {settings}"
