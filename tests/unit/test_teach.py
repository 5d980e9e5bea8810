"""lenet.teach and recipe hand: drawings are learnt, nothing else is forgotten, and how much."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from small_runs import run, same_bits, start

from lenet.checkpoint import SHIPPED, Checkpoint, read, write
from lenet.data import DataError, DataSet
from lenet.distributed import Team
from lenet.drawings import NO_DIGIT, Drawing, to_tensors, write_drawings
from lenet.evaluate import evaluate
from lenet.events import Done, Epoch, Event, Saved, Start, Taught
from lenet.job import Job, prepare, settle
from lenet.preprocess import check_strokes
from lenet.recipes import RECIPES
from lenet.recognize import Recognizer, predict
from lenet.settings import Request
from lenet.synthetic import example_strokes
from lenet.teach import read_right, split
from lenet.train import main, train
from lenet.trainer import Trainer

ODD = [[(1.0, 0.0), (0.0, 0.0), (0.4, 1.0)]]  # a 7 as in a mirror


def odd_sevens(count: int, seed: int = 0) -> list[Drawing]:
    random = np.random.default_rng(seed)
    return [
        Drawing(7, [np.array(stroke) + random.normal(0, 0.03, (len(stroke), 2)) for stroke in ODD])
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def trained() -> Checkpoint:
    """The shipped network."""
    return read(SHIPPED)


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Teaching with few images, which is quick."""
    hand = replace(RECIPES["hand"], images=600, repeats=200, drawn=1000, others=100, batch_size=32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "hand", hand)
        yield


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teaching that is over after eight steps, where it does not matter what is learnt."""
    hand = replace(RECIPES["hand"], images=160, drawn=80, others=16)
    monkeypatch.setitem(RECIPES, "hand", hand)


def teaching(drawings: list[Drawing], data: str = "synthetic") -> Job:
    """The job that teaches the shipped network these drawings."""
    return replace(prepare(Request("hand", data, ("mine.jsonl",))), drawings=tuple(drawings))


class Lesson(NamedTuple):
    """A run that teaches ten odd sevens."""

    events: list[Event]
    path: Path


@pytest.fixture(scope="module")
def taught(data, tmp_path_factory) -> Lesson:
    path = tmp_path_factory.mktemp("taught") / "taught.pt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lenet.train.load", lambda *_: data)
        return Lesson(list(train(teaching(odd_sevens(10)), path)), path)


def test_what_was_taught_is_read_and_nothing_else_is_lost(taught, trained, data):
    more = odd_sevens(40, seed=1)
    before, after = trained, read(taught.path)
    right = [read_right(c, to_tensors(more)).double().mean() for c in (before, after)]
    assert right[0] < 0.3 and right[1] > 0.9
    accuracies = [evaluate(c, data.test).accuracy for c in (before, after)]
    assert accuracies[1] > accuracies[0] - 0.03
    assert Recognizer(after).recognize([s.tolist() for s in more[0].strokes]).digit == 7


@pytest.mark.parametrize(
    ("accuracies", "share"),
    [
        ([0.9, 0.8997], 0.0),  # nearly all is known still
        ([0.9, 0.899, 0.895, 0.9], 0.2),
        ([0.9] + [0.5] * 5, 0.5),  # however much is forgotten
    ],
)
def test_the_old_weights_come_back_until_little_is_forgotten(
    data, trained, monkeypatch, accuracies, share
):
    """Into the mean with those that the steps ended on."""
    settings = settle(Request("hand", "synthetic", ("mine.jsonl",)))
    before_the_end = None
    first, *of_known = accuracies
    monkeypatch.setattr("lenet.trainer.share_right", lambda *_: first)
    monkeypatch.setattr(Trainer, "_reads", lambda _, known, least: of_known.pop(0) >= least)

    def look() -> bool:
        nonlocal before_the_end
        before_the_end = {n: w.detach().clone() for n, w in trainer.network.named_parameters()}
        return False

    trainer = Trainer(settings, data, to_tensors(odd_sevens(3)), Team())
    trainer.restore(replace(trained, run=None))
    list(trainer.events(look, lambda: Saved(elapsed=0.0, path="")))
    assert before_the_end and not of_known
    for name, weight in trainer.network.named_parameters():
        mean = (1 - share) * before_the_end[name] + share * trained.weights[name]
        assert torch.allclose(weight, mean, atol=1e-6)


def test_whether_a_share_of_the_known_images_is_read(data, trained, monkeypatch):
    monkeypatch.setattr("lenet.trainer.KNOWN", 100)  # so that they are looked at in parts
    settings = settle(Request("hand", "synthetic", ("mine.jsonl",)))
    trainer = Trainer(settings, data, to_tensors(odd_sevens(3)), Team())
    trainer.restore(replace(trained, run=None))
    read_right = evaluate(trained, data.test).accuracy
    assert 0 < read_right < 1
    assert trainer._reads(data.test, read_right)
    assert not trainer._reads(data.test, read_right + 1e-6)


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teaching of a hundred steps, a third of it drawings."""
    hand = replace(
        RECIPES["hand"], images=2000, repeats=1000, drawn=1000, others=100, batch_size=32
    )
    monkeypatch.setitem(RECIPES, "hand", hand)


