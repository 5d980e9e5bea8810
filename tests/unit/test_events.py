"""lenet.events: one story of a run, however often it was killed and resumed."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from support import full_disk

from lenet.events import (
    Batch,
    Done,
    Epoch,
    Error,
    Event,
    EventLog,
    LogError,
    Saved,
    Start,
    Stopped,
    from_json,
    latest,
    line,
    read_log,
    to_json,
)

START = Start(
    elapsed=0.0, recipe="fast", data="mnist", drawings=(), epochs=6, batch_size=64,
    learning_rate=0.06, seed=0, epoch=0, batch=0, pid=1234, device="cpu", parameters=61_706,
    images=60_000, batches=938, resumed_from=None, changed=(),
)  # fmt: skip
CHECKPOINT = Saved(elapsed=1.5, path="checkpoints/run.pt")
DONE = Done(elapsed=12.34, test_accuracy=0.9, checkpoint="checkpoints/run.pt")
STOPPED = Stopped(elapsed=12.34, test_accuracy=None, checkpoint="checkpoints/run.pt")
ERROR = Error(elapsed=0.0, kind="DataError", message="MNIST could not be loaded.")


def start(epoch: int, batch: int) -> Start:
    """The first event of a run that goes on after `epoch` epochs and `batch` batches."""
    return replace(START, epoch=epoch, batch=batch, resumed_from="checkpoints/run.pt")


def batch(epoch: int, number: int) -> Batch:
    return Batch(
        elapsed=1.0, epoch=epoch, batch=number, loss=0.2914, learning_rate=0.1, images_per_second=9
    )


def epoch(number: int) -> Epoch:
    return Epoch(elapsed=2.0, epoch=number, train_loss=0.1, test_loss=0.1234, test_accuracy=0.98765)


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
    events = [START, CHECKPOINT, batch(1, 100), epoch(1), DONE]
    for number, event in enumerate(events, 1):
        log.append(event)
        lines = path.read_text().splitlines()
        assert list(map(from_json, lines)) == events[:number] == read_log(path)


def test_a_log_that_is_not_there_holds_nothing(path):
    assert read_log(path) == []


def test_a_new_run_begins_the_log_anew(path):
    written(path, START, batch(1, 100), STOPPED)
    assert written(path, START) == [START]


def test_a_stopped_run_goes_on_in_its_log_without_the_ending(path):
    written(path, START, CHECKPOINT, batch(1, 100), CHECKPOINT, STOPPED)
    resumed = start(0, 150)
    assert written(path, resumed, batch(1, 200), DONE) == [
        START, CHECKPOINT, batch(1, 100), CHECKPOINT, resumed, batch(1, 200), DONE,
    ]  # fmt: skip


def test_a_killed_run_goes_on_in_its_log_where_its_checkpoint_stood(path):
    """What it had logged after the checkpoint happens once more, and is logged once."""
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
    written(path, START, batch(1, 100), STOPPED)
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
    written(path, START, batch(1, 100), STOPPED)
    before = path.read_text()

    log = EventLog(path)
    monkeypatch.setattr(json, "dumps", full_disk)
    with pytest.raises(LogError, match=r"^The log run\.jsonl .* No space left on device\.$"):
        log.append(first)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7", "It is not an event that this version knows."),
        ('{"event": "paused", "elapsed": 1.0}', "It is not an event that this version knows."),
        ('{"event": ["done"], "elapsed": 1.0}', "It is not an event that this version knows."),
        ('{"event": "bat\0\0', "It is not JSON."),
        ("[" * 100_000, "It is not JSON."),
        (
            '{"event": "done", "elapsed": 1.0}',
            "The event 'done' is damaged: it has no test_accuracy.",
        ),
        ('{"event": "checkpoint", "elapsed": true, "path": ""}', ": its elapsed is unusable."),
        (to_json(START).replace('"changed": []', '"changed": [1]'), ": its changed is unusable."),
        (to_json(batch(1, 1)).replace('"batch": 1,', '"batch": 1.5,'), ": its batch is unusable."),
        (to_json(batch(1, 1)).replace("0.2914", '"low"'), ": its loss is unusable."),
        ("\xff", "It is not JSON."),
    ],
)
def test_a_line_that_is_no_event_is_reported(path, text, reason):
    written(path, START)
    with path.open("a", encoding="latin-1") as file:
        file.write(text + "\n")
    with pytest.raises(LogError, match=r"^The log run\.jsonl could not be read, line 2: ") as told:
        read_log(path)
    assert str(told.value).endswith(reason)
    with pytest.raises(LogError, match="line 2"):  # and the log that holds it is not lost
        written(path, start(0, 100))
    assert path.read_text(encoding="latin-1").endswith(text + "\n")


def test_a_new_run_needs_nothing_of_a_damaged_log(path):
    written(path, START)
    path.write_text("7\n")
    assert written(path, START) == [START]


# ---------------------------------------------------------------- on disk

# Lines as the first version wrote them: its `start` lacks three fields of today's.
OLD = """\
{"event": "start", "elapsed": 0.0, "recipe": "fast", "data": "mnist", "drawings": ["a.jsonl"], \
"epochs": 6, "batch_size": 64, "learning_rate": 0.06, "seed": 0, "epoch": 0, "batch": 0, \
"pid": 7, "device": "cpu", "parameters": 61706, "images": 60000, "batches": 938, \
"resumed_from": null, "changed": []}
{"event": "checkpoint", "elapsed": 0.0, "path": "run.pt"}
{"event": "batch", "elapsed": 1.5, "epoch": 1, "batch": 100, "loss": NaN, \
"learning_rate": 0.06, "images_per_second": 9000}
{"event": "epoch", "elapsed": 2, "epoch": 1, "train_loss": 0.5, "test_loss": 0.1, \
"test_accuracy": 0.97}
{"event": "stopped", "elapsed": 2.5, "test_accuracy": null, "checkpoint": "run.pt"}
{"event": "done", "elapsed": 3.5, "test_accuracy": 0.98, "checkpoint": "run.pt"}
{"event": "error", "elapsed": 3.5, "kind": "DataError", "message": "No data."}
"""


def test_an_old_log_is_read(tmp_path):
    (tmp_path / "log").write_text(OLD)
    events = read_log(tmp_path / "log")
    first, saved, hundred, whole, *endings = events
    assert isinstance(first, Start)
    assert (first.hold_out, first.skip_bad, first.bad_lines) == (False, False, 0)
    assert first.drawings == ("a.jsonl",)
    assert saved == Saved(elapsed=0.0, path="run.pt")
    assert isinstance(hundred, Batch) and math.isnan(hundred.loss)
    assert whole == Epoch(elapsed=2, epoch=1, train_loss=0.5, test_loss=0.1, test_accuracy=0.97)
    assert [type(event) for event in endings] == [Stopped, Done, Error]


def test_fields_on_disk_are_those_of_every_version_before():
    """Other programs read them."""
    for text in OLD.splitlines():
        record, ours = json.loads(text), json.loads(to_json(from_json(text)))
        added = {"hold_out": False, "skip_bad": False, "bad_lines": 0, "train_accuracy": None}
        added |= {"training_images": 60_000, "wrong_labels": 0.0, "step": None}
        assert str(ours) == str({name: (added | record)[name] for name in ours})
        assert ours.keys() >= record.keys()


def test_a_field_of_a_later_version_is_left_out():
    later = to_json(CHECKPOINT).replace("}", ', "bytes": 7}')
    assert from_json(later) == CHECKPOINT


def test_the_latest_of_a_kind():
    events = [START, batch(1, 100), start(0, 100), batch(1, 200)]
    assert latest(events, Start) == start(0, 100)
    assert latest(events, Error) is None


# ---------------------------------------------------------------- in words


def test_the_lines_are_the_lessons():
    assert line(batch(1, 100)) == "[1,   100] loss: 0.291"
    assert line(batch(12, 12345)) == "[12, 12345] loss: 0.291"
    assert line(epoch(3)) == "Epoch 3: 98.77% of the test images right, test loss 0.123"
    learnt = replace(epoch(3), train_accuracy=1.0)
    words = "98.77% of the test images right, 100.00% of the training images, test loss 0.123"
    assert line(learnt) == f"Epoch 3: {words}"
    assert line(DONE) == "Finished training after 12.3 s"
    assert line(STOPPED) == "Stopped after 12.3 s of training"
    assert line(ERROR) == "MNIST could not be loaded."
    assert line(CHECKPOINT) is None


def test_the_first_line_says_the_settings():
    text = line(START)
    for setting in ("fast", "mnist", "6 epochs", "64", "0.06", "seed 0", "cpu"):
        assert setting in text
    assert "Resuming" not in text


def test_the_first_line_says_what_else_the_run_learns_from():
    more = {"drawings": ("a/pen.jsonl",), "bad_lines": 3, "hold_out": True}
    more |= {"training_images": 1000, "wrong_labels": 12.5}
    text = line(replace(START, **more))
    data = "mnist (1,000 images, 12.5 % of the labels wrong) and pen.jsonl"
    for words in (data, "3 bad lines left out", "held out as the test set"):
        assert words in text
        assert words not in line(START)


def test_the_first_line_of_a_resumed_run_says_its_checkpoint_and_what_changed():
    assert line(start(1, 0)).startswith("Resuming run.pt, changed: nothing; recipe fast")
    changed = replace(start(1, 0), changed=("epochs 6 → 9", "seed 0 → 1"))
    assert "changed: epochs 6 → 9, seed 0 → 1; recipe fast" in line(changed)
