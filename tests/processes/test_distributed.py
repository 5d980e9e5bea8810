"""lenet.distributed: two processes learn what one learns, and end together.

The processes are started as `torchrun` starts them, with their rank in the environment.
"""

import os
import signal
import socket
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch

import lenet.recognize
import lenet.train
import lenet.trainer
from lenet import LeNet
from lenet.augment import vary_frames
from lenet.checkpoint import read
from lenet.data import DataSet, Digits
from lenet.events import Batch, Done, Epoch, Error, Event, Stopped, from_json, to_json
from lenet.job import prepare
from lenet.preprocess import frames_to_inputs
from lenet.recipes import RECIPES
from lenet.settings import Request
from lenet.synthetic import synthetic_digits
from lenet.trainer import Trainer

WAIT = 120  # seconds for other processes on a busy machine
EPOCH = 6  # batches of 64 in 360 digits, the last one of 40
FAST = Request("fast", "synthetic", epochs=4, batch_size=64, seed=3)
ROUNDING = 1e-10  # what sums in another order may differ by, in float64


@dataclass
class Member:
    """What one process of a team has learnt.

    Attributes:
        events: of its run.
        states: the parameters of the network, and of its average.
    """

    events: list[Event]
    states: list[dict[str, torch.Tensor]]

    def values(self, kind: type[Event], *names: str) -> list[float]:
        """These fields of all events of a kind, one after the other."""
        return [getattr(e, name) for e in self.events if isinstance(e, kind) for name in names]

    def distance(self, other: "Member") -> float:
        """The largest difference of two parameters."""
        pairs = zip(self.states, other.states, strict=True)
        return max((a[n] - b[n]).abs().max().item() for a, b in pairs for n in a)


