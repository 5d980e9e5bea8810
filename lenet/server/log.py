"""The server's log: a short line for each failure, and one line a second for many alike.

What visitors send may be in a failure's words, and they may fail as often as they like: neither
fills a disk.
"""

import logging
import threading
import time
import traceback
from pathlib import Path

LONGEST = 200  # characters of a line
EVERY = 1.0  # seconds between two lines of a kind


def brief(error: BaseException) -> str:
    """An error in one line of a log: its kind, its words and where it happened."""
    found = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(found[-1].filename).name}:{found[-1].lineno})" if found else ""
    words = str(error).strip().partition("\n")[0][: LONGEST // 2]
    return f"{type(error).__name__}: {words}{where}"


class Handler(logging.StreamHandler):
    """Writes to standard error.

    Records are of a kind where their logger, level and words are the same, whatever is put into
    these words.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int, str], float] = {}  # when a kind was written
        self._more: dict[tuple[str, int, str], int] = {}  # how many of it were not

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        kind = record.name, record.levelno, str(record.msg)[: LONGEST // 4]
        now = time.monotonic()
        if kind in self._more or now - self._last.get(kind, -EVERY) < EVERY:
            if kind not in self._more:
                timer = threading.Timer(EVERY, self._tell_of_more, (kind,))
                timer.daemon = True
                timer.start()
            self._more[kind] = self._more.get(kind, 0) + 1
            return
        if len(self._last) > 1000:
            self._last = {k: then for k, then in self._last.items() if now - then < EVERY}
        self._last[kind] = now
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        words = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            words = f"{words}: {brief(record.exc_info[1])}"
        words = " ".join(words.split())
        return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"

    def _tell_of_more(self, kind: tuple[str, int, str]) -> None:
        self.acquire()
        try:
            record = {"msg": "%d more of: %s", "args": (self._more.pop(kind), kind[2])}
            self._last[kind] = time.monotonic()
            super().emit(logging.makeLogRecord(record))
        finally:
            self.release()


def begin() -> None:
    """Send all logging this way; uvicorn's loggers must exist already."""
    root = logging.getLogger()
    root.handlers = [Handler()]
    logging.getLogger("lenet").setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