def looked_at(trained, data, drawings: list[Drawing]) -> tuple[Trainer, str, list[int]]:
    """Teach until the drawings have been looked at: the trainer, what it noted, and how often each
    is still to come.
    """
    trainer = Trainer(
        settle(Request("hand", "synthetic", ("mine",))), data, to_tensors(drawings), Team()
    )
    trainer.restore(replace(trained, run=None))
    assert trainer._looked_after
    run(trainer, stop_after=trainer._looked_after)
    note = trainer._look_at_drawings() or ""
    to_come = trainer.permutation[trainer.progress.seen :] - trainer.of_data_set
    drawn = to_come[(to_come >= 0) & (to_come < len(trainer.segments))]
    return trainer, note, (drawn % len(drawings)).bincount(minlength=len(drawings)).tolist()


def usual(copies: int) -> list[Drawing]:
    """Each digit as it is often written, some times."""
    examples = example_strokes()
    return [
        Drawing(digit, [np.array(stroke) for stroke in examples[digit]])
        for digit in range(10)
        for _ in range(copies)
    ]


def test_what_looks_like_another_digit_than_it_is_told_to_be_is_left_out(long, trained, data):
    drawings = usual(5)
    drawings[15] = replace(drawings[15], label=8)  # a 3
    _, note, to_come = looked_at(trained, data, drawings)
    assert note == (
        "Left out, since they look like another digit than they are said to be: 1 of 50 drawings."
    )
    assert to_come[15] == 0 and min(to_come[:15] + to_come[16:]) > 8


def test_what_is_not_read_yet_comes_more_often(long, trained, data):
    _, note, to_come = looked_at(trained, data, [*usual(2), *odd_sevens(1)])
    assert note == ""
    assert to_come[20] > 0.25 * sum(to_come) and min(to_come) > 10


def test_what_is_learnt_least_comes_more_often(long, trained, data, monkeypatch):
    drawings = usual(1)
    trainer, *_ = looked_at(trained, data, drawings)
    own = predict(trainer.network, to_tensors(drawings).frames()).softmax(1).diagonal()
    monkeypatch.setattr("lenet.trainer.LEARNT", own.sort().values[:2].mean().item())
    _, note, to_come = looked_at(trained, data, drawings)
    assert note == ""
    assert to_come[int(own.argmin())] > 0.25 * sum(to_come) and min(to_come) > 10


@pytest.mark.parametrize(("wrong", "left_out"), [(2, 2), (3, 0), (10, 0)])
def test_where_many_look_like_other_digits_none_is_left_out(
    long, trained, data, monkeypatch, wrong, left_out
):
    monkeypatch.setattr("lenet.trainer.LEARNT", 1.1)  # however well they are learnt by then
    drawings = usual(1)
    for place in range(wrong):
        drawings[place] = replace(drawings[place], label=(place + 5) % 10)
    assert looked_at(trained, data, drawings)[2].count(0) == left_out


def test_what_is_no_digit_is_never_left_out(long, trained, data):
    examples = usual(1)
    scribble = Drawing(NO_DIGIT, examples[3].strokes)  # looks like a 3
    _, note, to_come = looked_at(trained, data, [*usual(2), scribble])
    assert note == "" and 10 < to_come[20] < 100


