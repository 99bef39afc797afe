"""A copy of a log is the same log on another engine: nothing lost, nothing doubled, cut off as often as you like."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from eventlog.clock import ManualClock
from eventlog.log import LogError
from eventlog.sqlite import SqliteLog
from onrecord.log_copy import Copied, copy_log
from projections.catch_up import catch_up
from projections.digest import exact_digests
from projections.store import Store
from schemas.registry import RECORD_TYPES
from tests.onrecord.conftest import Run
from tests.producers.stage import NOW
from tests.projections.foreign import foreign
from tests.records import make


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqliteLog]:
    """A log with records of every type, stamped at different times, and one that cannot be read."""
    clock = ManualClock(NOW)
    with SqliteLog(tmp_path / "source.sqlite", clock) as log:
        for number in range(4):
            log.append([make(kind, number=number) for kind in RECORD_TYPES])
            clock.advance(timedelta(seconds=1))
        log.append([foreign("EventStarted", 1)])
        yield log


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SqliteLog]:
    """An empty log whose clock is elsewhere."""
    with SqliteLog(tmp_path / "target.sqlite", ManualClock(NOW + timedelta(days=9))) as log:
        yield log


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where a copy notes how far it is."""
    return tmp_path / "copies" / "notes.json"


def digests(log: SqliteLog) -> dict[str, str]:
    """Of every column of every table, from nothing."""
    store = Store()
    catch_up(log, store)
    found = exact_digests(store)
    store.close()
    return found


def size(log: SqliteLog) -> int:
    """How many records a SQLite log holds: it has no gaps."""
    return sum(log.end().values())


def ids(log: SqliteLog) -> set[str]:
    """Of every record."""
    return set(log.read({}, 1000)[0]["record_id"].to_pylist())


def test_a_copy_has_the_same_digests_stamps_and_dead_letters(source: SqliteLog, target: SqliteLog, notes: Path) -> None:
    """Every column of every table."""
    assert copy_log(source, target, notes) == Copied(size(source), left=0)

    assert digests(source) == digests(target)


def test_a_copy_that_is_run_again_adds_what_is_new(source: SqliteLog, target: SqliteLog, notes: Path) -> None:
    """And nothing else."""
    copy_log(source, target, notes)
    source.append([foreign("EventStarted", 2)])

    assert [copy_log(source, target, notes).records for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("batches", [1, 3, 7])
def test_a_copy_that_was_cut_off_goes_on_where_it_was(
    source: SqliteLog, target: SqliteLog, notes: Path, batches: int
) -> None:
    """No record of what was copied before is sent again."""
    seen = []

    def cut(done: int, _left: int) -> None:
        seen.append(done)
        if len(seen) == batches:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_log(source, target, notes, cut, batch_rows=10)

    assert size(source) - size(target) == copy_log(source, target, notes).records
    assert digests(source) == digests(target)


@pytest.mark.parametrize("lost", ["the last note", "all notes"])
def test_what_lies_behind_the_notes_is_not_sent_again(
    source: SqliteLog, target: SqliteLog, notes: Path, lost: str
) -> None:
    """Killed between an append and its note, or the notes are gone: a log that takes duplicates gets none."""
    told: list[str] = []
    copy_log(source, target, notes, lambda _done, _left: told.append(notes.read_text("utf-8")), batch_rows=30)
    if lost == "all notes":
        notes.unlink()
    else:
        notes.write_text(told[-2], "utf-8")

    assert copy_log(source, target, notes).records == 0


@pytest.mark.parametrize("end", ["source", "target"])
def test_notes_of_more_than_a_log_holds_are_not_followed(tmp_path: Path, notes: Path, end: str) -> None:
    """An older copy lies in the place of one end, and has got a record since: that is copied, and what is missing."""
    paths = {name: tmp_path / name for name in ("source", "target")}
    older = tmp_path / "older"
    with SqliteLog(paths["source"]) as first, SqliteLog(paths["target"]) as second:
        first.append([foreign("EventStarted", 1)])
        copy_log(first, second, notes)
    shutil.copy(paths[end], older)
    with SqliteLog(paths["source"]) as first, SqliteLog(paths["target"]) as second:
        first.append([foreign("EventStarted", number) for number in (2, 3)])
        copy_log(first, second, notes)
    older.replace(paths[end])

    with SqliteLog(paths["source"]) as first, SqliteLog(paths["target"]) as second:
        first.append([foreign("EventStarted", 4)])
        copied = copy_log(first, second, notes)
        missing = ids(first) - ids(second)
        assert (copied.records, missing) == ({"source": 1, "target": 3}[end], set())
        assert copy_log(first, second, notes).records == 0


def test_one_log_is_not_copied_onto_itself(source: SqliteLog, notes: Path) -> None:
    """It would never end."""
    with pytest.raises(LogError, match="both ends are log"):
        copy_log(source, source, notes)


def test_notes_of_other_logs_are_not_followed(source: SqliteLog, target: SqliteLog, notes: Path) -> None:
    """Their positions mean nothing here."""
    copy_log(source, target, notes)

    with pytest.raises(LogError, match="tells of a copy of other logs"):
        copy_log(target, source, notes)


def test_the_command_copies_and_says_how_much(run: Run, source: SqliteLog, tmp_path: Path) -> None:
    """From file to file; a source that is not there is not made."""
    ends = ("--from", f"sqlite:{source.path}", "--to", f"sqlite:{tmp_path / 'new.sqlite'}")

    assert f"{size(source)} records copied" in run("log", "copy", *ends).out
    assert "0 records copied" in run("log", "copy", *ends).out
    nowhere = run("log", "copy", "--from", "sqlite:nowhere.sqlite", "--to", ends[3], check=False)
    assert "nowhere.sqlite is not there: name the file of a log" in nowhere.error
    unknown = run("log", "copy", "--from", "paper", "--to", ends[3], check=False)
    assert "there is no log 'paper'" in unknown.error
