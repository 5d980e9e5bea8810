"""lenet.film: what a film holds, and what a page is told of it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from support import batch_event

import lenet.train
import lenet.trainer
from lenet import LeNet
from lenet.checkpoint import read
from lenet.data import DataSet, Digits
from lenet.events import Done, Event, EventLog, Saved, Stopped
from lenet.film import LENGTH, FilmWriter, Snapshot, film_length, planned_length, read_film
from lenet.job import prepare
from lenet.preprocess import frames_to_inputs, strokes_to_frame
from lenet.server.runs import Runs
from lenet.settings import Request
from lenet.synthetic import example_strokes, synthetic_digits
from lenet.train import train
from lenet.trainer import Trainer
from lenet.ui.train import film_view as ui

EXAMPLES = example_strokes()
NAME = "fast-synthetic-1"


@pytest.fixture(autouse=True, scope="module")
def few_digits() -> Iterator[None]:
    """1,000 digits, 16 batches of 64 an epoch, and an event every second batch."""
    digits = Digits(*synthetic_digits(1000, seed=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lenet.train, "load", lambda name, *_: DataSet(name, digits, digits))
        patch.setattr(lenet.trainer, "LOG_EVERY", 2)
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))
    return tmp_path


def run(
    folder: Path, request: Request, name: str = NAME, stop_after: int = -1, look=None
) -> type[Event]:
    """Train as a run's process does; `look` gets the trainer at every event. Returns the ending."""
    film = FilmWriter(folder / f"{name}.film")
    found: list[Trainer] = []

    def begun(trainer: Trainer) -> None:
        found.append(trainer)
        film.begin(trainer)

    def stop() -> bool:
        return bool(found) and found[0].progress.step == stop_after

    log = EventLog(folder / f"{name}.jsonl")
    for event in train(prepare(request), folder / f"{name}.pt", stop, begun):
        if look:
            look(found[0])
        film.follow(event)
        log.append(event)
        last = event
    return type(last)


FAST = Request("fast", "synthetic", epochs=2, batch_size=64)


def batches(path: Path) -> list[int]:
    return [snapshot.batches for snapshot in read_film(path)]


def pretended(step: int, end: int, model: LeNet | None = None) -> SimpleNamespace:
    """A trainer after so many batches."""
    return SimpleNamespace(
        progress=SimpleNamespace(step=step, schedule=SimpleNamespace(end=end)),
        model=model or LeNet(),
    )


# ---------------------------------------------------------------- writing and reading


def test_snapshots_hold_the_weights_to_read_with_in_their_order(folder):
    """They are the average, not what the steps work on, in half precision, with the same axes."""
    seen = {}

    def look(trainer: Trainer) -> None:
        seen[trainer.progress.step] = {k: v.clone() for k, v in trainer.model.state_dict().items()}

    assert run(folder, FAST, look=look) is Done
    film = read_film(folder / f"{NAME}.film")
    assert [s.batches for s in film] == list(range(0, 34, 2))
    assert {s.end for s in film} == {32}
    for snapshot in film:
        state = snapshot.state()
        assert state.keys() == seen[snapshot.batches].keys()
        for name, weights in seen[snapshot.batches].items():
            torch.testing.assert_close(state[name], weights, atol=2e-4, rtol=1e-3)
    checkpoint = read(folder / f"{NAME}.pt")
    assert torch.equal(film[-1].state()["conv2.weight"], checkpoint.weights["conv2.weight"].half())
    assert not torch.equal(checkpoint.weights["conv2.weight"], checkpoint.network["conv2.weight"])
    LeNet().load_state_dict(film[-1].state())


@pytest.mark.parametrize("end", [50, 938, 4690, 188_000])
def test_a_film_is_short_however_long_the_run_and_denser_at_first(tmp_path, end):
    path = tmp_path / "run.film"
    trainer = pretended(0, end)
    film = FilmWriter(path)
    film.begin(trainer)
    batch = batch_event(1, 100, elapsed=0)
    for trainer.progress.step in range(100, end, 100):
        film.follow(batch)
        film.follow(Saved(elapsed=0, path=""))
    trainer.progress.step = end
    film.follow(Done(elapsed=0, test_accuracy=0.9, checkpoint=""))
    found = batches(path)
    assert found[0] == 0 and found[-1] == end and found == sorted(set(found))
    assert len(found) == film_length(path) == planned_length(0, end) <= LENGTH + 1
    assert len(found) >= min(end // 100, 40)
    gaps = [b - a for a, b in pairwise(found)]
    assert gaps[0] <= 100 * max(1, end // 60_000) and gaps[0] <= max(gaps)


@pytest.mark.parametrize("epoch", [2, 13, 99])
def test_the_film_of_short_epochs_has_its_snapshots_at_their_ends(tmp_path, epoch):
    path = tmp_path / "run.film"
    trainer = pretended(0, end := 40 * epoch)
    film = FilmWriter(path)
    film.begin(trainer)
    batch = batch_event(1, epoch, elapsed=0)
    for trainer.progress.step in range(epoch, end + 1, epoch):
        film.follow(batch)
    assert film_length(path) == planned_length(0, end, epoch) > 30


def test_half_a_snapshot_is_left_out(tmp_path):
    path = tmp_path / "run.film"
    FilmWriter(path).begin(pretended(0, 100))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:1000])
    assert batches(path) == [0] and film_length(path) == 1
    path.write_bytes(b"")
    assert batches(path) == [] and film_length(path) == 0
    assert read_film(tmp_path / "none.film") == [] and film_length(tmp_path / "none.film") == 0


