"""lenet.server.guard: every request gets one whole answer, and only open routes reach the app.

`pytest --hypothesis-profile long` tries requests until it is stopped.
"""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send
from support import finished

from lenet.server.guard import OPEN, UPLOAD, Guard
from lenet.server.shares import Allowance

PATHS = sorted({path for paths in OPEN.values() for path in paths})
STATUSES = (200, 400, 404, 413, 429)

NASTY = st.sampled_from(
    ["", "/", "//", "..", "../" * 5, ".", "%2e%2e%2f", "\\", "\0", "\n", "?", "=", "{name}", "é"]
)
PARTS = NASTY | st.text(max_size=6) | st.sampled_from(["gradio_api", "file=/etc/passwd", "mcp"])


@st.composite
def paths(draw: st.DrawFn) -> str:
    """An address that is open, nearly one, or none."""
    path = draw(st.sampled_from(PATHS) | st.just(""))
    path = re.sub(r"\{[^}]*\}", lambda _: draw(PARTS), path)
    return draw(NASTY | st.just("")) + path + draw(st.just("") | PARTS)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"content-length", b"content-type", b"x-forwarded-for", b"accept-encoding", b"host"]
        ),
        st.sampled_from(
            [
                b"gzip",
                b"9.9.9.9",
                b"9.9.9.9, 10.0.0.1",
                b"::1",
                b"-1",
                b"1" * 30,
                b"application/json",
            ]
        )
        | st.binary(max_size=20),
    ),
    max_size=4,
)
PIECES = st.binary(max_size=50) | st.sampled_from(
    [b"[", b'{"data": [', b"[[1,2]]", b"[]," * 60_000, bytes(1 << 19), b'"\xff']
)


class App:
    """The app behind the guard: takes a body in and answers, or fails on the way.

    Args:
        how: answer, stream, fail, or break off an answer that has begun.
    """

    def __init__(self, how: str) -> None:
        self.how = how
        self.asked: list[tuple[Scope, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, message = b"", {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        self.asked.append((scope, body))
        if self.how == "fail":
            raise RuntimeError("a secret of the server")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if self.how == "break off":
            raise RuntimeError("a secret of the server")
        if self.how == "stream":
            await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await send({"type": "http.response.body", "body": b"2"})


async def answer_to_drawings(body: bytes) -> bytes | None:
    return b'{"digit": 7}' if body.startswith(b"[[") else None


def fits(method: str, path: str) -> bool:
    """Whether an address is open; decided in another way than in the guard."""
    return any(_fits(path.split("/"), template.split("/")) for template in OPEN.get(method, ()))


def _fits(parts: list[str], template: list[str]) -> bool:
    if not template:
        return not parts
    if template[0].endswith(":path}"):
        return bool(parts)
    if not parts:
        return False
    same = parts[0] == template[0] or (template[0].startswith("{") and parts[0] != "")
    return same and _fits(parts[1:], template[1:])


@pytest.fixture(params=["on one's own machine", "public"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[App], Guard]:
    """Makes a guard."""
    if request.param == "public":
        monkeypatch.setenv("LENET_TRAINING", "anyone")

    def made(app: App) -> Guard:
        guard = Guard(app, {"/gradio_api/component_server/": answer_to_drawings})
        guard.parsed = Allowance(each=1 << 40)  # no test waits
        guard.uploaded = Allowance(each=200_000, seconds=600)
        return guard

    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "get", ""]),
    path=paths(),
    prefix=st.sampled_from(["", "/lessons", "/"]),
    headers=HEADERS,
    pieces=st.lists(PIECES, max_size=4),
    gone=st.booleans(),
    how=st.sampled_from(["answer", "stream", "fail", "break off"]),
    peer=st.sampled_from([None, ("10.0.0.1", 7), ("8.8.8.8", 7), ("::ffff:1.2.3.4", 7), ("", 0)]),
)
def test_every_request_gets_one_answer_and_only_what_is_open_gets_in(
    make: Callable[[App], Guard],
    method: str,
    path: str,
    prefix: str,
    headers: list[tuple[bytes, bytes]],
    pieces: list[bytes],
    gone: bool,
    how: str,
    peer: tuple[str, int] | None,
):
    app = App(how)
    guard = make(app)
    coming: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    last: Message = {"type": "http.disconnect"} if gone else {"type": "http.request", "body": b""}
    said: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0) if coming else last

    async def send(message: Message) -> None:
        said.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": prefix + path,
        "root_path": prefix,
        "headers": headers,
        "client": peer,
    }
    finished(asyncio.wait_for(guard(scope, receive, send), 30))

    start, *bodies = said
    assert start["type"] == "http.response.start" and start["status"] in STATUSES
    assert {name for name, _ in start["headers"]} >= {b"content-security-policy"}
    assert [bool(body.get("more_body")) for body in bodies] == [True] * (len(bodies) - 1) + [False]
    text = b"".join(body.get("body", b"") for body in bodies)
    if start["status"] != 200:
        assert re.fullmatch(r'\{"error": ?"[^\n]{10,200}[."\\]+"\}', text.decode())
        assert "secret" not in json.loads(text)["error"]
    assert not guard.under_way
    for asked, body in app.asked:
        assert fits(method, asked["path"].removeprefix(prefix) or "/")
        if path != UPLOAD and not gone:
            assert body == (b"".join(pieces) if method == "POST" else body)
