"""Kafka: appends beside raw producing, and reading and folding beside raw consuming of the same topics, in one run.

`python -m benchmarks.kafka SERVERS [--records N] [--rounds N]` prints thousand records a second and ratios; quote the
ratios. Raw producing hands ready values to confluent-kafka with the producer that the log uses (idempotent, acks=all,
lz4); raw consuming takes the messages and looks at none of them. The stream is that of `benchmarks.stream`; the topics
it makes are removed at the end. `live` is the time from the return of an append until the store holds the record.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.append import records
from benchmarks.stream import batches
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from eventlog.log import Positions, reached
from eventlog.sqlite import SqliteLog
from projections.catch_up import build, catch_up
from projections.store import Store
from schemas.record import Record
from tests.kafka.log_on import fresh_log

READ_ROWS = 150_000
LIVE = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("servers", help="bootstrap servers")
    parser.add_argument("--records", type=int, default=500_000, help="records on the log (default 500,000)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each contender takes (default 3)")
    given = parser.parse_args()
    with (
        fresh_log(given.servers, partitions=6, timeout_s=120.0) as log,
        fresh_log(given.servers, partitions=6, timeout_s=120.0) as raw,
        tempfile.TemporaryDirectory() as folder,
    ):
        sqlite = SqliteLog(Path(folder) / "log.sqlite")
        for batch in batches(given.records):
            log.append_batch(batch)
            sqlite.append_batch(batch)
        reading(log, sqlite, Path(folder), given.records, given.rounds)
        appending(log, raw, given.rounds)
        live(log, given.rounds)
        sqlite.close()


def reading(log: KafkaLog, sqlite: SqliteLog, folder: Path, count: int, rounds: int) -> None:
    """Raw consuming, reading into Arrow, folding from Kafka, folding the same records from SQLite."""
    contenders: dict[str, Callable[[Path], object]] = {
        "raw consuming": lambda _: consume(log, count),
        "read into Arrow": lambda _: read(log),
        "fold from Kafka": lambda path: build(log, path),
        "fold from SQLite": lambda path: build(sqlite, path),
    }
    show(contenders, folder, count, rounds, "raw consuming")


def appending(log: KafkaLog, raw: KafkaLog, rounds: int) -> None:
    """Batches of 1,000 of 50,000 records: built models, JSON bytes, and ready values past the log."""
    models = [record for record, _ in zip(records(2), range(50_000), strict=False)]
    lines = [record.model_dump_json().encode() for record in models]
    contenders: dict[str, Callable[[Path], object]] = {
        "raw producing": lambda _: produce(raw, models, lines),
        "append built models": lambda _: [log.append(models[at : at + 1000]) for at in range(0, len(models), 1000)],
        "append JSON bytes": lambda _: [log.append_json(lines[at : at + 1000]) for at in range(0, len(lines), 1000)],
    }
    show(contenders, Path(), len(models), rounds, "raw producing")


def show(contenders: dict[str, Callable[[Path], object]], folder: Path, count: int, rounds: int, limit: str) -> None:
    """Let them take turns; print medians, and ratios to the limit."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name, work in contenders.items():
            begun = time.perf_counter()
            work(folder / f"{name.replace(' ', '-')}.{turn}.duckdb")
            taken[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(some) for name, some in taken.items()}
    for name, wall_s in medians.items():
        print(f"{name:22} {count / wall_s / 1000:8.0f} thousand/s {medians[limit] / wall_s:8.2f} of {limit}")


def live(log: KafkaLog, rounds: int) -> None:
    """One record after the other, into a store that has caught up."""
    store = Store(log_id=log.log_id)
    catch_up(log, store)
    waits = []
    for record, _ in zip(records(3 + rounds), range(LIVE), strict=False):
        target = log.append([record])
        begun = time.perf_counter()
        fold_up_to(log, store, target)
        waits.append((time.perf_counter() - begun) * 1000)
    store.close()
    print(f"live, append to visible: p50 {statistics.median(waits):.1f} ms, p99 {sorted(waits)[-LIVE // 100]:.1f} ms")


def fold_up_to(log: KafkaLog, store: Store, target: Positions) -> None:
    """As the owner does."""
    while not reached(store.positions(), target):
        batch, after = log.read(store.positions(), READ_ROWS)
        store.fold(batch, after, may_repeat=True)


def consume(log: KafkaLog, count: int) -> None:
    """As many messages as there are records, by the consumer that the log uses; nobody looks at them."""
    consumer = Consumer(
        {
            "bootstrap.servers": log.cluster.settings.bootstrap_servers,
            "group.id": "benchmark",
            "fetch.queue.backoff.ms": 5,
            "queued.min.messages": 1_000_000,
            "max.partition.fetch.bytes": 8 * 1024 * 1024,
            "fetch.max.bytes": 64 * 1024 * 1024,
        }
    )
    lanes = log.cluster.lanes(log.cluster.topics)
    consumer.assign([TopicPartition(log.cluster.named(topic), partition, 0) for topic, partition in lanes])
    came = 0
    while came < count:
        came += len(consumer.consume(10_000, 0.1))
    consumer.close()


def read(log: KafkaLog) -> None:
    """The whole log as batches."""
    positions: Positions = {}
    end = log.end()
    while not reached(positions, end):
        _, positions = log.read(positions, READ_ROWS)


def produce(log: KafkaLog, models: Iterable[Record], lines: Iterable[bytes]) -> None:
    """Ready values, without a look at what they are."""
    settings: KafkaSettings = log.cluster.settings
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "linger.ms": 5,
        }
    )
    for record, line in zip(models, lines, strict=True):
        while True:
            try:
                producer.produce(log.cluster.named(record.topic), line, record.key)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


if __name__ == "__main__":
    main()
