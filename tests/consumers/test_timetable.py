"""Jobs are asked for at their times, the missed ones once, however many hosts ask."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from consumers.timetable import Timetable, due
from eventlog.clock import ManualClock
from eventlog.sqlite import SqliteLog
from schemas.events import EventScheduled
from tests.records import make

SATURDAY = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    """Saturday noon, the last of January."""
    return ManualClock(SATURDAY)


@pytest.fixture
def log(clock: ManualClock) -> Iterator[SqliteLog]:
    """A log that begins now."""
    with SqliteLog(":memory:", clock) as log:
        log.append([make(EventScheduled)])
        yield log


def asked(log: SqliteLog) -> list[tuple[str, str]]:
    """The jobs on record with their scheduled times."""
    rows = log.read_topic("requests", {}, 100)[0].to_pylist()
    return [(row["type"], f"{row['occurred_at']:%a %d %H:%M}") for row in rows]


def test_nothing_was_missed_before_the_log_began(log: SqliteLog, clock: ManualClock) -> None:
    """This morning's grading is no business of a log that was made at noon."""
    assert Timetable(log, clock, 180).ask() == 0


def test_each_job_is_asked_for_at_its_time(log: SqliteLog, clock: ManualClock) -> None:
    """Sunday, the first of February: calibration at three, grading at four, retention at five; grading each day."""
    timetable = Timetable(log, clock, 180)

    for _ in range(3 * 24 * 60):
        clock.advance(timedelta(minutes=1))
        timetable.ask()

    assert asked(log) == [
        ("CalibrationRequested", "Sun 01 03:00"),
        ("GradingRequested", "Sun 01 04:00"),
        ("RetentionRequested", "Sun 01 05:00"),
        ("GradingRequested", "Mon 02 04:00"),
        ("GradingRequested", "Tue 03 04:00"),
    ]


def test_what_was_missed_is_asked_for_once(log: SqliteLog, clock: ManualClock) -> None:
    """A host that was away for three weeks does not grade twenty times."""
    clock.advance(timedelta(weeks=3))

    assert Timetable(log, clock, 180).ask() == 3
    assert sorted(asked(log)) == [
        ("CalibrationRequested", "Sun 15 03:00"),
        ("GradingRequested", "Sat 21 04:00"),
        ("RetentionRequested", "Sun 01 05:00"),
    ]


def test_however_many_hosts_ask_it_happens_once(log: SqliteLog, clock: ManualClock) -> None:
    """Their records have one id and one content."""
    clock.advance(timedelta(days=1))

    for _ in range(3):
        Timetable(log, clock, 180).ask()

    assert len(asked(log)) == 3
    assert log.conflicts() == []


def test_a_host_that_began_with_an_empty_log_knows_its_beginning(clock: ManualClock) -> None:
    """When it began to look, nothing was there."""
    with SqliteLog(":memory:", clock) as log:
        timetable = Timetable(log, clock, 180)
        assert timetable.ask() == 0
        clock.advance(timedelta(days=1))
        assert timetable.ask() == 3


def test_retention_may_be_turned_off() -> None:
    """Then it is never due."""
    kinds = {record.type for record in due(SATURDAY - timedelta(days=40), SATURDAY, retention_days=0)}

    assert kinds == {"GradingRequested", "CalibrationRequested"}
