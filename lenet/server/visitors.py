"""What visitors may do on a public server: who trains, for how long, and what is kept of it.

On one's own machine nothing is restricted. A server is public on a Hugging Face Space (`SPACE_ID`
is set there), or where its owner says in `LENET_TRAINING` who may train. This file knows nothing of
pages or of HTTP.
"""

import hmac
import math
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

from lenet.checkpoint import SHIPPED, SUFFIXES
from lenet.files import checkpoints_folder
from lenet.job import Job
from lenet.server.recognizers import is_own
from lenet.server.runs import DRAWINGS, LOG, TITLE, Runs, latest_log
from lenet.server.shares import Allowance

KEPT = 20  # runs, as many uploads and as many taught networks, in a public server's folder
KEPT_BYTES = 40 << 20  # of each of the three

UPLOADED = "upload-"  # how the names of uploads begin

_wrong = Allowance(each=5, seconds=5)  # wrong passwords: nobody tries thousands


class NotAllowed(RuntimeError):
    """What the owner of this server does not allow this visitor: one sentence."""


@dataclass(frozen=True)
class Policy:
    """What the owner of the server set.

    Attributes:
        training: anyone, owner or off.
        password: the owner's; empty where none is needed.
        epochs: the most that one run may take.
        minutes: how long a run may take.
        public: whether what strangers leave is kept to a number and a size.
    """

    training: str = "anyone"
    password: str = ""
    epochs: float = math.inf
    minutes: float = math.inf
    public: bool = False


def policy() -> Policy:
    """What the environment variables set.

    Raises:
        ValueError: a variable is unusable; one sentence with the variable and what it takes.
    """
    training = os.environ.get("LENET_TRAINING", "")
    if training not in ("", "anyone", "owner", "off"):
        raise ValueError(f"LENET_TRAINING is {training!r}: choose anyone, owner or off.")
    if not training and not os.environ.get("SPACE_ID"):
        return Policy()
    password = os.environ.get("LENET_PASSWORD", "")
    if training == "owner" and not password:
        raise ValueError("LENET_TRAINING is 'owner' but LENET_PASSWORD is not set: set it too.")
    epochs, minutes = _limit("LENET_MAX_EPOCHS", 30), _limit("LENET_MAX_MINUTES", 20)
    return Policy(training or "anyone", password, epochs, minutes, public=True)


def _limit(variable: str, default: float) -> float:
    text = os.environ.get(variable) or str(default)
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise ValueError(f"{variable} is {text!r}: give a number above 0.")
    return limit


# ---------------------------------------------------------------- training


def begin(runs: Runs, job: Job, name: str | None = None) -> str:
    """Start a run whose visitor may train (`check`), and stop it when its time is up.

    Args:
        name: that the run gets, where it has one already.

    Returns:
        The run's name.

    Raises:
        NotAllowed: training is off, or not for so many epochs.
        lenet.server.runs.RunError: as `Runs.start`.
    """
    _check_open()
    check_epochs(job)
    return runs.start(job, policy().minutes, ended=tidy, name=name)


def check_epochs(job: Job) -> None:
    """Raise NotAllowed where a run would take more epochs than this server gives to one."""
    most = policy().epochs
    if job.epochs > most:
        raise NotAllowed(
            f"{job.epochs} epochs are more than this server trains for in one run: choose 1 to "
            f"{most:g}."
        )


def stop(runs: Runs, password: str | None = None) -> None:
    """Stop the run for a visitor.

    Raises:
        NotAllowed: this visitor may not train.
    """
    check(password)
    runs.stop()


def check(password: str | None) -> None:
    """Raise NotAllowed where this visitor may not train."""
    _check_open()
    if policy().training == "owner" and not _opens(password):
        raise NotAllowed("Only the owner of this server trains here: give the password.")


def _check_open() -> None:
    if policy().training == "off":
        raise NotAllowed("Training is off on this server: train on a machine of your own.")


def check_owner(password: object) -> None:
    """Raise NotAllowed where this visitor may not change what others have left: on a public server
    only its owner may, on one's own machine everybody.
    """
    rules = policy()
    if rules.public and not rules.password:
        raise NotAllowed("Nobody renames or deletes here: this server's owner has set no password.")
    if rules.public and not _opens(password):
        raise NotAllowed("Only the owner of this server may do this: give the password.")


def _opens(password: object) -> bool:
    """Whether this is the owner's password; NotAllowed after too many wrong ones."""
    if _wrong.spend(0):
        raise NotAllowed("These were too many wrong passwords: try again in some seconds.")
    given = password if isinstance(password, str) else ""
    if hmac.compare_digest(given.encode(errors="replace"), policy().password.encode()):
        return True
    _wrong.spend(1)
    return False


# ---------------------------------------------------------------- checkpoints


def tidy() -> None:
    """Remove a public server's oldest runs, uploads and taught networks, until each are few and
    small enough: what strangers upload or teach costs nobody a run.

    The shipped network and the latest run stay whatever happens.
    """
    if not policy().public:
        return
    kept = latest_log()
    latest = kept.stem if kept else None
    runs, uploads, taught = defaultdict(list), defaultdict(list), defaultdict(list)
    with suppress(FileNotFoundError):  # no such folder yet
        for path in checkpoints_folder().iterdir():
            if path.suffix in (*SUFFIXES, LOG, DRAWINGS, TITLE) and path != SHIPPED:
                kind = uploads if path.name.startswith(UPLOADED) else runs
                kind = taught if is_own(path.stem) else kind
                with suppress(FileNotFoundError):  # another thread was quicker
                    status = path.stat()
                    kind[path.stem].append((status, path))
    for kind in (runs, uploads, taught):
        newest_first = sorted(kind.values(), key=lambda run: -max(s.st_mtime_ns for s, _ in run))
        size = 0
        for count, run in enumerate(newest_first, 1):
            size += sum(status.st_size for status, _ in run)
            if (count > KEPT or size > KEPT_BYTES) and run[0][1].stem != latest:
                for _, path in run:
                    path.unlink(missing_ok=True)
