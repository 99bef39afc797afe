"""The Kafka log keeps the contract on a real broker."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]  # exported, not said to be

from eventlog.clock import Clock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import Faults, KafkaSettings
from eventlog.kafka_values import to_stamp, to_value
from eventlog.log import BATCH, EventLog, LogError
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import TOPICS
from tests.eventlog.contract import Opener, drained, records_in, started
from tests.eventlog.shared_contract import SharedLogContract
from tests.kafka.broker import LocalCluster
from tests.kafka.log_on import delete_topics, fresh_log, fresh_settings, set_topic
from tests.records import EVENTS, NOON, make

pytestmark = pytest.mark.kafka


class TestKafka(SharedLogContract):
    """Topics of its own on the broker of the run."""

    @pytest.fixture(autouse=True)
    def _broker(self, kafka: str) -> Iterator[None]:
        self.servers, self.made = kafka, list[KafkaSettings]()
        yield
        delete_topics(*self.made)

    def settings(self) -> KafkaSettings:
        self.made.append(fresh_settings(self.servers))
        return self.made[-1]

    def new_log(self, clock: Clock) -> EventLog:
        return KafkaLog(self.settings(), clock)

    def new_opener(self) -> Opener:
        return partial(KafkaLog, self.settings())

    def append_behind_gap(self, log: EventLog, record: Record) -> None:
        """The marker of a transaction takes an offset."""
        settings = self.made[0]
        producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions()
        value = to_value(record, to_stamp(NOON))
        for end in (producer.abort_transaction, producer.commit_transaction):
            producer.begin_transaction()
            producer.produce(settings.topic_prefix + record.topic, value, record.key, partition=0)
            producer.flush()
            end()


@pytest.fixture
def log(kafka: str) -> Iterator[KafkaLog]:
    """An empty log of one partition a topic."""
    with fresh_log(kafka, partitions=1) as log:
        yield log


def admin_of(log: KafkaLog) -> AdminClient:
    """Whoever may change the topics."""
    return AdminClient({"bootstrap.servers": log.cluster.settings.bootstrap_servers})


def remove_before(log: KafkaLog, topic: str, offset: int) -> None:
    """What retention does."""
    at = TopicPartition(log.cluster.named(topic), 0, offset)
    admin = admin_of(log)  # kept: futures of a client that is gone never end
    for future in admin.delete_records([at], request_timeout=20).values():
        future.result()


def test_topics_are_made_for_good(log: KafkaLog) -> None:
    """Nothing is removed by age or size, the broker says when a record came, large ones fit."""
    resources = [ConfigResource(ConfigResource.Type.TOPIC, log.cluster.named(topic)) for topic in TOPICS]
    admin = admin_of(log)
    for future in admin.describe_configs(resources, request_timeout=20).values():
        config = future.result()
        wanted = ("retention.ms", "retention.bytes", "cleanup.policy", "message.timestamp.type", "max.message.bytes")
        assert [config[name].value for name in wanted] == ["-1", "-1", "delete", "LogAppendTime", "16777216"]


def test_topics_have_one_number_of_partitions(kafka: str) -> None:
    """New ones are made with the number that the others have, whatever the setting says now."""
    with fresh_log(kafka, partitions=3) as log:
        delete_topics(log.cluster.settings, topics=["odds"])
        with KafkaLog(replace(log.cluster.settings, partitions=5)) as again:
            assert {3} == set(again.cluster.partitions.values())


def test_a_topic_that_was_made_again_is_of_another_log(log: KafkaLog) -> None:
    """Its old positions mean nothing."""
    delete_topics(log.cluster.settings)
    with KafkaLog(log.cluster.settings) as again:
        assert log.log_id != again.log_id


def test_records_that_retention_took_before_they_were_read_are_told(log: KafkaLog) -> None:
    """To whoever comes from a stored position; who had fetched them ahead misses none. Nothing is skipped."""
    log.append([started(number) for number in range(9)])
    _, positions = log.read({}, 3)
    remove_before(log, "events", 6)
    with (
        KafkaLog(log.cluster.settings) as other,
        pytest.raises(LogError, match=r"offsets 3 to 5 of .*events/0 are gone: retention, or somebody, has removed"),
    ):
        drained(other, positions=positions)


def test_what_retention_left_is_read_from_its_start(log: KafkaLog) -> None:
    """By who has not begun yet, or is behind it already."""
    log.append([started(number) for number in range(9)])
    remove_before(log, "events", 6)
    assert [started(number) for number in (6, 7, 8)] == records_in(drained(log))
    assert [started(8)] == records_in(drained(log, positions={**log.end(), ("events", 0): 8}))
    assert log.find("events", started(2).ref) is None
    remove_before(log, "events", 9)
    batch, positions = log.read({}, 10)
    assert (0, log.end()) == (batch.num_rows, positions)


@pytest.mark.timeout(240)
def test_what_compaction_left_is_read_to_the_end(log: KafkaLog) -> None:
    """The newest of each key, over gaps; and such a topic is named."""
    set_topic(log, "events", {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"})
    assert [f"{log.cluster.named('events')}: cleanup.policy=compact"] == log.cluster.forgetful()

    deadline = time.monotonic() + 200
    numbers = iter(range(10_000))
    while True:
        log.append([started(next(numbers), EVENTS[0]), started(next(numbers), EVENTS[1])])
        with KafkaLog(log.cluster.settings) as other:
            found = [row["offset"] for row in drained(other)]
        if len(found) < found[-1] + 1:
            break
        assert time.monotonic() < deadline, "the broker did not compact the topic"
        time.sleep(1)

    batch, positions = log.read({}, 10_000)
    assert (found[-1], log.end()) == (batch["offset"][-1].as_py(), positions)


class OtherBrokerRefuses(Faults):
    """One broker of several lets nobody in, while the others answer."""

    def clear(self) -> None:
        """It is told again at each answer."""


def test_what_came_while_a_broker_refused_is_read_again(log: KafkaLog) -> None:
    """From the same positions, by who had taken it from the client and then heard of the failure."""
    log.append([started(number) for number in range(9)])
    start, well = log.earliest(), log.cluster.faults
    log.cluster.faults = OtherBrokerRefuses()
    log.cluster.faults.note(KafkaError(KafkaError._SSL))
    for _ in range(20):
        with pytest.raises(LogError, match="TLS failed"):
            log.read(start, 100)
    log.cluster.faults = well
    assert [started(number) for number in range(9)] == records_in(drained(log, positions=start))


def test_a_raw_payload_is_on_the_log_before_what_was_read_from_it_is_sent(log: KafkaLog) -> None:
    """Where the broker refuses it, nothing stands on record that cites it."""
    set_topic(log, "raw_payloads", {"max.message.bytes": "1000"})
    payload = make(RawPayloadCaptured, content="".join(map(str, range(5_000))))
    with pytest.raises(LogError, match="not all of the records are on it"):
        log.append([started(1), payload, started(2)])
    assert drained(log) == []


@pytest.mark.parametrize("size", [1, 100_000, 10_000_000])
def test_a_batch_of_large_records_ends_early_and_the_next_goes_on(kafka: str, size: int) -> None:
    """So that a reader's memory has a bound, whatever the limit."""
    with fresh_log(kafka) as log, KafkaLog(log.cluster.settings, batch_bytes=size) as reader:
        log.append(make(RawPayloadCaptured, number=n, content="x" * 1000) for n in range(3000))
        assert len(drained(reader, limit=1_000_000)) == 3000


