"""The table of a server's runs: what it says of each; renaming, deleting, downloading them."""

import json
import os
import time
from pathlib import Path

import pytest
from runs_on_noise import LONG, run_on_few_digits
from starlette.applications import Starlette
from starlette.testclient import TestClient
from support import batch_event, epoch_event, on_own_machine, start_event, wait_for_run

from lenet.checkpoint import SHIPPED
from lenet.events import Batch, Done, Epoch, Event, EventLog, Saved, Stopped, to_json
from lenet.job import prepare
from lenet.server import history
from lenet.server.history import HistoryError
from lenet.server.queue import Queue
from lenet.server.runs import Run, Runs
from lenet.train import new_name
from lenet.ui.train import runs_table
from lenet.ui.train.runs_table import Row, to_csv

pytestmark = pytest.mark.usefixtures("warm")

NAME = "fast-mnist-20261126-174512-12ab"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    return on_own_machine(monkeypatch, tmp_path)


@pytest.fixture
def queue() -> Queue:
    return Queue(Runs(run_on_few_digits))


@pytest.fixture
def client(queue: Queue) -> TestClient:
    return TestClient(Starlette(routes=runs_table.routes(queue)))


def epoch(number: int, accuracy: float) -> Epoch:
    return epoch_event(number, 10.0 * number, test_accuracy=accuracy)


def batch(number: int, done: int) -> Batch:
    return batch_event(number, done, 10.0 * (number - 1) + done / 20)


FINISHED = (
    start_event(epochs=2),
    Saved(elapsed=0.0, path="/srv/secret/run.pt"),
    batch(1, 100),
    epoch(1, 0.9),
    epoch(2, 0.95),
    Done(elapsed=20.5, test_accuracy=0.95, checkpoint="/srv/secret/run.pt"),
)


def leave(folder: Path, name: str, *events: Event, age: float = 0.0, network: bool = True) -> Path:
    """A run's log, and a file in its checkpoint's place."""
    path = folder / f"{name}.jsonl"
    path.write_text("".join(to_json(event) + "\n" for event in events))
    os.utime(path, (time.time() - age,) * 2)
    if network:
        path.with_suffix(".pt").touch()
    return path


def rows(queue: Queue) -> dict[str, Row]:
    return {row["name"]: row for row in runs_table.table(queue)["rows"]}


# ---------------------------------------------------------------- what the table says


def test_where_nothing_ever_ran_there_are_no_rows(client: TestClient):
    assert client.get("/runs").json() == {"rows": []}


def test_a_row_says_how_a_run_was_trained_and_how_it_went(folder: Path, client: TestClient):
    changed = leave(folder, NAME, *FINISHED).stat().st_mtime
    answer = client.get("/runs")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["rows"] == [
        {
            "name": NAME,
            "title": "fast 12ab",
            "group": "",
            "setting": {
                "recipe": "fast",
                "data": "mnist",
                "epochs": 2,
                "batch_size": 80,
                "learning_rate": 0.1,
                "seed": 0,
            },
            "done": 2,
            "accuracy": 0.95,
            "seconds": 20.5,
            "state": "finished",
            "message": "",
            "when": round(1000 * changed),
            "network": f"{NAME}.pt",
            "resume": "3 more epochs",
        }
    ]


def test_a_row_names_damaged_data(folder: Path, queue: Queue):
    leave(folder, "run", start_event(training_images=1000, wrong_labels=20.0), *FINISHED[1:])
    setting = rows(queue)["run"]["setting"]
    assert setting and setting["data"] == "mnist, 1,000 images, 20 % wrong"


def test_the_newest_comes_first_and_nobody_s_hand_is_listed(folder: Path, queue: Queue):
    for age, name in enumerate(("b", "a", new_name("hand", "mnist", 16), "c")):
        leave(folder, name, *FINISHED, age=age)
    assert list(rows(queue)) == ["b", "a", "c"]


def test_runs_that_differ_in_their_seed_have_a_group(folder: Path, queue: Queue):
    leave(folder, f"{NAME}-seed3", start_event(seed=3), *FINISHED[1:])
    row = rows(queue)[f"{NAME}-seed3"]
    assert (row["group"], row["title"]) == (NAME, "fast 12ab, seed 3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Its log is empty."),
        ("{", "Its log is empty."),  # cut off in its first line
        ('{"event": "dream"}\n', "line 1: It is not an event that this version knows."),
        (f"{to_json(FINISHED[0])}\n\0\0\n", "line 2: It is not JSON."),
        ('{"event": "start"}\n', "The event 'start' is damaged: it has no elapsed."),
        (f"{to_json(FINISHED[2])}\n", "Its log has no beginning."),
    ],
)
def test_the_row_of_a_log_that_cannot_be_read_says_so(
    folder: Path, queue: Queue, text: str, message: str
):
    leave(folder, "good", *FINISHED)
    leave(folder, "bad", age=10).write_text(text)
    os.utime(folder / "bad.jsonl", (1, 1))
    found = rows(queue)
    assert found["good"]["state"] == "finished"
    bad = found["bad"]
    assert (bad["state"], bad["setting"], bad["resume"]) == ("damaged", None, "")
    assert bad["message"].endswith(message)


