"""The page's scripts: where a browser finds them, and for how long it keeps them."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lenet.ui import assets

UI = Path(assets.__file__).parent
SCRIPTS = sorted(str(path.relative_to(UI)) for path in UI.rglob("*.js"))


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[assets.ROUTE]))


def address(name: str) -> str:
    """Where the page imports a script from."""
    found = re.search(r'"(scripts/\w+/[^"]+)"', assets.mounting(name))
    assert found
    return "/" + found[1]


def test_a_browser_keeps_a_script_for_ever(client: TestClient):
    for name in SCRIPTS:
        answer = client.get(address(name))
        assert answer.text == (UI / name).read_text()
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]


def test_every_script_is_loaded_before_it_is_asked_for():
    pattern = r'<link rel="modulepreload" href="([^"]+)" fetchpriority="low">'
    first, later = (re.findall(pattern, assets.preloads(first)) for first in (True, False))
    assert sorted(f"/{link}" for link in first + later) == sorted(map(address, SCRIPTS))
    assert address("draw/pad.js").removeprefix("/") in first


def test_what_reads_the_early_pad_is_loaded_before_all_others():
    found = assets.script("draw/early.js", "draw/asking.js")
    links = re.findall(r'modulepreload" href="([^"]+)" fetchpriority="high"', found)
    assert [f"/{link}" for link in links] == [address("draw/early.js"), address("draw/asking.js")]
    assert found.endswith(f'<script type="module" async src="{links[0]}"></script>')


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_script_imports_is_served_beside_it(client: TestClient, name: str):
    for imported in re.findall(r'from "(\.[^"]+)"', (UI / name).read_text()):
        assert client.get(f"{address(name)}/../{imported}").status_code == 200, imported


def test_nothing_else_is_served(client: TestClient):
    script = address("draw/pad.js")
    assert client.get(re.sub(r"scripts/\w+", "scripts/0123456789abcdef", script)).status_code == 404
    for other in ("tab.py", "pad.html", "../assets.py", "..%2Fassets.py", "none.js"):
        assert client.get(script.replace("pad.js", other)).status_code == 404


def test_a_script_that_is_not_there_is_an_error_at_once():
    with pytest.raises(FileNotFoundError, match=r"draw/none\.js"):
        assets.mounting("draw/none.js")


def test_gradio_finds_the_events_that_a_script_triggers():
    assert "'draw'" in assets.mounting("data/data.js", "draw")
