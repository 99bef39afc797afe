"""The store: rows and positions in one transaction, old versions upcast, other people's files refused."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings

from eventlog.clock import ManualClock
from eventlog.log import BATCH
from eventlog.sqlite import SqliteLog
from projections.catch_up import build, catch_up
from projections.digest import exact_digests
from projections.errors import StoreError, StoreInUseError
from projections.sql_file import Projection, parse
from projections.staging import staging_sql
from projections.store import Store
from schemas.codec import Codec
from schemas.events import EventScheduled, EventStarted
from schemas.injuries import InjurySnapshotCaptured
from schemas.publishes import PredictionPublished
from schemas.record import Payload, Record
from schemas.registry import RECORD_TYPES
from schemas.rejections import InputRejected
from schemas.sim_runs import SimRunFailed, SimRunStarted
from tests.projections.conftest import Given, Then, When
from tests.projections.laws import Placed, fold, to_table
from tests.records import EVENTS, MINUTE, NOON, histories, make, ref

STARTS = parse(
    "starts",
    """-- Starts, and what only the second fold knows.
-- reads: EventStarted
-- table
CREATE TABLE starts (event_id VARCHAR);
CREATE TABLE elsewhere (event_id VARCHAR);
-- fold
INSERT INTO starts SELECT event_id FROM EventStarted;
INSERT INTO starts SELECT event_id FROM elsewhere SEMI JOIN EventStarted USING (event_id);
""",
)


def test_rows_and_positions_change_together() -> None:
    """Where the second fold fails, neither the first one's rows nor the positions are there; later both are, once."""
    store, log = Store(projections=[STARTS]), [Placed(make(EventStarted), 0, 1, NOON)]
    store.execute("DROP TABLE elsewhere")
    with pytest.raises(duckdb.CatalogException):
        fold(store, [log])
    assert (store.rows("FROM starts"), store.positions()) == ([], {})

    store.execute("CREATE TABLE elsewhere (event_id VARCHAR)")
    fold(store, [log])

    assert ([(EVENTS[0],)], {("events", 0): 2}) == (store.rows("FROM starts"), store.positions())
    store.close()


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_waits_for_the_end_of_a_batch(tmp_path: Path) -> None:
    """DuckDB would drop it in what it calls back, and fold with half an answer."""

    class Interrupted(Codec):
        def is_current(self, name: str, version: int) -> bool:
            signal.raise_signal(signal.SIGINT)
            return super().is_current(name, version)

    store = Store(tmp_path / "s.duckdb", projections=[STARTS], codec=Interrupted())
    log = [Placed(make(EventStarted), 0, 1, NOON)]
    with pytest.raises(KeyboardInterrupt):
        fold(store, [log])

    assert store.rows("FROM starts") == [(EVENTS[0],)]
    assert store.positions() == {("events", 0): 2}
    store.close()


def test_a_checkpoint_after_a_rebuild_leaves_its_row_groups_as_they_are(tmp_path: Path) -> None:
    """Given a rebuilt file of several, then a record more and a checkpoint do not make fewer and larger ones of them.

    Those that two threads left unfinished may become one.
    """
    groups = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('event_changes')"
    with SqliteLog(tmp_path / "log.sqlite") as log:
        log.append(make(EventStarted, number=number) for number in range(90_000))
        build(log, tmp_path / "rebuilt.duckdb")
        store = Store(tmp_path / "rebuilt.duckdb", log_id=log.log_id)
        [(before,)] = store.rows(groups)

        log.append([make(EventStarted, number=90_000)])
        catch_up(log, store)
        store.checkpoint()

        [(after,)] = store.rows(groups)
        store.close()
    whole = 90_000 // 20_480
    assert (before >= whole, after >= whole) == (True, True)


def test_positions_move_over_what_holds_no_records(store: Store) -> None:
    """Gaps and aborted records: else a store would never catch up."""
    store.fold(to_table([]), {("events", 0): 7, ("odds", 1): 3})
    store.fold(to_table([]), {("events", 0): 5, ("odds", 1): 4})

    assert store.positions() == {("events", 0): 7, ("odds", 1): 4}


@pytest.mark.parametrize("kind", RECORD_TYPES, ids=lambda kind: str(kind.__name__))
def test_every_type_folds(kind: type[Record], given: Given, when_folded: When, then: Then) -> None:
    """No record type is a dead letter."""
    given(make(kind))

    assert when_folded() == 1
    assert then("FROM dead_letters") == []