def test_a_row_says_that_a_log_breaks_off_or_that_a_network_is_gone(folder: Path, queue: Queue):
    leave(folder, "good", *FINISHED)
    leave(folder, "killed", *FINISHED[:4], age=10)
    leave(folder, "gone", *FINISHED, age=20, network=False)
    found = rows(queue)
    killed, gone = found["killed"], found["gone"]
    assert (killed["state"], killed["message"]) == ("failed", "It broke off: its log has no end.")
    assert killed["resume"] == "from epoch 2 of 2"
    assert (gone["state"], gone["network"], gone["resume"]) == ("finished", "", "")
    assert gone["message"] == "Its network is gone: nobody can draw with it or resume it."


def test_a_stopped_run_says_from_where_it_goes_on(folder: Path, queue: Queue):
    stopped = Stopped(elapsed=12.0, test_accuracy=0.9, checkpoint="run.pt")
    leave(folder, "run", *FINISHED[:4], stopped)
    row = rows(queue)["run"]
    assert (row["state"], row["done"], row["accuracy"]) == ("stopped", 1, 0.9)
    assert row["resume"] == "from epoch 2 of 2"


def test_a_log_is_read_once_and_again_when_it_has_changed(folder: Path, queue: Queue, monkeypatch):
    for number in range(200):
        leave(folder, f"run{number}", *FINISHED, age=number)
    read = []
    original = history.read_log
    monkeypatch.setattr(history, "read_log", lambda path: read.append(path) or original(path))
    assert len(rows(queue)) == len(read) == 200
    assert len(rows(queue)) == len(read) == 200
    EventLog(folder / "run7.jsonl").append(epoch(3, 0.97))
    assert rows(queue)["run7"]["done"] == 3
    assert len(read) == 201
    (folder / "run8.jsonl").unlink()
    assert len(rows(queue)) == 199 and len(history._summaries) == 199


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("a rate of 0.5", "a rate of 0.5"),
        ("  two\nlines\x00 ", "two lines"),
        ("x" * 1000, "x" * 60),
        ("<b>bold</b>", "<b>bold</b>"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("\ud800 broken", "broken"),
        ("", "fast 12ab"),
        (7, "fast 12ab"),
    ],
)
def test_a_name_is_text_and_never_a_path(folder: Path, queue: Queue, text: object, title: str):
    leave(folder, NAME, *FINISHED)
    history.rename(NAME, text)
    assert rows(queue)[NAME]["title"] == title
    kept = {path.name for path in folder.iterdir()} - {f"{NAME}.title"}
    assert kept == {f"{NAME}.jsonl", f"{NAME}.pt"}
    history.rename(NAME, "")
    assert rows(queue)[NAME]["title"] == "fast 12ab"


@pytest.mark.parametrize(
    "name", ["../run", "run.jsonl", "", ".", "*", None, 7, ["run"], "x" * 9999]
)
def test_only_runs_that_are_there_are_renamed_deleted_and_read(
    folder: Path, queue: Queue, name: object
):
    leave(folder, "run", *FINISHED)
    for act in (
        lambda: history.rename(name, "other"),
        lambda: history.delete(queue.runs, name),
        lambda: history.events_of(queue.runs, name),
    ):
        with pytest.raises(HistoryError, match="no longer there"):
            act()
    assert {path.name for path in folder.iterdir()} == {"run.jsonl", "run.pt"}


# ---------------------------------------------------------------- deleting


def test_a_deleted_run_leaves_nothing_and_the_others_stand(folder: Path, queue: Queue):
    leave(folder, "run", *FINISHED)
    leave(folder, "other", *FINISHED)
    history.rename("run", "mine")
    changes = history.changes()
    history.delete(queue.runs, "run")
    assert history.changes() == changes + 1
    assert {path.name for path in folder.iterdir()} == {"other.jsonl", "other.pt"}


def test_a_running_run_is_stopped_before_it_is_deleted(folder: Path, queue: Queue):
    name = queue.runs.start(prepare(LONG))
    wait_for_run(queue.runs, lambda run: run.state == "running")
    history.delete(queue.runs, name)
    assert queue.runs.current() == Run("idle")
    assert not [path for path in folder.iterdir() if path.name.startswith(name)]


def test_the_shipped_network_stays(folder: Path, queue: Queue, monkeypatch):
    monkeypatch.setattr(history, "SHIPPED", folder / SHIPPED.name)
    leave(folder, SHIPPED.stem, *FINISHED)
    with pytest.raises(HistoryError, match="shipped network stays"):
        history.delete(queue.runs, SHIPPED.stem)
    assert (folder / SHIPPED.name).exists()


