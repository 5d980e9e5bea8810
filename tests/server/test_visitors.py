"""lenet.server.visitors: who trains on a public server, for how long, and what is kept of it."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lenet import LeNet
from lenet.checkpoint import Checkpoint, write
from lenet.events import Done
from lenet.files import checkpoints_folder
from lenet.job import Job, prepare
from lenet.progress import Progress
from lenet.recipes import Schedule
from lenet.server import runs, visitors
from lenet.server.runs import Run
from lenet.server.visitors import NotAllowed, Policy, policy, tidy
from lenet.settings import Request, Settings

VARIABLES = (
    "SPACE_ID",
    "LENET_TRAINING",
    "LENET_PASSWORD",
    "LENET_MAX_EPOCHS",
    "LENET_MAX_MINUTES",
)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch) -> Path:
    """A machine of one's own with an empty folder of checkpoints."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    checkpoints_folder().mkdir()
    return checkpoints_folder()


@pytest.fixture
def started(monkeypatch) -> list[Job]:
    """The jobs that reach `runs.start`, which starts nothing."""
    jobs = []

    def start(job: Job) -> str:
        jobs.append(job)
        return "run"

    monkeypatch.setattr(runs, "start", start)
    return jobs


def network() -> Checkpoint:
    return Checkpoint({name: value.detach() for name, value in LeNet().named_parameters()})


# ---------------------------------------------------------------- who trains


def test_on_one_s_own_machine_nothing_is_restricted(started):
    assert policy() == Policy()
    visitors.start(prepare(Request(epochs=200)))
    assert started == [prepare(Request(epochs=200))]


def test_a_space_has_limits_of_its_own(monkeypatch, started):
    monkeypatch.setenv("SPACE_ID", "somebody/lenet")
    with pytest.raises(NotAllowed, match=r"31 epochs are more than .*: choose 1 to 30"):
        visitors.start(prepare(Request(epochs=31)))
    visitors.start(prepare(Request(epochs=30)))
    assert len(started) == 1


def test_where_training_is_off_nobody_trains(monkeypatch, started):
    monkeypatch.setenv("LENET_TRAINING", "off")
    stopped = []
    monkeypatch.setattr(runs, "stop", lambda: stopped.append(1))
    for password in (None, "", "x"):
        with pytest.raises(NotAllowed, match="Training is off"):
            visitors.start(prepare(Request(epochs=1)), password)
        with pytest.raises(NotAllowed, match="Training is off"):
            visitors.stop(password)
    assert not started and not stopped


def test_where_the_owner_trains_the_password_opens(monkeypatch, started):
    monkeypatch.setenv("LENET_TRAINING", "owner")
    monkeypatch.setenv("LENET_PASSWORD", "Zürich")
    stopped = []
    monkeypatch.setattr(runs, "stop", lambda: stopped.append(1))
    for password in (None, "", "zürich", 7, ["Zürich"]):
        with pytest.raises(NotAllowed, match="password"):
            visitors.start(prepare(Request(epochs=1)), password)
        with pytest.raises(NotAllowed, match="password"):
            visitors.stop(password)
    assert not started and not stopped
    visitors.start(prepare(Request(epochs=1)), "Zürich")
    visitors.stop("Zürich")
    assert started and stopped


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"LENET_TRAINING": "all"}, "LENET_TRAINING is 'all': choose anyone, owner or off"),
        ({"LENET_TRAINING": "owner"}, "LENET_PASSWORD is not set"),
        ({"LENET_TRAINING": "anyone", "LENET_MAX_EPOCHS": "many"}, "LENET_MAX_EPOCHS is 'many'"),
        ({"LENET_TRAINING": "anyone", "LENET_MAX_MINUTES": "-1"}, "LENET_MAX_MINUTES is '-1'"),
        ({"LENET_TRAINING": "anyone", "LENET_MAX_MINUTES": "nan"}, "LENET_MAX_MINUTES is 'nan'"),
    ],
)
def test_a_variable_without_meaning_is_told(monkeypatch, variables: dict, words: str):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words):
        policy()