def test_weights_beyond_half_precision_are_left_out(tmp_path):
    """A run whose loss is about to become infinite."""
    model = LeNet()
    with torch.no_grad():
        model.fc1.bias[3] = 1e6
    FilmWriter(tmp_path / "run.film").begin(pretended(0, 100, model))
    assert batches(tmp_path / "run.film") == []


def test_only_the_latest_runs_film_is_kept(tmp_path):
    (tmp_path / "old.film").write_bytes(b"old")
    (tmp_path / "old.pt").write_bytes(b"a checkpoint")
    FilmWriter(tmp_path / "new.film").begin(pretended(0, 100))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.film", "old.pt"]


# ---------------------------------------------------------------- resuming


def test_a_stopped_run_goes_on_with_its_film(folder):
    assert run(folder, FAST, "whole") is Done
    whole = (folder / "whole.film").read_bytes()
    assert run(folder, FAST, stop_after=9) is Stopped
    assert batches(folder / f"{NAME}.film") == [0, 2, 4, 6, 8, 9]
    assert run(folder, Request(resume=str(folder / f"{NAME}.pt"))) is Done
    film = read_film(folder / f"{NAME}.film")
    assert [s.batches for s in film][:8] == [0, 2, 4, 6, 8, 9, 10, 12]
    (folder / "whole.film").write_bytes(whole)
    ours = {s.batches: s.weights for s in film}
    assert all((ours[s.batches] == s.weights).all() for s in read_film(folder / "whole.film"))


def test_what_a_killed_run_filmed_after_its_checkpoint_happens_again(folder):
    run(folder, FAST, stop_after=8)
    begun = (folder / f"{NAME}.film").read_bytes()
    checkpoint = (folder / f"{NAME}.pt").read_bytes()
    run(folder, Request(resume=str(folder / f"{NAME}.pt")))
    whole = (folder / f"{NAME}.film").read_bytes()
    # The file as it is when the process is killed while it writes the snapshot after batch 12.
    killed = whole[: int(len(begun) * 6.5 / 5)]
    (folder / f"{NAME}.film").write_bytes(killed)
    (folder / f"{NAME}.pt").write_bytes(checkpoint)
    assert batches(folder / f"{NAME}.film") == [0, 2, 4, 6, 8, 10]
    run(folder, Request(resume=str(folder / f"{NAME}.pt")))
    assert (folder / f"{NAME}.film").read_bytes() == whole


def test_a_run_that_begins_anew_does_so_with_its_film(tmp_path):
    path = tmp_path / "run.film"
    film = FilmWriter(path)
    film.begin(pretended(0, 100))
    film.begin(pretended(0, 200))
    assert [(s.batches, s.end) for s in read_film(path)] == [(0, 200)]


def test_more_epochs_of_a_finished_run_have_a_film_of_their_own(folder):
    run(folder, FAST)
    run(folder, Request(epochs=1, resume=str(folder / f"{NAME}.pt")), "second")
    found = batches(folder / "second.film")
    assert found[0] == 32 and found[-1] == 48
    assert len(found) > 5


# ---------------------------------------------------------------- mishaps


def test_a_film_that_cannot_be_written_never_fails_the_run(folder):
    (folder / f"{NAME}.film").mkdir()
    assert run(folder, FAST) is Done


def test_a_film_that_breaks_off_never_fails_the_run(folder):
    path = folder / f"{NAME}.film"

    def look(trainer: Trainer) -> None:
        if trainer.progress.step == 4 and path.is_file():
            path.unlink()
            path.mkdir()

    assert run(folder, FAST, look=look) is Done


# ---------------------------------------------------------------- what a page is told


@pytest.fixture(scope="module")
def trained(tmp_path_factory, few_digits) -> Path:
    """The folder of a run with its film."""
    path = tmp_path_factory.mktemp("trained")
    run(path, FAST)
    return path


