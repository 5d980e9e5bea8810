"""What strangers try on a public server: files, floods, nonsense. Each is refused in one sentence.

The client sends the requests as they are: it tidies up neither paths nor bodies.
"""

import gzip
import json
import os
import re
import socket
import statistics
import threading
import time
from contextlib import closing, suppress
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from support import ROOT, wait_until

from lenet.checkpoint import SHIPPED
from lenet.preprocess import MAX_POINTS
from lenet.server.guard import MAX_BODY
from lenet.server.log import LONGEST
from lenet.synthetic import example_strokes

SECOND = 5  # seconds: a refusal takes far less than one, but the machine may be busy
JSON = {"Content-Type": "application/json"}
STARTERS = ("train-start", "train-seeds", "train-synthetic", "train-resume")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


def connected(server) -> closing[HTTPConnection]:
    return closing(HTTPConnection(server.url.removeprefix("http://"), timeout=60))


def ask(server, method: str, path: str, body: Any = None, headers: dict | None = None) -> Answer:
    """Send one request as it stands; a body in parts is sent chunked."""
    with connected(server) as connection:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return Answer(response.status, dict(response.headers), text)


def post(server, path: str, content: object) -> Answer:
    return ask(server, "POST", path, json.dumps(content), JSON)


def is_one_sentence(answer: Answer) -> bool:
    return bool(re.fullmatch(r"[^\n]{10,200}[.\"]", json.loads(answer.text)["error"]))


@cache
def configuration(server) -> dict:
    """What the page is built from."""
    return json.loads(ask(server, "GET", "/config").text)


def pad_id(server) -> int:
    components = configuration(server)["components"]
    (pad,) = [c for c in components if "read_drawing" in (c["props"].get("server_fns") or [])]
    return pad["id"]


def harmless_events(server) -> list[int]:
    """The page's events except those that may start a run, and two that do not exist."""
    start = {
        component["id"]
        for component in configuration(server)["components"]
        if str(component["props"].get("elem_id")) in STARTERS
    }
    events = configuration(server)["dependencies"]
    return [-1, 10**6] + [e["id"] for e in events if not start & {t[0] for t in e["targets"]}]


def call_pad(server, pad: object, data: object) -> Answer:
    content = {"component_id": pad, "fn_name": "read_drawing", "session_hash": "s", "data": data}
    return post(server, "/gradio_api/component_server/", content)


# ---------------------------------------------------------------- connections

HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n"
JOIN = b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
DEAR = {  # what takes long to read for its length
    "chunks of a byte": JOIN + b"1\r\n1\r\n" * 1000 + b"0\r\n\r\n",
    "many lines": HEALTH + b"a:\r\n" * 1000 + b"\r\n",
    "a long line": HEALTH + b"a:" + b"a" * 40_000 + b"\r\n\r\n",
}


def exchanged(server, sent: bytes) -> bytes:
    """What comes back for some bytes, until the server closes the connection."""
    host, port = server.url.removeprefix("http://").split(":")
    answer = b""
    with closing(socket.create_connection((host, int(port)), timeout=4 * SECOND)) as connection:
        connection.sendall(sent)
        while part := connection.recv(1 << 16):
            answer += part
    return answer


@pytest.mark.parametrize("before", [0, 2], ids=["at first", "after other requests"])
@pytest.mark.parametrize("sent", DEAR.values(), ids=DEAR)
def test_what_takes_long_to_read_ends_its_connection(server, sent: bytes, before: int):
    answer = exchanged(server, (HEALTH + b"\r\n") * before + sent)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"] * before + [b"400"]
    assert b"Invalid HTTP request received." in answer


def test_many_small_chunks_while_a_request_is_refused(server):
    """The answer has begun already: it stays whole, and the server lives on."""
    path = b"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    large = b"%x\r\n" % (9 << 20) + bytes(9 << 20) + b"\r\n"
    with suppress(ConnectionError):
        exchanged(server, path + large + b"1\r\n1\r\n" * 20_000 + b"0\r\n\r\n")
    assert ask(server, "GET", "/health").status == 200


def test_a_body_in_usual_chunks_is_read(server):
    call = {"component_id": pad_id(server), "fn_name": "read_drawing", "session_hash": "s"}
    call["data"] = {"checkpoint": SHIPPED.name, "strokes": example_strokes()[7]}
    body = json.dumps(call).encode()
    parts = [body[start : start + 50] for start in range(0, len(body), 50)]
    answer = ask(server, "POST", "/gradio_api/component_server/", parts, JSON)
    assert json.loads(answer.text)["digit"] == 7


# ---------------------------------------------------------------- files