def test_what_a_run_still_has_to_go_counts(monkeypatch, started):
    """A run that was stopped goes on although it was asked for more, as long as the rest is few."""
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setenv("LENET_MAX_EPOCHS", "3")
    settings = Settings("fast", "mnist", (), 10, 64, 0.1, 0)
    random = torch.Generator().get_state()
    checkpoint = network()
    for done, allowed in ((6, False), (7, True)):
        checkpoint.run = Progress(settings, "", Schedule(0, 10, 0.1, 0), random, epoch=done)
        write(checkpoint, checkpoints_folder() / "run.pt")
        request = Request(resume=str(checkpoints_folder() / "run.pt"))
        if allowed:
            visitors.start(prepare(request))
        else:
            with pytest.raises(NotAllowed, match="4 epochs"):
                visitors.start(prepare(request))
    assert len(started) == 1


# ---------------------------------------------------------------- for how long


def follow(monkeypatch, minutes: float, caplog) -> tuple[list[str], str]:
    """Follow a run that ends only when it is stopped or after a while; what was done and noted."""
    states = ["running"]
    looks = iter(range(50))

    done = Done(elapsed=2.0, test_accuracy=0.99, checkpoint="")

    def current() -> Run:
        if next(looks, None) is None:
            states.append("finished")
        return Run(states[-1], "run", (done,))

    monkeypatch.setattr(runs, "current", current)
    monkeypatch.setattr(runs, "stop", lambda: states.append("stopped"))
    caplog.set_level("INFO", "lenet")
    visitors._follow("run", Policy(minutes=minutes))
    return states, caplog.text


def test_a_run_is_stopped_when_its_time_is_up(monkeypatch, caplog):
    states, log = follow(monkeypatch, 0, caplog)
    assert states == ["running", "stopped"]
    assert log.count("\n") == 1 and "Run run stopped" in log


def test_a_run_that_ends_in_time_is_not_stopped(monkeypatch, caplog):
    states, log = follow(monkeypatch, 60, caplog)
    assert states == ["running", "finished"]
    assert log.count("\n") == 1 and "Run run finished: Finished training after 2.0 s" in log


def test_a_run_that_follows_another_at_once_leaves_its_end_to_be_noted(monkeypatch, caplog):
    run = Run("idle")

    def begin(job: Job) -> str:
        nonlocal run
        run = Run("running", job.settings.data)
        return run.name

    monkeypatch.setattr(runs, "start", begin)
    monkeypatch.setattr(runs, "current", lambda: run)
    monkeypatch.setattr(visitors, "EVERY", 0.3)
    monkeypatch.setattr(time, "sleep", threading.Event().wait)
    caplog.set_level("INFO", "lenet")
    for data in ("mnist", "synthetic"):
        visitors.start(prepare(Request(data=data)))
        run = replace(run, state="stopped")
    visitors._follower.join()
    assert [record.args[:2] for record in caplog.records] == [
        ("mnist", "stopped"),
        ("synthetic", "stopped"),
    ]


# ---------------------------------------------------------------- what is kept


def leave(name: str, age: float, size: int = 1000) -> None:
    """A run's two files, changed so many seconds ago."""
    for suffix, bytes_ in ((".pt", size), (".jsonl", 0)):
        path = checkpoints_folder() / (name + suffix)
        path.write_bytes(bytes(bytes_))
        os.utime(path, (time.time() - age,) * 2)


def names() -> set[str]:
    return {path.stem for path in checkpoints_folder().iterdir() if not path.name.startswith(".")}


def test_the_oldest_go_first(monkeypatch):
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    for age in range(visitors.KEPT + 5):
        leave(f"run{age}", age)
    tidy()
    assert names() == {f"run{age}" for age in range(visitors.KEPT)}
    assert len(list(checkpoints_folder().glob("run*"))) == 2 * visitors.KEPT


def test_few_large_ones_go_too(monkeypatch):
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setattr(visitors, "KEPT_BYTES", 5000)
    for age in range(6):
        leave(f"run{age}", age, 2000)
    tidy()
    assert names() == {"run0", "run1"}


def test_the_latest_run_and_the_shipped_network_stay(monkeypatch, tmp_path):
    shipped = checkpoints_folder() / "lenet.pt"
    monkeypatch.setattr(visitors, "SHIPPED", shipped)
    monkeypatch.setattr(visitors, "KEPT", 1)
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setattr(runs, "current", lambda: Run("running", "under-way"))
    shipped.write_bytes(b"shipped")
    os.utime(shipped, (0, 0))
    leave("under-way", 1000)
    leave("upload", 1)
    leave("older", 100)
    tidy()
    assert names() == {"lenet", "under-way", "upload"}


def test_nothing_is_removed_on_one_s_own_machine():
    for age in range(visitors.KEPT + 5):
        leave(f"run{age}", age)
    tidy()
    assert len(names()) == visitors.KEPT + 5
