"""Where the project keeps its files, and how it replaces one so that a crash leaves old or new.

This file knows nothing of what the files hold.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PROJECT_CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"


def checkpoints_folder() -> Path:
    """The folder that training writes to: `LENET_CHECKPOINTS`, by default the project's own.

    Where nobody may write to the project, it is one in the user's cache folder.
    """
    own = os.environ.get("LENET_CHECKPOINTS")
    if own:
        return Path(own).resolve()
    if os.access(PROJECT_CHECKPOINTS, os.W_OK):
        return PROJECT_CHECKPOINTS
    return cache_folder() / "checkpoints"


def data_folder() -> Path:
    """Where data sets are cached: `LENET_DATA`, by default the user's cache folder."""
    return Path(os.environ.get("LENET_DATA") or cache_folder()).resolve()


def cache_folder() -> Path:
    """The project's folder in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache).resolve() / "lenet-live"


def being_written(path: Path) -> Path:
    """The file that `replacing` writes to before it takes the place of `path`."""
    return path.with_name(f".{path.name}.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` at the end; where that fails, `path` stays."""
    temporary = being_written(path)  # a killed process leaves it, and the next one overwrites it
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
