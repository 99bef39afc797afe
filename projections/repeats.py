"""The first of each record: what a log that may repeat them holds once more changes nothing.

Every record_id that was folded is remembered, with a hash of what the record said. The anti-join reads only what lies
between the smallest and the largest id of a run of near ones: ids begin with a time, and DuckDB knows the smallest and
the largest value of each row group, so that it costs the same however much is held.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eventlog.columns import CONTENT, refused

TABLE = """
CREATE TABLE IF NOT EXISTS seen_records (topic VARCHAR, record_id UUID, content UBIGINT);
CREATE TABLE IF NOT EXISTS conflicts (topic VARCHAR, record_id VARCHAR, refused VARCHAR, seen_at TIMESTAMPTZ);
"""
TABLES = frozenset({"seen_records", "conflicts"})
"""They tell of one log's life, not of what is on record."""
NEAR_MS = 60 * 60 * 1000
MOST_RUNS = 8
"""Of a batch whose ids lie all over: what lies between the ids of a run is read, too."""
_LOOKED_AT = 10_000
"""A larger batch is one run: beside folding it, reading what is held costs little."""
_ARRIVED = (
    f"SELECT row, topic, record_id, hash({', '.join(CONTENT)}) AS content FROM arriving "
    "WHERE TRY_CAST(record_id AS UUID) IS NOT NULL"
)
_HELD = (
    "SELECT row, arrived.content <> held.content FROM arrived JOIN seen_records AS held "
    "ON held.record_id = arrived.record_id::UUID AND held.topic = arrived.topic "
    "WHERE held.record_id BETWEEN '{first}'::UUID AND '{last}'::UUID"
)
_TWICE = (
    "SELECT row, content <> first_value(content) OVER same FROM arrived "
    "WINDOW same AS (PARTITION BY topic, record_id ORDER BY row) QUALIFY row_number() OVER same > 1"
)
_REMEMBER = "INSERT INTO seen_records SELECT topic, record_id::UUID, content FROM arrived"
_KEEP = (
    "INSERT INTO conflicts SELECT topic, record_id, refused, min(seen_at) FROM disagreeing "
    "ANTI JOIN conflicts USING (topic, record_id, refused) GROUP BY topic, record_id, refused"
)


def firsts(connection: duckdb.DuckDBPyConnection, batch: pa.Table) -> pa.Table:
    """The rows of a batch, in the order of the log, that are the first of their topic and record_id.

    They are remembered, in the transaction that is open. Of the others, those that say something else are kept as
    `conflicts`. Rows whose record_id is none are left to whoever decodes them.
    """
    connection.register("arriving", batch.append_column("row", pa.array(np.arange(batch.num_rows))))
    arrived = connection.sql(_ARRIVED).to_arrow_table()
    connection.register("arrived", arrived)
    try:
        again = dict(_again(connection, arrived["record_id"]))
        if again:
            connection.register("arrived", arrived.filter(_is_not_in(arrived["row"], again)))
            _keep_conflicts(connection, batch.take(pa.array((row for row in again if again[row]), pa.int64())))
        connection.execute(_REMEMBER).fetchall()
    finally:
        connection.unregister("arriving")
        connection.unregister("arrived")
    return batch.filter(_is_not_in(pa.array(np.arange(batch.num_rows)), again)) if again else batch


def _again(connection: duckdb.DuckDBPyConnection, ids: pa.ChunkedArray) -> Iterator[tuple[int, bool]]:
    """The rows whose record came before, and whether it said something else then."""
    if pc.count_distinct(ids).as_py() < len(ids):
        yield from connection.execute(_TWICE).fetchall()
    if len(ids):
        # Last, so that what was folded before is what a row is held to.
        runs = (_HELD.format(first=first, last=last) for first, last in _runs(ids))
        yield from connection.execute(" UNION ALL ".join(runs)).fetchall()


def _runs(ids: pa.ChunkedArray) -> list[tuple[str, str]]:
    """The smallest and the largest of each run of ids that are near in time."""
    if len(ids) > _LOOKED_AT:
        ends = pc.min_max(ids).as_py()
        return [(ends["min"], ends["max"])]
    ordered: Sequence[str] = sorted(ids.to_pylist())
    gaps = [(_made_at(after) - _made_at(before), place) for place, (before, after) in enumerate(pairwise(ordered), 1)]
    widest = sorted((gap for gap in gaps if gap[0] > NEAR_MS), reverse=True)[: MOST_RUNS - 1]
    cuts = [0, *sorted(place for _, place in widest), len(ordered)]
    return [(ordered[begin], ordered[end - 1]) for begin, end in pairwise(cuts)]


def _made_at(record_id: str) -> int:
    """The milliseconds that an id begins with."""
    return int(record_id[:8] + record_id[9:13], 16)


def _is_not_in(rows: Any, again: dict[int, bool]) -> Any:
    return pc.invert(pc.is_in(rows, value_set=pa.array(list(again), pa.int64())))


def _keep_conflicts(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    if not rows.num_rows:
        return
    said = [
        {"topic": row["topic"], "record_id": row["record_id"], "refused": refused(row), "seen_at": row["recorded_at"]}
        for row in rows.to_pylist()
    ]
    connection.register("disagreeing", pa.Table.from_pylist(said))
    connection.execute(_KEEP).fetchall()
    connection.unregister("disagreeing")
