"""The SQLite log keeps the contract, in a file and in memory, and says what to do when its file is no good."""

import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from eventlog.clock import Clock
from eventlog.log import BATCH, EventLog, LogError
from eventlog.sqlite import SqliteLog
from eventlog.sqlite_connection import LEAST_SQLITE_VERSION, Error, SqliteConnection, sqlite_version
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from tests.eventlog.contract import LogContract, Opener, drained, records_in, started
from tests.eventlog.shared_contract import SharedLogContract
from tests.records import make


class TestMemory(LogContract):
    """A private log that goes with the object."""

    def new_log(self, clock: Clock) -> EventLog:
        return SqliteLog(":memory:", clock)


class TestFile(SharedLogContract):
    """One file."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def new_log(self, clock: Clock) -> EventLog:
        return SqliteLog(self.folder / f"{len(list(self.folder.iterdir()))}.sqlite", clock)

    def new_opener(self) -> Opener:
        return partial(SqliteLog, self.folder / "shared.sqlite")

    def append_behind_gap(self, log: EventLog, record: Record) -> None:
        log.append([record])
        moved = f"UPDATE events SET number = number + 100 WHERE record_id = '{record.record_id}'"
        run(self.folder / "shared.sqlite", 'DROP TRIGGER "events_no_UPDATE"', moved)


def run(path: Path, *statements: str) -> None:
    """Do something to the file behind the log's back."""
    with closing(SqliteConnection(path)) as connection:
        for statement in statements:
            connection.rows(statement)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a log with one record."""
    with SqliteLog(tmp_path / "log.sqlite") as log:
        log.append([started(1)])
    return tmp_path / "log.sqlite"


def test_one_append_is_kept_whole_or_not_at_all(path: Path) -> None:
    """When the second topic fails, the first is as it was."""
    run(path, "DROP TABLE odds")
    with SqliteLog(path) as log:
        run(path, "DROP TABLE odds")
        with pytest.raises(LogError, match="no such table"):
            log.append([started(2), make(OddsSnapshotCaptured)])
        assert [started(1)] == records_in(log.read_topic("events", {}, 10)[0].to_pylist())


def test_after_a_failure_the_log_goes_on(path: Path) -> None:
    """The failed transaction is closed."""
    with SqliteLog(path) as log:
        with pytest.raises(LogError):
            log.append_batch(pa.Table.from_pylist([{"topic": "events", "record_id": "no payload"}], schema=BATCH))
        log.append([started(2)])
        assert [started(1), started(2)] == records_in(drained(log))


@pytest.mark.parametrize("statement", ["DELETE FROM events", "UPDATE events SET producer = 'other'"])
def test_nobody_changes_what_is_on_the_log(path: Path, statement: str) -> None:
    """The file itself refuses."""
    with pytest.raises(Error, match="a log is append-only"):
        run(path, statement)


def test_it_is_durable_and_lets_readers_in_beside_a_writer(path: Path) -> None:
    """WAL, and a flush to the disk at each commit: the file says the one, the connection the other."""
    with closing(SqliteConnection(path)) as connection:
        assert connection.rows("PRAGMA journal_mode") == [{"journal_mode": "wal"}]


@pytest.mark.parametrize("size", [1, 100_000, 10_000_000])
def test_a_batch_of_large_records_ends_early_and_the_next_goes_on(tmp_path: Path, size: int) -> None:
    """So that a reader's memory has a bound, whatever the limit."""
    given = [make(RawPayloadCaptured, number=n, content="x" * 1000) for n in range(5000)]
    with SqliteLog(tmp_path / "log.sqlite", batch_bytes=size) as log:
        log.append([*given, started(1)])
        batch, _ = log.read({}, 1_000_000)
        assert (size < 5_000_000) == (batch.num_rows < 5001)
        assert len(drained(log, limit=1_000_000)) == 5001


def test_known_records_are_looked_up_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that is run again holds the write lock; a query for each record took forty times as long."""
    asked = []
    reading = SqliteConnection.reading

    def counted(connection: SqliteConnection, sql: str, *parameters: Any, **options: Any) -> Any:
        asked.append(sql)
        return reading(connection, sql, *parameters, **options)

    given = [started(number) for number in range(1100)]
    with SqliteLog(tmp_path / "log.sqlite") as log:
        log.append(given)
        monkeypatch.setattr(SqliteConnection, "reading", counted)
        log.append(given)
    assert len(asked) < 10


@pytest.mark.parametrize("record_id", ["'", '"', "[1]", "a\0b", "\\", "?1", "%", "é 🏈", "1", "null", ""])
def test_an_id_is_taken_as_it_is(record_id: str) -> None:
    """Whatever a foreign producer makes one of: sent again it is known, and its other content is a conflict."""
    with SqliteLog(":memory:") as log:
        log.append([started(1)])
        row = {**drained(log)[0], "record_id": record_id}
        for again in (row, row, {**row, "producer": "other"}):
            log.append_batch(pa.Table.from_pylist([again], schema=BATCH))
        assert [started(1).record_id, record_id] == [one["record_id"] for one in drained(log)]
        assert [record_id] == [one["record_id"] for one in log.conflicts()]


def test_known_records_are_all_compared_however_large(tmp_path: Path) -> None:
    """Also those beyond the size at which a batch ends."""
    given = [make(RawPayloadCaptured, number=n, content="x") for n in range(2500)]
    other = [given[2499].model_copy(update={"producer": "other"})]
    with SqliteLog(tmp_path / "log.sqlite", batch_bytes=1) as log:
        log.append(given)
        log.append([*given[:2499], *other])
        assert [other[0].record_id] == [conflict["record_id"] for conflict in log.conflicts()]


def test_several_may_write_at_once_with_the_library_that_is_installed() -> None:
    """Older ones could damage the file."""
    assert sqlite_version() >= LEAST_SQLITE_VERSION


def test_one_library_alone_touches_the_file() -> None:
    """Python's own SQLite is not even loaded (docs/adr/0001)."""
    code = "import eventlog.sqlite, sys; sys.exit('_sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_closed_log_says_so(path: Path) -> None:
    """Closing twice is fine, using it afterwards is not."""
    log = SqliteLog(path)
    log.close()
    log.close()
    for use in (log.end, log.conflicts, lambda: log.append([started(2)]), lambda: log.read({}, 1)):
        with pytest.raises(LogError, match="open it again"):
            use()