@pytest.fixture
def filmed(trained, monkeypatch) -> Path:
    """The same, as the server's."""
    monkeypatch.setenv("LENET_CHECKPOINTS", str(trained))
    return trained


def ask(**question) -> dict:
    """What a page is told: as much as fits into one answer."""
    return ask_this({"strokes": EXAMPLES[7], "run": None, "known": []} | question)


def ask_this(question: object) -> dict:
    return ui.moments_of(Runs().current(), question)


def whole(strokes) -> list[dict]:
    """All moments, asked for as the page does."""
    moments, more = [], True
    while more:
        known = [moment["batches"] for moment in moments]
        answer = ask(strokes=strokes, run=NAME, known=known)
        assert answer["kept"] == len(known) and len(answer["moments"]) <= ui.AT_ONCE
        moments += answer["moments"]
        more = answer["more"]
    assert answer["length"] == len(moments)
    return moments


def reading(snapshot: Snapshot, strokes) -> torch.Tensor:
    """The probabilities by a forward pass."""
    model = LeNet()
    model.load_state_dict(snapshot.state())
    with torch.no_grad():
        return model(frames_to_inputs(strokes_to_frame(strokes)[None]))[0].softmax(0)


def test_a_drawing_is_read_by_the_network_of_each_moment(folder):
    run(folder, replace(FAST, epochs=8, learning_rate=0.1))
    film = read_film(folder / f"{NAME}.film")
    for digit in (4, 7):
        moments = whole(EXAMPLES[digit])
        assert [m["batches"] for m in moments] == [s.batches for s in film]
        answers = [reading(snapshot, EXAMPLES[digit]) for snapshot in film]
        for moment, snapshot, expected in zip(moments, film, answers, strict=True):
            assert moment["digit"] == int(expected.argmax())
            probabilities = torch.tensor(moment["probabilities"])
            torch.testing.assert_close(probabilities, expected, atol=1e-4, rtol=0)
            kernels = torch.tensor(moment["kernels"]).view(6, 5, 5)
            own = snapshot.state()["conv1.weight"][:, 0]
            torch.testing.assert_close(kernels, own, atol=1e-4, rtol=0)
        assert answers[-1][digit] > answers[0][digit]


def test_a_page_is_told_what_it_does_not_know(filmed):
    found = batches(filmed / f"{NAME}.film")
    told = [m["batches"] for m in ask(run=NAME, known=found[:12])["moments"]]
    assert told == found[12:]
    assert ask(run=NAME, known=found)["moments"] == []
    # Another run, or moments that this one has not: from where they part.
    assert ask(run="another", known=found)["kept"] == 0
    assert ask(run=NAME, known=[0, 2, 5, 6])["kept"] == 2
    assert ask(run=NAME, known=[*found, 33])["kept"] == len(found)


def test_every_moment_is_read_once_for_all_who_watch(filmed, monkeypatch):
    read_by = []
    monkeypatch.setattr(ui, "_moments", {})
    call = ui.functional_call
    monkeypatch.setattr(ui, "functional_call", lambda *a: read_by.append(a) or call(*a))
    count = len(whole(EXAMPLES[3]))
    for _ in range(10):
        whole(EXAMPLES[3])
    assert len(read_by) == count


def test_where_there_is_no_film_there_is_nothing_to_see(folder):
    assert ask()["moments"] == [] and ask()["run"] is None
    (folder / f"{NAME}.jsonl").touch()
    assert ask()["moments"] == [] and ask()["length"] == 0
    assert ui.news(Runs().current()) == f"{NAME} 0 False"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (None, "Ask with an object"),
        ([], "Ask with an object"),
        ({}, "must be a list of whole numbers"),
        ({"known": "0", "strokes": EXAMPLES[7]}, "must be a list of whole numbers"),
        ({"known": [0.5], "strokes": EXAMPLES[7]}, "must be a list of whole numbers"),
        ({"known": [True], "strokes": EXAMPLES[7]}, "must be a list of whole numbers"),
        ({"known": []}, "Strokes must be a list"),
        ({"known": [], "strokes": [[["a", 1]]]}, "Stroke 1 has a point"),
        ({"known": [], "strokes": []}, "the drawing is empty"),
    ],
)
def test_a_malformed_question_gets_one_sentence(filmed, question, reason):
    answer = ask_this(question)
    assert answer.keys() == {"error"}
    assert reason in answer["error"] and answer["error"].endswith(".")


def test_no_name_from_a_page_reaches_a_path(filmed):
    for name in ("../../etc/passwd", ["a"], {"a": 1}, 7):
        assert ask(run=name)["run"] == NAME
