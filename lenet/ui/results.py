"""The Results tab: the lesson's look at the data, and how well a network reads the test set.

Everything that takes a second happens when a visitor opens the tab, not before.
"""

import base64
import html
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from PIL import Image

from lenet.checkpoint import CheckpointError, list_checkpoints, read
from lenet.data import DATA_SETS, DataError, DataSet, load
from lenet.evaluate import Evaluation, evaluate

SHOWN = 9  # images, as in the lesson

_QUIET = {"show_progress": "minimal", "api_visibility": "private"}


def build(tab: gr.Tab) -> None:
    """Build the tab's content; opening the tab fills it."""
    with gr.Row(elem_id="results-choice"):
        network = gr.Dropdown(label="Network", elem_id="results-network")
        data = gr.Radio(
            [("MNIST", "mnist"), ("Synthetic digits", "synthetic")],
            value=DATA_SETS[0],
            label="Data",
            elem_id="results-data",
        )
    training = gr.HTML(elem_id="results-training", apply_default_css=False)
    test = gr.HTML(elem_id="results-test", apply_default_css=False)
    again = gr.Button("Nine others", elem_id="results-again")

    start = gr.State(0)  # the first of the images that are shown
    for event in (network.change, data.change):
        event(_show, [network, data, start], [training, test], **_QUIET)
    again.click(lambda n: n + SHOWN, start, start, **_QUIET).then(
        _show, [network, data, start], [training, test], **_QUIET
    )
    tab.select(_networks, network, network, **_QUIET).then(
        _show, [network, data, start], [training, test], **_QUIET
    )


def _networks(chosen: str | None) -> dict[str, Any]:
    """The networks that there are now, the visitor's choice kept."""
    names = [path.name for path in list_checkpoints()]
    return gr.update(choices=names, value=chosen if chosen in names else next(iter(names), None))


def _show(name: str | None, data_name: str, start: int) -> tuple[str, str]:
    """The training images with their labels, and what the network reads in test images."""
    try:
        data = _data(data_name)
    except DataError as error:
        return f"<p>{html.escape(str(error))}</p>", ""
    try:
        found = _evaluation(name, data_name)
    except CheckpointError as error:
        return _training(data, start), f"<p>{html.escape(str(error))}</p>"
    return _training(data, start), _test(data, found, start)


@lru_cache(maxsize=len(DATA_SETS))
def _data(name: str) -> DataSet:
    return load(name)


def _evaluation(name: str | None, data_name: str) -> Evaluation:
    path = {path.name: path for path in list_checkpoints()}.get(name)
    if path is None:
        raise CheckpointError("Choose a network: there is none of this name.")
    return _evaluate(path, path.stat().st_mtime_ns, data_name)


@lru_cache(maxsize=8)
def _evaluate(path: Path, changed: int, data_name: str) -> Evaluation:
    return evaluate(read(path), _data(data_name).test)


def _training(data: DataSet, start: int) -> str:
    chosen = [i % len(data.train) for i in range(start, start + SHOWN)]
    figures = [_figure(data.train.frames[i], str(int(data.train.labels[i]))) for i in chosen]
    return (
        f"<h2>What it learns from</h2><p>{len(data.train):,} training images and "
        f"{len(data.test):,} test images of 28×28 pixels, with their labels. The network takes "
        f"them in batches of the shape N×1×32×32.</p>{_grid(figures)}"
    )


def _test(data: DataSet, found: Evaluation, start: int) -> str:
    chosen = [i % len(data.test) for i in range(start, start + SHOWN)]
    figures = []
    for i in chosen:
        answer, truth = int(found.answers[i]), int(found.labels[i])
        caption = str(answer) if answer == truth else f"{answer}, is a {truth}"
        figures.append(_figure(data.test.frames[i], caption, wrong=answer != truth))
    right = int(found.right.sum())
    return (
        f"<h2>What it reads</h2><p><strong>{found.accuracy:.2%}</strong> of the {len(data.test):,} "
        f"test images read right: {right:,} right, {len(data.test) - right:,} wrong.</p>"
        f"{_grid(figures)}"
    )


def _grid(figures: list[str]) -> str:
    return f'<div class="digits">{"".join(figures)}</div>'


def _figure(frame: torch.Tensor, caption: str, wrong: bool = False) -> str:
    """One uint8 28×28 frame with what stands below it."""
    file = io.BytesIO()
    Image.fromarray(frame.numpy()).save(file, "PNG")
    source = base64.b64encode(file.getvalue()).decode()
    kind = ' class="wrong"' if wrong else ""
    return (
        f'<figure{kind}><img src="data:image/png;base64,{source}" alt="a digit, {caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
