"""The table of all runs in the Train tab: what they were trained with, how they went, and what can
be done with each.

The page (`runs_table.html`, `runs_table.js`) asks for it at plain addresses, when its tab is opened
and when a run begins or ends. `lenet.server.history` knows the runs; this file puts them into rows,
curves and files, and lets visitors do what `lenet.server.visitors` allows.
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args
from urllib.parse import quote

import gradio as gr
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lenet.checkpoint import read
from lenet.events import (
    Batch,
    Done,
    Epoch,
    Event,
    Saved,
    Start,
    Stopped,
    latest,
    to_json,
)
from lenet.files import checkpoints_folder
from lenet.job import settle
from lenet.recipes import RECIPES
from lenet.server import history, visitors
from lenet.server.history import HistoryError, Past
from lenet.server.queue import Queue, Waiting
from lenet.server.recognizers import conceal, is_own
from lenet.server.shares import QUICK, SLOW, Crowded, Lane
from lenet.settings import ALL_IMAGES, Settings
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.requests import Request, answering, in_turn, refusing_request
from lenet.ui.train.curves import curves
from lenet.ui.train.resume import epochs_offered, request_to_resume, words_of_resuming

MOST = 8  # runs that are compared: nobody can tell more colours apart
DELETING = Lane(10)  # one that is under way takes seconds to stop
MOST_IN_FILE = 50  # runs of a CSV file: eight groups of five seeds, and some

CSV = "text/csv; charset=utf-8"
LOG = "application/jsonl"


class Setting(TypedDict):
    """What a run is trained with, as far as the table shows it."""

    recipe: str
    data: str
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


class Row(TypedDict):
    """A run in the table.

    `name` is its own and `title` what it is called; `group` is what runs that differ in their seed
    have in common, else empty. `done` are whole epochs, `accuracy` 0..1, `when` milliseconds since
    1970. `network` is the file name of its checkpoint and `resume` says where it would go on; both
    are empty where there is none. `message` says why it failed or cannot be read.
    """

    name: str
    title: str
    group: str
    setting: Setting | None
    done: int
    accuracy: float | None
    seconds: float | None
    state: str
    message: str
    when: float | None
    network: str
    resume: str


class Table(TypedDict):
    """All rows: what waits, the next one first, then the runs, the newest first."""

    rows: list[Row]


def build(queue: Queue, network: gr.Dropdown) -> gr.HTML:
    """Build the table.

    Args:
        queue: the server's.
        network: the Draw tab's dropdown.

    Returns:
        The view, whose events `draw` and `results` ask for these tabs. It asks for the table anew
        when its value, `version(queue)`, changes.
    """
    actions = _Actions(queue)
    rules = visitors.policy()
    view = gr.HTML(
        html_template=template("train/runs_table.html"),
        js_on_load=mounting("train/runs_table.js", "draw", "results", "acted"),
        server_functions=[
            in_turn(QUICK, answering(actions.rename_run)),
            in_turn(DELETING, answering(actions.delete_run)),
            in_turn(QUICK, answering(actions.resume_run)),
            in_turn(QUICK, answering(actions.take_out_run)),
        ],
        elem_id="runs",
        apply_default_css=False,
        training=rules.training,
        owner=("anyone" if not rules.public else "password" if rules.password else "nobody"),
        most=MOST,
    )
    view.draw(_chosen, view, network, **QUIET)
    return view


def _chosen(value: Any) -> Any:
    """The network that a row's button names."""
    name = value.get("draw") if isinstance(value, dict) else None
    return gr.update(value=name) if isinstance(name, str) else gr.skip()


def version(queue: Queue) -> str:
    """A text that changes when a run begins, ends or waits, is renamed or deleted."""
    run = queue.runs.current()
    return f"{conceal(str(run.name))} {run.state} {changes(queue)}"


def changes(queue: Queue) -> str:
    """A text that changes when a run waits or is taken out, renamed or deleted."""
    return f"{queue.changes} {history.changes()}"


# ---------------------------------------------------------------- rows


def table(queue: Queue) -> Table:
    """The rows of all runs."""
    waiting = [_waiting_row(one) for one in queue.waiting if not is_own(one.name)]
    return {"rows": waiting + [_row(past) for past in history.all_runs(queue.runs)]}