@settings(max_examples=8, deadline=None)
@drawn(histories(min_size=12))
def test_staging_reads_what_the_codec_reads(history: tuple[Record, ...]) -> None:
    """Bytes of the current version are parsed set-wise in SQL: every field says what the record says."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("incoming", to_table(Placed(record, 0, n, NOON) for n, record in enumerate(history)))
        for kind in {type(record) for record in history}:
            for row in connection.sql(staging_sql(kind)).to_arrow_table().to_pylist():
                record = history[row["offset"]]
                payload = record.data.model_dump()
                assert record.ref == row["ref"]
                assert _plain(payload) == {name: _plain(row[name], payload[name]) for name in payload}


def _plain(value: Any, like: Any = None) -> Any:
    """Tuples as lists; where the record has a mapping and the column holds JSON, that mapping."""
    if isinstance(like, dict) and isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, dict):
        return {name: _plain(part, (like or {}).get(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, other) for part, other in zip(value, like or value, strict=True)]
    return value


class Fahrenheit(Payload):
    fahrenheit: float


class OldWeather(Record):
    """The first version, as an old producer writes it."""

    topic: ClassVar[str] = "events"
    type: Literal["WeatherSeen"] = "WeatherSeen"
    schema_version: Literal[1] = 1
    data: Fahrenheit


class Celsius(Payload):
    celsius: float
    seen_by: str


class Weather(Record):
    """The third version."""

    topic: ClassVar[str] = "events"
    type: Literal["WeatherSeen"] = "WeatherSeen"
    schema_version: Literal[3] = 3
    data: Celsius


def _in_celsius(data: dict[str, Any]) -> dict[str, Any]:
    return {"celsius": (data["fahrenheit"] - 32) / 1.8}


def _with_witness(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "seen_by": "unknown"}


WEATHER = Projection(
    "weather",
    "The weather.",
    reads=("WeatherSeen",),
    tables=("CREATE TABLE weather (event_id VARCHAR, celsius DOUBLE, seen_by VARCHAR)",),
    folds=("INSERT INTO weather SELECT event_id, celsius, seen_by FROM WeatherSeen",),
)


def test_old_versions_are_upcast_live_and_in_a_rebuild(log: SqliteLog) -> None:
    """One choke point decodes: what an old producer wrote reads as if it were written today."""
    codec = Codec((Weather,), {("WeatherSeen", 1): _in_celsius, ("WeatherSeen", 2): _with_witness})
    live, rebuilt = (Store(projections=[WEATHER], codec=codec) for _ in range(2))
    old = OldWeather(event_id="old", occurred_at=NOON, producer="tests", data=Fahrenheit(fahrenheit=50))
    new = Weather(event_id="new", occurred_at=NOON, producer="tests", data=Celsius(celsius=11, seen_by="ann"))
    broken = OldWeather.model_construct(**{**dict(old), "record_id": "no", "data": Celsius(celsius=1, seen_by="bob")})

    for record in (old, new, broken):
        log.append([record])
        catch_up(log, live)
    catch_up(log, rebuilt)

    assert live.rows("FROM weather ORDER BY ALL") == [("new", 11, "ann"), ("old", 10, "unknown")]
    assert live.rows("SELECT kind, schema_version FROM dead_letters") == [("UNDECODABLE", 1)]
    assert exact_digests(live) == exact_digests(rebuilt)
    live.close()
    rebuilt.close()


def test_an_unfinished_batch_of_old_versions_keeps_its_order(store: Store) -> None:
    """A batch that goes through the codec is staged whole, current rows included."""
    rows = [Placed(make(EventScheduled, number=n), 0, n, NOON).row for n in range(3)]
    rows[1]["schema_version"] = 9

    store.fold(pa.Table.from_pylist(rows, schema=BATCH), {("events", 0): 3})

    assert store.rows("SELECT count(*) FROM event_changes") == [(2,)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound store's file, closed."""
    path = tmp_path / "projections.1.duckdb"
    store = Store(path, log_id="one", projections=[STARTS])
    store.checkpoint()
    store.close()
    return path


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: b"this is no database" * 1000,
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:12288] + bytes(len(raw) - 12288),
    ],
    ids=["emptied", "overwritten", "cut off", "zeroed"],
)
def test_a_damaged_file_is_refused(file: Path, damage: Callable[[bytes], bytes]) -> None:
    """One line that says what to do: the file is disposable, the log is not."""
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(StoreError, match="onrecord rebuild"):
        Store(file, log_id="one", projections=[STARTS])


def test_a_file_of_other_code_is_refused(file: Path) -> None:
    """A changed fold would go on from rows that it never made."""
    changed = parse("starts", "-- Starts.\n-- reads: EventStarted\n-- table\nCREATE TABLE starts (a INT);")

    with pytest.raises(StoreError, match=r"made by other code.*onrecord rebuild"):
        Store(file, log_id="one", projections=[changed])


_TELL_FINGERPRINT = """
from projections.sql_file import load_projections
from projections.store import fingerprint
from schemas.codec import Codec
print(fingerprint(load_projections(), Codec()))
"""


