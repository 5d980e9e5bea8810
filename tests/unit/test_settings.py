"""lenet.settings: what a run is trained with, from what was asked for, the run and the recipe."""

from dataclasses import asdict, replace

import pytest

from lenet.checkpoint import Checkpoint
from lenet.recipes import RECIPES
from lenet.settings import LIMITS, Request, Settings, check_limits, settle

OWN = Settings("best", "synthetic", ("a.jsonl",), 10, 100, 0.02, 7)


def stopped(epochs_done: int = 4, settings: Settings = OWN) -> Checkpoint:
    """The checkpoint of a run that has done so many epochs."""
    return Checkpoint({}, run={"settings": asdict(settings), "epoch": epochs_done})


@pytest.mark.parametrize("name", RECIPES)
def test_a_new_run_takes_what_was_not_asked_for_from_its_recipe(name):
    recipe = RECIPES[name]
    assert settle(Request(name)) == Settings(
        name, "mnist", (), recipe.epochs, recipe.batch_size, recipe.learning_rate, 0
    )


def test_a_run_that_nothing_was_asked_for_is_the_fast_one():
    assert settle(Request()) == settle(Request("fast"))


def test_what_was_asked_for_counts():
    request = Request("tutorial", "synthetic", ("a.jsonl", "b.jsonl"), 2, 32, 0.5, 9)
    assert settle(request) == Settings(
        "tutorial", "synthetic", ("a.jsonl", "b.jsonl"), 2, 32, 0.5, 9
    )


@pytest.mark.parametrize("name", LIMITS)
def test_a_setting_may_be_at_its_limits_and_not_beyond(name):
    low, high = LIMITS[name]
    check_limits(**{name: low})
    check_limits(**{name: high})
    check_limits(**{name: None})
    for value in (low - 1, high + 1, -high, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=r"is out of range: choose \S+ to \S+\.$") as error:
            settle(Request(**{name: value}))
        assert str(error.value).startswith(name.replace("_", " ").capitalize())
        assert f"{low:g} to {high:g}" in str(error.value)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "seed"])
def test_what_is_counted_is_whole(name):
    check_limits(**{name: 10.0})
    with pytest.raises(ValueError, match=r"10\.5 is not a whole number\.$"):
        check_limits(**{name: 10.5})


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no recipe 'slow': choose fast, tutorial, best"):
        settle(Request("slow"))


# ---------------------------------------------------------------- resuming


def test_a_resumed_run_keeps_its_settings():
    assert settle(Request(resume="run.pt"), stopped()) == OWN


def test_more_epochs_count_on_from_those_done():
    assert settle(Request(epochs=3, resume="run.pt"), stopped(4)) == replace(OWN, epochs=7)
    assert settle(Request(epochs=3, resume="run.pt"), stopped(10)) == replace(OWN, epochs=13)


def test_a_finished_run_asks_for_how_long_to_go_on():
    with pytest.raises(ValueError, match=r"^run\.pt has finished its 10 epochs: say for how many"):
        settle(Request(resume="checkpoints/run.pt"), stopped(10))


def test_what_is_asked_for_on_resuming_counts():
    request = Request(None, "mnist", (), None, 64, 0.1, 1, resume="run.pt")
    assert settle(request, stopped()) == Settings("best", "mnist", (), 10, 64, 0.1, 1)


def test_another_recipe_brings_its_batch_size_and_rate():
    lesson = RECIPES["tutorial"]
    wanted = replace(
        OWN,
        recipe="tutorial",
        batch_size=lesson.batch_size,
        learning_rate=lesson.learning_rate,
    )
    assert settle(Request("tutorial", resume="run.pt"), stopped()) == wanted
    asked = Request("tutorial", batch_size=16, learning_rate=0.2, resume="run.pt")
    assert settle(asked, stopped()) == replace(wanted, batch_size=16, learning_rate=0.2)


def test_the_runs_own_recipe_by_its_name_changes_nothing():
    assert settle(Request("best", resume="run.pt"), stopped()) == OWN


def test_bare_weights_are_resumed_with_the_recipes_settings():
    bare = Checkpoint({})
    assert settle(Request("tutorial", resume="net.pth"), bare) == settle(Request("tutorial"))


def test_the_limits_hold_on_resuming_too():
    with pytest.raises(ValueError, match="Epochs 201 is out of range"):
        settle(Request(epochs=201, resume="run.pt"), stopped())
