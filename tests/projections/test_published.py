"""What analysts open while the owner writes: a copy with positions and age inside, and Parquet by month."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.digest import exact_digests
from projections.published import export_parquet, publish_copy
from projections.store import Store
from schemas.odds import OddsSnapshotCaptured
from schemas.registry import RECORD_TYPES
from schemas.requests import RetentionApplied
from tests.projections.conftest import Given, When
from tests.records import NOON, make

READ = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute("SET TimeZone = 'UTC'")
    for sql in sys.argv[2:]:
        print(json.dumps(connection.execute(sql).fetchall(), default=str))
"""


OLDEST_READER = Path(sys.prefix) / "duckdb-1.4.0"
"""`make test` puts it there."""


def _ask_in_another_process(path: Path, *queries: str, duckdb_at: Path | None = None) -> list[list[list[object]]]:
    words = [sys.executable, "-c", READ, str(path), *queries]
    environment = os.environ | ({"PYTHONPATH": str(duckdb_at)} if duckdb_at else {})
    answer = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=environment)
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.fixture
def filled(store: Store, given: Given, when_folded: When) -> Store:
    """A store that holds a record of every type, and odds of two months."""
    given(*(make(kind) for kind in RECORD_TYPES if kind is not RetentionApplied))
    given(*(make(OddsSnapshotCaptured, number=n, at=NOON + timedelta(days=n), origin="BACKFILL") for n in (1, 40)))
    when_folded()
    return store


def test_another_process_reads_the_copy_while_the_store_is_open(filled: Store, tmp_path: Path) -> None:
    """Tables, views, positions and the time of the copy."""
    path = tmp_path / "published.duckdb"
    publish_copy(filled, path, NOON)

    odds, events, positions, published_at = _ask_in_another_process(
        path,
        "SELECT count(*) FROM odds_snapshots",
        "SELECT status FROM events",
        "SELECT \"offset\" FROM positions WHERE topic = 'odds'",
        "SELECT published_at::VARCHAR FROM published_at",
    )

    assert (odds, events, positions, published_at) == ([[3]], [["SCHEDULED"]], [[3]], [["2024-03-31 12:00:00+00"]])


def test_duckdb_1_4_reads_every_table_and_view_of_the_copy(filled: Store, tmp_path: Path) -> None:
    """With the rows that ours sees."""
    assert OLDEST_READER.exists(), f"{OLDEST_READER} is missing: `make test` installs it"
    path = tmp_path / "published.duckdb"
    publish_copy(filled, path, NOON)
    counts = [f'SELECT count(*) FROM (SELECT DISTINCT * FROM "{name}")' for name in filled.relations()]

    asked = _ask_in_another_process(path, "SELECT version()", *counts, duckdb_at=OLDEST_READER)

    assert asked == [[["v1.4.0"]], *([list(row) for row in filled.rows(count)] for count in counts)]


def test_the_copy_is_whole(filled: Store, tmp_path: Path) -> None:
    """Its digests are the store's, and every named query runs on it."""
    publish_copy(filled, tmp_path / "published.duckdb", NOON)

    copy = Store(tmp_path / "published.duckdb", read_only=True)
    held = {table: digest for table, digest in exact_digests(copy).items() if table != "published_at"}
    assert exact_digests(filled) == held
    assert filled.query("audit").to_pylist() == copy.query("audit").to_pylist()
    copy.close()


def test_a_new_copy_takes_the_place_of_the_old(filled: Store, tmp_path: Path) -> None:
    """Whoever has the old one open keeps it; nothing else is left in the folder."""
    path = tmp_path / "published.duckdb"
    publish_copy(filled, path, NOON)
    with duckdb.connect(str(path), read_only=True) as reader:
        filled.execute("DELETE FROM odds_records")
        publish_copy(filled, path, NOON)

        assert reader.execute("SELECT count(*) FROM odds_records").fetchone() == (3,)
    assert _ask_in_another_process(path, "SELECT count(*) FROM odds_records") == [[[0]]]
    assert [path] == list(tmp_path.iterdir())


def test_what_an_interrupted_copy_left_is_no_hindrance(filled: Store, tmp_path: Path) -> None:
    """A copy that failed midway can be made again, by the same process."""
    path = tmp_path / "there" / "published.duckdb"
    with pytest.raises(duckdb.Error):
        publish_copy(filled, path, NOON)
    path.parent.mkdir()

    publish_copy(filled, path, NOON)

    assert path.exists()