TARGETS = ["/etc/passwd", str(ROOT / "app.py"), str(SHIPPED), "/proc/self/environ"]
UP = "../" * 12
WAYS = [
    *(f"/gradio_api/file={target}" for target in TARGETS),
    *(f"/gradio_api/file/{target}" for target in TARGETS),
    *(f"/file={target}" for target in TARGETS),
    "/gradio_api/file=app.py",
    "/gradio_api/file=.git/config",
    f"/gradio_api/file={UP}etc/passwd",
    f"/gradio_api/file={UP}etc/passwd".replace("/", "%2f"),
    f"/gradio_api/file={UP}etc/passwd".replace(".", "%2e"),
    f"/gradio_api/file={UP}etc/passwd".replace(".", "%252e"),
    "/gradio_api/file=%2Fetc%2Fpasswd",
    "/gradio_api/file=/tmp/gradio/../../etc/passwd",
    "/gradio_api/file=file:///etc/passwd",
    "/gradio_api/file=/etc/passwd%00.png",
    "/gradio_api/file=\\etc\\passwd",
    *(f"/{door}/{UP}etc/passwd" for door in ("assets", "static", "svelte", "checkpoints")),
    *(f"/{door}/{UP.replace('/', '%2f')}etc%2fpasswd" for door in ("assets", "static", "svelte")),
    f"/checkpoints/{UP.replace('/', '%2f')}etc%2fpasswd",
    "/checkpoints/..%2fapp.py",
    "/checkpoints//etc/passwd",
    f"/runs/{UP.replace('/', '%2f')}etc%2fpasswd/log",
    "/runs/..%2fapp.py/log",
    "/runs/.queue/log",
    "/runs.csv?run=../../app.py",
    f"/gradio_api/custom_component/x/client/component/{UP}etc/passwd",
    f"/?deep_link={UP}etc/passwd",
    "/gradio_api/proxy=file:///etc/passwd",
    f"{UP}etc/passwd",
]


@pytest.mark.parametrize("path", WAYS)
def test_no_file_outside_what_the_page_needs(server, path: str):
    answer = ask(server, "GET", path)
    for secret in ("root:x:", "def main", "repositoryformatversion", "PATH=", "PK\x03\x04"):
        assert secret not in answer.text
    assert answer.status in (400, 403, 404) or "gradio_config" in answer.text


def test_a_link_in_the_folder_leads_nowhere(server):
    link = server.checkpoints / "link.pt"
    link.symlink_to("/etc/passwd")
    try:
        assert ask(server, "GET", "/checkpoints/link.pt").status == 404
        path = f"/gradio_api/file={link}"
        assert ask(server, "GET", path).status == 404
    finally:
        link.unlink()


def test_the_shipped_network_is_downloaded(server):
    with connected(server) as connection:
        connection.request("GET", "/checkpoints/lenet.pt")
        assert connection.getresponse().read() == SHIPPED.read_bytes()


FETCHING = [
    "file=https://example.org/x",
    "file/https://example.org/x",
    "file=https:%2f%2fexample.org/x",
    "proxy=https://gradio-hello-world.hf.space/",
]


@pytest.mark.parametrize("path", FETCHING)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_no_address_makes_the_server_fetch_another(server, method: str, path: str):
    answer = ask(server, method, f"/gradio_api/{path}")
    assert answer.status == 404
    assert method == "HEAD" or is_one_sentence(answer)


# ---------------------------------------------------------------- size and time