def _row(past: Past) -> Row:
    summary, start = past.summary, past.summary.start
    resume = ""
    if start and past.network and not past.alive and not RECIPES[start.recipe].teaches:
        resume = words_of_resuming(summary.epochs, start.epochs)
    message = past.message
    if start and not past.network and not past.alive:
        gone = "Its network is gone: nobody can draw with it or resume it."
        message = f"{message} {gone}".strip()
    return {
        "name": past.name,
        "title": past.title,
        "group": past.group or "",
        "setting": _setting(start) if start else None,
        "done": summary.epochs,
        "accuracy": summary.accuracy,
        "seconds": summary.seconds if start else None,
        "state": past.state,
        "message": conceal(message),
        "when": round(1000 * past.changed),
        "network": past.network or "",
        "resume": resume,
    }


def _setting(settled: Settings | Start) -> Setting:
    data = " and ".join([settled.data, *(Path(path).name for path in settled.drawings)])
    if settled.training_images < ALL_IMAGES:
        data += f", {settled.training_images:,} images"
    if settled.wrong_labels:
        data += f", {settled.wrong_labels:g} % wrong"
    return {
        "recipe": settled.recipe,
        "data": data,
        "epochs": settled.epochs,
        "batch_size": settled.batch_size,
        "learning_rate": settled.learning_rate,
        "seed": settled.seed,
    }


def _waiting_row(one: Waiting) -> Row:
    resumed = one.request.resume
    return {
        "name": one.name,
        "title": f"{history.called(Path(resumed or one.name).stem)}{' goes on' * bool(resumed)}",
        "group": "",  # each can be taken out
        "setting": None if resumed else _setting(settle(one.request)),
        "done": 0,
        "accuracy": None,
        "seconds": None,
        "state": "waiting",
        "message": "",
        "when": None,
        "network": "",
        "resume": "",
    }


# ---------------------------------------------------------------- what can be done


class Acted(TypedDict):
    """The run with which something was done."""

    run: str


