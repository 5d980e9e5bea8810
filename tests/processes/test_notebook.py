"""The lesson's notebook runs from top to bottom, on few synthetic digits where MNIST is missing."""

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from torchvision.datasets import MNIST

from lenet.data import DataError, load_mnist
from scripts.notebook import NOTEBOOK

_WITHOUT_MNIST = """\
import lenet.data, lenet.train
from lenet.data import DataError, DataSet, Digits
from lenet.synthetic import synthetic_digits

def load(name, *_):
    if name == "mnist":
        raise DataError("There is no mirror.")
    train, test = synthetic_digits(6400, seed=1), synthetic_digits(500, seed=2)
    return DataSet("synthetic", Digits(*train), Digits(*test))

lenet.data.load = lenet.train.load = load
"""


def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch):
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    # Two threads on two cores wait for each other where a neighbour is busy.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    try:
        load_mnist()
    except DataError:  # few synthetic digits, so that it takes no longer
        notebook.cells.insert(2, nbformat.v4.new_code_cell(_WITHOUT_MNIST))
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    shown = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    pictures = [o for outputs in shown for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 9
    words = "".join(o.text for outputs in shown for o in outputs if o.output_type == "stream")
    assert "61,706 in all" in words
    assert "the same to the bit: True" in words
