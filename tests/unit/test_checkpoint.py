"""lenet.checkpoint: safe and atomic files, and what is refused."""

import io
import math
import os
import pickle
from pathlib import Path

import pytest
import torch
from support import full_disk
from torch import nn

from lenet import LeNet
from lenet.checkpoint import (
    SHIPPED,
    Checkpoint,
    CheckpointError,
    _largest_output,
    list_checkpoints,
    read,
    write,
)
from lenet.files import checkpoints_folder
from lenet.progress import Progress
from lenet.recipes import Schedule
from lenet.settings import Settings


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return LeNet().state_dict()


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def refusal(path: Path) -> str:
    """The sentence with which the file is refused: one line, with the file's name."""
    with pytest.raises(CheckpointError) as error:
        read(path)
    sentence = str(error.value)
    assert path.name in sentence
    assert "\n" not in sentence
    return sentence


# ---------------------------------------------------------------- good files


def test_what_is_written_is_read_again(tmp_path):
    random = torch.Generator().manual_seed(4).get_state()
    settings = Settings("best", "mnist", ("a.jsonl",), 9, 64, 0.1, 0)
    run = Progress(settings, "a checksum", Schedule(0, 9, 0.1, 0.2), random, epoch=3)
    calibration = {"digit_slope": 3.5, "digit_offset": -10.9, "sure_digit_above": 0.98}
    written = Checkpoint(weights(0), weights(1), run, 1.5, 0.75, accuracy=0.991, **calibration)
    write(written, tmp_path / "a.pt")
    found = read(tmp_path / "a.pt")
    assert same(found.network, written.network)
    assert same(found.averaged, written.averaged)
    assert (found.run.epoch, found.run.settings) == (3, settings)
    assert torch.equal(found.run.random, random)
    assert (found.temperature, found.sure_above, found.accuracy) == (1.5, 0.75, 0.991)
    assert {name: getattr(found, name) for name in calibration} == calibration
    assert found.path == tmp_path / "a.pt"


def test_a_checkpoint_from_before_others_were_known_is_read(tmp_path):
    content = {"format": "lenet-live 1", "network": weights(), "temperature": 1.5}
    torch.save(content, tmp_path / "old.pt")
    write(read(tmp_path / "old.pt"), tmp_path / "new.pt")
    for name in ("old.pt", "new.pt"):
        found = read(tmp_path / name)
        assert (found.digit_slope, found.digit_offset) == (0.0, math.inf)
        assert (found.temperature, found.sure_digit_above) == (1.5, 0.0)


def test_digits_are_read_with_the_average_where_one_is_kept():
    plain, averaged = weights(0), weights(1)
    assert same(Checkpoint(plain).model().state_dict(), plain)
    assert same(Checkpoint(plain, averaged).model().state_dict(), averaged)
    assert not Checkpoint(plain).model().training


@pytest.mark.parametrize("zipped", [True, False], ids=["today's format", "torch 1.5's format"])
def test_the_lessons_bare_state_dict_is_read(tmp_path, zipped):
    path = tmp_path / "MNIST_net.pth"
    torch.save(weights(), path, _use_new_zipfile_serialization=zipped)
    found = read(path)
    assert same(found.network, weights())
    assert found.run is None


def test_half_precision_weights_are_read():
    half = {name: value.half() for name, value in weights().items()}
    assert Checkpoint(half).model().conv1.weight.dtype == torch.float32


def test_the_shipped_checkpoint_is_whole():
    assert read(SHIPPED).model()(torch.zeros(1, 1, 32, 32)).shape == (1, 10)


# ---------------------------------------------------------------- writing fails


def half_written(_, file):
    file.write(b"half of it")
    full_disk()


def torch_writer(_, file):
    file.write(b"half of it")
    raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed")


FAILURES = {
    "while writing": (torch, "save", half_written, "No space left on device"),
    "in torch's writer": (torch, "save", torch_writer, "the disk may be full"),
    "while flushing": (os, "fsync", full_disk, "No space left on device"),
    "while renaming": (os, "replace", full_disk, "No space left on device"),
}


