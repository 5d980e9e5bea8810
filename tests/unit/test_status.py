"""What the Train tab says of a run: a line for every state, the time to go, and the log."""

import pytest
from support import batch_event as batch
from support import epoch_event as epoch
from support import start_event as start

from lenet.events import Done, Error, Event, Saved, Stopped
from lenet.server.runs import Run, State
from lenet.ui.train.status import Status, log_html, status, status_html


def running(*events: Event) -> Status:
    return status(Run("running", "fast", events))


# ---------------------------------------------------------------- a line for every state


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (Run("idle"), "idle: press Train to train a LeNet from nothing"),
        (Run("starting", "fast"), "starting: loading the data"),
        (Run("stopping", "fast"), "stopping…"),
        (Run("stopping", "fast", (start(), batch(1, 100, 2.0))), "stopping…"),
        (
            Run(
                "stopped",
                "fast",
                (
                    start(),
                    Saved(elapsed=0.0, path="x"),
                    Stopped(elapsed=1.0, test_accuracy=None, checkpoint="x"),
                ),
            ),
            "stopped: Resume goes on where it stopped",
        ),
        (
            Run(
                "stopped",
                "fast",
                (Stopped(elapsed=0.0, test_accuracy=None, checkpoint=None),),
            ),
            "stopped: nothing was learnt yet",
        ),
        (Run("stopped", "fast"), "stopped: nothing was learnt yet"),
        (
            Run("finished", "fast", (Done(elapsed=12.34, test_accuracy=0.98765, checkpoint="x"),)),
            "finished: 98.77% of the test images read right after 12.3 s of training",
        ),
        (Run("failed", "fast", (), "It was killed."), "failed: It was killed."),
        (
            Run("failed", "fast", (Error(elapsed=0, kind="DataError", message="No."),), "No."),
            "failed: No.",
        ),
    ],
    ids=lambda value: value.state if isinstance(value, Run) else "",
)
def test_the_line_begins_with_the_state(run: Run, text: str):
    assert status(run) == Status(text, None)
    assert text.startswith(run.state)


def test_a_server_whose_training_is_off_says_so():
    assert status(Run("idle"), closed=True).text == "idle: training is off on this server"


@pytest.mark.parametrize(
    ("state", "waiting", "words"),
    [
        ("running", 0, "running: epoch 1 of 4"),
        ("running", 1, "running: epoch 1 of 4; 1 run waits"),
        ("running", 2, "running: epoch 1 of 4; 2 runs wait"),
        ("stopping", 2, "stopping…; 2 runs wait"),
        ("stopped", 1, "waiting: the next run begins in a moment"),
        ("finished", 3, "waiting: the next run begins in a moment"),
        ("idle", 1, "waiting: the next run begins in a moment"),
    ],
)
def test_the_line_counts_the_runs_that_wait(state: State, waiting: int, words: str):
    assert status(Run(state, "fast", (start(),)), waiting=waiting).text == words


@pytest.mark.parametrize(
    ("text", "share", "line"),
    [
        ("Downloading MNIST", 0.404, "starting: downloading MNIST, 40 %"),
        ("Drawing synthetic digits", 0.0, "starting: drawing synthetic digits, 0 %"),
        ("Loading the images", None, "starting: loading the data"),
    ],
)
def test_the_line_says_how_far_the_data_are_while_a_run_waits_for_them(text, share, line):
    wait = {"text": text, "share": share}
    assert status(Run("starting", "fast"), wait) == Status(line, share)
    for state in ("idle", "stopping", "stopped"):
        assert status(Run(state), wait) == status(Run(state))


# ---------------------------------------------------------------- how long to go


@pytest.mark.parametrize(
    ("events", "text", "share"),
    [
        ([start()], "running: epoch 1 of 4", 0),
        ([start(), batch(1, 100, 5.0)], "running: epoch 1 of 4, 35 s to go", 1 / 8),
        # An epoch without `batch` events shows the speed, too.
        ([start(), epoch(1, 10.0)], "running: epoch 2 of 4, 30 s to go", 1 / 4),
        (
            [start(), epoch(1, 10.0), Saved(elapsed=10.0, path="x")],
            "running: epoch 2 of 4, 30 s to go",
            1 / 4,
        ),
        (
            [start(), epoch(1, 10.0), batch(2, 100, 15.0)],
            "running: epoch 2 of 4, 25 s to go",
            3 / 8,
        ),
        ([start(), batch(4, 200, 40.0)], "running: epoch 4 of 4, 0 s to go", 1),
        ([start(), epoch(4, 40.0)], "running: epoch 4 of 4, 0 s to go", 1),
        ([start(), batch(1, 100, 60.0)], "running: epoch 1 of 4, 7 min to go", 1 / 8),
        # A resumed run counts its speed from where it went on.
        (
            [start(), epoch(1, 90.0), start(epoch=2, batch=100, elapsed=100.0)],
            "running: epoch 3 of 4",
            5 / 8,
        ),
        (
            [start(), epoch(1, 90.0), start(epoch=2, batch=100, elapsed=100.0), epoch(3, 105.0)],
            "running: epoch 4 of 4, 10 s to go",
            3 / 4,
        ),
        # One epoch more for a finished run, in a log of its own.
        (
            [start(epoch=4, batch=0, elapsed=50.0, epochs=5), batch(5, 100, 52.0)],
            "running: epoch 5 of 5, 2 s to go",
            9 / 10,
        ),
    ],
)
def test_a_running_run_says_its_epoch_and_how_long_to_go(events, text, share):
    assert running(*events) == (text, pytest.approx(share))


# ---------------------------------------------------------------- in HTML


def test_a_line_without_a_share_has_no_bar_and_its_text_stays_text():
    shown = status_html(Status("failed: <b>no</b> mirror & no file"))
    assert "&lt;b&gt;no&lt;/b&gt; mirror &amp; no file" in shown
    assert 'id="train-status"' in shown and "<progress" not in shown


def test_a_share_is_a_bar():
    assert '<progress value="0.1250"' in status_html(Status("running", 1 / 8))


def test_the_log_has_a_line_for_each_event_that_has_words():
    events = [start(), Saved(elapsed=1.0, path="x"), batch(1, 100, 5.0)]
    lines = log_html(events).partition(">")[2].removesuffix("</pre>").split("\n")
    assert lines[0].startswith("Training: recipe fast, data mnist, 4 epochs")
    assert lines[-1] == "[1,   100] loss: 0.500"
    failed = Error(elapsed=0.0, kind="DataError", message="No <mirror>.")
    assert "No &lt;mirror&gt;." in log_html([failed])
