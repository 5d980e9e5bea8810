"""lenet.ui.gradio_queue: shares of Gradio's queue, and that it keeps nothing of what was sent.

A test that fails after an update of Gradio shows what one visitor could then do to the others.
"""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr
import httpx
import pytest
from gradio.events import api
from starlette.middleware import Middleware
from support import IN_BACKGROUND, WAIT, free_port, wait_until

from lenet.server.guard import Guard
from lenet.ui import gradio_queue
from lenet.ui.gradio_page import QUEUED, QUIET, Page
from lenet.ui.gradio_queue import NoSessions

MARK = "a mark of what was sent"


class Served(NamedTuple):
    """A public page, and what holds back its slow endpoint."""

    url: str
    page: Page
    go_on: threading.Event

    def ask(self, method: str, path: str, content: Any = None, who: str = "9.9.9.9") -> Any:
        headers = {"x-forwarded-for": who}
        url = f"{self.url}/gradio_api/{path}"
        return httpx.request(method, url, json=content, headers=headers, timeout=WAIT)

    def call(self, name: str, *data: Any, who: str = "9.9.9.9") -> httpx.Response:
        return self.ask("POST", f"call/{name}", {"data": data}, who)

    def fetch(self, name: str, called: httpx.Response) -> str:
        return self.ask("GET", f"call/{name}/{called.json()['event_id']}").text


NOTHING: list = []  # an endpoint's example


@pytest.fixture
def served(monkeypatch) -> Iterator[Served]:
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    monkeypatch.setattr(gradio_queue, "KEPT", 1.0)
    monkeypatch.setattr(gradio_queue, "TIDY_EVERY", 0.1)
    go_on = threading.Event()

    async def slow(value: list = NOTHING) -> int:
        while not go_on.is_set():
            await asyncio.sleep(0.05)
        return len(value)

    def quick(value: list = NOTHING) -> list:
        return value

    with Page() as page:
        field = gr.Textbox()
        field.change(lambda value: gr.update(label="changed"), field, field, **QUIET)
        field.submit(lambda value: value, field, field, **QUEUED)
        api(slow, api_name="slow", concurrency_limit=None)
        api(quick, api_name="quick", concurrency_limit=None)
    port = free_port()
    page.queue(api_open=False).launch(
        **IN_BACKGROUND, server_port=port, app_kwargs={"middleware": [Middleware(Guard, {})]}
    )
    yield Served(f"http://127.0.0.1:{port}", page, go_on)
    go_on.set()
    page.close()


def marked_objects() -> int:
    """How many lists and dicts hold the mark."""
    gc.collect()
    found = 0
    for thing in gc.get_objects():
        if thing is globals():
            continue
        held = thing if type(thing) is list else [*thing.values()] if type(thing) is dict else []
        found += any(type(value) is str and value == MARK for value in held)
    return found


def test_a_visitor_has_a_share_of_the_calls_and_others_have_theirs(served: Served, monkeypatch):
    monkeypatch.setattr(gradio_queue, "EACH", 5)
    statuses = [served.call("slow", []).status_code for _ in range(8)]
    assert statuses == [200] * 5 + [503] * 3
    refused = served.call("slow", []).json()
    assert refused == {"detail": "Wait for the answers to your other calls first."}
    others = served.call("quick", [1, 2], who="8.8.8.8")
    assert "[1, 2]" in served.fetch("quick", others)


def test_a_large_call_is_taken_when_it_has_ended(served: Served, monkeypatch):
    """Its objects are gone before the guard lets Gradio have the next."""
    monkeypatch.setattr(gradio_queue, "HELD_UP", WAIT)
    assert served.call("quick", ["x" * 900_000]).status_code == 200
    assert not served.page._queue.event_ids_to_events


def test_a_visitor_has_a_share_of_the_bytes(served: Served, monkeypatch):
    monkeypatch.setattr(gradio_queue, "HELD_UP", 0.1)
    large = ["x" * 900_000]
    statuses = [served.call("slow", large).status_code for _ in range(6)]
    assert statuses == [200] * 4 + [503] * 2
    assert served.call("slow", large, who="8.8.8.8").status_code == 200


def test_all_calls_together_are_limited(served: Served, monkeypatch):
    monkeypatch.setattr(gradio_queue, "ALL", 5)
    statuses = [served.call("slow", [], who=f"9.9.9.{n}").status_code for n in range(7)]
    assert statuses == [200] * 5 + [503] * 2


