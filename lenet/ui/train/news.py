"""What every page asks again and again: whether there is anything new of the run.

A page asks often and mostly hears nothing new, and an event of Gradio's takes ten times as long as
this plain address. The answer brings the progress of a run with it, made once for all pages; when
the buttons and lists have changed, the page (`news.js`) lets Gradio bring them.
"""

import gzip
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NotRequired, TypedDict

import gradio as gr
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lenet.events import Batch, Epoch, Start
from lenet.server import recognizers
from lenet.server.runs import Run, Runs
from lenet.ui.assets import calling, mounting
from lenet.ui.gradio_page import QUIET

# Milliseconds until a page asks again: without a run, with one, and before its first loss.
IDLE, RUNNING, IMPATIENT = 4000, 500, 100
FRESH = 0.25  # of that time one answer serves all pages


class News(TypedDict):
    """Two texts, of which `state` changes with what the buttons and lists show and `progress` with
    the progress, and in `wait` the milliseconds until the next question. `shown` are the values of
    the views that show the progress, for a page that does not show it yet.
    """

    state: str
    progress: str
    wait: int
    shown: NotRequired[list[Any]]


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


def show(asking: gr.HTML, views: list[gr.HTML]) -> None:
    """Let views show the progress, with the values that `shown` of `route` gives."""
    asking.progressed(None, None, views, js=calling("train/news.js", "shownNow"), **QUIET)


def route(
    runs: Runs,
    text: Callable[[Run], str],
    shown: Callable[[Run], list[Any]],
    besides: Callable[[], str] = lambda: "",
) -> Route:
    """The address that answers. A page that shows the progress says which, as in
    `/news?progress=0a1b2c3d`; one that knows that something has changed says so: `/news?now`.

    Args:
        runs: the server's.
        text: a text that changes with the progress, besides the run's events.
        shown: the values of the views that show the progress.
        besides: a text that changes with what else the lists show.
    """
    kept: _Answers | None = None

    async def answer(request: Request) -> Response:
        nonlocal kept
        asked, now = request.query_params, time.monotonic()
        if kept is None or now > kept.until or "now" in asked:
            run = runs.current()
            latest = news(run, text, besides())
            if kept is None or kept.news != latest:
                kept = _Answers(latest, lambda: shown(run))
            kept.until = now + FRESH * latest["wait"] / 1000
        headers = {"cache-control": "no-store"}
        if asked.get("progress", kept.news["progress"]) == kept.news["progress"]:
            content = kept.short
        elif "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["content-encoding"] = kept.packed, "gzip"
        else:
            content = kept.whole
        return Response(content, headers=headers, media_type="application/json")

    return Route("/news", answer)


@dataclass
class _Answers:
    """The news, as JSON that is made once: alone, and with what the views show. They are looked for
    anew after a moment of `time.monotonic`.
    """

    news: News
    shown: Callable[[], list[Any]]
    until: float = 0.0

    @cached_property
    def short(self) -> bytes:
        return orjson.dumps(self.news)

    @cached_property
    def whole(self) -> bytes:
        return orjson.dumps({**self.news, "shown": self.shown()})

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.whole, compresslevel=5)


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
    learnt = (event for event in reversed(run.events) if isinstance(event, Start | Batch | Epoch))
    waits = run.state == "starting" or isinstance(next(learnt, None), Start | None)
    return IMPATIENT if waits else RUNNING
