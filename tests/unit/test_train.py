"""lenet.train: a run's events, what ends it, and the command line."""

import json
import os
import re
import runpy
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from support import full_disk

from lenet import LeNet, Recognizer
from lenet.checkpoint import Checkpoint, read, write
from lenet.data import DataError, DataSet, Digits, LoadingStopped, damage
from lenet.events import (
    Batch,
    Done,
    Ending,
    Epoch,
    Error,
    Event,
    Saved,
    Start,
    Stopped,
    line,
    read_log,
    to_json,
)
from lenet.job import Job, prepare
from lenet.preprocess import frames_to_inputs
from lenet.recipes import RECIPES
from lenet.recognize import predict
from lenet.settings import Request
from lenet.synthetic import synthetic_digits
from lenet.train import Stop, data_of, main, new_name, train

# What each event has on disk beside `event` and `elapsed`: other programs read it.
CONTRACT = {
    "start": {"recipe", "data", "device", "parameters", "resumed_from"},
    "batch": {"epoch", "batch", "loss", "learning_rate", "images_per_second"},
    "epoch": {"epoch", "train_loss", "test_loss", "test_accuracy"},
    "checkpoint": {"path"},
    "done": set(),
    "stopped": set(),
    "error": {"message"},
}


@pytest.fixture(scope="module")
def small() -> DataSet:
    """512 digits to learn from: 8 batches of 64 an epoch."""
    return DataSet(
        "synthetic", Digits(*synthetic_digits(512, seed=5)), Digits(*synthetic_digits(100, seed=6))
    )


@pytest.fixture(autouse=True)
def few_digits(small, monkeypatch) -> None:
    """Whatever a run asks for, it trains on the small set and logs every fourth batch."""
    monkeypatch.setattr("lenet.train.load", lambda name, *_: small)
    monkeypatch.setattr("lenet.trainer.LOG_EVERY", 4)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command line takes over two signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "checkpoints" / "run.pt"


def after(batches: int) -> dict[str, Callable]:
    """Ask to stop after so many batches: the arguments of `train` that do."""
    trainers = []
    return {
        "stop": lambda: bool(trainers) and trainers[0].progress.step >= batches,
        "begun": trainers.append,
    }


def job(recipe: str | None = None, **settings) -> Job:
    return prepare(Request(recipe, **settings))


def failure(events: list[Event]) -> str:
    """The one sentence with which a run failed, its last event."""
    assert [type(e) for e in events if isinstance(e, Ending)] == [Error]
    assert isinstance(events[-1], Error)
    message = events[-1].message
    assert message.endswith(".") and "\n" not in message
    return message


# ---------------------------------------------------------------- the events of a run


def test_the_events_come_in_order_and_hold_what_is_promised(out):
    events = list(train(job("fast", data="synthetic", epochs=2, batch_size=64, seed=3), out))
    epoch = [Batch, Batch, Epoch, Saved]
    assert [type(e) for e in events] == [Start, Saved, *epoch, *epoch, Saved, Done]
    for event in events:
        record = json.loads(to_json(event))
        assert CONTRACT[record["event"]] | {"elapsed"} <= record.keys()
    assert events[0].elapsed == 0
    times = [e.elapsed for e in events]
    assert times == sorted(times) and times[-1] > 0

    start = events[0]
    assert (start.recipe, start.data, start.seed) == ("fast", "synthetic", 3)
    assert start.parameters == 61_706
    assert start.resumed_from is None
    batches = [e for e in events if isinstance(e, Batch)]
    assert [(e.epoch, e.batch) for e in batches] == [(1, 4), (1, 8), (2, 4), (2, 8)]
    assert all(0 < e.loss < 5 and e.images_per_second > 0 for e in batches)
    assert all(0 < e.learning_rate <= RECIPES["fast"].learning_rate for e in batches)
    epochs = [e for e in events if isinstance(e, Epoch)]
    assert [e.epoch for e in epochs] == [1, 2]
    assert all(0 <= e.test_accuracy <= 1 and e.test_loss > 0 for e in epochs)
    assert {e.path for e in events if isinstance(e, Saved)} == {str(out)}
    assert events[-1].checkpoint == str(out)


