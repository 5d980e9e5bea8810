"""Links to settings: from an address to the fields of a new run, and back."""

import pytest

from lenet.recipes import RECIPES
from lenet.settings import LIMITS
from lenet.ui.train.fields import CHOICES, Fields, defaults
from lenet.ui.train.link import NAMES, query, read

LESSON = RECIPES["tutorial"]


def test_a_link_brings_its_settings_and_leaves_the_others_to_the_recipe():
    filled = read("?recipe=tutorial&epochs=3&lr=0.01&images=1000&wrong=12.5&seed=1#train")
    assert filled.values == {
        "recipe": "tutorial",
        "data": "mnist",
        "epochs": 3,
        "batch_size": LESSON.batch_size,
        "learning_rate": 0.01,
        "seed": 1,
        "training_images": 1000,
        "wrong_labels": 12.5,
    }
    assert tuple(filled.values) == Fields._fields
    assert filled.words == (
        "The link has filled in recipe tutorial, epochs 3, learning rate 0.01, seed 1, "
        "training images 1,000, wrong labels 12.5. Nothing trains before you press Train."
    )


@pytest.mark.parametrize(
    "address", ["", "#train", "?__theme=dark#train", "?view=api", "?", "?&=", None]
)
def test_an_address_without_settings_fills_nothing(address):
    assert read(address) is None


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ("epochs=500", "epochs", 500),  # the field reports it
        ("epochs=2.5", "epochs", 2.5),
        ("epochs=-0", "epochs", 0),
        ("epochs=", "epochs", None),
        ("epochs=many", "epochs", None),
        ("lr=nan", "learning_rate", None),
        ("lr=-inf", "learning_rate", None),
        ("seed=1e300", "seed", 1e300),
        ("epochs=3&epochs=4", "epochs", 4),
        ("recipe=best&batch=8", "epochs", RECIPES["best"].epochs),
        ("data=synthetic", "data", "synthetic"),
    ],
)
def test_what_a_link_gives_fills_the_field(given, name, value):
    filled = read(f"?{given}")
    assert filled.values[name] == value and type(filled.values[name]) is type(value)
    told = filled.words.startswith("The link has filled in ")
    assert told if value is not None else "is no number." in filled.words
    assert "None" not in filled.words


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("recipe=slow", "There is no recipe 'slow': choose fast or tutorial or best."),
        ("recipe=hand", "There is no recipe 'hand': choose fast or tutorial or best."),
        ("data=cifar", "There is no data 'cifar': choose mnist or synthetic."),
        ("recipe=" + 900 * "x", f"There is no recipe {30 * 'x'!r}: choose "),
    ],
)
def test_what_cannot_be_chosen_is_reported_and_left_as_it_was(given, complaint):
    filled = read(f"?{given}&seed=3")
    assert filled.values == defaults("fast") | {"seed": filled.values["seed"]}
    assert complaint in filled.words


def test_an_address_of_any_length_is_read():
    assert read("?recipe=tutorial" + 1_000_000 * "&a=1").values == defaults("tutorial")


@pytest.mark.parametrize("recipe", CHOICES)
def test_a_link_names_the_recipe_and_what_differs_from_its_own(recipe):
    own = defaults(recipe)
    assert query(*own.values()) == f"?recipe={recipe}#train"
    few = own | {"training_images": 1000, "learning_rate": 0.00001, "epochs": 7.0}
    assert query(*few.values()) == f"?recipe={recipe}&epochs=7&lr=1e-05&images=1000#train"


@pytest.mark.parametrize("end", [0, 1], ids=["lowest", "highest"])
def test_a_link_is_read_as_it_was_made(end):
    values = {name: LIMITS[name][end] for name in NAMES if name in LIMITS}
    values = {"recipe": "best", "data": "synthetic", **values}
    assert read(query(*values.values())).values == values


def test_a_link_fills_every_field():
    assert tuple(NAMES) == Fields._fields == tuple(defaults("fast"))
