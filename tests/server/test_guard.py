"""lenet.server.guard: which doors are open, and that the next Gradio opens no other."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from support import ROOT, START, finished, free_port

from lenet.server.guard import OPEN, Guard

DOORS = {f"{method} {path}" for method, paths in OPEN.items() for path in paths}

# What Gradio serves besides, and why the page and its programs do without it. A route that is new
# here is one that somebody has to think about.
CLOSED = {
    # They fetch an address for a visitor, or hand out files of Gradio's cache; ours are elsewhere.
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

def walk(routes, prefix=""):
    for route in routes:
        inside = getattr(route, "original_router", route)
        if not hasattr(route, "methods") and getattr(inside, "routes", None):
            yield from walk(inside.routes, prefix + getattr(route, "path", ""))
        else:
            for method in getattr(route, "methods", None) or "*":
                yield f"{method} {prefix}{route.path}"

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
        timeout=START,
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


@pytest.fixture(scope="module")
def guarded() -> TestClient:
    """A guard before an app that would answer anything."""

    async def answer(scope, receive, send) -> None:
        await PlainTextResponse("let in")(scope, receive, send)

    return TestClient(Guard(answer, {}))


def at(route: str) -> tuple[str, str]:
    """The method, and an address that the route would answer."""
    method, path = route.split(" ")
    return method.replace("*", "POST"), re.sub(r"\{[^}]*\}", "x", path)


@pytest.mark.parametrize("route", sorted(DOORS))
def test_what_is_open_lets_in(guarded: TestClient, route: str):
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
    ],
)
def test_what_is_not_open_is_answered_in_one_sentence(guarded: TestClient, route: str):
    method, path = at(route)
    answer = guarded.request(method, f"http://testserver{path}")
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json() == {"error": "This page does not offer that."}


def test_behind_a_prefix_the_same_doors_are_open():
    async def answer(scope, receive, send) -> None:
        await PlainTextResponse("let in")(scope, receive, send)

    client = TestClient(Guard(answer, {}), root_path="/lessons/lenet")
    statuses = [
        client.get(f"/lessons/lenet{path}").status_code for path in ("", "/", "/monitoring")
    ]
    assert statuses == [200, 200, 404]


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
def test_the_page_is_compressed_for_who_can_unpack_it(path: str):
    client = TestClient(Guard(a_page, {}))
    packed = client.get(path, headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 1000
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == packed.text
    assert (
        "Accept-Encoding" in plain.headers["vary"] and "Accept-Encoding" in packed.headers["vary"]
    )


@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/data", "/gradio_api/call/recognize/1", "/gradio_api/mcp/"]
)
def test_each_event_of_a_stream_is_passed_on_before_the_next(path: str):
    """An app that waits until what it has said was heard."""
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
