"""The page: its title, its look and its tabs.

A tab is a module with one `build()`, called here inside its `gr.Tab`.
"""

import logging
from pathlib import Path
from typing import Any

import gradio as gr

from lenet.serving import brief
from lenet.ui import api, data, draw, files, inside, results, train

LOOK = {
    "theme": gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_background_fill="*neutral_100",
        body_text_color="*neutral_900",
        body_text_color_subdued="*neutral_500",
        block_background_fill="white",
        color_accent="*primary_700",
    ),
    "css_paths": Path(__file__).with_name("style.css"),
    "footer_links": ["api"],
}


UPLOADS_KEPT = 600  # seconds that a visitor's file stays in Gradio's cache

log = logging.getLogger("lenet")


class Page(gr.Blocks):
    """Blocks that tell a caller of a failure in one sentence, and the log in one line."""

    async def process_api(self, block_fn: Any, inputs: list[Any], *rest: Any, **more: Any) -> Any:
        name = getattr(block_fn, "name", block_fn)
        try:
            if _names_an_address(inputs):
                raise gr.Error(
                    "Send the file itself: this server fetches nothing from elsewhere.",
                    print_exception=False,
                )
            return await super().process_api(block_fn, inputs, *rest, **more)
        except gr.Error:
            raise
        except Exception as error:
            log.error("%s failed: %s", name, brief(error))
            raise gr.Error(
                'The server could not do this. A program that asked finds under "Use via API" '
                "what to send.",
                print_exception=False,
            ) from error


def _names_an_address(value: Any) -> bool:
    """Whether a file that is sent is an address on the web, which Gradio would fetch."""
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and "://" in path:
            return True
        return any(map(_names_an_address, value.values()))
    # Points are most of what is sent, and numbers hold nothing.
    return isinstance(value, list) and any(
        map(_names_an_address, (v for v in value if isinstance(v, list | dict)))
    )


def build() -> gr.Blocks:
    """Build the page; `launch(**LOOK)` serves it."""
    with Page(title="LeNet, live", delete_cache=(UPLOADS_KEPT, UPLOADS_KEPT)) as page:
        gr.HTML("<h1>LeNet, live</h1>", elem_id="title", apply_default_css=False)
        with gr.Tabs() as tabs:
            with gr.Tab("Draw", id="draw"):
                network = draw.build()
                files.build(network)
                inside.build()
            with gr.Tab("Train", id="train"):
                draw_with_it = train.build(page, network)
            with gr.Tab("Results", id="results") as tab:
                looked_at = results.build(tab)
            with gr.Tab("Data", id="data"):
                browsed = data.build()
        api.build()
        for to_the_pad in (draw_with_it.click, looked_at.draw, browsed.draw):
            to_the_pad(
                lambda: gr.Tabs(selected="draw"),
                outputs=tabs,
                show_progress="hidden",
                api_visibility="private",
            )
    return page
