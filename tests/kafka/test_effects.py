"""However often a record is sent, read or delivered, it has one effect."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from eventlog.clock import ManualClock
from eventlog.kafka import KafkaLog
from eventlog.kafka_values import partition_of, to_stamp, to_value
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.digest import exact_digests
from projections.store import Store
from schemas.events import EventScheduled, EventStarted
from schemas.odds import OddsSnapshotCaptured
from schemas.record import Record
from tests.content import content_digests
from tests.kafka.log_on import ForeignProducer, fresh_log
from tests.records import EVENTS, MINUTE, NOON, make

pytestmark = pytest.mark.kafka
RECORDS: tuple[Record, ...] = (
    *(make(EventScheduled, event) for event in EVENTS[:1]),
    *(make(OddsSnapshotCaptured, EVENTS[n % 2], MINUTE[n % 9], number=n) for n in range(60)),
    *(make(EventStarted, EVENTS[n % 2], number=n) for n in range(3)),
)


@dataclass
class Scene:
    """A log, somebody else who writes to it, and a store that folds it."""

    log: KafkaLog
    foreign: ForeignProducer
    store: Store

    def fold(self) -> dict[str, str]:
        """Catch up; the content of all tables."""
        catch_up(self.log, self.store)
        return content_digests(self.store)


@pytest.fixture
def scene(kafka: str) -> Iterator[Scene]:
    """Nothing is on the log yet."""
    with fresh_log(kafka, ManualClock(NOON)) as log:
        store = Store(log_id=log.log_id)
        yield Scene(log, ForeignProducer(log.cluster.settings), store)
        store.close()


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """The content of all tables where each record was appended once, to a log that refuses the rest."""
    store = Store()
    with SqliteLog(":memory:", ManualClock(NOON)) as log:
        log.append(RECORDS)
        catch_up(log, store)
    digests = content_digests(store)
    store.close()
    return digests


def test_records_that_are_sent_twice_change_no_table(scene: Scene, expected: dict[str, str]) -> None:
    """At once and later, by us and by others, whole and in part."""
    scene.log.append([*RECORDS, *RECORDS[:9]])
    assert expected == scene.fold()
    scene.log.append(RECORDS[20:])
    for record in RECORDS[:5]:
        scene.foreign.put(record.topic, record.model_dump_json().encode(), record.key)
    assert expected == scene.fold()
    assert scene.store.rows("SELECT count(*) FROM conflicts") == [(0,)]


def test_a_producer_that_starts_again_in_the_midst_of_a_batch_doubles_nothing(
    scene: Scene, expected: dict[str, str]
) -> None:
    """It cannot know what was durable, and sends everything again."""
    with KafkaLog(scene.log.cluster.settings, ManualClock(NOON)) as first:
        first.append(RECORDS[:31])
    scene.fold()
    with KafkaLog(scene.log.cluster.settings, ManualClock(NOON)) as second:
        second.append(RECORDS)
    assert expected == scene.fold()


def test_what_is_delivered_again_changes_nothing(scene: Scene, expected: dict[str, str]) -> None:
    """Batches read before a crash come again after it, from any position that was stored, or from none."""
    scene.log.append(RECORDS)
    batch, after = scene.log.read({}, 40)
    scene.store.fold(batch, after, may_repeat=True)
    again, _ = scene.log.read({}, 1000)
    scene.store.fold(again, after, may_repeat=True)
    assert expected == scene.fold()
    before = exact_digests(scene.store)
    everything, end = scene.log.read({}, 1000)
    scene.store.fold(everything, end, may_repeat=True)
    assert before == exact_digests(scene.store)


def test_a_store_that_lost_its_positions_folds_nothing_twice(scene: Scene, expected: dict[str, str]) -> None:
    """Each record is known by its id as well as by its place."""
    scene.log.append(RECORDS)
    scene.fold()
    scene.store.execute("DELETE FROM positions")
    assert expected == scene.fold()


def test_of_one_id_with_two_contents_the_first_counts_and_the_others_are_counted(
    scene: Scene, expected: dict[str, str]
) -> None:
    """By whoever they were sent; log and store count the same, each content once, and a rebuild finds them again."""
    scene.log.append(RECORDS)
    others = [RECORDS[1].model_copy(update={"producer": name}) for name in ("second", "third", "second")]
    scene.log.append(others[:2])
    scene.foreign.put(others[2].topic, others[2].model_dump_json().encode(), others[2].key)
    assert expected == scene.fold()
    told = sorted((each["record_id"], each["refused"]) for each in scene.log.conflicts())
    counted = "SELECT record_id, refused FROM conflicts ORDER BY ALL"
    assert told == scene.store.rows(counted)
    assert len(told) == 2
    rebuilt = Store(log_id=scene.log.log_id)
    catch_up(scene.log, rebuilt, rows=7)
    assert (told, exact_digests(scene.store)) == (rebuilt.rows(counted), exact_digests(rebuilt))
    rebuilt.close()


def await_markers(log: KafkaLog) -> None:
    """The end of a transaction is promised before its marker is written: until then it holds the log's end back."""
    lanes, deadline = log.cluster.lanes(["events"]), time.monotonic() + 60
    while log.cluster.ends(lanes) != log.cluster.ends(lanes, stable=False):
        assert time.monotonic() < deadline, "a transaction is still open"
        time.sleep(0.05)


def test_records_of_aborted_transactions_are_never_seen(scene: Scene) -> None:
    """Those of open ones not yet; positions go over the markers, so that a reader catches up."""
    settings = scene.log.cluster.settings
    other = ForeignProducer(settings, **{"transactional.id": settings.topic_prefix})
    producer, topic = other.producer, settings.topic_prefix + "events"
    producer.init_transactions()
    for number, end in enumerate((producer.abort_transaction, producer.commit_transaction, producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce(topic, to_value(make(EventStarted, number=number), to_stamp(NOON)), EVENTS[0])
        producer.flush()
        scene.fold()
        end()
    await_markers(scene.log)
    scene.fold()
    assert scene.store.rows("SELECT count(*) FROM event_changes") == [(1,)]
    assert scene.store.positions() == scene.log.end()


def test_a_key_lies_where_other_clients_look_for_it(scene: Scene) -> None:
    """In the partition that Kafka's own partitioner chooses: else nobody would find the record."""
    keys = ["a", "ab", "abc", "abcd", "Österreich", *EVENTS, *(f"EPL-{n}" for n in range(40))]
    scene.log.append(make(EventStarted, key, number=number) for number, key in enumerate(keys))
    batch, _ = scene.log.read({}, 1000)
    lies = dict(zip(batch["event_id"].to_pylist(), batch["partition"].to_pylist(), strict=True))
    assert {key: partition_of(key, 2) for key in keys} == lies
