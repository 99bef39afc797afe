"""The records that every importer makes of a game, identified by what the source says and nothing else."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from producers.event_identity import League, event_id, team
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
    ours = team(of, home), team(of, away)
    if ours[0] == ours[1]:
        raise ValueError(f"{ours[0]} cannot play itself")
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

    def scheduled(self, of: Game, at: datetime) -> EventScheduled:
        """The game is on the calendar."""
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
        return EventScheduled(
            record_id=derived_id(
                at, "scheduled", self.producer, of.event_id, of.starts_at.isoformat(), of.season or ""
            ),
            event_id=of.event_id,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            data=data,
        )

    def rescheduled(self, of: Game, at: datetime, starts_at: datetime) -> EventRescheduled:
        """The game has a new start."""
        return EventRescheduled(
            record_id=derived_id(at, "rescheduled", self.producer, of.event_id, starts_at.isoformat()),
            event_id=of.event_id,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            data=Reschedule(starts_at=starts_at),
        )

    def started(self, of: Game) -> EventStarted:
        """The game began; no source tells the minute, so the planned start stands in for it."""
        return EventStarted(
            record_id=derived_id(of.starts_at, "started", self.producer, of.event_id),
            event_id=of.event_id,
            occurred_at=of.starts_at,
            origin="BACKFILL",
            producer=self.producer,
            data=Start(started_at=of.starts_at, assumed=True),
        )

    def status(self, of: Game, at: datetime, status: EventStatus, reason: str) -> EventStatusChanged:
        """The game was awarded, or the like."""
        return EventStatusChanged(
            record_id=derived_id(at, "status", self.producer, of.event_id, status, reason),
            event_id=of.event_id,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            data=StatusChange(status=status, reason=reason),
        )

    def result(self, of: Game, at: datetime, data: Result) -> ResultRecorded:
        """How it ended."""
        return ResultRecorded(
            record_id=derived_id(at, "result", self.producer, of.event_id, data.raw_payload_id or ""),
            event_id=of.event_id,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            data=data,
        )

    def raw(
        self, at: datetime, event: str | None, source: str, content: str, content_type: str = "text/csv"
    ) -> RawPayloadCaptured:
        """What the source said, as it said it; identified by that."""
        digest = hashlib.sha256(content.encode()).hexdigest()
        data = RawPayload(
            provider=self.provider, source=source, content_type=content_type, content=content, sha256=digest
        )
        return RawPayloadCaptured(
            record_id=derived_id(at, "raw", self.producer, event or "", source, digest),
            event_id=event,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            data=data,
        )

    def odds(
        self,
        at: datetime,
        event: str,
        *,
        book: str,
        market_key: str,
        selection: str,
        line: float | None,
        odds_format: OddsFormat,
        price: str,
        price_decimal: float,
        capture_id: str,
        assumed: bool,
        label: str | None,
        raw_payload_id: str,
        raw_path: str,
    ) -> OddsSnapshotCaptured:
        """One price, identified by its raw payload and its place in it."""
        data = OddsSnapshot(
            provider=self.provider,
            book=book,
            market_key=market_key,
            selection=selection,
            line=line,
            odds_format=odds_format,
            price=price,
            price_decimal=price_decimal,
            capture_id=capture_id,
            captured_at_assumed=assumed,
            label=label,
            raw_payload_id=raw_payload_id,
            raw_path=raw_path,
        )
        return OddsSnapshotCaptured(
            record_id=derived_id(at, "odds", raw_payload_id, raw_path, market_key, selection),
            event_id=event,
            occurred_at=at,
            origin="BACKFILL",
            producer=self.producer,
            data=data,
        )
