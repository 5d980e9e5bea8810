"""lenet.server.file_cache: files of the page from memory, compressed once; all else as before."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from lenet.server.file_cache import FileCache

SCRIPT = b"export const one = 1;\n" * 200
FONT = bytes(range(256))


@pytest.fixture
def made() -> list[str]:
    """The addresses that the app behind the cache has answered."""
    return []


@pytest.fixture
def client(made: list[str]) -> TestClient:
    """Asks an app for a script, a font, a page, and for what is not there."""

    async def answer(request: Request) -> Response:
        made.append(request.url.path)
        if "none" in request.url.path:
            return PlainTextResponse("There is none.", 404)
        if "font" in request.url.path:
            return Response(FONT, media_type="font/woff2")
        return Response(SCRIPT, headers={"cache-control": "no-store"}, media_type="text/javascript")

    paths = ("/assets/{name}", "/scripts/{version}/{name}", "/static/{name}", "/news")
    return TestClient(FileCache(Starlette(routes=[Route(path, answer) for path in paths])))


@pytest.mark.parametrize("path", ["/assets/a.js", "/scripts/1/a.js", "/static/a.js"])
def test_a_file_is_made_and_compressed_once(client: TestClient, made: list[str], path: str):
    first, again = client.get(path), client.get(path)
    assert made == [path]
    assert first.content == again.content == SCRIPT
    for answer in (first, again):
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) < len(SCRIPT) / 5
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "no-store"


def test_a_file_that_does_not_become_smaller_stays_as_it_is(client: TestClient, made: list[str]):
    answers = [client.get("/static/font") for _ in range(2)]
    assert made == ["/static/font"]
    for answer in answers:
        assert answer.content == FONT
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-encoding": "identity"},
        {"range": "bytes=0-9"},
        {"if-none-match": "a"},
        {"if-modified-since": "Fri, 27 Nov 2026 12:00:00 GMT"},
    ],
)
def test_who_asks_for_less_or_cannot_unpack_gets_the_app_s_own(client, made, headers):
    client.get("/assets/a.js")
    answer = client.get("/assets/a.js", headers=headers)
    assert len(made) == 2
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/news"), ("HEAD", "/assets/a.js")])
def test_all_else_is_made_each_time(client: TestClient, made: list[str], method: str, path: str):
    for _ in range(2):
        assert client.request(method, path).status_code == 200
    assert made == [path, path]


def test_what_is_not_there_is_not_kept(client: TestClient, made: list[str]):
    for _ in range(2):
        answer = client.get("/assets/none.js")
        assert (answer.status_code, answer.text) == (404, "There is none.")
    assert len(made) == 2


def test_a_page_below_a_prefix_keeps_its_files_too(client: TestClient, made: list[str]):
    below = TestClient(client.app, root_path="/demo")
    for _ in range(2):
        assert below.get("/demo/assets/a.js").content == SCRIPT
    assert len(made) == 1


def test_headers_that_one_answer_is_given_are_not_those_of_the_next(client: TestClient):
    cache = client.app

    async def adding(scope, receive, send):
        async def add(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-added", b"1")]
            await send(message)

        await cache(scope, receive, add)

    both = TestClient(adding)
    for _ in range(2):
        assert both.get("/assets/a.js").headers.get_list("x-added") == ["1"]
