"""The training runs of a server: each in a process of its own, started, stopped and followed.

A run belongs to the server, not to the page that started it: every page sees the same, from its
first event. All of it lies in the folder of checkpoints: the run's log beside its checkpoint, the
name of the latest run, and a lock that the run holds while it lives; so a server that was restarted
finds its run again. One run at a time. This file knows nothing of pages or of who may train.
"""

import gc
import logging
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock, Timeout

from lenet.checkpoint import SHIPPED
from lenet.drawings import Drawing, DrawingsError, parse_drawings, to_lines
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
    line,
    read_log,
)
from lenet.files import checkpoints_folder, replacing
from lenet.film import SUFFIX, FilmWriter
from lenet.job import Job
from lenet.recipes import RECIPES
from lenet.server.recognizers import conceal
from lenet.train import Stop, new_name, train

EVERY = 0.25  # seconds between two looks at a run that is followed

State = Literal["idle", "starting", "running", "stopping", "stopped", "finished", "failed"]

LOG = ".jsonl"  # a run's log, beside its checkpoint
DRAWINGS = ".drawings"  # a file beside the checkpoint of a run that teaches: what it is taught
TITLE = ".title"  # a file beside the log of a run: what somebody called it

_CONTEXT = multiprocessing.get_context("forkserver")
_LOCK = ".run.lock"
_LATEST = ".latest"  # a file with the name of the run that was started last
_ENDED: dict[type[Ending], State] = {Done: "finished", Stopped: "stopped", Error: "failed"}

log = logging.getLogger("lenet")


class RunError(RuntimeError):
    """A run that cannot be started now: one sentence that says why."""


@dataclass(frozen=True)
class Run:
    """The latest run, as pages show it.

    Attributes:
        state: stopping where it was asked to stop and has not ended yet; idle where none ever ran.
        name: of its log and its checkpoint, without folder and ending; None where none ever ran.
        events: of its log, from the first.
        message: why it failed, else empty.
        pid: of its process, where that is known.
    """

    state: State
    name: str | None = None
    events: tuple[Event, ...] = ()
    message: str = ""
    pid: int | None = None

    @property
    def alive(self) -> bool:
        return self.state in ("starting", "running", "stopping")

    @property
    def checkpoint(self) -> Path | None:
        """The run's checkpoint, where it has written one."""
        path = checkpoints_folder() / f"{self.name}.pt"
        return path if self.name and path.exists() else None

    @property
    def film(self) -> Path:
        """Where the run's film lies, if it has one."""
        return checkpoints_folder() / f"{self.name}{SUFFIX}"


def state_of(
    events: tuple[Event, ...], *, begun: bool, alive: bool, asked: bool, exit_code: int | None
) -> State:
    """The state of a run that was started.

    Args:
        events: of its log, from the first.
        begun: whether its process has logged any of them: a run that goes on finds those of the
            process before it.
        alive: whether its process lives.
        asked: whether this process was asked to stop.
        exit_code: of the process; minus a signal's number where that ended it; None where it lives
            or nobody knows.
    """
    ending = events[-1] if events and begun else None
    if isinstance(ending, Ending):
        return _ENDED[type(ending)]
    if alive:
        return "stopping" if asked else "running" if begun else "starting"
    # One that is stopped before it listens to signals is ended by its signal.
    return "stopped" if exit_code == -signal.SIGTERM else "failed"


def work_on(job: Job, path: Path, minutes: float, last_words: Connection) -> None:
    """What the process of a run does: train, and write the log, at that path, and the film.

    A visitor's drawings lie beside them until the run has finished, so that it can go on.
    It stops by itself when its minutes are over: the server that started it may be gone by then.
    """
    asked, end = Stop(), time.monotonic() + 60 * minutes

    def stop() -> bool:
        return asked() or time.monotonic() >= end

    gc.freeze()  # the garbage collector's first pass through all of torch would take 0.2 s
    os.setsid()  # Ctrl-C in the server's terminal is the server's alone
    os.nice(10)  # reading digits goes first
    # A core stays free: two threads on two cores wait for each other at every step, and a single
    # busy neighbour then makes training a hundred times slower, not half as fast.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    try:
        events, film = EventLog(path), FilmWriter(path.with_suffix(SUFFIX))
        with FileLock(path.parent / _LOCK, timeout=10):
            if job.drawings is not None:
                keep_drawings(path, job.drawings)
            for event in train(job, path.with_suffix(".pt"), stop, film.begin):
                film.follow(event)  # before the log: whoever reads an event finds its snapshot
                if isinstance(event, Done):
                    path.with_suffix(DRAWINGS).unlink(missing_ok=True)
                events.append(event)
    except (LogError, OSError) as error:
        last_words.send(str(error))


