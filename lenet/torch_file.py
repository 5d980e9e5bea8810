"""Reads what `torch.save` wrote, without `torch.load`: dicts, lists, numbers, texts and tensors.

A file may come from anybody. Nothing in it runs, and it takes no more memory than a few times its
own bytes. `torch.load(weights_only=True)` runs nothing either, but makes tensors as large as the
file asks for, and checks no checksums. Both formats of torch are read: the archive, and what
versions before 1.6 wrote. This file knows nothing of networks.
"""

import io
import pickletools
import struct
import sys
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import torch

MAX_BYTES = 16 << 20  # our files take less than one; no LeNet of 61,706 numbers needs more

# Python goes through these one by one, while the rest of the server waits: 10 ms at most.
_MAX_OPCODES = 10_000  # of a pickle: ours have less than 2,000
_MAX_ENTRIES = 250  # of an archive: ours have less than 50
_MAX_DIRECTORY = 32 << 10  # bytes of an archive's directory: ours have less than 3,000
_MAGIC = 0x1950A86A20F9469CFC6C  # the old format begins with it
_DTYPES = {
    "torch DoubleStorage": torch.float64,
    "torch FloatStorage": torch.float32,
    "torch HalfStorage": torch.float16,
    "torch BFloat16Storage": torch.bfloat16,
    "torch LongStorage": torch.int64,
    "torch IntStorage": torch.int32,
    "torch ByteStorage": torch.uint8,
}

_DAMAGED = "it is damaged, cut off or no checkpoint at all"
_MORE = "it is a pickle that holds more than weights and might run code"
_LARGE = "the file is too large"

# Gives a storage, as a tensor of one dimension, by its type, its key and its length.
Storages = Callable[[torch.dtype, str, int], torch.Tensor]


class TorchFileError(ValueError):
    """A file that is not read: the end of a sentence that says why."""


def load(file: BinaryIO) -> Any:
    """What a file holds; its tensors lie on the CPU and ask for no gradients.

    Raises:
        TorchFileError: it is too large or damaged, or holds something else.
    """
    try:
        content = io.BytesIO(file.read(MAX_BYTES + 1))  # a file would make room for what it claims
        if len(content.getbuffer()) > MAX_BYTES:
            raise TorchFileError(_LARGE)
        archive = zipfile.is_zipfile(content)
        content.seek(0)
        return _load_archive(content) if archive else _load_old_format(content)
    except TorchFileError:
        raise
    except (  # what Python's and torch's readers raise on damage
        zipfile.BadZipFile,
        struct.error,
        ArithmeticError,
        EOFError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise TorchFileError(_DAMAGED) from error


# ---------------------------------------------------------------- the two formats


class _Opening(io.BytesIO):
    """A file from which no long directory is read, before anybody knows what it holds."""

    done = False

    def read(self, size: int | None = -1, /) -> bytes:
        if size and size > _MAX_DIRECTORY and not self.done:
            raise TorchFileError(_LARGE)
        return super().read(size)


def _load_archive(file: BinaryIO) -> Any:
    records = _records(file)
    if records.get("byteorder", sys.byteorder.encode()) != sys.byteorder.encode():
        raise TorchFileError("it was written by a machine with another byte order")
    storages = {name: bytearray(content) for name, content in records.items()}
    return _unpickle(
        io.BytesIO(records["data.pkl"]),
        lambda dtype, key, length: _storage(storages[f"data/{key}"], dtype, length),
    )


def _records(file: BinaryIO) -> dict[str, bytes]:
    """The archive's files by their names, without its folder's; reading checks their checksums."""
    opening = _Opening(file.read())
    with zipfile.ZipFile(opening) as archive:
        opening.done = True
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_BYTES or len(entries) > _MAX_ENTRIES:
            raise TorchFileError(_LARGE)
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise TorchFileError(_DAMAGED)  # torch compresses nothing
        return {entry.filename.partition("/")[2]: archive.read(entry) for entry in entries}


def _load_old_format(file: BinaryIO) -> Any:
    """Five pickles, the fourth the content, the fifth a list of storages; then these, each with its
    length before it.
    """
    if _unpickle(file, _no_storage) != _MAGIC:
        raise TorchFileError(_DAMAGED)
    for _ in range(2):  # the format's version; the machine that wrote it
        _unpickle(file, _no_storage)
    begin = file.tell()
    dtypes: dict[str, torch.dtype] = {}

    def note(dtype: torch.dtype, key: str, length: int) -> torch.Tensor:
        dtypes[key] = dtype
        return torch.empty(length, dtype=dtype, device="meta")

    _unpickle(file, note)  # for the types of the storages, which come later
    storages = {}
    for key in _unpickle(file, _no_storage):
        (length,) = struct.unpack("<q", file.read(8))
        if not 0 <= length <= MAX_BYTES:
            raise TorchFileError(_DAMAGED)
        storages[key] = bytearray(file.read(length * dtypes[key].itemsize))
    file.seek(begin)
    return _unpickle(file, lambda dtype, key, length: _storage(storages[key], dtype, length))


def _no_storage(dtype: torch.dtype, key: str, length: int) -> torch.Tensor:
    raise TorchFileError(_DAMAGED)


def _storage(content: bytearray, dtype: torch.dtype, length: int) -> torch.Tensor:
    if length * dtype.itemsize != len(content):
        raise TorchFileError(_DAMAGED)
    return torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)


