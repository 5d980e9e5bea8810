"""lenet.server.runs: the server's run, in real processes: started, stopped, killed, found again.

The runs are the server's own but for their data: a few hundred digits, so that they are quick.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import pytest
from runs_on_noise import LONG, _run, run_on_few_digits

import lenet.train
from lenet.checkpoint import read
from lenet.data import DataError
from lenet.events import (
    Done,
    Ending,
    Epoch,
    Error,
    Event,
    EventLog,
    Saved,
    Start,
    Stopped,
    read_log,
)
from lenet.files import checkpoints_folder
from lenet.job import prepare
from lenet.server import runs
from lenet.server.runs import Run, RunError
from lenet.settings import Request

ROOT = Path(__file__).parents[2]
WAIT = 120  # seconds for another process on a busy machine
SHORT = Request("tutorial", "synthetic", epochs=2)


def run_without_data(*arguments) -> None:
    """What a run's process does where there are no data."""

    def load(*_) -> None:
        raise DataError("MNIST could not be loaded.")

    lenet.train.load = load
    _run(*arguments)


def run_that_has_not_begun(*_) -> None:
    """A run's process before it listens to signals."""
    time.sleep(WAIT)


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Runs start in milliseconds."""
    runs.warm_up()


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch) -> Iterator[Path]:
    """A server that has just started, with an empty folder; what it started is ended."""
    path = tmp_path / "checkpoints"
    monkeypatch.setenv("LENET_CHECKPOINTS", str(path))
    monkeypatch.setattr(runs, "_run", run_on_few_digits)
    monkeypatch.setattr(runs, "_child", None)
    yield path
    if runs._child:
        runs._child.process.kill()
        runs._child.process.join()


def wait_until(true: Callable[[Run], bool]) -> Run:
    """Follow the run until something is true of it."""
    end = time.monotonic() + WAIT
    while not true(run := runs.current()):
        assert time.monotonic() < end, f"waited in vain: {run.state} {run.message}"
        time.sleep(0.01)
    return run


def wait_for(*states: str) -> Run:
    return wait_until(lambda run: run.state in states)


def wait_for_event(kind: type[Event], times: int = 1) -> Run:
    return wait_until(lambda run: kinds(run.events).count(kind) >= times)


def wait_for_an_epoch() -> Run:
    """Follow the run until the checkpoint of its first epoch is written, or longer."""

    def written(run: Run) -> bool:
        found = kinds(run.events)
        return Epoch in found and Saved in found[found.index(Epoch) :]

    return wait_until(written)


def running() -> Run:
    """Start a run and wait until its first epoch is done, or longer."""
    runs.start(prepare(LONG))
    return wait_for_an_epoch()


def kill() -> None:
    os.kill(runs._child.process.pid, signal.SIGKILL)


def restart_the_server(monkeypatch) -> None:
    """Forget what this server has started, as another process would not know it."""
    monkeypatch.setattr(runs, "_child", None)


def kinds(events: tuple[Event, ...]) -> list[type[Event]]:
    return [type(event) for event in events]


def is_one_story(events: tuple[Event, ...]) -> bool:
    """Whether a log has one ending, its last event, and every epoch once."""
    epochs = [event.epoch for event in events if isinstance(event, Epoch)]
    endings = [type(event) for event in events if isinstance(event, Ending)]
    return epochs == list(range(1, len(epochs) + 1)) and endings == kinds(events)[-1:]


# ---------------------------------------------------------------- from start to end


def test_where_nothing_ever_ran_there_is_nothing_to_tell():
    run = runs.current()
    assert run == Run("idle")
    assert not run.alive and run.checkpoint is None
    runs.stop()


def test_a_run_runs_in_a_process_of_its_own_to_its_end(checkpoints):
    name = runs.start(prepare(SHORT))
    assert name.startswith("tutorial-synthetic-")
    assert runs.current().state in ("starting", "running", "finished")
    run = wait_for("finished", "failed")
    assert (run.state, run.name, run.message) == ("finished", name, "")
    assert not run.alive
    assert kinds(run.events)[0] is Start and kinds(run.events)[-1] is Done
    assert is_one_story(run.events)
    assert run.events[0].pid == runs._child.process.pid != os.getpid()
    assert run.checkpoint == checkpoints / f"{name}.pt"
    assert read(run.checkpoint).run.epoch == 2
    assert list(run.events) == read_log(checkpoints / f"{name}.jsonl")


def test_a_run_is_starting_until_its_first_event_and_then_running(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(runs, "_run", run_that_has_not_begun)
        name = runs.start(prepare(LONG))
        run = runs.current()
        assert (run.state, run.name, run.alive, run.events) == ("starting", name, True, ())
        assert run.checkpoint is None
        with pytest.raises(RunError):
            runs.start(prepare(LONG))
        runs._child.process.kill()
        wait_for("failed")
    run = running()
    assert (run.state, run.alive) == ("running", True)


def test_only_one_run_at_a_time():
    name = running().name
    with pytest.raises(RunError, match=r"under way: stop it first, or wait for its end\."):
        runs.start(prepare(SHORT))
    assert wait_for("running").name == name


def test_of_two_who_start_at_once_one_does():
    answers = []

    def press() -> None:
        try:
            answers.append(runs.start(prepare(LONG)))
        except RunError:
            answers.append(None)

    visitors = [threading.Thread(target=press) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert answers.count(None) == 3


def test_a_run_keeps_out_of_the_servers_way():
    """Ctrl-C in the terminal reaches the server alone, and reading digits goes first."""
    running()
    pid = runs._child.process.pid
    assert os.getsid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_stopped_run_keeps_its_checkpoint_and_stopping_again_does_no_harm(monkeypatch):
    """A second signal would end it at once."""
    signals = []
    kill = os.kill
    monkeypatch.setattr(os, "kill", lambda *pid_and_signal: signals.append(kill(*pid_and_signal)))
    running()
    for _ in range(3):
        runs.stop()
    assert len(signals) == 1
    run = wait_for("stopped", "failed")
    assert (run.state, run.message) == ("stopped", "")
    assert kinds(run.events)[-2:] == [Saved, Stopped]
    last = max(e.epoch for e in run.events if isinstance(e, Epoch))
    assert read(run.checkpoint).run.epoch == last
    runs.stop()
    assert runs.current() == run


def test_a_run_that_is_stopped_before_it_listens_is_stopped_and_not_failed(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(runs, "_run", run_that_has_not_begun)
        runs.start(prepare(LONG))
        runs.stop()
        assert wait_for("stopped", "failed").state == "stopped"
    runs.start(prepare(SHORT))
    assert wait_for("finished", "failed").state == "finished"


def test_a_run_that_has_just_ended_is_not_stopped(monkeypatch):
    """Its process may vanish between the look at it and the signal."""
    run = running()
    kill()
    runs._child.process.join()
    signalled = []

    def kill_and_note(pid: int, number: int) -> None:
        signalled.append(pid)
        system_kill(pid, number)

    system_kill = os.kill
    with monkeypatch.context() as patch:
        patch.setattr(runs, "current", lambda: run)
        patch.setattr(os, "kill", kill_and_note)
        runs.stop()
    assert signalled == [run.events[0]["pid"]]
    assert runs.current().state == "failed"


# ---------------------------------------------------------------- resuming


def test_a_stopped_run_goes_on_in_its_own_log_and_checkpoint(checkpoints):
    running()
    runs.stop()
    stopped = wait_for("stopped")
    assert runs.start(prepare(Request(resume=str(stopped.checkpoint)))) == stopped.name
    wait_for_event(Epoch, kinds(stopped.events).count(Epoch) + 1)
    runs.stop()
    run = wait_for("stopped")
    assert run.events[: len(stopped.events) - 1] == stopped.events[:-1]
    assert kinds(run.events).count(Start) == 2
    assert is_one_story(run.events)
    files = {path.name for path in checkpoints.iterdir() if not path.name.startswith(".")}
    assert files == {f"{run.name}.pt", f"{run.name}.jsonl", f"{run.name}.film"}


def test_more_epochs_of_a_finished_run_leave_its_files_alone(checkpoints):
    first = runs.start(prepare(SHORT))
    done = wait_for("finished")
    before = done.checkpoint.read_bytes()
    with pytest.raises(ValueError, match="has finished its 2 epochs"):
        runs.start(prepare(Request(resume=str(done.checkpoint))))
    second = runs.start(prepare(Request(epochs=1, resume=str(done.checkpoint))))
    run = wait_for("finished", "failed")
    assert (run.state, run.name) == ("finished", second) and second != first
    assert [e.epoch for e in run.events if isinstance(e, Epoch)] == [3]
    assert (checkpoints / f"{first}.pt").read_bytes() == before
    assert tuple(read_log(checkpoints / f"{first}.jsonl")) == done.events


def test_a_log_that_grows_again_to_its_old_length_is_not_starting(checkpoints, monkeypatch):
    """A killed run's log is cut where its checkpoint stood before it goes on."""
    running()
    before = runs.current().events
    log = EventLog(checkpoints / f"{runs._child.name}.jsonl")
    kill()
    wait_for("failed")
    again = [replace(event, elapsed=event.elapsed + 1) for event in read_log(log.path)]
    monkeypatch.setattr(runs, "_run", run_that_has_not_begun)
    runs.start(prepare(Request(resume=str(runs.current().checkpoint))))
    assert runs.current().state == "starting"
    for event in again:
        log.append(event)
    assert len(runs.current().events) == len(again) >= len(before)
    assert runs.current().state == "running"


