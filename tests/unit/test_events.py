"""lenet.events: one story of a run, however often it was killed and resumed."""

import errno
import json
import os
from pathlib import Path

import pytest

from lenet.events import Event, EventLog, LogError, line, read_log

START = {
    "event": "start", "elapsed": 0.0, "recipe": "fast", "data": "mnist", "epochs": 6,
    "batch_size": 64, "learning_rate": 0.06, "seed": 0, "device": "cpu", "epoch": 0, "batch": 0,
    "resumed_from": None, "changed": [],
}  # fmt: skip
ERROR = {"event": "error", "elapsed": 0.0, "message": "MNIST could not be loaded."}


def start(epoch: int, batch: int) -> Event:
    """The first event of a run that goes on after `epoch` epochs and `batch` batches."""
    return {**START, "epoch": epoch, "batch": batch, "resumed_from": "checkpoints/run.pt"}


def batch(epoch: int, number: int) -> Event:
    return {"event": "batch", "elapsed": 1.0, "epoch": epoch, "batch": number, "loss": 0.2914}


def epoch(number: int) -> Event:
    return {
        "event": "epoch", "elapsed": 2.0, "epoch": number, "train_loss": 0.1,
        "test_loss": 0.1234, "test_accuracy": 0.98765,
    }  # fmt: skip


def ending(kind: str) -> Event:
    return {"event": kind, "elapsed": 12.34}


CHECKPOINT = {"event": "checkpoint", "elapsed": 1.5, "path": "checkpoints/run.pt"}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a folder" / "run.jsonl"


def written(path: Path, *events: Event) -> list[Event]:
    """What the log holds after one process has written events to it."""
    log = EventLog(path)
    for event in events:
        log.append(event)
    return read_log(path)


# ---------------------------------------------------------------- the file


def test_every_event_is_in_the_file_as_soon_as_it_happened(path):
    log = EventLog(path)
    events = [START, CHECKPOINT, batch(1, 100), epoch(1), ending("done")]
    for number, event in enumerate(events, 1):
        log.append(event)
        lines = path.read_text().splitlines()
        assert [json.loads(text) for text in lines] == events[:number] == read_log(path)


def test_a_log_that_is_not_there_holds_nothing(path):
    assert read_log(path) == []


def test_a_new_run_begins_the_log_anew(path):
    written(path, START, batch(1, 100), ending("stopped"))
    assert written(path, START) == [START]


def test_a_stopped_run_goes_on_in_its_log_without_the_ending(path):
    written(path, START, CHECKPOINT, batch(1, 100), CHECKPOINT, ending("stopped"))
    resumed = start(0, 150)
    assert written(path, resumed, batch(1, 200), ending("done")) == [
        START, CHECKPOINT, batch(1, 100), CHECKPOINT, resumed, batch(1, 200), ending("done"),
    ]  # fmt: skip


def test_a_killed_run_goes_on_in_its_log_where_its_checkpoint_stood(path):
    """What it had logged after the checkpoint happens once more, and is told once."""
    killed = [START, batch(1, 100), epoch(1), batch(2, 100), CHECKPOINT, batch(2, 200)]
    written(path, *killed, epoch(2), batch(3, 100))
    resumed = start(1, 150)
    assert written(path, resumed, batch(2, 200)) == [*killed[:5], resumed, batch(2, 200)]


@pytest.mark.parametrize(
    ("position", "kept"),
    [((0, 0), 1), ((0, 99), 1), ((0, 100), 2), ((1, 0), 3), ((1, 99), 3), ((1, 100), 4)],
)
def test_how_much_is_kept(path, position, kept):
    events = [START, batch(1, 100), epoch(1), batch(2, 100)]
    written(path, *events)
    resumed = start(*position)
    assert written(path, resumed) == [*events[:kept], resumed]


def test_a_run_that_was_killed_twice_is_still_one_story(path):
    first = [START, batch(1, 100), CHECKPOINT]
    written(path, *first, batch(1, 200))
    second = [start(0, 120), batch(1, 200), CHECKPOINT]
    assert written(path, *second, batch(1, 300)) == [*first, *second, batch(1, 300)]
    third = start(0, 250)
    assert written(path, third) == [*first, *second, third]


def test_a_run_that_could_not_be_resumed_is_resumed_later_without_the_error(path):
    written(path, START, batch(1, 100), ending("stopped"))
    assert written(path, ERROR)[-1] == ERROR
    resumed = start(0, 150)
    assert written(path, resumed) == [START, batch(1, 100), resumed]


def test_a_resumed_run_may_have_a_log_of_its_own(path):
    assert written(path, start(3, 20), batch(4, 100)) == [start(3, 20), batch(4, 100)]


@pytest.mark.parametrize("half", [b'{"event": "bat', b"\0\0\0"], ids=["half", "zeros"])
def test_half_a_line_is_left_out_and_does_not_spoil_what_follows(path, half):
    """A line that is being written, or that a full disk or a power cut has left."""
    written(path, START, batch(1, 100))
    with path.open("ab") as file:
        file.write(half)
    assert read_log(path) == [START, batch(1, 100)]
    assert written(path, ERROR) == [START, batch(1, 100), ERROR]
    resumed = start(0, 100)
    assert written(path, resumed) == [START, batch(1, 100), resumed]


@pytest.mark.parametrize("first", [START, start(0, 100)], ids=["new", "resumed"])
def test_a_full_disk_at_the_start_leaves_the_log_as_it_was(path, first, monkeypatch):
    written(path, START, batch(1, 100), ending("stopped"))
    before = path.read_text()

    def full_disk(*_) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = EventLog(path)
    monkeypatch.setattr(json, "dumps", full_disk)
    with pytest.raises(LogError, match=r"^The log run\.jsonl .* No space left on device\.$"):
        log.append(first)
    assert path.read_text() == before


# ---------------------------------------------------------------- in words


def test_the_lines_are_the_lessons():
    assert line(batch(1, 100)) == "[1,   100] loss: 0.291"
    assert line(batch(12, 12345)) == "[12, 12345] loss: 0.291"
    assert line(epoch(3)) == "Epoch 3: 98.77% of the test images right, test loss 0.123"
    assert line(ending("done")) == "Finished training after 12.3 s"
    assert line(ending("stopped")) == "Stopped after 12.3 s of training"
    assert line(ERROR) == "MNIST could not be loaded."
    assert line(CHECKPOINT) is None


def test_the_first_line_tells_the_settings():
    text = line(START)
    for setting in ("fast", "mnist", "6 epochs", "64", "0.06", "seed 0", "cpu"):
        assert setting in text
    assert "Resuming" not in text


def test_the_first_line_tells_what_else_it_learns_from():
    more = {"drawings": ["a/pen.jsonl"], "bad_lines": 3, "hold_out": True}
    text = line({**START, **more})
    for words in ("mnist and pen.jsonl", "3 bad lines left out", "held out as the test set"):
        assert words in text
        assert words not in line(START)


def test_the_first_line_of_a_resumed_run_tells_its_checkpoint_and_what_changed():
    assert line(start(1, 0)).startswith("Resuming run.pt, changed: nothing; recipe fast")
    changed = {**start(1, 0), "changed": ["epochs 6 → 9", "seed 0 → 1"]}
    assert "changed: epochs 6 → 9, seed 0 → 1; recipe fast" in line(changed)
