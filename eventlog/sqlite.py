"""The embedded log: one SQLite file in WAL mode; one table a topic, one partition each.

Both ends go through ADBC, so that one SQLite library alone touches the file in a process: two of them drop each other's
file locks. One call of `append` is atomic.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa
import pyarrow.compute as pc

from eventlog.clock import Clock, SystemClock
from eventlog.columns import ENVELOPE, to_batch, to_columns, to_envelope
from eventlog.log import BATCH, EMPTY, LogError, Positions
from schemas.codec import Codec
from schemas.ids import split_reference, spontaneous_id
from schemas.record import Record
from schemas.registry import TOPICS

MEMORY = ":memory:"
BUSY_TIMEOUT_MS = 30_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_STORED = (*ENVELOPE, "data")
_COLUMNS = ", ".join(f'"{name}"' for name in ("offset", *_STORED))
_TABLE = """
CREATE TABLE IF NOT EXISTS "{topic}" (
    "offset" INTEGER PRIMARY KEY AUTOINCREMENT, record_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    schema_version INTEGER NOT NULL, event_id TEXT, occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
    origin TEXT NOT NULL, producer TEXT NOT NULL, correlation_id TEXT, causation_id TEXT, data TEXT NOT NULL)
"""
_BOOKKEEPING = (
    "CREATE TABLE IF NOT EXISTS log_identity (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS log_conflicts (topic TEXT NOT NULL, record_id TEXT NOT NULL, refused TEXT NOT NULL, "
    "seen_at INTEGER NOT NULL, PRIMARY KEY (topic, record_id, refused))",
)
_INSERT = (
    f'INSERT INTO "{{topic}}" ({", ".join(_STORED)}) VALUES ({", ".join("?" * len(_STORED))}) '
    "ON CONFLICT (record_id) DO NOTHING"
)
_INSERT_CONFLICT = "INSERT INTO log_conflicts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ONE_OF_THESE = "record_id IN (SELECT value FROM json_each(?))"
# What makes two records with one id the same record: everything but the stamp.
_CONTENT = tuple(name for name in _STORED if name not in {"record_id", "recorded_at"})


class SqliteLog:
    """The log port over one SQLite file, made when it is missing; `:memory:` is a private log, gone with the object.

    Raises:
        LogError: the file cannot be opened, or is not a log.
    """

    def __init__(self, path: Path | str, clock: Clock | None = None, codec: Codec | None = None) -> None:
        self.path = str(path)
        self._clock = clock or SystemClock()
        self._codec = codec or Codec()
        self._lock = threading.RLock()
        try:
            self._writer = self._connect()
            self._reader = self._writer if self.path == MEMORY else self._connect()
            self._create()
        except adbc.Error as error:
            raise LogError(f"{path} cannot be opened as a log: {error}; pass the path of an onrecord log") from error

    def append(self, records: Iterable[Record]) -> Positions:
        """See the port."""
        batch = sorted(records, key=lambda record: record.topic)
        with self._transaction():
            stamp = self._clock.now()
            return {
                (topic, 0): self._insert(topic, to_columns(group, stamp))
                for topic, group in groupby(batch, key=lambda record: record.topic)
            }

    def append_batch(self, batch: pa.Table) -> Positions:
        """See the port."""
        with self._transaction():
            stamp = pa.scalar(self._clock.now(), batch.schema.field("recorded_at").type)
            stamped = batch.set_column(
                batch.schema.get_field_index("recorded_at"), "recorded_at", pc.coalesce(batch["recorded_at"], stamp)
            )
            topics = pc.unique(stamped["topic"]).to_pylist()
            return {(t, 0): self._insert_batch(t, stamped.filter(pc.equal(stamped["topic"], t))) for t in topics}

    def append_json(self, lines: Iterable[bytes]) -> Positions:
        """See the port."""
        return self.append([self._codec.decode_bytes(line) for line in lines])

    def read(self, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """See the port."""
        batches, after = [EMPTY], dict(positions)
        for topic in TOPICS:
            room = limit - sum(batch.num_rows for batch in batches)
            if room <= 0:
                break
            batch, moved = self.read_topic(topic, positions, room)
            batches.append(batch)
            after.update(moved)
        return pa.concat_tables(batches), after

    def read_topic(self, topic: str, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """See the port."""
        start = positions.get((topic, 0), 1)
        rows = self._select(f'SELECT {_COLUMNS} FROM "{topic}" WHERE "offset" >= ? ORDER BY 1 LIMIT ?', start, limit)
        if not rows.num_rows:
            return EMPTY, {(topic, 0): start}
        return to_batch(topic, 0, rows), {(topic, 0): rows["offset"][-1].as_py() + 1}

    def find(self, topic: str, ref: str) -> Record | None:
        """See the port."""
        _, record_id = split_reference(ref)
        rows = self._select(f'SELECT {_COLUMNS} FROM "{topic}" WHERE record_id = ?', record_id)
        if not rows.num_rows:
            return None
        record = self._codec.decode(to_envelope(to_batch(topic, 0, rows).to_pylist()[0]))
        return record if record.ref == ref else None

    def end(self) -> Positions:
        """See the port."""
        return self._edges("MAX", 1)

    def earliest(self) -> Positions:
        """See the port."""
        return self._edges("MIN", 0)

    def conflicts(self) -> Sequence[Mapping[str, Any]]:
        """See the port."""
        rows: list[dict[str, Any]] = self._select("SELECT * FROM log_conflicts ORDER BY 1, 2, 3").to_pylist()
        return rows

    @property
    def log_id(self) -> str:
        """See the port."""
        return str(self._select("SELECT log_id FROM log_identity")["log_id"][0].as_py())

    def close(self) -> None:
        """See the port."""
        for connection in {id(c): c for c in (self._reader, self._writer)}.values():
            connection.close()

    def _connect(self) -> adbc.Connection:
        connection = adbc.connect(self.path, autocommit=True)
        for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", "journal_mode = WAL", "synchronous = FULL"):
            _execute(connection, f"PRAGMA {pragma}")
        return connection

    def _create(self) -> None:
        with self._transaction():
            for statement in (*_BOOKKEEPING, *(_TABLE.format(topic=topic) for topic in TOPICS)):
                _execute(self._writer, statement)
            _execute(self._writer, f"INSERT INTO log_identity VALUES (1, '{spontaneous_id()}') ON CONFLICT DO NOTHING")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # IMMEDIATE: a deferred transaction that turns into a writer fails at once, in spite of a busy timeout.
        with self._lock:
            _execute(self._writer, "BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                _execute(self._writer, "ROLLBACK")
                raise
            _execute(self._writer, "COMMIT")

    def _insert(self, topic: str, columns: Mapping[str, Sequence[Any]]) -> int:
        arrays = [pa.array(columns[name], BATCH.field(name).type) for name in _STORED]
        return self._insert_batch(topic, pa.table(arrays, names=list(_STORED)))

    def _insert_batch(self, topic: str, rows: pa.Table) -> int:
        before = self._end_of(topic)
        with self._writer.cursor() as cursor:
            cursor.executemany(_INSERT.format(topic=topic), _bindable(rows))
        after = self._end_of(topic)
        if after - before < rows.num_rows:
            self._note_conflicts(topic, rows.to_pylist())
        return after

    def _note_conflicts(self, topic: str, given: Sequence[Mapping[str, Any]]) -> None:
        """Keep what was refused because its record_id is on the log with other content."""
        ids = json.dumps([row["record_id"] for row in given])
        held = self._query(self._writer, f'SELECT {_COLUMNS} FROM "{topic}" WHERE {_ONE_OF_THESE}', ids)
        kept = {row["record_id"]: row for row in to_batch(topic, 0, held).to_pylist()}
        seen_at = _microseconds(self._clock.now())
        for row in given:
            if any(kept[row["record_id"]][name] != row[name] for name in _CONTENT):
                refused = json.dumps(dict(row), default=str)
                self._query(self._writer, _INSERT_CONFLICT, topic, row["record_id"], refused, seen_at)

    def _end_of(self, topic: str) -> int:
        rows = self._query(self._writer, f'SELECT coalesce(max("offset"), 0) + 1 AS e FROM "{topic}"')
        return int(rows["e"][0].as_py())

    def _edges(self, function: str, plus: int) -> Positions:
        rows = [
            (topic, self._select(f'SELECT {function}("offset") AS e FROM "{topic}"')["e"][0].as_py())
            for topic in TOPICS
        ]
        return {(topic, 0): edge + plus for topic, edge in rows if edge is not None}

    def _select(self, sql: str, *parameters: Any) -> pa.Table:
        with self._lock if self._reader is self._writer else nullcontext():
            return self._query(self._reader, sql, *parameters)

    def _query(self, connection: adbc.Connection, sql: str, *parameters: Any) -> pa.Table:
        with connection.cursor(adbc_stmt_kwargs={"adbc.sqlite.query.batch_rows": "1000000"}) as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetch_arrow_table()


def _execute(connection: adbc.Connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetchall()


def _microseconds(at: datetime) -> int:
    return int((at - EPOCH) / MICROSECOND)


def _bindable(rows: pa.Table) -> pa.RecordBatch:
    """The stored columns in order, times as whole microseconds."""
    columns = [rows[name].combine_chunks() for name in _STORED]
    plain = [column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in columns]
    return pa.record_batch(plain, names=list(_STORED))