@pytest.mark.parametrize(("where", "name", "failure", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, where, name, failure, reason
):
    path = tmp_path / "a.pt"
    write(Checkpoint(weights(0)), path)
    before = path.read_bytes()
    monkeypatch.setattr(where, name, failure)
    with pytest.raises(CheckpointError) as error:
        write(Checkpoint(weights(1)), path)
    assert str(error.value) == f"The checkpoint {path} could not be written: {reason}."
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_write_leaves_the_old_file_and_the_next_one_clears_its_remains(
    tmp_path, monkeypatch
):
    def killed(_, file):
        file.write(b"half of it")
        raise KeyboardInterrupt

    path = tmp_path / "a.pt"
    write(Checkpoint(weights(0)), path)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            write(Checkpoint(weights(1)), path)
    assert same(read(path).network, weights(0))
    write(Checkpoint(weights(2)), path)
    assert same(read(path).network, weights(2))
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_is_whole_before_it_takes_the_old_ones_name(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def renamed(source, target):
        steps.append("renamed")
        assert same(read(source).network, weights(1))
        assert Path(source).parent == tmp_path
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda file: (steps.append("flushed"), fsync(file)))
    monkeypatch.setattr(os, "replace", renamed)
    write(Checkpoint(weights(1)), tmp_path / "a.pt")
    assert steps == ["flushed", "renamed"]


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"a\.pt could not be written: Not a directory"):
        write(Checkpoint(weights()), tmp_path / "file" / "a.pt")


def test_a_folder_in_the_files_place_is_reported_and_kept(tmp_path):
    (tmp_path / "a.pt").mkdir()
    with pytest.raises(CheckpointError, match=r"a\.pt could not be written: Is a directory"):
        write(Checkpoint(weights()), tmp_path / "a.pt")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.pt"]


# ---------------------------------------------------------------- bad files


