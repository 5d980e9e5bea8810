"""Train LeNet: a run as a stream of events, and the command line.

`python -m lenet.train --help` shows how to use it. `lenet.events` defines the events: a
`Start` and a `Saved`, a `Batch` every 100 batches, an `Epoch` and a `Saved` after each epoch, more
`Saved` between them, and last exactly one `Done`, `Stopped` or `Error`. This file knows nothing of
pages or of who follows a run.
"""

import argparse
import ctypes
import math
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import asdict, replace
from pathlib import Path

from tqdm import tqdm

from lenet.checkpoint import CheckpointError, write
from lenet.data import DataError, DataSet, damage, hold_out, load
from lenet.distributed import Team
from lenet.drawings import Drawn, load_drawings, to_tensors
from lenet.events import (
    Batch,
    Done,
    Error,
    Event,
    EventLog,
    LogError,
    Saved,
    Start,
    Stopped,
    line,
)
from lenet.files import checkpoints_folder
from lenet.job import Job, prepare
from lenet.recipes import RECIPES
from lenet.settings import DATA_SETS, Request
from lenet.teach import what_changed
from lenet.trainer import Trainer, TrainingError

LOOK_EVERY = 0.05  # seconds between two questions whether to stop, while data load
PATIENCE = 0.5  # seconds for a thread that draws digits to end


def train(
    job: Job,
    out: Path | str,
    stop: Callable[[], bool] = lambda: False,
    begun: Callable[[Trainer], None] = lambda trainer: None,
) -> Iterator[Event]:
    """Train, and yield the run's events, the last of them `Done`, `Stopped` or `Error`.

    Args:
        job: what is trained, from what.
        out: the checkpoint that is written at the start, every few seconds, after each epoch and
            at the end; it may be the one resumed from.
        stop: asked after every batch, and before the first one while data load; True ends the run,
            with a checkpoint where it has begun.
        begun: given the trainer before the first event, to look at it at every event.
    """
    elapsed = 0.0
    try:
        for event in _train(job, Path(out), stop, begun):
            elapsed = event.elapsed
            yield event
        return
    except (ValueError, RuntimeError, OSError) as error:
        kind, message = type(error).__name__, str(error)
    except MemoryError as error:
        kind = type(error).__name__
        message = "The machine ran out of memory: choose a smaller batch size."
    yield Error(elapsed=elapsed, kind=kind, message=message)


def _train(
    job: Job, out: Path, stop: Callable[[], bool], begun: Callable[[Trainer], None]
) -> Iterator[Event]:
    keep_freed_memory()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"The checkpoint {out} could not be written: {error.strerror}."
        ) from error
    settings, before = job.settings, job.resumed.run if job.resumed else None
    team = Team()
    teaches = RECIPES[settings.recipe].teaches
    try:
        data = _load(settings.data, stop)
    except DataError:
        if not teaches:
            raise
        data = _load("synthetic", stop)  # any digits keep the network from forgetting
    if data is None:
        yield Stopped(
            elapsed=before.elapsed if before else 0.0,
            test_accuracy=job.resumed.accuracy if job.resumed else None,
            checkpoint=str(out) if out.exists() else None,
        )
        team.leave()
        return
    settings = replace(settings, data=data.name)
    if settings.hold_out:
        data = hold_out(data)
    if settings.damages:
        data = damage(data, settings.training_images, settings.wrong_labels, settings.seed)
    drawn = drawings_of(job)
    trainer = Trainer(settings, data, drawn, team)
    if job.resumed:
        trainer.restore(job.resumed, own_rate=job.request.learning_rate is not None)

    def save() -> Saved:
        if team.leads:
            write(trainer.checkpoint(), out)
        return Saved(elapsed=trainer.progress.elapsed, path=str(out))

    begun(trainer)
    yield _start_event(job, trainer)
    yield save()
    try:
        yield from trainer.events(stop, save)
    except RuntimeError as error:
        if team.size == 1 or isinstance(error, TrainingError):
            raise
        raise TrainingError(
            f"Training by {team.size} processes broke off, perhaps because one of them ended; the "
            f"last checkpoint is kept. The error here: {error}"
        ) from error
    yield save()
    if teaches and trainer.progress.finished:
        changed = what_changed(trainer, data, drawn, stop)
        if changed:
            yield changed
    elapsed, accuracy = trainer.progress.elapsed, trainer.accuracy
    if trainer.progress.finished and accuracy is not None:
        yield Done(elapsed=elapsed, test_accuracy=accuracy, checkpoint=str(out))
    else:
        yield Stopped(elapsed=elapsed, test_accuracy=accuracy, checkpoint=str(out))
    team.leave()