def _folder(tmp_path: Path) -> str:
    return str(tmp_path)


def _missing_folder(tmp_path: Path) -> str:
    return str(tmp_path / "missing" / "log.sqlite")


def _text_file(tmp_path: Path) -> str:
    (tmp_path / "log.txt").write_text("this is no database, whatever its name says\n" * 100)
    return str(tmp_path / "log.txt")


def _read_only_file(tmp_path: Path) -> str:
    SqliteLog(tmp_path / "log.sqlite").close()
    return f"file:{tmp_path / 'log.sqlite'}?mode=ro"


def _no_path(_: Path) -> str:
    return ""


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        (_folder, "make sure that its folder exists and may be written, and that it is no folder itself"),
        (_missing_folder, "make sure that its folder exists"),
        (_text_file, "pass the path of an onrecord log"),
        (_read_only_file, "make the file and its folder writable"),
        (_no_path, "pass one"),
    ],
)
def test_a_path_that_is_no_log_is_refused_with_what_to_do(
    tmp_path: Path, place: Callable[[Path], str], advice: str
) -> None:
    """One line, with the path."""
    with pytest.raises(LogError, match=advice) as refused:
        SqliteLog(place(tmp_path))
    assert "\n" not in str(refused.value)


def test_a_damaged_file_is_told(path: Path) -> None:
    """What lies in its place is a copy, or a rebuild from one."""
    run(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    advice = "damaged: put a copy in its place, then run `onrecord rebuild`"
    with pytest.raises(LogError, match=advice), SqliteLog(path) as log:
        drained(log)


def test_a_log_that_another_process_holds_is_told(path: Path) -> None:
    """After the busy timeout, not at once and not never."""
    with SqliteLog(path, busy_timeout_ms=50) as log, closing(SqliteConnection(path)) as other:
        other.rows("BEGIN IMMEDIATE")
        with pytest.raises(LogError, match="another process holds the log"):
            log.append([started(2)])
        assert [started(1)] == records_in(drained(log))


def fill_the_disk(path: str) -> None:
    """Append with room for a few hundred kilobytes, until there is none; then once more, with room."""
    log = SqliteLog(path)
    log.append([started(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
    try:
        log.append([make(RawPayloadCaptured, content="x" * 1_000_000), started(2)])
    except LogError as error:
        sys.stdout.write(f"{error}\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.append([started(3)])
    sys.stdout.write(f"{log.end()['events', 0]} {log.end()['raw_payloads', 0]}\n")


def test_a_full_disk_keeps_nothing_of_the_call_and_the_log_goes_on(tmp_path: Path) -> None:
    """In a process of its own, because its limit on file sizes is lowered."""
    path = tmp_path / "log.sqlite"
    code = f"from tests.eventlog.test_sqlite import fill_the_disk; fill_the_disk({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    told, ends = done.stdout.splitlines()
    assert ("make room on the disk" in told, "2 0") == (True, ends)


def test_a_new_file_that_another_process_is_about_to_change_is_waited_for(tmp_path: Path) -> None:
    """Turning to WAL is what SQLite itself does not wait with."""
    other = SqliteConnection(tmp_path / "log.sqlite")
    other.rows("BEGIN IMMEDIATE")
    threading.Timer(0.2, other.close).start()

    with SqliteLog(tmp_path / "log.sqlite", busy_timeout_ms=10_000) as log:
        log.append([started(1)])
        assert records_in(drained(log)) == [started(1)]


def test_nobody_waits_for_ever_to_open_a_new_file(tmp_path: Path) -> None:
    """The busy timeout is the limit of that too."""
    with closing(SqliteConnection(tmp_path / "log.sqlite")) as other:
        other.rows("BEGIN IMMEDIATE")
        with pytest.raises(LogError, match="another process holds the log"):
            SqliteLog(tmp_path / "log.sqlite", busy_timeout_ms=50)


@pytest.mark.parametrize(("limit", "rows"), [(0, 0), (-1, 0), (1, 1), (2, 2), (2**63 - 1, 2)])
def test_a_read_takes_any_limit(limit: int, rows: int) -> None:
    """The largest one is no overflow, and none at all is no rows."""
    with SqliteLog(":memory:") as log:
        log.append([started(1), started(2)])
        batch, after = log.read_topic("events", {}, limit)
    assert (batch.num_rows, after) == (rows, {("events", 0): rows})
