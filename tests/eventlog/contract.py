"""The contract of the log port as tests: every sentence of `eventlog.log`, for any adapter.

An adapter's test module subclasses `LogContract`, and `SharedLogContract` where several handles and processes can open
one log; it says how a log is opened, and nothing else.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from eventlog.clock import Clock, ManualClock
from eventlog.columns import to_envelope
from eventlog.log import BATCH, EventLog, Positions, behind_by, latest, reached
from schemas.codec import Codec, UndecodableRecordError, UnknownRecordError
from schemas.events import EventScheduled, EventStarted
from schemas.ids import hashed_id, reference
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import RECORD_TYPES, TOPICS
from tests.records import EVENTS, NOON, make
from tests.schemas.filled import filled, sparse

Opener = Callable[[], EventLog]
"""Opens the log; it can be pickled where the log can be shared."""


def started(number: int, event_id: str = EVENTS[0], **envelope: Any) -> EventStarted:
    """One of many records that differ by number."""
    return make(EventStarted, event_id, number=number).model_copy(update=envelope)


def drained(log: EventLog, limit: int = 1000, positions: Positions | None = None) -> list[dict[str, Any]]:
    """Every row from `positions` to the end that was seen first, a batch at a time, as a reader takes them."""
    positions, target, rows = positions or {}, log.end(), list[dict[str, Any]]()
    while not reached(positions, target):
        batch, positions = log.read(positions, limit)
        rows += batch.to_pylist()
    return firsts(rows) if log.may_repeat else rows


def firsts(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of each topic and record_id: what a reader takes from a log on which records may lie more than once."""
    taken: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        taken.setdefault((row["topic"], row["record_id"]), row)
    return list(taken.values())


def records_in(rows: Sequence[dict[str, Any]]) -> list[Record]:
    """Decoded, without the stamp."""
    return [Codec().decode(to_envelope(row)).model_copy(update={"recorded_at": None}) for row in rows]


def by_id(records: Sequence[Record]) -> list[Record]:
    """In an order that does not depend on partitions."""
    return sorted(records, key=lambda record: record.record_id)


def assert_in_order(rows: Sequence[dict[str, Any]]) -> None:
    """Topics in their order within the batch; offsets grow within each partition."""
    places = [TOPICS.index(row["topic"]) for row in rows]
    assert sorted(places) == places
    for first, second in pairwise(rows):
        if (first["topic"], first["partition"]) == (second["topic"], second["partition"]):
            assert first["offset"] < second["offset"]


