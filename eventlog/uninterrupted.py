"""Ctrl-C waits for the end of what must be done whole.

A transaction would undo itself; but the exception may come up in a function that a library calls back, and there DuckDB
drops it and goes on without that function's answer.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold SIGINT back until the end of the block, then hand it to whom it was for."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # signals come to the main thread alone; and nobody listens where it has no handler
        return
    held_back = False

    def hold_back(*_signal: object) -> None:
        nonlocal held_back
        held_back = True

    signal.signal(signal.SIGINT, hold_back)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held_back:
            signal.raise_signal(signal.SIGINT)
