"""Gradio as this page uses it: events that go on in silence, failures told in one sentence, and
visitors' files that leave nothing behind."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from lenet.server.guard import brief

UPLOADS_KEPT = 600  # seconds that a visitor's file stays in Gradio's cache

QUEUED = {"show_progress": "hidden", "api_visibility": "private"}  # of what is not for programs
# The same without Gradio's queue: one request, and its answer cannot be lost. In the queue it can,
# where one event follows another at once: the page's stream of answers is just then being closed.
# But only the queue runs validators, and only what fails in it is shown to the visitor.
QUIET = {**QUEUED, "queue": False}

log = logging.getLogger("lenet")


class Page(gr.Blocks):
    """Blocks that tell a caller of a failure in one sentence, and the log in one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(delete_cache=(UPLOADS_KEPT, UPLOADS_KEPT), **options)

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


@asynccontextmanager
async def sweeping(_app: Any, every: float = UPLOADS_KEPT) -> AsyncIterator[None]:
    """The server's lifespan: Gradio deletes old files, and leaves the folder of each for ever."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(_remove_empty_folders, time.time() - every)

    task = asyncio.create_task(sweep())
    yield
    task.cancel()


def _remove_empty_folders(until: float) -> None:
    for folder in Path(get_upload_folder()).glob("*"):
        with suppress(OSError):  # it holds a file
            if folder.stat().st_mtime < until:
                folder.rmdir()
