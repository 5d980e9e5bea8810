"""lenet.ui.gradio_page: the parts of Gradio that are used but not documented.

Each test says what breaks when Gradio changes them.
"""

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gradio.events import api
from gradio.routes import templates
from gradio.utils import get_upload_folder
from gradio_client import handle_file
from jinja2 import ChoiceLoader
from playwright.sync_api import Browser
from support import IN_BACKGROUND, ROOT, finished, free_port

from lenet.ui.gradio_page import (
    FUNCTIONS,
    Page,
    _names_an_address,
    answering,
    show_early,
    show_links_as,
    sweeping,
    uploaded_file,
)


def double(number: int) -> int:
    return 2 * number


def fail() -> None:
    raise RuntimeError("a secret of the server")


def take(file: Any) -> str:
    return str(uploaded_file(file))


SCRIPT = """
element.dataset.offered = [props, server, trigger, watch].map((offer) => typeof offer);
watch("value", () => (element.dataset.watched = props.value));
server.double(21).then((answer) => (element.dataset.answer = answer));
element.onclick = () => trigger("drawn");
"""


class Served(NamedTuple):
    """A page as Gradio alone serves it."""

    url: str
    page: Page
    view: gr.HTML

    def post(self, path: str, content: object) -> httpx.Response:
        return httpx.post(self.url + path, json=content, timeout=60)

    def send(self, path: str) -> str:
        """What the endpoint that takes a file answers to one with this path, as a text."""
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return self.post("/gradio_api/run/take", {"data": [file]}).text


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """An endpoint that fails, one that takes a file, and a view with a server function."""
    with Page() as page:
        view = gr.HTML("before", js_on_load=SCRIPT, server_functions=[double], elem_id="view")
        view.drawn(lambda: "after", None, view)
        api(fail, api_name="fail")
        file = gr.UploadButton()
        file.upload(take, file, gr.Textbox(), preprocess=False, api_name="take")
    port = free_port()
    page.launch(**IN_BACKGROUND, server_port=port)
    yield Served(f"http://127.0.0.1:{port}", page, view)
    page.close()


# ---------------------------------------------------------------- every call


def test_a_failure_is_answered_with_one_sentence(served: Served, caplog):
    """Gradio runs `Blocks.process_api` for every call. When it no longer does, callers
    learn nothing of a failure or too much, and addresses that they send are fetched."""
    answer = served.post("/gradio_api/run/fail", {"data": []}).text
    assert "The server could not do this." in answer and "secret" not in answer
    assert "RuntimeError: a secret of the server" in caplog.text


def test_an_address_is_not_fetched(served: Served):
    """A file is an object whose path may be an address: Gradio would fetch it."""
    assert "fetches nothing" in served.send("http://127.0.0.1:1/x")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ([[[1, 2], [3.5, 4]], "http://a.org"], False),  # a text is no file
        ([{"path": "http://a.org/x"}], True),
        ([[{"deep": [{"path": "http://a.org/x"}]}], 10**30], True),
        ([{"path": "/tmp/x"}, 10**30], False),
    ],
)
def test_where_a_file_names_an_address(value: list, names: bool):
    assert _names_an_address(value) is names


# ---------------------------------------------------------------- server functions


async def redouble(number: int) -> int:
    return double(number)


def test_a_call_of_a_server_function_is_answered_as_gradio_would(served: Served):
    """When the address, the body or the answer of such a call changes, Gradio itself answers the
    pad, slowly, or not at all."""
    call = {"component_id": served.view._id, "fn_name": "double", "session_hash": "s", "data": 21}
    by_gradio = served.post(FUNCTIONS, call)
    assert by_gradio.json() == 42
    ours = finished(answering(double=redouble)(json.dumps(call).encode()))
    assert ours == by_gradio.content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b'{"data": 1}',
        b'{"fn_name": "other", "data": 1}',
        b'{"fn_name": "double"}',
    ],
)
def test_what_is_no_call_of_ours_is_left_to_gradio(body: bytes):
    assert finished(answering(double=redouble)(body)) is None


def test_scripts_get_what_they_are_mounted_with(served: Served, browser: Browser):
    """`assets.mounting` passes on what Gradio's `js_on_load` offers, and names the events that the
    script triggers in quotes, for which Gradio searches. Without both no view works."""
    with browser.new_page() as tab, tab.expect_request(f"**{FUNCTIONS}") as call:
        tab.goto(served.url)
        offered = tab.locator("[data-offered='object,object,function,function']")
        offered.and_(tab.locator("[data-answer='42']")).click()
        tab.locator("[data-watched='after']").wait_for()
    content = call.value.post_data_json
    assert (content["fn_name"], content["data"]) == ("double", 21)


EVENT = """
import app, sys
from gradio.utils import MatplotlibBackendMananger
with MatplotlibBackendMananger():
    print("matplotlib.pyplot" in sys.modules)
"""


