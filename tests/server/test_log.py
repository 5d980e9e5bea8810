"""lenet.server.log: short lines, and few of a kind."""

import io
import logging
import re
import time

import pytest
from support import wait_until

from lenet.server import log
from lenet.server.log import LONGEST, Handler, brief


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(lines: io.StringIO, monkeypatch) -> logging.Logger:
    monkeypatch.setattr(log, "EVERY", 0.3)
    handler = Handler()
    handler.setStream(lines)
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger


def test_a_failure_is_one_short_line(logger: logging.Logger, lines: io.StringIO):
    try:
        raise ValueError("x" * 900_000 + "\n" + "y" * 900_000)
    except ValueError as error:
        logger.error("%s failed: %s", "/gradio_api/call", brief(error))
        logger.exception("Failed with a trace of\nmany lines")
    first, second = lines.getvalue().splitlines()
    assert first.startswith("/gradio_api/call failed: ValueError: xxx")
    assert re.search(r"x \(test_log\.py:\d+\)$", first)
    assert second.startswith("Failed with a trace of many lines: ValueError: xxx")
    logger.error("z" * 10_000)
    assert max(map(len, lines.getvalue().splitlines())) <= LONGEST


def test_of_many_of_a_kind_there_is_one_and_a_count(logger: logging.Logger, lines: io.StringIO):
    for number in range(1000):
        logger.error("%s failed", number)
    logger.error("something else")
    logger.info("%s failed", "a lesser one")
    assert lines.getvalue().splitlines() == ["0 failed", "something else", "a lesser one failed"]
    wait_until(lambda: len(lines.getvalue().splitlines()) >= 4)
    assert lines.getvalue().splitlines()[3] == "999 more of: %s failed"
    time.sleep(0.4)  # longer than EVERY
    logger.error("%s failed", "much later")
    assert lines.getvalue().splitlines()[4:] == ["much later failed"]


def test_many_of_two_kinds_at_once_are_two_counts(logger: logging.Logger, lines: io.StringIO):
    for number in range(10):
        logger.error("%s failed", number)
        logger.error("%s was late", number)
    wait_until(lambda: len(lines.getvalue().splitlines()) >= 4)
    assert sorted(lines.getvalue().splitlines()[2:]) == [
        "9 more of: %s failed",
        "9 more of: %s was late",
    ]


def test_a_steady_flood_is_a_line_each_time(logger: logging.Logger, lines: io.StringIO):
    begin = time.monotonic()
    while time.monotonic() - begin < 1:
        logger.error("a flood")
        time.sleep(0.001)
    wait_until(lambda: len(lines.getvalue().splitlines()) >= 2)
    assert len(lines.getvalue().splitlines()) <= 6
