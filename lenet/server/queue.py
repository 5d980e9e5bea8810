"""The runs that wait for the one that is under way, in the order in which they were asked for.

What waits lies in a file of the folder of checkpoints, so that a server that was restarted or
killed starts it; what a run is to be taught lies beside it. A run gets its name when it is asked
for: where a log of that name is there already, it has begun and is not started twice. On a public
server a visitor has one run that waits, and all have ten. This file knows nothing of pages.
"""

import atexit
import json
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from lenet.checkpoint import Checkpoint
from lenet.events import Error, EventLog, LogError
from lenet.files import checkpoints_folder, replacing
from lenet.job import Job, prepare
from lenet.records import build
from lenet.server import visitors
from lenet.server.recognizers import conceal, is_own
from lenet.server.runs import (
    DRAWINGS,
    EVERY,
    Run,
    RunError,
    Runs,
    keep_drawings,
    kept_drawings,
    log_of,
    name_of,
)
from lenet.server.shares import visitor
from lenet.server.visitors import NotAllowed, policy
from lenet.settings import Request

MOST = 100  # runs that wait
MOST_PUBLIC = 10  # the same on a public server
EACH_PUBLIC = 1  # of them a visitor's

UNSEEN = 20  # seconds that a process takes at most until it is seen to run, on a busy machine

log = logging.getLogger("lenet")


@dataclass(frozen=True)
class Waiting:
    """A run that waits.

    Attributes:
        name: that it gets.
        request: what was asked for.
        who: asked for it: a hash of the visitor's address.
    """

    name: str
    request: Request
    who: str


@dataclass(frozen=True)
class _File:
    """What the file holds."""

    waiting: tuple[Waiting, ...]


