"""lenet.server.hands: a visitor's drawings are taught, and only they get the network."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs_on_noise import LONG, run_on_few_digits
from support import finished, on_own_machine, wait_for_run, wait_until

from lenet.checkpoint import SHIPPED, CheckpointError, read
from lenet.drawings import Drawing, to_lines
from lenet.events import Done, Taught, latest
from lenet.preprocess import check_strokes
from lenet.server import hands, recognizers
from lenet.server.hands import HandError
from lenet.server.queue import Queue
from lenet.server.runs import DRAWINGS, RunError, Runs
from lenet.server.shares import visitor
from lenet.synthetic import example_strokes
from lenet.train import new_name
from lenet.ui.train import film_view, runs_table
from lenet.ui.train.tab import _Tab, progress

pytestmark = pytest.mark.usefixtures("warm")

NAME = new_name("hand", "mnist", 16)


def drawings(*digits: int) -> str:
    """The text of a drawings file with examples of these digits."""
    examples = example_strokes()
    return "".join(to_lines(Drawing(d, check_strokes(examples[d])) for d in digits))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    return on_own_machine(monkeypatch, tmp_path)


@pytest.fixture
def queue() -> Iterator[Queue]:
    queue = Queue(Runs(run_on_few_digits))
    yield queue
    end(queue)


@pytest.fixture
def runs(queue: Queue) -> Runs:
    return queue.runs


def end(queue: Queue) -> None:
    """End the thread of a queue and its run, as a server does that ends in good order."""
    queue._ended.set()
    if queue._thread:
        queue._thread.join()
    queue.runs.stop()
    wait_for_run(queue.runs, lambda run: not run.alive)


def test_drawings_are_taught_and_the_network_is_in_no_list(queue, runs, folder):
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(7, 7, 1, 1)))
    run = wait_for_run(runs, lambda run: not run.alive)
    assert (run.state, run.name) == ("finished", name)
    told = latest(run.events, Taught)
    assert told and (told.drawings, told.folds) == (4, 2)
    network = hands.network_of(hands.run_of(runs, name))
    assert network == f"{name}.pt"
    assert recognizers.recognizer(network).recognize([[[0, 0], [0, 9]]]).digit is not None
    assert network not in recognizers.paths()
    assert recognizers.path_of(network) == folder / network
    assert not list(folder.glob(f"*{DRAWINGS}"))  # nothing of them is left


def test_a_stopped_teaching_goes_on_under_its_name(queue, runs, folder):
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(*range(10))))
    wait_for_run(runs, lambda run: bool(run.events))
    runs.stop()
    run = wait_for_run(runs, lambda run: not run.alive)
    assert run.state == "stopped"
    assert (folder / f"{name}{DRAWINGS}").read_text() == drawings(*range(10))
    assert hands.resume(queue, name) == name
    run = wait_for_run(runs, lambda run: not run.alive)
    assert run.state == "finished" and isinstance(run.events[-1], Done)
    assert not (folder / f"{name}{DRAWINGS}").exists()
    with pytest.raises(RunError, match="no longer here: teach again"):
        hands.resume(queue, name)


def test_neither_another_page_nor_the_log_is_told_the_name(queue, runs, caplog):
    caplog.set_level("INFO", "lenet")
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(*range(10))))
    wait_for_run(runs, lambda run: bool(run.events))
    runs.stop()
    wait_for_run(runs, lambda run: not run.alive)
    hands.resume(queue, name)  # whose log begins with what it goes on from
    run = wait_for_run(runs, lambda run: not run.alive)
    asked = {"strokes": example_strokes()[3], "run": None, "known": []}
    page = _Tab(queue)
    told = [page.finished_name(), film_view.moments_of(run, asked)]
    told += finished(page.show_state(None)) + progress(run, queue)
    wait_until(lambda: caplog.text.count("Run hand-") >= 2)
    told.append(caplog.text)
    assert "Resuming hand-" in repr(told)
    assert name not in repr(told) and name.rpartition("-")[2] not in repr(told)


# ---------------------------------------------------------------- behind another run


def test_a_teaching_waits_for_the_run_that_is_under_way_and_begins_after_a_restart(
    queue, runs, folder
):
    first = queue.train(LONG)
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(7, 7, 1, 1)))
    assert hands.waits(queue, name) and runs.current().name == first
    rows = runs_table.table(queue)["rows"]
    assert [row["name"] for row in rows] == [first]  # its name is nobody else's to know
    end(queue)
    again = Queue(Runs(run_on_few_digits))
    try:
        assert hands.waits(again, name)
        run = wait_for_run(again.runs, lambda run: run.name == name and not run.alive)
        told = latest(run.events, Taught)
        assert run.state == "finished" and told and told.drawings == 4
        assert not hands.waits(again, name)
    finally:
        end(again)


def test_what_waits_is_taken_out_with_its_drawings_by_who_knows_its_name(
    queue, folder, monkeypatch
):
    queue.train(LONG)
    monkeypatch.setenv("LENET_TRAINING", "anyone")
    visitor.set("9.9.9.9")
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(7)))
    visitor.set("")
    assert (folder / f"{name}{DRAWINGS}").exists()
    queue.take_out(name)
    assert not hands.waits(queue, name) and not list(folder.glob(f"*{DRAWINGS}"))


def test_a_stopped_teaching_that_is_taken_out_can_still_go_on(queue, runs, folder):
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(*range(10))))
    wait_for_run(runs, lambda run: bool(run.events))
    runs.stop()
    wait_for_run(runs, lambda run: not run.alive)
    queue.train(LONG)
    assert hands.resume(queue, name) == name and hands.waits(queue, name)
    queue.take_out(name)
    assert (folder / f"{name}{DRAWINGS}").exists()


def test_where_its_drawings_are_gone_what_waited_says_so(queue, runs, folder):
    queue.train(LONG)
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(7)))
    (folder / f"{name}{DRAWINGS}").unlink()
    runs.stop()
    wait_for_run(runs, lambda run: not hands.waits(queue, name))
    run = hands.run_of(runs, name)
    assert run.state == "failed" and "teach again" in run.message


# ---------------------------------------------------------------- whose it is


def test_names_of_visitors_networks_cannot_be_guessed():
    assert recognizers.is_own(NAME) and new_name("hand", "mnist", 16) != NAME
    assert not recognizers.is_own(new_name("hand", "mnist"))
    said = recognizers.conceal(f"Resuming {NAME}.pt, changed: nothing")
    assert re.fullmatch(r"Resuming hand-[0-9a-f]{8}\.pt, changed: nothing", said)


NO_NAMES = [None, 3, "", "../lenet", "lenet", f"{NAME}/../x", f"{NAME}.pt"]


# Their ids hold no random name: each process of pytest-xdist has another one.
@pytest.mark.parametrize("name", NO_NAMES, ids=map(str, range(len(NO_NAMES))))
def test_what_is_no_teaching_s_name_is_refused(queue, name, runs):
    with pytest.raises(HandError, match="no such teaching"):
        hands.run_of(runs, name)
    with pytest.raises(HandError, match="no such teaching"):
        hands.resume(queue, name)


def test_a_run_whose_files_are_gone_is_idle(queue, runs):
    run = hands.run_of(runs, NAME)
    assert run.state == "idle" and hands.network_of(run) is None
    with pytest.raises(HandError, match="nothing to go on from"):
        hands.resume(queue, NAME)


def test_a_network_that_is_gone_is_not_taught(queue):
    with pytest.raises(CheckpointError, match="no longer there"):
        hands.start(queue, f"{NAME}.pt", hands.parse(drawings(1)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "not the text of a drawings file"),
        ("\n \n", "no drawings yet"),
        (drawings(1) * 501, "more than 500 drawings"),
        (
            drawings(1) + json.dumps({"label": 1, "strokes": [[[i, i % 2] for i in range(2001)]]}),
            "Drawing 2 has more than 2000 points",
        ),
        (drawings(1) + '{"label": 12, "strokes": [[[0, 0]]]}', "line 2: The label must be"),
        (drawings(1) + '{"label": 1, "strokes": [[[0, "x"]]]}', "line 2: "),
        ("[" * 100_000, "line 1: "),
        ("\ud800", "line 1: The line is not JSON"),
    ],
)
def test_bad_drawings_are_refused_with_their_line(text, reason):
    with pytest.raises(HandError, match=reason):
        hands.parse(text)


def test_what_is_no_digit_can_be_taught_too():
    (one,) = hands.parse('{"label": null, "strokes": [[[0, 0], [1, 1]]]}')
    assert one.label is None


def test_drawings_are_read_as_digits_or_as_none():
    reader = recognizers.recognizer(SHIPPED.name)
    other = '{"label": null, "strokes": [[[0,0],[9,9]],[[9,0],[0,9]],[[0,5],[9,5]],[[5,0],[5,9]]]}'
    drawn = hands.parse(drawings(*range(10)) + other)
    assert hands.read_digits(reader, drawn) == [*range(10), None]


def test_the_checkpoint_names_no_file_of_the_server(queue, runs, folder):
    name = hands.start(queue, SHIPPED.name, hands.parse(drawings(7, 7)))
    wait_for_run(runs, lambda run: not run.alive)
    taught = read(folder / f"{name}.pt").run
    assert taught and taught.settings.drawings == (hands.FILE,)