def test_what_a_killed_owner_left_goes_with_the_next_copy(filled: Store, tmp_path: Path) -> None:
    """Each is as large as the projections; what is named otherwise is somebody's own."""
    path, kept = tmp_path / "the [1st] copy.duckdb", tmp_path / ".the 1 copy.duckdb.4194305"
    drafts = [path.with_name(f".{path.name}.4194305{end}") for end in ("", ".wal")]
    for file in (*drafts, kept):
        file.write_bytes(b"half a copy")

    publish_copy(filled, path, NOON)

    assert {path, kept} == set(tmp_path.iterdir())


def test_a_file_name_is_taken_as_it_is(filled: Store, tmp_path: Path) -> None:
    """Quotes and spaces are part of a name."""
    path = tmp_path / "O'Brien's copy.duckdb"

    publish_copy(filled, path, NOON)

    assert path.exists()


def test_parquet_holds_what_the_store_holds(filled: Store, tmp_path: Path) -> None:
    """Every table and view, read again with as many rows; odds in one folder a month."""
    written = export_parquet(filled, tmp_path / "parquet")

    assert set(filled.relations()) == {path.name.removesuffix(".parquet") for path in written}
    with duckdb.connect() as connection:
        for path in written:
            pattern = f"{path}/**/*.parquet" if path.is_dir() else str(path)
            name = path.name.removesuffix(".parquet")
            [held] = filled.rows(f'SELECT count(*) FROM "{name}"')
            assert connection.execute(f"SELECT count(*) FROM read_parquet('{pattern}')").fetchone() == held, name
    months = sorted(folder.name for folder in (tmp_path / "parquet" / "odds_snapshots").iterdir())
    assert months == ["captured_month=2024-03-01", "captured_month=2024-04-01", "captured_month=2024-05-01"]


def test_parquet_is_written_anew(filled: Store, tmp_path: Path) -> None:
    """What is gone from the store is gone from the folder."""
    export_parquet(filled, tmp_path)
    filled.execute("DELETE FROM odds_records WHERE captured_at > '2024-04-15'")

    export_parquet(filled, tmp_path)

    months = sorted(folder.name for folder in (tmp_path / "odds_snapshots").iterdir())
    assert months == ["captured_month=2024-03-01", "captured_month=2024-04-01"]


def _held(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def breakable(filled: Store, log: SqliteLog) -> Iterator[Store]:
    """A store that holds the same, and is no other test's."""
    with closing(Store()) as store:
        catch_up(log, store)
        yield store


@pytest.mark.parametrize("at", ["odds_snapshots", "zz"])
def test_a_parquet_export_that_fails_leaves_the_one_before(breakable: Store, tmp_path: Path, at: str) -> None:
    """Whole, and nothing beside it: be it at the odds, which are a folder, or behind them."""
    export_parquet(breakable, tmp_path)
    before = _held(tmp_path)
    breakable.execute(
        "DELETE FROM odds_records WHERE captured_at > '2024-04-15'",
        f"CREATE OR REPLACE VIEW {at} AS SELECT 1 AS captured_month, error('the disk is full') AS book",
    )

    with pytest.raises(duckdb.InvalidInputException, match="the disk is full"):
        export_parquet(breakable, tmp_path)

    assert before == _held(tmp_path)


def test_nobody_reads_what_a_parquet_export_has_not_finished(breakable: Store, tmp_path: Path) -> None:
    """Not even who asks for all files, as the last view does while it is written."""
    export_parquet(breakable, tmp_path)
    before = set(tmp_path.rglob("*.parquet"))
    breakable.execute(f"CREATE VIEW zz AS FROM glob('{tmp_path}/**/*.parquet')")

    export_parquet(breakable, tmp_path)

    with duckdb.connect() as connection:
        seen = connection.execute(f"FROM '{tmp_path / 'zz.parquet'}'").fetchall()
    assert before == {Path(name) for (name,) in seen}


def test_a_parquet_export_without_odds_leaves_none_of_before(breakable: Store, tmp_path: Path) -> None:
    """The folder is there, empty."""
    export_parquet(breakable, tmp_path)
    breakable.execute("DELETE FROM odds_records")

    export_parquet(breakable, tmp_path)

    assert not list((tmp_path / "odds_snapshots").iterdir())
