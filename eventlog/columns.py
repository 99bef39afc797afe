"""Records to the columns of a batch, and back."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from eventlog.log import BATCH
from schemas.record import Record

ENVELOPE = tuple(name for name in BATCH.names if name not in {"topic", "partition", "offset", "data"})
STORED = pa.schema([BATCH.field(name) for name in (*ENVELOPE, "data")])
"""What an engine stores of a record: all columns of a batch but those that say where it lies."""


def to_columns(records: Iterable[Record], recorded_at: datetime) -> dict[str, list[Any]]:
    """The envelope's columns, stamped `recorded_at`, and `data` as JSON text with every default written out."""
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
    columns = zip(*rows, strict=True) if rows else ((),) * len(STORED)
    return {name: list(column) for name, column in zip(STORED.names, columns, strict=True)}


def to_table(columns: Mapping[str, list[Any]]) -> pa.Table:
    """Columns as `to_columns` gives them, typed."""
    return pa.table([pa.array(columns[field.name], field.type) for field in STORED], schema=STORED)


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
        else table[field.name].cast(field.type)
        for field in BATCH
    ]
    return pa.table(columns, schema=BATCH)
