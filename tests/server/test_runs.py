"""lenet.server.runs: the server's run, in real processes: started, stopped, killed, found again.

The runs are the server's own but for their data: a few hundred digits, so that they are quick.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import forkserver, popen_forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from runs_on_noise import LONG, run_on_few_digits
from support import WAIT, another_server, wait_until

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
from lenet.server.runs import Run, RunError, Runs, work_on
from lenet.settings import Request
from lenet.train import Stop

pytestmark = pytest.mark.usefixtures("warm")

SHORT = Request("tutorial", "synthetic", epochs=2)


def run_without_data(*arguments) -> None:
    """What a run's process does where there are no data."""

    def load(*_) -> None:
        raise DataError("MNIST could not be loaded.")

    lenet.train.load = load
    work_on(*arguments)


def run_that_has_not_begun(*_) -> None:
    """A run's process before it listens to signals."""
    time.sleep(WAIT)


def run_that_never_stops(_job, path: Path, *_) -> None:
    """A run's process that listens and does nothing."""
    Stop()
    _listen(path)


def run_whose_data_never_come(job, path: Path, *rest) -> None:
    """What a run's process does while its data load, which takes for ever."""
    lenet.train.load = lambda *_: _listen(path)
    work_on(job, path, *rest)


def _listen(path: Path) -> None:
    (path.parent / LISTENING).touch()
    while True:
        time.sleep(WAIT)


LISTENING = "listening"  # a file beside the log, there as soon as a process listens to signals


class Watched(Runs):
    """The runs of a server that has just started, on a few hundred digits."""

    def __init__(self) -> None:
        super().__init__(run_on_few_digits)

    @property
    def process(self) -> BaseProcess:
        """The process that was started last."""
        assert self._child
        return self._child.process

    def work_as(self, work: Callable[..., None]) -> None:
        """Let the next process do something else."""
        self._work = work

    def wait_until(self, true: Callable[[Run], bool]) -> Run:
        """Follow the run until something is true of it."""
        end = time.monotonic() + WAIT
        while not true(run := self.current()):
            assert time.monotonic() < end, f"waited in vain: {run.state} {run.message}"
            time.sleep(0.01)
        return run

    def wait_for(self, *states: str) -> Run:
        return self.wait_until(lambda run: run.state in states)

    def wait_for_event(self, kind: type[Event], times: int = 1) -> Run:
        return self.wait_until(lambda run: kinds(run.events).count(kind) >= times)

    def wait_for_an_epoch(self) -> Run:
        """Follow the run until the checkpoint of its first epoch is written, or longer."""

        def written(run: Run) -> bool:
            happened = kinds(run.events)
            return Epoch in happened and Saved in happened[happened.index(Epoch) :]

        return self.wait_until(written)

    def running(self) -> Run:
        """Start a run and wait until its first epoch is done, or longer."""
        self.start(prepare(LONG))
        return self.wait_for_an_epoch()

    def kill(self) -> None:
        self.process.kill()

    def wait_until_noted(self) -> None:
        """Wait until the end of the run has been noted."""
        assert self._follower
        self._follower.join()

    def end(self) -> None:
        """End what was started, whatever it does."""
        if self._child and self._child.process.pid:
            with suppress(ProcessLookupError):
                os.kill(self._child.process.pid, signal.SIGKILL)
            self.wait_until_noted()


@pytest.fixture(autouse=True)
def checkpoints(tmp_path, monkeypatch) -> Path:
    """The server's folder of checkpoints, which does not exist yet."""
    path = tmp_path / "checkpoints"
    monkeypatch.setenv("LENET_CHECKPOINTS", str(path))
    return path


@pytest.fixture
def runs(checkpoints: Path) -> Iterator[Watched]:
    """The runs of a server; what it started is ended."""
    runs = Watched()
    yield runs
    runs.end()


def kinds(events: tuple[Event, ...]) -> list[type[Event]]:
    return [type(event) for event in events]


def is_one_story(events: tuple[Event, ...]) -> bool:
    """Whether a log has one ending, its last event, and every epoch once."""
    epochs = [event.epoch for event in events if isinstance(event, Epoch)]
    endings = [type(event) for event in events if isinstance(event, Ending)]
    return epochs == list(range(1, len(epochs) + 1)) and endings == kinds(events)[-1:]


