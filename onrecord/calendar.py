"""The calendar as the log has it now, for producers in any process: kept up by reading one topic."""

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from eventlog.log import EventLog, Positions
from onrecord.on_record import decoded
from producers.publishing_service import EventStart
from schemas.codec import Codec
from schemas.events import (
    ENDED,
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatus,
    EventStatusChanged,
    ResultCorrected,
    ResultRecorded,
)
from schemas.record import Record
from schemas.registry import type_name

READ_ROWS = 50_000


class Calendar:
    """Starts and teams of all events; a question reads what is new, unless it did so less than `max_age_s` ago.

    Of what was told of an event the same counts as in the projections `events` and `event_results`, in whatever order
    it arrives. Several threads may ask.
    """

    def __init__(self, log: EventLog, max_age_s: float = 0.0) -> None:
        self._log = log
        self._max_age_s, self._read_at = max_age_s, float("-inf")
        self._codec = Codec()
        self._positions: Positions = {}
        self._told: dict[str, _Told] = {}
        self._reading = threading.Lock()

    def start(self, event_id: str) -> EventStart | None:
        """When an event starts and how it stands; None where nobody has scheduled it."""
        told = self._read().get(event_id)
        return told.start() if told is not None and told.base is not None else None

    def teams(self, event_id: str) -> tuple[str, str] | None:
        """Home and away."""
        told = self._read().get(event_id)
        return (told.base.data.home, told.base.data.away) if told is not None and told.base is not None else None

    def _read(self) -> Mapping[str, "_Told"]:
        with self._reading:
            if time.monotonic() - self._read_at < self._max_age_s:
                return self._told
            while True:
                batch, behind = self._log.read_topic("events", self._positions, READ_ROWS)
                for row in batch.to_pylist():
                    if row["type"] in _CHANGES:
                        self._take(decoded(self._codec, row))
                self._positions = behind
                if not batch.num_rows:
                    self._read_at = time.monotonic()
                    return self._told

    def _take(self, record: Record | None) -> None:
        if record is not None and record.event_id is not None:
            self._told.setdefault(record.event_id, _Told()).take(record)


class _Told:
    """What counts of all that was told of one event, by the rules of `events.sql` and `event_results.sql`."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[tuple[Any, ...], Record]] = {}
        self._results: list[Record] = []
        self._on_again: tuple[Any, ...] = ()

    @property
    def base(self) -> Record | None:
        """Its schedule."""
        return self._get("SCHEDULED")

    def take(self, record: Record) -> None:
        """One more record, in any order."""
        kind = _KINDS[type(record)]
        if kind == "RESULT":
            self._results.append(record)
            return
        rank = (not _is_assumed(record), _told_at(record), record.ref)
        if kind not in self._counts or rank > self._counts[kind][0]:
            self._counts[kind] = (rank, record)
        if kind in {"RESCHEDULED", "STARTED"}:
            self._on_again = max(self._on_again, (record.occurred_at, record.ref))

    def start(self) -> EventStart:
        """Of an event that has a schedule."""
        _, plan = max(self._counts[kind] for kind in ("SCHEDULED", "RESCHEDULED") if kind in self._counts)
        result = _standing_result(self._results)
        return EventStart(
            plan.data.starts_at,
            self._started_at(plan),
            self._status(),
            has_ended=result is not None and result.data.status in ENDED,
        )

    def _started_at(self, plan: Record) -> datetime | None:
        begun, put_back = self._get("STARTED"), self._get("RESCHEDULED")
        if begun is None or (put_back is not None and begun.occurred_at < put_back.occurred_at):
            return None
        is_less_certain = _is_assumed(begun) and not _is_assumed(plan)
        return None if is_less_certain else begun.data.started_at

    def _status(self) -> EventStatus:
        """A new start ends what was put off or called off; what was abandoned or awarded stays so."""
        state = self._get("STATUS")
        if state is None:
            return "SCHEDULED"
        is_off = state.data.status in {"POSTPONED", "CANCELLED"}
        return "SCHEDULED" if is_off and self._on_again > (state.occurred_at, state.ref) else state.data.status

    def _get(self, kind: str) -> Record | None:
        return self._counts[kind][1] if kind in self._counts else None


def _told_at(record: Record) -> datetime:
    """No later than it was put on record, as an importer dates the calendar of games to come."""
    if record.origin == "LIVE" or record.recorded_at is None:
        return record.occurred_at
    return min(record.occurred_at, record.recorded_at)


def _standing_result(told: Sequence[Record]) -> Record | None:
    """Which of an event's results counts: the rule is stated, with its reasons, at `standing_result` in SQL."""
    corrected = {record.data.corrects for record in told if isinstance(record, ResultCorrected)}
    withdrawals = (record for record in told if _is_withdrawal(record) and record.ref not in corrected)
    withdrawn_at = max((record.occurred_at for record in withdrawals), default=None)

    def rank(record: Record) -> tuple[Any, ...]:
        return (
            record.ref not in corrected,
            withdrawn_at is None or record.occurred_at > withdrawn_at,
            _is_withdrawal(record),
            isinstance(record, ResultCorrected),
            not _tells_only_who_won(record),
            *(record.occurred_at, record.recorded_at, record.ref),
        )

    return max(told, key=rank, default=None)


def _is_withdrawal(record: Record) -> bool:
    """No result after all."""
    return isinstance(record, ResultCorrected) and record.data.status == "POSTPONED"


def _tells_only_who_won(record: Record) -> bool:
    """At a time that is assumed."""
    return bool(record.data.time_assumed) and record.data.status == "FINAL" and record.data.home is None


def _is_assumed(record: Record) -> bool:
    return bool(getattr(record.data, "assumed" if isinstance(record, EventStarted) else "start_assumed", False))


_KINDS: dict[type[Record], str] = {
    EventScheduled: "SCHEDULED",
    EventRescheduled: "RESCHEDULED",
    EventStarted: "STARTED",
    EventStatusChanged: "STATUS",
    ResultRecorded: "RESULT",
    ResultCorrected: "RESULT",
}
_CHANGES = {type_name(kind) for kind in _KINDS}
