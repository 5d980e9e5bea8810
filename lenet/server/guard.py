"""The gate between the internet and Gradio: it lets through what the page, programs and assistants
ask for, if it is small and quick enough, and adds headers to the answers.

This file knows HTTP and the addresses of the routes that Gradio serves, no more of Gradio.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from functools import lru_cache
from ipaddress import ip_address, ip_network

import orjson
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lenet.server import uploads
from lenet.server.log import brief
from lenet.server.shares import GRADIO, LARGE, Allowance, Crowded, large, visitor
from lenet.server.visitors import policy

MAX_BODY = 1 << 20  # bytes: 20,000 points take half of it
MAX_PIECES = 150_000  # of a body's JSON, which takes a hundred bytes for each: 50,000 points
PIECE = 8  # bytes that each piece counts besides: it takes as long to make as these to read
MAX_UPLOAD = uploads.MAX_BYTES + (64 << 10)  # a file and what a form puts around it
PATIENCE = 10  # seconds for a request's body, and for more of an upload
UPLOAD_PATIENCE = 120  # seconds for the whole of an upload
DRAINED = 16 << 20, 1.0  # bytes, seconds: of a refused body, so that its sender hears the refusal

UPLOAD = "/gradio_api/upload"
# What is let through, in the words of the app's routes; the rest of what Gradio serves is closed.
# It could fetch addresses for a visitor, hand out cached files, edit the app, convert recordings,
# keep states of the page, remember for ever whose upload was watched, and tell how busy
# it is. A test asks the app for its routes.
_OURS = (
    "/",
    "/health",
    "/news",
    "/page.png",
    "/runs",
    "/runs.csv",
    "/runs/{name}/curves",
    "/runs/{name}/log",
    "/checkpoints/{name}",
    "/scripts/{version}/{name:path}",
)
OPEN = {
    "GET": (
        *_OURS,
        "/assets/{path:path}",
        "/static/{path:path}",
        "/favicon.ico",
        "/theme.css",
        "/config",
        "/gradio_api/info",  # "Use via API" and programs
        "/gradio_api/app_id",  # a page whose connection broke looks whether the server is a new one
        "/gradio_api/startup-events",  # Gradio itself, as it starts
        "/gradio_api/queue/data",
        "/gradio_api/call/{api_name}/{event_id}",
        "/gradio_api/call/v2/{api_name}/{event_id}",
        "/gradio_api/mcp",
        "/gradio_api/mcp/",
        "/gradio_api/mcp/schema",
    ),
    "HEAD": _OURS,
    "POST": (
        "/gradio_api/component_server/",
        UPLOAD,
        "/gradio_api/run/{api_name}",
        "/gradio_api/queue/join",
        "/gradio_api/call/{api_name}",
        "/gradio_api/call/v2/{api_name}",
        "/gradio_api/cancel",  # a program that no longer wants its answer
        "/gradio_api/reset",
        "/gradio_api/mcp",
        "/gradio_api/mcp/",
    ),
}
_OPEN = {method: [compile_path(path)[0] for path in paths] for method, paths in OPEN.items()}

# Gradio compresses what is named like a file of text, and these are not. Streams of events and the
# pad's answers do not pass through the compressor.
_COMPRESSED = ("/", "/config", "/gradio_api/info", "/runs")

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
_KEPT = {  # how long a browser keeps what it got
    "/assets/": b"public, max-age=31536000, immutable",  # names change with content
    "/static/": b"public, max-age=2592000",  # fonts, which change with a new Gradio if ever
}

UNDER_WAY = 4 << 20  # bytes of one visitor's bodies that are being answered
LONG = 64 << 10  # bytes and pieces of a body: a drawing of 2,000 points
PAGE = 64 << 10  # bytes that a page counts: it takes as long to make as these to parse
SMALLEST_UPLOAD = 64 << 10  # bytes that an upload counts at least: a file is more than its content

BEGINNING = 10  # turns of the event loop until Gradio has parsed a body and waits for something
SMALL = 8 << 10  # bytes and pieces of a body: a drawing of 200 points
HELD_UP = 1  # seconds at most, of a large request behind another

_FORWARDED = b"x-forwarded-for"

Answerer = Callable[[bytes], Awaitable[bytes | None]]

log = logging.getLogger("lenet")


class Guard:
    """ASGI middleware: refuses what is not open, too large or too slow, compresses, adds headers.

    On a public server each visitor has a share: of the bytes under way, of what takes long on the
    event loop (pages, long drawings and all that Gradio parses), and of uploads.

    Args:
        app: what answers the rest.
        answerers: by path, what answers a POST's body with JSON before `app` sees it, or leaves it
            to `app` with None.
    """

    def __init__(self, app: ASGIApp, answerers: Mapping[str, Answerer]) -> None:
        self.app = app
        self.compressing = GZipMiddleware(app, compresslevel=5)
        self.answerers = answerers
        self.public = policy().public
        self.under_way: Counter[str] = Counter()  # bytes of each visitor's bodies
        self.parsed = Allowance(each=2 << 20, seconds=4)  # 32 pages at once, then 8 a second
        self.uploaded = Allowance(each=100 << 20, together=500 << 20, seconds=600)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        who = _visitor(scope)
        visitor.set(who)
        scope["client"] = who, 0  # for all that asks Gradio
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        answer = _Answer(send, path)
        try:
            if not _is_open(scope["method"], path):
                raise _Refused(404, "This page does not offer that.")
            if scope["method"] == "POST":
                await self._post(path, scope, receive, answer)
            elif path in _COMPRESSED:
                await self._page(scope, receive, answer)
            else:
                await self.app(scope, receive, answer)
        except _Refused as refusal:
            await answer.refuse(refusal, receive)
        except Crowded as error:
            await answer.refuse(_Refused(429, str(error)), receive)
        except Exception as error:  # Gradio lets requests that make no sense fail somewhere inside
            log.error("%s failed: %s", path[:50], brief(error))
            await answer.refuse(_Refused(400, 'This request makes no sense: see "Use via API".'))

    async def _page(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        """Make a page, and compress it, when its visitor's turn has come; then send it, which may
        take its visitor long.
        """
        said: list[Message] = []

        async def note(message: Message) -> None:
            said.append(message)

        await self._wait_for_share(PAGE)
        async with GRADIO.turn():
            await self.compressing(scope, receive, note)
        for message in said:
            await answer(message)

    async def _begin(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        """Let Gradio begin with a request when its visitor's turn has come: it parses and checks
        what was sent on the event loop, where many at once would halt everybody. Many large ones
        would leave Python's memory in pieces besides: the next waits for the answer to the last.
        """
        async with LARGE.turn() if large.get() else nullcontext():
            async with GRADIO.turn():
                task = asyncio.ensure_future(self.app(scope, receive, answer))
                for _ in range(BEGINNING):
                    await asyncio.sleep(0)
            if large.get():
                await asyncio.wait([task], timeout=HELD_UP)
        await task

    async def _post(self, path: str, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if path == UPLOAD:  # is written to disk as it comes
            _check_length(scope, MAX_UPLOAD)
            body = _in_time(receive, MAX_UPLOAD, UPLOAD_PATIENCE)
            scope["query_string"] = b""  # Gradio would remember for ever how far it came
            await self.app(scope, self._counted(body) if self.public else body, answer)
            return
        _check_length(scope, MAX_BODY)
        whole = await _whole(_in_time(receive, MAX_BODY, PATIENCE))
        body, who = whole["body"], visitor.get()
        pieces = sum(body.count(piece) for piece in (b"[", b"{", b","))
        if pieces > MAX_PIECES:
            raise _Refused(413, "The request holds more than 50,000 points: send fewer at once.")
        if self.public and self.under_way[who] and self.under_way[who] + len(body) > UNDER_WAY:
            raise _Refused(429, "Wait for the answers to your other requests first.")
        self.under_way[who] += len(body)
        size = len(body) + PIECE * pieces
        try:
            if size > LONG:  # the answerers take long over it, too
                await self._wait_for_share(size)
            given = await self.answerers[path](body) if path in self.answerers else None
            if given is not None:
                await answer.give(200, given)
                return
            if size <= LONG:
                await self._wait_for_share(size)
            large.set(size > SMALL)
            await self._begin(scope, _again(whole, receive), answer)
        finally:
            self.under_way[who] -= len(body)
            if not self.under_way[who]:
                del self.under_way[who]

    async def _wait_for_share(self, size: int) -> None:
        if self.public:
            await asyncio.sleep(self.parsed.spend(size))

    def _counted(self, body: Receive) -> Receive:
        """The body of an upload, as long as its visitor may send more."""
        if self.uploaded.spend(SMALLEST_UPLOAD):
            raise _no_room()

        async def read() -> Message:
            message = await body()
            if self.uploaded.spend(len(message.get("body", b""))):
                raise _no_room()
            return message

        return read


class _Refused(Exception):
    """A request that is not answered: the status, and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Answer:
    """`send` of one request, with the headers that every answer gets."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._path = path
        self._started = self._ended = False

    async def __call__(self, message: Message) -> None:
        self._ended = message["type"] == "http.response.body" and not message.get("more_body")
        if message["type"] == "http.response.start":
            self._started = True
            kept = [
                (b"cache-control", how_long)
                for folder, how_long in _KEPT.items()
                if self._path.startswith(folder) and message["status"] < 400
            ]
            message["headers"] = [*message.get("headers", ()), *_HEADERS, *kept]
        await self._send(message)

    async def give(self, status: int, body: bytes, receive: Receive | None = None) -> None:
        """Answer with JSON; the rest of the request's body is read first."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        if receive:
            await _drain(receive)
        await self({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: _Refused, receive: Receive | None = None) -> None:
        """Answer with the sentence, or end the answer that has begun."""
        if self._ended:
            return
        if self._started:
            await self({"type": "http.response.body", "body": b""})
        else:
            too_much = refusal.status in (413, 429)
            body = orjson.dumps({"error": str(refusal)})
            await self.give(refusal.status, body, receive if too_much else None)


def _visitor(scope: Scope) -> str:
    """The client's address, or the last one that a proxy in a private network names."""
    client = scope.get("client")
    told = [value.decode("latin-1") for name, value in scope["headers"] if name == _FORWARDED]
    return _address(client[0] if client else "", ",".join(told)[-200:])


@lru_cache(maxsize=1000)
def _address(peer: str, told: str) -> str:
    """The nearest public address on the way; where all is private, the one before the nearest."""
    way = []
    for text in [peer, *reversed(told.split(","))]:
        try:
            way.append(ip_address(text.strip()))
        except ValueError:  # what comes before may be anything
            break
    if not way:
        return peer
    found = next((address for address in way if address.is_global), way[:2][-1])
    # Whoever has an IPv6 address usually has all of its /64 network.
    return str(ip_network((found, 64), strict=False) if found.version == 6 else found)


def _is_open(method: str, path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in _OPEN.get(method, ()))


def _check_length(scope: Scope, limit: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:
            raise _too_large(limit)


def _too_large(limit: int) -> _Refused:
    return _Refused(413, f"The request is larger than {limit >> 20} MB: send less at once.")


def _no_room() -> _Refused:
    return _Refused(429, "Too much was uploaded in the last minutes: wait some minutes.")


def _in_time(receive: Receive, limit: int, patience: float) -> Receive:
    """`receive` that refuses a body that is longer than it said, or does not come in time."""
    taken, end = 0, asyncio.get_running_loop().time() + patience

    async def read() -> Message:
        nonlocal taken
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(end, now + PATIENCE)):
                message = await receive()
        except TimeoutError as error:
            raise _Refused(408, "The request did not arrive in time: send it again.") from error
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