def test_every_process_gives_the_same_code_the_same_fingerprint() -> None:
    """Python hashes text anew in every process; what names the code must not depend on it."""
    told = {
        subprocess.run(
            [sys.executable, "-c", _TELL_FINGERPRINT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(told) == 1


def test_a_file_of_another_log_is_refused(file: Path) -> None:
    """Its positions would mean nothing."""
    with pytest.raises(StoreError, match=r"another log.*onrecord rebuild"):
        Store(file, log_id="two", projections=[STARTS])


def test_a_database_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Read-only, nothing is made in it; so it has no identity."""
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE other (a INT)")

    with pytest.raises(StoreError, match="is no store"):
        Store(tmp_path / "other.duckdb", read_only=True)


def test_a_second_process_is_refused(file: Path) -> None:
    """A file that one process writes cannot be opened by another; that is no damage."""
    store = Store(file, log_id="one", projections=[STARTS])
    opening = f"from projections.store import *\ntry: Store({str(file)!r})\nexcept StoreInUseError as e: print(e)"

    said = subprocess.run(
        [sys.executable, "-c", opening], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert f"{file} is in use: close it there, or ask its owner" in said
    store.close()


def test_a_reader_beside_the_writer_is_refused(file: Path) -> None:
    """In the same process, too."""
    store = Store(file, log_id="one", projections=[STARTS])

    with pytest.raises(StoreInUseError, match="is in use"):
        Store(file, log_id="one", projections=[STARTS], read_only=True)
    store.close()


def test_a_store_goes_on_where_it_was_closed(file: Path, log: SqliteLog) -> None:
    """Positions are in the file, with the rows."""
    for number in range(3):
        log.append([make(EventStarted, number=number)])
        store = Store(file, log_id="one", projections=[STARTS])
        assert catch_up(log, store) == 1
        store.close()

    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM starts").fetchone() == (3,)


ARGUMENTS: dict[str, Any] = {
    "event_id": EVENTS[0],
    "publish_id": ref(PredictionPublished),
    "team": "Arsenal",
    "at_time": NOON,
    "since": NOON,
    "cutoff": NOON,
    "calibration_version": "cal-1",
}


def test_every_named_query_runs(store: Store, given: Given, when_folded: When) -> None:
    """With what it needs, and its defaults for the rest."""
    given(*(make(kind) for kind in RECORD_TYPES))
    when_folded()

    for name, query in store.named_queries().items():
        table = store.query(name, {parameter: ARGUMENTS.get(parameter) for parameter in query.required})
        assert table.column_names, name


@pytest.mark.parametrize("few", [False, True])
def test_many_rows_come_in_the_order_asked_for(store: Store, few: bool) -> None:
    """More than one thread takes at a time, read at once or copied."""
    found = store.table("SELECT i, md5(i::VARCHAR) FROM range(1_000_000) AS numbers(i) ORDER BY i DESC", few=few)

    assert list(range(999_999, -1, -1)) == found["i"].to_pylist()


def _report(captured: int, status: str) -> InjurySnapshotCaptured:
    players = ({"player": "Saka", "status": status}, {"player": "Rice", "status": "out"})
    return make(InjurySnapshotCaptured, at=MINUTE[captured], number=captured, players=players)


def test_a_teams_injuries_are_those_of_its_newest_report_that_was_known_then(
    store: Store, given: Given, when_folded: When, clock: ManualClock
) -> None:
    """Newest is the one that was captured last; it is not known before it is on record."""
    recorded = {0: _report(0, "fit"), 4: _report(2, "doubtful"), 6: _report(1, "out")}
    for minute, report in recorded.items():
        clock.at = MINUTE[minute]
        given(report)
    given(make(InjurySnapshotCaptured, number=9, at=MINUTE[6], team="Chelsea"))
    when_folded()

    reports = [
        store.query("injuries_as_of", {"team": "Arsenal", "at_time": MINUTE[minute]}).to_pylist()
        for minute in (3, 4, 6)
    ]

    told = [[(row["captured_at"], row["player"], row["status"]) for row in report] for report in reports]
    assert told[0] == [(MINUTE[0], "Saka", "fit"), (MINUTE[0], "Rice", "out")]
    assert told[1] == told[2] == [(MINUTE[2], "Saka", "doubtful"), (MINUTE[2], "Rice", "out")]


def test_the_runs_of_an_event_are_told_oldest_first(store: Store, given: Given, when_folded: When) -> None:
    """Each with how it ended; another event's are none of them."""
    late, early, other = (
        make(SimRunStarted, event, MINUTE[minute], number=minute)
        for event, minute in ((EVENTS[0], 2), (EVENTS[0], 1), (EVENTS[1], 0))
    )
    given(late, early, other, make(SimRunFailed, at=MINUTE[3], sim_run_id=early.ref, error="no odds"))
    when_folded()

    runs = store.query("sim_runs_of_event", {"event_id": EVENTS[0]}).to_pylist()

    assert [(run["sim_run_id"], run["state"], run["error"]) for run in runs] == [
        (early.ref, "FAILED", "no odds"),
        (late.ref, "RUNNING", None),
    ]


def test_rejections_are_counted_by_their_reason(store: Store, given: Given, when_folded: When) -> None:
    """The most frequent first; another file, kind or column is another line."""
    given(*(make(InputRejected, number=n, location=f"line {n}", kind="CELL", column="B365H") for n in range(2)))
    given(make(InputRejected, number=2), make(InputRejected, number=3, source="D1.csv"))
    when_folded()

    told = store.query("rejections_by_reason").to_pylist()

    assert [tuple(row.values()) for row in told] == [
        ("E0.csv", "CELL", "B365H", "price 0", 2),
        ("D1.csv", "ROW", None, "price 0", 1),
        ("E0.csv", "ROW", None, "price 0", 1),
    ]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("clossing_line", {}, "there is no query, table or view 'clossing_line', but closing_line.*: `onrecord query`"),
        ("Event", {}, "there is no query, table or view 'Event', but events"),
        ("no_such_query", {}, "there is no query, table or view 'no_such_query': `onrecord query` lists"),
        ("closing_line", {}, "closing_line needs event_id"),
        ("closing_line", {"event": "e"}, "closing_line has no parameter event; it has event_id, market_key, book"),
        ("imports", {"a": 1}, "imports has no parameter a; it has none"),
    ],
)
def test_a_query_asked_wrongly_is_refused(store: Store, name: str, parameters: dict[str, Any], message: str) -> None:
    """The message says what there is."""
    with pytest.raises(StoreError, match=message):
        store.query(name, parameters)


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("SELECT 1", {"b": "2"}, "the query has no parameter b; it has none"),
        ("SELECT $a", {"a": "1", "b": "2"}, "the query has no parameter b; it has a"),
        ("FROM events", {"a": "b"}, "the query has no parameter a; it has none"),
        (
            "SELECT '\udcc3\udca9'",
            {},
            "the query has characters that this locale cannot read: ask again with LC_ALL=C.UTF-8",
        ),
        ("SELECT $a", {"a": "\udcc3"}, "the query has characters that this locale cannot read"),
    ],
)
def test_a_select_asked_wrongly_is_refused(store: Store, sql: str, parameters: dict[str, str], message: str) -> None:
    """In words of our own: DuckDB's speak of its insides."""
    with pytest.raises(StoreError, match=message):
        store.ask(sql, parameters)


