"""How a record lies on Kafka, and how what lies there becomes rows.

The key is the record's key (its event, else what its payload is keyed by, else its topic), never null. The value is the
record as JSON. A value that the log's own append wrote begins with a blank: it was validated, its fields are in one
order and spelling, and it is read by columns, all at once. Any other value passes the codec one by one. What is no
record at all becomes a row with a `fault`, and with its bytes in `value`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json
from confluent_kafka import Message
from pydantic import ValidationError

from eventlog.columns import ENVELOPE, ROW, UNSTAMPED, to_row
from eventlog.log import BATCH
from schemas.codec import Codec, UndecodableRecordError, UnknownRecordError
from schemas.record import Record
from schemas.registry import BY_NAME

MARK = b' {"record_id":'
_UNSTAMPED = b'"recorded_at":null'
_DATA = b',"data":'
_HEAD = pa.schema([BATCH.field(name) for name in ENVELOPE])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARSE = pa_json.ParseOptions(explicit_schema=_HEAD, unexpected_field_behavior="error")
_BLOCK = 1 << 20
_HOME = {name: kind.topic for name, kind in BY_NAME.items()}
"""The topic of each record type."""


def to_value(record: Record, stamp: bytes) -> bytes:
    """A record as it lies on Kafka; `stamp` is `recorded_at` as `to_stamp` gives it."""
    if record.recorded_at is not None:
        record = record.model_copy(update={"recorded_at": None})
    text: bytes = record.__pydantic_serializer__.to_json(record)
    # The first one is the field: inside of a text before it the quotes would be escaped.
    return b" " + text.replace(_UNSTAMPED, stamp, 1)


def to_stamp(at: datetime) -> bytes:
    """The field `recorded_at` in JSON."""
    return b'"recorded_at":"' + at.isoformat().encode() + b'"'


def row_to_value(row: Mapping[str, Any]) -> bytes:
    """A row of a batch as it lies on Kafka; `recorded_at` is set."""
    times = {name: row[name].isoformat() for name in ("occurred_at", "recorded_at")}
    head = json.dumps(
        {name: times.get(name, row[name]) for name in ENVELOPE}, ensure_ascii=False, separators=(",", ":")
    )
    return f' {head[:-1]},"data":{row["data"]}}}'.encode()


def row_to_key(row: Mapping[str, Any]) -> str:
    """The key of a row of a batch."""
    kind = BY_NAME.get(row["type"])
    if row["event_id"] is not None or kind is None or kind.keyed_by is None:
        return str(row["event_id"] or row["topic"])
    return str(json.loads(row["data"])[kind.keyed_by])


def to_table(messages: Sequence[Message], prefix: str, codec: Codec) -> pa.Table:
    """Messages without errors as a batch; those that pass the codec come last."""
    begin = len(prefix)
    # Written out, not called: what is done here a million times a second is what reading takes.
    own = [m for m in messages if (value := m.value()) is not None and value.startswith(MARK) and m.key() is not None]
    others = [m for m in messages if not _is_own(m)] if len(own) < len(messages) else []
    rows = [_foreign_row(message, begin, codec) for message in others]
    return pa.concat_tables([*_columns(own, begin, codec), pa.Table.from_pylist(rows, schema=BATCH)])


def _is_own(message: Message) -> bool:
    value = message.value()
    return value is not None and value.startswith(MARK) and message.key() is not None


def _columns(messages: Sequence[Message], begin: int, codec: Codec) -> Iterator[pa.Table]:
    """What the log's own append wrote; one that is not what it seems is found by halving, and passes the codec."""
    if not messages:
        return
    parts = [(message.value() or b"").partition(_DATA) for message in messages]
    try:
        heads = _heads([head for head, _, _ in parts])
        data = _texts([tail[:-1] for _, _, tail in parts])
    except pa.ArrowInvalid:
        if len(messages) == 1:
            yield pa.Table.from_pylist([_foreign_row(messages[0], begin, codec)], schema=BATCH)
            return
        half = len(messages) // 2
        yield from _columns(messages[:half], begin, codec)
        yield from _columns(messages[half:], begin, codec)
        return
    yield _at_home(_placed(messages, begin, heads, data), messages)


def _heads(heads: Sequence[bytes]) -> pa.Table:
    """Envelopes without their closing brace as columns.

    Raises:
        pa.ArrowInvalid: one of them is none.
    """
    lines = b"}\n".join(heads) + b"}"
    # An envelope must fit into a block; their texts may be long.
    block = max(_BLOCK, 2 * max(map(len, heads)))
    table = pa_json.read_json(pa.BufferReader(lines), pa_json.ReadOptions(block_size=block), _PARSE)
    table.validate(full=True)  # the parser lets bytes through that are no UTF-8
    if table.num_rows != len(heads) or table.num_columns != len(_HEAD):
        raise pa.ArrowInvalid("an envelope is not in one line")
    return table