def test_an_event_before_the_end_says_what_changed(taught, trained, data):
    events = taught.events
    (told,) = (event for event in events if isinstance(event, Taught))
    assert isinstance(events[-2], Taught) and isinstance(events[-1], Done)
    assert (told.drawings, told.folds) == (10, 2)
    assert told.before == int(read_right(trained, to_tensors(odd_sevens(10))).sum()) < 5
    assert told.after is not None and told.after > 7
    assert told.accuracy_before == evaluate(trained, data.test).accuracy
    (epoch,) = (event for event in events if isinstance(event, Epoch))
    assert told.accuracy == epoch.test_accuracy


def test_drawings_are_judged_by_networks_that_were_not_taught_them(data, tmp_path, monkeypatch):
    shown: list[torch.Tensor] = []
    judged: list[torch.Tensor] = []

    def note(settings, origin, data, drawn, *rest) -> Checkpoint:
        shown.append(drawn.segments)
        return origin

    def look(checkpoint, drawn) -> torch.Tensor:
        judged.append(drawn.segments)
        return torch.ones(len(drawn), dtype=torch.bool)

    monkeypatch.setattr("lenet.train.load", lambda *_: data)
    monkeypatch.setattr("lenet.teach.teach", note)
    monkeypatch.setattr("lenet.teach.read_right", look)
    drawings = odd_sevens(5)
    *_, told, _ = train(teaching(drawings), tmp_path / "taught.pt")
    assert isinstance(told, Taught) and told.after == 5
    everything = {segments.numpy().tobytes() for segments in to_tensors(drawings).segments}
    for taught, read_by_it in zip(shown, judged[:2], strict=True):
        parts = [{s.numpy().tobytes() for s in segments} for segments in (taught, read_by_it)]
        assert not parts[0] & parts[1] and parts[0] | parts[1] == everything


def test_folds_have_about_as_many_of_each_label():
    labels = torch.tensor([7, 1, 7, 1, 7, 7, NO_DIGIT, 1, NO_DIGIT])
    first, second = split(labels)
    assert sorted(first + second) == list(range(9))
    assert [labels[part].sort().values.tolist() for part in (first, second)] == [
        [1, 1, 7, 7, NO_DIGIT],
        [1, 7, 7, NO_DIGIT],
    ]


def test_one_drawing_cannot_be_judged(data, tmp_path, monkeypatch):
    monkeypatch.setattr("lenet.train.load", lambda *_: data)
    *_, told, done = train(teaching(odd_sevens(1)), tmp_path / "taught.pt")
    assert isinstance(told, Taught) and (told.drawings, told.folds, told.after) == (1, 0, None)
    assert isinstance(done, Done)


def test_what_is_no_digit_counts_as_right_where_it_is_read_as_none(trained):
    drawn = to_tensors([Drawing(None, odd_sevens(1)[0].strokes)])
    assert not read_right(replace(trained, digit_slope=0.0, digit_offset=9.0), drawn).any()
    assert read_right(replace(trained, digit_slope=0.0, digit_offset=-9.0), drawn).all()


def test_the_calibration_is_kept(taught, trained):
    kept = read(taught.path)
    for name in ("temperature", "sure_above", "digit_slope", "digit_offset", "sure_digit_above"):
        assert getattr(kept, name) == getattr(trained, name) != getattr(Checkpoint({}), name)


def test_a_taught_network_is_taught_again_from_where_it_began(taught, trained):
    job = prepare(Request("hand", drawings=("more.jsonl",), resume=str(taught.path)))
    assert job.resumed and job.resumed.run is None
    learnt = read(taught.path).weights
    for name, weight in trained.weights.items():
        assert job.resumed.weights[name].equal(weight) and not learnt[name].equal(weight)


@pytest.mark.usefixtures("brief")
def test_a_stopped_teaching_goes_on_to_the_same_bits(trained, data, tmp_path):
    with (tmp_path / "mine.jsonl").open("w") as file:
        write_drawings(odd_sevens(10), file)
    asked = Request("hand", "synthetic", (str(tmp_path / "mine.jsonl"),), resume="network.pt")
    bare = replace(trained, run=None)
    whole = start(data, asked, bare)
    run(whole)
    first = start(data, asked, bare)
    run(first, stop_after=5)
    write(first.checkpoint(), tmp_path / "stopped.pt")
    second = start(data, Request(resume="stopped.pt"), read(tmp_path / "stopped.pt"))
    assert second.progress.step == 5
    run(second)
    assert same_bits(second, whole)
    origin = second.progress.origin
    assert origin and all(origin[name].equal(trained.weights[name]) for name in origin)


