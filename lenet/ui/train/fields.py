"""The fields of a new run: what they ask for, and what each says of a value out of range.

`tab.py` gives them a place, `link.py` fills them from the page's address.
"""

from typing import Any, NamedTuple

import gradio as gr

from lenet.data import DATA_SETS
from lenet.recipes import RECIPES
from lenet.server.data_sets import LABELS
from lenet.settings import ALL_IMAGES, Request, check_limits
from lenet.ui.gradio_page import QUIET

CHOICES = [name for name, recipe in RECIPES.items() if not recipe.teaches]


class Fields(NamedTuple):
    """The fields, each by the name that its setting has in `lenet.settings`."""

    recipe: gr.Dropdown
    data: gr.Radio
    epochs: gr.Number
    batch_size: gr.Number
    learning_rate: gr.Number
    seed: gr.Number
    training_images: gr.Number
    wrong_labels: gr.Number


def build() -> Fields:
    """Build the fields; a recipe that is chosen brings its own numbers."""
    recipe, data, *numbers = defaults("fast").values()
    with gr.Row():
        recipes = gr.Dropdown(
            [(f"{name}: {RECIPES[name].about}", name) for name in CHOICES],
            value=recipe,
            label="Recipe",
            elem_id="train-recipe",
        )
        data_sets = gr.Radio(LABELS, value=data, label="Data", elem_id="train-data")
    epochs, batch_size, learning_rate, seed, training_images, wrong_labels = numbers
    with gr.Row():
        training = (
            gr.Number(epochs, label="Epochs", elem_id="train-epochs"),
            gr.Number(batch_size, label="Batch size", elem_id="train-batch-size"),
            gr.Number(learning_rate, label="Learning rate", elem_id="train-lr", step=0.01),
            gr.Number(seed, label="Seed", elem_id="train-seed"),
        )
    with gr.Row():
        damage = (
            gr.Number(training_images, label="Training images", elem_id="train-images"),
            gr.Number(wrong_labels, label="Wrong labels (%)", elem_id="train-wrong"),
        )
    fields = Fields(recipes, data_sets, *training, *damage)
    # Only when a visitor chooses one: a link brings numbers of its own.
    recipes.input(_own_numbers, recipes, list(training[:3]), **QUIET)
    return fields


def defaults(recipe: str) -> dict[str, Any]:
    """What the fields hold by their names where only a recipe was chosen."""
    own = RECIPES[recipe]
    return {
        "recipe": recipe,
        "data": DATA_SETS[0],
        "epochs": own.epochs,
        "batch_size": own.batch_size,
        "learning_rate": own.learning_rate,
        "seed": 0,
        "training_images": ALL_IMAGES,
        "wrong_labels": 0,
    }


def _own_numbers(recipe: object) -> list[float]:
    own = RECIPES[str(recipe)]
    return [own.epochs, own.batch_size, own.learning_rate]


def request(recipe: str, data: str, *numbers: float) -> Request:
    """What the fields ask for."""
    epochs, batch_size, learning_rate, seed, training_images, wrong_labels = numbers
    return Request(
        recipe=str(recipe),
        data=str(data),
        epochs=int(epochs),
        batch_size=int(batch_size),
        learning_rate=learning_rate,
        seed=int(seed),
        training_images=int(training_images),
        wrong_labels=float(wrong_labels),
    )


def check(recipe: str, data: str, *numbers: Any) -> list[dict[str, Any]]:
    """Say at each of the fields what is out of range: a validator's answer."""
    fine = gr.validate(True, "")
    return [fine, fine, *map(check_number, Fields._fields[2:], numbers)]


def check_number(name: str, value: object) -> dict[str, Any]:
    """The same of one number."""
    if not isinstance(value, int | float):
        return gr.validate(False, "Give a number.")
    try:
        check_limits(**{name: value})
    except ValueError as error:
        return gr.validate(False, str(error))
    return gr.validate(True, "")
