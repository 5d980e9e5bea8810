"""lenet.cuda_graph: what a GPU would replay, on the CPU, by an imitation of a CUDA graph."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from small_runs import examples, run, same_bits, start
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lenet.cuda_graph import WARM_UP, Recorded
from lenet.data import Digits
from lenet.events import Epoch, Note, line
from lenet.recipes import RECIPES
from lenet.settings import Request
from lenet.trainer import Trainer


class Graph(TorchDispatchMode):
    """What a CUDA graph does: record operations without their effect, then do all of them again.

    As there, the operations keep the memory and the Python numbers that they were recorded with,
    and no tensor's value can be read in between.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = []
        self.before = []
        self.replays = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        if function._schema.is_mutable:
            self.before += [(t, t.clone()) for t in tensors_of(args, kwargs)]
        result = function(*args, **kwargs)
        self.operations.append((function, args, kwargs, result))
        return result

    def __exit__(self, *error) -> None:
        super().__exit__(*error)
        with torch.no_grad():
            for tensor, value in reversed(self.before):
                tensor.copy_(value)

    @torch.no_grad()
    def replay(self) -> None:
        self.replays += 1
        for function, args, kwargs, noted in self.operations:
            result = function(*args, **kwargs)
            for old, new in zip(tensors_of(noted), tensors_of(result), strict=True):
                if old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                    old.copy_(new)


def tensors_of(*tree: object) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


@pytest.fixture
def gpu(monkeypatch):
    """PyTorch's CUDA streams and graphs, imitated on the CPU."""
    stream = SimpleNamespace(wait_stream=lambda other: None)
    monkeypatch.setattr(torch.cuda, "Stream", lambda: stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, stream: graph)


def recorded(trainer):
    """The trainer as it would be on a GPU."""
    trainer.recorded = Recorded(trainer._learn)
    return trainer


def epoch_losses(trainer: Trainer) -> list[float]:
    """Train to the end; how many checkpoints are written meanwhile depends on the clock."""
    return [event.train_loss for event in run(trainer) if isinstance(event, Epoch)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recorded_steps_end_on_the_same_bits(data, gpu, recipe, tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "best", replace(RECIPES["best"], synthetic=4, others=20))
    hand = replace(RECIPES["hand"], images=400, drawn=20, others=4)
    monkeypatch.setitem(RECIPES, "hand", hand)
    data = replace(data, train=Digits(data.train.frames[:400], data.train.labels[:400]))
    drawings = (examples(tmp_path),) if RECIPES[recipe].teaches else ()
    request = Request(recipe, "synthetic", drawings, epochs=4, batch_size=64)
    plain = start(data, request)
    losses = epoch_losses(plain)
    first = recorded(start(data, request))
    assert epoch_losses(first) == losses
    assert same_bits(first, plain)
    whole = plain.progress.step - 4  # an epoch's last batch is smaller
    if RECIPES[recipe].left_out:
        whole //= 4  # each epoch's are of another kind than the last one's, and recorded anew
    assert first.recorded.graph.replays == whole - WARM_UP

    for stop_after in (9, 17):  # of fast in the second epoch, and in the third
        stopped = recorded(start(data, request))
        run(stopped, stop_after=stop_after)
        resumed = recorded(start(data, Request(), stopped.checkpoint()))
        run(resumed)
        assert same_bits(resumed, plain)


@pytest.mark.parametrize("when", ["recording", "replaying"])
def test_where_recording_fails_the_run_goes_on_with_plain_steps(data, gpu, when, monkeypatch):
    """One line of its log says so."""

    def fail(*_) -> None:
        raise RuntimeError("CUDA error: out of luck\nDevice-side assertions were off.")

    request = Request("fast", "synthetic", epochs=1, batch_size=64)
    plain = start(data, request)
    losses = epoch_losses(plain)
    monkeypatch.setattr(Graph, "__enter__" if when == "recording" else "replay", fail)
    trainer = recorded(start(data, request))
    events = run(trainer)
    notes = [line(event) for event in events if isinstance(event, Note)]
    assert notes == [
        "Steps are not recorded on this GPU, so the run is slower: CUDA error: out of luck."
    ]
    assert trainer.recorded is None
    assert [event.train_loss for event in events if isinstance(event, Epoch)] == losses
    assert same_bits(trainer, plain)


def test_a_result_stays_when_the_next_is_computed(gpu):
    double = Recorded(lambda tensor: tensor * 2)
    results = [double(torch.tensor([number])) for number in range(6)]
    assert torch.cat(results).tolist() == [0, 2, 4, 6, 8, 10]
