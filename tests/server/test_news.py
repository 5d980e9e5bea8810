"""lenet.ui.train.news: a page learns of everything new, and rarely has to ask."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from support import batch_event, epoch_event, start_event

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
        self.asked = self.shown = 0

    def current(self) -> Run:
        self.asked += 1
        return self.run

    def show(self, run: Run) -> list[str]:
        self.shown += 1
        return [run.state, run.message]


@pytest.fixture
def runs() -> Pretended:
    return Pretended()


@pytest.fixture
def client(runs: Pretended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(news, "FRESH", 0.0)
    route = news.route(cast(Runs, runs), lambda run: run.message, runs.show)
    return TestClient(Starlette(routes=[route]))


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
        (Run("running", "run", (start_event(), SAVED, BATCH, SAVED)), RUNNING),
        (Run("running", "run", (start_event(), SAVED, epoch_event(1, 2.0), SAVED)), RUNNING),
        (Run("running", "run", (start_event(), BATCH, start_event())), IMPATIENT),
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


def test_a_page_gets_the_progress_that_it_does_not_show_made_once_for_all_pages(
    client: TestClient, runs: Pretended, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(news, "FRESH", 60.0)
    runs.run = Run("running", "run", (start_event(),), message="epoch 1")
    assert "shown" not in ask(client)
    assert runs.shown == 0
    first = ask(client, "?progress=")
    assert first["shown"] == ["running", "epoch 1"] == ask(client, "?progress=another")["shown"]
    assert runs.shown == 1
    assert "shown" not in ask(client, f"?progress={first['progress']}")
    runs.run = replace(runs.run, message="epoch 2")
    assert ask(client, f"?progress={first['progress']}&now=")["shown"] == ["running", "epoch 2"]


def test_a_long_log_comes_compressed(client: TestClient, runs: Pretended):
    runs.run = Run("running", "run", message="a line of the log\n" * 1000)
    answer = client.get("/news?progress=")
    assert answer.json()["shown"] == ["running", runs.run.message]
    assert int(answer.headers["content-length"]) < 1000
