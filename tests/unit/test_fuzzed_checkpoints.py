"""lenet.torch_file and lenet.checkpoint read any file: as a network that works, or not at all and
with one sentence.

`pytest --hypothesis-profile long` tries files until it is stopped.
"""

import io
import math
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from small_runs import old_record

from lenet.checkpoint import SHIPPED, CheckpointError, read
from lenet.recognize import Recognizer
from lenet.synthetic import example_strokes
from lenet.torch_file import TorchFileError, load

SOON = 5  # seconds: any file takes far less
MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the old format's first pickle


# ---------------------------------------------------------------- pickles

NUMBERS = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0, 1, 2, 3, -1, 1 << 30])
TEXTS = st.sampled_from(["0", "1", "storage", "cpu", "format", "network", "é"]) | st.text(
    max_size=4
)
NAMES = (
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "collections OrderedDict",
    "torch FloatStorage",
    "torch LongStorage",
    "os system",
)


def unicode_of(text: str) -> bytes:
    content = text.encode()
    return b"X" + struct.pack("<i", len(content)) + content


def named(name: str) -> bytes:
    module, attribute = name.split()
    return f"c{module}\n{attribute}\n".encode()


def storage(length: int) -> bytes:
    """Puts a storage on the stack, as torch writes it."""
    kind = named("torch FloatStorage")
    words = [unicode_of(text) for text in ("storage", "0", "cpu")]
    return b"(" + words[0] + kind + words[1] + words[2] + b"J" + struct.pack("<i", length) + b"tQ"


def tensor(length: int, offset: int, sizes: list[int], strides: list[int]) -> bytes:
    """Puts a part of a storage on the stack."""
    numbers = [b"J" + struct.pack("<i", number) for number in (offset, *sizes, *strides)]
    shape = b"(" + b"".join(numbers[1 : 1 + len(sizes)]) + b"t"
    steps = b"(" + b"".join(numbers[1 + len(sizes) :]) + b"t"
    made = named("torch._utils _rebuild_tensor_v2")
    return made + b"(" + storage(length) + numbers[0] + shape + steps + b"\x89)tR"


FEW = st.lists(NUMBERS, max_size=4)
OPCODES = st.one_of(
    st.sampled_from([bytes([code]) for code in b"}])(tuaesRQb0N\x85\x86\x87\x88\x89\x94."]),
    st.builds(lambda code, at: bytes([code, at]), st.sampled_from(b"qhK"), st.integers(0, 3)),
    NUMBERS.map(lambda number: b"J" + struct.pack("<i", number)),
    st.floats().map(lambda number: b"G" + struct.pack(">d", number)),
    st.binary(max_size=255).map(lambda digits: b"\x8a" + bytes([len(digits)]) + digits),
    TEXTS.map(unicode_of),
    st.sampled_from(NAMES).map(named),
    st.just(3).map(storage) | NUMBERS.map(storage),
    st.builds(tensor, st.just(3), st.integers(0, 3), FEW, FEW),
    st.binary(max_size=3),
)
PICKLES = st.lists(OPCODES, max_size=40).map(lambda codes: b"\x80\x02" + b"".join(codes) + b".")


def archive(pickle: bytes) -> bytes:
    """As torch writes it today, with one storage of three floats."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("x/data.pkl", pickle)
        made.writestr("x/data/0", struct.pack("3f", 1, 2, 3))
    return file.getvalue()


def old_format(pickle: bytes) -> bytes:
    """As torch wrote it before 1.6, with one storage of three floats."""
    ends = b"\x80\x02]q\0X\1\0\0\x000a." + struct.pack("<q3f", 3, 1, 2, 3)
    return MAGIC + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + pickle + ends


def check(content: bytes) -> Any:
    """The value of a file's content; None where it is refused, in one line."""
    begin = time.monotonic()
    try:
        return load(io.BytesIO(content))
    except TorchFileError as error:
        assert "\n" not in str(error)
    finally:
        assert time.monotonic() - begin < SOON
    return None