# ---------------------------------------------------------------- mishaps


def test_a_killed_run_has_failed_and_can_be_resumed():
    running()
    kill()
    run = wait_for("failed")
    assert "was killed" in run.message and "Resume goes on" in run.message
    position = read(run.checkpoint).run.epoch
    assert position >= 1
    assert runs.start(prepare(Request(resume=str(run.checkpoint)))) == run.name
    wait_for_event(Start, 2)
    runs.stop()
    run = wait_for("stopped")
    assert is_one_story(run.events)
    second = [event for event in run.events if isinstance(event, Start)][1]
    assert second.epoch == position


def test_a_run_outlives_the_process_that_it_was_forked_from():
    name = running().name
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    runs._child.process.join()  # as far as this process can know
    run = wait_for_event(Epoch, kinds(runs.current().events).count(Epoch) + 1)
    assert (run.name, run.state) == (name, "running")
    runs.stop()
    assert is_one_story(wait_for("stopped", "failed").events)
    assert runs.current().state == "stopped"
    runs.start(prepare(SHORT))
    assert wait_for("finished", "failed").state == "finished"


def test_a_new_run_can_start_after_a_killed_one():
    running()
    kill()
    failed = wait_for("failed")
    runs.start(prepare(SHORT))
    run = wait_for("finished")
    assert run.name != failed.name
    assert failed.checkpoint.exists()