def test_a_checkpoint_is_there_from_the_first_moment_and_complete_at_the_end(out):
    run = train(job("tutorial", epochs=1), out)
    assert isinstance(next(run), Start)
    assert isinstance(next(run), Saved)
    assert read(out).run.step == 0
    events = list(run)
    last = read(out)
    assert (last.run.step, last.run.epoch) == (8, 1)
    assert last.accuracy == next(e for e in events if isinstance(e, Epoch)).test_accuracy
    assert Recognizer.load(out).recognize([[[0, 0], [0, 9]]]).digit in range(10)
    assert [path.name for path in out.parent.iterdir()] == ["run.pt"]


def test_a_run_is_saved_while_an_epoch_goes_on(out, monkeypatch):
    monkeypatch.setattr("lenet.trainer.SAVE_EVERY", 0.0)
    saved = []
    for event in train(job("fast", epochs=1, batch_size=64), out):
        if isinstance(event, Saved):
            saved.append(read(out).run.step)
    assert saved == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]


def test_a_stopped_run_goes_on_in_the_same_file_to_its_end(out):
    events = list(train(job("fast", epochs=2, batch_size=64), out, **after(11)))
    assert [type(e) for e in events[-2:]] == [Saved, Stopped]
    assert read(out).run.step == 11

    resumed = list(train(job(resume=str(out)), out))
    start = resumed[0]
    assert start.resumed_from == str(out)
    assert (start.epoch, start.batch, start.changed) == (1, 3, ())
    assert start.elapsed == events[-1].elapsed < resumed[-1].elapsed
    assert [(e.epoch, e.batch) for e in resumed if isinstance(e, Batch)] == [(2, 4), (2, 8)]
    assert isinstance(resumed[-1], Done)
    assert read(out).run.step == 16


def test_the_speed_after_resuming_is_that_of_the_images_since(out, monkeypatch):
    """One batch of the four before the first `batch` event was trained before the stop."""
    clock = iter(range(10_000))
    monkeypatch.setattr("lenet.trainer.time.perf_counter", lambda: float(next(clock)))
    list(train(job("fast", epochs=1, batch_size=64), out, **after(3)))
    events = list(train(job(resume=str(out)), out))
    first, second = [e.images_per_second for e in events if isinstance(e, Batch)]
    assert first == 64  # one batch in one tick of the clock
    assert second == 4 * 64


def test_a_stop_while_the_last_epoch_is_tested_does_not_spoil_the_end(out):
    asked = []
    events = []
    for event in train(job("fast", epochs=1), out, lambda: bool(asked)):
        events.append(event)
        if isinstance(event, Epoch):
            asked.append(True)
    assert isinstance(events[-1], Done)


def test_the_start_event_says_what_changed_on_resuming(out):
    list(train(job("fast", epochs=1), out))
    start = next(train(job(epochs=1, learning_rate=0.01, resume=str(out)), out))
    assert start.changed == ("epochs 1 → 2", "learning_rate 0.05 → 0.01")


# ---------------------------------------------------------------- damaged data


DAMAGE = {"training_images": 300, "wrong_labels": 20.0}


def test_a_run_learns_from_few_images_with_wrong_labels(out, small):
    """Its training accuracy is that of the labels that it was given, wrong ones and all."""
    run = job("tutorial", epochs=3, batch_size=64, learning_rate=0.01, **DAMAGE)
    trainers = []
    events = list(train(run, out, begun=trainers.append))
    (trainer,) = trainers
    start = events[0]
    assert (start.images, start.training_images, start.wrong_labels) == (300, 300, 20.0)
    given = damage(small, 300, 20.0, 0).train
    assert trainer.frames.equal(given.frames) and trainer.labels.equal(given.labels)
    answers = predict(trainer.model, given.frames).argmax(1)
    last = [e for e in events if isinstance(e, Epoch)][-1]
    assert last.train_accuracy == pytest.approx((answers == given.labels).double().mean().item())


