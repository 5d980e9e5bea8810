"""lenet.job: what a run is trained with, from what was asked for, the run and the recipe."""

import pickle
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
import torch

from lenet import LeNet
from lenet.checkpoint import Checkpoint, CheckpointError, write
from lenet.job import Job, prepare, settle
from lenet.progress import Progress
from lenet.recipes import RECIPES, Schedule
from lenet.settings import Request, Settings

OWN = Settings("best", "synthetic", ("a.jsonl",), 10, 100, 0.02, 7)


def stopped(epochs_done: int = 4) -> Checkpoint:
    """The checkpoint of a run that has done so many epochs."""
    random = torch.Generator().get_state()
    run = Progress(OWN, "", Schedule(0, 100, 0.02, 0.2), random, epoch=epochs_done)
    return Checkpoint(LeNet().state_dict(), run=run)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Such a checkpoint in a file."""
    write(stopped(), tmp_path / "run.pt")
    return tmp_path / "run.pt"


@pytest.mark.parametrize("name", RECIPES)
def test_a_new_run_takes_what_was_not_asked_for_from_its_recipe(name):
    recipe = RECIPES[name]
    drawings = ("mine.jsonl",) if recipe.teaches else ()
    assert settle(Request(name, drawings=drawings)) == Settings(
        name, "mnist", drawings, recipe.epochs, recipe.batch_size, recipe.learning_rate, 0
    )


def test_without_wishes_a_run_is_the_fast_one():
    assert settle(Request()) == settle(Request("fast"))


def test_what_was_asked_for_counts():
    request = Request("tutorial", "synthetic", ("a.jsonl", "b.jsonl"), 2, 32, 0.5, 9)
    assert settle(request) == Settings(
        "tutorial", "synthetic", ("a.jsonl", "b.jsonl"), 2, 32, 0.5, 9
    )


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no recipe 'slow': choose fast, tutorial, best"):
        settle(Request("slow"))


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="Epochs 0 is out of range"):
        settle(Request(epochs=0))


# ---------------------------------------------------------------- resuming


def test_a_resumed_run_keeps_its_settings():
    assert settle(Request(resume="run.pt"), stopped()) == OWN


def test_more_epochs_count_on_from_those_done():
    assert settle(Request(epochs=3, resume="run.pt"), stopped(4)) == replace(OWN, epochs=7)
    assert settle(Request(epochs=3, resume="run.pt"), stopped(10)) == replace(OWN, epochs=13)


def test_a_finished_run_goes_on_only_for_more_epochs():
    with pytest.raises(ValueError, match=r"^run\.pt has finished its 10 epochs: say for how many"):
        settle(Request(resume="checkpoints/run.pt"), stopped(10))


def test_what_is_asked_for_on_resuming_counts():
    request = Request(None, "mnist", (), None, 64, 0.1, 1, resume="run.pt")
    assert settle(request, stopped()) == Settings("best", "mnist", (), 10, 64, 0.1, 1)


def test_another_recipe_brings_its_batch_size_and_rate():
    lesson = RECIPES["tutorial"]
    wanted = replace(
        OWN,
        recipe="tutorial",
        batch_size=lesson.batch_size,
        learning_rate=lesson.learning_rate,
    )
    assert settle(Request("tutorial", resume="run.pt"), stopped()) == wanted
    asked = Request("tutorial", batch_size=16, learning_rate=0.2, resume="run.pt")
    assert settle(asked, stopped()) == replace(wanted, batch_size=16, learning_rate=0.2)


def test_the_runs_own_recipe_by_its_name_changes_nothing():
    assert settle(Request("best", resume="run.pt"), stopped()) == OWN


def test_bare_weights_are_resumed_with_the_recipes_settings():
    bare = Checkpoint(LeNet().state_dict())
    assert settle(Request("tutorial", resume="net.pth"), bare) == settle(Request("tutorial"))


def test_the_limits_hold_on_resuming_too():
    with pytest.raises(ValueError, match="Epochs 201 is out of range"):
        settle(Request(epochs=201, resume="run.pt"), stopped())


# ---------------------------------------------------------------- the job


def test_a_checkpoint_is_read_once_and_travels_on(file, monkeypatch):
    job = prepare(Request(epochs=3, resume=str(file)))
    assert job.settings == replace(OWN, epochs=7)
    assert job.resumed.path == file and job.resumed.run.epoch == 4
    read = job.resumed
    monkeypatch.setattr("lenet.job.read", lambda path: pytest.fail("it was read again"))
    assert prepare(Request(resume=str(file)), read).resumed is read


def test_a_missing_checkpoint_is_reported():
    with pytest.raises(CheckpointError, match=r"^none\.pt could not be read: No such file or"):
        prepare(Request(resume="nowhere/none.pt"))


@pytest.mark.parametrize(
    ("asked", "goes_on", "epochs"),
    [({}, True, 6), ({"epochs": 6}, False, 6), ({"seed": 7}, False, 6), ({"epochs": 2}, False, 2)],
)
def test_a_run_goes_on_where_nothing_else_was_asked_for(file, asked, goes_on, epochs):
    job = prepare(Request(resume=str(file), **asked))
    assert (job.goes_on, job.epochs) == (goes_on, epochs)


def test_what_has_no_run_does_not_go_on(tmp_path):
    write(Checkpoint(LeNet().state_dict()), tmp_path / "bare.pt")
    for job in (prepare(Request()), prepare(Request(resume=str(tmp_path / "bare.pt")))):
        assert not job.goes_on and job.epochs == RECIPES["fast"].epochs


def test_a_job_travels_to_another_process_as_plain_bytes(file):
    """Not as handles of memory that the process which reads it might find gone."""
    job = prepare(Request(resume=str(file)))
    sent = bytes(ForkingPickler.dumps(job))
    assert len(sent) > 4 * 61_706
    found = pickle.loads(sent)
    assert isinstance(found, Job)
    assert (found.request, found.settings) == (job.request, job.settings)
    assert found.resumed.path == file
    assert found.resumed.run.random.equal(job.resumed.run.random)
    for name, value in job.resumed.network.items():
        assert found.resumed.network[name].equal(value)