def _texts(texts: Sequence[bytes]) -> pa.Array:
    # Thrice as fast as by way of Python's own strings.
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    column = pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))
    column.validate(full=True)
    return column


def _placed(messages: Sequence[Message], begin: int, heads: pa.Table, data: pa.Array) -> pa.Table:
    given = {
        "topic": pc.utf8_slice_codeunits(pa.array([message.topic() for message in messages], pa.string()), begin),
        "partition": pa.array([message.partition() for message in messages], pa.int32()),
        "offset": pa.array([message.offset() for message in messages], pa.int64()),
        **{name: heads[name] for name in ENVELOPE},
        "data": data,
    }
    columns = [given[field.name] if field.name in given else pa.nulls(len(messages), field.type) for field in BATCH]
    return pa.table(columns, schema=BATCH)


def _at_home(table: pa.Table, messages: Sequence[Message]) -> pa.Table:
    """A record on another topic than its own would be read in an order, and kept for a time, that are not its own."""
    pairs = table.group_by(["topic", "type"]).aggregate([]).to_pylist()
    if all(_HOME.get(pair["type"], pair["topic"]) == pair["topic"] for pair in pairs):
        return table
    rows = [
        row
        if (home := _HOME.get(row["type"], row["topic"])) == row["topic"]
        else _faulty_row(message, row["topic"], _strayed(row["type"], home, row["topic"]))
        for row, message in zip(table.to_pylist(), messages, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=BATCH)


def _foreign_row(message: Message, begin: int, codec: Codec) -> dict[str, Any]:
    """What somebody else wrote, as a row: a record, one of a type that this code does not know, or a fault."""
    topic, value = _topic(message, begin), message.value()
    if value is None:
        return _faulty_row(message, topic, "a tombstone: a record without a value says nothing, and removes nothing")
    if message.key() is None:
        return _faulty_row(message, topic, "the key is null: give each record its event, or its team or stream")
    try:
        columns = _decoded(value, codec)
    except (UnknownRecordError, UndecodableRecordError) as error:
        return _faulty_row(message, topic, str(error))
    if (home := _HOME.get(columns["type"], topic)) != topic:
        return _faulty_row(message, topic, _strayed(columns["type"], home, topic))
    return {**_place(message, topic), **columns, "recorded_at": _came_at(message)}


def _decoded(value: bytes, codec: Codec) -> dict[str, Any]:
    try:
        return dict(zip(ROW, to_row(codec.decode_bytes(value)), strict=True))
    except UnknownRecordError as error:
        # Its payload is kept as it is: newer code may know it.
        try:
            envelope = Record.model_validate_json(value)
        except ValidationError:
            raise error from None
        if "record_id" not in envelope.model_fields_set:
            raise
        head = {name: getattr(envelope, name) for name in UNSTAMPED}
        return {**head, "data": json.dumps(envelope.data, ensure_ascii=False, separators=(",", ":"))}


def _faulty_row(message: Message, topic: str, fault: str) -> dict[str, Any]:
    # The key is the event, for nearly every record: its deciders wait until somebody has decided about this one.
    key, value = message.key(), message.value()
    about = {"event_id": None if key is None else key.decode(errors="replace"), "recorded_at": _came_at(message)}
    return {**_place(message, topic), **about, "fault": fault, "value": value}


def _topic(message: Message, begin: int) -> str:
    return (message.topic() or "")[begin:]


def _place(message: Message, topic: str) -> dict[str, Any]:
    return {"topic": topic, "partition": message.partition(), "offset": message.offset()}


def _came_at(message: Message) -> datetime:
    """When the broker took it: what the record says of itself is not asked."""
    return _EPOCH + timedelta(milliseconds=message.timestamp()[1])


def _strayed(name: str, home: str, topic: str) -> str:
    return f"{name} belongs on topic {home}, not on {topic}"


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, as Kafka's own clients choose it: murmur2, whose sign bit is dropped.

    Source: org.apache.kafka.common.utils.Utils.murmur2.
    """
    data, multiplier = key.encode(), 0x5BD1E995
    digest = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for place in range(0, whole, 4):
        word = int.from_bytes(data[place : place + 4], "little") * multiplier & 0xFFFF_FFFF
        word = (word ^ word >> 24) * multiplier & 0xFFFF_FFFF
        digest = digest * multiplier & 0xFFFF_FFFF ^ word
    if rest := data[whole:]:
        digest = (digest ^ int.from_bytes(rest, "little")) * multiplier & 0xFFFF_FFFF
    digest = (digest ^ digest >> 13) * multiplier & 0xFFFF_FFFF
    return ((digest ^ digest >> 15) & 0x7FFF_FFFF) % partitions