def drawings_of(job: Job) -> Drawn:
    """The drawings that a job's network learns from.

    Raises:
        lenet.drawings.DrawingsError: a file of them cannot be read.
    """
    if job.drawings is not None:
        return to_tensors(job.drawings)
    settings = job.settings
    others = RECIPES[settings.recipe].others > 0
    return load_drawings(settings.drawings, settings.skip_bad, others)


def _load(name: str, stop: Callable[[], bool]) -> DataSet | None:
    """A data set, or None where `stop` comes first.

    A thread loads it, since nothing interrupts a download: that thread ends with the process.
    """
    found: Future[DataSet] = Future()
    left = threading.Event()

    def work() -> None:
        try:
            found.set_result(load(name, left.is_set))
        except BaseException as error:
            found.set_exception(error)

    thread = threading.Thread(target=work, daemon=True, name="load")
    thread.start()
    while not wait([found], LOOK_EVERY).done:
        if stop():
            left.set()
            thread.join(PATIENCE)
            return None
    return found.result()


def _start_event(job: Job, trainer: Trainer) -> Start:
    settings, run = asdict(trainer.settings), trainer.progress
    resumed = job.resumed.run if job.resumed else None
    before = asdict(resumed.settings) if resumed else settings
    return Start(
        elapsed=run.elapsed,
        **settings,
        epoch=run.epoch,
        batch=run.batch,
        step=run.step,
        pid=os.getpid(),
        device=str(trainer.team.device),
        parameters=sum(p.numel() for p in trainer.network.parameters()),
        images=len(trainer.frames),
        bad_lines=trainer.bad_lines,
        batches=math.ceil(len(trainer.frames) / job.settings.batch_size),
        resumed_from=job.request.resume,
        changed=tuple(
            f"{name} {before[name]} → {value}"
            for name, value in settings.items()
            if value != before[name]
        ),
    )


def keep_freed_memory() -> None:
    """Let glibc keep freed memory: every batch allocates and frees activations of megabytes, and
    giving them back to the kernel each time costs a third of an epoch in page faults.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD
        libc.mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD, at its largest
    except (OSError, AttributeError):
        pass  # another C library: slower, not wrong


# ---------------------------------------------------------------- the command line


class Stop:
    """Becomes true at SIGTERM or Ctrl-C; a second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._ask)

    def _ask(self, signal_number: int, frame: object) -> None:
        if self.asked:
            os._exit(128 + signal_number)
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


def new_name(recipe: str, data: str, secret: int = 2) -> str:
    """A name for a run that begins now, without folder and ending.

    Args:
        secret: how many random bytes end it: two tell runs of the same second apart, 16 let nobody
            guess it.
    """
    return f"{recipe}-{data}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(secret)}"


def data_of(name: str) -> str | None:
    """The data set in a run's name, or None where `new_name` did not make it."""
    parts = name.split("-")
    return parts[1] if len(parts) > 1 and parts[1] in DATA_SETS else None