def test_calls_that_were_answered_no_longer_count(served: Served, monkeypatch):
    monkeypatch.setattr(gradio_queue, "EACH", 3)
    for _ in range(10):
        called = served.call("quick", [7])
        assert "[7]" in served.fetch("quick", called)


def test_every_call_begins_at_once(served: Served, monkeypatch):
    """Gradio works on no more than forty calls at once unless it is told otherwise."""
    monkeypatch.setattr(gradio_queue, "KEPT", 1000)
    waiting = [served.call("slow", [], who=f"9.9.9.{n}") for n in range(45)]
    assert "[7]" in served.fetch("quick", served.call("quick", [7], who="8.8.8.8"))
    served.go_on.set()
    assert all("complete" in served.fetch("slow", called) for called in waiting)


def test_an_answer_that_nobody_fetches_is_forgotten(served: Served):
    """Otherwise two thousand of them are kept, for ever."""
    called = served.call("quick", [MARK])
    queue = served.page._queue
    wait_until(lambda: not queue.event_ids_to_events)
    assert queue.pending_messages_per_session
    wait_until(lambda: not queue.pending_messages_per_session)
    assert not queue.pending_event_ids_session and not queue._calls and not queue._sessions
    assert "event: complete" not in served.fetch("quick", called)
    served.fetch("quick", served.call("quick", [7]))  # the loop remembers the latest call
    wait_until(lambda: not marked_objects())


def test_an_answer_that_is_fetched_late_is_there(served: Served, monkeypatch):
    monkeypatch.setattr(gradio_queue, "KEPT", 1000)
    called = served.call("quick", [7])
    time.sleep(0.5)  # several times TIDY_EVERY
    assert "[7]" in served.fetch("quick", called)


def test_an_answer_that_waits_takes_no_objects(served: Served, monkeypatch):
    """As objects five hundred answers to batches take fifty megabytes, and leave them in pieces."""
    monkeypatch.setattr(gradio_queue, "KEPT", 1000)
    called = [served.call("quick", [MARK]) for _ in range(3)]
    served.fetch("quick", served.call("quick", [7]))  # the loop remembers the latest call
    wait_until(lambda: not marked_objects())
    assert all(MARK in served.fetch("quick", each) for each in called)


def test_nothing_that_was_sent_is_kept_of_a_page(served: Served):
    """Gradio keeps the values of 10,000 pages, whatever these are."""
    events = {
        target[1]: fn._id for fn in served.page.fns.values() for target in fn.targets if target[0]
    }
    for number in range(3):
        content = {"data": [MARK], "fn_index": events["change"], "session_hash": f"page{number}"}
        assert served.ask("POST", "run/predict", content).status_code == 200
        content["fn_index"] = events["submit"]
        assert served.ask("POST", "queue/join", content).status_code == 200
        stream = served.ask("GET", f"queue/data?session_hash=page{number}").text
        assert MARK in stream and "process_completed" in stream
    assert not served.page.app.state_holder.session_data
    del content, stream
    served.fetch("quick", served.call("quick", [7]))  # the loop remembers the latest call
    wait_until(lambda: not marked_objects())


def test_of_a_component_that_events_update_no_other_is_kept(served: Served):
    """Gradio keeps it in a page's state; in the one that all pages share, one for each event."""
    changes = next(fn for fn in served.page.fns.values() if fn.targets[0][1] == "change")
    counts = []
    for _ in range(3):
        content = {"data": ["x"], "fn_index": changes._id, "session_hash": "page"}
        assert "changed" in served.ask("POST", "run/predict", content).text
        gc.collect()
        counts.append(sum(type(each) is gr.Textbox for each in gc.get_objects()))
    assert counts == [counts[0]] * 3


def test_a_call_that_waits_keeps_its_content_once(served: Served):
    """Gradio would keep the request, too, with its bytes and with what these say."""
    for _ in range(3):
        served.call("slow", [MARK])
    assert marked_objects() <= 3 * 2
    served.go_on.set()


def test_a_page_has_no_state_from_the_moment_that_it_may_be_asked(monkeypatch):
    """Events come while the server starts, and would fail."""
    page = gr.Blocks()
    found = []

    def note(blocks: gr.Blocks, holder: NoSessions) -> None:
        found.append(holder["session"])

    monkeypatch.setattr(gr.Blocks, "state_holder", property(None, note), raising=False)
    holder = NoSessions(page)
    assert found == [holder["session"]]