@given(PICKLES, st.sampled_from([archive, old_format, bytes]))
def test_any_pickle_is_read_or_refused(pickle: bytes, kind: Any):
    check(kind(pickle))


def test_a_good_pickle_written_as_the_made_up_ones_is_read():
    """Otherwise all of them might be refused for how they are written."""
    for kind in (archive, old_format):
        found = check(kind(b"\x80\x02" + tensor(3, 1, [2], [1]) + b"."))
        assert found is not None and found.tolist() == [2.0, 3.0]


# ---------------------------------------------------------------- damaged files

WHOLE = SHIPPED.read_bytes()
CHANGES = st.tuples(
    st.sampled_from(["set", "cut", "insert", "twice"]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=8),
)


def damaged(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """With some bytes changed, cut out, put in or repeated; each place is a share of the whole."""
    for how, share, new in changes:
        at = int(share * len(content))
        after = at + len(new)
        content = {
            "set": content[:at] + new + content[after:],
            "cut": content[:at] + content[after:],
            "insert": content[:at] + new + content[at:],
            "twice": content[:after] + content[at:],
        }[how]
    return content


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed") / "mine.pt"


def check_network(file: Path) -> None:
    """Check that a checkpoint is a network that answers, or is refused in one sentence."""
    try:
        checkpoint = read(file)
    except CheckpointError as error:
        assert str(error).startswith(file.name) and str(error).endswith(".")
        assert "\n" not in str(error)
        return
    answer = Recognizer(checkpoint).recognize(example_strokes()[7])
    assert all(0 <= value <= 1 for value in (*answer.probabilities, answer.digit_probability))
    assert math.isclose(sum(answer.probabilities), 1, abs_tol=1e-3)


@given(changes=st.lists(CHANGES, min_size=1, max_size=3))
def test_a_damaged_file_is_read_or_refused(file: Path, changes: list):
    file.write_bytes(damaged(WHOLE, changes))
    check_network(file)


@given(changes=st.lists(CHANGES, min_size=1, max_size=3))
def test_a_file_whose_pickle_is_damaged_is_read_or_refused(file: Path, changes: list):
    """With the right checksum."""
    with zipfile.ZipFile(SHIPPED) as whole, zipfile.ZipFile(file, "w") as made:
        for entry in whole.infolist():
            content = whole.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = damaged(content, changes)
            made.writestr(entry.filename, content)
    check_network(file)


# ---------------------------------------------------------------- well-formed nonsense

TENSORS = st.builds(
    lambda size, fill, kind: torch.full(size, fill).to(kind),
    st.sampled_from([(), (0,), (3,), (10,), (6, 1, 5, 5), (10, 84), (1000,)]),
    st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, 1e30, -3e38]),
    st.sampled_from([torch.float32, torch.float64, torch.float16, torch.int32, torch.uint8]),
)
VALUES: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**53, 2**63, 1e308])
    | st.floats()
    | st.text(max_size=5)
    | TENSORS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXTS | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=5,
)


def content() -> dict[str, Any]:
    """What a checkpoint of a run holds, as `load` gives it."""
    found = load(io.BytesIO(WHOLE))
    return found | {"averaged": found["network"], "run": old_record()}


def ways(record: dict[Any, Any], before: tuple = ()) -> list[tuple]:
    """Where a value may be put in nested dictionaries."""
    found = []
    for name, value in record.items():
        found.append((*before, name))
        if isinstance(value, dict):
            found += ways(value, (*before, name))
    return found


WAYS = ways(content())


@given(st.lists(st.tuples(st.sampled_from(WAYS), VALUES), min_size=1, max_size=2))
def test_a_checkpoint_that_holds_anything_anywhere_is_read_or_refused(file: Path, changes: list):
    whole = content()
    for (*way, last), value in changes:
        inside = whole
        for name in way:
            inside = inside.get(name)
            assume(isinstance(inside, dict))
        inside[last] = value
    torch.save(whole, file)
    check_network(file)