def test_a_run_of_whole_data_has_no_training_accuracy(out):
    events = train(job("fast", epochs=1), out)
    assert [e.train_accuracy for e in events if isinstance(e, Epoch)] == [None]


def test_a_run_of_damaged_data_goes_on_to_the_same_bits(out, tmp_path):
    run = job("fast", epochs=2, batch_size=64, **DAMAGE)
    whole = list(train(run, tmp_path / "whole.pt"))
    first = list(train(run, out, **after(7)))
    second = list(train(job(resume=str(out)), out))
    assert second[0].changed == ()
    epochs = [
        [(e.train_loss, e.test_loss, e.train_accuracy) for e in events if isinstance(e, Epoch)]
        for events in (whole, first + second)
    ]
    assert epochs[0] == epochs[1] and len(epochs[0]) == 2
    for one, other in zip(
        read(tmp_path / "whole.pt").network.values(), read(out).network.values(), strict=True
    ):
        assert torch.equal(one, other)


def test_other_damage_on_resuming_begins_a_new_epoch(out):
    list(train(job("fast", epochs=2, batch_size=64, **DAMAGE), out, **after(7)))
    start = next(train(job(resume=str(out), wrong_labels=0.0), out))
    assert start.changed == ("wrong_labels 20.0 → 0.0",)
    assert (start.epoch, start.batch) == (1, 0)


def test_an_epoch_of_few_batches_is_logged_at_its_end(out, monkeypatch):
    monkeypatch.setattr("lenet.trainer.LOG_EVERY", 100)
    events = list(train(job("fast", epochs=2, batch_size=64), out))
    assert [(e.epoch, e.batch) for e in events if isinstance(e, Batch)] == [(1, 8), (2, 8)]


# ---------------------------------------------------------------- what ends a run


def load_until_stopped(name: str, stop: Callable[[], bool]) -> None:
    """Data that would never be there, from a loader that looks for a stop."""
    while not stop():
        pass
    raise LoadingStopped


def silent_mirror(name: str, stop: Callable[[], bool]) -> None:
    """Data that would never be there, from a loader that looks for nothing."""
    threading.Event().wait()


@pytest.mark.parametrize("load", [load_until_stopped, silent_mirror])
def test_a_stop_while_data_load_ends_the_run(out, monkeypatch, load):
    monkeypatch.setattr("lenet.train.load", load)
    asked = iter([False, False])
    events = list(train(job(), out, lambda: next(asked, True)))
    assert events == [Stopped(elapsed=0.0, test_accuracy=None, checkpoint=None)]
    assert not out.exists()


def test_a_stop_while_a_resumed_runs_data_load_leaves_it_as_it_was(out, monkeypatch):
    list(train(job("fast", epochs=2, batch_size=64), out, **after(11)))
    before = out.read_bytes()
    monkeypatch.setattr("lenet.train.load", load_until_stopped)
    (stopped,) = train(job(resume=str(out)), out, lambda: True)
    assert isinstance(stopped, Stopped)
    assert (stopped.checkpoint, stopped.test_accuracy) == (str(out), read(out).accuracy)
    assert stopped.elapsed == read(out).run.elapsed > 0
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("", "holds no drawings"), ("7\n", "line 1: ")],
    ids=["missing", "empty", "bad"],
)
def test_a_drawings_file_that_cannot_be_read_is_reported(out, tmp_path, content, reason):
    path = tmp_path / "drawings.jsonl"
    if content is not None:
        path.write_text(content)
    message = failure(list(train(job(drawings=(str(path),)), out)))
    assert str(path) in message and reason in message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("MNIST could not be loaded."), "MNIST could not be loaded."),
        (MemoryError(), "ran out of memory: choose a smaller batch size."),
    ],
    ids=["no data", "no memory"],
)
def test_data_that_cannot_be_loaded_are_reported(out, monkeypatch, error, message):
    def fail(*_) -> None:
        raise error

    monkeypatch.setattr("lenet.train.load", fail)
    events = list(train(job(), out))
    assert message in failure(events)
    assert events[-1].kind == type(error).__name__


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path):
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "folder" / "run.pt"
    message = failure(list(train(job(epochs=1), out)))
    assert message == f"The checkpoint {out} could not be written: Not a directory."