def main(arguments: list[str] | None = None) -> int:
    """Train as the command line says; 0 where the run ended or was stopped, 1 where it failed."""
    options = _parser().parse_args(arguments)
    drawings = tuple(options.drawings) if options.drawings else None
    request = Request(
        recipe=options.recipe,
        data=options.data,
        drawings=drawings,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.lr,
        seed=options.seed,
        hold_out=options.hold_out or None,
        skip_bad=options.skip_bad or None,
        training_images=options.images,
        wrong_labels=options.wrong_labels,
        resume=options.resume,
    )
    name = new_name(options.recipe or "fast", options.data or "mnist")
    out = Path(options.out or checkpoints_folder() / f"{name}.pt")
    leads = int(os.environ.get("RANK", 0)) == 0
    try:
        log = EventLog(options.log) if options.log and leads else None
        with tqdm(unit=" batches", disable=not (leads and sys.stderr.isatty()), leave=False) as bar:
            failed = False
            start = None
            for event in _events(request, out):
                if log:
                    log.append(event)
                if isinstance(event, Start):
                    start = event
                if leads:
                    _show(event, start, bar)
                failed = isinstance(event, Error)
    except LogError as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if failed else 0


def _events(request: Request, out: Path) -> Iterator[Event]:
    """The events of the run that is asked for; of one that cannot begin, why not."""
    stop = Stop()
    try:
        job = prepare(request)
    except ValueError as error:
        yield Error(elapsed=0.0, kind=type(error).__name__, message=str(error))
    else:
        yield from train(job, out, stop)


def _show(event: Event, start: Start | None, bar: tqdm) -> None:
    """Print an event's line, and move the progress bar where there is a terminal."""
    if isinstance(event, Start):
        bar.reset(total=event.epochs * event.batches)
        bar.update(event.epoch * event.batches + event.batch)
    elif isinstance(event, Batch) and start:
        bar.update((event.epoch - 1) * start.batches + event.batch - bar.n)
    text = line(event)
    if text:
        bar.write(text, file=sys.stderr if isinstance(event, Error) else sys.stdout)
        sys.stdout.flush()
    if isinstance(event, Done | Stopped):
        accuracy = event.test_accuracy
        known = f"{accuracy:.2%} of the test images right; " if accuracy is not None else ""
        print(f"{known}checkpoint {event.checkpoint}" if event.checkpoint else "nothing was learnt")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lenet.train",
        description="Train LeNet and write a checkpoint.\n"
        "Ctrl-C stops after the current batch and keeps what was learnt; --resume goes on from it.",
        epilog="recipes:\n"
        + "\n".join(f"  {name:9} {r.epochs:2} epochs: {r.about}" for name, r in RECIPES.items())
        + "\n\nOn several processors: torchrun --nproc-per-node N -m -- lenet.train …",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--recipe", choices=RECIPES, help="how to train (default: fast)")
    add("--data", choices=DATA_SETS, help="what to train on (default: mnist)")
    add("--drawings", action="append", metavar="FILE", help="mix in a drawings file; repeatable")
    add("--epochs", type=int, metavar="N", help="passes over the data; with --resume, N more")
    add("--batch-size", type=int, metavar="N", help="images a step")
    add("--lr", type=float, metavar="X", help="learning rate, or its peak")
    add("--seed", type=int, metavar="N", help="of all that is random (default: 0)")
    add(
        "--hold-out",
        action="store_true",
        help="test on the last 10,000 training images, held out, to choose settings by",
    )
    add("--images", type=int, metavar="N", help="training images of the data set (default: all)")
    add("--wrong-labels", type=float, metavar="X", help="percent of their labels that are wrong")
    add("--skip-bad", action="store_true", help="leave bad lines of drawings files out")
    add(
        "--resume",
        metavar="CHECKPOINT",
        help="go on from a checkpoint or a bare .pth; without further options, to the end of its "
        "run as if it had never stopped",
    )
    add("--out", metavar="CHECKPOINT", help="the file to write (default: a new one by its date)")
    add("--log", metavar="FILE", help="write the events as JSON lines; a resumed run continues it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
