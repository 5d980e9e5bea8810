"""lenet.server.visitors: who trains on a public server, for how long, and what is kept of it."""

import io
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support import on_own_machine

from lenet import LeNet
from lenet.checkpoint import Checkpoint, CheckpointError, write
from lenet.files import checkpoints_folder
from lenet.job import Job, prepare
from lenet.progress import Progress
from lenet.recipes import Schedule
from lenet.server import recognizers, visitors
from lenet.server.evaluation_cache import version_of
from lenet.server.runs import DRAWINGS, Runs
from lenet.server.shares import Allowance, visitor
from lenet.server.visitors import NotAllowed, Policy, policy, tidy
from lenet.settings import Request, Settings
from lenet.train import new_name

ROUNDS_FOR = 3.0  # seconds


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch) -> Path:
    """A machine of one's own with an empty folder of checkpoints."""
    folder = on_own_machine(monkeypatch, tmp_path / "checkpoints")
    folder.mkdir()
    return folder


class Asked(Runs):
    """Runs that note what they are asked for, and start nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []
        self.minutes: list[float] = []
        self.stops = 0

    def start(
        self,
        job: Job,
        minutes: float = math.inf,
        ended: Callable = lambda: None,
        name: str | None = None,
    ) -> str:
        self.jobs.append(job)
        self.minutes.append(minutes)
        return "run"

    def stop(self) -> None:
        self.stops += 1


@pytest.fixture
def runs() -> Asked:
    return Asked()


def network() -> Checkpoint:
    return Checkpoint({name: value.detach() for name, value in LeNet().named_parameters()})


def start(runs: Asked, job: Job, password: Any = None) -> None:
    """What a visitor's run goes through."""
    visitors.check(password)
    visitors.begin(runs, job)


# ---------------------------------------------------------------- who trains


def test_on_one_s_own_machine_nothing_is_restricted(runs: Asked):
    assert policy() == Policy()
    start(runs, prepare(Request(epochs=200)))
    assert runs.jobs == [prepare(Request(epochs=200))]
    assert runs.minutes == [math.inf]


def test_a_space_has_limits_of_its_own(monkeypatch, runs: Asked):
    monkeypatch.setenv("SPACE_ID", "somebody/lenet")
    with pytest.raises(NotAllowed, match=r"31 epochs are more than .*: choose 1 to 30"):
        start(runs, prepare(Request(epochs=31)))
    start(runs, prepare(Request(epochs=30)))
    assert runs.minutes == [20]


def test_where_training_is_off_nobody_trains(monkeypatch, runs: Asked):
    monkeypatch.setenv("LENET_TRAINING", "off")
    for password in (None, "", "x"):
        with pytest.raises(NotAllowed, match="Training is off"):
            start(runs, prepare(Request(epochs=1)), password)
        with pytest.raises(NotAllowed, match="Training is off"):
            visitors.stop(runs, password)
    assert not runs.jobs and not runs.stops


def test_where_only_the_owner_trains_the_password_is_needed(monkeypatch, runs: Asked):
    monkeypatch.setenv("LENET_TRAINING", "owner")
    monkeypatch.setenv("LENET_PASSWORD", "Zürich")
    for password in (None, "", "zürich", 7, ["Zürich"]):
        with pytest.raises(NotAllowed, match="password"):
            start(runs, prepare(Request(epochs=1)), password)
        with pytest.raises(NotAllowed, match="password"):
            visitors.stop(runs, password)
    assert not runs.jobs and not runs.stops
    start(runs, prepare(Request(epochs=1)), "Zürich")
    visitors.stop(runs, "Zürich")
    assert runs.jobs and runs.stops


def test_wrong_passwords_keep_nobody_waiting_but_the_one_who_tries_them(monkeypatch, runs: Asked):
    monkeypatch.setenv("LENET_TRAINING", "owner")
    monkeypatch.setenv("LENET_PASSWORD", "right")
    monkeypatch.setattr(visitors, "_wrong", Allowance(each=5, seconds=1000))
    visitor.set("9.9.9.9")
    begin = time.monotonic()
    told = []
    for password in [*map(str, range(40)), "right"]:
        with pytest.raises(NotAllowed) as refused:
            visitors.stop(runs, password)
        told.append(str(refused.value))
    assert sum("give the password" in words for words in told) == 6
    assert sum("too many wrong passwords" in words for words in told) == 35
    assert not runs.stops
    visitor.set("8.8.8.8")
    visitors.stop(runs, "right")
    assert runs.stops == 1 and time.monotonic() - begin < 1


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
def test_a_variable_without_meaning_is_reported(monkeypatch, variables: dict, words: str):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words):
        policy()


