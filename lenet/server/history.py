"""The runs that a server has, the latest and the earlier ones: read from their logs, renamed and
deleted.

A log is read once, and again when it has changed. One that is damaged, empty or of a newer version
is a run like the others that says so. What somebody calls a run is the text of a file beside its
log; no name that is sent becomes a path unless a log of that name is there. Runs that teach
somebody's hand belong to their visitors and are in no list. This file knows nothing of pages or of
who may delete.
"""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lenet.checkpoint import SHIPPED
from lenet.events import (
    Done,
    Ending,
    Epoch,
    Error,
    Event,
    LogError,
    Start,
    Stopped,
    latest,
    read_log,
)
from lenet.files import checkpoints_folder, replacing
from lenet.film import SUFFIX
from lenet.server.recognizers import is_own
from lenet.server.runs import DRAWINGS, EVERY, LOG, TITLE, Run, Runs, State, state_of

LONGEST = 60  # characters of a title
PATIENCE = 30  # seconds for a run to stop before it is deleted

_FILES = (".pt", LOG, SUFFIX, DRAWINGS, TITLE)  # of a run
_NAME = re.compile(r"(\w+)-\w+-\d{8}-\d{6}-([0-9a-f]{4})(-seed\d+)?")  # as runs are named
_SEED = re.compile(r"(.+)-seed\d+")  # the name of a run of several that differ in their seed


class HistoryError(ValueError):
    """What cannot be done with a run: one sentence that says why."""


@dataclass(frozen=True)
class Summary:
    """What a log tells of its run.

    Attributes:
        start: of the process that trained last; None where none has begun.
        epochs: that are done.
        accuracy: the share of the test images that were read right after them, 0..1.
        seconds: of training.
        ending: how it ended; None where the log breaks off, or the run goes on.
        damage: why the log cannot be read, or what it lacks; empty where it is whole.
    """

    start: Start | None = None
    epochs: int = 0
    accuracy: float | None = None
    seconds: float = 0.0
    ending: Ending | None = None
    damage: str = ""


@dataclass(frozen=True)
class Past:
    """A run of this server, as it is now.

    Attributes:
        name: of its log and its checkpoint, without folder and ending.
        title: what it is called.
        state: damaged where its log cannot be read.
        summary: of its log.
        message: why it failed, or what is wrong with its log.
        changed: when its log was last written to, seconds since 1970.
        network: the file name of its checkpoint; None where that is gone, or was never written.
    """

    name: str
    title: str
    state: State | Literal["damaged"]
    summary: Summary
    message: str
    changed: float
    network: str | None

    @property
    def alive(self) -> bool:
        return self.state in ("starting", "running", "stopping")

    @property
    def group(self) -> str | None:
        """What the runs of one setting with several seeds have in common."""
        found = _SEED.fullmatch(self.name)
        return found[1] if found else None


def summarize(events: Sequence[Event]) -> Summary:
    """What the events of a log tell of their run."""
    if not events:
        return Summary(damage="Its log is empty.")
    start, epoch, last = latest(events, Start), latest(events, Epoch), events[-1]
    if start is None and not isinstance(last, Ending):
        return Summary(damage="Its log has no beginning.")
    told = last.test_accuracy if isinstance(last, Done | Stopped) else None
    begun = start.epoch if start else 0
    return Summary(
        start,
        max(begun, epoch.epoch) if epoch else begun,
        epoch.test_accuracy if told is None and epoch else told,
        last.elapsed,
        last if isinstance(last, Ending) else None,
    )


_changes = 0


def changes() -> int:
    """How many runs this server has renamed or deleted."""
    return _changes


def _count_change() -> None:
    global _changes
    _changes += 1


def all_runs(runs: Runs) -> list[Past]:
    """The runs of this server, the newest first."""
    found: dict[str, os.stat_result] = {}
    networks, titles = set(), set()
    with suppress(OSError), os.scandir(checkpoints_folder()) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)
            if suffix == ".pt":
                networks.add(stem)
            elif suffix == TITLE:
                titles.add(stem)
            elif suffix == LOG and not stem.startswith(".") and not is_own(stem):
                with suppress(FileNotFoundError):  # it has just been removed
                    found[stem] = entry.stat()
    for path in _summaries.keys() - {_path(name, LOG) for name in found}:
        _summaries.pop(path, None)
    current = runs.current()
    past = [
        _past(
            current,
            name,
            called(name) if name in titles else _short(name),
            stat,
            name in networks,
        )
        for name, stat in found.items()
    ]
    return sorted(past, key=lambda run: (run.changed, run.name), reverse=True)


