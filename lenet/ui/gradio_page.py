"""What this page uses of Gradio that Gradio does not document; only this file, `gradio_queue` and
`shared/gradio.js` know it.

These are: the method that answers every call (`Page`), what a call of a server function looks like
(`answering`), how an uploaded file is read and named (`_OneFile`, `uploaded_file`), the template of
the page (`show_links_as`, `show_early`), and the folder of uploads, whose empty folders and broken
off files Gradio leaves behind (`sweeping`).
`tests/server/test_gradio_page.py` has a test for each, which says what breaks when Gradio changes
it.
"""

import asyncio
import html
import inspect
import logging
import re
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import gradio as gr
import orjson
from gradio import route_utils
from gradio.routes import templates
from gradio.utils import get_upload_folder
from gradio_client.utils import is_file_obj_with_meta
from jinja2 import ChoiceLoader, DictLoader

from lenet.server.guard import Answerer
from lenet.server.log import LONGEST, brief
from lenet.server.runs import RunError
from lenet.server.shares import Crowded, visitor
from lenet.server.visitors import NotAllowed, policy
from lenet.ui.gradio_queue import FairQueue, NoSessions

UPLOADS_KEPT = 600  # seconds that a visitor's file stays in Gradio's cache

# For events that programs do not call. Our functions check the values: Gradio would compare them
# with the page as it was built.
QUEUED: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "preprocess": False,
    "concurrency_limit": None,
}
# The same without Gradio's queue: one request, whose answer cannot be lost. In the queue it can be
# lost where one event directly follows another, as the page is closing its stream of answers.
# But only the queue runs validators, and the page shows failures of the queue alone.
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
        """Serve the page, but without Gradio's login, which the pad's calls would bypass.

        Raises:
            ValueError: the arguments ask for a login.
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
        """Queue calls as Gradio does, with a share for each visitor."""
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
        except gr.Error as error:  # it may repeat what was sent
            error.message = error.message[:LONGEST]
            error.print_exception = False
            raise
        except Exception as error:
            log.error("%s failed: %s", name, brief(error))
            raise gr.Error(
                'The server could not do this. Programs find under "Use via API" what to send.',
                print_exception=False,
            ) from error


@contextmanager
def refusing_event() -> Iterator[None]:
    """Show the caller of an event, and not the log, the sentence that says why it is refused."""
    try:
        yield
    except (ValueError, RunError, NotAllowed, Crowded) as error:
        raise gr.Error(str(error), print_exception=False) from error


def show_links_as(title: str, description: str, picture: str) -> None:
    """Say in the page's head how other sites show a link to it, in place of Gradio's own name.

    The tags are those of the Open Graph protocol (https://ogp.me) and of X's cards. `gr.Blocks`
    has a `head` too, but a script adds that, and sites that show a link run no scripts. Gradio's
    manifest goes: a browser would install the page as an app of Gradio's name.

    Args:
        title: of the page.
        description: one or two sentences.
        picture: its address below the page's. The tag needs the host too: the request's, or the
            one that a proxy names.
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
    """Begin the page's body with markup that is seen until Gradio's scripts have loaded."""
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
    """Whether a call names a web address as its file, which Gradio would fetch."""
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
    state for each page, which takes longer than reading a digit. The answer is None where the body
    is no call of one of these functions: that is left to Gradio.
    """

    async def answer(body: bytes) -> bytes | None:
        try:
            call = orjson.loads(body)
            function, data = functions[call["fn_name"]], call["data"]
        except (ValueError, KeyError, TypeError):
            return None
        return orjson.dumps(await function(data))

    return answer


class _OneFile(route_utils.GradioMultiPartParser):
    """Reads an upload of one file, as all of ours are. Gradio takes a thousand, which cost as many
    files and folders however small they are.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "max_files": 1, "max_fields": 1})


route_utils.GradioMultiPartParser = _OneFile


def uploaded_file(value: Any) -> Path | None:
    """The path of a file that a visitor sent; None where the value is no file.

    Gradio passes a function no path but those of uploads.
    """
    return Path(value["path"]) if is_file_obj_with_meta(value) else None


@asynccontextmanager
async def sweeping(_app: Any, every: float = UPLOADS_KEPT) -> AsyncIterator[None]:
    """A lifespan of the server: remove what Gradio leaves behind of old uploads, the folders, and
    the files of those that were broken off or named another field.
    """

    async def sweep() -> None:
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(_remove_left_behind, time.time() - every)

    task = asyncio.create_task(sweep())
    yield
    task.cancel()


def _remove_left_behind(until: float) -> None:
    for path in Path(get_upload_folder()).glob("*"):
        with suppress(OSError):  # it is a folder that holds a file
            if path.stat().st_mtime >= until:
                continue
            if path.is_dir():
                path.rmdir()
            elif path.name.startswith(tempfile.gettempprefix()):
                path.unlink()
