"""lenet.server.queue: waiting runs begin in their order, whatever happens to the server."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs_on_noise import LONG, run_on_few_digits
from support import WAIT, another_server, on_own_machine, wait_until

from lenet.events import Start, latest
from lenet.server import queue as queues
from lenet.server.queue import MOST_PUBLIC, Queue
from lenet.server.runs import Run, RunError, Runs
from lenet.server.shares import visitor
from lenet.server.visitors import NotAllowed
from lenet.settings import Request
from lenet.ui.train import runs_table

pytestmark = pytest.mark.usefixtures("warm")

SHORT = Request("tutorial", "synthetic", epochs=1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    return on_own_machine(monkeypatch, tmp_path / "checkpoints")


@pytest.fixture
def queue() -> Iterator[Queue]:
    """A queue whose runs are real; they are ended after the test."""
    queue = Queue(Runs(run_on_few_digits))
    yield queue
    end(queue)


def end_thread(queue: Queue) -> None:
    queue._ended.set()
    if queue._thread:
        queue._thread.join()


def end(queue: Queue) -> None:
    """End the queue and the run that is under way."""
    end_thread(queue)
    while queue.runs.current().alive:
        queue.runs.stop()
        time.sleep(0.02)


class Busy(Runs):
    """Runs of which one never ends."""

    def current(self) -> Run:
        return Run("running", "under-way")


def names(queue: Queue) -> list[str]:
    return [one.name for one in queue.waiting]


def finished(folder: Path) -> list[str]:
    """The runs that have finished, in the order of their logs' last changes."""
    logs = []
    for path in folder.glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        if lines and lines[-1]["event"] == "done":
            logs.append((path.stat().st_mtime_ns, path.stem))
    return [name for _, name in sorted(logs)]


# ---------------------------------------------------------------- in order


def test_what_waits_begins_in_its_order_after_the_run_before(queue: Queue, folder: Path):
    first = queue.train(LONG)
    waiting = [queue.train(SHORT) for _ in range(3)]
    assert names(queue) == waiting and queue.runs.current().name == first
    out = waiting.pop(1)
    queue.take_out(out)
    assert names(queue) == waiting
    with pytest.raises(RunError, match="no longer waits"):
        queue.take_out(out)
    queue.runs.stop()
    wait_until(lambda: finished(folder) == waiting)
    wait_until(lambda: names(queue) == [])
    assert not (folder / f"{out}.jsonl").exists()


def test_a_resumed_run_waits_under_its_name_and_only_once(queue: Queue, folder: Path):
    stopped = queue.train(LONG)
    wait_until(lambda: queue.runs.current().checkpoint is not None)
    queue.runs.stop()
    wait_until(lambda: not queue.runs.current().alive)
    queue.train(LONG)
    again = Request(resume=str(folder / f"{stopped}.pt"))
    assert queue.train(again) == stopped
    with pytest.raises(RunError, match="waits already"):
        queue.train(again)
    queue.runs.stop()
    wait_until(
        lambda: queue.runs.current().name == stopped and queue.runs.current().state == "running"
    )
    start = latest(queue.runs.current().events, Start)
    assert start and start.resumed_from and start.changed == ()


def test_what_can_no_longer_begin_is_a_run_that_says_why_and_the_next_one_begins(
    queue: Queue, folder: Path
):
    first = queue.train(LONG)
    wait_until(lambda: queue.runs.current().checkpoint is not None)
    gone = queue.train(Request(epochs=1, resume=str(folder / f"{first}.pt")))
    last = queue.train(SHORT)
    queue.runs.stop()
    # Its checkpoint goes between two looks at what is under way.
    with queue._lock:
        wait_until(lambda: not queue.runs.current().alive)
        (folder / f"{first}.pt").unlink()
    wait_until(lambda: finished(folder) == [last])
    rows = {row["name"]: row for row in runs_table.table(queue)["rows"]}
    assert rows[gone]["state"] == "failed" and "could not be read" in rows[gone]["message"]


# ---------------------------------------------------------------- over a restart