def member(rank: int, size: int, port: int, folder: Path, request: Request, plan: dict) -> None:
    """One process of a team: train as the plan says, and write down what it has learnt."""
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    torch.set_num_threads(1)
    frames, labels = torch.load(plan["digits"])
    digits = Digits(frames[: plan["count"]], labels[: plan["count"]])
    _calculate_in_float64()
    recipe = replace(RECIPES["best"], synthetic=12, others=12)  # 6 batches with 360 digits
    lenet.trainer.RECIPES = {**RECIPES, "best": recipe}
    trainers = []

    class Kept(Trainer):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            trainers.append(self)

    lenet.train.Trainer = Kept
    lenet.train.load = lambda name, *_: DataSet(name, digits, digits)
    lenet.trainer.LOG_EVERY = 2

    def stop() -> bool:
        second_epoch = bool(trainers) and trainers[0].progress.step > EPOCH
        if second_epoch and rank == plan.get("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return second_epoch and rank == plan.get("stopped")

    events = list(lenet.train.train(prepare(request), folder / f"{rank}.pt", stop))
    states = [module.state_dict() for module in (trainers[0].network, trainers[0].model)]
    torch.save((list(map(to_json, events)), states), folder / f"{rank}.end")


def _member(path: Path) -> Member:
    """What a process has written down."""
    lines, states = torch.load(path)
    return Member(list(map(from_json, lines)), states)


def _calculate_in_float64() -> None:
    """In float32 rounding may change which of four neighbours is a max pool's largest, and then the
    weights differ: by 2e-3 within an epoch.
    """
    module = lenet.trainer
    module.LeNet = lambda: LeNet().double()
    for reader in (module, lenet.recognize):
        reader.frames_to_inputs = lambda frames: frames_to_inputs(frames).double()
    module.vary_frames = lambda frames, affine: vary_frames(frames, affine).double()


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """A file with 360 digits."""
    path = tmp_path_factory.mktemp("digits") / "digits"
    torch.save(synthetic_digits(360, seed=5), path)
    return path


@pytest.fixture(scope="module")
def team(digits, tmp_path_factory):
    """Train by so many processes; return their folder, and what those learnt that ended well."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["lenet.train", "torch._dynamo"])  # seconds in each otherwise

    def start(size: int, request: Request, **plan: Any) -> tuple[Path, list[Member]]:
        folder = tmp_path_factory.mktemp("team")
        plan = {"digits": digits, "count": 360, **plan}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        processes = [
            context.Process(target=member, args=(rank, size, port, folder, request, plan))
            for rank in range(size)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(WAIT)
            hangs = process.is_alive()
            process.kill()
            assert not hangs
        ends = [folder / f"{rank}.end" for rank in range(size)]
        return folder, [_member(end) for end in ends if end.exists()]

    return start


@pytest.fixture(scope="module")
def alone(team) -> Member:
    """What one process learns that trains to the end."""
    return team(1, FAST)[1][0]


@pytest.fixture(scope="module")
def stopped(team) -> tuple[Path, list[Member]]:
    """Two processes, of which the second alone is asked to stop, after the first epoch.

    Were it to leave at the end of the epoch, the first would wait for it.
    """
    return team(2, FAST, stopped=1)


@pytest.mark.parametrize("recipe", ["fast", "best"])
def test_two_learn_what_one_learns(team, alone, recipe):
    request = replace(FAST, recipe=recipe)
    if request != FAST:
        alone = team(1, request)[1][0]
    first, second = team(2, request)[1]
    assert first.distance(second) == 0
    assert first.distance(alone) < ROUNDING
    for kind, names in {Batch: ("epoch", "batch", "loss"), Epoch: ("train_loss",)}.items():
        found = first.values(kind, *names)
        assert found == second.values(kind, *names)
        assert found == pytest.approx(alone.values(kind, *names), rel=ROUNDING)
    assert len(first.values(Batch, "loss")) == 12
    assert type(first.events[-1]) is type(second.events[-1]) is Done


def test_only_the_first_process_writes(stopped):
    folder, _ = stopped
    assert [path.name for path in folder.glob("*.pt")] == ["0.pt"]


def test_both_stop_after_the_same_step(stopped):
    folder, (first, second) = stopped
    assert type(first.events[-1]) is type(second.events[-1]) is Stopped
    assert first.distance(second) == 0
    assert read(folder / "0.pt").run.step == EPOCH + 1


@pytest.mark.parametrize("size", [1, 2])
def test_what_two_began_one_or_two_end(team, stopped, alone, size):
    folder, _ = stopped
    _, members = team(size, Request(resume=str(folder / "0.pt")))
    ends_as(members, alone, size)


def test_what_one_began_two_end(team, alone):
    folder, _ = team(1, FAST, stopped=0)
    assert read(folder / "0.pt").run.step == EPOCH + 1
    _, members = team(2, Request(resume=str(folder / "0.pt")))
    ends_as(members, alone, 2)


def ends_as(members: list[Member], alone: Member, size: int) -> None:
    """Check that all have learnt what one process learns that never stops."""
    assert all(isinstance(member.events[-1], Done) for member in members)
    for member in members:
        assert member.distance(alone) < ROUNDING
        losses = alone.values(Batch, "loss")[3:]  # of the second epoch
        assert member.values(Batch, "loss") == pytest.approx(losses, rel=ROUNDING)


def test_a_batch_may_be_too_small_to_share(team):
    """The last batch has one digit: the second process has none of it."""
    request = Request("tutorial", "synthetic", epochs=1)
    alone = team(1, request, count=129)[1][0]
    for member in team(2, request, count=129)[1]:
        assert isinstance(member.events[-1], Done)
        assert member.distance(alone) < ROUNDING
        losses = alone.values(Epoch, "train_loss")
        assert member.values(Epoch, "train_loss") == pytest.approx(losses, rel=ROUNDING)


@pytest.mark.parametrize("killed", [0, 1])
def test_the_death_of_one_ends_the_other_and_leaves_a_checkpoint(team, killed):
    folder, (other,) = team(2, FAST, killed=killed)
    assert isinstance(other.events[-1], Error)
    assert other.events[-1].message.startswith("Training by 2 processes broke off")
    assert other.values(Epoch, "epoch") == [1]
    checkpoint = read(folder / "0.pt")
    assert (checkpoint.run.epoch, checkpoint.run.step) == (1, EPOCH)