def test_what_is_no_record_is_not_appended(log: KafkaLog) -> None:
    """A copy says which row it was."""
    row = {"topic": "events", "partition": 0, "offset": 7, "fault": "a tombstone"}
    with pytest.raises(LogError, match="events/0/7 is no record and is not copied: a tombstone"):
        log.append_batch(pa.Table.from_pylist([row], schema=BATCH))


@pytest.mark.parametrize(
    "use", [lambda log: log.read_topic("nonsense", {}, 1), lambda log: log.find("x", "E1~" + "0" * 36)]
)
def test_an_unknown_topic_is_told(log: KafkaLog, use: Callable[[KafkaLog], Any]) -> None:
    """With those that there are."""
    with pytest.raises(LogError, match=r"there is no topic .*; there are raw_payloads, events"):
        use(log)


def test_a_topic_that_was_deleted_is_told(kafka: str) -> None:
    """By readers that were there before."""
    with fresh_log(kafka, timeout_s=3.0) as log:
        log.append([started(1)])
        delete_topics(log.cluster.settings)
        for use in (log.end, lambda: log.read({}, 1)):
            with pytest.raises(LogError, match="a topic is missing: was it deleted"):
                use()


def test_a_closed_log_says_so(log: KafkaLog) -> None:
    """Closing twice is fine, using it afterwards is not."""
    log.append([started(1)])
    log.close()
    log.close()
    for use in (log.end, log.conflicts, lambda: log.append([started(2)]), lambda: log.read({}, 1)):
        with pytest.raises(LogError, match="open it again"):
            use()


def test_brokers_that_nobody_finds_are_told() -> None:
    """In one line, with what to set; as soon as it is sure."""
    with pytest.raises(LogError, match=r"no broker of 127.0.0.1:1 answers: make sure that they run") as refused:
        KafkaLog(KafkaSettings("127.0.0.1:1", timeout_s=2))
    assert "\n" not in str(refused.value)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """A broker of our own, to be stopped."""
    with LocalCluster(tmp_path / "cluster") as cluster:
        yield cluster


@pytest.mark.parametrize("outage", ["terminate", "kill", "freeze"])
def test_appends_and_reads_wait_for_a_broker_that_is_away(cluster: LocalCluster, outage: str) -> None:
    """For `timeout_s`; then they go on, and nothing is lost."""
    [broker] = cluster.brokers
    with fresh_log(cluster.bootstrap_servers, timeout_s=60.0) as log:
        log.append([started(1)])
        assert len(drained(log)) == 1
        getattr(broker, outage)()
        back = threading.Timer(3, broker.thaw if outage == "freeze" else broker.start)
        back.start()
        log.append([started(2)])
        back.join()
        assert [started(1), started(2)] == records_in(drained(log))


def test_brokers_that_stay_away_are_told_in_time(cluster: LocalCluster) -> None:
    """After `timeout_s`, by appends and by reads."""
    with (
        fresh_log(cluster.bootstrap_servers, timeout_s=60.0) as log,
        KafkaLog(replace(log.cluster.settings, timeout_s=3)) as hasty,
    ):
        hasty.append([started(1)])
        cluster.brokers[0].kill()
        for use in (lambda: hasty.append([started(2)]), lambda: hasty.read({}, 1), hasty.end):
            begun = time.monotonic()
            with pytest.raises(LogError, match=r"no broker of .* answers"):
                use()
            assert time.monotonic() - begun < 20
        cluster.brokers[0].start()
        hasty.append([started(2)])
        assert [started(1), started(2)] == records_in(drained(hasty))
