"""Topic `events`: the sporting events, their changes and their results."""

from typing import ClassVar, Literal

from schemas.record import Count, EventId, Finite, Payload, Record, Text, UtcDatetime, Version1

EventStatus = Literal["SCHEDULED", "POSTPONED", "CANCELLED", "ABANDONED", "AWARDED"]
ResultStatus = Literal["FINAL", "CANCELLED", "POSTPONED", "ABANDONED", "AWARDED", "WALKOVER", "RETIRED"]
OFF_FOR_GOOD: tuple[EventStatus, ...] = ("CANCELLED", "ABANDONED", "AWARDED")
"""By which an event will not be played on, unless it is said to be on again."""
ENDED: tuple[ResultStatus, ...] = ("FINAL", "AWARDED", "WALKOVER", "RETIRED")
"""By which it is known who won."""


class Schedule(Payload):
    """`start_assumed`: the source does not state the time of the start, and it was filled in by rule."""

    league: Text
    sport: Text
    home: Text
    away: Text
    starts_at: UtcDatetime
    start_assumed: bool = False
    season: str | None = None
    game_number: int = 1


class EventScheduled(Record):
    """A game is on the calendar."""

    topic: ClassVar[str] = "events"
    type: Literal["EventScheduled"] = "EventScheduled"
    schema_version: Version1 = 1
    event_id: EventId
    data: Schedule


class Reschedule(Payload):
    starts_at: UtcDatetime
    start_assumed: bool = False
    reason: str | None = None


class EventRescheduled(Record):
    """A game has a new start; it keeps its event_id."""

    topic: ClassVar[str] = "events"
    type: Literal["EventRescheduled"] = "EventRescheduled"
    schema_version: Version1 = 1
    event_id: EventId
    data: Reschedule


class StatusChange(Payload):
    status: EventStatus
    reason: str | None = None


class EventStatusChanged(Record):
    """A game was postponed, cancelled, abandoned, awarded, or is on again."""

    topic: ClassVar[str] = "events"
    type: Literal["EventStatusChanged"] = "EventStatusChanged"
    schema_version: Version1 = 1
    event_id: EventId
    data: StatusChange


class Start(Payload):
    started_at: UtcDatetime
    assumed: bool = False


class EventStarted(Record):
    """A game began: the actual start, from which on no price is a close."""

    topic: ClassVar[str] = "events"
    type: Literal["EventStarted"] = "EventStarted"
    schema_version: Version1 = 1
    event_id: EventId
    data: Start


class PeriodScore(Payload):
    """`period` is `h1`, `q1` to `q4`, `p1` to `p3`, `i1` to `i9`, `regulation` or `ot`."""

    period: Text
    home: Count
    away: Count


class PlayerStat(Payload):
    player: Text
    stat: Text
    value: Finite
    played: bool = True


class Result(Payload):
    """A result; scores are null where the source tells none, and `winner` is for sources that tell only who won.

    `time_assumed`: the source does not state when it ended.
    """

    status: ResultStatus = "FINAL"
    winner: Literal["home", "away", "draw"] | None = None
    home: Count | None = None
    away: Count | None = None
    periods: tuple[PeriodScore, ...] = ()
    extra_time: bool = False
    penalties_home: Count | None = None
    penalties_away: Count | None = None
    qualified: Literal["home", "away"] | None = None
    minutes_played: Finite | None = None
    innings_played: Finite | None = None
    start_delay_hours: Finite | None = None
    venue_changed: bool = False
    player_stats: tuple[PlayerStat, ...] = ()
    time_assumed: bool = False
    raw_payload_id: str | None = None
    raw_path: str | None = None


class ResultRecorded(Record):
    """How a game ended, the first time that it is told."""

    topic: ClassVar[str] = "events"
    type: Literal["ResultRecorded"] = "ResultRecorded"
    schema_version: Version1 = 1
    event_id: EventId
    data: Result


class Correction(Result):
    corrects: Text
    correction_reason: str | None = None


class ResultCorrected(Record):
    """A result that replaces the one it names; both stay on record."""

    topic: ClassVar[str] = "events"
    type: Literal["ResultCorrected"] = "ResultCorrected"
    schema_version: Version1 = 1
    event_id: EventId
    data: Correction