# ---------------------------------------------------------------- from start to end


def test_where_nothing_ever_ran_the_state_is_idle(runs: Watched):
    run = runs.current()
    assert run == Run("idle")
    assert not run.alive and run.checkpoint is None
    runs.stop()


def test_a_run_runs_in_a_process_of_its_own_to_its_end(runs: Watched, checkpoints):
    name = runs.start(prepare(SHORT))
    assert name.startswith("tutorial-synthetic-")
    assert runs.current().state in ("starting", "running", "finished")
    run = runs.wait_for("finished", "failed")
    assert (run.state, run.name, run.message) == ("finished", name, "")
    assert not run.alive
    assert kinds(run.events)[0] is Start and kinds(run.events)[-1] is Done
    assert is_one_story(run.events)
    assert run.events[0].pid == runs.process.pid != os.getpid()
    assert run.checkpoint == checkpoints / f"{name}.pt"
    assert read(run.checkpoint).run.epoch == 2
    assert list(run.events) == read_log(checkpoints / f"{name}.jsonl")


def test_a_run_is_starting_until_its_first_event_and_then_running(runs: Watched):
    runs.work_as(run_that_has_not_begun)
    name = runs.start(prepare(LONG))
    run = runs.current()
    assert (run.state, run.name, run.alive, run.events) == ("starting", name, True, ())
    assert run.checkpoint is None
    with pytest.raises(RunError):
        runs.start(prepare(LONG))
    runs.kill()
    runs.wait_for("failed")
    runs.work_as(run_on_few_digits)
    run = runs.running()
    assert (run.state, run.alive) == ("running", True)


def test_while_its_process_is_made_a_run_has_not_failed(runs: Watched, monkeypatch):
    """That takes seconds where what runs are forked from is still loading."""
    states = []
    connect = forkserver.connect_to_new_process

    def look_and_connect(files):
        states.append(runs.current().state)
        return connect(files)

    monkeypatch.setattr(forkserver, "connect_to_new_process", look_and_connect)
    monkeypatch.setattr(popen_forkserver.forkserver, "connect_to_new_process", look_and_connect)
    runs.work_as(run_that_has_not_begun)
    runs.start(prepare(LONG))
    assert [*states, runs.current().state] == ["idle", "starting"]


def test_only_one_run_at_a_time(runs: Watched):
    name = runs.running().name
    with pytest.raises(RunError, match=r"under way: stop it first, or wait for its end\."):
        runs.start(prepare(SHORT))
    assert runs.wait_for("running").name == name


def test_of_four_visitors_who_start_a_run_at_once_one_does(runs: Watched):
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


def test_a_run_keeps_out_of_the_servers_way(runs: Watched):
    """Ctrl-C in the terminal reaches the server alone, and reading digits goes first."""
    runs.running()
    pid = runs.process.pid
    assert os.getsid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_stopped_run_keeps_its_checkpoint_and_stopping_again_does_no_harm(
    runs: Watched, monkeypatch
):
    """A second signal would end it at once."""
    signals = []
    kill = os.kill
    monkeypatch.setattr(os, "kill", lambda *pid_and_signal: signals.append(kill(*pid_and_signal)))
    runs.running()
    for _ in range(3):
        runs.stop()
    assert len(signals) == 1
    run = runs.wait_for("stopped", "failed")
    assert (run.state, run.message) == ("stopped", "")
    assert kinds(run.events)[-2:] == [Saved, Stopped]
    last = max(e.epoch for e in run.events if isinstance(e, Epoch))
    assert read(run.checkpoint).run.epoch == last
    runs.stop()
    assert runs.current() == run


def test_a_run_that_is_stopped_before_it_listens_is_stopped_and_not_failed(runs: Watched):
    runs.work_as(run_that_has_not_begun)
    runs.start(prepare(LONG))
    runs.stop()
    assert runs.wait_for("stopped", "failed").state == "stopped"
    runs.work_as(run_on_few_digits)
    runs.start(prepare(SHORT))
    assert runs.wait_for("finished", "failed").state == "finished"


