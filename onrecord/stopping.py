"""Stopping cleanly: a signal ends a loop at its next turn, never in the middle of a transaction."""

import signal
from collections.abc import Callable
from types import FrameType


def until_told() -> Callable[[], bool]:
    """A question to ask at each turn: has somebody sent SIGINT or SIGTERM?"""
    told = False

    def tell(_signal: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    return lambda: told
