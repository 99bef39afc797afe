"""A Ctrl-C neither breaks what must be done whole nor gets lost in it."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eventlog.log import LogError
from eventlog.sqlite import SqliteLog
from eventlog.sqlite_connection import SqliteConnection
from eventlog.uninterrupted import uninterrupted
from tests.eventlog.contract import started


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Each SIGINT that the program's own handler was given."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGINT, before)


def test_it_comes_at_the_end(heard: list[int]) -> None:
    """However many came; and the handler is the program's again."""
    with uninterrupted():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert heard == []

    assert heard == [signal.SIGINT]
    signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGINT] * 2


def test_it_comes_after_an_error_too(heard: list[int]) -> None:
    """Both are told."""

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("full")

    with pytest.raises(ValueError, match="full"):
        work()

    assert heard == [signal.SIGINT]


@pytest.mark.usefixtures("ctrl_c")
def test_python_s_own_handler_raises_at_the_end() -> None:
    """What a command and a session in a terminal have."""
    done = []

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        work()

    assert done == ["whole"]


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_where_nobody_listens_nothing_changes(handler: signal.Handlers) -> None:
    """What was ignored stays so; what ends the process ends it."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        with uninterrupted():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_have_no_signals() -> None:
    """Only the main thread may set a handler; a block in another runs as it is."""
    done: list[str] = []

    def work() -> None:
        with uninterrupted():
            done.append("whole")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["whole"]


def test_an_append_hides_none(tmp_path: Path, heard: list[int]) -> None:
    """While it waits for another process's lock, inside SQLite: the error is the lock's, the signal arrives."""
    with SqliteLog(tmp_path / "log.sqlite", busy_timeout_ms=400) as log:
        other = SqliteConnection(log.path)
        other.rows("BEGIN IMMEDIATE")
        with pytest.raises(LogError, match="another process holds the log"), interrupting(0.1):
            log.append([started(1)])
        other.close()

        assert heard == [signal.SIGINT]
        log.append([started(1)])
        assert log.end()["events", 0] == 1


def test_a_read_hides_none(heard: list[int]) -> None:
    """At whatever moment of it the signal comes."""
    with SqliteLog(":memory:") as log:
        log.append(started(number) for number in range(2000))
        for number in range(30):
            with interrupting(number / 5000):
                batch, _ = log.read({}, 2000)

            assert (len(heard), batch.num_rows) == (number + 1, 2000)


@contextmanager
def interrupting(after_s: float) -> Iterator[None]:
    """Send this process SIGINT while it is inside; at its end, the signal has been sent."""
    timer = threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()
