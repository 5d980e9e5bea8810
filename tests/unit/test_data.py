"""lenet.data: MNIST from any mirror and after any mishap, and the error where there is none.

Most tests load a small MNIST: the same four files with a few images in each.
"""

import gzip
import hashlib
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from support import full_disk
from torchvision.datasets import MNIST
from torchvision.datasets import mnist as torchvision_mnist

from lenet import data, synthetic
from lenet.data import (
    DataError,
    DataSet,
    Digits,
    LoadingStopped,
    damage,
    load,
    load_mnist,
    loading_progress,
)
from lenet.files import data_folder
from lenet.synthetic import synthetic_digits

NOBODY = "http://127.0.0.1:9/"  # the port of the discard service: nobody listens
NAMES = list(data._MNIST_SIZES)
GIVE_UP = 60  # seconds after which a test that hangs fails


@pytest.fixture(scope="module")
def archives(mnist) -> Path:
    """The folder with MNIST's real archives."""
    return data_folder() / "MNIST" / "raw"


@pytest.fixture(autouse=True)
def raw(tmp_path, monkeypatch) -> Iterator[Path]:
    """No mirror but what a test names, and the folder of archives in an empty `LENET_DATA`."""
    monkeypatch.setenv("LENET_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("LENET_MNIST_URL", raising=False)
    monkeypatch.setattr(MNIST, "mirrors", [NOBODY])
    yield tmp_path / "cache" / "MNIST" / "raw"
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)  # pytest would keep 66 MB of MNIST


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """The folder with the archives of a small MNIST that is taken for the real one."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    numbers = torch.Generator().manual_seed(0)
    resources, sizes = [], {}
    for name in NAMES:
        count = 12 if name.startswith("train") else 5
        shape = (count, 28, 28) if "images" in name else (count,)
        values = torch.randint(256 if "images" in name else 10, shape, generator=numbers)
        header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
        unpacked = header + values.byte().numpy().tobytes()
        packed = gzip.compress(unpacked)
        (folder / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
        sizes[name] = (len(packed), len(unpacked))
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(data, "_MNIST_SIZES", sizes)
    return folder


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and keeps quiet about it."""

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def serve() -> Iterator:
    """Serve a folder over http and return its URL."""
    servers = []

    def start(folder: Path, handler: type = Handler) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(params=["file", "http"])
def mirror(request, small, serve, monkeypatch) -> Path:
    """The small MNIST's folder, which `LENET_MNIST_URL` names as a folder or as a server."""
    url = small.as_uri() + "/" if request.param == "file" else serve(small)
    monkeypatch.setenv("LENET_MNIST_URL", url)
    return small


def same(one: DataSet, other: DataSet) -> bool:
    return one.checksum() == other.checksum() and one.test.frames.equal(other.test.frames)


def refusal() -> str:
    """The sentence with which MNIST is refused."""
    with pytest.raises(DataError) as error:
        load_mnist()
    assert "\n" not in str(error.value)
    return str(error.value)


# ---------------------------------------------------------------- what is loaded


def test_mnist_is_what_the_lesson_trains_on(mnist):
    assert mnist.name == "mnist"
    assert mnist.train.frames.shape == (60_000, 28, 28) and len(mnist.train) == 60_000
    assert mnist.test.frames.shape == (10_000, 28, 28) and len(mnist.test) == 10_000
    assert mnist.train.frames.dtype == torch.uint8 and mnist.train.labels.dtype == torch.int64
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_real_mnist_comes_over_http(mnist, archives, serve, monkeypatch):
    monkeypatch.setenv("LENET_MNIST_URL", serve(archives))
    assert same(load("mnist"), mnist)