class _Actions:
    """What a row's buttons call; each `password` is the owner's, where one is needed."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue

    def rename_run(self, request: Request) -> Acted:
        """Call the `run` what `title` says."""
        with refusing_request():
            visitors.check_owner(request.get("password"))
            history.rename(request.get("run"), request.get("title"))
        return _acted(request)

    def delete_run(self, request: Request) -> Acted:
        """Delete the `run` with its network."""
        with refusing_request():
            visitors.check_owner(request.get("password"))
            history.delete(self.queue.runs, request.get("run"))
        return _acted(request)

    def resume_run(self, request: Request) -> Acted:
        """Go on with the `run`: to its end, or for some more epochs."""
        with refusing_request():
            name = history.checked(request.get("run"))
            checkpoint = read(checkpoints_folder() / f"{name}.pt")
            start = latest(history.events_of(self.queue.runs, name), Start)
            recipe, data = (start.recipe, start.data) if start else ("fast", "mnist")
            asked = request_to_resume(checkpoint, epochs_offered(checkpoint), recipe, data)
            return {"run": self.queue.train(asked, checkpoint, request.get("password"))}

    def take_out_run(self, request: Request) -> Acted:
        """Let the `run` wait no longer."""
        with refusing_request():
            self.queue.take_out(request.get("run"), request.get("password"))
        return _acted(request)


def _acted(request: Request) -> Acted:
    return {"run": str(request.get("run"))}


# ---------------------------------------------------------------- files


Metric = Literal[
    "epoch",
    "seconds",
    "loss",
    "learning_rate",
    "images_per_second",
    "train_loss",
    "test_loss",
    "test_accuracy",
    "train_accuracy",
]
_METRICS: tuple[Metric, ...] = get_args(Metric)


def to_csv(runs: dict[str, tuple[Event, ...]]) -> str:
    """Runs as a table with a line for each `step`, which is the number of batches.

    A run alone has a column for each metric. Several have theirs side by side, named RUN/METRIC,
    which a tracker such as Trackio groups by the run.

    Args:
        runs: their events, by their names in it.
    """
    measured = {title: _steps(events) for title, events in runs.items()}
    columns = [
        (title, metric)
        for title, steps in measured.items()
        for metric in _METRICS
        if any(metric in values for values in steps.values())
    ]
    file = io.StringIO()
    writer = csv.writer(file)
    names = [metric if len(runs) == 1 else f"{title}/{metric}" for title, metric in columns]
    writer.writerow(["step", *names])
    for step in sorted({step for steps in measured.values() for step in steps}):
        values = [measured[title].get(step, {}).get(metric, "") for title, metric in columns]
        writer.writerow([step, *values])
    return file.getvalue()


def _steps(events: tuple[Event, ...]) -> dict[int, dict[str, float]]:
    """The metrics of a run by its steps."""
    steps: dict[int, dict[str, float]] = {}
    per_epoch = 0
    for event in events:
        if isinstance(event, Start):
            per_epoch = event.batches
        elif isinstance(event, Batch):
            step = (event.epoch - 1) * per_epoch + event.batch
            told = _metrics_of(event)
            known = {"epoch": event.epoch - 1 + event.batch / (per_epoch or 1)}
            steps.setdefault(step, {}).update(told, seconds=event.elapsed, **known)
        elif isinstance(event, Epoch):
            step = event.epoch * per_epoch
            told = _metrics_of(event)
            steps.setdefault(step, {}).update(told, seconds=event.elapsed)
    return steps


def _metrics_of(event: Batch | Epoch) -> dict[str, float]:
    fields = asdict(event).items()
    return {name: value for name, value in fields if name in _METRICS and value is not None}


def to_log(events: tuple[Event, ...]) -> str:
    """A run's log for anybody: it gives the names of the server's files without their folders."""
    return "".join(conceal(to_json(_without_folders(event))) + "\n" for event in events)


def _without_folders(event: Event) -> Event:
    match event:
        case Saved(path=path):
            return replace(event, path=Path(path).name)
        case Done(checkpoint=path) | Stopped(checkpoint=path):
            return replace(event, checkpoint=path and Path(path).name)
        case Start(resumed_from=path, drawings=drawings):
            names = tuple(Path(file).name for file in drawings)
            return replace(event, resumed_from=path and Path(path).name, drawings=names)
        case _:
            return event


# ---------------------------------------------------------------- addresses


def routes(queue: Queue) -> list[Route]:
    """The addresses of the table, of a run's curves and log, and of several runs as CSV."""
    runs = queue.runs

    async def rows(request: HttpRequest) -> Response:
        return await _answer(lambda: JSONResponse(table(queue), headers=_FRESH))

    async def lines(request: HttpRequest) -> Response:
        name = request.path_params["name"]
        return await _answer(lambda: JSONResponse(curves(history.events_of(runs, name))))

    async def log(request: HttpRequest) -> Response:
        name = request.path_params["name"]
        return await _answer(
            lambda: _file(to_log(history.events_of(runs, name)), f"{name}.jsonl", LOG)
        )

    async def several(request: HttpRequest) -> Response:
        names = [*dict.fromkeys(request.query_params.getlist("run"))][:MOST_IN_FILE]
        return await _answer(lambda: _file(to_csv(_named(queue, names)), "runs.csv", CSV), SLOW)

    return [
        Route("/runs", rows),
        Route("/runs.csv", several),
        Route("/runs/{name}/curves", lines),
        Route("/runs/{name}/log", log),
    ]


_FRESH = {"cache-control": "no-store"}


async def _answer(make: Callable[[], Response], lane: Lane = QUICK) -> Response:
    """What a function makes when its visitor's turn has come, or why not."""
    try:
        return await lane.run(make)
    except HistoryError as error:
        return JSONResponse({"error": conceal(str(error))}, 404)
    except Crowded as error:
        return JSONResponse({"error": str(error)}, 429)


def _file(text: str, name: str, media_type: str) -> Response:
    disposition = {"content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return Response(text, media_type=media_type, headers=disposition)


def _named(queue: Queue, names: list[str]) -> dict[str, tuple[Event, ...]]:
    """The events of runs by their names in a file, no two alike.

    Of a column's name Trackio keeps the first ten letters, which must hold something of the metric
    too: a run that nobody has given a title is called 1a2b, or 1a2b-3 with its seed.
    """
    if not names:
        raise HistoryError("Say which runs: tick some in the table.")
    titles = {past.name: past.title for past in history.all_runs(queue.runs)}
    found: dict[str, tuple[Event, ...]] = {}
    for name in names:
        title = _UNTITLED.sub(_tag, titles.get(name, name)).replace("/", "-")
        found[name if title in found else title] = history.events_of(queue.runs, name)
    return found


# As `history.called` shortens names.
_UNTITLED = re.compile(r"^\w+ ([0-9a-f]{4})(?:, seed (\d+))?$")


def _tag(found: re.Match[str]) -> str:
    return "-".join(filter(None, found.groups()))
