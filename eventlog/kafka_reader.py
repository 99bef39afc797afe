"""Reads topics of the cluster from given positions: partitions are assigned, there is no group."""

import threading
import time
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from eventlog.kafka_cluster import Cluster
from eventlog.kafka_values import to_table
from eventlog.log import EMPTY, Lane, Positions, reached
from schemas.codec import Codec
from schemas.registry import TOPICS

CHUNK = 10_000
WAIT_S = 0.1
_HARMLESS = {KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.COORDINATOR_NOT_AVAILABLE}
"""librdkafka looks for the coordinator of a group that is never joined."""


class KafkaReader:
    """One consumer, which goes on where the last reading ended; another position costs it what it has fetched ahead."""

    def __init__(
        self, cluster: Cluster, topics: Sequence[str], codec: Codec, batch_bytes: int, wait_ms: int = 100
    ) -> None:
        self._cluster, self._codec, self._batch_bytes = cluster, codec, batch_bytes
        self._lanes = cluster.lanes(topic for topic in topics if topic in cluster.partitions)
        self._prefix = cluster.settings.topic_prefix
        self._at: dict[Lane, int] = {}
        self._lock = threading.RLock()
        self._consumer = Consumer(
            cluster.client_config(
                **{
                    "group.id": "onrecord",  # librdkafka wants one
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "error",
                    "isolation.level": "read_committed",
                    "fetch.queue.backoff.ms": 5,
                    "queued.min.messages": 1_000_000,
                    "queued.max.messages.kbytes": 131_072,
                    "max.partition.fetch.bytes": 8 * 1024 * 1024,
                    "fetch.max.bytes": 64 * 1024 * 1024,
                    "fetch.wait.max.ms": wait_ms,  # another position waits for what was asked of the broker before
                    "receive.message.max.bytes": 64 * 1024 * 1024 + 8 * cluster.settings.max_record_bytes,
                }
            )
        )

    def read(self, positions: Positions, limit: int) -> tuple[pa.Table, dict[Lane, int]]:
        """At most `limit` rows of what was committed when the call began, and the positions behind them.

        Raises:
            LogError: a position's records are gone, or nothing came for `timeout_s`.
        """
        with self._lock:
            target = self._cluster.ends(self._lanes)
            self._go_to(positions)
            tables, rows, size = [EMPTY], 0, 0
            waiting_since = time.monotonic()
            while rows < limit and size < self._batch_bytes and not reached(self._at, target):
                messages = self._consume(min(CHUNK, limit - rows))
                if messages:
                    tables.append(to_table(messages, self._prefix, self._codec))
                    rows, size = rows + len(messages), size + tables[-1].nbytes
                    waiting_since = time.monotonic()
                elif time.monotonic() - waiting_since > self._cluster.settings.timeout_s:
                    raise self._cluster.error(None, "reading")
            return _in_order(tables), dict(self._at)

    def scan(self, lane: Lane, first: int, last: int, needle: bytes) -> Iterator[Sequence[Message]]:
        """The messages of one partition from `first` until before `last` whose values hold some bytes."""
        if first >= last:
            return
        with self._lock:
            self._assign({lane: first})
            try:
                yield from self._scan(lane, last, needle)
            finally:
                self._assign({})  # nobody waits for more

    def _scan(self, lane: Lane, last: int, needle: bytes) -> Iterator[Sequence[Message]]:
        waiting_since = time.monotonic()
        while self._at[lane] < last:
            messages = self._consume(CHUNK)
            if found := [message for message in messages if needle in (message.value() or b"")]:
                yield found
            if messages:
                waiting_since = time.monotonic()
            elif time.monotonic() - waiting_since > self._cluster.settings.timeout_s:
                raise self._cluster.error(None, "looking for a record")

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            self._consumer.close()

    def _go_to(self, positions: Positions) -> None:
        wanted = {lane: positions[lane] for lane in self._lanes if lane in positions}
        if self._at and wanted == self._at:
            return
        starts = self._cluster.starts(self._lanes)
        lost = {lane: at for lane, at in wanted.items() if at < starts[lane]}
        for lane, at in lost.items():
            raise self._cluster.gone(lane, at, starts[lane])
        self._assign({**starts, **wanted})

    def _assign(self, positions: Positions) -> None:
        name = self._cluster.named
        self._consumer.assign([TopicPartition(name(topic), part, at) for (topic, part), at in positions.items()])
        self._at = dict(positions)

    def _consume(self, count: int) -> list[Message]:
        """What has come, with the positions behind it.

        Where it fails, what had come with the failure is lost: the reader is nowhere then, and assigned anew.
        """
        before, self._at = self._at, {}
        messages = self._fetched(count)
        self._at = before | self._reached()
        return messages

    def _fetched(self, count: int) -> list[Message]:
        """At once what there is, else the first to come within a moment."""
        try:
            messages = self._consumer.consume(count, timeout=0)
            if not messages and (first := self._consumer.poll(WAIT_S)) is not None:
                messages = [first, *(self._consumer.consume(count - 1, timeout=0) if count > 1 else ())]
        except KafkaException as failed:
            raise self._cluster.error(failed.args[0], "reading") from failed
        faults = [message for message in messages if message.error() is not None]
        for message in faults:
            error = message.error()
            if error is not None and error.code() not in _HARMLESS:
                raise self._cluster.error(error, f"reading {message.topic()}")
        if self._cluster.faults.hopeless:
            raise self._cluster.error(None, "reading")
        return [message for message in messages if message.error() is None] if faults else messages

    def _reached(self) -> dict[Lane, int]:
        # Not the last row's offset + 1: what ends a transaction, or was aborted, takes offsets, too.
        begin, positions = len(self._prefix), self._consumer.position(self._consumer.assignment())
        return {(at.topic[begin:], at.partition): at.offset for at in positions if at.offset >= 0}


def _in_order(tables: Sequence[pa.Table]) -> pa.Table:
    """One batch, as the port wants it: topics in their order, partitions and offsets growing."""
    table = pa.concat_tables(tables)
    if table.num_rows < 2:
        return table
    keys = {
        "topic": pc.index_in(table["topic"], value_set=pa.array(TOPICS)),
        "partition": table["partition"],
        "offset": table["offset"],
    }
    order = pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])
    return table.take(order)
