"""Records to the columns of a batch, and back."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from eventlog.log import BATCH
from schemas.record import Record

ENVELOPE = tuple(name for name in BATCH.names if name not in {"topic", "partition", "offset", "data"})


def to_columns(records: Iterable[Record], recorded_at: datetime) -> dict[str, list[Any]]:
    """The envelope's columns, stamped with `recorded_at`, and `data` as JSON text with every default written out."""
    rows = [
        (
            record.record_id,
            record.type,
            record.schema_version,
            record.event_id,
            record.occurred_at,
            recorded_at,
            record.origin,
            record.producer,
            record.correlation_id,
            record.causation_id,
            record.data.model_dump_json(),
        )
        for record in records
    ]
    names = (*ENVELOPE, "data")
    return {
        name: list(column)
        for name, column in zip(names, zip(*rows, strict=True) if rows else ([],) * len(names), strict=True)
    }


def to_envelope(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a batch as an envelope that the codec reads."""
    envelope = {name: row[name] for name in ENVELOPE}
    for name in ("occurred_at", "recorded_at"):
        envelope[name] = envelope[name].isoformat() if envelope[name] is not None else None
    return {**envelope, "data": json.loads(row["data"])}


def to_batch(topic: str, partition: int, table: pa.Table) -> pa.Table:
    """A table of offset, envelope and data, whatever types it was read with, as a batch of one partition."""
    constant = {"topic": topic, "partition": partition}
    columns = [
        pa.repeat(pa.scalar(constant[field.name], field.type), table.num_rows)
        if field.name in constant
        else _cast(table[field.name], field.type)
        for field in BATCH
    ]
    return pa.table(columns, schema=BATCH)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return column.cast(kind)
