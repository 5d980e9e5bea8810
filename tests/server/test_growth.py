"""lenet.server.growth: test digits are read by a run's snapshots, at hardly any cost to the run."""

import os
import sys
import threading
import time
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
import torch
from support import SOON, batch_event, small_set, start_event

from lenet import LeNet
from lenet.data import DataError, DataSet
from lenet.film import FilmWriter, read_film
from lenet.recognize import predict
from lenet.server import growth
from lenet.server.growth import SHARE, Growth, Reading
from lenet.server.runs import Run

EVENTS = (start_event(data="synthetic"),)
BATCH = batch_event(1, 100, elapsed=1.0)


@pytest.fixture
def run(tmp_path, monkeypatch) -> Run:
    """A run whose film has five snapshots of random networks."""
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))
    return filmed(Run("running", "fast-synthetic-1", EVENTS))


def filmed(run: Run, length: int = 5, first: int = 0) -> Run:
    """Write snapshots, one each hundred batches, of networks that each prefer another digit."""
    film = FilmWriter(run.film)
    for number in range(first, length):
        torch.manual_seed(number)
        model = LeNet()
        model.fc3.bias.data[number] += 1
        trainer = SimpleNamespace(
            progress=SimpleNamespace(step=100 * number, schedule=SimpleNamespace(end=500)),
            model=model,
        )
        if number == 0:
            film.begin(trainer)
        film._trainer = trainer
        film.follow(BATCH)
    return run


class Server:
    """A server whose latest run is what a test says."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def current(self) -> Run:
        return self.run


def read(growing: Growth, run: Run, length: int) -> list[Reading]:
    """Wait for so many readings."""
    end = time.monotonic() + SOON / 1000
    while len(found := growing.of(run)) < length:
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found


def ended() -> None:
    """Wait until no reader is left."""
    for thread in threading.enumerate():
        if thread.name == "growth":
            thread.join(SOON / 1000)
            assert not thread.is_alive()


def test_every_snapshot_reads_the_test_set(run):
    server = Server(replace(run, state="finished"))
    found = read(Growth(server, lambda name: small_set()), server.run, 5)
    assert [reading.batches for reading in found] == [0, 100, 200, 300, 400]
    test = small_set().test
    for reading, snapshot in zip(found, read_film(run.film), strict=True):
        model = LeNet()
        model.load_state_dict(snapshot.state())
        answers = predict(model, test.frames).argmax(1)
        assert reading.accuracy == pytest.approx((answers == test.labels).double().mean().item())
    assert len({reading.accuracy for reading in found}) > 1
    ended()


def test_of_a_large_test_set_a_sample_is_read():
    whole = small_set()
    large = replace(whole.test, frames=whole.test.frames.repeat(50, 1, 1),
                    labels=whole.test.labels.repeat(50))  # fmt: skip
    inputs, labels = growth._tested(DataSet("mnist", whole.train, large), False)
    assert len(inputs) == len(labels) == growth.DIGITS
    assert labels.equal(large.labels[::3])


def test_beside_a_run_it_reads_the_latest_and_rests_long(run, monkeypatch):
    """The clock goes on by a second whenever it is read, so a reading takes one second."""
    server = Server(run)
    growing = Growth(server, lambda name: small_set())
    waits: list[float] = []
    known: list[list[int]] = []

    def rest(seconds: float) -> None:
        waits.append(seconds)
        known.append([reading.batches for reading in growing.of(run)])
        if len(waits) == 3:
            server.run = replace(run, state="finished")

    clock = SimpleNamespace(sleep=rest, thread_time=count().__next__)
    monkeypatch.setattr(growth, "time", clock)
    growing.of(run)
    ended()
    assert known == [[400], [300, 400], [200, 300, 400]]
    assert waits == [1 / SHARE] * 3 and SHARE <= 0.02
    assert len(growing.of(server.run)) == 5  # the rest at once, when it has ended


def test_what_was_read_is_not_read_again_and_what_comes_is(run):
    server = Server(replace(run, state="finished"))
    loaded = []
    growing = Growth(server, lambda name: loaded.append(name) or small_set())
    first = read(growing, server.run, 5)
    ended()
    assert growing.of(server.run) == first and loaded == ["synthetic"]
    filmed(run, 7, first=5)
    assert read(growing, server.run, 7)[:5] == first
    ended()


def test_another_run_begins_anew(run):
    server = Server(replace(run, state="finished"))
    growing = Growth(server, lambda name: small_set())
    read(growing, server.run, 5)
    ended()
    run.film.unlink()
    server.run = filmed(Run("finished", "fast-synthetic-2", EVENTS), 2)
    assert growing.of(server.run) == []
    assert len(read(growing, server.run, 2)) == 2
    ended()


def test_a_reader_ends_when_another_run_begins_that_nobody_watches(run, monkeypatch):
    server = Server(run)

    def rest(_: float) -> None:
        server.run = Run("running", "fast-synthetic-2", EVENTS)

    clock = SimpleNamespace(sleep=rest, thread_time=time.thread_time)
    monkeypatch.setattr(growth, "time", clock)
    growing = Growth(server, lambda name: small_set())
    growing.of(run)
    ended()
    assert len(growing.of(run)) == 1
    ended()


def test_the_reader_alone_gives_way_to_all_others_and_not_while_they_wait(run, monkeypatch):
    linux = sys.platform == "linux"  # elsewhere a thread has no priority of its own

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id() if linux else 0)

    own, found = priority(), []
    lowest = 19 if linux else own

    def digits(name: str) -> DataSet:
        found.append(priority())
        return small_set()

    monkeypatch.setattr(growth, "_accuracy", lambda *_: found.append(priority()) or 0.5)
    server = Server(replace(run, state="finished"))
    read(Growth(server, digits), server.run, 5)
    assert found == [own, *[lowest] * 5] and own < 19
    assert priority() == own
    ended()


def test_where_the_data_cannot_be_loaded_there_are_no_readings(run):
    asked = []

    def gone(name: str) -> DataSet:
        asked.append(name)
        raise DataError("MNIST could not be loaded.")

    server = Server(replace(run, state="finished"))
    growing = Growth(server, gone)
    for _ in range(3):  # as a page asks
        assert growing.of(server.run) == []
        ended()
    assert asked == ["synthetic"]


def test_a_run_without_a_film_has_no_readings(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))
    for nothing in (Run("idle"), Run("starting", "fast-mnist-1")):
        assert Growth(Server(nothing)).of(nothing) == []
    ended()