def test_a_resumed_run_that_is_killed_before_its_first_event_has_failed(monkeypatch):
    running()
    runs.stop()
    stopped = wait_for("stopped")
    monkeypatch.setattr(runs, "_run", run_that_has_not_begun)
    runs.start(prepare(Request(resume=str(stopped.checkpoint))))
    assert runs.current().state == "starting"
    kill()
    run = wait_for("stopped", "failed")
    assert run.state == "failed" and "was killed" in run.message


def test_why_a_run_failed_is_told(monkeypatch):
    monkeypatch.setattr(runs, "_run", run_without_data)
    runs.start(prepare(Request()))
    run = wait_for("failed")
    assert run.message == "MNIST could not be loaded."
    assert run.events[-1].kind == "DataError"
    assert run.checkpoint is None


def test_a_folder_that_cannot_be_written_to_is_told_and_nothing_starts(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path / "file" / "checkpoints"))
    with pytest.raises(RunError, match=r"file/checkpoints cannot be written to: Not a directory\."):
        runs.start(prepare(SHORT))
    assert runs.current() == Run("idle")


def test_a_folder_that_is_removed_while_a_run_goes_on_is_told(checkpoints):
    name = running().name
    shutil.rmtree(checkpoints)
    run = wait_for("failed")
    assert run.name == name
    assert run.message == f"The log {name}.jsonl could not be written: No such file or directory."