def keep_drawings(log: Path, drawings: Sequence[Drawing]) -> None:
    """Write what a run is taught beside its log, until it has finished."""
    with replacing(log.with_suffix(DRAWINGS)) as file:
        file.writelines(text.encode() for text in to_lines(drawings))


def kept_drawings(name: str) -> tuple[Drawing, ...]:
    """What a run is taught, as `keep_drawings` wrote it.

    Raises:
        RunError: it is no longer there.
    """
    path = log_of(name).with_suffix(DRAWINGS)
    try:
        return tuple(parse_drawings(path.read_bytes(), path.name))
    except (OSError, DrawingsError) as error:
        raise RunError("The drawings of this run are no longer here: teach again.") from error


@dataclass
class _Child:
    """The process that this server started last.

    Attributes:
        name: of its run.
        pipe: by which it says why it could not write its log.
        before: what its log held before it started.
        after: the name of the run that was the latest before it.
        last_words: what it said.
    """

    name: str
    process: BaseProcess
    pipe: Connection
    before: tuple[Event, ...]
    after: str | None
    last_words: str = ""


class Runs:
    """The training runs of one server; any thread may call.

    Args:
        work: what the process of a run does with its job, the path of its log, its minutes and the
            pipe for its last words.
    """

    def __init__(self, work: Callable[[Job, Path, float, Connection], None] = work_on) -> None:
        self._work = work
        self._child: _Child | None = None
        self._asked: int | None = None  # the process that was asked to stop
        self._follower: threading.Thread | None = None
        self._starting = threading.Lock()
        self._looking = threading.Lock()

    def start(
        self,
        job: Job,
        minutes: float = math.inf,
        ended: Callable[[], None] = lambda: None,
        name: str | None = None,
    ) -> str:
        """Start a run and return its name.

        A run that goes on to the end that it had keeps its name, its checkpoint and its log; every
        other gets new ones, so that no network that was finished is lost.

        Args:
            job: what is trained, from what.
            minutes: after which it stops.
            ended: called when it has ended.
            name: that the run gets, from `name_of`; None for `name_of(job)`.

        Raises:
            RunError: one is under way, or the folder of checkpoints cannot be written to.
        """
        with self._starting:  # two visitors may press the button at once
            if self.current().alive:
                raise RunError("A training run is under way: stop it first, or wait for its end.")
            if self._follower:
                self._follower.join()  # it has yet to note how the run before this one ended
            child = self._launch(job, name or name_of(job), minutes)
            self._child, self._asked = child, None
            # Not before: a log without a process is a run that failed.
            log_of(child.name).touch()
            with suppress(OSError), replacing(checkpoints_folder() / _LATEST) as file:
                file.write(child.name.encode())
            self._follower = threading.Thread(
                target=self._follow, args=(child.name, ended), daemon=True, name="follow"
            )
            self._follower.start()
            return child.name

    def _launch(self, job: Job, name: str, minutes: float) -> _Child:
        path = log_of(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / _LOCK).touch()
            before = tuple(read_log(path))
        except OSError as error:
            raise RunError(f"{path.parent} cannot be written to: {error.strerror}.") from error
        except LogError as error:
            raise RunError(str(error)) from error
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        # A daemon is asked to stop, and keeps what was learnt, when the server exits normally.
        arguments = (job, path, minutes, theirs)
        process = _CONTEXT.Process(target=self._work, args=arguments, daemon=True)
        earlier = latest_log()
        process.start()
        theirs.close()
        return _Child(name, process, ours, before, earlier.stem if earlier else None)

    def of(self, name: str) -> Run:
        """A run by its name, as it is now: the latest or an earlier one.

        Raises:
            LogError: its log cannot be read.
        """
        current = self.current()
        if current.name == name:
            return current
        events = _events(log_of(name))
        state = state_of(events, begun=True, alive=False, asked=False, exit_code=None)
        message = events[-1].message if events and isinstance(events[-1], Error) else ""
        return Run(state if events else "idle", name, events, message)

    def stop(self) -> None:
        """Ask the run to stop after its batch; nothing happens where none is under way."""
        run = self.current()
        if not run.alive or run.pid is None:
            return
        with self._looking:
            if self._asked == run.pid:
                return  # asked twice, it would stop without a checkpoint
            self._asked = run.pid
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(run.pid, signal.SIGTERM)

    def forget(self, name: str) -> None:
        """Let a run that has ended, and is about to be deleted, no longer be the latest."""
        with self._starting:
            if self._child and self._child.name == name:
                if self._follower:
                    self._follower.join()  # it has yet to note how the run ended
                self._child = None

    def current(self) -> Run:
        """The latest run, as it is now."""
        path, child = latest_log(), self._child
        if child and path and path.stem not in (child.name, child.after):
            child = None  # another server's run came after it
        name = child.name if child else path.stem if path else None
        if name is None:
            return Run("idle")
        path = log_of(name)
        # Before its log is read: a run that then has ended has logged how.
        alive, exit_code = self._life(child)
        events, message = (), ""
        try:
            events = _events(path)
        except LogError as error:
            message = str(error)
        start = latest(events, Start)
        pid = child.process.pid if child else start.pid if start else None
        begun = bool(message) or events != (child.before if child else ())
        asked = pid is not None and pid == self._asked
        state = state_of(events, begun=begun, alive=alive, asked=asked, exit_code=exit_code)
        if state == "failed" and not message:
            ending = events[-1] if events and begun else None
            message = ending.message if isinstance(ending, Error) else self._cause_of_death(child)
        return Run(state, name, events, message, pid)

    def _life(self, child: _Child | None) -> tuple[bool, int | None]:
        """Whether the process of a run lives; its exit code, where that is known."""
        with self._looking:
            if child is None:  # an earlier server started it
                return _locked(), None
            # A run may outlive the process that it was forked from.
            return child.process.is_alive() or _locked(), child.process.exitcode

    def _cause_of_death(self, child: _Child | None) -> str:
        with self._looking:  # what is in the pipe can be read once
            if child and not child.last_words:
                with suppress(EOFError):
                    child.last_words = child.pipe.recv() if child.pipe.poll() else ""
        if child and child.last_words:
            return child.last_words
        code = child.process.exitcode if child else None
        if code == -signal.SIGKILL:
            cause = "was killed; the machine may have run out of memory"
        elif code is not None and code < 0:
            cause = f"was ended by {signal.Signals(-code).name}"
        else:
            cause = "ended without a word; it may have been killed"
        return f"The training process {cause}. Resume goes on from its last checkpoint."

    def _follow(self, name: str, ended: Callable[[], None]) -> None:
        """Wait for the end of a run, and note it."""
        while (run := self.current()).alive and run.name == name:
            time.sleep(EVERY)
        if run.name == name:
            words = run.message or (line(run.events[-1]) if run.events else None)
            level = logging.ERROR if run.state == "failed" else logging.INFO
            words = conceal(words or "before it began")
            log.log(level, "Run %s %s: %s", conceal(name), run.state, words)
        ended()


