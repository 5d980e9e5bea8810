"""A run that was stopped, killed or written by an old version goes on to the same bits."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from small_runs import examples, run, same_bits, start, through_a_file

from lenet.checkpoint import read, write
from lenet.data import DataSet, Digits
from lenet.events import Batch, Epoch, Event
from lenet.recipes import RECIPES
from lenet.settings import Request
from lenet.trainer import Trainer


class Whole(NamedTuple):
    """A run that never stopped, with drawings, and synthetic digits and others by its recipe."""

    data: DataSet
    request: Request
    trainer: Trainer
    events: list[Event]


@pytest.fixture(scope="module", params=RECIPES)
def whole(request, data, tmp_path_factory) -> Iterator[Whole]:
    """Two epochs of seven batches, the last one smaller, by each recipe."""
    few = replace(data, train=Digits(data.train.frames[:190], data.train.labels[:190]))
    file = examples(tmp_path_factory.mktemp("whole"))
    asked = Request(request.param, "synthetic", (file,), epochs=2, batch_size=32, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "best", replace(RECIPES["best"], synthetic=4, others=8))
        hand = replace(RECIPES["hand"], images=150, drawn=50, others=12)
        patch.setitem(RECIPES, "hand", hand)
        trainer = start(few, asked)
        yield Whole(few, asked, trainer, run(trainer))


@pytest.mark.parametrize("stop_after", [0, 1, 6, 7, 8, 13])
def test_a_resumed_run_ends_on_the_same_bits(whole, stop_after, tmp_path):
    """Stopped before and after the first batch, around the end of an epoch, and near the end."""
    first = start(whole.data, whole.request)
    first_events = run(first, stop_after) if stop_after else []
    checkpoint = through_a_file(first.checkpoint(), tmp_path)
    second = start(whole.data, Request(resume="run.pt"), checkpoint)
    second_events = run(second)

    assert second.progress.step == whole.trainer.progress.step == 14
    assert same_bits(second, whole.trainer)
    told = [
        [replace(event, elapsed=0, **{"images_per_second": 0} if isinstance(event, Batch) else {})
         for event in events if isinstance(event, Batch | Epoch)]
        for events in (whole.events, first_events + second_events)
    ]  # fmt: skip
    assert told[0] == told[1]


@pytest.mark.parametrize("stop_after", [5, 16])
def test_what_the_first_version_wrote_is_resumed_to_the_same_bits(
    data, tmp_path, monkeypatch, stop_after
):
    # It left no images out, so its checkpoints do not say which are easy.
    first_fast = replace(RECIPES["fast"], warm_up=0.25, left_out=0.0)
    monkeypatch.setitem(RECIPES, "fast", first_fast)
    request = Request("fast", "synthetic", epochs=2, batch_size=64)
    whole = start(data, request)
    run(whole)
    first = start(data, request)
    run(first, stop_after)
    at, settings = first.progress, first.settings
    content = {
        "format": "lenet-live 1",
        "network": first.network.state_dict(),
        "averaged": first.model.state_dict(),
        "run": {
            "settings": {
                "recipe": "fast", "data": "synthetic", "drawings": (), "epochs": 2,
                "batch_size": 64, "learning_rate": settings.learning_rate, "seed": 0,
            },
            "data_checksum": data.checksum(),
            "epoch": at.epoch, "seen": at.seen, "step": at.step,
            "schedule": {"start": 0, "end": 32, "peak": settings.learning_rate, "warm_up": 0.25},
            "elapsed": 1.5, "logged": list(at.logged), "epoch_loss": list(at.epoch_loss),
            "optimizer": first.optimizer.state_dict(),
            "random": first.generator.get_state(),
            "versions": {"torch": "2.15.0+cpu", "threads": 1},
            "epoch_random": at.epoch_random, "permutation": first.permutation.int(),
        },
        "temperature": 1.0, "sure_above": 0.0, "accuracy": None,
    }  # fmt: skip
    torch.save(content, tmp_path / "old.pt")
    second = start(data, Request(resume="old.pt"), read(tmp_path / "old.pt"))
    assert second.progress.step == stop_after
    run(second)
    assert same_bits(second, whole)


def test_what_a_kill_leaves_is_resumed_to_the_same_bits(data, tmp_path, monkeypatch):
    """A killed run leaves the checkpoint that was written while it went on."""
    monkeypatch.setattr("lenet.trainer.SAVE_EVERY", 0.0)
    request = Request("fast", "synthetic", epochs=2)
    whole = start(data, request)

    def keep_the_fifth() -> None:
        if whole.progress.step == 5:
            write(whole.checkpoint(), tmp_path / "run.pt")

    run(whole, save=keep_the_fifth)
    resumed = start(data, Request(resume="run.pt"), read(tmp_path / "run.pt"))
    assert resumed.progress.step == 5
    run(resumed)
    assert same_bits(resumed, whole)