def test_a_mirror_fills_the_cache_and_is_not_asked_again(mirror, monkeypatch):
    assert loading_progress("mnist") == 0.0
    first = load_mnist()
    assert (len(first.train), len(first.test)) == (12, 5)
    unpacked = gzip.decompress((mirror / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert first.test.frames.numpy().tobytes() == unpacked
    assert loading_progress("mnist") == 1.0

    shutil.rmtree(mirror)
    assert same(load_mnist(), first)
    monkeypatch.delenv("LENET_MNIST_URL")
    assert same(load_mnist(), first)


def test_archives_that_lie_in_the_cache_are_unpacked(small, raw):
    """What the message advises those to do who have no network."""
    shutil.copytree(small, raw)
    assert len(load_mnist().train) == 12


def test_one_s_own_mirror_is_asked_first_and_the_others_after_it(small, serve, monkeypatch):
    monkeypatch.setenv("LENET_MNIST_URL", NOBODY)
    monkeypatch.setattr(MNIST, "mirrors", [NOBODY, serve(small)])
    assert len(load_mnist().train) == 12
    assert MNIST.mirrors[0] == NOBODY  # as torchvision had it


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_last_slash_of_a_mirror_may_be_missing(small, slash, monkeypatch):
    monkeypatch.setenv("LENET_MNIST_URL", small.as_uri() + slash)
    assert len(load_mnist().train) == 12


def test_a_folder_with_a_blank_in_its_name_is_a_mirror(small, tmp_path, monkeypatch):
    folder = small.rename(tmp_path / "a mirror")
    monkeypatch.setenv("LENET_MNIST_URL", folder.as_uri())
    assert "%20" in folder.as_uri()
    assert len(load_mnist().train) == 12


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no data set 'svhn': choose mnist or synthetic"):
        load("svhn")


def test_the_checksum_knows_every_pixel_and_label_of_the_training_set():
    frames, labels = torch.zeros(3, 28, 28, dtype=torch.uint8), torch.tensor([1, 2, 3])
    whole = DataSet("a", Digits(frames, labels), Digits(frames, labels))
    assert DataSet("b", whole.train, Digits(frames[:1], labels[:1])).checksum() == whole.checksum()
    other = frames.clone()
    other[2, 27, 27] = 1
    for train in (Digits(other, labels), Digits(frames, labels.flip(0))):
        assert DataSet("a", train, whole.test).checksum() != whole.checksum()


# ---------------------------------------------------------------- damaged data


def uneven() -> DataSet:
    """A thousand numbered frames: 140 each of 0 and 1, and 90 of every other digit."""
    labels = torch.tensor([*range(10)] * 90 + [0, 1] * 50)
    frames = torch.zeros(1000, 28, 28, dtype=torch.uint8)
    frames[:, 0, 0], frames[:, 0, 1] = torch.arange(1000) % 256, torch.arange(1000) // 256
    return DataSet("synthetic", Digits(frames, labels), Digits(frames[:5], labels[:5]))


def numbers(data: DataSet) -> list[int]:
    first = data.train.frames[:, 0].int()
    return (first[:, 0] + 256 * first[:, 1]).tolist()


@pytest.mark.parametrize("images", [100, 999, 60_000])
def test_of_fewer_images_each_digit_keeps_the_same_share(images):
    whole = uneven()
    few = damage(whole, images, 0, seed=3)
    found = numbers(few)
    assert len(found) == len(few.train) == min(images, 1000)
    assert few.train.labels.equal(whole.train.labels[found])
    share = len(found) / 1000
    pairs = zip(few.train.labels.bincount(), whole.train.labels.bincount(), strict=True)
    assert all(abs(count - share * of_all) <= 1 for count, of_all in pairs)
    assert few.test is whole.test
    assert found == numbers(damage(whole, images, 0, seed=3))
    assert (found == numbers(damage(whole, images, 0, seed=4))) == (images > 1000)


@pytest.mark.parametrize("wrong", [0, 0.1, 20, 100])
def test_the_asked_share_of_labels_is_wrong_and_always_the_same_ones(wrong):
    whole = uneven()
    given = whole.train.labels.clone()
    damaged = damage(whole, 60_000, wrong, seed=0).train
    moved = (damaged.labels - given) % 10
    assert int((moved > 0).sum()) == round(10 * wrong)
    assert set(damaged.labels.tolist()) == set(range(10))
    assert damaged.frames.equal(whole.train.frames) and whole.train.labels.equal(given)
    assert damaged.labels.equal(damage(whole, 60_000, wrong, seed=0).train.labels)
    if wrong > 1:
        assert not damaged.labels.equal(damage(whole, 60_000, wrong, seed=1).train.labels)
        assert set(moved[moved > 0].tolist()) == set(range(1, 10))


# ---------------------------------------------------------------- the cache


def test_where_the_cache_is(tmp_path, monkeypatch):
    assert data_folder() == tmp_path / "cache"
    monkeypatch.delenv("LENET_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert data_folder() == tmp_path / "xdg" / "lenet-live"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_folder() == tmp_path / "home" / ".cache" / "lenet-live"


# ---------------------------------------------------------------- synthetic digits


@pytest.fixture
def few(monkeypatch, tmp_path) -> Path:
    """40 synthetic digits to train on and 20 to test on, drawn ten at a time; where they lie."""
    monkeypatch.setattr(data, "_SYNTHETIC", ((40, 0), (20, 1)))
    monkeypatch.setattr(synthetic, "PART", 10)
    return tmp_path / "cache" / "synthetic"


def kept(folder: Path) -> list[str]:
    """The names of the files of digits, whole or not."""
    return [path.name for path in folder.iterdir() if path.name != ".lock"]


def test_synthetic_digits_are_always_the_same_and_others_for_the_test(few):
    digits = load("synthetic")
    assert digits.name == "synthetic"
    for half, (count, seed) in ((digits.train, (40, 0)), (digits.test, (20, 1))):
        frames, labels = synthetic_digits(count, seed)
        assert half.frames.equal(frames) and half.frames.is_contiguous()
        assert half.labels.equal(labels) and half.labels.dtype == torch.int64


def test_synthetic_digits_are_drawn_once(few, monkeypatch):
    first = load("synthetic")
    monkeypatch.setattr(data, "synthetic_parts", lambda *_: pytest.fail("they were drawn again"))
    assert same(load("synthetic"), first)
    assert len(kept(few)) == 1


@pytest.mark.parametrize("damage", ["empty", "half", "a bit"])
def test_damaged_synthetic_digits_are_drawn_again(few, damage):
    first = load("synthetic")
    (path,) = (few / name for name in kept(few))
    whole = path.read_bytes()
    if damage == "a bit":
        path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    else:
        os.truncate(path, 0 if damage == "empty" else len(whole) // 2)
    assert same(load("synthetic"), first)
    assert path.read_bytes() == whole


def test_digits_of_other_templates_are_drawn_anew(few, monkeypatch):
    first = load("synthetic")
    before = kept(few)
    monkeypatch.setitem(synthetic.TEMPLATES, 1, ("50,0 50,100",))
    data._synthetic_version.cache_clear()
    assert not same(load("synthetic"), first)
    assert len(kept(few)) == 1 and kept(few) != before
    data._synthetic_version.cache_clear()


def no_folder(folder: Path, monkeypatch) -> None:
    folder.parent.mkdir()
    folder.write_text("in the way")


def no_room(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)


@pytest.mark.parametrize("mishap", [no_folder, no_room])
def test_synthetic_digits_that_cannot_be_kept_are_drawn(few, monkeypatch, mishap):
    mishap(few, monkeypatch)
    digits = load("synthetic")
    assert digits.train.frames.equal(synthetic_digits(40, 0)[0])
    assert few.is_file() or not kept(few)


def test_loading_reports_how_many_synthetic_digits_are_drawn(few):
    found = []

    def look() -> bool:
        found.append(round(60 * loading_progress("synthetic")))
        return False

    load("synthetic", look)
    assert found == [0, 10, 20, 30, 40, 50]
    assert loading_progress("synthetic") == 1


def test_drawing_synthetic_digits_can_be_stopped(few):
    with pytest.raises(LoadingStopped):
        load("synthetic", lambda: loading_progress("synthetic") > 0.3)
    assert not kept(few) and loading_progress("synthetic") == 0
    assert len(load("synthetic").train) == 40


def test_a_second_load_waits_for_the_digits_that_the_first_one_draws(few, monkeypatch):
    """Another process draws them, or another visitor of this one."""
    drawn = []
    monkeypatch.setattr(
        data, "synthetic_parts", lambda *a: drawn.append(a) or synthetic.synthetic_parts(*a)
    )
    with ThreadPoolExecutor() as visitors:
        first, second = visitors.map(load, ["synthetic"] * 2)
    assert same(first, second) and len(drawn) == 2  # the two halves, once


# ---------------------------------------------------------------- mishaps, and trying again


@pytest.mark.parametrize("name", NAMES)
def test_a_corrupted_archive_is_named_and_a_good_one_taken_later(mirror, name):
    archive = mirror / f"{name}.gz"
    good = archive.read_bytes()
    archive.write_bytes(good[:-1] + b"x")
    message = refusal()
    assert name in message
    assert os.environ["LENET_MNIST_URL"] in message
    archive.write_bytes(good)
    assert len(load_mnist().train) == 12


def test_an_archive_that_the_mirror_lacks_is_named(mirror):
    (mirror / "t10k-labels-idx1-ubyte.gz").unlink()
    message = refusal()
    assert "no t10k-labels-idx1-ubyte.gz" in message or "404" in message


@pytest.mark.parametrize("name", NAMES)
def test_half_a_download_in_the_cache_does_no_harm(mirror, raw, name):
    raw.mkdir(parents=True)
    archive = (mirror / f"{name}.gz").read_bytes()
    (raw / f"{name}.gz").write_bytes(archive[: len(archive) // 2])
    assert 0 < loading_progress("mnist") < 1
    assert len(load_mnist().train) == 12


@pytest.mark.parametrize("name", NAMES)
def test_half_an_unpacked_file_in_the_cache_does_no_harm(mirror, raw, name):
    first = load_mnist()
    os.truncate(raw / name, (raw / name).stat().st_size // 2)
    assert same(load_mnist(), first)


def test_a_download_that_breaks_off_is_begun_again(small, serve, monkeypatch):
    class BreaksOff(Handler):
        def copyfile(self, source, out) -> None:
            out.write(source.read()[:-10])

    monkeypatch.setenv("LENET_MNIST_URL", serve(small, BreaksOff))
    assert NAMES[0] in refusal()
    assert 0 < loading_progress("mnist") < 1
    monkeypatch.setenv("LENET_MNIST_URL", serve(small))
    assert len(load_mnist().train) == 12


def test_a_full_disk_while_copying_is_reported_and_does_no_lasting_harm(small, monkeypatch):
    monkeypatch.setenv("LENET_MNIST_URL", small.as_uri())
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full_disk)
        assert "No space left on device" in refusal()
    assert len(load_mnist().train) == 12


def test_a_full_disk_while_unpacking_is_reported_and_does_no_lasting_harm(mirror, raw, monkeypatch):
    def unpack_half(*_, filename: str, **__) -> None:
        (raw / filename.removesuffix(".gz")).write_bytes(b"half of it")
        full_disk()

    with monkeypatch.context() as patch:
        patch.setattr(torchvision_mnist, "download_and_extract_archive", unpack_half)
        assert "No space left on device" in refusal()
    assert len(load_mnist().train) == 12


def test_a_cache_that_cannot_be_written_to_is_reported(small, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LENET_DATA", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("LENET_MNIST_URL", small.as_uri())
    assert "Not a directory" in refusal()


# ---------------------------------------------------------------- no mirror at all


def test_where_no_mirror_answers_the_error_names_each_and_the_ways_out(raw, monkeypatch):
    with socket.socket() as free:  # bound but not listening: refuses
        free.bind(("127.0.0.1", 0))
        second = f"http://127.0.0.1:{free.getsockname()[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [NOBODY, second])
        monkeypatch.setenv("LENET_MNIST_URL", "file:///no/such/folder")
        message = refusal()
    assert "file:///no/such/folder/ (there is no train-images-idx3-ubyte.gz)" in message
    for mirror in (NOBODY, second):
        assert mirror in message
    assert message.count("Connection refused") == 2
    assert str(raw) in message
    assert "LENET_MNIST_URL" in message
    assert "synthetic" in message


@pytest.mark.parametrize("url", ["nonsense", "ftp:", "http://[", "/a/folder"])
def test_a_mirror_that_is_no_url_is_reported(url, monkeypatch):
    monkeypatch.setenv("LENET_MNIST_URL", url)
    assert f"Tried {url.rstrip('/')}/ (" in refusal()


def test_a_silent_mirror_is_given_up(monkeypatch):
    monkeypatch.setattr(data, "_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setenv("LENET_MNIST_URL", url)
        rescue = threading.Timer(GIVE_UP, silent.close)  # resets the connection
        rescue.start()
        message = refusal()
        rescue.cancel()
    assert f"{url} (timed out)" in message
    assert socket.getdefaulttimeout() is None