def test_on_a_public_server_only_the_owner_renames_and_deletes(
    folder: Path, queue: Queue, monkeypatch
):
    leave(folder, "run", *FINISHED)
    actions = runs_table._Actions(queue)
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    for password, words in (("right", "has set no password"), ("", "has set no password")):
        with pytest.raises(ValueError, match=words):
            actions.delete_run({"run": "run", "password": password})
    monkeypatch.setenv("LENET_PASSWORD", "right")
    for password in ("wrong", "", None, 7):
        asked = {"run": "run", "password": password, "title": "mine"}
        for act in (actions.delete_run, actions.rename_run):
            with pytest.raises(ValueError, match="Only the owner"):
                act(asked)
    assert rows(queue)["run"]["title"] == "run"
    actions.rename_run({"run": "run", "password": "right", "title": "mine"})
    assert rows(queue)["run"]["title"] == "mine"
    actions.delete_run({"run": "run", "password": "right"})
    assert rows(queue) == {}


# ---------------------------------------------------------------- files


def test_the_curves_and_the_log_of_a_run_are_downloaded(folder: Path, client: TestClient):
    leave(folder, "run", *FINISHED)
    assert [chart["title"] for chart in client.get("/runs/run/curves").json()["charts"]] == [
        "Loss",
        "Test images read right",
        "Learning rate",
    ]
    log = client.get("/runs/run/log")
    assert log.headers["content-disposition"] == "attachment; filename*=utf-8''run.jsonl"
    lines = [json.loads(line) for line in log.text.splitlines()]
    assert [line["event"] for line in lines] == [
        "start",
        "checkpoint",
        "batch",
        "epoch",
        "epoch",
        "done",
    ]
    assert lines[-1]["checkpoint"] == "run.pt" and "secret" not in log.text


def test_what_cannot_be_downloaded_is_a_404_with_the_reason(folder: Path, client: TestClient):
    own = new_name("hand", "mnist", 16)
    leave(folder, own, *FINISHED)
    leave(folder, "bad").write_text("{}\n")
    for name, words in (("none", "no longer there"), (own, "no longer there"), ("bad", "line 1")):
        for what in ("curves", "log"):
            answer = client.get(f"/runs/{name}/{what}")
            assert answer.status_code == 404 and words in answer.json()["error"]
    assert client.get("/runs.csv").json() == {"error": "Say which runs: tick some in the table."}


def test_one_run_is_a_table_of_its_metrics_by_step():
    assert to_csv({"run": FINISHED}).splitlines() == [
        "step,epoch,seconds,loss,learning_rate,images_per_second,train_loss,test_loss,test_accuracy",
        "100,0.5,5.0,0.5,0.1,1.0,,,",
        "200,1,10.0,,,,0.5,0.25,0.9",
        "400,2,20.0,,,,0.5,0.25,0.95",
    ]


def test_several_runs_stand_side_by_side_in_one_table(folder: Path, client: TestClient):
    leave(folder, "a", *FINISHED)
    leave(folder, "b", start_event(batches=100), epoch(1, 0.8))
    history.rename("b", "half, as it were/or not")
    answer = client.get("/runs.csv?run=a&run=b")
    assert answer.headers["content-type"] == runs_table.CSV
    head, *lines = answer.text.splitlines()
    assert head.startswith("step,a/epoch,a/seconds") and '"half, as it were-or not/epoch"' in head
    assert [line.split(",")[0] for line in lines] == ["100", "200", "400"]
    assert lines[0].endswith("1,10.0,0.5,0.25,0.8")


def test_a_run_that_is_named_often_is_read_once(folder: Path, client: TestClient, monkeypatch):
    """A long log takes tens of milliseconds."""
    leave(folder, "a", *FINISHED)
    read, events_of = [], history.events_of

    def noting(runs: Runs, name: object) -> tuple[Event, ...]:
        read.append(name)
        return events_of(runs, name)

    monkeypatch.setattr(history, "events_of", noting)
    assert client.get("/runs.csv", params={"run": ["a"] * 50}).status_code == 200
    assert read == ["a"]


def test_in_a_file_of_several_a_tracker_s_ten_letters_hold_the_run_and_something_of_the_metric(
    folder: Path, client: TestClient
):
    names = ("fast-mnist-20261101-120000-00ab", "best-mnist-20261101-120000-00cd-seed3")
    for name in names:
        leave(folder, name, *FINISHED)
    text = client.get("/runs.csv", params={"run": names}).text
    head = text.splitlines()[0].split(",")
    assert head[1:3] == ["00ab/epoch", "00ab/seconds"] and head[-1] == "00cd-3/test_accuracy"
