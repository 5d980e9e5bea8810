"""lenet.torch_file: reads what `torch.save` wrote, and nothing that harms."""

import io
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lenet import LeNet
from lenet.checkpoint import SHIPPED
from lenet.torch_file import MAX_BYTES, TorchFileError, load

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["archive", "torch 1.5's format"])


def saved(content: object, zipped: bool = True, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=zipped, **options)
    return file.getvalue()


def loaded(content: bytes) -> Any:
    return load(io.BytesIO(content))


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.dtype == b.dtype and a.stride() == b.stride() and torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


# ---------------------------------------------------------------- what torch wrote


@FORMATS
def test_values_are_read_as_torch_reads_them(zipped: bool):
    values = {
        "numbers": [0, -1, 255, 70_000, 2**40, -(2**70), 0.5, float("inf")],
        "texts": ("", "Zürich", "x" * 300),
        3: {"nothing": None, "yes": True, "no": False, "empty": [(), [], {}]},
        "pairs": ((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    }
    content = saved(values, zipped)
    assert same(loaded(content), torch.load(io.BytesIO(content)))


@FORMATS
def test_tensors_are_read_as_torch_reads_them(zipped: bool):
    whole = torch.arange(96.0).view(2, 3, 4, 4)
    kinds = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8]
    values = {
        "kinds": [whole.to(kind) for kind in kinds],
        "channels last": whole.contiguous(memory_format=torch.channels_last),
        "part": whole[1, 1:, ::2],
        "turned": whole.transpose(0, 3),
        "number": torch.tensor(7.0),
        "none": torch.zeros(0, 5),
    }
    content = saved(values, zipped)
    assert same(loaded(content), torch.load(io.BytesIO(content)))


@FORMATS
def test_parameters_are_read_as_plain_tensors(zipped: bool):
    """With gradients asked for, every computation would have to detach them."""
    model = LeNet()
    found = loaded(saved(OrderedDict(model.named_parameters()), zipped))
    assert same(found, dict(model.state_dict()))
    assert not any(value.requires_grad for value in found.values())


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_newer_pickle_is_read():
    state = LeNet().state_dict()
    assert same(loaded(saved(state, pickle_protocol=4)), dict(state))


# ---------------------------------------------------------------- damage


def test_a_flipped_bit_is_noticed_or_changes_nothing():
    content = SHIPPED.read_bytes()
    whole = loaded(content)
    chance = random.Random(1)
    noticed = 0
    for _ in range(100):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        try:
            assert same(loaded(bytes(flipped)), whole)
        except TorchFileError:
            noticed += 1
    assert noticed > 90


@FORMATS
def test_a_file_that_is_cut_is_noticed(zipped: bool):
    content = saved(LeNet().state_dict(), zipped)
    chance = random.Random(1)
    for length in [0, 1, len(content) - 1, *(chance.randrange(len(content)) for _ in range(30))]:
        with pytest.raises(TorchFileError):
            loaded(content[:length])


# ---------------------------------------------------------------- what would do harm


def archive(pickled: bytes, kind: int = zipfile.ZIP_STORED, **records: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as entries:
        for name, content in {"data.pkl": pickled, "data/0": bytes(4), **records}.items():
            entries.writestr(f"archive/{name}", content)
    return file.getvalue()


def old_format(pickled: bytes) -> bytes:
    begin = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {})]
    return b"".join([*begin, pickled, pickle.dumps(["0"], 2), struct.pack("<q", 1 << 40), b"0000"])


def tensor(size: bytes, stride: bytes, length: bytes = b"K\x01") -> bytes:
    """A pickle of a tensor in a storage of this length."""
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
        b"X\x01\0\0\0" + b"0" + b"X\x03\0\0\0cpu" + length + b"tQK\0" + size + stride + b"\x89Nt"
        b"R."
    )


def overlapping() -> bytes:
    """A thousand files of a megabyte that are all the same bytes of the archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as entries:
        entries.writestr("archive/data.pkl", b"\x80\x02}.")
        entries.writestr("archive/data/0", bytes(1 << 20))
        entries.filelist += [entries.filelist[-1]] * 900
    return file.getvalue()


def long_directory() -> bytes:
    """Few files, with notes that take Python's reader much longer than their length."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as entries:
        entries.writestr("archive/data.pkl", b"\x80\x02}.")
        for number in range(30):
            entry = zipfile.ZipInfo(f"archive/{number}")
            entries.writestr(entry, b"")
            entry.extra = b"\2\0\0\0" * 16_000  # of the directory, not of the file's own place
    return file.getvalue()


def four(number: int) -> bytes:
    return number.to_bytes(4, "little")


LARGE = b"\x8a\x08" + (1 << 40).to_bytes(8, "little")  # a number
TUPLES = b"\x85q\0" + b"h\0h\0\x86q\0" * 100  # of two each, a hundred deep

