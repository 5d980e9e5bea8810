"""What the commands that print a file share: whole numbers as arguments, and the printing."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable


def at_least(least: int) -> Callable[[str], int]:
    """The type of an argument for argparse: an integer that is not less."""

    def integer(text: str) -> int:
        if (number := int(text)) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return number

    return integer


def print_file(lines: Iterable[str]) -> int:
    """Print a file to standard output; the command's exit status.

    It is 0 too where the reader of a pipe has had enough, and 2 where the lines cannot be written,
    which standard error is told.
    """
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except OSError as error:
        # What Python still holds back must go nowhere, or it complains once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # `| head`
            return 0
        print(f"The file could not be written: {error.strerror}.", file=sys.stderr)
        return 2
    return 0