def test_a_run_is_stopping_from_the_button_to_its_end(runs: Watched, checkpoints):
    runs.work_as(run_that_never_stops)
    name = runs.start(prepare(LONG))
    runs.wait_until(lambda _: (checkpoints / LISTENING).exists())
    assert runs.current().state == "starting"
    for _ in range(2):
        runs.stop()
        run = runs.current()
        assert (run.state, run.name, run.alive) == ("stopping", name, True)
    with pytest.raises(RunError, match="under way"):
        runs.start(prepare(LONG))
    runs.kill()
    assert runs.wait_for("failed", "stopped").state == "failed"


def test_a_run_is_stopped_while_its_data_load(runs: Watched, checkpoints):
    runs.work_as(run_whose_data_never_come)
    runs.start(prepare(SHORT))
    runs.wait_until(lambda _: (checkpoints / LISTENING).exists())
    runs.stop()
    run = runs.wait_for("stopped", "failed")
    assert (run.state, run.message, run.checkpoint) == ("stopped", "", None)
    assert kinds(run.events) == [Stopped]


def test_a_run_that_goes_on_is_stopped_while_its_data_load(runs: Watched, checkpoints):
    runs.running()
    runs.stop()
    before = runs.wait_for("stopped")
    runs.work_as(run_whose_data_never_come)
    resume = Request(resume=str(before.checkpoint))
    assert runs.start(prepare(resume)) == before.name
    runs.wait_until(lambda _: (checkpoints / LISTENING).exists())
    runs.stop()
    assert runs.wait_for("stopped", "failed").state == "stopped"
    runs.work_as(run_on_few_digits)
    assert runs.start(prepare(resume)) == before.name
    runs.wait_for_event(Start, 2)
    runs.stop()
    assert is_one_story(runs.wait_for("stopped").events)


def test_a_run_that_has_just_ended_is_not_stopped(runs: Watched, monkeypatch):
    """Its process may vanish between the look at it and the signal."""
    run = runs.running()
    runs.kill()
    runs.wait_for("failed")
    signalled = []

    def kill_and_note(pid: int, number: int) -> None:
        signalled.append(pid)
        system_kill(pid, number)

    system_kill = os.kill
    with monkeypatch.context() as patch:
        patch.setattr(runs, "current", lambda: run)
        patch.setattr(os, "kill", kill_and_note)
        runs.stop()
    assert signalled == [run.pid]
    assert runs.current().state == "failed"


# ---------------------------------------------------------------- followed to the end


def test_a_run_is_stopped_when_its_time_is_up(runs: Watched, caplog):
    caplog.set_level("INFO", "lenet")
    ended = []
    name = runs.start(prepare(LONG), minutes=0, ended=lambda: ended.append(runs.current().state))
    runs.wait_until_noted()
    assert ended == ["stopped"]
    assert [record.args[:2] for record in caplog.records] == [(name, "stopped")]


def test_the_end_of_a_run_is_noted(runs: Watched, caplog):
    caplog.set_level("INFO", "lenet")
    name = runs.start(prepare(SHORT), minutes=60)
    runs.wait_until_noted()
    (record,) = caplog.records
    assert f"Run {name} finished: Finished training after" in record.getMessage()
    assert record.levelname == "INFO"


def test_why_a_run_failed_is_noted_as_an_error(runs: Watched, caplog):
    runs.work_as(run_without_data)
    name = runs.start(prepare(SHORT))
    runs.wait_until_noted()
    (record,) = caplog.records
    assert record.getMessage() == f"Run {name} failed: MNIST could not be loaded."
    assert record.levelname == "ERROR"


def test_a_run_that_follows_another_at_once_leaves_its_end_to_be_noted(runs: Watched, caplog):
    caplog.set_level("INFO", "lenet")
    first = runs.running().name
    runs.stop()
    runs.wait_for("stopped")
    second = runs.start(prepare(SHORT))
    runs.wait_until_noted()
    noted = [record.args[:2] for record in caplog.records]
    assert noted == [(first, "stopped"), (second, "finished")]


