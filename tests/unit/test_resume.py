"""What Resume asks for, and how many more epochs are offered, for each kind of network."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lenet import LeNet
from lenet.checkpoint import Checkpoint
from lenet.job import prepare
from lenet.progress import Progress
from lenet.recipes import RECIPES, Schedule
from lenet.settings import Request, Settings
from lenet.ui.train.resume import MORE_EPOCHS, epochs_offered, request_to_resume

PATH = Path("run.pt")
OWN = Settings("best", "synthetic", (), 10, 100, 0.02, 7)


def network(epochs_done: int | None) -> Checkpoint:
    """The checkpoint of a run of ten epochs, or bare weights."""
    run = None
    if epochs_done is not None:
        random = torch.Generator().get_state()
        run = Progress(OWN, "", Schedule(0, 100, 0.02, 0.2), random, epoch=epochs_done)
    return Checkpoint(LeNet().state_dict(), run=run, path=PATH)


BARE, BEGUN, STOPPED, FINISHED = (network(epochs) for epochs in (None, 0, 4, 10))


@pytest.mark.parametrize(
    ("checkpoint", "epochs"),
    [(FINISHED, MORE_EPOCHS), (STOPPED, None), (BEGUN, None), (BARE, MORE_EPOCHS)],
)
def test_more_epochs_are_offered_where_a_run_has_none_left(checkpoint, epochs):
    assert epochs_offered(checkpoint) == epochs


@pytest.mark.parametrize(
    ("checkpoint", "more", "request_"),
    [
        (STOPPED, None, Request(resume="run.pt")),
        (STOPPED, 2.0, Request(epochs=2, resume="run.pt")),
        (FINISHED, 3.0, Request(epochs=3, resume="run.pt")),
        (BARE, None, Request("tutorial", "mnist", resume="run.pt")),
        (BARE, 3.0, Request("tutorial", "mnist", epochs=3, resume="run.pt")),
    ],
)
def test_a_run_goes_on_as_it_was_and_a_bare_network_as_the_fields_say(checkpoint, more, request_):
    """A run's own recipe and data count, whatever the fields of a new run say."""
    assert request_to_resume(checkpoint, more, "tutorial", "mnist") == request_


def test_a_bare_network_is_trained_as_a_new_one_would_be():
    resumed = prepare(request_to_resume(BARE, None, "tutorial", "mnist"), BARE)
    new = prepare(Request("tutorial", "mnist"))
    assert resumed.settings == new.settings
    assert resumed.epochs == RECIPES["tutorial"].epochs and not resumed.goes_on


def test_a_stopped_run_goes_on_to_its_own_end():
    job = prepare(request_to_resume(STOPPED, None, "tutorial", "mnist"), STOPPED)
    assert job.goes_on and job.settings == OWN and job.epochs == 6


def test_the_page_reads_no_file_that_a_checkpoint_names():
    own = replace(OWN, drawings=("/etc/passwd",))
    named = replace(STOPPED, run=replace(STOPPED.run, settings=own))
    job = prepare(request_to_resume(named, None, "tutorial", "mnist"), named)
    assert job.settings == replace(OWN, drawings=()) and job.epochs == 6
    assert prepare(Request(resume="run.pt"), named).settings == own  # the command line's
