"""Generations of the file: a rebuild fills the next one and switches; nothing is ever renamed over an open file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import duckdb
import pytest

from eventlog.sqlite import SqliteLog
from projections.catch_up import Rebuilt, build, catch_up, rebuild
from projections.digest import exact_digests
from projections.errors import StoreError
from projections.generations import Generations, replace_file
from projections.store import Store
from schemas.events import EventScheduled, EventStarted
from schemas.odds import OddsSnapshotCaptured
from schemas.registry import RECORD_TYPES
from tests.projections.conftest import Given
from tests.projections.foreign import foreign
from tests.records import EVENTS, MINUTE, make


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    """An empty folder, made when it is missing."""
    return Generations(tmp_path / "not" / "there")


def _fill(path: Path) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE name AS SELECT '{path.name}' AS name")
    return path


def test_an_empty_folder_has_no_current_one(generations: Generations) -> None:
    """So the first one is filled."""
    assert generations.current() is None
    assert generations.next().name == "projections.1.duckdb"


def test_a_switch_names_the_new_one_and_removes_the_old(generations: Generations) -> None:
    """The write-ahead log of an old one goes with it."""
    first = _fill(generations.next())
    generations.switch(first)
    Path(f"{first}.wal").touch()
    second = _fill(generations.next())
    generations.switch(second)

    assert second == generations.current()
    assert sorted(path.name for path in generations.folder.iterdir()) == ["CURRENT", "projections.2.duckdb"]


def test_a_reader_of_an_old_one_keeps_working(generations: Generations) -> None:
    """Only the name is gone."""
    first = _fill(generations.next())
    generations.switch(first)
    with duckdb.connect(str(first), read_only=True) as reader:
        generations.switch(_fill(generations.next()))

        assert not first.exists()
        assert reader.execute("FROM name").fetchall() == [("projections.1.duckdb",)]


def test_the_tenth_one_is_not_taken_for_the_first(generations: Generations) -> None:
    """Numbers are compared as numbers, and names whole."""
    for number in (1, 9, 10):
        _fill(generations.folder / f"projections.{number}.duckdb")
    assert generations.next().name == "projections.11.duckdb"

    generations.switch(generations.folder / "projections.1.duckdb")

    assert sorted(path.name for path in generations.folder.iterdir()) == ["CURRENT", "projections.1.duckdb"]


@pytest.mark.parametrize("said", ["projections.7.duckdb", "", "projections.1.duckdb.wal", "../log.sqlite"])
def test_a_pointer_to_nowhere_is_no_pointer(generations: Generations, said: str) -> None:
    """Then a file is made anew from the log."""
    _fill(generations.next())
    (generations.folder / "CURRENT").write_text(said)

    assert generations.current() is None


def test_a_damaged_one_is_set_aside_whole(generations: Generations) -> None:
    """With its write-ahead log, for whoever wants to look; its number is not given again."""
    path = _fill(generations.next())
    generations.switch(path)
    Path(f"{path}.wal").touch()

    assert generations.set_aside(path).name == "damaged.1.duckdb"

    held = sorted(found.name for found in generations.folder.iterdir())
    assert held == ["CURRENT", "damaged.1.duckdb", "damaged.1.duckdb.wal"]
    assert generations.current() is None
    assert generations.next().name == "projections.2.duckdb"


def _write_in_turn(path: Path, texts: list[str]) -> None:
    for turn in range(100):
        replace_file(path, texts[turn % len(texts)])


def test_a_switch_is_atomic(tmp_path: Path) -> None:
    """Whoever reads the pointer meanwhile sees an old name or a new one, never a part; and no draft is left."""
    pointer, texts = tmp_path / "CURRENT", ["old" * 1000, "new" * 2000]
    replace_file(pointer, texts[0])
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(_write_in_turn, pointer, texts)
        seen = {pointer.read_text()}
        while not writing.done():
            seen.add(pointer.read_text())

    assert seen <= set(texts)
    assert [pointer] == list(tmp_path.iterdir())


def test_a_rebuild_equals_the_store_that_followed(log: SqliteLog, store: Store, generations: Generations) -> None:
    """Every type, some that cannot be folded, in two steps live and in one from nothing."""
    log.append([make(kind) for kind in RECORD_TYPES])
    catch_up(log, store)
    log.append([foreign("EventStarted", 1), foreign("CrowdCounted", 1), make(EventStarted, number=2)])
    catch_up(log, store)

    report = rebuild(log, generations)

    assert Rebuilt(report.path, len(RECORD_TYPES) + 3, 1, 1) == report
    assert report.path == generations.current()
    rebuilt = Store(report.path, log_id=log.log_id)
    assert exact_digests(store) == exact_digests(rebuilt)
    assert store.positions() == rebuilt.positions()
    rebuilt.close()


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), (0, 0, 0)),
        ((make(EventScheduled),), (1, 0, 0)),
        ((foreign("CrowdCounted", 1), foreign("CrowdCounted", 2)), (2, 0, 2)),
        ((foreign("EventStarted", 1, schema_version=2),), (1, 0, 1)),
        ((foreign("EventStarted", 1),), (1, 1, 0)),
    ],
    ids=["empty log", "one record", "only unknown types", "a newer version", "only what cannot be decoded"],
)
def test_a_rebuild_says_what_it_did(
    given: Given,
    log: SqliteLog,
    generations: Generations,
    records: tuple[EventScheduled, ...],
    expected: tuple[int, ...],
) -> None:
    """Records folded, those set aside, those of types or versions that this code does not know."""
    if records:
        given(*records)

    report = rebuild(log, generations)

    assert expected == (report.records, report.dead_letters, report.unknown)
    rebuilt = Store(report.path, log_id=log.log_id)
    assert catch_up(log, rebuilt) == 0
    rebuilt.close()


def test_a_rebuild_reports_its_progress(given: Given, log: SqliteLog, generations: Generations) -> None:
    """Folded so far, and still to come."""
    given(*(make(EventStarted, number=number) for number in range(5)))
    told: list[tuple[int, int]] = []

    rebuild(log, generations, lambda folded, left: told.append((folded, left)))

    assert told == [(5, 0)]


class StrayEvent(EventScheduled):
    """A record in a topic that is not its own: there the log cannot tell that it has it already."""

    topic: ClassVar[str] = "odds"


def test_a_rebuild_that_finds_a_record_twice_does_not_switch(
    given: Given, log: SqliteLog, generations: Generations
) -> None:
    """What is in use stays in use."""
    scheduled = make(EventScheduled)
    given(scheduled)
    before = rebuild(log, generations).path
    given(StrayEvent(**dict(scheduled)))

    with pytest.raises(StoreError, match="event_changes holds a record twice"):
        rebuild(log, generations)

    assert before == generations.current()


def test_a_rebuild_until_a_time_knows_no_more(given: Given, log: SqliteLog, tmp_path: Path) -> None:
    """Live records count from when they were recorded (noon, here), replayed ones from their own time."""
    live = make(OddsSnapshotCaptured, number=1, at=MINUTE[0])
    early, late = (make(OddsSnapshotCaptured, number=n, at=MINUTE[n], origin="BACKFILL") for n in (2, 6))
    given(make(EventScheduled), live, early, late)

    report = build(log, tmp_path / "then.duckdb", until=MINUTE[4])

    assert report.records == 3
    rebuilt = Store(tmp_path / "then.duckdb", log_id=log.log_id)
    known = rebuilt.rows("SELECT snapshot_id FROM odds_records ORDER BY captured_at")
    assert [(live.ref,), (early.ref,)] == known
    assert [(EVENTS[0],)] == rebuilt.rows("SELECT event_id FROM events")
    rebuilt.close()
