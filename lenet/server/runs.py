"""The training run of a server: in a process of its own, started, stopped and followed.

A run belongs to the server, not to the page that started it: whoever asks is told the same, from
its first event. What there is to tell stands in the folder of checkpoints, the run's log beside its
checkpoint and a lock that the run holds while it lives, so that it is found again after the server
was restarted. One run at a time. This file knows nothing of pages.
"""

import gc
import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from lenet.checkpoint import SHIPPED
from lenet.events import (
    Done,
    Ending,
    Error,
    Event,
    EventLog,
    LogError,
    Start,
    Stopped,
    latest,
    read_log,
)
from lenet.files import checkpoints_folder
from lenet.film import SUFFIX, FilmWriter
from lenet.job import Job
from lenet.train import Stop, new_name, train

_FORKSERVER = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT = multiprocessing.get_context("forkserver" if _FORKSERVER else "spawn")
_LOCK = ".run.lock"
_STATES: dict[type[Ending], str] = {Done: "finished", Stopped: "stopped", Error: "failed"}


class RunError(RuntimeError):
    """A run that cannot be started now: one sentence that says why."""


@dataclass(frozen=True)
class Run:
    """What there is to tell of the latest run.

    Attributes:
        state: idle, starting, running, stopped, finished or failed.
        name: of its log and its checkpoint, without folder and ending; None where none ever ran.
        events: of its log, from the first.
        message: why it failed, else empty.
    """

    state: str
    name: str | None = None
    events: tuple[Event, ...] = ()
    message: str = ""

    @property
    def alive(self) -> bool:
        return self.state in ("starting", "running")

    @property
    def checkpoint(self) -> Path | None:
        """The run's checkpoint, where it has written one."""
        path = checkpoints_folder() / f"{self.name}.pt"
        return path if self.name and path.exists() else None

    @property
    def film(self) -> Path:
        """Where the run's film lies, if it has one."""
        return checkpoints_folder() / f"{self.name}{SUFFIX}"


@dataclass
class _Child:
    """The process that this server started last."""

    name: str
    process: Any
    last_words: Any  # the end of a pipe: why it could not write its log
    events_before: tuple[Event, ...]  # what its log held before it started


_child: _Child | None = None
_asked_to_stop: set[int] = set()
_starting = threading.Lock()
_looking = threading.Lock()


def warm_up() -> None:
    """Begin to load torch where runs are forked from: a run then starts in milliseconds."""
    if _FORKSERVER:
        _CONTEXT.set_forkserver_preload(["torch", "torchvision.datasets", "lenet.train"])
        forkserver.ensure_running()


def start(job: Job) -> str:
    """Start a run and return its name.

    A run that goes on to the end that it had keeps its name, its checkpoint and its log; every
    other gets new ones, so that no network that was finished is lost.

    Raises:
        RunError: one is under way, or the folder of checkpoints cannot be written to.
    """
    global _child
    with _starting:  # two visitors may press the button at once
        if current().alive:
            raise RunError("A training run is under way: stop it first, or wait for its end.")
        _child = _launch(job, _name(job))
        return _child.name


def _name(job: Job) -> str:
    """The name of the run that goes on, or a new one."""
    path = job.resumed.path if job.resumed else None
    if job.goes_on and path and path != SHIPPED and path.parent == checkpoints_folder():
        return path.stem
    return new_name(job.settings.recipe, job.settings.data)


def _launch(job: Job, name: str) -> _Child:
    log = checkpoints_folder() / f"{name}.jsonl"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        before = tuple(read_log(log))
    except OSError as error:
        raise RunError(f"{log.parent} cannot be written to: {error.strerror}.") from error
    except LogError as error:
        raise RunError(str(error)) from error
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    # A daemon is asked to stop, and keeps what was learnt, when the server ends in good order.
    process = _CONTEXT.Process(target=_run, args=(job, log, theirs), daemon=True)
    process.start()
    _asked_to_stop.discard(process.pid)
    theirs.close()
    return _Child(name, process, ours, before)


def stop() -> None:
    """Ask the run to stop after its batch; nothing happens where none is under way."""
    run = current()
    pid = None
    if run.alive and _child and _child.name == run.name:
        pid = _child.process.pid
    elif run.alive and run.events:  # a run that an earlier server started
        start = latest(run.events, Start)
        pid = start.pid if start else None
    if pid and pid not in _asked_to_stop:  # asked twice, it would stop without a checkpoint
        _asked_to_stop.add(pid)
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGTERM)


def current() -> Run:
    """The latest run, as it is now."""
    log = _latest_log()
    ours = _child if _child and (log is None or _child.name == log.stem) else None
    if log is None and ours is None:
        return Run("idle")
    name = ours.name if ours else log.stem
    try:
        events = _events(log, log.stat().st_mtime_ns, log.stat().st_size) if log else ()
    except LogError as error:
        return Run("failed", name, message=str(error))
    # Its parent may be gone: another server's, or the process that runs are forked from.
    alive = bool(ours and ours.process.is_alive()) or _locked()
    silent = ours and events == ours.events_before
    if silent and alive:
        return Run("starting", name, events)
    ending = events[-1] if events else None
    if isinstance(ending, Ending) and not silent:
        message = ending.message if isinstance(ending, Error) else ""
        return Run(_STATES[type(ending)], name, events, message)
    if alive:
        return Run("running" if events else "starting", name, events)
    if ours and ours.process.exitcode == -signal.SIGTERM:  # stopped before it could listen
        return Run("stopped", name, events)
    return Run("failed", name, events, _cause_of_death(ours))


def _latest_log() -> Path | None:
    logs = [(path.stat().st_mtime_ns, path) for path in checkpoints_folder().glob("*.jsonl")]
    return max(logs)[1] if logs else None


@lru_cache(maxsize=1)
def _events(log: Path, changed: int, size: int) -> tuple[Event, ...]:
    """The events of a log, read once for all who follow it each time that it grew."""
    return tuple(read_log(log))


def _locked() -> bool:
    """Whether a run holds the lock: the system frees it however its process ends."""
    try:
        with _looking, FileLock(checkpoints_folder() / _LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _cause_of_death(child: _Child | None) -> str:
    if child and child.last_words.poll():
        try:
            return child.last_words.recv()
        except EOFError:
            pass
    code = child.process.exitcode if child else None
    if code == -signal.SIGKILL:
        cause = "was killed; the machine may have run out of memory"
    elif code is not None and code < 0:
        cause = f"was ended by {signal.Signals(-code).name}"
    else:
        cause = "ended without a word; it may have been killed"
    return f"The training process {cause}. Resume goes on from its last checkpoint."


def _run(job: Job, log: Path, last_words: Any) -> None:
    """The run's process: train and write the log and the film."""
    gc.freeze()  # the garbage collector's first look through all of torch would take 0.2 s
    stop = Stop()
    os.setsid()  # Ctrl-C in the server's terminal is the server's alone
    os.nice(10)  # reading digits goes first
    # A core stays free: two threads on two cores wait for each other at every step, and a single
    # busy neighbour then makes training a hundred times slower, not half as fast.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    try:
        events, film = EventLog(log), FilmWriter(log.with_suffix(SUFFIX))
        with FileLock(log.parent / _LOCK, timeout=10):
            for event in train(job, log.with_suffix(".pt"), stop, film.begin):
                film.follow(event)  # before the log: who reads of an event finds its snapshot
                events.append(event)
    except (LogError, OSError) as error:
        last_words.send(str(error))
