"""The embedded log: one SQLite file in WAL mode; one table a topic, one partition each, offsets without gaps from 0.

Both ends go through ADBC, so that one SQLite library alone touches the file in a process: two of them drop each other's
file locks (docs/adr/0001). One call of `append` is atomic. A batch of large records holds fewer than asked for.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.clock import Clock, SystemClock
from eventlog.columns import ROW, STORED, refused, to_batch, to_envelope, to_row, to_table, unlike
from eventlog.log import BATCH_BYTES, EMPTY, LogError, Positions
from eventlog.sqlite_connection import Error, SqliteConnection
from eventlog.uninterrupted import uninterrupted
from schemas.codec import Codec
from schemas.ids import split_reference, spontaneous_id
from schemas.record import Record
from schemas.registry import TOPICS

MEMORY = ":memory:"
BUSY_TIMEOUT_MS = 30_000
_FETCH_ROWS = 2048
_COMPARED_ROWS = 512
"""Fewer than are fetched at once: so all of them come, whatever their size."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = ", ".join(STORED.names)
_TIMES = frozenset({"occurred_at", "recorded_at", "seen_at"})
# The primary key is the offset + 1: SQLite counts from 1. Without AUTOINCREMENT a refused record leaves no gap, but the
# number of a deleted last row would be used again: the triggers let nobody delete.
_TABLE = """
CREATE TABLE IF NOT EXISTS "{topic}" (
    number INTEGER PRIMARY KEY, record_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, schema_version INTEGER NOT NULL,
    event_id TEXT, occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, origin TEXT NOT NULL,
    producer TEXT NOT NULL, correlation_id TEXT, causation_id TEXT, data TEXT NOT NULL)
"""
_KEEP = """
CREATE TRIGGER IF NOT EXISTS "{topic}_no_{verb}" BEFORE {verb} ON "{topic}"
BEGIN SELECT RAISE(ABORT, 'a log is append-only'); END
"""
_BOOKKEEPING = (
    "CREATE TABLE IF NOT EXISTS log_identity (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS log_conflicts (topic TEXT NOT NULL, record_id TEXT NOT NULL, refused TEXT NOT NULL, "
    "seen_at INTEGER NOT NULL, PRIMARY KEY (topic, record_id, refused))",
)
_INSERT = (
    f'INSERT INTO "{{topic}}" ({_NAMES}) VALUES ({", ".join("?" * len(STORED))}) ON CONFLICT (record_id) DO NOTHING'
)
# ADBC takes a column's type from the first rows that it sees: a first row without nulls makes the types certain. Both
# halves lie in the order asked for, so SQLite merges them; a SELECT around one of them would copy each of its rows.
_FIRST = ", ".join("''" if pa.types.is_string(field.type) else "0" for field in STORED)
_READ = (
    f'SELECT 0, {_FIRST} UNION ALL SELECT number, {_NAMES} FROM "{{topic}}" WHERE {{condition}} '
    f"ORDER BY 1 LIMIT 1 + max(0, min(?, {2**62}))"
)
_START, _END = "coalesce(min(number) - 1, 0)", "coalesce(max(number), 0)"
_ADVICE = (
    ("not a database", "pass the path of an onrecord log"),
    ("failed to open", "make sure that its folder exists and may be written, and that it is no folder itself"),
    ("readonly", "make the file and its folder writable"),
    ("malformed", "the file is damaged: put a copy in its place, then run `onrecord rebuild`"),
    ("disk", "make room on the disk, then do it again: nothing of this call was kept"),
    ("locked", "another process holds the log: let it finish, then do it again"),
    ("no such table", "use a topic of schemas.registry.TOPICS"),
    ("ConnectionInit", "it has been closed: open it again"),
)


