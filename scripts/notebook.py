"""Write `docs/lesson.ipynb`: the lesson's nine steps for Jupyter and Colab.

`python -m scripts.notebook` writes it from `lenet.lesson`, with pictures that only a notebook has.
It holds no output: a test runs it from top to bottom, and another says when it is out of date.
"""

import json
from pathlib import Path
from typing import Any

from lenet.lesson import STEPS, Step

NOTEBOOK = Path(__file__).parents[1] / "docs" / "lesson.ipynb"

_TITLE = """\
# LeNet, step by step

Nine steps from the data to a network that you trained yourself. Each asks a question: guess first,
then run the cell. The page's Lesson tab has the same steps, live."""

_SETUP = """\
# What is not there is fetched: in Colab this project, elsewhere what it needs.
SPACE = "https://huggingface.co/spaces/YOU/lenet-live"

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

if "project" not in globals():  # the cell may be run twice
    folders = (Path.cwd(), *Path.cwd().parents)
    found = [folder for folder in folders if (folder / "lenet" / "lesson.py").is_file()]
    project = found[0] if found else Path("lenet-live").resolve()
    if not project.is_dir():
        subprocess.run(["git", "clone", "--depth", "1", SPACE, project], check=True)
    needed = ("torch", "torchvision", "tqdm", "matplotlib")
    missing = [name for name in needed if not find_spec(name)]
    if missing:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", *missing], check=True)
    sys.path.insert(0, str(project))
    os.chdir(tempfile.mkdtemp())  # what is written below goes there

import matplotlib.pyplot as plt"""

_PICTURES = (
    """\
figure, places = plt.subplots(1, 9, figsize=(9, 1.4))
for place, frame, label in zip(places, data.train.frames, data.train.labels):
    place.imshow(frame, cmap="gray_r")
    place.set_title(int(label))
    place.axis("off")""",
    """\
figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.6))
for place, picture in ((left, data.train.frames[0]), (right, inputs[0, 0])):
    figure.colorbar(place.imshow(picture, cmap="gray_r"), ax=place)
    place.set_title("×".join(map(str, picture.shape)))
    place.axis("off")""",
    """\
layers = dict(network.named_children())
plt.figure(figsize=(5, 2))
plt.barh(list(layers), [sum(p.numel() for p in layer.parameters()) for layer in layers.values()])
plt.gca().invert_yaxis()
plt.xlabel("weights");""",
    """\
plt.figure(figsize=(6, 2.6))
for rate, descent in descents.items():
    plt.plot(descent.losses, label=f"rate {rate:g}")
plt.ylim(0, 3)
plt.xlabel("step")
plt.ylabel("loss of the batch")
plt.legend();""",
    """\
from lenet.events import Batch

losses = [event.loss for event in events if isinstance(event, Batch)]
plt.figure(figsize=(6, 2.6))
plt.plot([100 * (i + 1) for i in range(len(losses))], losses, marker="o")
plt.xlabel("batches")
plt.ylabel("mean loss of a hundred");""",
    """\
figure, places = plt.subplots(1, 6, figsize=(6, 1.2))
for place, kernel in zip(places, checkpoint.weights["conv1.weight"][:, 0]):
    place.imshow(kernel, cmap="RdBu_r", vmin=-1, vmax=1)
    place.axis("off")""",
    """\
figure, places = plt.subplots(1, 9, figsize=(9, 1.4))
for place, frame, answer in zip(places, data.test.frames, evaluation.answers):
    place.imshow(frame, cmap="gray_r")
    place.set_title(int(answer))
    place.axis("off")""",
    """\
# Which of the six kernels does the work? Each is silenced in turn.
from dataclasses import replace

from lenet.data import Digits
from lenet.insight import silence

some = Digits(data.test.frames[:2000], data.test.labels[:2000])
without = [
    evaluate(replace(checkpoint, averaged=silence(checkpoint.weights, [("conv1", number)])), some)
    for number in range(6)
]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
left.imshow(evaluation.confusion.float().log1p(), cmap="Blues")
left.set(xlabel="answer", ylabel="truth", xticks=range(10), yticks=range(10))
right.bar(range(1, 7), [100 * found.accuracy for found in without])
right.set(xlabel="silenced kernel", ylabel="% read right", ylim=(0, 100));""",
    """\
plt.figure(figsize=(6, 2.6))
plt.plot(never, label="never stopped")
plt.plot(alone, label="weights alone")
plt.plot(kept, ":", label="with the momentum")
plt.axvline(60, color="gray", linewidth=1)
plt.xlabel("step")
plt.ylabel("loss")
plt.legend();""",
)


def notebook() -> dict[str, Any]:
    """The notebook as its file holds it, format 4.5 (https://nbformat.readthedocs.io)."""
    cells = [_text(_TITLE), _code(_SETUP)]
    for number, (step, picture) in enumerate(zip(STEPS, _PICTURES, strict=True), 1):
        cells += [
            _text(_introduction(number, step)),
            _code(step.ours),
            _code(picture),
            _text(_reveal(step)),
        ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def text() -> str:
    """The content of the file."""
    return json.dumps(notebook(), indent=1, ensure_ascii=False) + "\n"


def _introduction(number: int, step: Step) -> str:
    guesses = " · ".join(step.guesses)
    return (
        f"## {number}. {step.title}\n\n{step.text}\n\n**{step.question}** {guesses}\n\n"
        f"<details><summary>The tutorial's lines</summary>\n\n```python\n{step.tutorial}```\n\n"
        "</details>"
    )


def _reveal(step: Step) -> str:
    answer = f"**{step.guesses[step.answer]}.** " if step.answer is not None else ""
    return f"<details><summary>The answer</summary>\n\n{answer}{step.reveal}\n\n</details>"


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    lines = source.rstrip("\n").splitlines(keepends=True)
    empty = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": {}, **empty, "source": lines}


if __name__ == "__main__":
    NOTEBOOK.write_text(text())
