"""Whatever foreign producers put on the topics: what is no record is kept aside, the rest flows, nothing is lost."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eventlog.kafka import KafkaLog
from eventlog.log import LogError
from projections.catch_up import catch_up
from projections.dead_letters import as_batch
from projections.digest import exact_digests
from projections.store import Store
from schemas.events import EventScheduled, EventStarted
from schemas.raw_payloads import RawPayloadCaptured
from tests.eventlog.contract import drained
from tests.kafka.log_on import ForeignProducer, fresh_log
from tests.records import EVENTS, NOON, make

pytestmark = pytest.mark.kafka
GOOD = make(EventStarted, number=1)
EIGHT_MEGABYTES = 8 * 1024 * 1024


def without(name: str) -> bytes:
    """A record that lacks a field of its envelope."""
    envelope = json.loads(GOOD.model_dump_json())
    del envelope[name]
    return json.dumps(envelope).encode()


def changed(number: int, **fields: Any) -> bytes:
    """A record of that number with other fields."""
    return json.dumps({**json.loads(make(EventStarted, number=number).model_dump_json()), **fields}).encode()


POISON: dict[str, tuple[bytes | None, str, str]] = {
    "bad JSON": (b'{"record_id": ', "UNDECODABLE", "not a JSON record"),
    "no JSON at all": (b"\x00\x01\x02", "UNDECODABLE", "not a JSON record"),
    "empty": (b"", "UNDECODABLE", "not a JSON record"),
    "bad UTF-8": (b'{"producer": "\xff\xfe"}', "UNDECODABLE", "utf-8"),
    "a list": (b"[]", "UNDECODABLE", "a record is a JSON object, not a list"),
    "deep": (b"[" * 100_000, "UNDECODABLE", "not a JSON record"),
    "unknown type": (changed(2, type="CrowdCounted"), "UNKNOWN", "CrowdCounted version 1 is not known"),
    "newer version": (changed(3, schema_version=9), "UNKNOWN", "EventStarted version 9 is not known"),
    "no record_id": (without("record_id"), "UNDECODABLE", "record_id is missing"),
    "no type": (without("type"), "UNDECODABLE", "names its type"),
    "no occurred_at": (without("occurred_at"), "UNDECODABLE", "occurred_at"),
    "no event_id": (without("event_id"), "UNDECODABLE", "event_id"),
    "no payload": (without("data"), "UNDECODABLE", "data"),
    "a field too many": (changed(4, colour="red"), "UNDECODABLE", "colour"),
    "naive time": (changed(5, occurred_at="2024-03-31T12:00:00"), "UNDECODABLE", "timezone"),
    "naive time within": (
        changed(6, data={"started_at": "2024-03-31T12:00:00", "assumed": False}),
        "UNDECODABLE",
        "timezone",
    ),
    "tombstone": (None, "UNDECODABLE", "tombstone"),
    "wrong topic": (
        make(RawPayloadCaptured).model_dump_json().encode(),
        "UNDECODABLE",
        "RawPayloadCaptured belongs on topic raw_payloads, not on events",
    ),
    "8 MB of nothing": (b"x" * EIGHT_MEGABYTES, "UNDECODABLE", "not a JSON record"),
    "looks like our own": (b' {"record_id":"\xff"}', "UNDECODABLE", "utf-8"),
    "our own, cut short": (
        b" " + make(EventStarted, number=7).model_dump_json().encode()[:-9],
        "UNDECODABLE",
        "data is no JSON",
    ),
}


@pytest.fixture
def log(kafka: str) -> Iterator[KafkaLog]:
    """An empty log of one partition a topic, so that what lies behind the poison must pass it."""
    with fresh_log(kafka, partitions=1) as log:
        yield log


@pytest.fixture
def foreign(log: KafkaLog) -> ForeignProducer:
    """Somebody else."""
    return ForeignProducer(log.cluster.settings)


@pytest.fixture
def folded(log: KafkaLog) -> Iterator[Callable[[], Store]]:
    """A new store that has caught up, closed at the end."""
    made: list[Store] = []

    def fold() -> Store:
        made.append(Store(log_id=log.log_id))
        catch_up(log, made[-1])
        return made[-1]

    yield fold
    for store in made:
        store.close()


def test_poison_is_kept_aside_and_the_rest_flows(
    log: KafkaLog, foreign: ForeignProducer, folded: Callable[[], Store]
) -> None:
    """Each with its kind, its reason, its place, its event and its bytes; a rebuild finds the same."""
    for number, (value, _, _) in enumerate(POISON.values()):
        log.append([make(EventStarted, EVENTS[1], number=100 + number)])
        foreign.put("events", value)
    log.append([make(EventScheduled)])
    store = folded()
    letters = store.rows('SELECT kind, reason, raw, topic, "partition", event_id FROM dead_letters ORDER BY "offset"')
    assert [kind for _, kind, _ in POISON.values()] == [letter[0] for letter in letters]
    for (value, kind, reason), letter in zip(POISON.values(), letters, strict=True):
        assert reason in letter[1]
        assert letter[3:5] == ("events", 0)
        assert kind == "UNKNOWN" or b"data is no JSON" in letter[1].encode() or [value] == _bytes(letter[2])
    assert [(len(POISON) + 1,)] == store.rows("SELECT count(*) FROM event_changes")
    assert store.positions() == log.end()
    assert exact_digests(store) == exact_digests(folded())


def _bytes(raw: str) -> list[bytes | None]:
    values: list[bytes | None] = as_batch(raw)["value"].to_pylist()
    return values


def test_a_record_without_a_key_is_kept_aside(
    log: KafkaLog, foreign: ForeignProducer, folded: Callable[[], Store]
) -> None:
    """Nobody knows in which order it belongs."""
    foreign.put("events", GOOD.model_dump_json().encode(), key=None)
    [(reason, offset)] = folded().rows('SELECT reason, "offset" FROM dead_letters')
    assert ("the key is null" in reason, offset) == (True, 0)


def test_what_cannot_be_read_holds_up_its_own_event_alone(
    log: KafkaLog, foreign: ForeignProducer, folded: Callable[[], Store]
) -> None:
    """The key says which: nobody decides about it until somebody has looked."""
    foreign.put("events", b"{", key=EVENTS[0])
    assert [(EVENTS[0],)] == folded().rows("SELECT event_id FROM held_events")


@pytest.mark.parametrize("indent", [None, 1])
def test_a_good_record_of_a_foreign_producer_is_a_record(
    log: KafkaLog, foreign: ForeignProducer, indent: int | None
) -> None:
    """In whatever layout, without defaults, spelt otherwise; the broker says when it came, not its producer."""
    envelope = json.loads(GOOD.model_dump_json(exclude={"correlation_id", "origin"}))
    envelope |= {"occurred_at": "2024-03-31T14:00:00+02:00", "recorded_at": "1999-01-01T00:00:00Z"}
    foreign.put("events", json.dumps(envelope, indent=indent).encode(), key=GOOD.key)
    [row] = drained(log)
    assert (GOOD.record_id, NOON, GOOD.data.model_dump_json()) == (row["record_id"], row["occurred_at"], row["data"])
    assert (row["recorded_at"].year > 2020, row["fault"]) == (True, None)
    found = log.find("events", GOOD.ref)
    assert found is not None
    assert GOOD.data == found.data


def test_a_large_record_flows_and_a_larger_one_is_refused_with_what_to_do(kafka: str) -> None:
    """8 MB pass by default; beyond the setting the append says so and the log goes on."""
    large = make(RawPayloadCaptured, content="x" * EIGHT_MEGABYTES)
    with fresh_log(kafka) as log:
        log.append([large])
        assert [len(json.loads(row["data"])["content"]) for row in drained(log)] == [EIGHT_MEGABYTES]
    with fresh_log(kafka, max_record_bytes=1_000_000) as log:
        with pytest.raises(LogError, match="raise ONRECORD_KAFKA_MAX_RECORD_BYTES"):
            log.append([large])
        log.append([GOOD])
        assert [GOOD.record_id] == [row["record_id"] for row in drained(log)]
