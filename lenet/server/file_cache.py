"""The page's scripts, styles and fonts, kept in memory as they are sent.

A page consists of a hundred of them. Gradio would read each from the disk and compress it for every
visitor, which takes a core for half a second.
"""

import asyncio
import gzip

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOLDERS = ("/assets/", "/scripts/", "/static/")  # of files that stay as long as the server runs
_PARTIAL = ("range", "if-none-match", "if-modified-since")  # headers that ask for less than a file
_WORTH = 0.9  # of a file's size: fonts and pictures do not become smaller


class FileCache:
    """ASGI middleware: answers with a file as `app` did the first time, compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[str, list[Message]] = {}  # answers, by their path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _asks_for_file(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        answer = self.kept.get(path)
        if answer is None:
            answer = await self._answer(scope, receive)
            if answer[0]["status"] == 200:
                self.kept[path] = answer
        for message in answer:
            await send({**message})  # what sends it adds headers

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        said: list[Message] = []

        async def note(message: Message) -> None:
            said.append(message)

        await self.app(scope, receive, note)
        start, *parts = said
        content = b"".join(part.get("body", b"") for part in parts)
        headers = Headers(raw=start["headers"]).mutablecopy()
        headers.add_vary_header("accept-encoding")
        packed = await asyncio.to_thread(gzip.compress, content)
        if len(packed) < _WORTH * len(content):
            content = packed
            headers["content-encoding"] = "gzip"
            headers["content-length"] = f"{len(content)}"
        return [
            {**start, "headers": headers.raw},
            {"type": "http.response.body", "body": content},
        ]


def _asks_for_file(scope: Scope) -> bool:
    """Whether a request asks for a whole file, and takes it compressed."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    headers = Headers(scope=scope)
    takes_all = not any(name in headers for name in _PARTIAL)
    return path.startswith(_FOLDERS) and takes_all and "gzip" in headers.get("accept-encoding", "")