@pytest.mark.parametrize("path", ["call/recognize", "queue/join", "component_server/", "run/x"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_a_body_that_is_too_large(server, path: str, chunked: bool):
    body = b'{"data": [' + b" " * MAX_BODY + b"]}"
    parts = (body[i : i + 65536] for i in range(0, len(body), 65536))
    begin = time.monotonic()
    answer = ask(server, "POST", f"/gradio_api/{path}", parts if chunked else body, JSON)
    assert time.monotonic() - begin < SECOND
    assert answer.status == 413
    assert "larger than 1 MB" in answer.text and is_one_sentence(answer)


def test_an_upload_that_is_too_large(server):
    form = b'--b\r\nContent-Disposition: form-data; name="files"; filename="x.pt"\r\n\r\n'
    body = form + bytes(9 << 20) + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = ask(server, "POST", "/gradio_api/upload", body, headers)
    assert answer.status == 413


@pytest.mark.parametrize("depth", [100, 900, 100_000])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_deep_nesting(server, depth: int, bracket: str):
    begin, end = bracket[:-1], bracket[-1]
    deep = begin * depth + "1" + end * depth
    pad = pad_id(server)
    for path, body in {
        "call/recognize": f'{{"data": [{deep}]}}',
        "queue/join": f'{{"data": [{deep}], "fn_index": 0, "session_hash": "s"}}',
        "component_server/": f'{{"component_id": {pad}, "fn_name": "read_drawing", '
        f'"session_hash": "s", "data": {{"strokes": {deep}, "checkpoint": "lenet.pt"}}}}',
    }.items():
        start = time.monotonic()
        answer = ask(server, "POST", f"/gradio_api/{path}", body, JSON)
        assert time.monotonic() - start < SECOND
        assert answer.status < 500
    assert ask(server, "GET", "/health").status == 200


def test_half_open_connections_keep_nobody_out(server):
    host, _, port = server.url.removeprefix("http://").partition(":")
    sockets = []
    try:
        for i in range(300):
            sockets.append(socket.create_connection((host, int(port))))
            if i % 3 == 1:
                sockets[-1].send(b"POST /gradio_api/call/recognize HTTP/1.1\r\nHost: x\r\n")
            elif i % 3 == 2:
                head = b"POST /gradio_api/run/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
                sockets[-1].send(head)
        begin = time.monotonic()
        assert ask(server, "GET", "/health").status == 200
        assert time.monotonic() - begin < SECOND
    finally:
        for each in sockets:
            each.close()


def test_a_huge_drawing_does_not_halt_the_others(server):
    """While one visitor's 20,000 points are read, others are answered as quickly as before."""
    pad = pad_id(server)
    points = [[(i * 37) % 1000, (i * 61) % 1000] for i in range(MAX_POINTS)]
    huge = {"strokes": [points], "checkpoint": "lenet.pt"}
    small = {"strokes": example_strokes()[3], "checkpoint": "lenet.pt"}
    alone = time.monotonic()
    assert "digit" in json.loads(call_pad(server, pad, huge).text)
    alone = time.monotonic() - alone

    over = threading.Event()

    def flood() -> None:
        for _ in range(5):
            call_pad(server, pad, huge)
        over.set()

    threading.Thread(target=flood).start()
    times = []
    while not over.is_set():
        begin = time.monotonic()
        assert json.loads(call_pad(server, pad, small).text)["digit"] == 3
        times.append(time.monotonic() - begin)
    assert statistics.median(times) < max(0.5 * alone, 0.05)


# ---------------------------------------------------------------- nonsense


@pytest.mark.parametrize("data", [None, [], "7", 7, [[[1, 2]]], True])
def test_a_pad_s_call_that_holds_no_drawing_gets_a_sentence(server, data):
    answer = call_pad(server, pad_id(server), data)
    assert answer.status == 200
    assert json.loads(answer.text) == {
        "error": "A drawing must be an object with strokes and a checkpoint."
    }


@pytest.mark.parametrize("component", [10**6, -1, "x", None, []])
def test_a_component_that_is_not_there(server, component):
    content = {"component_id": component, "fn_name": "x", "session_hash": "s", "data": 7}
    assert post(server, "/gradio_api/component_server/", content).status == 400


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["lenet.pt", "../app.py", "<img src=x onerror=alert(1)>", "/etc/passwd"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["path", "meta", "url", "strokes", "checkpoint", "__type__", "_type"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
file = st.fixed_dictionaries(
    {"path": st.text(max_size=30), "meta": st.just({"_type": "gradio.FileData"}) | anything},
    optional={"url": st.text(max_size=30), "orig_name": anything, "is_stream": anything},
)
numbers = st.floats() | st.integers()
strokes = st.lists(st.lists(st.lists(numbers, max_size=3), max_size=4), max_size=4)
value = anything | file | strokes
name = st.sampled_from(["recognize", "recognize_number", "recognize_image", "_start", "", "x/y"])


def is_harmless(answer: Answer) -> bool:
    said = answer.text.lower()
    return not any(
        word in said
        for word in ("traceback", 'file "', str(ROOT).lower(), "site-packages", "root:x:")
    )


bounded = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@seed(1)
@bounded
@given(name=name, data=st.lists(value, max_size=3) | value, number=st.integers(0, 99))
def test_nonsense_is_answered_and_does_no_harm(server, name: str, data: object, number: int):
    begin = time.monotonic()
    answer = post(server, f"/gradio_api/call/{name}", {"data": data})
    assert answer.status < 500 and is_harmless(answer)
    if answer.status == 200:
        event = json.loads(answer.text)["event_id"]
        stream = ask(server, "GET", f"/gradio_api/call/{name}/{event}")
        assert stream.status == 200 and is_harmless(stream)
    answer = call_pad(server, pad_id(server), data)
    assert answer.status < 500 and is_harmless(answer)
    events = harmless_events(server)
    body = {"data": data, "fn_index": events[number % len(events)], "session_hash": "fuzz"}
    answer = post(server, "/gradio_api/queue/join", body)
    assert answer.status < 500 and is_harmless(answer)
    assert time.monotonic() - begin < 4 * SECOND


@seed(2)
@bounded
@given(
    body=st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()),
    path=st.sampled_from(
        ["call/recognize", "queue/join", "component_server/", "upload", "run/recognize", "cancel"]
    ),
    kind=st.sampled_from(["application/json", "multipart/form-data; boundary=b", "text/plain", ""]),
)
def test_bytes_that_are_no_request(server, body: bytes, path: str, kind: str):
    answer = ask(server, "POST", f"/gradio_api/{path}", body, {"Content-Type": kind})
    assert answer.status < 500 and is_harmless(answer)


def test_what_fails_fills_no_log(server):
    """What was sent is not logged, a request for an unknown stream is no failure of the server, and
    neither takes many lines."""
    log = server.checkpoints.parent / "log"
    before = len(log.read_text())
    choice = next(
        event["id"]
        for event in configuration(server)["dependencies"]
        if event["api_name"] == "choose_checkpoint"
    )
    for number in range(20):
        body = {"data": ["x" * 900_000, "lenet.pt"], "fn_index": choice, "session_hash": "s"}
        post(server, "/gradio_api/run/predict", body)
        stream = ask(server, "GET", f"/gradio_api/queue/data?session_hash=unknown{number}")
        assert "session_not_found" in stream.text
        post(server, f"/gradio_api/call/{'x' * 10_000}", {"data": []})
    wait_until(lambda: len(log.read_text()) > before)
    time.sleep(2)  # for lines that come late
    lines = log.read_text()[before:].splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= LONGEST


def test_the_server_still_works_after_all_that(server):
    assert "Traceback" not in (server.checkpoints.parent / "log").read_text()
    assert json.loads(ask(server, "GET", "/health").text) == {"status": "ok"}
    answer = call_pad(server, pad_id(server), {"strokes": [], "checkpoint": "lenet.pt"})
    assert json.loads(answer.text)["digit"] is None


# ---------------------------------------------------------------- headers


@pytest.mark.parametrize("path", ["/", "/health", "/gradio_api/info", "/nothing"])
def test_every_answer_has_the_headers(server, path: str):
    headers = ask(server, "GET", path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "object-src 'none'" in policy
    assert "*" not in policy.replace("*.huggingface.co", "")
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_arrives_small_and_its_fonts_are_kept(server):
    with connected(server) as connection:
        connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        packed = response.read()
        assert response.headers["Content-Encoding"] == "gzip"
    page = gzip.decompress(packed)
    assert b"gradio_config" in page and len(packed) < len(page) / 4
    font = ask(server, "GET", "/static/fonts/IBMPlexSans/IBMPlexSans-Regular.woff2")
    assert font.status == 200
    assert "max-age" in font.headers["cache-control"]


LOCAL = ("data:", "blob:")


def test_nothing_is_sent_elsewhere(page: Page, server):
    """The page works under its policy, and sends requests to its own server alone."""
    elsewhere = []
    page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith(LOCAL) else None)
    page.reload()
    page.locator("#pad-examples button").nth(5).click()
    expect(page.locator("#answer")).to_have_text("5")
    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#train-status")).to_be_visible()
    assert not [url for url in elsewhere if not url.startswith(server.url)]


# ---------------------------------------------------------------- the visitor's own networks


def test_a_network_is_downloaded_and_uploaded_on_the_page(page: Page, server, tmp_path):
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == "lenet.pt"
    assert Path(waiting.value.path()).read_bytes() == SHIPPED.read_bytes()

    mine = tmp_path / "<b>mine.pt"
    mine.write_bytes(SHIPPED.read_bytes())
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(mine)
    expect(page.locator("#checkpoint input")).to_have_value(re.compile(r"^upload-.*\.pt$"))
    page.locator("#pad-examples button").nth(6).click()
    expect(page.locator("#answer")).to_have_text("6")
    name = page.locator("#checkpoint input").input_value()
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == name
    (server.checkpoints / name).unlink()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no network", "no checkpoint at all"), (bytes((2 << 20) + 1), "larger than 2 MB")],
)
def test_what_is_no_network_is_refused_on_the_page(page: Page, server, tmp_path, content, words):
    bad = tmp_path / "mine.pt"
    bad.write_bytes(content)
    before = os.listdir(server.checkpoints)
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(bad)
    expect(page.get_by_text(re.compile(words))).to_be_visible()
    expect(page.locator("#checkpoint input")).to_have_value("lenet.pt")
    assert os.listdir(server.checkpoints) == before
