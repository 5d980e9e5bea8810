"""Gradio as this page uses it, and with `gradio_queue` the only place that knows what Gradio does
not document.

That is: the method that answers every call (`Page`), what a call of a server function looks like
(`answering`), how an uploaded file is named (`uploaded_file`), the template of the page
(`show_links_as`, `show_early`), and the folder of uploads, whose empty folders Gradio leaves behind
(`sweeping`).
`tests/server/test_gradio_page.py` has a test for each, which says what breaks when Gradio changes
it.
"""

import asyncio
import html
import inspect
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import gradio as gr
import orjson
from gradio.routes import templates
from gradio.utils import get_upload_folder
from gradio_client.utils import is_file_obj_with_meta
from jinja2 import ChoiceLoader, DictLoader

from lenet.server.guard import Answerer
from lenet.server.log import LONGEST, brief
from lenet.server.shares import visitor
from lenet.server.visitors import policy
from lenet.ui.gradio_queue import FairQueue, NoSessions

UPLOADS_KEPT = 600  # seconds that a visitor's file stays in Gradio's cache

# For events that are not for programs. What they bring is checked by our functions: Gradio would
# compare it with what it has kept of the page.
QUEUED: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "preprocess": False,
    "concurrency_limit": None,
}
# The same without Gradio's queue: one request, and its answer cannot be lost. In the queue it can,
# where one event follows another at once: the page's stream of answers is just then being closed.
# But only the queue runs validators, and only what fails in it is shown to the visitor.
QUIET: dict[str, Any] = {**QUEUED, "queue": False}

FUNCTIONS = "/gradio_api/component_server/"  # where the page calls server functions of gr.HTML

_TEMPLATE = "frontend/index.html"
_EARLY = "<!-- early -->"
_GRADIOS_NAME = re.compile(
    r'<link rel="manifest"[^>]*>|<meta\s+(?:property|name)="(?:description"|og:|twitter:)[^>]*>'
)

log = logging.getLogger("lenet")


class Page(gr.Blocks):
    """Blocks that tell a caller of a failure in one sentence, and the log in one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(delete_cache=(UPLOADS_KEPT, UPLOADS_KEPT), **options)

    def launch(self, *arguments: Any, **options: Any) -> Any:
        """As Gradio's, but without its login, which the pad's answers would pass by.

        Raises:
            ValueError: a login is asked for.
        """
        given = inspect.signature(super().launch).bind(*arguments, **options).arguments
        if given.get("auth") or given.get("auth_dependency"):
            raise ValueError(
                "This page does not work with Gradio's login, which would not protect it: start it "
                "without auth, and let a proxy in front of it ask for a password."
            )
        launched = super().launch(*arguments, **options)
        self.app.state_holder = NoSessions(self)
        return launched

    def queue(self, *arguments: Any, **options: Any) -> Any:
        """As Gradio's, with shares."""
        super().queue(*arguments, **options)
        self._queue = FairQueue(self._queue, policy().public)
        return self

    async def process_api(self, block_fn: Any, inputs: list[Any], *rest: Any, **more: Any) -> Any:
        name = getattr(block_fn, "name", block_fn)
        request = more.get("request")
        if request is not None and request.client:
            visitor.set(request.client.host)  # of a call that comes from the queue
        try:
            if _names_an_address(inputs):
                raise gr.Error(
                    "Send the file itself: this server fetches nothing from elsewhere.",
                    print_exception=False,
                )
            return await super().process_api(block_fn, inputs, *rest, **more)
        except gr.Error as error:  # what was sent may stand in it
            error.message = error.message[:LONGEST]
            error.print_exception = False
            raise
        except Exception as error:
            log.error("%s failed: %s", name, brief(error))
            raise gr.Error(
                'The server could not do this. A program that asked finds under "Use via API" '
                "what to send.",
                print_exception=False,
            ) from error


def show_links_as(title: str, description: str, picture: str) -> None:
    """Say in the page's head how a link to it is shown elsewhere, in place of Gradio's own name.

    The tags are those of the Open Graph protocol (https://ogp.me) and of X's cards. `gr.Blocks`
    has a `head`, too, but the browser adds that, and who shows a link runs no scripts. Gradio's
    manifest goes: an app that a browser makes of the page would bear Gradio's name.

    Args:
        title: of the page.
        description: one or two sentences.
        picture: its address below the page's. The tag has to name the host, too: that of the
            request, or what a proxy tells of it.
    """
    root = "{{ config['root'] }}"
    tags = {
        "og:type": "website",
        "og:url": f"{root}/",
        "og:title": title,
        "og:description": description,
        "og:image": f"{root}/{picture}",
        "twitter:card": "summary_large_image",
        "twitter:title": title,
        "twitter:description": description,
        "twitter:image": f"{root}/{picture}",
    }
    lines = [
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" '
        f'content="{content if root in content else html.escape(content)}" />'
        for name, content in {"description": description, **tags}.items()
    ]
    _change_template(
        lambda given: _GRADIOS_NAME.sub("", given).replace(
            "</head>", "\n".join([*lines, "</head>"]), 1
        )
    )


def show_early(markup: str) -> None:
    """Begin the page's body with markup, which is seen before Gradio's scripts have come."""
    own = f"{_EARLY}{{% raw %}}{markup}{{% endraw %}}"

    def change(given: str) -> str:
        if _EARLY in given:
            return given
        head, body, rest = re.split(r"(<body\b[^>]*>)", given, maxsplit=1)
        return f"{head}{body}{own}{rest}"

    _change_template(change)


def _change_template(change: Callable[[str], str]) -> None:
    loader = templates.env.loader
    assert loader is not None
    given, _, _ = loader.get_source(templates.env, _TEMPLATE)
    templates.env.loader = ChoiceLoader([DictLoader({_TEMPLATE: change(given)}), loader])


def _names_an_address(value: Any) -> bool:
    """Whether a file that is sent is an address on the web, which Gradio would fetch."""
    try:
        if b"://" not in orjson.dumps(value):  # quicker than looking at each of 20,000 points
            return False
    except TypeError:  # an integer of more than 64 bits
        pass
    return _holds_an_address(value)


def _holds_an_address(value: Any) -> bool:
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and "://" in path:
            return True
        return any(map(_holds_an_address, value.values()))
    return isinstance(value, list) and any(map(_holds_an_address, value))


def answering(**functions: Callable[[Any], Awaitable[Any]]) -> Answerer:
    """Answer calls of server functions as Gradio would, for the guard: from a call's body.

    Gradio would look through a hundred routes, ask a thread pool who the visitor is and keep a
    state for each page, which takes longer than reading a digit. What is no call of one of these
    functions it has to make sense of itself: None.
    """

    async def answer(body: bytes) -> bytes | None:
        try:
            call = orjson.loads(body)
            function, data = functions[call["fn_name"]], call["data"]
        except (ValueError, KeyError, TypeError):
            return None
        return orjson.dumps(await function(data))

    return answer


def uploaded_file(value: Any) -> Path | None:
    """Where a file lies that a visitor sent; None where the value is no file.

    Gradio lets no file pass to a function whose path is not that of an upload.
    """
    return Path(value["path"]) if is_file_obj_with_meta(value) else None


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
