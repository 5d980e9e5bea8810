"""The page: its title, its look and its tabs.

A tab is a module with one `build()`, called here inside its `gr.Tab`.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes import Base, LocalFont
from gradio.themes.utils.sizes import Size
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from lenet.server.queue import Queue
from lenet.ui import api, assets
from lenet.ui.data import tab as data
from lenet.ui.draw import inside, network_files
from lenet.ui.draw import tab as draw
from lenet.ui.gradio_page import QUIET, Page, show_early, show_links_as
from lenet.ui.hand import hand
from lenet.ui.lesson import tab as lesson
from lenet.ui.results import tab as results
from lenet.ui.train import link, news, runs_table
from lenet.ui.train import tab as train

_TITLE = "LeNet, live"
_PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
_STYLES = (
    "shared/page.css",
    "shared/digits.css",
    "draw/draw.css",
    "draw/inside.css",
    "hand/hand.css",
    "train/train.css",
    "train/film.css",
    "train/runs_table.css",
    "results/results.css",
    "data/data.css",
    "lesson/lesson.css",
)

# Gradio's own, in units that grow with the text size that a visitor's browser is set to.
_TEXT = Size("0.5625rem", "0.625rem", "0.75rem", "0.875rem", "1rem", "1.375rem", "1.625rem", "rem")

LOOK: dict[str, Any] = {
    "theme": Base(
        text_size=_TEXT,
        primary_hue="teal",
        neutral_hue="stone",
        font=[LocalFont("IBM Plex Sans", weights=(400, 700)), "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_background_fill="*neutral_100",
        body_text_color="*neutral_900",
        # Text has a contrast of at least 4.5 to 1, which Gradio's own colours lack.
        body_text_color_subdued="*neutral_600",
        block_label_text_color="*neutral_600",
        block_title_text_color="*neutral_600",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
        button_primary_border_color="*primary_700",
        button_primary_border_color_dark="*primary_700",
        block_background_fill="white",
        color_accent="*primary_700",
    ),
    "head": assets.preloads(first=False) + assets.script("shared/presses.js"),
    "css_paths": [Path(__file__).parent / name for name in _STYLES],
    "footer_links": ["api"],
}


def routes(queue: Queue) -> list[Route]:
    """The routes that the page needs besides Gradio's."""
    return [
        assets.ROUTE,
        news.route(
            queue.runs,
            lambda run: train.progress_text(run, queue),
            lambda run: train.progress(run, queue),
            lambda: runs_table.changes(queue),
        ),
        *runs_table.routes(queue),
        Route(f"/{_PICTURE.name}", _picture),
    ]


async def _picture(request: Request) -> Response:
    """A picture of the page, for sites that preview a link to it."""
    return FileResponse(_PICTURE)


def build(queue: Queue) -> gr.Blocks:
    """Build the page of a server with these runs; `launch(**LOOK)` serves it."""
    show_links_as(
        _TITLE,
        "Draw a digit or a number: a LeNet reads it while the pen moves. Look inside, train it "
        "with one click, and teach it your hand.",
        _PICTURE.name,
    )
    show_early(
        assets.template("draw/early.html")
        + assets.script("draw/early.js", "draw/asking.js", "hand/storage.js", "shared/gradio.js")
        + assets.preloads(first=True)
    )
    with Page(title=_TITLE) as page:
        gr.HTML(f"<h1>{_TITLE}</h1>", elem_id="title", apply_default_css=False)
        asking, address = news.build(), link.build_reader()
        panel = lesson.build(queue.runs)
        with gr.Tabs() as tabs:
            with gr.Tab("Draw", id="draw"):
                network = draw.build()
                with gr.Row(elem_id="files"):
                    own = hand.build(network, queue)
                    network_files.build(network, own)
                inside.build()
            with gr.Tab("Train", id="train") as tab:
                draws, table = train.build(tab, asking, address, network, own, queue)
            with gr.Tab("Results", id="results") as tab:
                results_view = results.build(tab, own, table, tabs)
            with gr.Tab("Data", id="data"):
                data_view = data.build()
            with gr.Tab("Lesson", id="lesson") as tab:
                lesson.build_contents(tab, panel)
        api.build()
        for to_the_pad in (draws, table.draw, results_view.draw, data_view.draw):
            to_the_pad(lambda: gr.Tabs(selected="draw"), None, tabs, **QUIET)
        address.opened(lambda: gr.Tabs(selected="train"), None, tabs, **QUIET)
        for name in lesson.TABS:
            # The browser does it alone, so that a step opens at once.
            opens = f"() => ({{ __type__: 'update', selected: '{name}' }})"
            getattr(panel, name)(None, None, tabs, js=opens, **QUIET)
    return page
