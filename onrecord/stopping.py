"""Stopping cleanly: a signal ends a loop at its next turn, never in the middle of a transaction."""

import re
import signal
import time
from collections.abc import Callable
from types import FrameType

_INTERRUPTED = re.compile("^Query interrupted$|failed: KeyboardInterrupt")


def until_told() -> Callable[[], bool]:
    """A question to ask at each turn: has somebody sent SIGINT or SIGTERM?"""
    told = False

    def tell(_signal: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    return lambda: told


def pause(seconds: float, stop: Callable[[], bool], look_s: float = 0.1) -> None:
    """Sleep, but no longer than until somebody says stop."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not stop():
        time.sleep(min(left, look_s))


def was_interrupted(error: BaseException | None) -> bool:
    """Whether a Ctrl-C began it. DuckDB gives one in words of its own, and what it comes through can fail in turn."""
    while error is not None and not isinstance(error, KeyboardInterrupt) and not _INTERRUPTED.search(str(error)):
        error = error.__cause__ or error.__context__
    return error is not None
