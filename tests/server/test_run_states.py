"""lenet.server.runs.state_of: the state of a run, from what is known of it, without processes."""

from signal import SIGKILL, SIGTERM

import pytest

from lenet.events import Done, Error, Event, Saved, Stopped
from lenet.server.runs import Run, State, state_of

SAVED = Saved(elapsed=1.0, path="run.pt")
DONE = Done(elapsed=2.0, test_accuracy=0.9, checkpoint="run.pt")
STOPPED = Stopped(elapsed=2.0, test_accuracy=None, checkpoint=None)
ERROR = Error(elapsed=2.0, kind="DataError", message="MNIST could not be loaded.")

LIVES, ENDED = None, 0


@pytest.mark.parametrize(
    ("events", "begun", "alive", "asked", "exit_code", "state"),
    [
        # It has logged nothing yet, while its data load.
        ((), False, True, False, LIVES, "starting"),
        ((), False, True, True, LIVES, "stopping"),
        ((), False, False, True, -SIGTERM, "stopped"),  # before it listened
        ((), False, False, False, -SIGTERM, "stopped"),  # by the server, which ended
        ((), False, False, False, -SIGKILL, "failed"),
        ((), False, False, True, -SIGKILL, "failed"),
        ((), False, False, False, ENDED, "failed"),  # it could not write its log
        ((), False, False, False, None, "failed"),  # an earlier server's
        # It goes on: what its log holds is of an earlier process.
        ((SAVED, STOPPED), False, True, False, LIVES, "starting"),
        ((SAVED, STOPPED), False, True, True, LIVES, "stopping"),
        ((SAVED, STOPPED), False, False, True, -SIGTERM, "stopped"),
        ((SAVED, DONE), False, False, False, -SIGKILL, "failed"),
        # It trains.
        ((SAVED,), True, True, False, LIVES, "running"),
        ((SAVED,), True, True, True, LIVES, "stopping"),
        ((SAVED,), True, False, False, -SIGKILL, "failed"),
        ((SAVED,), True, False, False, None, "failed"),
        ((SAVED,), True, False, True, 128 + SIGTERM, "failed"),  # asked twice
        # It has logged how it ended; its process may take a moment more.
        ((SAVED, DONE), True, True, False, LIVES, "finished"),
        ((SAVED, DONE), True, False, False, ENDED, "finished"),
        ((SAVED, DONE), True, False, True, ENDED, "finished"),  # before it heard that it is to stop
        ((SAVED, STOPPED), True, True, True, LIVES, "stopped"),
        ((STOPPED,), True, False, True, ENDED, "stopped"),  # while its data loaded
        ((SAVED, STOPPED), True, False, False, None, "stopped"),
        ((SAVED, ERROR), True, False, False, ENDED, "failed"),
        ((ERROR,), True, True, True, LIVES, "failed"),
    ],
)
def test_the_state_of_a_run(
    events: tuple[Event, ...],
    begun: bool,
    alive: bool,
    asked: bool,
    exit_code: int | None,
    state: State,
):
    assert state == state_of(events, begun=begun, alive=alive, asked=asked, exit_code=exit_code)


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        ("idle", False),
        ("starting", True),
        ("running", True),
        ("stopping", True),
        ("stopped", False),
        ("finished", False),
        ("failed", False),
    ],
)
def test_a_stopping_run_is_alive(state: State, alive: bool):
    assert Run(state).alive is alive