# ---------------------------------------------------------------- a server that was restarted


SERVER = """
import sys
sys.path.insert(0, sys.argv[1])
from lenet.job import prepare
from lenet.server import runs
from runs_on_noise import LONG, run_on_few_digits
if __name__ == "__main__":
    runs._run = run_on_few_digits
    print(runs.start(prepare(LONG)), runs._child.process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen, str]]:
    """Another server and the name of the run that it has started; it ends in good order at the end
    of its input.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(ROOT / "tests")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    name, pid = process.stdout.readline().split()
    yield process, name
    for number in (process.pid, int(pid)):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_a_run_outlives_a_server_that_was_killed_and_is_found_by_the_next(server):
    process, name = server
    process.kill()
    process.wait()
    run = wait_for_an_epoch()
    assert (run.name, run.alive, kinds(run.events)[0]) == (name, True, Start)
    with pytest.raises(RunError):
        runs.start(prepare(SHORT))
    run = wait_for_event(Epoch, kinds(run.events).count(Epoch) + 1)
    assert run.alive  # it goes on
    runs.stop()
    runs.stop()
    run = wait_for("stopped", "failed")
    assert run.state == "stopped"
    assert is_one_story(run.events)
    assert runs.start(prepare(Request(resume=str(run.checkpoint)))) == name
    wait_for_event(Start, 2)
    run = runs.current()
    assert (run.name, run.state) == (name, "running")


def test_a_server_that_ends_in_good_order_stops_its_run(server, checkpoints):
    process, name = server
    wait_for_an_epoch()
    process.stdin.close()
    process.wait(WAIT)
    run = runs.current()
    assert (run.name, run.state) == (name, "stopped")
    assert read(run.checkpoint).run.epoch >= 1


def test_a_run_that_was_killed_with_its_server_has_failed_and_can_be_resumed(monkeypatch):
    name = running().name
    process = runs._child.process
    restart_the_server(monkeypatch)
    assert runs.current().state == "running"
    process.kill()
    run = wait_for("failed")
    assert run.name == name
    assert "may have been killed. Resume goes on from its last checkpoint." in run.message
    assert runs.start(prepare(Request(resume=str(run.checkpoint)))) == name
    wait_for_event(Start, 2)
    runs.stop()
    assert is_one_story(wait_for("stopped").events)


def test_many_who_look_do_not_take_each_other_for_a_run(checkpoints):
    EventLog(checkpoints / "run.jsonl").append(Saved(elapsed=0.0, path=""))
    states = []

    def look() -> None:
        states.extend(runs.current().state for _ in range(50))

    visitors = [threading.Thread(target=look) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert set(states) == {"failed"} and len(states) == 200


def test_the_latest_run_is_told_of(checkpoints):
    for age, name in enumerate(["new", "old"]):
        log = EventLog(checkpoints / f"{name}.jsonl")
        log.append(Error(elapsed=0.0, kind="", message=f"The {name} one failed."))
        os.utime(log.path, (10_000 - age, 10_000 - age))
    run = runs.current()
    assert (run.state, run.name, run.message) == ("failed", "new", "The new one failed.")
    assert checkpoints_folder() == checkpoints
