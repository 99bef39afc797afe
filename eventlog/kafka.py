"""The log on Apache Kafka: for more than one machine, and for producers that are not ours.

A topic of the log is a topic of the cluster, with a prefix; all have one number of partitions, and a key's records
share one. Appends wait for all replicas in sync and are idempotent within a connection. One call is not atomic: when it
fails, any part may be durable, so the same records are sent again; but raw payloads are there before what was read from
them is sent. A record that another process sent too cannot be refused here, hence `may_repeat`. Offsets have gaps:
transactions and compaction leave some.

How a record lies on the cluster is in `kafka_values`, the cluster itself in `kafka_cluster`.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from eventlog.clock import Clock, SystemClock
from eventlog.columns import is_same, refused, to_envelope
from eventlog.kafka_cluster import Cluster, KafkaSettings
from eventlog.kafka_reader import KafkaReader
from eventlog.kafka_values import partition_of, row_to_key, row_to_value, to_stamp, to_table, to_value
from eventlog.log import BATCH_BYTES, Lane, LogError, Positions, whole_topic
from schemas.codec import Codec
from schemas.ids import split_reference
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import TOPICS

SKEW = timedelta(minutes=10)
"""How far the clock of a producer may be ahead of the brokers'."""
_FIND = "find"
"""Names the readers that look for one record: they stand still in between."""
_SCAN_ROWS = 50_000
_CITED = RawPayloadCaptured.topic
_Pending = tuple[str, str, bytes]
"""Topic, key, value."""


