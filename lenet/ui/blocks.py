"""Gradio as this page uses it: events that go on in silence, and failures told in one sentence."""

import logging
from typing import Any

import gradio as gr

from lenet.serving import brief

QUEUED = {"show_progress": "hidden", "api_visibility": "private"}  # of what is not for programs
# The same without Gradio's queue: one request, and its answer cannot be lost. In the queue it can,
# where one event follows another at once: the page's stream of answers is just then being closed.
# But only the queue runs validators, and only what fails in it is shown to the visitor.
QUIET = {**QUEUED, "queue": False}

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