def _past(current: Run, name: str, title: str, stat: os.stat_result, has_network: bool) -> Past:
    summary = _summary(_path(name, LOG), stat.st_mtime_ns, stat.st_size)
    if current.name == name and (current.alive or not summary.damage):
        state, message = current.state, current.message
    elif summary.damage:
        state, message = "damaged", summary.damage
    else:
        ending = summary.ending
        events = (ending,) if ending else ()
        state = state_of(events, begun=True, alive=False, asked=False, exit_code=None)
        message = ending.message if isinstance(ending, Error) else ""
        if ending is None:
            message = "It broke off: its log has no end."
    network = f"{name}.pt" if has_network else None
    return Past(name, title, state, summary, message, stat.st_mtime, network)


_summaries: dict[Path, tuple[int, int, Summary]] = {}  # by log: its time, its size, what it tells


def _summary(path: Path, changed: int, size: int) -> Summary:
    kept = _summaries.get(path)
    if kept is None or kept[:2] != (changed, size):
        try:
            summary = summarize(read_log(path))
        except LogError as error:
            summary = Summary(damage=str(error))
        kept = _summaries[path] = (changed, size, summary)
    return kept[2]


def _title(name: str) -> str:
    try:
        return titled(_path(name, TITLE).read_text(errors="replace"))
    except OSError:
        return ""


def called(name: str) -> str:
    """What a run is called: its title, or where it has none a short form of its name."""
    return _title(name) or _short(name)


def _short(name: str) -> str:
    found = _NAME.fullmatch(name)
    return " ".join(filter(None, found.groups())).replace(" -seed", ", seed ") if found else name


def events_of(runs: Runs, name: object) -> tuple[Event, ...]:
    """The events of a run by its name.

    Raises:
        HistoryError: there is no such run, or its log cannot be read.
    """
    name = checked(name)
    current = runs.current()
    if current.name == name and current.events:
        return current.events
    try:
        return tuple(read_log(_path(name, LOG)))
    except LogError as error:
        raise HistoryError(str(error)) from error


def checked(name: object) -> str:
    """The name of a run that everybody may see.

    Raises:
        HistoryError: there is no such run.
    """
    with suppress(OSError):
        logs = {path.name for path in checkpoints_folder().glob(f"[!.]*{LOG}")}
        if isinstance(name, str) and f"{name}{LOG}" in logs and not is_own(name):
            return name
    raise HistoryError("This run is no longer there.")


def titled(text: object) -> str:
    """A text as a title: one line of printable characters, cut at the longest that is kept."""
    words = " ".join(text.split()) if isinstance(text, str) else ""
    return "".join(filter(str.isprintable, words))[:LONGEST].strip()


def rename(name: object, text: object) -> None:
    """Call a run something; an empty text gives it its own name back.

    Raises:
        HistoryError: there is no such run, or its folder cannot be written to.
    """
    path, title = _path(checked(name), TITLE), titled(text)
    try:
        if title:
            with replacing(path) as file:
                file.write(title.encode(errors="replace"))
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise HistoryError(f"The name could not be kept: {error.strerror}.") from error
    _count_change()


def delete(runs: Runs, name: object) -> None:
    """Delete a run's files, its network with them; one that is under way is stopped first.

    Raises:
        HistoryError: there is no such run, it is the shipped network's, or it does not stop.
    """
    name = checked(name)
    if _path(name, ".pt") == SHIPPED:
        raise HistoryError("The shipped network stays: it cannot be deleted.")
    end = time.monotonic() + PATIENCE
    while (run := runs.current()).name == name and run.alive:
        runs.stop()
        if time.monotonic() > end:
            raise HistoryError("This run does not stop: try it again in a minute.")
        time.sleep(EVERY)
    runs.forget(name)
    try:
        for suffix in _FILES:
            _path(name, suffix).unlink(missing_ok=True)
    except OSError as error:
        raise HistoryError(f"{name} could not be deleted: {error.strerror}.") from error
    _count_change()


def _path(name: str, suffix: str) -> Path:
    return checkpoints_folder() / f"{name}{suffix}"