# ---------------------------------------------------------------- pickles


# What a pickle may name. All else would have to be imported, and might do anything.
_DICT = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_PARAMETER = "torch._utils _rebuild_parameter"


class _Name(str):
    """What a pickle names instead of holding it: a module, a space, and a name in it."""

    def __new__(cls, name: str) -> "_Name":
        if name not in (_DICT, _TENSOR, _PARAMETER, *_DTYPES):
            raise TorchFileError(_MORE)
        return super().__new__(cls, name)


def _unpickle(file: BinaryIO, storages: Storages) -> Any:
    """The value of the pickle that begins here."""
    stack: list[Any] = []
    marks: list[int] = []  # where in the stack each mark lies
    memo: dict[int, Any] = {}

    def above_mark() -> list[Any]:
        mark = marks.pop()
        above = stack[mark:]
        del stack[mark:]
        return above

    argument: Any
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if count > _MAX_OPCODES:
            raise TorchFileError(_LARGE)
        match opcode.name:
            case "STOP":
                return stack.pop()
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                marks.append(len(stack))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "BINUNICODE" | "SHORT_BINUNICODE":
                argument.encode()  # raises on half a character, which no message could show
                stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode.name])
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
                stack.append({"D": {}, "L": [], "T": ()}[opcode.name[6]])
            case "TUPLE":
                stack.append(tuple(above_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(opcode.name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "APPEND":
                value = stack.pop()
                _extend(stack[-1], [value])
            case "APPENDS":
                values = above_mark()
                _extend(stack[-1], values)
            case "SETITEM":
                pair = stack[-2:]
                del stack[-2:]
                _update(stack[-1], pair)
            case "SETITEMS":
                pairs = above_mark()
                _update(stack[-1], pairs)
            case "GLOBAL":
                stack.append(_Name(argument))
            case "STACK_GLOBAL":
                stack[-2:] = [_Name(" ".join(stack[-2:]))]
            case "BINPERSID":
                stack.append(_stored(stack.pop(), storages))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_made(stack.pop(), arguments))
            case "BUILD":  # the metadata of a state dict
                stack.pop()
            case "INST" | "OBJ" | "NEWOBJ" | "NEWOBJ_EX" | "EXT1" | "EXT2" | "EXT4":
                raise TorchFileError(_MORE)
            case _:
                raise TorchFileError(_DAMAGED)
    raise TorchFileError(_DAMAGED)


def _extend(values: Any, more: list[Any]) -> None:
    if not isinstance(values, list):
        raise TorchFileError(_DAMAGED)
    values.extend(more)


def _update(values: Any, more: list[Any]) -> None:
    keys = more[::2]
    # Only these: the hash of tuples in tuples can take for ever.
    if not isinstance(values, dict) or any(type(key) not in (str, int) for key in keys):
        raise TorchFileError(_DAMAGED)
    values.update(zip(keys, more[1::2], strict=True))


def _stored(place: Any, storages: Storages) -> torch.Tensor:
    """The storage that a pickle points to."""
    if not isinstance(place, tuple):
        raise TorchFileError(_DAMAGED)
    _, name, key, _, length, *_ = place
    if not isinstance(name, _Name) or type(key) is not str or type(length) is not int:
        raise TorchFileError(_DAMAGED)
    return storages(_DTYPES[name], key, length)


def _made(name: Any, arguments: Any) -> Any:
    """What a pickle makes by calling something that it names."""
    if not isinstance(name, _Name) or not isinstance(arguments, tuple):
        raise TorchFileError(_DAMAGED)
    if name == _DICT and arguments == ():
        return {}
    if name == _TENSOR:
        return _tensor(*arguments)
    if name == _PARAMETER and isinstance(arguments[0], torch.Tensor):
        return arguments[0]
    raise TorchFileError(_DAMAGED)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    """A part of a storage, in which no two elements share their place."""
    if not isinstance(storage, torch.Tensor) or not len(size) == len(stride) <= 8:
        raise TorchFileError(_DAMAGED)
    if any(type(number) is not int or number < 0 for number in (offset, *size, *stride)):
        raise TorchFileError(_DAMAGED)
    taken = 1
    for step, count in sorted(zip(stride, size, strict=True)):
        if count > 1 and step < taken:
            raise TorchFileError(_DAMAGED)
        taken = max(taken, step * count)
    return storage.as_strided(size, stride, offset)  # fails where it does not lie within
