"""The commands as a shell runs them: signals, a reader that stops reading, a full disk."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, WAIT, wait_until

from lenet.checkpoint import read
from lenet.events import Done, Ending, Epoch, Saved, Stopped, line, read_log

# `python -m lenet.train` with 512 digits in place of a data set that takes long to load.
TRAIN = """
import sys
import lenet.train
from lenet.data import DataSet, Digits
from lenet.synthetic import synthetic_digits
small = [Digits(*synthetic_digits(count, seed=count)) for count in (512, 100)]
lenet.train.load = lambda name, *_: DataSet(name, *small)
sys.exit(lenet.train.main())
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_signal_stops_a_training_and_resume_goes_on_to_the_end(tmp_path: Path):
    out, log = tmp_path / "run.pt", tmp_path / "log"
    files = ["--out", str(out), "--log", str(log)]
    process = started(TRAIN, "--recipe", "tutorial", "--epochs", "200", *files)
    wait_until(lambda: any(isinstance(e, Epoch) for e in read_log(log)) or process.poll())
    process.terminate()
    printed, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 0
    stopped = read_log(log)
    assert [type(e) for e in stopped[-2:]] == [Saved, Stopped]
    assert line(stopped[-1]) in printed
    epoch = read(out).run.epoch
    assert 1 <= epoch < 200

    resumed = started(TRAIN, "--resume", str(out), "--epochs", "1", *files)
    _, errors = resumed.communicate(timeout=WAIT)
    assert (resumed.returncode, errors) == (0, "")
    events = read_log(log)
    assert events[: len(stopped) - 1] == stopped[:-1]
    assert [type(e) for e in events if isinstance(e, Ending)] == [Done]
    epochs = [e.epoch for e in events if isinstance(e, Epoch)]
    assert epochs == list(range(1, epoch + 2))


LOADING = """
import sys, threading
import lenet.train
def load(name, stop):
    print("loading", flush=True)
    threading.Event().wait()
lenet.train.load = load
sys.exit(lenet.train.main())
"""


def test_ctrl_c_while_data_load_ends_the_training_in_good_order(tmp_path: Path):
    files = ["--out", str(tmp_path / "run.pt"), "--log", str(tmp_path / "log")]
    process = started(LOADING, *files)
    assert process.stdout and process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, errors) == (0, "")
    assert printed == "Stopped after 0.0 s of training\nnothing was learnt\n"
    assert [type(event) for event in read_log(tmp_path / "log")] == [Stopped]


@pytest.fixture
def unipen(tmp_path: Path) -> Path:
    """A UNIPEN file of one digit."""
    path = tmp_path / "digits.tra"
    path.write_text('.SEGMENT DIGIT 0 ? "1"\n.PEN_DOWN\n 5 9\n 5 0\n.PEN_UP\n')
    return path


def converted(path: Path, output, **options) -> subprocess.CompletedProcess[str]:
    """Run `python -m lenet.drawings FILE` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "lenet.drawings", str(path)],
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # buffered output fails only at the exit
        text=True,
        **options,
    )


def test_a_reader_that_stops_reading_does_no_harm(unipen: Path):
    reader, writer = os.pipe()
    os.close(reader)
    done = converted(unipen, writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_reported_in_one_line(unipen: Path, tmp_path: Path):
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with (tmp_path / "full").open("w") as full:
        done = converted(unipen, full, preexec_fn=no_room)
    assert done.returncode == 2
    assert done.stderr == "The file could not be written: File too large.\n"