# ---------------------------------------------------------------- resuming


def test_a_stopped_run_goes_on_in_its_own_log_and_checkpoint(runs: Watched, checkpoints):
    runs.running()
    runs.stop()
    stopped = runs.wait_for("stopped")
    assert runs.start(prepare(Request(resume=str(stopped.checkpoint)))) == stopped.name
    runs.wait_for_event(Epoch, kinds(stopped.events).count(Epoch) + 1)
    runs.stop()
    run = runs.wait_for("stopped")
    assert run.events[: len(stopped.events) - 1] == stopped.events[:-1]
    assert kinds(run.events).count(Start) == 2
    assert is_one_story(run.events)
    files = {path.name for path in checkpoints.iterdir() if not path.name.startswith(".")}
    assert files == {f"{run.name}.pt", f"{run.name}.jsonl", f"{run.name}.film"}


def test_more_epochs_of_a_finished_run_leave_its_files_alone(runs: Watched, checkpoints):
    first = runs.start(prepare(SHORT))
    done = runs.wait_for("finished")
    before = done.checkpoint.read_bytes()
    with pytest.raises(ValueError, match="has finished its 2 epochs"):
        runs.start(prepare(Request(resume=str(done.checkpoint))))
    second = runs.start(prepare(Request(epochs=1, resume=str(done.checkpoint))))
    run = runs.wait_for("finished", "failed")
    assert (run.state, run.name) == ("finished", second) and second != first
    assert [e.epoch for e in run.events if isinstance(e, Epoch)] == [3]
    assert (checkpoints / f"{first}.pt").read_bytes() == before
    assert tuple(read_log(checkpoints / f"{first}.jsonl")) == done.events


def test_a_run_whose_log_grows_again_to_its_old_length_is_not_starting(runs: Watched, checkpoints):
    """A killed run's log is cut where its checkpoint stood before it goes on."""
    runs.running()
    before = runs.current().events
    log = EventLog(checkpoints / f"{runs.current().name}.jsonl")
    runs.kill()
    runs.wait_for("failed")
    again = [replace(event, elapsed=event.elapsed + 1) for event in read_log(log.path)]
    runs.work_as(run_that_has_not_begun)
    runs.start(prepare(Request(resume=str(runs.current().checkpoint))))
    assert runs.current().state == "starting"
    for event in again:
        log.append(event)
    assert len(runs.current().events) == len(again) >= len(before)
    assert runs.current().state == "running"


# ---------------------------------------------------------------- mishaps


def test_a_killed_run_has_failed_and_can_be_resumed(runs: Watched):
    runs.running()
    runs.kill()
    run = runs.wait_for("failed")
    assert "was killed" in run.message and "Resume goes on" in run.message
    position = read(run.checkpoint).run.epoch
    assert position >= 1
    assert runs.start(prepare(Request(resume=str(run.checkpoint)))) == run.name
    runs.wait_for_event(Start, 2)
    runs.stop()
    run = runs.wait_for("stopped")
    assert is_one_story(run.events)
    second = [event for event in run.events if isinstance(event, Start)][1]
    assert second.epoch == position


def test_a_run_outlives_the_process_that_it_was_forked_from(runs: Watched):
    name = runs.running().name
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    run = runs.wait_for_event(Epoch, kinds(runs.current().events).count(Epoch) + 1)
    wait_until(lambda: not runs.process.is_alive())  # as far as this process can know
    assert (run.name, run.state) == (name, "running")
    runs.stop()
    assert is_one_story(runs.wait_for("stopped", "failed").events)
    assert runs.current().state == "stopped"
    runs.start(prepare(SHORT))
    assert runs.wait_for("finished", "failed").state == "finished"


def test_a_new_run_can_start_after_a_killed_one(runs: Watched):
    runs.running()
    runs.kill()
    failed = runs.wait_for("failed")
    runs.start(prepare(SHORT))
    run = runs.wait_for("finished")
    assert run.name != failed.name
    assert failed.checkpoint.exists()