class Queue:
    """The runs that wait on one server; any thread may call.

    Args:
        runs: the server's, to which it gives one after the other.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.changes = 0  # goes up with each change, for those who show what waits
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        # A server that exits normally stops its run, and the next one must not begin.
        self._ended = threading.Event()
        atexit.register(self._ended.set)
        self._waiting = [one for one in _read() if not _has_begun(one)]
        # A server that was killed just after it had started a run leaves one that nobody sees yet.
        self._knows = not self._waiting
        with self._lock:
            self._go_on()

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """What waits, the next one first."""
        return tuple(self._waiting)

    def train(
        self, request: Request, resumed: Checkpoint | None = None, password: str | None = None
    ) -> str:
        """Start a run for a visitor, or let it wait for the one that is under way.

        Args:
            request: what is asked for.
            resumed: the checkpoint `request.resume`, where it has been read already.

        Returns:
            The run's name.

        Raises:
            ValueError: as `lenet.job.prepare`.
            lenet.server.visitors.NotAllowed: this visitor may not train, or not for so many epochs,
                or has runs enough that wait.
            lenet.server.runs.RunError: the folder of checkpoints cannot be written to.
        """
        return self.take(prepare(request, resumed), password)

    def take(self, job: Job, password: str | None = None) -> str:
        """The same for a job, which may teach a visitor's drawings."""
        return self._take([job], password)[0]

    def train_seeds(
        self, request: Request, seeds: Sequence[int], password: str | None = None
    ) -> list[str]:
        """The same for each of some seeds; their runs are named alike but for the seed.

        Raises:
            As `train`.
        """
        jobs = [prepare(replace(request, seed=seed)) for seed in seeds]
        group = name_of(jobs[0])
        return self._take(jobs, password, [f"{group}-seed{seed}" for seed in seeds])

    def _take(
        self, jobs: list[Job], password: str | None, names: Sequence[str] | None = None
    ) -> list[str]:
        visitors.check(password)
        for job in jobs:
            visitors.check_epochs(job)
        names = names or [name_of(job) for job in jobs]
        with self._lock:
            begun = 0
            if not self._waiting and not self.runs.current().alive:
                if len(jobs) > 1:
                    self._check_room(len(jobs) - 1)
                try:
                    visitors.begin(self.runs, jobs[0], names[0])
                    begun = 1
                except RunError:
                    if not self.runs.current().alive:
                        raise
            if len(jobs) > begun:
                self._check_room(len(jobs) - begun)
                new = [
                    Waiting(name, job.request, _who())
                    for name, job in zip(names[begun:], jobs[begun:], strict=True)
                ]
                known = {one.name for one in self._waiting} | {self.runs.current().name}
                if any(one.name in known for one in new):
                    raise RunError("This run is under way or waits already: wait for its end.")
                self._keep_drawings(names[begun:], jobs[begun:])
                self._set([*self._waiting, *new])
                self._go_on()
        return [*names]

    def _check_room(self, more: int) -> None:
        public = policy().public
        most = MOST_PUBLIC if public else MOST
        if len(self._waiting) + more > most:
            raise NotAllowed(f"{most} runs may wait on this server: take one out, or try it later.")
        own = sum(one.who == _who() for one in self._waiting)
        if public and policy().training != "owner" and own + more > EACH_PUBLIC:
            raise NotAllowed("One run of yours may wait on this server: wait until it has begun.")

    def take_out(self, name: object, password: object = None) -> None:
        """Let a run wait no longer; on a public server its visitor or the owner may say so. Who
        knows the name of one that teaches is its visitor.

        Raises:
            RunError: no such run waits: it has begun, or somebody else took it out.
            lenet.server.visitors.NotAllowed: it is somebody else's.
        """
        with self._lock:
            found = next((one for one in self._waiting if one.name == name), None)
            if found is None:
                raise RunError("This run no longer waits.")
            if policy().public and found.who != _who() and not is_own(name):
                visitors.check_owner(password)
            self._set([one for one in self._waiting if one is not found])
            path = log_of(found.name)
            if not path.exists():
                path.with_suffix(DRAWINGS).unlink(missing_ok=True)

    def _keep_drawings(self, names: Sequence[str], jobs: Sequence[Job]) -> None:
        for name, job in zip(names, jobs, strict=True):
            if job.drawings is not None:
                try:
                    keep_drawings(log_of(name), job.drawings)
                except OSError as error:
                    folder = checkpoints_folder()
                    raise RunError(f"{folder} cannot be written to: {error.strerror}.") from error

    def _set(self, waiting: list[Waiting]) -> None:
        """Change what waits, on disk first."""
        path = _path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                file.write(json.dumps(asdict(_File(tuple(waiting)))).encode())
        except OSError as error:
            raise RunError(f"{path.parent} cannot be written to: {error.strerror}.") from error
        self._waiting = waiting
        self.changes += 1

    def _go_on(self) -> None:
        """Start the thread that starts what waits, where something waits and there is none."""
        if self._waiting and self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True, name="queue")
            self._thread.start()

    def _serve(self) -> None:
        while not self._ended.wait(EVERY):
            with self._lock:
                run = self.runs.current()
                self._knows = self._knows or run.alive or _is_quiet(run)
                if self._waiting and self._knows and not run.alive:
                    self._start_next()
                if not self._waiting:
                    self._thread = None
                    return

    def _start_next(self) -> None:
        following = self._waiting[0]
        try:
            visitors.begin(self.runs, _job_of(following), following.name)
        except (ValueError, RunError, NotAllowed) as error:
            if self.runs.current().alive:  # somebody else's began just now
                return
            log.error("Run %s could not begin: %s", conceal(following.name), conceal(str(error)))
            _note_failure(following, str(error))
        with suppress(RunError):  # a full disk: it is known to have begun by its log
            self._set(self._waiting[1:])
            return
        self._waiting = self._waiting[1:]


def _job_of(one: Waiting) -> Job:
    """The run that waited.

    Raises:
        ValueError, lenet.server.runs.RunError: what it begins with is no longer there.
    """
    job = prepare(one.request)
    return replace(job, drawings=kept_drawings(one.name)) if is_own(one.name) else job


def _is_quiet(run: Run) -> bool:
    """Whether a run's log has not changed for so long that its process would have been seen."""
    try:
        changed = log_of(str(run.name)).stat().st_mtime
    except OSError:
        return True
    return not 0 <= time.time() - changed < UNSEEN


def _note_failure(one: Waiting, message: str) -> None:
    """Leave a log that says why a run could not begin, where it has no log of its own yet."""
    path = log_of(one.name)
    if not path.exists():
        with suppress(LogError):
            EventLog(path).append(Error(elapsed=0.0, kind="QueueError", message=message))


def _has_begun(one: Waiting) -> bool:
    """Whether a run that waited was started before the server was killed; one that goes on has had
    its log before.
    """
    goes_on = one.request == Request(resume=one.request.resume) and one.request.resume
    return not goes_on and log_of(one.name).exists()


def _who() -> str:
    """Who asks, as a hash: the file holds nobody's address."""
    return sha256(_SALT + visitor.get().encode()).hexdigest()[:16]


_SALT = secrets.token_bytes(16)  # after a restart only the owner takes out what waited


def _path() -> Path:
    return checkpoints_folder() / ".queue"


def _read() -> list[Waiting]:
    try:
        return list(build(_File, json.loads(_path().read_bytes())).waiting)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        log.error("The runs that waited could not be read: %s", error)
        return []
