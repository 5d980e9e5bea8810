"""The answers to the lesson's questions: on these data, with this network, in this run.

Functions of data sets, checkpoints and events. `lenet.lesson` has the questions; this file knows
nothing of Gradio.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NotRequired, TypedDict

import torch

from lenet.checkpoint import Checkpoint
from lenet.data import DataSet
from lenet.descent import BATCH, Descent, descend, stop_and_go_on
from lenet.evaluate import Evaluation
from lenet.events import Epoch, Event, Start, latest, read_log
from lenet.insight import LAYERS
from lenet.lesson import STEPS
from lenet.model import LeNet
from lenet.preprocess import MEAN, STD
from lenet.recipes import RECIPES
from lenet.server.data_sets import data_set
from lenet.ui.train.curves import Curves, Point, curves

RATES = (0.001, 0.01, 0.1, 1.0)  # of step 4
STOP, END = 60, 100  # steps, of step 9
ERRORS = (500, 150, 50)  # of 10,000: what step 7 lets visitors guess
SHARES = (0.3, 0.7, 0.95)  # of the test images: what step 5 lets visitors guess

_RECORDED = Path(__file__).parent / "recorded.jsonl"


class Try(TypedDict):
    """One line of a chart that a visitor may choose: its `name`, and a `text` about it."""

    name: str
    text: str


class Found(TypedDict):
    """The answer to a step's question.

    Attributes:
        data: the data set that it is about, where it is about one.
        right: the guess that is right, counted from 0; None where that is not known yet.
        fact: a sentence or two, with numbers.
        rows: of a table, the first one its head.
        chart: curves, and `across`, what their horizontal axis counts: its end is `epochs`.
        tries: the chart's lines, where one is to be chosen; the last one at first.
    """

    data: str | None
    right: int | None
    fact: str
    rows: NotRequired[list[list[str]]]
    chart: NotRequired[Curves]
    across: NotRequired[str]
    tries: NotRequired[list[Try]]


def most_common(data: DataSet) -> Found:
    """Step 1: the digit that comes most often."""
    counts = data.train.labels.bincount(minlength=10)
    most, least = int(counts.argmax()), int(counts.argmin())
    fact = f"It is the {most}, with {counts[most]:,} images; the {least} has {counts[least]:,}."
    return {"data": data.name, "right": most, "fact": fact}


def paper() -> Found:
    """Step 2: the numbers that the network gets for paper and for ink."""
    low, high = (f"{value:.2f}".replace("-", "−") for value in (-MEAN / STD, (1 - MEAN) / STD))
    fact = f"(0 − {MEAN}) ÷ {STD} = {low}, and full ink becomes {high}."
    return {"data": None, "right": STEPS[1].answer, "fact": fact}


def layers() -> Found:
    """Step 3: the layers, with what comes out of each and its weights, counted."""
    shapes = {"conv1": "6×28×28", "conv2": "16×10×10", "fc1": "120", "fc2": "84", "fc3": "10"}
    rows, total = [["layer", "gives", "weights", "in all"]], 0
    weights = LeNet().state_dict()
    for name, shape in shapes.items():
        outputs, *inputs = weights[f"{name}.weight"].shape
        count = weights[f"{name}.weight"].numel() + outputs
        total += count
        made_of = "×".join(map(str, inputs)).removeprefix("1×")
        rows.append([name, shape, f"{outputs} × ({made_of} + 1) = {count:,}", f"{total:,}"])
    right = STEPS[2].answer
    return {"data": None, "right": right, "fact": f"fc1 has 48,120 of {total:,}.", "rows": rows}


@lru_cache(maxsize=2)
def _descents(name: str) -> dict[str, Descent]:
    train = data_set(name).train
    return {f"{r:g}": descend(train.frames[:BATCH], train.labels[:BATCH], r) for r in RATES}


def one_step(data: DataSet) -> Found:
    """Step 4: a weight after one step, and the loss of a batch, at each rate."""
    found = _descents(data.name)
    fact = f"Each step overshoots: after sixty it is {found['1'].losses[-1]:.2f}."
    chart = _over_steps("Loss of the batch", {r: descent.losses for r, descent in found.items()})
    return {
        "data": data.name,
        "right": STEPS[3].answer,
        "fact": fact,
        "chart": chart,
        "across": "step",
        "tries": [{"name": rate, "text": _step(descent, rate)} for rate, descent in found.items()],
    }


def _step(descent: Descent, rate: str) -> str:
    """What steps at a rate do: the first one to a weight, and to the loss, and sixty of them."""
    weight, gradient, losses = descent.weight, descent.gradient, descent.losses
    after = _signed(weight - float(rate) * gradient)
    return (
        f"One weight, one step: {_signed(weight)} − {rate} × {_signed(gradient)} = {after}. "
        f"The loss: {losses[0]:.2f}, then {losses[1]:.2f}, after sixty steps {losses[-1]:.2f}."
    )


def first_epoch(events: Sequence[Event], closed: bool) -> Found:
    """Step 5: what the run that the page shows reads after its first epoch.

    Args:
        events: of the run.
        closed: whether training is off on this server; without a run, a recorded one is shown then.
    """
    start = latest(events, Start)
    if closed and (start is None or RECIPES[start.recipe].teaches):
        recorded = read_log(_RECORDED)
        found, drawn = _after_first_epoch(recorded), curves(recorded)
        fact = f"Training is off on this server; this is a recorded run. {found['fact']}"
        loss: Curves = {**drawn, "charts": drawn["charts"][:1]}
        return {**found, "fact": fact, "chart": loss, "across": "epoch"}
    if start is None or RECIPES[start.recipe].teaches:
        return {"data": None, "right": None, "fact": "Press Train: the answer comes with the run."}
    return _after_first_epoch(events)


def _after_first_epoch(events: Sequence[Event]) -> Found:
    start = latest(events, Start)
    first = next((e for e in events if isinstance(e, Epoch) and e.epoch == 1), None)
    data = start.data if start else None
    if first is None:
        fact = "The run is in its first epoch: the answer comes at its end."
        return {"data": data, "right": None, "fact": fact}
    share = first.test_accuracy
    fact = f"After its first epoch it read {share:.2%} of the test images right."
    return {"data": data, "right": _nearest(share, SHARES), "fact": fact}


def checkpoint_content(checkpoint: Checkpoint, name: str) -> Found:
    """Step 6: what a checkpoint holds."""
    rows, size = [["layer", "weight", "bias", "bytes"]], 0
    for layer in LAYERS:
        parts = [checkpoint.network[f"{layer}.{kind}"] for kind in ("weight", "bias")]
        shapes = ["×".join(map(str, part.shape)) for part in parts]
        count = 4 * sum(part.numel() for part in parts)
        size += count
        rows.append([layer, *shapes, f"{count:,}"])
    run = checkpoint.run
    beside = (
        f" Beside them it keeps how to go on from step {run.step:,}: the momentum, the schedule, "
        "the state of the random numbers."
        if run
        else ""
    )
    fact = f"The weights of {name} are {size:,} bytes.{beside}"
    return {"data": None, "right": STEPS[5].answer, "fact": fact, "rows": rows}


def errors(evaluation: Evaluation, name: str, data: str) -> Found:
    """Step 7: how many test images a network misreads."""
    count = len(evaluation.labels)
    wrong = count - int(evaluation.right.sum())
    fact = f"{name} misreads {wrong:,} of {count:,}: {evaluation.accuracy:.2%} are read right."
    return {"data": data, "right": _nearest(wrong / count * 10_000, ERRORS), "fact": fact}


def hardest_digit(evaluation: Evaluation, name: str, data: str) -> Found:
    """Step 8: the digit that a network misreads most often."""
    confusion = evaluation.confusion
    wrong = confusion.sum(1) - confusion.diagonal()
    digit = int(wrong.argmax())
    taken = confusion[digit].clone()
    taken[digit] = 0
    fact = (
        f"It is the {digit}: {name} misreads {wrong[digit]} of {confusion[digit].sum():,}, mostly "
        f"as {int(taken.argmax())}."
        if wrong[digit]
        else f"{name} misreads none."
    )
    return {"data": data, "right": digit if wrong[digit] else None, "fact": fact}


@lru_cache(maxsize=2)
def _runs(name: str) -> tuple[list[float], list[float]]:
    """The losses of a run that never stopped, and of one that goes on with its weights alone."""
    train = data_set(name).train
    repeat = torch.arange(BATCH * END) % len(train)  # a small data set comes several times
    frames, labels = train.frames[repeat], train.labels[repeat]
    never = stop_and_go_on(frames, labels, stop=END, end=END)
    return never, stop_and_go_on(frames, labels, stop=STOP, end=END)


def going_on(data: DataSet) -> Found:
    """Step 9: a run that never stopped, and one that stopped and lost its momentum."""
    never, alone = _runs(data.name)
    ten = slice(STOP + 1, STOP + 11)
    before, after = (sum(losses[ten]) / 10 for losses in (never, alone))
    fact = (
        f"Over the ten steps after the stop its mean loss is {after:.2f}; of a run that never "
        f"stopped it is {before:.2f}."
    )
    chart = _over_steps("Loss of each step", {"never stopped": never, "weights alone": alone})
    right = STEPS[8].answer
    return {"data": data.name, "right": right, "fact": fact, "chart": chart, "across": "step"}


def _nearest(value: float, choices: Sequence[float]) -> int:
    """The guess that a value comes nearest to, by their ratio."""
    ratios = [max(value, 1e-9) / choice for choice in choices]
    return min(range(len(choices)), key=lambda i: max(ratios[i], 1 / ratios[i]))


def _signed(value: float) -> str:
    return f"{value:.4f}".replace("-", "−")


def _over_steps(title: str, lines: dict[str, list[float]]) -> Curves:
    """Lines over steps as the charts of the Train tab take them, no higher than 3."""
    points: dict[str, list[Point]] = {
        name: [(step, 0.0, min(3.0, round(loss, 4))) for step, loss in enumerate(losses)]
        for name, losses in lines.items()
    }
    last = max(len(losses) for losses in lines.values()) - 1
    return {"epochs": last, "charts": [{"title": title, "axis": "linear", "lines": points}]}