def warm_up() -> None:
    """Begin to load torch where runs are forked from: a run then starts in milliseconds."""
    _CONTEXT.set_forkserver_preload(["torch", "torchvision.datasets", "lenet.train"])
    forkserver.ensure_running()


def name_of(job: Job) -> str:
    """The name of the run that goes on, or a new one."""
    path = job.resumed.path if job.resumed else None
    if job.goes_on and path and path != SHIPPED and path.parent == checkpoints_folder():
        return path.stem
    secret = 16 if RECIPES[job.settings.recipe].teaches else 2  # somebody's own, nobody else's
    return new_name(job.settings.recipe, job.settings.data, secret)


def log_of(name: str) -> Path:
    """Where the log of a run lies, by the run's name."""
    return checkpoints_folder() / f"{name}{LOG}"


def latest_log() -> Path | None:
    """The log of the run that was started last, in the folder of checkpoints.

    Clocks are set back and files are copied, so their times count only where nothing else tells.
    """
    folder = checkpoints_folder()
    with suppress(OSError, ValueError):  # of an earlier version, or damaged
        path = log_of((folder / _LATEST).read_text())
        if path.parent == folder and path.is_file():
            return path
    logs = []
    for path in folder.glob(f"*{LOG}"):
        with suppress(FileNotFoundError):  # it has just been removed
            logs.append((path.stat().st_mtime_ns, path))
    return max(logs)[1] if logs else None


def _events(path: Path) -> tuple[Event, ...]:
    try:
        stat = path.stat()
    except FileNotFoundError:  # it has just been removed
        return ()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _read(path: Path, changed: int, size: int) -> tuple[Event, ...]:
    """The events of a log, read once for all who follow it each time that it grew."""
    return tuple(read_log(path))


def _locked() -> bool:
    """Whether a run holds the lock: the system frees it however its process ends.

    One thread asks at a time, or two would take each other for a run.
    """
    path = checkpoints_folder() / _LOCK
    if not path.exists():  # looking makes no folder
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
