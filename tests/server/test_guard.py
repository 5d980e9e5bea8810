"""lenet.server.guard: which routes are open, and that the next Gradio opens no other."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from support import ROOT, WAIT, finished, free_port

from lenet.server import guard
from lenet.server.guard import BEGINNING, MAX_PIECES, OPEN, SMALL, Answerer, Guard
from lenet.server.shares import Allowance, Lane, visitor
from lenet.ui.gradio_page import FUNCTIONS

DOORS = {f"{method} {path}" for method, paths in OPEN.items() for path in paths}

# What else Gradio serves, and why the page and its programs do without it. Whoever adds a route
# here decides that it stays closed.
CLOSED = {
    # They fetch an address for a visitor, or serve files of Gradio's cache; ours are elsewhere.
    "GET /gradio_api/file={path_or_url:path}",
    "HEAD /gradio_api/file={path_or_url:path}",
    "GET /gradio_api/file/{path:path}",
    "GET /gradio_api/proxy={url_path:path}",
    "HEAD /gradio_api/proxy={url_path:path}",
    # A language model edits the app, and the app is shown and reloaded as it is edited.
    "POST /gradio_api/vibe-edit",
    "POST /gradio_api/undo-vibe-edit",
    "GET /gradio_api/vibe-code",
    "POST /gradio_api/vibe-code",
    "POST /gradio_api/vibe-starter-queries",
    "GET /gradio_api/dev/reload",
    # Recordings of the screen, and streams of sound and film.
    "POST /gradio_api/process_recording",
    "POST /gradio_api/stream/{event_id}",
    "POST /gradio_api/stream/{event_id}/close",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file",
    # Each page's state kept on the server, as a link or for as long as the page is there.
    "GET /gradio_api/deep_link",
    "GET /gradio_api/heartbeat/{session_hash}",
    # The names of all uploads whose progress somebody asked for, kept for ever.
    "GET /gradio_api/upload_progress",
    # Who visits, how busy the server is, what ran.
    "GET /monitoring",
    "GET /monitoring/summary",
    "GET /monitoring/{key}",
    "GET /gradio_api/queue/status",
    "GET /gradio_api/runs",
    # A login, which a server of this page refuses to start with.
    "POST /login",
    "GET /logout",
    "GET /gradio_api/login_check",
    "GET /gradio_api/token",
    "GET /gradio_api/user",
    # Components and apps of kinds that this page is not made of.
    "GET /svelte/{path:path}",
    "GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",
    "GET /manifest.json",
    "GET /pwa_icon",
    "GET /pwa_icon/{size}",
    # Other names of what is open, or other descriptions of it.
    "POST /gradio_api/api/{api_name}",
    "GET /gradio_api/theme.css",
    "GET /gradio_api/openapi.json",
    "GET /openapi.json",
    "HEAD /openapi.json",
    "GET /robots.txt",
}
# Assistants: of what is mounted there the doors above are open. The other two are the transport
# that the protocol gave up in 2025.
CLOSED_WITH_MCP = {
    "* /gradio_api/mcp",
    "* /gradio_api/mcp/messages",
    "GET /gradio_api/mcp/sse",
    "HEAD /gradio_api/mcp/sse",
    "HEAD /gradio_api/mcp/schema",
}
MOUNTED = {f"{method} /gradio_api/mcp" for method in ("GET", "POST")}  # below "* /gradio_api/mcp"

ROUTES = """
import json, gradio, app
from lenet.server import data_sets, runs

def walk(routes, prefix=""):
    for route in routes:
        inside = getattr(route, "original_router", route)
        if not hasattr(route, "methods") and getattr(inside, "routes", None):
            yield from walk(inside.routes, prefix + getattr(route, "path", ""))
        else:
            for method in getattr(route, "methods", None) or "*":
                yield f"{method} {prefix}{route.path}"