def test_the_first_event_does_not_halt_the_server():
    """Around each event Gradio asks matplotlib for its backend; looking for one takes half a
    second, on the event loop.
    """
    ended = subprocess.run([sys.executable, "-c", EVENT], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout == "False\n", ended.stderr


# ---------------------------------------------------------------- files


@pytest.fixture
def sent(served: Served) -> Path:
    """A visitor's file, as Gradio keeps it."""
    files = {"files": ("digit.png", b"7")}
    return Path(httpx.post(f"{served.url}/gradio_api/upload", files=files).json()[0])


def test_uploads_lie_in_the_folder_that_is_swept(sent: Path):
    """Each in a folder of its own below `get_upload_folder`; elsewhere they would fill the disk."""
    assert sent.parent.parent == Path(get_upload_folder())
    assert sent.read_bytes() == b"7"


def test_an_upload_of_several_files_is_refused(served: Served):
    """Each would take a file and a folder of the server, though it is sent in a few bytes."""
    parts = [("files", ("digit.png", b"7")), ("files", ("digit.png", b"1"))]
    sent = httpx.post(f"{served.url}/gradio_api/upload", files=parts)
    assert sent.status_code == 400 and "Too many files" in sent.text


def test_what_is_left_of_an_upload_lies_beside_the_folders(served: Served):
    """And is named like a temporary file: `sweeping` removes such ones."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    before = {*folder.iterdir()}
    httpx.post(f"{served.url}/gradio_api/upload", files={"mine": ("digit.png", b"7")})
    (left,) = {*folder.iterdir()} - before
    assert left.is_file() and left.name.startswith(tempfile.gettempprefix())
    left.unlink()


def test_an_uploaded_file_is_known_by_its_path(served: Served, sent: Path):
    """It is sent as the object that `gradio_client.handle_file` makes, and Gradio checks that its
    path is that of an upload; otherwise any file of the server could be read."""
    assert uploaded_file(handle_file(sent)) == sent
    assert json.loads(served.send(str(sent)))["data"] == [str(sent)]
    assert "could not do this" in served.send("/etc/passwd")
    assert "could not do this" in served.send("app.py")
    for value in ("app.py", {"path": "app.py"}, None):
        assert uploaded_file(value) is None


def test_what_is_left_of_old_uploads_goes_and_what_holds_a_file_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    long_ago = time.time() - 3600
    for name in ("empty", "full", "new"):
        (tmp_path / name).mkdir()
    for name in ("tmpbroken", "tmpcoming", "another's", "full/digit.png"):
        (tmp_path / name).write_bytes(b"7")
    for name in ("empty", "full", "tmpbroken", "another's"):
        os.utime(tmp_path / name, (long_ago, long_ago))

    async def serve() -> None:
        async with sweeping(None, every=1.0):
            while (tmp_path / "empty").exists() or (tmp_path / "tmpbroken").exists():
                await asyncio.sleep(0.05)
                os.utime(tmp_path / "new")
                os.utime(tmp_path / "tmpcoming")

    finished(asyncio.wait_for(serve(), 30))
    assert sorted(os.listdir(tmp_path)) == ["another's", "full", "new", "tmpcoming"]


# ---------------------------------------------------------------- a login


def test_gradio_s_login_is_refused():
    """The guard answers the pad before Gradio asks for a login. A new kind of login has to be added
    here and in `Page.launch`."""
    given = [name for name in inspect.signature(gr.Blocks.launch).parameters if "auth" in name]
    assert given == ["auth", "auth_message", "auth_dependency"]
    with Page() as page:
        for login in ({"auth": ("a", "b")}, {"auth_dependency": lambda request: None}):
            with pytest.raises(ValueError, match="without auth"):
                page.launch(**login, prevent_thread_lock=True)
        with pytest.raises(ValueError, match="without auth"):
            page.launch(None, False, None, False, 40, ("a", "b"))
    assert not page.is_running


def test_a_shared_link_is_shown_with_our_title_and_picture(monkeypatch):
    monkeypatch.setattr(templates.env, "loader", templates.env.loader)
    for title in ("Old", "Ours & <new>"):  # the last one counts
        show_links_as(title, "What it does.", "a.png")
    with gr.Blocks() as page:
        pass
    app = gr.mount_gradio_app(FastAPI(), page, path="/demo")
    head = TestClient(app).get("/demo/").text.split("</head>")[0]
    found = dict(re.findall(r'<meta\s+(?:property|name)="([\w:]+)"\s+content="([^"]*)"', head))
    assert found["og:title"] == found["twitter:title"] == "Ours &amp; &lt;new&gt;"
    assert found["og:image"] == found["twitter:image"] == "http://testserver/demo/a.png"
    assert found["og:url"] == "http://testserver/demo/"
    for name in ("title", "description", "image"):
        assert len(re.findall(f'"(?:og|twitter):{name}"', head)) == 2  # none of Gradio's is left
    assert head.count('name="description"') == 1
    assert "Old" not in head
    assert "manifest" not in head


def test_markup_is_seen_before_gradio_has_loaded(monkeypatch):
    loader = templates.env.loader
    while isinstance(loader, ChoiceLoader):  # a page has been built in this process
        loader = loader.loaders[-1]
    monkeypatch.setattr(templates.env, "loader", loader)
    for _ in range(2):  # the second time changes nothing
        show_early("<p>{{ early }}</p>")
    with gr.Blocks() as page:
        pass
    body = TestClient(gr.mount_gradio_app(FastAPI(), page, path="/")).get("/").text
    before, after = body.split("<p>{{ early }}</p>")
    assert "<body" in before and "<gradio-app" not in before and "<gradio-app" in after
