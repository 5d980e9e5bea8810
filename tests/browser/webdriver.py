"""Chromium, Firefox and WebKit, driven alike, each through what Debian ships.

Playwright brings its own Firefox and WebKit, which no visitor has. Chromium and WebKit have a
driver that speaks WebDriver (https://www.w3.org/TR/webdriver2/); Firefox itself speaks WebDriver
BiDi (https://w3c.github.io/webdriver-bidi/). Actions look the same in both.
"""

import itertools
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import glob
from pathlib import Path
from typing import Any

from support import SOON, free_port
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

WIDTH, HEIGHT = 1280, 900
KEYS = {"Control": "\ue009", "Delete": "\ue017", "Tab": "\ue004"}


class Tab:
    """A browser's only tab.

    Args:
        evaluate: an expression of JavaScript, which may be a promise, to its value as JSON.
        act: performs a list of WebDriver's actions.
        go: opens an address.
    """

    def __init__(
        self,
        evaluate: Callable[[str], str],
        act: Callable[[list[dict[str, Any]]], None],
        go: Callable[[str], None],
    ) -> None:
        self._evaluate = evaluate
        self._act = act
        self.open = go

    def evaluate(self, expression: str) -> Any:
        return json.loads(self._evaluate(f"JSON.stringify((await ({expression})) ?? null)"))

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + SOON / 1000
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < end, f"waited in vain for {expression}"
            time.sleep(0.1)

    def click(self, element: str) -> None:
        """Click in the middle of an element, given as an expression, once it is visible, enabled
        and standing still.
        """
        self.wait(f"(e => e?.checkVisibility() && !e.matches(':disabled'))({element})")
        x, y = self.evaluate(
            f"""new Promise((found) => {{
                let before;
                const look = () => {{
                    const element = {element};
                    element.scrollIntoView({{ block: "center", behavior: "instant" }});
                    const {{ x, y, width, height }} = element.getBoundingClientRect();
                    const middle = [x + width / 2, y + height / 2];
                    if (`${{middle}}` === before) return found(middle);
                    before = `${{middle}}`;
                    setTimeout(look, 100);
                }};
                look();
            }})"""
        )
        self.draw([[(x, y)]])

    def draw(self, strokes: list[list[tuple[float, float]]]) -> None:
        """Move the mouse along strokes in the window with its button held."""
        steps: list[dict[str, Any]] = []
        for stroke in strokes:
            moves = [
                {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 10}
                for x, y in stroke
            ]
            down, up = ({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up"))
            steps += [moves[0], down, *moves[1:], up]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}}
        self._act([{**mouse, "actions": steps}])

    def press(self, *keys: str) -> None:
        """Press keys, by the names in `KEYS` or as they are written; the first ones are held."""
        codes = [KEYS.get(key, key) for key in keys]
        down = [{"type": "keyDown", "value": code} for code in codes]
        up = [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self._act([{"type": "key", "id": "keys", "actions": down + up}])

    def fill(self, field: str, text: str) -> None:
        """Replace a field's text by typing, and leave the field."""
        self.click(field)
        self.press("Control", "a")
        for key in text:
            self.press(key)
        self.press("Tab")


@contextmanager
def chromium(folder: Path) -> Iterator[Tab]:
    """Chromium, through its driver."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={WIDTH},{HEIGHT}"]
    options = {"goog:chromeOptions": {"args": [*flags, f"--user-data-dir={folder}"]}}
    with _classic("chromedriver", options) as tab:
        yield tab


@contextmanager
def webkit(folder: Path) -> Iterator[Tab]:
    """WebKitGTK's small browser, through its driver, on a screen in memory."""
    (browser,) = glob("/usr/lib/*/webkit2gtk-4.1/MiniBrowser")
    size = f"--geometry={WIDTH}x{HEIGHT}"
    options = {"webkitgtk:browserOptions": {"binary": browser, "args": ["--automation", size]}}
    with _screen() as display, _classic("WebKitWebDriver", options, DISPLAY=display) as tab:
        yield tab


@contextmanager
def firefox(folder: Path) -> Iterator[Tab]:
    """Firefox without a window."""
    command = ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port=0"]
    window = ["--profile", str(folder), "--width", str(WIDTH), "--height", str(HEIGHT)]
    with _running([*command, *window], stderr=subprocess.PIPE, text=True) as process:
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, "Firefox ended"
            address = re.search(r"ws://\S+", line)
        with connect(f"{address[0]}/session", max_size=None, proxy=None) as socket:
            numbers = itertools.count(1)

            def call(method: str, **params: Any) -> Any:
                number = next(numbers)
                socket.send(json.dumps({"id": number, "method": method, "params": params}))
                while True:
                    answer = json.loads(socket.recv())
                    if answer.get("id") == number:
                        assert answer["type"] == "success", answer
                        return answer["result"]

            call("session.new", capabilities={})
            context = call("browsingContext.getTree")["contexts"][0]["context"]

            def evaluate(expression: str) -> str:
                asked = {"expression": f"(async () => {expression})()", "awaitPromise": True}
                found = call("script.evaluate", target={"context": context}, **asked)
                assert found["type"] == "success", found["exceptionDetails"]["text"]
                return found["result"]["value"]

            tab = {"context": context}
            yield Tab(
                evaluate,
                lambda actions: call("input.performActions", **tab, actions=actions),
                lambda url: call("browsingContext.navigate", **tab, url=url, wait="complete"),
            )
            with suppress(WebSocketException):  # it may close before it answers
                call("browser.close")


@contextmanager
def _classic(driver: str, options: dict[str, Any], **variables: str) -> Iterator[Tab]:
    """A browser's tab through its driver."""
    port = free_port()
    with _running([driver, f"--port={port}"], env={**os.environ, **variables}):

        def ask(method: str, path: str, content: dict[str, Any] | None = None) -> Any:
            body = None if content is None else json.dumps(content).encode()
            headers = {"Content-Type": "application/json"}
            url = f"http://127.0.0.1:{port}{path}"
            request = urllib.request.Request(url, body, headers, method=method)
            try:
                with urllib.request.urlopen(request) as response:
                    return json.load(response)["value"]
            except urllib.error.HTTPError as error:
                raise AssertionError(error.read().decode()) from error

        _until(lambda: ask("GET", "/status")["ready"])
        wanted = {"capabilities": {"alwaysMatch": options}}
        session = f"/session/{ask('POST', '/session', wanted)['sessionId']}"

        def evaluate(expression: str) -> str:
            script = f"return (async () => {expression})()"
            return ask("POST", f"{session}/execute/sync", {"script": script, "args": []})

        yield Tab(
            evaluate,
            lambda actions: ask("POST", f"{session}/actions", {"actions": actions}),
            lambda url: ask("POST", f"{session}/url", {"url": url}),
        )
        ask("DELETE", session)


@contextmanager
def _screen() -> Iterator[str]:
    """A screen in memory; its name."""
    read, write = os.pipe()
    size = f"{WIDTH + 100}x{HEIGHT + 200}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    with _running(command, pass_fds=[write], stderr=subprocess.DEVNULL), open(read) as told:
        os.close(write)
        yield f":{told.readline().strip()}"


@contextmanager
def _running(command: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, **options))
        stack.callback(process.terminate)
        yield process


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON / 1000
    while True:
        try:
            if condition():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        assert time.monotonic() < end, "the driver does not start"
        time.sleep(0.1)


BROWSERS = {
    "Chromium": ("chromedriver", chromium),
    "Firefox": ("firefox-esr", firefox),
    "WebKit": ("WebKitWebDriver", webkit),
}