class Runs:
    """What runs code when an ordinary unpickler meets it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "make",
    [
        lambda evil: pickle.dumps(evil, 0),
        lambda evil: pickle.dumps(evil, 2),
        lambda evil: pickle.dumps(evil, pickle.HIGHEST_PROTOCOL),
        lambda evil: saved({**weights(), "extra": evil}),
        lambda evil: saved({"format": "lenet-live 1", "network": weights(), "run": evil}),
    ],
    ids=["pickle 0", "pickle 2", "newest pickle", "state dict", "checkpoint"],
)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path, make):
    mark = tmp_path / "ran"
    path = tmp_path / "a.pt"
    path.write_bytes(make(Runs(mark)))
    assert "might run code" in refusal(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Runs(mark)))
    assert mark.exists()  # an ordinary unpickler would have run it


def test_a_whole_module_is_refused(tmp_path):
    torch.save(LeNet(), tmp_path / "a.pth")
    assert "holds more than weights" in refusal(tmp_path / "a.pth")


BROKEN = {
    "empty": b"",
    "text": b"# Not a checkpoint\n",
    "other text": b"hello world",
    "JSON": b'{"a": 1}',
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "zip": b"PK\x03\x04 and no more",
    "10 bytes": saved(weights())[:10],
    "half": saved(weights())[:100_000],
    "all but its end": saved(weights())[:-100],
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_and_not_called_dangerous(tmp_path, content):
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    sentence = refusal(path)
    assert "is damaged, cut off or no checkpoint" in sentence or "not a checkpoint" in sentence


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "none.pt") == "none.pt could not be read: No such file or directory."
    (tmp_path / "folder.pt").mkdir()
    assert refusal(tmp_path / "folder.pt") == "folder.pt could not be read: Is a directory."


def without(name: str) -> dict:
    return {key: value for key, value in weights().items() if key != name}


OTHER = {
    "a missing layer": (without("fc3.bias"), "holds another network"),
    "one layer more": ({**weights(), "fc4.weight": torch.ones(2)}, "holds another network"),
    "another network": (nn.Linear(2, 2).state_dict(), "holds another network"),
    "another shape": (
        {**weights(), "conv1.weight": torch.ones(6, 3, 5, 5)},
        r"its conv1.weight has the shape (6, 3, 5, 5), LeNet's has (6, 1, 5, 5)",
    ),
    "a list": ([1, 2], "holds no weights"),
    "a tensor": (torch.ones(3), "holds no weights"),
    "no network": ({"format": "lenet-live 1"}, "holds another network"),
    "a text as weights": ({**weights(), "fc1.bias": "x"}, "no floating-point weights for fc1.bias"),
    "integers": ({**weights(), "fc1.bias": torch.ones(120).int()}, "no floating-point weights"),
    "no data": ({n: v.to("meta") for n, v in weights().items()}, "holds more than weights"),
    "sparse": ({**weights(), "fc1.bias": torch.ones(120).to_sparse()}, "holds more than weights"),
    "NaN": ({**weights(), "fc2.bias": torch.full((84,), torch.nan)}, "NaN or infinite in fc2.bias"),
    "infinite": ({**weights(), "fc2.bias": torch.full((84,), torch.inf)}, "NaN or infinite"),
    "beyond float32": (
        {**weights(), "fc2.bias": torch.full((84,), 1e300, dtype=torch.float64)},
        "NaN or infinite",
    ),
    "huge": ({n: 1e15 * v for n, v in weights().items()}, "no answer can be computed"),
}


@pytest.mark.parametrize(("content", "reason"), OTHER.values(), ids=OTHER)
def test_what_is_no_lenet_is_refused(tmp_path, content, reason):
    torch.save(content, tmp_path / "a.pth")
    assert reason in refusal(tmp_path / "a.pth")


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_refused(tmp_path):
    nested = torch.nested.as_nested_tensor([torch.ones(120)])
    torch.save({**weights(), "fc1.bias": nested}, tmp_path / "a.pth")
    assert "holds more than weights" in refusal(tmp_path / "a.pth")


def test_a_run_that_is_damaged_or_of_another_version_is_refused(tmp_path):
    content = {"format": "lenet-live 1", "network": weights(), "run": {"epoch": 3}}
    torch.save(content, tmp_path / "a.pt")
    assert refusal(tmp_path / "a.pt") == (
        "a.pt holds a run that is damaged or of another version: it has no settings."
    )


@pytest.mark.parametrize(
    "beside",
    [
        {"averaged": {"conv1.weight": torch.full((6, 1, 5, 5), torch.nan)}},
        {"averaged": {**weights(), "fc3.bias": torch.full((10,), torch.nan)}},
        {"temperature": 0.0},
        {"temperature": "warm"},
        {"temperature": float("nan")},
        {"digit_offset": 10**20},
        {"sure_above": None},
        {"sure_above": 2.0},
        {"digit_slope": float("nan")},
        {"digit_slope": float("inf")},
        {"digit_slope": None},
        {"digit_offset": "far"},
        {"digit_offset": float("-inf")},
        {"sure_digit_above": -0.1},
        {"sure_digit_above": 1.1},
        {"accuracy": "high"},
        {"run": "away"},
    ],
    ids=lambda beside: ", ".join(beside),
)
def test_nonsense_beside_the_weights_is_refused(tmp_path, beside):
    torch.save({"format": "lenet-live 1", "network": weights(), **beside}, tmp_path / "a.pt")
    assert refusal(tmp_path / "a.pt")


def test_a_file_too_large_is_refused(tmp_path):
    with open(tmp_path / "a.pt", "wb") as file:
        file.truncate(1 << 30)
    assert refusal(tmp_path / "a.pt") == "a.pt was not loaded: the file is too large."


def test_the_largest_weights_that_are_taken_give_finite_answers(tmp_path):
    """Of all signs that they may have, those that make every sum as large as it gets."""
    bound = _largest_output(ones := {name: value.abs() for name, value in weights().items()})
    largest = {name: value * (9e29 / bound) ** 0.2 for name, value in ones.items()}
    torch.save(largest, tmp_path / "a.pth")
    model = read(tmp_path / "a.pth").model()
    assert model(torch.full((1, 1, 32, 32), 2.8)).isfinite().all()


# ---------------------------------------------------------------- the folder


def test_checkpoints_are_listed_shipped_first_then_the_newest(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))
    for age, name in enumerate(["new.pt", "older.pth", "oldest.pt"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (10_000 - age, 10_000 - age))
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.pt").mkdir()
    names = ["new.pt", "older.pth", "oldest.pt"]
    assert list_checkpoints() == [SHIPPED, *(tmp_path / name for name in names)]


def test_the_folder_need_not_exist_yet(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path / "none"))
    assert list_checkpoints() == [SHIPPED]
    assert checkpoints_folder() == tmp_path / "none"