class KafkaLog:
    """The log port over a Kafka cluster; topics that are missing are made.

    Raises:
        LogError: no broker answers, or they do not let this user in.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        clock: Clock | None = None,
        codec: Codec | None = None,
        *,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self.cluster = Cluster(settings, TOPICS)
        self._clock = clock or SystemClock()
        self._codec = codec or Codec()
        self._batch_bytes = batch_bytes
        self._writing = threading.RLock()
        self._opening = threading.RLock()
        self._producer: Producer | None = None
        self._readers: dict[tuple[str, ...], KafkaReader] = {}
        self._is_closed = False

    @property
    def log_id(self) -> str:
        """See the port."""
        return self.cluster.log_id

    @property
    def may_repeat(self) -> bool:
        """See the port."""
        return True

    def append(self, records: Iterable[Record]) -> Positions:
        """See the port."""
        stamp = to_stamp(self._clock.now())
        return self._send([(record.topic, record.key, to_value(record, stamp)) for record in records])

    def append_json(self, lines: Iterable[bytes]) -> Positions:
        """See the port."""
        return self.append(map(self._codec.decode_bytes, lines))

    def append_batch(self, batch: pa.Table) -> Positions:
        """See the port."""
        now, pending = self._clock.now(), list[_Pending]()
        for row in batch.to_pylist():
            if row["fault"] is not None or row["record_id"] is None:
                place = f"{row['topic']}/{row['partition']}/{row['offset']}"
                raise LogError(f"{place} is no record and is not copied: {row['fault'] or 'it has no record_id'}")
            stamped = {**row, "recorded_at": row["recorded_at"] or now}
            pending.append((row["topic"], row_to_key(row), row_to_value(stamped)))
        return self._send(pending)

    def read(self, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """See the port."""
        batch, moved = self._reader(TOPICS).read(positions, limit)
        return batch, {**positions, **moved}

    def read_topic(self, topic: str, positions: Positions, limit: int) -> tuple[pa.Table, Positions]:
        """See the port."""
        return self._reader((topic,)).read(positions, limit)

    def find(self, topic: str, ref: str) -> Record | None:
        """See the port. The time inside of the id says where to begin; a record that lies before it costs a scan."""
        key, record_id = split_reference(ref)
        self._check_open()
        lane = (topic, partition_of(key, self.cluster.partitions.get(topic, 1)))
        for table in self._candidates(lane, record_id):
            for row in table.to_pylist():
                if row["record_id"] == record_id:
                    record = self._codec.decode(to_envelope(row))
                    return record if record.ref == ref else None
        return None

    def end(self) -> Positions:
        """See the port."""
        self._check_open()
        return self.cluster.ends(self.cluster.lanes(TOPICS))

    def earliest(self) -> Positions:
        """See the port."""
        self._check_open()
        return self.cluster.starts(self.cluster.lanes(TOPICS))

    def conflicts(self) -> Sequence[Mapping[str, Any]]:
        """See the port. Reads the whole log: about 60 bytes of memory a record of the largest topic."""
        found = [conflict for topic in TOPICS for conflict in self._conflicts_of(topic)]
        return sorted(found, key=lambda each: (each["seen_at"], each["topic"], each["record_id"], each["refused"]))

    def close(self) -> None:
        """See the port."""
        with self._writing, self._opening:
            self._is_closed = True
            while self._readers:
                self._readers.popitem()[1].close()
            self._producer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogError("the log on Kafka has been closed: open it again")

    def _reader(self, topics: tuple[str, ...]) -> KafkaReader:
        """One for each set of topics: each goes on where it was, whatever the others read."""
        with self._opening:
            self._check_open()
            if topics[0] not in self.cluster.partitions:
                raise LogError(f"there is no topic {topics[0]!r}; there are {', '.join(TOPICS)}")
            if topics not in self._readers:
                wait_ms = 5 if _FIND in topics else 100
                self._readers[topics] = KafkaReader(self.cluster, topics, self._codec, self._batch_bytes, wait_ms)
            return self._readers[topics]

    def _send(self, pending: Sequence[_Pending]) -> Positions:
        cited = [one for one in pending if one[0] == _CITED]
        others = [one for one in pending if one[0] != _CITED]
        with self._writing:
            self._check_open()
            for some in filter(None, (cited, others)):
                self._deliver(some)
            self.cluster.faults.clear()
            # Of uncommitted records too: what was appended may lie behind a transaction that is still open.
            return self.cluster.ends(self.cluster.lanes(sorted({topic for topic, _, _ in pending})), stable=False)

    def _deliver(self, pending: Sequence[_Pending]) -> None:
        failed: list[tuple[KafkaError, str]] = []
        try:
            for topic, key, value in pending:
                self._produce(topic, key, value, failed)
            self._flush()
        except KafkaException as refusal:
            self._abandon()
            raise self.cluster.error(refusal.args[0], f"appending {key} to {topic} ({len(value):,} bytes)") from refusal
        if failed:
            self._abandon()
            error, what = failed[0]
            told = self.cluster.error(error, f"appending {what}")
            raise LogError(f"{told}; not all of the records are on it: send them all again")

    def _produce(self, topic: str, key: str, value: bytes, failed: list[tuple[KafkaError, str]]) -> None:
        def note(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append((error, f"{key} to {topic} ({len(value):,} bytes)"))

        while True:
            try:
                self._connected().produce(self.cluster.named(topic), value, key, on_delivery=note)
            except BufferError:
                self._connected().poll(0.1)
            else:
                return

    def _connected(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                self.cluster.client_config(
                    **{
                        "enable.idempotence": True,
                        "acks": "all",
                        "compression.type": "lz4",
                        "linger.ms": 5,
                        "partitioner": "murmur2_random",  # as Java's, so that all producers agree on a key's partition
                        "message.max.bytes": self.cluster.settings.max_record_bytes,
                        "delivery.timeout.ms": int(self.cluster.settings.timeout_s * 1000),
                        "delivery.report.only.error": True,
                        "queue.buffering.max.kbytes": 262_144,
                    }
                )
            )
        return self._producer

    def _flush(self) -> None:
        while self._connected().flush(0.5):
            if self.cluster.faults.hopeless:
                raise KafkaException(self.cluster.faults.hopeless)

    def _abandon(self) -> None:
        """What is still on its way is given up, and the next append begins with a new connection."""
        if self._producer is not None:
            with suppress(KafkaException):
                self._producer.purge()
        self._producer = None

    def _candidates(self, lane: Lane, record_id: str) -> Iterator[pa.Table]:
        """Rows of the partition whose bytes hold the id, likely places first, in offset order within a place."""
        reader = self._reader((lane[0], _FIND))
        begin, end = self.cluster.starts([lane])[lane], self.cluster.ends([lane])[lane]
        made_at = int(record_id.replace("-", "")[:12], 16)
        skew = SKEW // timedelta(milliseconds=1)
        first = self.cluster.first_since(lane, max(0, made_at - skew))
        likely = end if first is None else max(first, begin)
        for since, until in ((likely, end), (begin, likely)):
            for messages in reader.scan(lane, since, until, record_id.encode()):
                yield to_table(messages, self.cluster.settings.topic_prefix, self._codec)

    def _conflicts_of(self, topic: str) -> Iterator[dict[str, Any]]:
        pieces = [batch["record_id"].combine_chunks() for batch in whole_topic(self, topic, _SCAN_ROWS)]
        counted = pc.value_counts(pa.concat_arrays(pieces).drop_null()) if pieces else []
        twice = [each["values"].as_py() for each in counted if each["counts"].as_py() > 1]
        rows = [
            row
            for batch in (whole_topic(self, topic, _SCAN_ROWS) if twice else ())
            for row in batch.filter(pc.is_in(batch["record_id"], value_set=pa.array(twice))).to_pylist()
        ]
        kept: dict[str, dict[str, Any]] = {}
        seen: set[tuple[str, str]] = set()
        for row in sorted(rows, key=lambda row: (row["partition"], row["offset"])):
            first = kept.setdefault(row["record_id"], row)
            content = (row["record_id"], refused(row))
            if content not in seen and not is_same(first, row):
                seen.add(content)
                yield {"topic": topic, "record_id": content[0], "refused": content[1], "seen_at": row["recorded_at"]}
