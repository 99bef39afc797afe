"""The records that every importer makes of a game, identified by what the source says and nothing else."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from producers.event_identity import League, event_id, opponents
from producers.importers.times import TIMES, SourceTimes
from schemas.events import (
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatus,
    EventStatusChanged,
    Reschedule,
    Result,
    ResultRecorded,
    Schedule,
    Start,
    StatusChange,
)
from schemas.ids import derived_id
from schemas.odds import OddsFormat, OddsSnapshot, OddsSnapshotCaptured
from schemas.raw_payloads import RawPayload, RawPayloadCaptured
from schemas.record import Payload, Record

R = TypeVar("R", bound=Record)


class Price(NamedTuple):  # a million are made in a replay: a tuple takes half the time of a dataclass
    """A price that can be used; `path` names its columns."""

    book: str
    market_key: str
    selection: str
    line: float | None
    text: str
    value: float
    path: str


@dataclass(frozen=True, slots=True)
class Game:
    """A game as one source tells it, under its one event_id and the clubs' one names."""

    event_id: str
    of: League
    home: str
    away: str
    starts_at: datetime
    start_assumed: bool
    season: str | None = None
    number: int = 1


def game(
    of: League,
    on: date,
    home: str,
    away: str,
    starts_at: datetime,
    start_assumed: bool,
    season: str | None = None,
    number: int = 1,
) -> Game:
    """A game from a source's own words.

    Raises:
        ValueError: a name that names nothing, or one club twice.
    """
    ours = opponents(of, home, away)
    return Game(event_id(of, on, *ours, number), of, *ours, starts_at, start_assumed, season, number)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the records of one format; `provider` is whose data it is."""

    format: str
    provider: str

    @property
    def producer(self) -> str:
        """Who put them on record."""
        return f"import:{self.format}"

    @property
    def times(self) -> SourceTimes:
        """What stands in for the times that the source does not tell."""
        return TIMES[self.format]

    def record(
        self,
        kind: Callable[..., R],
        at: datetime,
        event: str | None,
        data: Payload,
        *identity: str,
        causation_id: str | None = None,
    ) -> R:
        """A record of what happened at `at`; that time and `identity` make its id."""
        return kind(
            record_id=derived_id(at, *identity),
            event_id=event,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            causation_id=causation_id,
            data=data,
        )

    def scheduled(self, of: Game, at: datetime) -> list[Record]:
        """The game is on the calendar: a moment's only record."""
        data = Schedule(
            league=of.of.word,
            sport=of.of.sport,
            home=of.home,
            away=of.away,
            starts_at=of.starts_at,
            start_assumed=of.start_assumed,
            season=of.season,
            game_number=of.number,
        )
        identity = ("scheduled", self.producer, of.event_id, of.starts_at.isoformat(), of.season or "")
        return [self.record(EventScheduled, at, of.event_id, data, *identity)]

    def rescheduled(self, of: Game, at: datetime, starts_at: datetime) -> list[Record]:
        """The game has a new start: a moment's only record."""
        identity = ("rescheduled", self.producer, of.event_id, starts_at.isoformat())
        return [self.record(EventRescheduled, at, of.event_id, Reschedule(starts_at=starts_at), *identity)]

    def started(self, of: Game) -> list[Record]:
        """The game began, a moment's only record; no source tells the minute, so the planned start stands in for it."""
        data = Start(started_at=of.starts_at, assumed=True)
        return [self.record(EventStarted, of.starts_at, of.event_id, data, "started", self.producer, of.event_id)]

    def status(self, of: Game, at: datetime, status: EventStatus, reason: str) -> list[Record]:
        """The game was awarded, or the like: a moment's only record."""
        identity = ("status", self.producer, of.event_id, status, reason)
        return [self.record(EventStatusChanged, at, of.event_id, StatusChange(status=status, reason=reason), *identity)]

    def result(self, of: Game, at: datetime, data: Result) -> ResultRecorded:
        """How it ended."""
        identity = ("result", self.producer, of.event_id, data.raw_payload_id or "")
        return self.record(ResultRecorded, at, of.event_id, data, *identity)

    def raw(
        self, at: datetime, event: str | None, source: str, content: str, content_type: str = "text/csv"
    ) -> RawPayloadCaptured:
        """What the source said, as it said it; identified by that."""
        digest = hashlib.sha256(content.encode()).hexdigest()
        data = RawPayload(
            provider=self.provider, source=source, content_type=content_type, content=content, sha256=digest
        )
        return self.record(RawPayloadCaptured, at, event, data, "raw", self.producer, event or "", source, digest)

    def odds(
        self,
        at: datetime,
        raw: RawPayloadCaptured,
        prices: Iterable[Price],
        odds_format: OddsFormat,
        *,
        capture_id: str,
        label: str | None,
        assumed: bool,
    ) -> list[Record]:
        """The prices of one look, each identified by the raw payload and its place in it."""
        ref = raw.ref
        return [
            self.record(
                OddsSnapshotCaptured,
                at,
                raw.event_id,
                OddsSnapshot(
                    provider=self.provider,
                    book=price.book,
                    market_key=price.market_key,
                    selection=price.selection,
                    line=price.line,
                    odds_format=odds_format,
                    price=price.text,
                    price_decimal=price.value,
                    capture_id=capture_id,
                    captured_at_assumed=assumed,
                    label=label,
                    raw_payload_id=ref,
                    raw_path=price.path,
                ),
                *("odds", ref, price.path, price.market_key, price.selection),
            )
            for price in prices
        ]