SERVER = """
import sys
from runs_on_noise import LONG, run_on_few_digits
from lenet.server.queue import Queue
from lenet.server.runs import Runs
from lenet.settings import Request
if __name__ == "__main__":
    queue = Queue(Runs(run_on_few_digits))
    queue.train(LONG)
    for _ in range(3):
        queue.train(Request("tutorial", "synthetic", epochs=1))
    print(queue.runs.current().name, *[one.name for one in queue.waiting], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen, str, list[str]]]:
    """Another server with a run under way, its name, and the names of three that wait."""
    with another_server(SERVER) as (process, (first, *waiting)):
        yield process, first, waiting


def test_after_kill_9_the_run_is_still_followed_and_what_waited_begins_in_order(server, folder):
    process, first, waiting = server
    process.kill()
    process.wait()
    queue = Queue(Runs(run_on_few_digits))
    try:
        assert names(queue) == waiting and len(waiting) == 3
        wait_until(lambda: latest(queue.runs.current().events, Start) is not None)
        run = queue.runs.current()
        assert (run.name, run.alive) == (first, True)
        queue.runs.stop()
        wait_until(lambda: finished(folder) == waiting)
        wait_until(lambda: names(queue) == [])
    finally:
        end(queue)


def test_a_server_that_ends_in_good_order_starts_nothing_more(server, folder: Path):
    process, _, waiting = server
    process.stdin.close()
    process.wait(WAIT)
    assert not [name for name in waiting if (folder / f"{name}.jsonl").exists()]
    kept = json.loads((folder / ".queue").read_text())["waiting"]
    assert [one["name"] for one in kept] == waiting


def test_what_had_begun_when_the_server_was_killed_is_not_begun_again(folder: Path):
    busy = Queue(Busy())
    one, other = (busy.train(SHORT) for _ in range(2))
    end_thread(busy)
    (folder / f"{one}.jsonl").touch()  # started, but not yet taken out
    again = Queue(Busy())
    assert names(again) == [other]
    end_thread(again)


def test_where_training_has_been_turned_off_what_waited_does_not_begin(monkeypatch):
    busy = Queue(Busy())
    name = busy.train(SHORT)
    end_thread(busy)
    monkeypatch.setenv("LENET_TRAINING", "off")
    queue = Queue(Runs(run_on_few_digits))
    wait_until(lambda: names(queue) == [])
    (row,) = runs_table.table(queue)["rows"]
    assert (row["name"], row["state"]) == (name, "failed")
    assert row["message"].startswith("Training is off on this server")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"waiting": [{"name": 7}]}', "[" * 100_000])
def test_a_damaged_file_is_an_empty_queue(folder: Path, text: str, caplog):
    folder.mkdir()
    (folder / ".queue").write_text(text)
    assert Queue(Busy()).waiting == ()
    assert "could not be read" in caplog.text


# ---------------------------------------------------------------- behind a run that never ends


@pytest.fixture
def busy() -> Iterator[Queue]:
    queue = Queue(Busy())
    yield queue
    end_thread(queue)
    visitor.set("")


def test_five_seeds_are_runs_of_one_name_but_for_the_seed(busy: Queue):
    told = busy.train_seeds(SHORT, range(5))
    assert names(busy) == told
    assert [name.rpartition("-")[2] for name in told] == [f"seed{seed}" for seed in range(5)]
    assert len({name.rpartition("-")[0] for name in told}) == 1
    assert [one.request.seed for one in busy.waiting] == [*range(5)]


def test_what_waits_is_in_the_table_with_its_settings(busy: Queue):
    name = busy.train(Request("tutorial", "synthetic", epochs=3))
    (row,) = runs_table.table(busy)["rows"]
    assert (row["name"], row["state"], row["network"], row["resume"]) == (name, "waiting", "", "")
    assert row["setting"] and row["setting"]["epochs"] == 3
    version = runs_table.version(busy)
    busy.take_out(name)
    assert runs_table.version(busy) != version and runs_table.table(busy)["rows"] == []


def test_on_a_public_server_a_visitor_has_one_run_that_waits_and_all_have_ten(
    busy: Queue, monkeypatch
):
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    for number in range(MOST_PUBLIC):
        visitor.set(f"9.9.9.{number}")
        busy.train(SHORT)
        if number < MOST_PUBLIC - 1:
            with pytest.raises(NotAllowed, match="One run of yours"):
                busy.train(SHORT)
    visitor.set("8.8.8.8")
    with pytest.raises(NotAllowed, match="10 runs may wait"):
        busy.train(SHORT)
    assert len(busy.waiting) == MOST_PUBLIC
    with pytest.raises(NotAllowed):
        busy.train_seeds(SHORT, range(5))


def test_on_a_public_server_only_its_visitor_and_the_owner_take_a_run_out(busy: Queue, monkeypatch):
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setenv("LENET_PASSWORD", "right")
    visitor.set("9.9.9.9")
    own = busy.train(SHORT)
    assert "9.9.9.9" not in queues._path().read_text()
    visitor.set("8.8.8.8")
    other = busy.train(SHORT)
    with pytest.raises(NotAllowed, match="Only the owner"):
        busy.take_out(own)
    busy.take_out(other)
    busy.take_out(own, "right")
    assert busy.waiting == ()


def test_who_may_not_train_may_not_wait(busy: Queue, monkeypatch):
    monkeypatch.setenv("LENET_TRAINING", "owner")
    monkeypatch.setenv("LENET_PASSWORD", "right")
    with pytest.raises(NotAllowed, match="give the password"):
        busy.train(SHORT, password="wrong")
    busy.train_seeds(SHORT, range(5), "right")  # the owner's own server
    assert len(busy.waiting) == 5
    monkeypatch.setenv("LENET_MAX_EPOCHS", "3")
    with pytest.raises(NotAllowed, match="4 epochs"):
        busy.train(Request(epochs=4), password="right")