class SqliteLog:
    """The log port over one SQLite file, made when it is missing; `:memory:` is a log that goes with the object.

    Raises:
        LogError: the file cannot be opened, or is not a log.
    """

    def __init__(
        self,
        path: Path | str,
        clock: Clock | None = None,
        codec: Codec | None = None,
        *,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self.path = str(path)
        self._busy_timeout_ms, self._batch_bytes = busy_timeout_ms, batch_bytes
        if not self.path:
            raise LogError("the log has no path: pass one, or :memory:")
        self._clock = clock or SystemClock()
        self._codec = codec or Codec()
        self._writing = threading.RLock()
        self._reading = self._writing if self.path == MEMORY else threading.RLock()
        self._connections: list[SqliteConnection] = []
        try:
            self._writer = self._connect()
            self._reader = self._writer if self.path == MEMORY else self._connect()
            self._log_id = self._create()
        except LogError:
            self.close()
            raise

    def append(self, records: Iterable[Record]) -> Positions:
        """See the port."""
        # Cells, not rows: a thousand tuples that stay would be searched by the garbage collector, time and again.
        cells = defaultdict[str, list[Any]](list)
        for record in records:
            cells[record.topic].extend(to_row(record))
        if not cells:
            return {}
        with self._transaction():
            # One table for all topics: one for each would cost as much as fifty records.
            table = _storable(to_table([*chain.from_iterable(cells.values())], self._clock.now()))
            sizes = [len(of_topic) // len(ROW) for of_topic in cells.values()]
            parts = zip(cells, sizes, accumulate(sizes), strict=True)
            return self._insert({topic: table[end - size : end] for topic, size, end in parts})

    def append_json(self, lines: Iterable[bytes]) -> Positions:
        """See the port."""
        # One at a time: a record that is let go at once leaves the garbage collector nothing to search.
        return self.append(map(self._codec.decode_bytes, lines))

    def append_batch(self, batch: pa.Table) -> Positions:
        """See the port."""
        topics = pc.unique(batch["topic"]).to_pylist()
        tables = {topic: batch.filter(pc.equal(batch["topic"], topic)).select(STORED.names) for topic in topics}
        with self._transaction():
            return self._insert({topic: _storable(self._stamp_missing(table)) for topic, table in tables.items()})

    def read(self, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """See the port."""
        # Most calls find something new in few topics, if in any: to ask each of them would take ten times as long.
        end = self.end()
        batches, room, bytes_left = [EMPTY], limit, self._batch_bytes
        after = {lane: positions.get(lane, 0) for lane in end} | dict(positions)
        for topic in (topic for topic in TOPICS if after[topic, 0] < end[topic, 0]):
            if room <= 0 or bytes_left <= 0:
                break
            batch, moved = self.read_topic(topic, positions, room)
            batches.append(batch)
            room, bytes_left = room - batch.num_rows, bytes_left - batch.nbytes
            after.update(moved)
        return pa.concat_tables(batches), after

    def read_topic(self, topic: str, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """See the port."""
        start = positions.get((topic, 0), 0)
        batch = self._fetch(topic, "number > ?", start, limit)
        return batch, {(topic, 0): batch["offset"][-1].as_py() + 1 if batch.num_rows else start}

    def find(self, topic: str, ref: str) -> Record | None:
        """See the port."""
        _, record_id = split_reference(ref)
        with self._reading, self._explained():
            # One row needs no batch: to make one takes four times as long.
            rows = self._reader.rows(f'SELECT {_NAMES} FROM "{topic}" WHERE record_id = ?', record_id)
        record = self._codec.decode(to_envelope(_timed(rows[0]))) if rows else None
        return record if record is not None and record.ref == ref else None

    def end(self) -> Positions:
        """See the port."""
        with self._reading, self._explained():
            return _edges(self._reader, _END, TOPICS)

    def earliest(self) -> Positions:
        """See the port."""
        with self._reading, self._explained():
            return _edges(self._reader, _START, TOPICS)

    def conflicts(self) -> Sequence[Mapping[str, Any]]:
        """See the port."""
        with self._reading, self._explained():
            rows = self._reader.rows("SELECT * FROM log_conflicts ORDER BY seen_at, topic, record_id, refused")
        return [_timed(row) for row in rows]

    @property
    def log_id(self) -> str:
        """See the port."""
        return self._log_id

    @property
    def may_repeat(self) -> bool:
        """See the port: the file itself refuses a second one."""
        return False

    def close(self) -> None:
        """See the port."""
        with self._reading, self._writing:
            while self._connections:
                self._connections.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _connect(self) -> SqliteConnection:
        with self._explained():
            connection = SqliteConnection(self.path)
            self._connections.append(connection)
            connection.rows(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")
            self._turn_to_wal(connection)
            connection.rows("PRAGMA synchronous = FULL")
        return connection

    def _turn_to_wal(self, connection: SqliteConnection) -> None:
        # Several that open a new file at once: SQLite does not wait here, whatever its busy timeout.
        deadline = time.monotonic() + self._busy_timeout_ms / 1000
        while True:
            try:
                connection.rows("PRAGMA journal_mode = WAL")
            except Error as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return

    def _create(self) -> str:
        keep = (_KEEP.format(topic=topic, verb=verb) for topic in TOPICS for verb in ("DELETE", "UPDATE"))
        with self._transaction():
            for statement in (*_BOOKKEEPING, *(_TABLE.format(topic=topic) for topic in TOPICS), *keep):
                self._writer.rows(statement)
            self._writer.rows("INSERT INTO log_identity VALUES (1, ?) ON CONFLICT DO NOTHING", spontaneous_id())
            return str(self._writer.rows("SELECT log_id FROM log_identity")[0]["log_id"])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # IMMEDIATE: a deferred transaction that turns into a writer fails at once, in spite of a busy timeout.
        with self._writing, self._explained(), uninterrupted():
            self._writer.rows("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.rows("COMMIT")
            except BaseException:
                with suppress(Error):  # a full disk has rolled it back already
                    self._writer.rows("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (Error, pa.ArrowException, OSError) as error:
            advice = next((what for sign, what in _ADVICE if sign in str(error)), "see what SQLite says")
            said = " ".join(str(error).split())
            raise LogError(f"the log {self.path} failed: {advice} ({said})") from error

    def _stamp_missing(self, table: pa.Table) -> pa.Table:
        stamp = pa.scalar(self._clock.now(), STORED.field("recorded_at").type)
        index = STORED.get_field_index("recorded_at")
        return table.set_column(index, STORED.field(index), pc.coalesce(table["recorded_at"], stamp))

    def _insert(self, tables: Mapping[str, pa.Table]) -> Positions:
        for topic, table in tables.items():
            if self._writer.write(_INSERT.format(topic=topic), table.to_reader()) < table.num_rows:
                self._note_conflicts(topic, table.cast(STORED))
        return _edges(self._writer, _END, tables) if tables else {}

    def _note_conflicts(self, topic: str, table: pa.Table) -> None:
        """Keep what was refused because its record_id is on the log with other content."""
        for start in range(0, table.num_rows, _COMPARED_ROWS):
            given = table.slice(start, _COMPARED_ROWS)
            for late in unlike(self._kept(topic, given["record_id"]), given):
                self._writer.rows(
                    "INSERT INTO log_conflicts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    topic,
                    late["record_id"],
                    refused(late),
                    (self._clock.now() - _EPOCH) // timedelta(microseconds=1),
                )

    def _kept(self, topic: str, record_ids: pa.ChunkedArray) -> pa.Table:
        ids = pc.unique(record_ids).to_pylist()
        # One parameter: to bind each id as one of its own takes longer than to find it.
        condition = "record_id IN (SELECT value FROM json_each(?))"
        return self._fetch_from(self._writer, topic, condition, json.dumps(ids), len(ids))

    def _fetch(self, topic: str, condition: str, *parameters: Any) -> pa.Table:
        with self._reading, self._explained():
            return self._fetch_from(self._reader, topic, condition, *parameters)

    def _fetch_from(self, connection: SqliteConnection, topic: str, condition: str, *parameters: Any) -> pa.Table:
        pieces, size = [], 0
        query = _READ.format(topic=topic, condition=condition)
        with connection.reading(query, *parameters, batch_rows=_FETCH_ROWS) as reader:
            for piece in reader:
                pieces.append(piece)
                size += piece.nbytes
                if size >= self._batch_bytes:
                    break
        rows = pa.Table.from_batches(pieces).slice(1).rename_columns(["offset", *STORED.names])
        return to_batch(topic, 0, rows.set_column(0, "offset", pc.subtract(rows["offset"], 1)))


def _edges(connection: SqliteConnection, edge: str, topics: Iterable[str]) -> Positions:
    each = (f"SELECT '{topic}' AS topic, {edge} AS edge FROM \"{topic}\"" for topic in topics)
    return {(row["topic"], 0): row["edge"] for row in connection.rows(" UNION ALL ".join(each))}


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as SQLite gives it, its whole microseconds as times again."""
    return {name: _EPOCH + timedelta(microseconds=value) if name in _TIMES else value for name, value in row.items()}


def _storable(table: pa.Table) -> pa.Table:
    """The stored columns in order, times as whole microseconds."""
    columns = [column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in table.columns]
    return pa.table(columns, names=STORED.names)
