"""The calendar as the log has it now, for producers in any process: kept up by reading one topic."""

import time
from collections.abc import Mapping
from dataclasses import replace

from eventlog.columns import to_envelope
from eventlog.log import EventLog, Positions
from producers.publishing_service import EventStart
from schemas.codec import Codec, UndecodableRecordError, UnknownRecordError
from schemas.events import (
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatus,
    EventStatusChanged,
    ResultCorrected,
    ResultRecorded,
)
from schemas.registry import type_name

READ_ROWS = 50_000


class Calendar:
    """Starts and teams of all events; a question reads what is new, unless it did so less than `max_age_s` ago."""

    def __init__(self, log: EventLog, max_age_s: float = 0.0) -> None:
        self._log = log
        self._max_age_s, self._read_at = max_age_s, float("-inf")
        self._codec = Codec()
        self._positions: Positions = {}
        self._starts: dict[str, EventStart] = {}
        self._teams: dict[str, tuple[str, str]] = {}
        self._corrected: set[str | None] = set()

    def start(self, event_id: str) -> EventStart | None:
        """When an event starts and how it stands; None where nobody has scheduled it."""
        self._read()
        return self._starts.get(event_id)

    def teams(self, event_id: str) -> tuple[str, str] | None:
        """Home and away."""
        self._read()
        return self._teams.get(event_id)

    def _read(self) -> None:
        if time.monotonic() - self._read_at < self._max_age_s:
            return
        self._read_at = time.monotonic()
        while True:
            batch, self._positions = self._log.read_topic("events", self._positions, READ_ROWS)
            if not batch.num_rows:
                return
            for row in batch.to_pylist():
                if row["type"] in _CHANGES:
                    self._take(to_envelope(row))

    def _take(self, envelope: Mapping[str, object]) -> None:
        try:
            record = self._codec.decode(envelope)
        except (UndecodableRecordError, UnknownRecordError):
            return  # the projections set it aside and say so; here it changes nothing
        if isinstance(record, EventScheduled):
            self._teams[record.event_id] = (record.data.home, record.data.away)
            held = self._starts.get(record.event_id, EventStart(record.data.starts_at))
            self._starts[record.event_id] = replace(held, starts_at=record.data.starts_at)
            return
        start = self._starts.get(record.event_id or "")
        if start is None:
            return
        if isinstance(record, EventRescheduled):
            again = _on_again(start.status)
            start = EventStart(record.data.starts_at, status=again, has_ended=start.has_ended)
        elif isinstance(record, EventStarted):
            start = replace(start, started_at=record.data.started_at, status=_on_again(start.status))
        elif isinstance(record, EventStatusChanged):
            start = replace(start, status=record.data.status)
        elif isinstance(record, ResultCorrected):
            start = replace(start, has_ended=record.data.status in _ENDED)
            self._corrected.add(record.event_id)
        elif isinstance(record, ResultRecorded) and record.event_id not in self._corrected:
            start = replace(start, has_ended=record.data.status in _ENDED)
        self._starts[record.event_id or ""] = start


def _on_again(status: EventStatus) -> EventStatus:
    """The status once a new start is told, as in the projection `events`: abandoned and awarded games stay so."""
    return "SCHEDULED" if status in {"POSTPONED", "CANCELLED"} else status


_CHANGES = {
    type_name(kind)
    for kind in (EventScheduled, EventRescheduled, EventStarted, EventStatusChanged, ResultRecorded, ResultCorrected)
}
_ENDED = {"FINAL", "AWARDED", "WALKOVER", "RETIRED"}