@pytest.mark.parametrize(
    ("sql", "adds"),
    [
        ("", False),
        ("PRAGMA version", False),
        ("SET TimeZone = 'UTC'", False),
        ("SELECT 1; SELECT 2", False),
        ("DROP TABLE events", True),
        ("SELECT 1; DROP TABLE events", True),
        ("EXPLAIN DELETE FROM events", True),
    ],
)
def test_only_who_would_change_something_hears_what_changes_the_projections(store: Store, sql: str, adds: bool) -> None:
    """The others hear what they can ask."""
    told = "ask one SELECT" + (": the projections change only by what is put on record" if adds else "")

    with pytest.raises(StoreError, match=f"^{told}$"):
        store.ask(sql)


def test_nothing_that_is_asked_writes(store: Store) -> None:
    """A store in memory is open for writing: what is asked of it is not."""
    sql = "WITH made AS (INSERT INTO positions VALUES ('events', 0, 9) RETURNING *) FROM made"

    with pytest.raises(StoreError, match="ask one SELECT"):
        store.ask(sql)

    assert store.positions() == {}


def test_times_are_utc_whatever_the_machine_says(store: Store, given: Given, when_folded: When) -> None:
    """A cursor's time zone is the store's, not the machine's."""
    given(make(EventStarted))
    when_folded()

    [(occurred_at,)] = store.rows("SELECT occurred_at FROM event_changes")
    assert isinstance(occurred_at, datetime)
    assert occurred_at.tzname() == "UTC"
    assert occurred_at == NOON


def test_a_record_that_is_in_twice_is_found(store: Store) -> None:
    """What a rebuild proves: under other offsets a store cannot tell that it is the same record."""
    once = make(EventScheduled)
    fold(store, [[Placed(once, 0, 1, NOON)], [Placed(once, 0, 2, NOON)]])

    with pytest.raises(StoreError, match="event_changes holds a record twice"):
        store.prove_unique()


def test_what_is_too_much_for_memory_goes_beside_the_file(tmp_path: Path) -> None:
    """Not into the folder that a command happens to be called in, which it may not write to."""
    with closing(Store(tmp_path / "some.duckdb", projections=[], rebuilding=True)) as store:
        assert store.rows("SELECT current_setting('temp_directory')") == [(str(tmp_path / ".tmp"),)]
