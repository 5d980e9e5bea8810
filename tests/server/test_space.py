"""What a Space consists of: the README's metadata, and the tracked files, which alone must run.

The app is started as in a Space, and under harder conditions: from a read-only copy of the tracked
files, as a user without rights, behind a proxy with a path prefix.
"""

import ctypes
import http.client
import os
import re
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from huggingface_hub import SpaceCard
from playwright.sync_api import Browser, expect
from support import ROOT, serving

from lenet.checkpoint import SHIPPED

LARGEST = 10 * 10**6  # bytes of a file; none is listed for large-file storage
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
PREFIX = "/lessons/lenet"


def tracked() -> list[str]:
    """The files that git tracks; in an unpacked archive, all but what `.gitignore` names."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return [name for name in listed.stdout.decode().split("\0") if name]
    ignored = set((ROOT / ".gitignore").read_text().replace("/\n", "\n").split())
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(path) for path in found if not ignored.intersection(path.parts)]


def test_the_metadata_says_what_a_space_needs():
    card = SpaceCard.load(ROOT / "README.md").data
    assert card.sdk == "gradio"
    requirements = (ROOT / "requirements.txt").read_text().splitlines()
    assert f"gradio=={card.sdk_version}" in requirements
    assert (ROOT / card.app_file).is_file()
    assert card.title and card.emoji and card.license
    assert {card.colorFrom, card.colorTo} <= COLOURS
    assert len(card.short_description) <= 60
    assert card.models and card.datasets and card.tags
    address, picture = card.thumbnail.split("/resolve/main/")
    assert address == "https://huggingface.co/spaces/YOU/lenet-live"
    assert (ROOT / picture).is_file()


def test_the_extra_asks_for_the_same_gradio():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    (gradio,) = [line for line in lines if line.startswith("gradio")]
    extra = (ROOT / "requirements-mcp.txt").read_text().splitlines()
    assert gradio.replace("gradio", "gradio[mcp]") in extra


def test_no_tracked_file_needs_large_file_storage():
    assert not [name for name in tracked() if (ROOT / name).stat().st_size > LARGEST]


class Space(NamedTuple):
    """The app as it stands behind the proxy."""

    url: str
    copy: Path
    home: Path
    log: Path


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """Serve a copy of the tracked files that can only be read."""
    names = tracked()
    folder = tmp_path_factory.mktemp("space")
    copy, home = folder / "app", folder / "home"
    try:
        for name in names:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        home.mkdir()
        options = {"preexec_fn": without_rights} if os.geteuid() == 0 else {}
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        hidden = {"PYTHONPATH", "LENET_CHECKPOINTS", "LENET_DATA", "XDG_CACHE_HOME"}
        variables = {
            **dict.fromkeys(hidden & os.environ.keys(), ""),
            "HOME": str(home),
            "GRADIO_TEMP_DIR": str(home / "gradio"),
            "GRADIO_ROOT_PATH": PREFIX,
            "SPACE_ID": "",
            "LENET_TRAINING": "off",
        }
        log = folder / "log"
        with serving(log, variables, cwd=copy, **options) as url, proxy(url) as address:
            yield Space(address + PREFIX + "/", copy, home, log)
    finally:
        for path in [copy, *copy.rglob("*")]:
            path.chmod(stat.S_IRWXU)  # so that pytest can remove it


def without_rights() -> None:
    """Take from root's next program the rights that the owner of a file does not have."""
    drop, capabilities = 24, 64  # PR_CAPBSET_DROP, more than there are
    libc = ctypes.CDLL(None)
    for capability in range(capabilities):
        libc.prctl(drop, capability)


class proxy:
    """A reverse proxy that takes the prefix off, as one in front of many apps does."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)

        class Handler(BaseHTTPRequestHandler):
            def forward(self) -> None:
                if not self.path.startswith(PREFIX):
                    return self.send_error(404)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                connection = http.client.HTTPConnection(target.hostname, target.port)
                headers = {**self.headers, "X-Forwarded-Host": self.headers["Host"]}
                connection.request(self.command, self.path[len(PREFIX) :], body, headers)
                response = connection.getresponse()
                self.send_response_only(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.end_headers()
                with suppress(OSError, http.client.HTTPException):  # one side has gone
                    while part := response.read1():
                        self.wfile.write(part)
                connection.close()

            do_GET = do_POST = forward

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_a_link_is_shown_with_a_picture_of_the_page(space: Space):
    with urlopen(space.url) as page:
        found = re.search('"og:image" content="([^"]+)"', page.read().decode())
    assert found and found[1] == space.url + "page.png"
    with urlopen(found[1]) as picture:
        assert picture.headers["content-type"] == "image/png"
        assert picture.read() == (ROOT / "docs" / "page.png").read_bytes()


def test_the_tracked_files_alone_read_digits(space: Space, browser: Browser, tmp_path: Path):
    with browser.new_context() as context:
        page = context.new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("response", lambda r: problems.append(r.url) if r.status >= 400 else None)
        page.goto(space.url)
        page.locator("#pad-examples button").nth(7).click()
        expect(page.locator("#answer")).to_have_text("7")

        # A visitor's upload goes to the cache, since the project is read-only.
        mine = tmp_path / "mine.pt"
        shutil.copy(SHIPPED, mine)
        with page.expect_file_chooser() as chooser:
            page.locator("#upload").click()
        chooser.value.set_files(mine)
        chosen = page.locator("#checkpoint input")
        expect(chosen).not_to_have_value("lenet.pt")
        kept = space.home / ".cache" / "lenet-live" / "checkpoints" / chosen.input_value()
        assert kept.is_file()
        link = page.locator("#download")
        expect(link).to_have_attribute("href", re.compile(re.escape(kept.name)))
        with page.expect_download() as download:
            link.click()
        assert Path(download.value.path()).read_bytes() == kept.read_bytes()

        # Its owner has turned training off.
        page.get_by_role("tab", name="Train").click()
        off = "idle: training is off on this server"
        expect(page.locator("#train-status")).to_have_text(off)
        expect(page.locator("#train-start")).to_be_hidden()
        assert not problems
    written = {
        str(path.relative_to(space.copy)) for path in space.copy.rglob("*") if path.is_file()
    }
    assert written == set(tracked())
    assert "Traceback" not in space.log.read_text()
