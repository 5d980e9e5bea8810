"""What every page asks again and again: whether there is anything new of the run.

A page asks often and mostly hears nothing new, and an event of Gradio's takes ten times as long as
this plain address. When something has changed, the page (`news.js`) lets Gradio bring it.
"""

import time
import zlib
from collections.abc import Callable
from typing import TypedDict

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lenet.events import Saved, Start
from lenet.server import recognizers
from lenet.server.runs import Run, Runs
from lenet.ui.assets import mounting

IDLE, RUNNING, IMPATIENT = 4000, 500, 100  # milliseconds until a page asks again
FRESH = 0.25  # of that time one answer serves all pages


class News(TypedDict):
    """Two texts, of which `state` changes with what the buttons and lists show and `progress` with
    the progress, and in `wait` the milliseconds until the next question.
    """

    state: str
    progress: str
    wait: int


def build() -> gr.HTML:
    """Build what asks: its events `stated` and `progressed` say what is new, and a change of its
    value makes it ask at once. It is no part of a tab, since scripts of a tab that was not opened
    do not run.
    """
    return gr.HTML(
        "",
        html_template="",
        js_on_load=mounting("train/news.js", "stated", "progressed"),
        elem_id="train-news",
        apply_default_css=False,
    )


def route(runs: Runs, text: Callable[[Run], str], besides: Callable[[], str] = lambda: "") -> Route:
    """The address that answers; `/news?now` is for a page that knows that something has changed.

    Args:
        runs: the server's.
        text: a text that changes with the progress, besides the run's events.
        besides: a text that changes with what else the lists show.
    """
    kept: tuple[float, News] | None = None

    async def answer(request: Request) -> Response:
        nonlocal kept
        now = time.monotonic()
        if kept is None or now - kept[0] > FRESH * kept[1]["wait"] / 1000 or request.url.query:
            kept = now, news(runs.current(), text, besides())
        return JSONResponse(kept[1], headers={"cache-control": "no-store"})

    return Route("/news", answer)


def news(run: Run, text: Callable[[Run], str], besides: str = "") -> News:
    """What there is to tell of the latest run."""
    state = f"{run.name} {run.state}"
    return {
        "state": _short(" ".join([state, besides, *recognizers.paths()])),
        "progress": _short(f"{state} {len(run.events)} {text(run)}"),
        "wait": _wait(run),
    }


def _short(text: str) -> str:
    return f"{zlib.crc32(text.encode(errors='replace')):08x}"


def _wait(run: Run) -> int:
    if not run.alive:
        return IDLE
    latest = run.events[-1] if run.events and run.state != "starting" else None
    # Before the first loss there are only these two events.
    return IMPATIENT if isinstance(latest, Start | Saved | None) else RUNNING
