"""What the Train tab says of a run: its status line, its bar and its log.

Functions of what the server tells of the run; this file knows nothing of Gradio.
"""

import html
from collections.abc import Sequence
from typing import NamedTuple

from lenet.events import Batch, Done, Epoch, Event, Saved, Start, latest, line
from lenet.server.data_sets import Waiting
from lenet.server.runs import Run


class Status(NamedTuple):
    """The status line, which begins with the run's state, and the share 0..1 of the bar, if any."""

    text: str
    share: float | None = None


def status(run: Run, data: Waiting | None = None, closed: bool = False, waiting: int = 0) -> Status:
    """What the tab says of a run.

    Args:
        run: the latest one.
        data: how far its data have been loaded, where it waits for them.
        closed: whether training is off on this server.
        waiting: how many runs wait for its end.
    """
    told = _status(run, data, closed)
    if not waiting:
        return told
    if not run.alive:
        return Status("waiting: the next run begins in a moment")
    runs = "1 run waits" if waiting == 1 else f"{waiting} runs wait"
    return told._replace(text=f"{told.text}; {runs}")


def _status(run: Run, data: Waiting | None, closed: bool) -> Status:
    match run.state:
        case "idle" if closed:
            return Status("idle: training is off on this server")
        case "idle":
            return Status("idle: press Train to train a LeNet from nothing")
        case "starting" if data and data["share"] is not None:
            percent = f"{100 * data['share']:.0f} %"
            return Status(f"starting: {_lower(data['text'])}, {percent}", data["share"])
        case "starting":
            return Status("starting: loading the data")
        case "running":
            return _running(run.events)
        case "stopping":
            return Status("stopping…")
        case "stopped" if latest(run.events, Saved):
            return Status("stopped: Resume goes on where it stopped")
        case "stopped":
            return Status("stopped: nothing was learnt yet")
        case "finished":
            return Status(_finished(run.events))
        case "failed":
            return Status(f"failed: {run.message}")
    raise ValueError(f"There is no state {run.state!r} of a run.")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _running(events: Sequence[Event]) -> Status:
    """Which epoch, how long to go, and the share that is done."""
    start = None
    begun = done = elapsed = 0  # batches when the process started, batches by now, seconds by now
    for event in events:
        if isinstance(event, Start):
            start = event
            begun = done = event.epoch * event.batches + event.batch
        elif start and isinstance(event, Batch):
            done, elapsed = (event.epoch - 1) * start.batches + event.batch, event.elapsed
        elif start and isinstance(event, Epoch):
            done, elapsed = event.epoch * start.batches, event.elapsed
    if start is None:
        return Status("running")
    total = start.epochs * start.batches
    epoch = min(done // start.batches + 1, start.epochs)
    text = f"running: epoch {epoch} of {start.epochs}"
    if done > begun:
        rate = (done - begun) / max(elapsed - start.elapsed, 1e-9)
        text += f", {_duration((total - done) / rate)} to go"
    return Status(text, done / total)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _finished(events: Sequence[Event]) -> str:
    done = latest(events, Done)
    if done is None:
        return "finished"
    return (
        f"finished: {done.test_accuracy:.2%} of the test images read right after "
        f"{done.elapsed:.1f} s of training"
    )


# ---------------------------------------------------------------- in HTML


# The ids are inside: Gradio puts a clock of its own beside the content of a component.


def status_html(status: Status) -> str:
    """The status line and, where it has a share, its bar."""
    share = status.share
    bar = (
        "" if share is None else f'<progress value="{share:.4f}" aria-label="progress"></progress>'
    )
    return f'<div id="train-status" role="status"><p>{html.escape(status.text)}</p>{bar}</div>'


def log_html(events: Sequence[Event]) -> str:
    """The run's log in the words of the lesson."""
    lines = "\n".join(text for event in events if (text := line(event)))
    return f'<pre id="train-log" tabindex="0" aria-label="log">{html.escape(lines)}</pre>'
