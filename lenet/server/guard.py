"""What stands between the network and Gradio: the size and the time of requests, closed doors
and headers.

This file knows HTTP, and the addresses of the routes that Gradio serves.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lenet.server import uploads

MAX_BODY = 1 << 20  # bytes: 20,000 points take half of it
MAX_UPLOAD = uploads.MAX_BYTES + (64 << 10)  # a file and what a form puts around it
PATIENCE = 10  # seconds for a request's body
DRAINED = 16 << 20, 1.0  # bytes, seconds: of a refused body, so that its sender hears the refusal

UPLOAD = "/gradio_api/upload"
FUNCTIONS = "/gradio_api/component_server/"
# What Gradio can do besides and this page does not need: fetch addresses for a visitor, edit the
# app, convert recordings, store states of the page, tell how busy it is.
CLOSED = (
    "/gradio_api/file=http",
    "/gradio_api/proxy=",
    "/gradio_api/vibe-",
    "/gradio_api/process_recording",
    "/gradio_api/deep_link",
    "/gradio_api/custom_component",
    "/gradio_api/stream/",
    "/monitoring",
)

# Gradio writes scripts and styles into the page and compiles the templates of gr.HTML in the
# browser, so inline code and eval have to stay allowed; nothing comes from or goes to elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")  # names change with content

Function = Callable[[Any], Awaitable[Any]]

log = logging.getLogger("lenet")


class Guard:
    """ASGI middleware: refuses what is closed, too large or too slow, and adds the headers.

    Args:
        app: what answers the rest.
        functions: server functions of gr.HTML by name that are answered here. Gradio would look
            through a hundred routes, ask a thread pool who the visitor is and keep a state for
            each page, which takes longer than reading a digit.
    """

    def __init__(self, app: ASGIApp, functions: dict[str, Function]) -> None:
        self.app = app
        self.functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        answer = _Answer(send, path)
        try:
            if path.startswith(CLOSED):
                raise _Refused(404, "This page does not offer that.")
            if scope["method"] == "POST":
                limit = MAX_UPLOAD if path == UPLOAD else MAX_BODY
                _check_length(scope, limit)
                body = _in_time(receive, limit)
                if path == UPLOAD:  # is written to disk as it comes
                    receive = body
                else:
                    whole = await _whole(body)
                    if path == FUNCTIONS and await self._call(whole["body"], answer):
                        return
                    receive = _again(whole, receive)
            await self.app(scope, receive, answer)
        except _Refused as refusal:
            await answer.refuse(refusal, receive)
        except Exception as error:  # Gradio lets requests that make no sense fail somewhere inside
            log.error("%r failed: %s", path, brief(error))
            await answer.refuse(_Refused(400, 'This request makes no sense: see "Use via API".'))

    async def _call(self, body: bytes, answer: "_Answer") -> bool:
        """Call one of the functions; False where Gradio has to make sense of the request."""
        try:
            call = orjson.loads(body)
            function, data = self.functions[call["fn_name"]], call["data"]
        except (ValueError, KeyError, TypeError):
            return False
        await answer.give(200, orjson.dumps(await function(data)))
        return True


class _Refused(Exception):
    """A request that is not answered: the status, and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Answer:
    """`send` of one request, with the headers that every answer gets."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._headers = [*_HEADERS, _FOR_EVER] if path.startswith("/assets/") else _HEADERS
        self._started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            message["headers"] = [*message.get("headers", ()), *self._headers]
        await self._send(message)

    async def give(self, status: int, body: bytes, receive: Receive | None = None) -> None:
        """Answer with JSON; what is still to come of a body is taken in before the end."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        if receive:
            await _drain(receive)
        await self({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: _Refused, receive: Receive | None = None) -> None:
        """Answer with the sentence, unless an answer was begun."""
        if not self._started:
            too_large = refusal.status == 413
            body = orjson.dumps({"error": str(refusal)})
            await self.give(refusal.status, body, receive if too_large else None)


def _check_length(scope: Scope, limit: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:
            raise _too_large(limit)


def _too_large(limit: int) -> _Refused:
    return _Refused(413, f"The request is larger than {limit >> 20} MB: send less at once.")


def _in_time(receive: Receive, limit: int) -> Receive:
    """`receive` that refuses a body that is longer than it said, or does not come."""
    taken = 0

    async def read() -> Message:
        nonlocal taken
        try:
            async with asyncio.timeout(PATIENCE):
                message = await receive()
        except TimeoutError as error:
            raise _Refused(408, f"The request did not arrive within {PATIENCE} s.") from error
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _too_large(limit)
        return message

    return read


async def _whole(body: Receive) -> Message:
    """Take a whole body in, as one message."""
    message = await body()
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await body()
        parts.append(message.get("body", b""))
    return {**message, "body": b"".join(parts)}


def _again(message: Message, receive: Receive) -> Receive:
    """A `receive` that gives a message that was taken in, and then what comes after it."""
    waiting = [message]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


async def _drain(receive: Receive) -> None:
    """Take in what is left of a body: a sender that is cut off sees no answer."""
    largest, longest = DRAINED
    taken, message = 0, {"more_body": True}
    with suppress(TimeoutError):
        async with asyncio.timeout(longest):
            while message.get("more_body") and taken < largest:
                message = await receive()
                taken += len(message.get("body", b""))


def brief(error: BaseException) -> str:
    """An error in one line of a log: its kind, its words and where it happened."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    words = str(error).strip().partition("\n")[0][:200]
    return f"{type(error).__name__}: {words} ({Path(where.filename).name}:{where.lineno})"