runs.warm_up = data_sets.warm_up = lambda: None
gradio.Blocks.block_thread = lambda page: print("ROUTES", json.dumps([*walk(page.app.routes)]))
app.main()
"""


@pytest.mark.parametrize("mcp", [False, True], ids=["without assistants", "with assistants"])
def test_every_route_that_the_app_serves_is_known_to_be_open_or_closed(tmp_path: Path, mcp: bool):
    variables = {
        "GRADIO_MCP_SERVER": str(mcp),
        "GRADIO_SERVER_PORT": str(free_port()),
        "LENET_CHECKPOINTS": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        [sys.executable, "-c", ROUTES],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    found = re.search("^ROUTES (.*)$", ended.stdout, re.MULTILINE)
    assert found, ended.stderr
    # Doors have twins with a slash at their end, which are closed.
    routes = {route.removesuffix("/") for route in json.loads(found[1])}
    doors = {door.removesuffix("/") for door in DOORS}
    closed = CLOSED | (CLOSED_WITH_MCP if mcp else set())
    assert routes - doors - closed == set(), "new routes: open them, or list why they are closed"
    known = closed | {door for door in doors if mcp or "/mcp" not in door}
    assert known - routes <= MOUNTED, "these are gone: strike them out"


async def let_in(scope, receive, send) -> None:
    """An app that answers anything."""
    await PlainTextResponse("let in")(scope, receive, send)


@pytest.fixture(scope="module")
def guarded() -> TestClient:
    return TestClient(Guard(let_in, {}))


def at(route: str) -> tuple[str, str]:
    """The method, and an address that the route would answer."""
    method, path = route.split(" ")
    return method.replace("*", "POST"), re.sub(r"\{[^}]*\}", "x", path)


@pytest.mark.parametrize("route", sorted(DOORS))
def test_an_open_route_reaches_the_app(guarded: TestClient, route: str):
    assert guarded.request(*at(route)).status_code == 200


@pytest.mark.parametrize(
    "route",
    [
        *sorted((CLOSED | CLOSED_WITH_MCP) - {"* /gradio_api/mcp"}),
        "GET /gradio_api/file=http://127.0.0.1/x",
        "GET /gradio_api/file/http://127.0.0.1/x",
        "GET /gradio_api/proxy=https://x.hf.space/x",
        "POST /gradio_api/component_server",
        "GET /gradio_api/upload",
        "DELETE /checkpoints/lenet.pt",
        "PUT /",
        "GET /nothing",
        "GET //",
        "GET /health%0A",
    ],
)
def test_what_is_not_open_is_answered_in_one_sentence(guarded: TestClient, route: str):
    method, path = at(route)
    answer = guarded.request(method, f"http://testserver{path}")
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json() == {"error": "This page does not offer that."}


def test_behind_a_prefix_the_same_routes_are_open():
    client = TestClient(Guard(let_in, {}), root_path="/lessons/lenet")
    statuses = [
        client.get(f"/lessons/lenet{path}").status_code for path in ("", "/", "/monitoring")
    ]
    assert statuses == [200, 200, 404]


def test_an_upload_has_no_name_for_its_progress():
    """Gradio would keep it for ever."""

    async def app(scope, receive, send) -> None:
        await PlainTextResponse(scope["query_string"])(scope, receive, send)

    assert TestClient(Guard(app, {})).post("/gradio_api/upload?upload_id=x").text == ""


def test_what_an_answerer_leaves_reaches_the_app_whole():
    async def answer(body: bytes) -> bytes | None:
        return b'{"read": 7}' if body == b"draw" else None

    async def app(scope, receive, send) -> None:
        body = await Request(scope, receive).body()
        await PlainTextResponse(body)(scope, receive, send)

    path = "/gradio_api/component_server/"
    client = TestClient(Guard(app, {path: answer}))
    assert client.post(path, content=b"draw").json() == {"read": 7}
    assert client.post(path, content=b"another").text == "another"
    assert client.post("/gradio_api/run/x", content=b"draw").text == "draw"


@pytest.mark.parametrize(
    ("path", "status", "kept"),
    [
        ("/assets/index.js", 200, "public, max-age=31536000, immutable"),
        ("/static/fonts/Sans.woff2", 200, "public, max-age=2592000"),
        ("/assets/gone.js", 404, None),
        ("/", 200, None),
    ],
)
def test_how_long_a_browser_keeps_what_it_got(path: str, status: int, kept: str | None):
    async def answer(scope, receive, send) -> None:
        await PlainTextResponse("", status)(scope, receive, send)

    answer = TestClient(Guard(answer, {})).get(path)
    assert answer.headers.get("cache-control") == kept


async def a_page(scope, receive, send) -> None:
    await PlainTextResponse("<p>a page</p>" * 1000)(scope, receive, send)


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info"])
def test_the_page_is_compressed_for_browsers_that_can_unpack_it(path: str):
    client = TestClient(Guard(a_page, {}))
    packed = client.get(path, headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 1000
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == packed.text
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/data", "/gradio_api/call/recognize/1", "/gradio_api/mcp/"]
)
def test_each_event_of_a_stream_is_passed_on_before_the_next(path: str):
    """The app looks after each event whether it has arrived."""
    heard = []

    async def app(scope, receive, send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for event in (b"data: 1", b"data: 2", b""):
            await send({"type": "http.response.body", "body": event, "more_body": bool(event)})
            assert heard[-1] == event

    async def send(message) -> None:
        heard.append(message.get("body", message["type"]))

    scope = {"type": "http", "method": "GET", "path": path, "headers": ACCEPTING}
    finished(Guard(app, {})(scope, None, send))
    assert heard == ["http.response.start", b"data: 1", b"data: 2", b""]


ACCEPTING = [(b"accept-encoding", b"gzip")]


# ---------------------------------------------------------------- who asks


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["9.9.9.9"], "8.8.8.8"),  # this peer is no proxy
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["9.9.9.9"], "9.9.9.9"),
        ("10.0.0.1", ["1.1.1.1, 9.9.9.9"], "9.9.9.9"),  # what the visitor claims to be comes first
        ("10.0.0.1", ["1.1.1.1", "9.9.9.9, 10.0.0.2"], "9.9.9.9"),
        ("10.0.0.1", ["192.168.1.7, 192.168.1.5"], "192.168.1.5"),
        ("10.0.0.1", ["9.9.9.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["9" * 1000], "10.0.0.1"),
        ("2606:4700:1:2:3:4:5:6", [], "2606:4700:1:2::/64"),
        ("10.0.0.1", ["2606:4700:1:2:6:5:4:3"], "2606:4700:1:2::/64"),
        ("testclient", ["9.9.9.9"], "testclient"),
    ],
)
def test_a_visitor_is_the_nearest_public_address(peer: str, forwarded: list[str], who: str):
    async def app(scope, receive, send) -> None:
        assert scope["client"][0] == visitor.get()
        await PlainTextResponse(visitor.get())(scope, receive, send)

    client = TestClient(Guard(app, {}), client=(peer, 1234))
    headers = [("x-forwarded-for", value) for value in forwarded]
    assert client.get("/", headers=headers).text == who


# ---------------------------------------------------------------- size, time and shares


@pytest.mark.parametrize("path", ["/gradio_api/run/x", "/gradio_api/component_server/"])
def test_a_body_of_too_many_points_is_refused_before_it_is_parsed(guarded: TestClient, path: str):
    lists = b"[" + b"[]," * 200_000 + b"[]]"
    answer = guarded.post(path, content=lists)
    assert answer.status_code == 413
    assert answer.json() == {
        "error": "The request holds more than 50,000 points: send fewer at once."
    }
    points = b"[" + b"[1,2]," * (MAX_PIECES // 3 - 1) + b"[]]"
    assert guarded.post(path, content=points).text == "let in"


@pytest.mark.parametrize(
    ("path", "pieces", "patience"), [("run/x", 8, 0.2), ("upload", 2, 0.2), ("upload", 8, 0.5)]
)
def test_a_body_that_drips_is_refused(monkeypatch, path: str, pieces: int, patience: float):
    """Each piece comes in time, but not the whole body; an upload has longer for the whole."""
    monkeypatch.setattr(guard, "PATIENCE", 0.2)
    monkeypatch.setattr(guard, "UPLOAD_PATIENCE", 0.5)
    pause = 0.3 if pieces == 2 else 0.1
    said = []

    async def receive():
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": b"1", "more_body": True}

    async def send(message) -> None:
        said.append(message)

    async def app(scope, receive, send) -> None:
        while True:
            await receive()

    path = f"/gradio_api/{path}"
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "client": None}
    begin = time.monotonic()
    finished(asyncio.wait_for(Guard(app, {})(scope, receive, send), 30))
    assert said[0]["status"] == 408
    assert patience <= time.monotonic() - begin < patience + 5


@pytest.fixture
def public(monkeypatch) -> None:
    monkeypatch.setenv("LENET_TRAINING", "anyone")


class Slow:
    """A guarded app that answers when the test lets it, and requests to it."""

    def __init__(self, answerers: Mapping[str, Answerer] | None = None) -> None:
        self.guard = Guard(self, answerers or {})
        self.asked = 0
        self.answers = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        await receive()
        self.asked += 1
        await self.answers.wait()
        await PlainTextResponse("")(scope, receive, send)

    async def post(self, who: str, size: int, path: str = "/gradio_api/run/x") -> int:
        """The status of the answer."""
        said = []

        async def receive():
            return {"type": "http.request", "body": bytes(size)}

        async def send(message) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "client": (who, 1)}
        await self.guard(scope, receive, send)
        return said[0]["status"]


MEGABYTE = 1 << 20


def test_the_bytes_that_a_visitor_has_under_way_are_limited(public):
    async def visit() -> tuple[list[int], list[int]]:
        app = Slow()
        app.guard.parsed = Allowance(each=1 << 40)
        tasks = [asyncio.create_task(app.post("9.9.9.9", MEGABYTE)) for _ in range(6)]
        tasks.append(asyncio.create_task(app.post("8.8.8.8", MEGABYTE)))
        while app.asked < 5:
            await asyncio.sleep(0.01)
        app.answers.set()
        statuses = await asyncio.gather(*tasks)
        return statuses, [await app.post("9.9.9.9", MEGABYTE) for _ in range(5)]

    during, after = finished(visit())
    assert sorted(during[:6]) == [200] * 4 + [429] * 2 and during[6] == 200
    assert after == [200] * 5


def test_a_visitor_who_sends_much_waits_and_others_do_not(public):
    async def visit() -> tuple[float, float, float]:
        app = Slow()
        app.answers.set()
        times = []
        for who in ("9.9.9.9", "9.9.9.9", "9.9.9.9", "8.8.8.8"):
            begin = time.monotonic()
            assert await app.post(who, MEGABYTE) == 200
            times.append(time.monotonic() - begin)
        return max(times[:2]), times[2], times[3]

    first, third, other = finished(visit())
    assert third > 1.5 > max(first, other)


@pytest.mark.parametrize(("size", "share"), [(1000, False), (MEGABYTE, True)])
def test_only_a_long_drawing_takes_of_its_visitor_s_share(public, size: int, share: bool):
    async def read(_body: bytes) -> bytes:
        return b"{}"

    async def visit() -> float:
        app = Slow({FUNCTIONS: read})
        await app.post("9.9.9.9", size, FUNCTIONS)
        visitor.set("9.9.9.9")
        return app.guard.parsed.spend(2 * MEGABYTE)

    assert (finished(visit()) > 0) is share


def test_pages_wait_for_their_visitor_s_share_and_not_for_others(public):
    async def visit() -> tuple[float, float]:
        app, times = Noting(), []
        app.answers.set()
        for who, pages in (("9.9.9.9", 34), ("8.8.8.8", 1)):
            begin = time.monotonic()
            for _ in range(pages):
                await app.ask("GET", "/", who, heard)
            times.append(time.monotonic() - begin)
        return times[0], times[1]

    one, other = finished(visit())
    assert one > 0.2 > other


def test_many_small_lists_count_more_than_their_bytes(public):
    """They take as long to parse as ten times as many bytes of text."""

    async def visit(body: bytes) -> float:
        app = Slow()
        app.answers.set()
        scope = {"type": "http", "method": "POST", "path": "/gradio_api/run/x", "headers": []}

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message) -> None:
            pass

        begin = time.monotonic()
        for _ in range(2):
            await app.guard({**scope, "client": ("9.9.9.9", 1)}, receive, send)
        return time.monotonic() - begin

    assert finished(visit(b"[]," * 70_000)) > 0.5 > finished(visit(b"   " * 70_000))


class Noting:
    """A guarded app that notes whose requests it has begun, and answers when the test lets it."""

    def __init__(self) -> None:
        self.guard = Guard(self, {})
        self.begun: list[str] = []
        self.answers = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        await receive()
        self.begun.append(scope["client"][0])
        await self.answers.wait()
        await PlainTextResponse("a page")(scope, receive, send)

    async def ask(self, method: str, path: str, who: str, send, body: bytes = b"{}") -> None:
        async def receive():
            return {"type": "http.request", "body": body}

        scope = {"type": "http", "method": method, "path": path, "headers": [], "client": (who, 1)}
        await self.guard(scope, receive, send)


async def heard(message) -> None:
    """The `send` of a visitor who takes whatever comes."""


def test_gradio_begins_with_one_request_after_the_other_and_visitors_take_turns():
    """Twenty requests of one visitor, parsed at once, would halt everybody until all are parsed."""

    async def visit() -> list[str]:
        app = Noting()
        path = "/gradio_api/run/x"
        asked = [asyncio.create_task(app.ask("POST", path, "9.9.9.9", heard)) for _ in range(6)]
        asked.append(asyncio.create_task(app.ask("POST", path, "8.8.8.8", heard)))
        while len(app.begun) < 7:  # though none has been answered
            await asyncio.sleep(0.001)
        app.answers.set()
        await asyncio.gather(*asked)
        return app.begun

    assert "8.8.8.8" in finished(visit())[:3]


@pytest.mark.parametrize("patience", [60, 0.01])
def test_a_large_request_waits_for_the_answer_to_another_but_not_for_long(patience, monkeypatch):
    """Gradio's objects of many bodies at once would leave Python's memory in pieces."""
    monkeypatch.setattr(guard, "HELD_UP", patience)

    async def visit() -> list[str]:
        app, path, large = Noting(), "/gradio_api/queue/join", b" " * (SMALL + 1)
        asked = [
            asyncio.create_task(app.ask("POST", path, who, heard, body))
            for who, body in (("1.1.1.1", large), ("2.2.2.2", large), ("3.3.3.3", b"{}"))
        ]
        if patience > 1:
            for _ in range(10 * BEGINNING):
                await asyncio.sleep(0)
            assert app.begun == ["1.1.1.1", "3.3.3.3"]
            app.answers.set()
        while len(app.begun) < 3:
            await asyncio.sleep(0.001)
        app.answers.set()
        await asyncio.gather(*asked)
        return app.begun

    assert finished(visit()) == ["1.1.1.1", "3.3.3.3", "2.2.2.2"]


def test_a_visitor_who_is_slow_to_take_a_page_keeps_nobody_waiting():
    async def visit() -> None:
        app, never = Noting(), asyncio.Event()
        app.answers.set()

        async def stuck(message) -> None:
            await never.wait()

        slow = asyncio.create_task(app.ask("GET", "/", "9.9.9.9", stuck))
        while not app.begun:
            await asyncio.sleep(0.001)
        await asyncio.wait_for(app.ask("GET", "/", "8.8.8.8", heard), 10)
        assert not slow.done()
        slow.cancel()

    finished(visit())


def test_a_visitor_who_asks_for_too_much_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(guard, "GRADIO", Lane(1, on_loop=True))

    async def visit() -> list[int]:
        app, statuses = Noting(), []

        async def send(message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        asked = [asyncio.create_task(app.ask("GET", "/", "9.9.9.9", send)) for _ in range(3)]
        while not statuses:
            await asyncio.sleep(0.001)
        app.answers.set()
        await asyncio.gather(*asked)
        return statuses

    assert finished(visit()) == [429, 200, 200]


def test_a_visitor_s_uploads_are_limited_and_others_still_may(public):
    async def visit() -> list[int]:
        app = Slow()
        app.answers.set()
        app.guard.uploaded = Allowance(each=3 * MEGABYTE, together=100 * MEGABYTE, seconds=1e6)
        path = "/gradio_api/upload"
        small = [await app.post("7.7.7.7", 1, path) for _ in range(50)]
        return [
            *[await app.post("9.9.9.9", MEGABYTE, path) for _ in range(3)],
            await app.post("8.8.8.8", MEGABYTE, path),
            small.count(200),
        ]

    assert finished(visit()) == [200, 200, 429, 200, 47]


def test_all_uploads_together_are_limited(public):
    async def visit() -> list[int]:
        app = Slow()
        app.answers.set()
        app.guard.uploaded = Allowance(each=3 * MEGABYTE, together=4 * MEGABYTE, seconds=1e6)
        return [await app.post(f"9.9.9.{n}", MEGABYTE, "/gradio_api/upload") for n in range(5)]

    assert finished(visit()) == [200, 200, 200, 429, 429]


def test_on_one_s_own_machine_nothing_is_counted(monkeypatch):
    monkeypatch.delenv("LENET_TRAINING", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)

    async def visit() -> list[int]:
        app = Slow()
        app.answers.set()
        app.guard.uploaded = Allowance(each=1)
        paths = ["/gradio_api/run/x"] * 4 + ["/gradio_api/upload"] * 4
        return [await app.post("9.9.9.9", MEGABYTE, path) for path in paths]

    begin = time.monotonic()
    assert finished(visit()) == [200] * 8
    assert time.monotonic() - begin < 1.5
