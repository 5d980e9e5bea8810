"""Settings of a new run in the page's address, as in TensorFlow Playground's.

Opening `?recipe=tutorial&lr=0.01#train` fills the fields and says so; nothing trains by it. "Copy
link" makes such a link (`copy.js`) of what differs from the recipe's own.
"""

import html
import math
import time
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import gradio as gr

from lenet.data import DATA_SETS
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUEUED, QUIET
from lenet.ui.train.fields import CHOICES, Fields, check, defaults

# The settings' names in an address.
NAMES = {
    "recipe": "recipe",
    "data": "data",
    "epochs": "epochs",
    "batch_size": "batch",
    "learning_rate": "lr",
    "seed": "seed",
    "training_images": "images",
    "wrong_labels": "wrong",
}
_CHOICES = {"recipe": CHOICES, "data": list(DATA_SETS)}
_LONGEST = 1000  # characters of an address, ten times as many as our longest has
_WHOLE = 1 << 53  # beyond it not every whole number is a float
_SHOWN = 30  # characters of an unknown choice


def build_reader() -> gr.HTML:
    """Build what reads the address: its event `opened` comes where that holds settings or `#train`.
    It is no part of a tab, since scripts of a tab that was not opened do not run.
    """
    return gr.HTML(
        "",
        html_template="",
        js_on_load=mounting("train/link.js", "opened"),
        elem_id="train-link-reader",
        apply_default_css=False,
        names=list(NAMES.values()),
    )


def build_line(reader: gr.HTML) -> gr.HTML:
    """Build the line that says what a link has filled in."""
    line = gr.HTML(visible=False, elem_id="train-linked", apply_default_css=False)
    reader.opened(_say, reader, line, **QUIET)
    return line


def build_button(reader: gr.HTML, fields: Fields, fold: gr.Accordion) -> None:
    """Build "Copy link", which copies the address of the page with these fields; a link that is
    opened opens their fold and fills them.
    """
    with gr.Row(elem_id="train-link"):
        button = gr.Button("Copy link", size="sm", scale=0, elem_id="train-copy-link")
        link = gr.HTML(
            html_template=template("train/copy.html"),
            js_on_load=mounting("train/copy.js", "shown"),
            apply_default_css=False,
        )
    button.click(_to_copy, [*fields], link, validator=check, **QUEUED)
    reader.opened(_open, reader, fold, **QUIET)
    # Only once the fields are on the page can they say what is out of range.
    filled = link.shown(_fill, reader, [*fields], **QUIET)
    filled.success(_nothing, [*fields], None, validator=check, **QUEUED)


class Filled(NamedTuple):
    """What a link says of each field, by the fields' names, and that in one line for the page."""

    values: dict[str, Any]
    words: str


def read(address: object) -> Filled | None:
    """What an address says of a new run, from its `?`; None where it holds no settings.

    Settings that it leaves out are the recipe's. Text that is no number becomes None, and a number
    out of range stays: its field complains of both.
    """
    query = str(address)[:_LONGEST].partition("#")[0].removeprefix("?")
    given = parse_qs(query, keep_blank_values=True)
    asked = {name: given[key][-1] for name, key in NAMES.items() if key in given}
    if not asked:
        return None
    complaints = []
    for name, choices in _CHOICES.items():
        if name in asked and asked[name] not in choices:
            unknown = asked.pop(name)[:_SHOWN]
            complaints.append(f"There is no {name} {unknown!r}: choose {' or '.join(choices)}.")
    values = defaults(asked.get("recipe", "fast"))
    values |= {name: text if name in _CHOICES else _number(text) for name, text in asked.items()}
    usable = [name for name in asked if values[name] is not None]
    complaints += [f"The {_label(name)} is no number." for name in asked if name not in usable]
    told = [f"{_label(name)} {_shown(values[name])}" for name in usable]
    words = f"The link has filled in {', '.join(told)}." if told else ""
    parts = [words, *complaints, "Nothing trains before you press Train."]
    return Filled(values, " ".join(filter(None, parts)))


def query(*fields: Any) -> str:
    """The settings in an address, from its `?`: the recipe and what differs from its own."""
    values = dict(zip(Fields._fields, fields, strict=True))
    own = defaults(values["recipe"])
    told = {
        NAMES[name]: f"{value:.12g}" if isinstance(value, float) else value
        for name, value in values.items()
        if name == "recipe" or value != own[name]
    }
    return f"?{urlencode(told)}#train"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _WHOLE else value


def _label(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def _say(address: object) -> Any:
    filled = read(address)
    if filled is None:
        return gr.skip()
    return gr.update(value=f'<p role="status">{html.escape(filled.words)}</p>', visible=True)


def _open(address: object) -> Any:
    return gr.skip() if read(address) is None else gr.update(open=True)


def _fill(address: object) -> list[Any]:
    filled = read(address)
    return [gr.skip()] * len(Fields._fields) if filled is None else [*filled.values.values()]


def _nothing(*_: Any) -> None:
    """Do nothing: what a link has filled in is only checked."""


def _to_copy(*fields: Any) -> dict[str, Any]:
    # A value that changes each time, so that the same link can be copied again.
    return {"query": query(*fields), "asked": time.monotonic_ns()}
