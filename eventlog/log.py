"""The log port, and its contract.

A log holds records in topics; a topic has partitions; within a partition every record has an offset. Offsets grow and
may have gaps. A *position* is the next offset to read of one partition. Positions belong to one log, named by `log_id`:
those of another log mean nothing here.

append(records)
    Durable when it returns. Idempotent by record_id within the topic: a record that is already there is left alone; if
    its content differs, the first one stays and the conflict is counted in `conflicts()`. Every record is stamped with
    `recorded_at` from the log's clock. Returns positions that lie behind all the records handed in, old and new, so
    that a reader which has reached them has seen them. An adapter says whether one call is atomic; where it is not, and
    the call fails, the same records are sent again.

    Where `may_repeat` is true a record may lie on the log more than once, because a producer sent it again: then every
    reader takes the first of each topic and record_id (the one with the lowest offset) and leaves the others alone.
    `conflicts()` compares them all.

append_json(lines), append_batch(batch)
    The same for records as JSON bytes, which are validated first, and for a batch that was read from another log, which
    keeps its stamps. A row with a `fault` is no record: it is refused.

read(positions, limit)
    At most `limit` records from `positions` on, as one Arrow batch with the columns of `BATCH`, topics in the order of
    `schemas.registry.TOPICS`, each partition in offset order; and the positions behind them, which also move over what
    was skipped (gaps, aborted records). A partition that `positions` does not name is read from its start. Nothing to
    read: an empty batch. A position whose records the log holds no more is an error: they are never skipped in silence.

    What foreign producers put on the log passes the codec on its way. What is no record at all is a row too: `fault`
    says why, `value` holds the bytes, and all other columns but its place, `recorded_at` and perhaps `event_id` are
    null.

read_topic(topic, positions, limit)
    The same for one topic alone.

find(topic, ref)
    The record that a reference handed out by onrecord names, or None.

end() / earliest()
    The positions behind the last record, and of the first one still held. A reader has caught up when its positions
    have reached an `end()` that was taken before it began.

Several processes may append and read at once. A log object may be used by several threads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from schemas.record import Record

Lane = tuple[str, int]
"""Topic and partition."""
Positions = Mapping[Lane, int]
"""To each the next offset to read."""
Place = tuple[str, int, int]
"""Topic, partition, offset."""

BATCH = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("record_id", pa.string()),
        ("type", pa.string()),
        ("schema_version", pa.int32()),
        ("event_id", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("recorded_at", pa.timestamp("us", "UTC")),
        ("origin", pa.string()),
        ("producer", pa.string()),
        ("correlation_id", pa.string()),
        ("causation_id", pa.string()),
        ("data", pa.string()),
        ("fault", pa.string()),
        ("value", pa.binary()),
    ]
)
"""The columns of a batch; `data` is the payload as JSON text. `fault` and `value` are null but in what is no record."""

EMPTY: pa.Table = BATCH.empty_table()
BATCH_BYTES = 128 * 1024 * 1024
"""A batch ends soon after this size, whatever its number of records, so that a reader's memory has a bound."""


class LogError(Exception):
    """The log could not do it; the message says what to do."""


class EventLog(Protocol):
    """The contract is this module's docstring."""

    @property
    def log_id(self) -> str:
        """Names the log for as long as it lives."""
        ...

    @property
    def may_repeat(self) -> bool:
        """Whether a record may lie on the log more than once."""
        ...

    def append(self, records: Iterable[Record]) -> Positions:
        """Put records on the log."""
        ...

    def append_batch(self, batch: pa.Table) -> Positions:
        """Put a batch of another log on this one: `recorded_at` is kept where it is set."""
        ...

    def append_json(self, lines: Iterable[bytes]) -> Positions:
        """Validate records given as JSON bytes, and put them on the log."""
        ...

    def read(self, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """The next records of all topics."""
        ...

    def read_topic(self, topic: str, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """The next records of one topic."""
        ...

    def find(self, topic: str, ref: str) -> Record | None:
        """The record that a reference names."""
        ...

    def end(self) -> Positions:
        """The positions behind the last record."""
        ...

    def earliest(self) -> Positions:
        """The positions of the first records still held."""
        ...

    def conflicts(self) -> Sequence[Mapping[str, Any]]:
        """The appends that came with a known record_id and other content."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def reached(positions: Positions, target: Positions) -> bool:
    """Whether `positions` lie at or behind `target` in every partition that `target` names."""
    return all(positions.get(partition, 0) >= offset for partition, offset in target.items())


def behind_by(positions: Positions, target: Positions) -> int:
    """How many offsets `positions` lack to reach `target`."""
    return sum(max(0, offset - positions.get(partition, 0)) for partition, offset in target.items())


def beyond(positions: Positions, end: Positions) -> Positions:
    """Those of `positions` that lie beyond the `end` of their log: what they tell of is not on it any more."""
    return {partition: offset for partition, offset in positions.items() if offset > end.get(partition, 0)}


def latest(first: Positions, second: Positions) -> Positions:
    """The larger offset of each partition."""
    return {key: max(first.get(key, 0), second.get(key, 0)) for key in {*first, *second}}


def places(batch: pa.Table) -> Iterator[Place]:
    """Where each row of a batch lies."""
    return zip(*(batch[name].to_pylist() for name in ("topic", "partition", "offset")), strict=True)


def lie_before(positions: Positions, batch: pa.Table) -> pa.Array:
    """Whether each row of a batch lies before `positions`."""
    return pa.array((offset < positions.get((topic, lane), 0) for topic, lane, offset in places(batch)), pa.bool_())


def listed(positions: Positions) -> list[list[object]]:
    """Positions as JSON can say them."""
    return [[topic, partition, offset] for (topic, partition), offset in sorted(positions.items())]


def mapped(rows: list[tuple[str, int, int]]) -> Positions:
    """What `listed` wrote."""
    return {(topic, partition): offset for topic, partition, offset in rows}


def whole_topic(log: EventLog, topic: str, limit: int) -> Iterator[pa.Table]:
    """What a topic holds now, at most `limit` records at once."""
    end: Positions = {lane: offset for lane, offset in log.end().items() if lane[0] == topic}
    held: Positions = {}
    while not reached(held, end):
        batch, held = log.read_topic(topic, held, limit)
        yield batch