class LogContract(ABC):
    """What holds for every log."""

    @abstractmethod
    def new_log(self, clock: Clock) -> EventLog:
        """Open a log that has never been used."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Stands at noon."""
        return ManualClock(NOON)

    @pytest.fixture
    def log(self, clock: ManualClock) -> Iterator[EventLog]:
        """An empty log."""
        opened = self.new_log(clock)
        yield opened
        opened.close()

    # append

    @pytest.mark.parametrize("kind", RECORD_TYPES)
    def test_what_is_appended_is_read(self, log: EventLog, kind: type[Record]) -> None:
        """Of every type: with every field set, and with none but the required ones."""
        given = [filled(kind), sparse(kind)]
        log.append(given)
        assert by_id(given) == by_id(records_in(drained(log)))

    def test_an_append_of_nothing_changes_nothing(self, log: EventLog) -> None:
        """No positions, no records."""
        before = log.end()
        assert (log.append([]), log.append_json([]), log.append_batch(BATCH.empty_table())) == ({}, {}, {})
        assert before == log.end()

    def test_an_append_takes_any_iterable(self, log: EventLog) -> None:
        """A generator is run once."""
        log.append(started(number) for number in range(3))
        assert len(drained(log)) == 3

    def test_a_record_that_is_there_is_left_alone(self, log: EventLog, clock: ManualClock) -> None:
        """Sent again, it is neither doubled nor stamped anew, and is no conflict."""
        log.append([started(1)])
        before = drained(log)
        clock.advance(timedelta(hours=1))
        log.append([started(1), started(1)])
        assert (before, []) == (drained(log), log.conflicts())

    def test_a_record_twice_in_one_append_is_kept_once(self, log: EventLog) -> None:
        """The same rule within one call."""
        log.append([started(1), started(2), started(1)])
        assert by_id([started(1), started(2)]) == by_id(records_in(drained(log)))

    def test_new_records_beside_old_ones_are_appended(self, log: EventLog) -> None:
        """A batch that is sent again with more loses nothing."""
        log.append([started(1)])
        log.append([started(1), started(2), started(3)])
        assert by_id([started(1), started(2), started(3)]) == by_id(records_in(drained(log)))

    @pytest.mark.parametrize(
        "change",
        [
            {"producer": "other"},
            {"occurred_at": NOON + timedelta(microseconds=1)},
            {"origin": "BACKFILL"},
            {"correlation_id": "c"},
            {"data": make(EventStarted, assumed=True).data},
        ],
    )
    def test_of_two_contents_the_first_stays_and_the_other_is_counted(
        self, log: EventLog, clock: ManualClock, change: dict[str, Any]
    ) -> None:
        """A conflict names the record and when it was seen."""
        log.append([started(1)])
        log.append([started(1, **change)])
        [conflict] = log.conflicts()
        assert [started(1)] == records_in(drained(log))
        assert ("events", started(1).record_id, NOON) == tuple(
            conflict[name] for name in ("topic", "record_id", "seen_at")
        )

    def test_one_conflict_is_counted_once_however_often_it_is_sent(self, log: EventLog) -> None:
        """A producer that tries again does not make it two."""
        log.append([started(1), started(1, producer="other")])
        log.append([started(1, producer="other")])
        assert len(log.conflicts()) == 1

    def test_each_other_content_is_a_conflict_of_its_own(self, log: EventLog) -> None:
        """Three contents are two conflicts."""
        log.append([started(1), started(1, producer="second"), started(1, producer="third")])
        assert len(log.conflicts()) == 2

    def test_known_records_and_conflicts_among_very_many_are_told_apart(self, log: EventLog) -> None:
        """However many at once, each is compared with the one of its own id, on the log or in the call."""
        given = [started(number) for number in range(1500)]
        changed = {number: started(number, producer="other") for number in (0, 511, 512, 513, 1400, 1499)}
        log.append(given[:1400])
        log.append([*given, *(changed.get(number, given[number]) for number in reversed(range(1500)))])
        assert by_id(given) == by_id(records_in(drained(log)))
        told = [conflict["record_id"] for conflict in log.conflicts()]
        assert sorted(told) == sorted(record.record_id for record in changed.values())

    def test_an_id_is_of_one_topic(self, log: EventLog) -> None:
        """The same record_id in two topics is two records."""
        other = make(OddsSnapshotCaptured).model_copy(update={"record_id": started(1).record_id})
        log.append([started(1), other])
        assert (len(drained(log)), log.conflicts()) == (2, [])

    def test_every_record_is_stamped_from_the_logs_clock(self, log: EventLog, clock: ManualClock) -> None:
        """Whatever stamp it came with; a backdated record cannot be made."""
        log.append([started(1, recorded_at=NOON - timedelta(days=9))])
        clock.advance(timedelta(seconds=1, microseconds=1))
        log.append([started(2)])
        stamps = {row["record_id"]: row["recorded_at"] for row in drained(log)}
        expected = {started(1).record_id: NOON, started(2).record_id: NOON + timedelta(seconds=1, microseconds=1)}
        assert expected == stamps

    def test_a_reader_that_reached_the_positions_of_an_append_has_seen_its_records(self, log: EventLog) -> None:
        """Old and new ones alike."""
        log.append([started(1)])
        log.append([started(number) for number in range(2, 9)])
        target = log.append([started(1), started(9), make(OddsSnapshotCaptured)])
        positions, seen = dict[tuple[str, int], int](), set[str]()
        while not reached(positions, target):
            batch, moved = log.read(positions, 2)
            positions = dict(moved)
            seen.update(batch["record_id"].to_pylist())
        assert {started(1).record_id, started(9).record_id, make(OddsSnapshotCaptured).record_id} <= seen

    # append_json

    @pytest.mark.parametrize("kind", RECORD_TYPES)
    def test_json_bytes_become_the_same_record(self, log: EventLog, kind: type[Record]) -> None:
        """By either way in, the log holds the same bytes of payload."""
        log.append_json([filled(kind).model_dump_json().encode()])
        [row] = drained(log)
        assert filled(kind).data.model_dump_json() == row["data"]
        log.append([filled(kind)])
        assert ([row], []) == (drained(log), log.conflicts())

    def test_json_without_defaults_is_stored_with_them(self, log: EventLog) -> None:
        """Readers of the payload find every field."""
        record = sparse(EventStarted)
        envelope = {**record.model_dump(mode="json", exclude_defaults=True), "type": record.type, "schema_version": 1}
        log.append_json([json.dumps({**envelope, "record_id": record.record_id}).encode()])
        assert [record.data.model_dump_json()] == [row["data"] for row in drained(log)]

    def test_json_is_stored_in_one_spelling(self, log: EventLog) -> None:
        """Blanks, other offsets and lower-case words in the bytes do not reach the log."""
        record = make(OddsSnapshotCaptured)
        text = (
            record.model_dump_json()
            .replace("SPREAD:FULL_GAME", " spread:full_game")
            .replace("12:00:00Z", "14:00:00+02:00")
        )
        log.append_json([json.dumps(json.loads(text), indent=1).encode()])
        assert [record] == records_in(drained(log))
        assert [record.data.model_dump_json()] == [row["data"] for row in drained(log)]

    @pytest.mark.parametrize(
        ("raw", "error"),
        [
            (b"\xff", UndecodableRecordError),
            (b"{}", UndecodableRecordError),
            (
                started(2).model_dump_json().replace("2024-03-31T12:02:00Z", "soon").encode()[:-2],
                UndecodableRecordError,
            ),
            (started(2).model_dump_json().replace("EventStarted", "Nothing").encode(), UnknownRecordError),
        ],
    )
    def test_json_that_is_no_record_is_refused_and_nothing_is_appended(
        self, log: EventLog, raw: bytes, error: type[Exception]
    ) -> None:
        """Validation comes before the append."""
        with pytest.raises(error):
            log.append_json([started(1).model_dump_json().encode(), raw])
        assert drained(log) == []

    # append_batch

    def test_a_copied_batch_keeps_its_stamps(self, log: EventLog, clock: ManualClock) -> None:
        """A copy of a log is known at the same times."""
        with closing(self.new_log(clock)) as other:
            other.append([filled(kind) for kind in RECORD_TYPES])
            before, _ = other.read({}, 1000)
        clock.advance(timedelta(days=1))
        positions = log.append_batch(before)
        after = drained(log)
        kept = [name for name in BATCH.names if name not in ("partition", "offset")]
        assert _columns(before.to_pylist(), kept) == _columns(after, kept)
        assert reached(log.end(), positions)

    def test_a_batch_without_stamps_is_stamped(self, log: EventLog) -> None:
        """Only what is missing is set."""
        with closing(self.new_log(ManualClock(NOON - timedelta(days=1)))) as other:
            other.append([started(1), started(2)])
            rows = drained(other)
        rows[1]["recorded_at"] = None
        log.append_batch(pa.Table.from_pylist(rows, schema=BATCH))
        assert [NOON - timedelta(days=1), NOON] == [row["recorded_at"] for row in drained(log)]

    def test_a_batch_copied_twice_adds_nothing(self, log: EventLog) -> None:
        """The same rule as for records; another layout of the same payload is no other content."""
        log.append([filled(kind) for kind in RECORD_TYPES])
        rows = drained(log)
        spread = [{**row, "data": json.dumps(json.loads(row["data"]), indent=1)} for row in rows]
        log.append_batch(pa.Table.from_pylist(spread, schema=BATCH))
        assert (rows, []) == (drained(log), log.conflicts())

    def test_a_batch_with_other_content_is_a_conflict(self, log: EventLog) -> None:
        """The first stays."""
        log.append([started(1)])
        rows = drained(log)
        log.append_batch(pa.Table.from_pylist([{**rows[0], "producer": "other"}], schema=BATCH))
        assert (rows, 1) == (drained(log), len(log.conflicts()))

    # read

    def test_an_empty_log_gives_an_empty_batch_and_has_been_read(self, log: EventLog) -> None:
        """With the columns of a batch; the reader has caught up."""
        batch, positions = log.read({}, 10)
        assert (batch.schema, batch.num_rows, reached(positions, log.end())) == (BATCH, 0, True)

    def test_a_batch_has_the_columns_of_the_port(self, log: EventLog) -> None:
        """Names, types and order."""
        log.append([filled(kind) for kind in RECORD_TYPES])
        assert log.read({}, 1000)[0].schema == BATCH

    @pytest.mark.parametrize("limit", [1, 2, 7, 1000])
    def test_a_batch_holds_at_most_its_limit_and_the_next_goes_on_behind_it(self, log: EventLog, limit: int) -> None:
        """Whatever the limit, all records come, once, in order."""
        given = [filled(kind) for kind in RECORD_TYPES] + [started(number) for number in range(20)]
        log.append(given)
        positions, rows = dict[tuple[str, int], int](), list[dict[str, Any]]()
        while not reached(positions, log.end()):
            batch, moved = log.read(positions, limit)
            assert batch.num_rows <= limit
            assert_in_order(batch.to_pylist())
            positions, rows = dict(moved), rows + batch.to_pylist()
        assert by_id(given) == by_id(records_in(rows))

    def test_reading_does_not_change_the_positions_handed_in(self, log: EventLog) -> None:
        """The caller's mapping stays as it is."""
        log.append([started(1)])
        positions: dict[tuple[str, int], int] = {}
        log.read(positions, 10)
        assert positions == {}

    def test_at_the_end_there_is_nothing_to_read_until_more_comes(self, log: EventLog) -> None:
        """Then only what came is read."""
        log.append([started(1)])
        _, positions = log.read({}, 10)
        batch, again = log.read(positions, 10)
        assert (0, positions) == (batch.num_rows, again)
        log.append([started(2)])
        assert [started(2)] == records_in(drained(log, positions=positions))

    def test_a_partition_that_is_not_named_is_read_from_its_start(self, log: EventLog) -> None:
        """Positions of one topic alone say nothing of the others."""
        log.append([started(1), make(OddsSnapshotCaptured)])
        only_events = {key: offset for key, offset in log.end().items() if key[0] == "events"}
        assert [make(OddsSnapshotCaptured)] == records_in(drained(log, positions=only_events))

    def test_records_of_one_key_keep_their_order(self, log: EventLog) -> None:
        """They share a partition."""
        given = [started(number, EVENTS[number % 2]) for number in range(40)]
        for first in range(0, 40, 7):
            log.append(given[first : first + 7])
        read = records_in(drained(log, limit=3))
        for event_id in EVENTS:
            assert [r for r in given if r.event_id == event_id] == [r for r in read if r.event_id == event_id]

    def test_one_topic_can_be_read_alone(self, log: EventLog) -> None:
        """With its own limit and positions."""
        log.append([started(1), started(2), make(OddsSnapshotCaptured)])
        positions, rows = dict[tuple[str, int], int](), list[dict[str, Any]]()
        target = {key: offset for key, offset in log.end().items() if key[0] == "events"}
        while not reached(positions, target):
            batch, moved = log.read_topic("events", positions, 1)
            assert batch.num_rows <= 1
            positions, rows = dict(moved), rows + batch.to_pylist()
        assert by_id([started(1), started(2)]) == by_id(records_in(rows))
        assert {"events"} == {topic for topic, _ in positions}

    def test_reading_a_topic_that_is_empty_gives_an_empty_batch(self, log: EventLog) -> None:
        """Of the right columns."""
        log.append([started(1)])
        batch, _ = log.read_topic("odds", {}, 10)
        assert (batch.schema, batch.num_rows) == (BATCH, 0)

    # find

    def test_a_reference_finds_its_record(self, log: EventLog) -> None:
        """Among others of its topic, with its stamp."""
        log.append([started(number) for number in range(9)])
        found = log.find("events", started(4).ref)
        assert found == started(4, recorded_at=NOON)

    def test_a_reference_finds_records_of_no_event(self, log: EventLog) -> None:
        """They are keyed by their payload."""
        record = make(RawPayloadCaptured)
        log.append([record])
        found = log.find("raw_payloads", record.ref)
        assert found is not None
        assert record.data == found.data

    @pytest.mark.parametrize(
        ("topic", "ref"),
        [
            ("events", reference(EVENTS[0], hashed_id("nobody"))),
            ("events", reference(EVENTS[1], started(1).record_id)),
            ("odds", started(1).ref),
        ],
        ids=["unknown id", "another key", "another topic"],
    )
    def test_what_a_reference_does_not_name_is_none(self, log: EventLog, topic: str, ref: str) -> None:
        """The key is part of the name."""
        log.append([started(1)])
        assert log.find(topic, ref) is None

    def test_what_is_no_reference_is_refused(self, log: EventLog) -> None:
        """With what an id looks like."""
        with pytest.raises(ValueError, match="pass the id that the call returned"):
            log.find("events", "nonsense")

    # end, earliest

    def test_an_end_that_was_taken_stays_where_it_was(self, log: EventLog) -> None:
        """A reader that has reached it has caught up with that moment."""
        log.append([started(1)])
        before = log.end()
        log.append([started(2)])
        assert not reached(before, log.end())
        assert behind_by(before, log.end()) == 1

    def test_the_earliest_positions_are_those_of_the_first_records(self, log: EventLog) -> None:
        """Reading from there reads everything."""
        log.append([filled(kind) for kind in RECORD_TYPES])
        assert len(RECORD_TYPES) == len(drained(log, positions=log.earliest()))
        assert reached(log.end(), log.earliest())

    def test_a_reader_that_read_everything_has_reached_the_end(self, log: EventLog) -> None:
        """And is no record behind."""
        log.append([filled(kind) for kind in RECORD_TYPES])
        _, positions = log.read({}, 1000)
        while not reached(positions, log.end()):
            _, positions = log.read(positions, 1000)
        assert behind_by(positions, log.end()) == 0

    def test_an_append_reaches_no_further_than_the_end(self, log: EventLog) -> None:
        """Its positions are positions of this log."""
        positions = latest(log.append([started(1)]), log.append([make(OddsSnapshotCaptured)]))
        assert reached(log.end(), positions)

    def test_each_log_has_its_own_id(self, log: EventLog, clock: ManualClock) -> None:
        """Positions of another log mean nothing."""
        with closing(self.new_log(clock)) as other:
            assert (log.log_id, True) == (log.log_id, log.log_id != other.log_id)

    # contents

    @pytest.mark.parametrize(
        "text",
        [
            "Österreich ☂ 日本語 🏈",
            "a'b\"c\\d",
            "line\nbreak\ttab",
            "nul\x00inside",
            "; DROP TABLE events; --",
            "e\u0301",
        ],
    )
    def test_any_text_survives(self, log: EventLog, text: str) -> None:
        """In the envelope and in the payload."""
        record = make(RawPayloadCaptured, content=text).model_copy(update={"correlation_id": text, "producer": text})
        log.append([record])
        assert [record] == records_in(drained(log))

    def test_a_payload_of_a_megabyte_survives(self, log: EventLog) -> None:
        """And so do small ones beside it."""
        large = [make(RawPayloadCaptured, number=n, content=f"{n}" * 1_000_000) for n in range(3)]
        given = by_id([*large, started(1)])
        log.append(given)

        found = by_id(records_in(drained(log)))

        assert [record.record_id for record in given] == [record.record_id for record in found]
        assert all(one == other for one, other in zip(given, found, strict=True))

    @pytest.mark.parametrize(
        "at",
        [
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2024, 2, 29, 12, 30, 15, 123_457, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ],
    )
    def test_a_time_is_kept_to_the_microsecond(self, log: EventLog, at: datetime) -> None:
        """From the first year to the last."""
        log.append([make(EventStarted, at=at)])
        assert [at] == [row["occurred_at"] for row in drained(log)]

    def test_a_column_may_be_empty_for_long_and_then_hold_text(self, log: EventLog) -> None:
        """Types do not depend on what came first, nor on the number of rows."""
        given = [started(number) for number in range(5000)]
        given[-1] = started(4999, causation_id="cause", correlation_id="correlated")
        log.append(given)
        rows = drained(log, limit=1_000_000)
        assert {None, "cause"} == {row["causation_id"] for row in rows}
        assert len(rows) == 5000

    # threads

    def test_threads_may_share_a_log(self, log: EventLog) -> None:
        """Appending, reading and looking up at once: nothing is lost, nothing doubled."""

        def work(worker: int) -> int:
            for number in range(worker * 20, worker * 20 + 20):
                log.append([started(number), make(EventScheduled)])
                assert log.find("events", started(number).ref) is not None
                log.read({}, 50)
            return len(log.conflicts())

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(work, range(6))) == [0] * 6
        expected = [*(started(number) for number in range(120)), make(EventScheduled)]
        assert by_id(expected) == by_id(records_in(drained(log)))


def _columns(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)