@pytest.mark.usefixtures("brief")
def test_a_teaching_that_is_stopped_while_it_is_judged_has_finished(data, tmp_path, monkeypatch):
    monkeypatch.setattr("lenet.train.load", lambda *_: data)
    seen: list[Event] = []

    def stop() -> bool:
        return any(isinstance(event, Epoch) for event in seen)

    for event in train(teaching(odd_sevens(4)), tmp_path / "taught.pt", stop):
        seen.append(event)
    assert not any(isinstance(event, Taught) for event in seen)
    assert isinstance(seen[-1], Done)


@pytest.mark.usefixtures("brief")
def test_without_mnist_synthetic_digits_are_learnt_beside_the_drawings(data, tmp_path, monkeypatch):
    def load(name: str, *_) -> DataSet:
        if name == "mnist":
            raise DataError("MNIST could not be loaded.")
        return data

    monkeypatch.setattr("lenet.train.load", load)
    first, *_, last = train(teaching(odd_sevens(2), "mnist"), tmp_path / "taught.pt")
    assert isinstance(first, Start) and first.data == "synthetic" and isinstance(last, Done)
    run = read(tmp_path / "taught.pt").run
    assert run and run.settings.data == "synthetic"


def test_the_shipped_network_is_taught_where_none_is_named():
    job = prepare(Request("hand", drawings=("mine.jsonl",)))
    assert job.request.resume == str(SHIPPED) and job.resumed
    assert job.settings.epochs == job.epochs == RECIPES["hand"].epochs


def test_teaching_needs_drawings():
    with pytest.raises(ValueError, match="name a file of them with --drawings"):
        prepare(Request("hand"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda origin: origin.pop("conv1.bias"),
        lambda origin: origin.update({"conv1.bias": torch.zeros(7)}),
        lambda origin: origin.update({"conv1.bias": torch.full((6,), torch.nan)}),
        lambda origin: origin.update({"conv1.bias": 3}),
    ],
)
def test_a_damaged_origin_is_refused(damage, taught, tmp_path):
    content = torch.load(taught.path)
    damage(content["run"]["origin"])
    torch.save(content, tmp_path / "damaged.pt")
    with pytest.raises(ValueError, match="its origin is unusable"):
        read(tmp_path / "damaged.pt")


# ---------------------------------------------------------------- the command line


def test_the_command_teaches_a_file_and_says_what_changed(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lenet.train.load", lambda *_: data)
    with (tmp_path / "mine.jsonl").open("w") as file:
        write_drawings([*odd_sevens(10), Drawing(None, check_strokes(example_strokes()[4]))], file)
    out = str(tmp_path / "mine.pt")
    drawn = str(tmp_path / "mine.jsonl")
    assert main(["--recipe", "hand", "--drawings", drawn, "--out", out]) == 0
    said = capsys.readouterr().out
    assert "recipe hand, data synthetic and mine.jsonl, 1 epoch" in said
    assert re.search(r"\d+ of the 11 drawings right, each read by a network that was not", said)
    strokes = odd_sevens(1, seed=5)[0].strokes
    assert Recognizer.load(out).recognize([stroke.tolist() for stroke in strokes]).digit == 7


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name a file of them with --drawings"),
        (["--drawings", "gone.jsonl"], "gone.jsonl could not be read"),
        (["--drawings", "mine.jsonl", "--resume", "gone.pt"], "gone.pt could not be read"),
    ],
)
def test_what_cannot_be_taught_is_reported_in_one_line(
    arguments, reason, data, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("lenet.train.load", lambda *_: data)
    out = str(tmp_path / "taught.pt")
    assert main(["--recipe", "hand", "--data", "synthetic", *arguments, "--out", out]) == 1
    said = capsys.readouterr().err
    assert reason in said and len(said.splitlines()) == 1
