"""Checkpoints beside the appends: the file receives what was appended, and nobody waits for it or fails by it."""

import time
from pathlib import Path

import pytest

from eventlog.sqlite import SqliteLog
from eventlog.sqlite_checkpoints import DUE_BYTES, MOST_PAGES, Checkpoints
from schemas.raw_payloads import RawPayloadCaptured
from tests.records import make

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a log that is not there yet."""
    return tmp_path / "log.sqlite"


def append_much(log: SqliteLog, megabytes: int) -> None:
    """A megabyte a transaction."""
    for number in range(megabytes):
        log.append([make(RawPayloadCaptured, number=number, content="x" * 1_000_000)])


def test_the_file_receives_what_was_appended_while_the_log_is_open(path: Path) -> None:
    """Long before a transaction would have had to wait for it."""
    with SqliteLog(path) as log:
        append_much(log, 4)
        assert DUE_BYTES < 4_000_000 < MOST_PAGES * PAGE
        deadline = time.monotonic() + 60
        while path.stat().st_size < DUE_BYTES:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_the_write_ahead_log_has_a_bound(path: Path) -> None:
    """However long somebody appends."""
    with SqliteLog(path) as log:
        append_much(log, 60)
        assert Path(f"{path}-wal").stat().st_size < 2 * MOST_PAGES * PAGE
        assert log.end()["raw_payloads", 0] == 60


def test_closing_waits_for_the_one_on_its_way(path: Path) -> None:
    """One file is left, with everything in it."""
    with SqliteLog(path) as log:
        append_much(log, 4)
    assert [path] == list(path.parent.iterdir())
    with SqliteLog(path) as log:
        assert log.end()["raw_payloads", 0] == 4


def test_one_that_fails_is_left_to_the_next(tmp_path: Path) -> None:
    """What was appended is safe where it is."""
    checkpoints = Checkpoints(str(tmp_path / "no_such_folder" / "log.sqlite"))
    for _ in range(2):
        checkpoints.add(DUE_BYTES)
        checkpoints.start_if_due()
        checkpoints.finish()
    assert not list(tmp_path.iterdir())