PICKLES = {
    "an array of bytes": b"\x80\x02c__builtin__\nbytearray\nJ" + four(1 << 30) + b"\x85R.",
    "an array of bytes in the pickle": b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b"x.",
    "bytes": b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"x.",
    "a place far off": b"\x80\x02Nr" + four(1 << 31) + b"j" + four(1 << 30) + b".",
    "a key that takes for ever": b"\x80\x02}N" + TUPLES + b"Ns.",
    "a name that takes for ever": b"\x80\x02((X\1\0\0\0sctorch\nFloatStorage\nN"
    + TUPLES
    + b"NK\1tQ.",
    "a large view": tensor(LARGE + b"\x85", b"K\0\x85"),
    "a negative view": tensor(b"J\xff\xff\xff\xff\x85", b"K\1\x85"),
    "elements in one place": tensor(b"K\2K\2\x86", b"K\1K\1\x86", b"K\x04"),
    "a large storage": tensor(b"K\1\x85", b"K\1\x85", LARGE),
    "a storage of no length": tensor(b"K\1\x85", b"K\1\x85", b"J\xff\xff\xff\xff"),
    "lists in lists": b"\x80\x02" + b"]" * 49_000 + b"a" * 48_999 + b".",
    "tuples in tuples": b"\x80\x02N" + b"\x85" * 90_000 + b".",
    "a million values": b"\x80\x02(" + b"N" * 1_000_000 + b"t.",
    "a list in itself": b"\x80\x02]q\0h\0ah\0}sN.",
    "a tensor as arguments": tensor(b"K\1\x85", b"K\1\x85")[:-1] + b"q\0h\0R.",
    "an unknown opcode": b"\x80\x02\xff.",
    "no end": b"\x80\x02]",
    "nothing on the stack": b"\x80\x02.",
    "code": b"cos\nsystem\n(X\x04\0\0\0exittR.",
    "another class": b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n)R.",
    "half a character": b"\x80\x02X\x03\0\0\0\xed\xa0\x80.",
}
HOSTILE: dict[str, Callable[[], bytes]] = {
    **{f"{name}, archive": lambda p=p: archive(p) for name, p in PICKLES.items()},
    **{f"{name}, old format": lambda p=p: old_format(p) for name, p in PICKLES.items()},
    **{f"{name}, bare": lambda p=p: p for name, p in PICKLES.items()},
    "packed": lambda: archive(bytes(64 << 20), zipfile.ZIP_DEFLATED),
    "packed a little": lambda: archive(b"\x80\x02}.", zipfile.ZIP_DEFLATED),
    "packed by LZMA": lambda: archive(bytes(8 << 20), zipfile.ZIP_LZMA),
    "overlapping": overlapping,
    "many files": lambda: archive(b"\x80\x02}.", **{f"data/{n}": b"" for n in range(20_000)}),
    "a long directory": long_directory,
    "no pickle": lambda: archive(b""),
    "large": lambda: bytes(MAX_BYTES + 1),
}

READ_ALL = """
import io, resource, sys, time
from pathlib import Path
from lenet.torch_file import TorchFileError, load
if sys.platform == "linux":  # macOS does not hold a process to such a limit
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    begin = time.monotonic()
    with path.open("rb") as file:
        try:
            load(file)
            print(path.name, "was read")
        except TorchFileError as error:
            assert "\\n" not in str(error)
    if time.monotonic() - begin > 5:
        print(path.name, "took long")
print("well")
"""


def test_hostile_files_are_refused_and_take_neither_memory_nor_time(tmp_path: Path):
    """All are read in one process, which on Linux has 100 MB left."""
    for number, content in enumerate(HOSTILE.values()):
        (tmp_path / f"{number:03}").write_bytes(content())
    ended = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.stdout.split("\n")[:-1] == ["well"], ended.stderr


@pytest.mark.parametrize(
    "content",
    [
        long_directory(),
        archive(b"\x80\x02(" + b"N" * 12_000 + b"t."),
        old_format(b"\x80\x02(" + b"N" * 12_000 + b"t."),
    ],
    ids=["directory", "pickle", "pickle in the old format"],
)
def test_what_python_goes_through_piece_by_piece_is_short(content: bytes):
    """The server answers nobody meanwhile."""
    with pytest.raises(TorchFileError, match="too large"):
        loaded(content)


def test_a_good_pickle_written_as_the_hostile_ones_is_read():
    """The pickles above are refused for what they hold, not for how this file writes them."""
    good = tensor(b"K\2\x85", b"K\2\x85", b"K\3")
    assert loaded(archive(good, **{"data/0": struct.pack("3f", 1, 2, 3)})).tolist() == [1.0, 3.0]
    harmless = old_format(good).partition(struct.pack("<q", 1 << 40))[0]
    harmless += struct.pack("<q3f", 3, 1, 2, 3)
    assert loaded(harmless).tolist() == [1.0, 3.0]