def test_a_resumed_run_that_is_killed_before_its_first_event_has_failed(runs: Watched):
    runs.running()
    runs.stop()
    stopped = runs.wait_for("stopped")
    runs.work_as(run_that_has_not_begun)
    runs.start(prepare(Request(resume=str(stopped.checkpoint))))
    assert runs.current().state == "starting"
    runs.kill()
    run = runs.wait_for("stopped", "failed")
    assert run.state == "failed" and "was killed" in run.message


def test_a_failed_run_says_why(runs: Watched):
    runs.work_as(run_without_data)
    runs.start(prepare(Request()))
    run = runs.wait_for("failed")
    assert run.message == "MNIST could not be loaded."
    assert run.events[-1].kind == "DataError"
    assert run.checkpoint is None


def test_a_failed_run_that_is_killed_as_it_goes_on_has_another_reason(runs: Watched, checkpoints):
    run = runs.running()
    runs.kill()
    runs.wait_for("failed")
    reason = "There is not enough memory."
    EventLog(checkpoints / f"{run.name}.jsonl").append(Error(elapsed=0.0, kind="", message=reason))
    assert runs.current().message == reason
    runs.work_as(run_that_has_not_begun)
    runs.start(prepare(Request(resume=str(run.checkpoint))))
    runs.kill()
    assert "was killed" in runs.wait_for("failed").message


def test_a_folder_that_cannot_be_written_to_is_reported_and_nothing_starts(
    runs: Watched, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path / "file" / "checkpoints"))
    with pytest.raises(RunError, match=r"file/checkpoints cannot be written to: Not a directory\."):
        runs.start(prepare(SHORT))
    assert runs.current() == Run("idle")


def test_a_folder_that_is_removed_while_a_run_goes_on_is_reported(
    runs: Watched, checkpoints, caplog
):
    name = runs.running().name
    shutil.rmtree(checkpoints)
    reason = f"The log {name}.jsonl could not be written: No such file or directory."
    for _ in range(3):
        run = runs.wait_for("failed")
        assert (run.name, run.message) == (name, reason)
    runs.wait_until_noted()
    assert runs.current().message == reason
    assert caplog.records[-1].getMessage() == f"Run {name} failed: {reason}"