def test_only_the_epochs_still_to_go_count(monkeypatch, runs: Asked):
    """Only the epochs that a stopped run still has to go are compared with the limit."""
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
            start(runs, prepare(request))
        else:
            with pytest.raises(NotAllowed, match="4 epochs"):
                start(runs, prepare(request))
    assert len(runs.jobs) == 1


# ---------------------------------------------------------------- what is kept


def leave(name: str, age: float, size: int = 1000, logged: bool = True) -> None:
    """A run's two files, or an upload's one, changed so many seconds ago."""
    for suffix, bytes_ in ((".pt", size), (".jsonl", 0))[: 1 + logged]:
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


def test_large_files_go_even_where_there_are_few(monkeypatch):
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setattr(visitors, "KEPT_BYTES", 5000)
    for age in range(6):
        leave(f"run{age}", age, 2000)
    tidy()
    assert names() == {"run0", "run1"}


def test_the_latest_run_and_the_shipped_network_stay(monkeypatch):
    shipped = checkpoints_folder() / "lenet.pt"
    monkeypatch.setattr(visitors, "SHIPPED", shipped)
    monkeypatch.setattr(visitors, "KEPT", 1)
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    shipped.write_bytes(b"shipped")
    os.utime(shipped, (0, 0))
    leave("under-way", 1000)
    leave("newer", 1, logged=False)
    leave("older", 2000)
    leave("older-network", 100, logged=False)
    tidy()
    assert names() == {"lenet", "under-way", "newer"}


def test_uploads_displace_no_run(monkeypatch):
    monkeypatch.setenv("LENET_TRAINING", "owner")
    monkeypatch.setenv("LENET_PASSWORD", "right")
    for age in range(3):
        leave(f"run{age}", 1000 + age)
    for age in range(visitors.KEPT + 5):
        leave(f"upload-{age}", age, logged=False)
    tidy()
    assert names() == {
        *(f"run{age}" for age in range(3)),
        *(f"upload-{age}" for age in range(visitors.KEPT)),
    }


def test_taught_networks_displace_no_run_and_are_limited_in_number(monkeypatch):
    """The drawings that a stopped teaching has left go with its network."""
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    taught = [new_name("hand", "mnist", 16) for _ in range(visitors.KEPT + 5)]
    leave("run", 100)
    for age, name in enumerate(taught):
        leave(name, age)
        drawings = checkpoints_folder() / f"{name}{DRAWINGS}"
        drawings.touch()
        os.utime(drawings, (time.time() - age,) * 2)
    tidy()
    assert names() == {"run", *taught[: visitors.KEPT]}
    assert len(list(checkpoints_folder().glob(f"*{DRAWINGS}"))) == visitors.KEPT


def test_nothing_is_removed_on_one_s_own_machine():
    for age in range(visitors.KEPT + 5):
        leave(f"run{age}", age)
    tidy()
    assert len(names()) == visitors.KEPT + 5


def test_listing_and_reading_while_others_leave_and_tidy_meets_no_error(monkeypatch):
    """For some seconds; reading a network that has just gone may fail with a CheckpointError."""
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setattr(visitors, "KEPT", 3)
    rounds, over, problems = [0], threading.Event(), []
    file = io.BytesIO()
    torch.save(LeNet().state_dict(), file)

    def leave_and_tidy() -> None:
        number = 0
        while not over.is_set():
            number += 1
            name = f"{'upload-' * (number % 2)}{number}"
            (checkpoints_folder() / f"{name}.pt").write_bytes(file.getvalue())
            (checkpoints_folder() / f"{name}.jsonl").touch()
            tidy()

    def look() -> None:
        while not over.is_set():
            names = list(recognizers.paths())
            rounds[0] += 1
            for name in names[1:]:
                version_of(checkpoints_folder() / name)
                try:
                    recognizers.recognizer(name)
                except CheckpointError:
                    continue
            Runs().current()

    def noting(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                problems.append(error)
                over.set()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = [noting(work) for work in (leave_and_tidy, leave_and_tidy, look, look)]
    over.wait(ROUNDS_FOR)
    over.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert rounds[0] > 10
