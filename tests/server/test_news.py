"""lenet.ui.train.news: a page learns of everything new, and rarely has to ask."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from support import batch_event, start_event

from lenet.events import Saved
from lenet.server.runs import Run, Runs
from lenet.ui.train import news
from lenet.ui.train.news import IDLE, IMPATIENT, RUNNING, News

SAVED = Saved(elapsed=1.0, path="run.pt")
BATCH = batch_event(1, 100, elapsed=2.0)


class Pretended:
    """A server whose latest run is what a test says."""

    def __init__(self) -> None:
        self.run = Run("idle")
        self.asked = 0

    def current(self) -> Run:
        self.asked += 1
        return self.run


@pytest.fixture
def runs() -> Pretended:
    return Pretended()


@pytest.fixture
def client(runs: Pretended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(news, "FRESH", 0.0)
    return TestClient(Starlette(routes=[news.route(cast(Runs, runs), lambda run: run.message)]))


def ask(client: TestClient, query: str = "") -> News:
    answer = client.get(f"/news{query}")
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_nothing_new_is_the_same_answer(client: TestClient):
    assert ask(client) == ask(client)


def test_another_state_and_another_network_are_news_for_buttons_and_lists(
    client: TestClient, runs: Pretended, tmp_path: Path
):
    states = [ask(client)["state"]]
    runs.run = Run("starting", "fast-mnist-1")
    states.append(ask(client)["state"])
    runs.run = Run("running", "fast-mnist-1")
    states.append(ask(client)["state"])
    (tmp_path / "another.pt").touch()
    states.append(ask(client)["state"])
    assert len(set(states)) == 4


def test_another_event_and_another_sentence_are_news_of_the_progress_alone(
    client: TestClient, runs: Pretended
):
    runs.run = Run("running", "fast-mnist-1", (start_event(),))
    before = ask(client)
    runs.run = replace(runs.run, events=(start_event(), BATCH))
    event = ask(client)
    runs.run = replace(runs.run, message="drawing digits, 3 %")
    sentence = ask(client)
    assert len({before["progress"], event["progress"], sentence["progress"]}) == 3
    assert before["state"] == event["state"] == sentence["state"]


@pytest.mark.parametrize(
    ("run", "wait"),
    [
        (Run("idle"), IDLE),
        (Run("finished", "run", (start_event(), BATCH)), IDLE),
        (Run("starting", "run"), IMPATIENT),
        (Run("starting", "run", (start_event(), BATCH)), IMPATIENT),  # of the run that it goes on
        (Run("running", "run", (start_event(),)), IMPATIENT),
        (Run("running", "run", (start_event(), SAVED)), IMPATIENT),
        (Run("running", "run", (start_event(), SAVED, BATCH)), RUNNING),
        (Run("stopping", "run", (start_event(), SAVED, BATCH)), RUNNING),
    ],
)
def test_a_page_asks_often_only_while_there_is_something_to_wait_for(
    client: TestClient, runs: Pretended, run: Run, wait: int
):
    runs.run = run
    assert ask(client)["wait"] == wait


def test_one_look_at_the_run_answers_all_pages_but_those_that_know_of_a_change(
    client: TestClient, runs: Pretended, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(news, "FRESH", 60.0)
    old = ask(client)
    runs.run = Run("starting", "fast-mnist-1")
    assert ask(client) == old
    assert runs.asked == 1
    new = ask(client, "?now")
    assert new != old
    assert ask(client) == new
    assert runs.asked == 2
