"""lenet.server.uploads: the networks that strangers send. Pictures are sent in `test_api`."""

import os
from pathlib import Path

import pytest
import torch
from support import on_own_machine

from lenet import LeNet
from lenet.checkpoint import SHIPPED, Checkpoint, CheckpointError, read, write
from lenet.data import Digits
from lenet.files import checkpoints_folder
from lenet.progress import Progress
from lenet.recipes import Schedule
from lenet.server import uploads
from lenet.server.evaluation_cache import evaluate_once
from lenet.server.uploads import keep_upload
from lenet.settings import Settings


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch) -> Path:
    """An empty folder of checkpoints on a machine of one's own."""
    monkeypatch.setenv("LENET_DATA", str(tmp_path / "data"))
    folder = on_own_machine(monkeypatch, tmp_path / "checkpoints")
    folder.mkdir()
    return folder


def network() -> Checkpoint:
    return Checkpoint({name: value.detach() for name, value in LeNet().named_parameters()})


def test_an_upload_keeps_its_weights_and_nothing_of_its_run(tmp_path):
    sent = network()
    sent.averaged = {name: value + 1 for name, value in sent.network.items()}
    settings = Settings("fast", "mnist", ("/etc/passwd",), 5, 64, 0.1, 0)
    random = torch.Generator().get_state()
    sent.run = Progress(settings, "", Schedule(0, 10, 0.1, 0), random)
    sent.temperature, sent.sure_above, sent.sure_digit_above = 1.5, 0.9, 0.95
    sent.digit_slope, sent.digit_offset = 3.5, -10.9
    write(sent, tmp_path / "mine.pt")
    kept = read(keep_upload(tmp_path / "mine.pt"))
    assert kept.run is None and kept.averaged is None
    assert (kept.temperature, kept.sure_above, kept.sure_digit_above) == (1.5, 0.9, 0.95)
    assert (kept.digit_slope, kept.digit_offset) == (3.5, -10.9)
    for name, value in sent.averaged.items():
        assert torch.equal(kept.network[name], value)


def test_a_bare_pth_of_half_precision_is_kept_as_float32(tmp_path):
    torch.save(LeNet().half().state_dict(), tmp_path / "mine.pth")
    kept = read(keep_upload(tmp_path / "mine.pth"))
    assert {value.dtype for value in kept.network.values()} == {torch.float32}


def test_parameters_that_ask_for_gradients_are_kept_as_plain_weights(tmp_path):
    """The Results tab could not compute with others."""
    torch.save(dict(LeNet().named_parameters()), tmp_path / "mine.pth")
    kept = read(keep_upload(tmp_path / "mine.pth"))
    assert not any(value.requires_grad for value in kept.weights.values())
    digits = Digits(torch.zeros(3, 28, 28, dtype=torch.uint8), torch.arange(3))
    assert len(evaluate_once(kept, digits).probabilities) == 3


def test_the_server_chooses_the_name(tmp_path):
    before = SHIPPED.read_bytes()
    write(network(), tmp_path / "lenet.pt")
    first, second = keep_upload(tmp_path / "lenet.pt"), keep_upload(tmp_path / "lenet.pt")
    assert first != second
    assert first.parent == second.parent == checkpoints_folder()
    assert first.name.startswith("upload-")
    assert SHIPPED.read_bytes() == before


class Evil:
    def __reduce__(self):
        return os.mkdir, ("evil",)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mine.txt", b"", "ends in .pt or .pth"),
        ("mine.pt", bytes(uploads.MAX_NETWORK + 1), "larger than 2 MB"),
        ("mine.pt", b"hello", "mine.pt"),
        ("mine.pt", Evil(), "might run code"),
        ("mine.pt", {"conv1.weight": torch.zeros(6, 1, 5, 5)}, "another network"),
        ("mine.pt", {n: 1e15 * v for n, v in LeNet().state_dict().items()}, "no answer can be"),
    ],
)
def test_what_is_no_network_is_refused_and_not_kept(tmp_path, monkeypatch, name, content, words):
    monkeypatch.chdir(tmp_path)
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        torch.save(content, tmp_path / name)
    with pytest.raises(CheckpointError, match=words):
        keep_upload(tmp_path / name)
    assert not list(checkpoints_folder().iterdir())
    assert not (tmp_path / "evil").exists()