def test_a_disk_that_fills_up_ends_the_run_and_keeps_the_last_checkpoint(out, monkeypatch):
    events = []
    for event in train(job("fast", epochs=3), out):
        events.append(event)
        if isinstance(event, Saved) and event.elapsed:  # the first epoch's
            monkeypatch.setattr(os, "replace", full_disk)
    assert failure(events) == (
        f"The checkpoint {out} could not be written: No space left on device."
    )
    assert read(out).run.epoch == 1
    monkeypatch.undo()
    assert [path.name for path in out.parent.iterdir()] == ["run.pt"]


def test_a_folder_that_is_removed_ends_the_run(out):
    events = []
    for event in train(job("fast", epochs=1), out):
        events.append(event)
        if isinstance(event, Saved):
            shutil.rmtree(out.parent)
    assert f"{out} could not be written: No such file or directory" in failure(events)


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_checkpoint(out, tmp_path):
    torch.manual_seed(0)
    weights = {name: value * 1e5 for name, value in LeNet().state_dict().items()}
    write(Checkpoint(weights), tmp_path / "huge.pt")
    huge = job("tutorial", epochs=1, resume=str(tmp_path / "huge.pt"))
    message = failure(list(train(huge, out)))
    assert message.startswith(("The loss became nan in batch ", "The loss became inf in batch "))
    assert read(out).run.step == 0


# ---------------------------------------------------------------- the command line


def test_the_command_line_prints_the_run_in_the_lessons_words(out, tmp_path, capsys):
    log = tmp_path / "logs" / "run.jsonl"
    arguments = ["--data", "synthetic", "--epochs", "1", "--batch-size", "32", "--lr", "0.03"]
    arguments += ["--images", "400", "--wrong-labels", "12.5"]
    assert main([*arguments, "--seed", "7", "--out", str(out), "--log", str(log)]) == 0
    events = read_log(log)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        *filter(None, map(line, events)),
        f"{events[-1].test_accuracy:.2%} of the test images right; checkpoint {out}",
    ]
    assert "[1,     4] loss: " in printed.out
    assert printed.err == ""
    start = events[0]
    names = ("recipe", "data", "epochs", "batch_size", "learning_rate", "seed")
    assert [getattr(start, name) for name in names] == ["fast", "synthetic", 1, 32, 0.03, 7]
    assert (start.training_images, start.wrong_labels) == (400, 12.5)
    assert isinstance(events[-1], Done)
    assert read(out).run.epoch == 1


def test_a_checkpoint_without_a_name_gets_one_in_the_folder_of_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path / "own"))
    assert main(["--recipe", "tutorial", "--data", "synthetic", "--epochs", "1"]) == 0
    (path,) = (tmp_path / "own").iterdir()
    assert path.name.startswith("tutorial-synthetic-2") and path.suffix == ".pt"


def test_no_two_runs_have_the_same_name():
    names = {new_name("fast", "mnist") for _ in range(100)}
    assert len(names) > 95
    assert all(re.fullmatch(r"fast-mnist-\d{8}-\d{6}-[0-9a-f]{4}", name) for name in names)
    assert {data_of(name) for name in names} == {"mnist"}