FOREIGN = {
    "another's": b'{"weather": "fine"}\n',
    "binary": bytes(range(256)) + b"\n",
    "deep": b"[" * 100_000 + b"\n",
    "a run's with a number beyond all": b'{"event": "checkpoint", "elapsed": 1'
    + b"0" * 400
    + b"}\n",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_log_that_claims_to_be_the_latest_hides_no_run(
    runs: Watched, checkpoints, content: bytes
):
    checkpoints.mkdir()
    (checkpoints / "foreign.jsonl").write_bytes(content)
    (checkpoints / "folder.jsonl").mkdir()
    run = runs.current()
    assert run.state == "failed" and "could not be read" in run.message
    name = runs.running().name
    later = time.time() + 3600
    os.utime(checkpoints / "foreign.jsonl", (later, later))
    os.utime(checkpoints / "folder.jsonl", (later + 1, later + 1))
    for server in (runs, Watched()):
        assert (server.current().name, server.current().state) == (name, "running")
    runs.stop()
    assert runs.wait_for("stopped").name == name


def test_a_clock_that_was_set_back_hides_no_run(runs: Watched, checkpoints):
    first = runs.start(prepare(SHORT))
    runs.wait_for("finished")
    later = time.time() + 3600
    os.utime(checkpoints / f"{first}.jsonl", (later, later))
    name = runs.running().name
    assert name != first
    with pytest.raises(RunError, match="under way"):
        Watched().start(prepare(SHORT))
    for server in (runs, Watched()):
        assert (server.current().name, server.current().state) == (name, "running")
    Watched().stop()
    assert runs.wait_for("stopped", "failed").state == "stopped"


def test_a_run_whose_log_was_damaged_can_be_stopped(runs: Watched, checkpoints):
    name = runs.running().name
    with (checkpoints / f"{name}.jsonl").open("ab") as log:
        log.write(b"nonsense\n")
    run = runs.wait_for("running")
    assert run.alive and "could not be read" in run.message
    runs.stop()
    run = runs.wait_for("failed", "stopped")
    assert (run.state, run.name) == ("failed", name) and "could not be read" in run.message
    assert runs.start(prepare(SHORT)) != name
    runs.wait_for("finished")


def test_no_visitor_sees_a_run_fail_that_does_not(runs: Watched):
    """From its start to its end, several times."""
    seen, over = set(), threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.add(runs.current().state)

    visitors = [threading.Thread(target=look) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    for _ in range(4):
        runs.start(prepare(SHORT))
        runs.wait_for("finished")
    over.set()
    for visitor in visitors:
        visitor.join()
    assert seen <= {"idle", "starting", "running", "finished"}


# ---------------------------------------------------------------- a server that was restarted


SERVER = """
import sys
from lenet.job import prepare
from lenet.server.runs import Runs
from runs_on_noise import LONG, run_on_few_digits
if __name__ == "__main__":
    runs = Runs(run_on_few_digits)
    print(runs.start(prepare(LONG), float(sys.argv[1])), runs.current().pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server(request) -> Iterator[tuple[subprocess.Popen, str]]:
    """Another server, and the name of the run that it has started, for an hour or as many minutes
    as the test says. It ends in good order at the end of its input.
    """
    minutes = getattr(request, "param", 60)
    with another_server(SERVER, str(minutes)) as (process, (name, pid)):
        yield process, name
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def test_a_run_outlives_a_server_that_was_killed_and_is_found_by_the_next(runs: Watched, server):
    process, name = server
    process.kill()
    process.wait()
    run = runs.wait_for_an_epoch()
    assert (run.name, run.alive, kinds(run.events)[0]) == (name, True, Start)
    with pytest.raises(RunError):
        runs.start(prepare(SHORT))
    run = runs.wait_for_event(Epoch, kinds(run.events).count(Epoch) + 1)
    assert run.alive  # it goes on
    runs.stop()
    runs.stop()
    run = runs.wait_for("stopped", "failed")
    assert run.state == "stopped"
    assert is_one_story(run.events)
    assert runs.start(prepare(Request(resume=str(run.checkpoint)))) == name
    runs.wait_for_event(Start, 2)
    run = runs.current()
    assert (run.name, run.state) == (name, "running")


@pytest.mark.parametrize("server", [0.05], indirect=True)
def test_a_run_whose_server_was_killed_stops_when_its_time_is_up(runs: Watched, server):
    process, name = server
    process.kill()
    process.wait()
    runs.wait_for_event(Start)
    run = runs.wait_for("stopped", "failed")
    assert (run.state, run.name) == ("stopped", name)
    assert read(run.checkpoint).run


def test_a_server_that_ends_in_good_order_stops_its_run(runs: Watched, server):
    process, name = server
    runs.wait_for_an_epoch()
    process.stdin.close()
    process.wait(WAIT)
    run = runs.current()
    assert (run.name, run.state) == (name, "stopped")
    assert read(run.checkpoint).run.epoch >= 1


def test_a_run_that_was_killed_with_its_server_has_failed_and_can_be_resumed(runs: Watched):
    earlier = Watched()
    name = earlier.running().name
    assert runs.current().state == "running"
    earlier.kill()
    run = runs.wait_for("failed")
    assert run.name == name
    assert "may have been killed. Resume goes on from its last checkpoint." in run.message
    assert runs.start(prepare(Request(resume=str(run.checkpoint)))) == name
    runs.wait_for_event(Start, 2)
    runs.stop()
    assert is_one_story(runs.wait_for("stopped").events)


def test_visitors_who_look_at_once_do_not_take_each_other_for_a_run(runs: Watched, checkpoints):
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


def test_the_current_run_is_the_latest_one(runs: Watched, checkpoints):
    for age, name in enumerate(["new", "old"]):
        log = EventLog(checkpoints / f"{name}.jsonl")
        log.append(Error(elapsed=0.0, kind="", message=f"The {name} one failed."))
        os.utime(log.path, (10_000 - age, 10_000 - age))
    run = runs.current()
    assert (run.state, run.name, run.message) == ("failed", "new", "The new one failed.")
    assert checkpoints_folder() == checkpoints
