"""Records to the columns of a batch, and back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import itemgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AwareDatetime

from eventlog.log import BATCH
from schemas.record import Payload, Record
from schemas.registry import RECORD_TYPES

ENVELOPE = tuple(name for name in BATCH.names if name not in {"topic", "partition", "offset", "data", "fault", "value"})
STORED = pa.schema([BATCH.field(name) for name in (*ENVELOPE, "data")])
"""What an engine stores of a record: all columns of a batch but those that say where it lies, or that it is none."""
UNSTAMPED = tuple(name for name in ENVELOPE if name != "recorded_at")
ROW = (*UNSTAMPED, "data")
"""What `to_row` gives of a record."""
CONTENT = tuple(name for name in STORED.names if name not in {"record_id", "recorded_at"})
"""What makes two records with one id the same record: everything but the stamp."""
_envelope_of = itemgetter(*UNSTAMPED)
_SCALARS: tuple[Any, ...] = (str, int, float, bool, NoneType, AwareDatetime, Ellipsis)
_AS_PYDANTIC = orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


def to_row(record: Record) -> tuple[Any, ...]:
    """The stored columns of one record but for the stamp, `data` as JSON text with every default written out."""
    fields = record.__dict__
    return (*_envelope_of(fields), payload_json(fields["data"]))


def payload_json(data: Payload) -> str:
    """Byte for byte what Pydantic writes of it, in half the time where it holds nothing but plain values."""
    fields = data.__dict__
    if _PLAIN.get(type(data)) != len(fields):
        return data.model_dump_json()
    try:
        return orjson.dumps(fields, option=_AS_PYDANTIC).decode()
    except TypeError:  # a whole number beyond 64 bits, for one, or what no validator has seen
        return data.model_dump_json()


def _is_plain(annotation: Any) -> bool:
    """Whether Pydantic and orjson write such values alike: text, numbers, times, lists and mappings of them."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _is_plain(inner[0])
    if origin in {Union, UnionType, tuple, dict}:
        return all(map(_is_plain, inner))
    return origin is Literal or annotation in _SCALARS


_PAYLOADS: list[Any] = [record_type.model_fields["data"].annotation for record_type in RECORD_TYPES]
_PLAIN = {
    payload: len(payload.model_fields)
    for payload in _PAYLOADS
    if all(_is_plain(field.annotation) for field in payload.model_fields.values())
}
"""The number of their fields: a copy may have been given more, or one may have been made with less."""


def to_table(cells: Sequence[Any], recorded_at: datetime) -> pa.Table:
    """Rows as `to_row` gives them, one behind the other, as a table of the stored columns, stamped `recorded_at`."""
    lists = {name: cells[place :: len(ROW)] for place, name in enumerate(ROW)}
    columns = [
        pa.array(lists[field.name], field.type)
        if field.name in lists
        else pa.repeat(pa.scalar(recorded_at, field.type), len(cells) // len(ROW))
        for field in STORED
    ]
    return pa.table(columns, schema=STORED)


def to_envelope(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a batch as an envelope that the codec reads."""
    envelope = {name: row[name] for name in ENVELOPE}
    for name in ("occurred_at", "recorded_at"):
        envelope[name] = envelope[name].isoformat() if envelope[name] is not None else None
    return {**envelope, "data": json.loads(row["data"])}


def known_at(batch: pa.Table) -> pa.ChunkedArray:
    """When each record was known: upstream's own time for history, else the log's stamp."""
    return pc.if_else(pc.equal(batch["origin"], "LIVE"), batch["recorded_at"], batch["occurred_at"])


def is_same(kept: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether two rows with one id say the same: JSON in another layout is no other content."""
    envelope = [name for name in CONTENT if name != "data"]
    return all(kept[name] == given[name] for name in envelope) and (
        kept["data"] == given["data"] or bool(json.loads(kept["data"]) == json.loads(given["data"]))
    )


def unlike(kept: pa.Table, given: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows of `given` that do not say the same as the one of `kept` with their id, in their order."""
    first = kept.take(pc.index_in(given["record_id"], value_set=kept["record_id"].combine_chunks()))
    # Most are equal to the letter: only the others are worth a look in Python.
    other = pc.invert(reduce(pc.and_, (_equal(first[name], given[name]) for name in CONTENT)))
    pairs = zip(first.filter(other).to_pylist(), given.filter(other).to_pylist(), strict=True)
    return (late for early, late in pairs if not is_same(early, late))


def _equal(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.coalesce(pc.equal(first, second), pc.and_(pc.is_null(first), pc.is_null(second)))


def refused(row: Mapping[str, Any]) -> str:
    """The content that came too late under a known id, as JSON."""
    return json.dumps({name: row[name] for name in CONTENT}, default=str)


def to_batch(topic: str, partition: int, table: pa.Table) -> pa.Table:
    """A table of offset, envelope and data, whatever types it was read with, as a batch of one partition."""
    constant = {"topic": topic, "partition": partition, "fault": None, "value": None}
    columns = [
        pa.repeat(pa.scalar(constant[field.name], field.type), table.num_rows)
        if field.name in constant
        else table[field.name].cast(field.type)
        for field in BATCH
    ]
    return pa.table(columns, schema=BATCH)