@pytest.mark.parametrize(
    ("name", "data"),
    [("best-synthetic-20261124-180501", "synthetic"), ("upload-20261124-180501-3f2a", None),
     ("lenet", None), ("my-own", None)],
)  # fmt: skip
def test_the_data_set_in_a_runs_name(name, data):
    assert data_of(name) == data


def test_drawings_may_be_given_more_than_once(out, tmp_path, small):
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path in paths:
        path.write_text('{"label": 7, "strokes": [[[0, 0], [9, 0], [4, 20]]]}\n')
    options = [text for path in paths for text in ("--drawings", str(path))]
    log = tmp_path / "log"
    assert main([*options, "--epochs", "1", "--out", str(out), "--log", str(log)]) == 0
    start = read_log(log)[0]
    assert start.drawings == tuple(map(str, paths))
    assert start.images == len(small.train) + 2


@pytest.mark.parametrize(
    "arguments",
    [["--epochs", "0"], ["--lr", "-1"], ["--lr", "nan"], ["--resume", "none.pt"],
     ["--drawings", "none.jsonl"]],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_trained_is_reported_in_one_line(out, tmp_path, capsys, arguments):
    log = tmp_path / "log"
    assert main([*arguments, "--out", str(out), "--log", str(log)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == read_log(log)[-1].message + "\n"
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [["--recipe", "slow"], ["--data", "svhn"], ["--epochs", "many"], ["--unheard-of"]],
    ids=" ".join,
)
def test_an_unknown_option_is_an_error(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_reported_in_one_line(out, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    log = tmp_path / "file" / "folder" / "run.jsonl"
    assert main(["--epochs", "1", "--out", str(out), "--log", str(log)]) == 1
    printed = capsys.readouterr()
    assert printed.err == "The log run.jsonl could not be written: Not a directory.\n"


@pytest.mark.filterwarnings("ignore:'lenet.train' found in sys.modules")
def test_help_names_every_recipe_and_the_module_runs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["lenet.train", "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("lenet.train", run_name="__main__")
    assert end.value.code == 0
    help_text = capsys.readouterr().out
    for name, recipe in RECIPES.items():
        assert f"  {name} " in help_text
        assert recipe.about in help_text


def test_a_second_signal_ends_the_process_at_once(monkeypatch):
    ends = []
    monkeypatch.setattr(os, "_exit", ends.append)
    stop = Stop()
    assert not stop()
    signal.raise_signal(signal.SIGTERM)
    assert stop() and not ends
    signal.raise_signal(signal.SIGINT)
    assert ends == [128 + signal.SIGINT]


def test_bad_lines_of_drawings_are_left_out_and_counted_where_asked(tmp_path, capsys):
    path = tmp_path / "drawings.jsonl"
    good = json.dumps({"label": 7, "strokes": [[[0, 0], [9, 0], [4, 20]]]})
    path.write_text(f"{good}\n{{}}\n{good}\nnonsense\n")
    command = ["--drawings", str(path), "--epochs", "1", "--out", str(tmp_path / "run.pt")]
    assert main(command) == 1
    assert "line 2: The label must be" in capsys.readouterr().err
    assert main([*command, "--skip-bad"]) == 0
    assert "2 bad lines left out" in capsys.readouterr().out
    assert len(read(tmp_path / "run.pt").run.settings.drawings) == 1


def test_held_out_digits_are_tested_and_not_learnt_from(small, tmp_path, monkeypatch):
    monkeypatch.setattr("lenet.data.HELD_OUT", 128)
    events = list(train(job(epochs=1, hold_out=True), tmp_path / "run.pt"))
    start, epoch = (next(e for e in events if isinstance(e, kind)) for kind in (Start, Epoch))
    assert start.images == len(small.train) - 128
    logits = read(tmp_path / "run.pt").model()(frames_to_inputs(small.train.frames[-128:]))
    right = (logits.argmax(1) == small.train.labels[-128:]).double().mean()
    assert epoch.test_accuracy == pytest.approx(right.item())
