"""The timetable: jobs at set times, each asked for by a record whose id is made of the job and its scheduled time.

So it happens once, however many ask, and whenever they do: what was missed is asked for once, at the newest time that
has passed. Two hosts run it: `onrecord up` at each turn, `onrecord worker` each minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from eventlog.clock import Clock
from eventlog.log import EventLog
from schemas.ids import derived_id
from schemas.record import Record
from schemas.requests import (
    CalibrationRequest,
    CalibrationRequested,
    GradingRequest,
    GradingRequested,
    RetentionRequest,
    RetentionRequested,
)

PRODUCER = "timetable"
GRADING_AT = time(4)
CALIBRATION_AT = time(3)
RETENTION_AT = time(5)
SUNDAY = 6


def daily(now: datetime, at: time) -> datetime:
    """The newest moment of the day at `at` that has come."""
    today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def weekly(now: datetime, weekday: int, at: time) -> datetime:
    """The newest such moment on a day of the week; Monday is 0."""
    newest = daily(now, at)
    return newest - timedelta(days=(newest.weekday() - weekday) % 7)


def monthly(now: datetime, at: time) -> datetime:
    """The newest such moment on the first of a month."""
    newest = daily(now, at)
    return newest.replace(day=1)


def due(since: datetime, now: datetime, retention_days: int) -> Iterator[Record]:
    """The requests of every job whose newest scheduled time lies between `since` and `now`, UTC, both included.

    Grading daily at 04:00, calibration on Sundays at 03:00, retention on the first of a month at 05:00;
    `retention_days` 0: never.
    """
    if (at := daily(now, GRADING_AT)) >= since:
        grading = GradingRequest(requested_by=PRODUCER, why="daily grading")
        yield GradingRequested(record_id=_id("grading", at), occurred_at=at, producer=PRODUCER, data=grading)
    if (at := weekly(now, SUNDAY, CALIBRATION_AT)) >= since:
        calibration = CalibrationRequest(requested_by=PRODUCER)
        yield CalibrationRequested(
            record_id=_id("calibration", at), occurred_at=at, producer=PRODUCER, data=calibration
        )
    if retention_days and (at := monthly(now, RETENTION_AT)) >= since:
        retention = RetentionRequest(retention_days=retention_days, requested_by=PRODUCER)
        yield RetentionRequested(record_id=_id("retention", at), occurred_at=at, producer=PRODUCER, data=retention)


def _id(job: str, at: datetime) -> str:
    return derived_id(at, PRODUCER, job, at.isoformat())


@dataclass
class Timetable:
    """Puts on record what is due; a time before the log's first record was never missed."""

    log: EventLog
    clock: Clock
    retention_days: int
    _since: datetime | None = None
    _asked: set[str] = field(default_factory=set)

    def ask(self) -> int:
        """Ask for what is due and was not asked for by this object; gives how many jobs that is."""
        now = self.clock.now()
        if self._since is None:
            self._since = min(_first_stamps(self.log), default=now)
        fresh = [job for job in due(self._since, now, self.retention_days) if job.record_id not in self._asked]
        if fresh:
            self.log.append(fresh)
            self._asked.update(job.record_id for job in fresh)
        return len(fresh)


def _first_stamps(log: EventLog) -> Iterator[datetime]:
    for topic in dict.fromkeys(topic for topic, _ in log.end()):
        batch, _ = log.read_topic(topic, log.earliest(), 1)
        yield from (at for at in batch["recorded_at"].to_pylist() if at is not None)
