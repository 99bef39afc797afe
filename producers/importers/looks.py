"""Looks at a market: what one pull said of one game, with the calendar that the pulls tell together."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from producers.event_identity import League, local_date, opponents
from producers.importers.cells import BadCell
from producers.importers.games import Game, Maker, Price, game
from producers.importers.moments import Order, Reading
from schemas.odds import OddsFormat
from schemas.record import Record


@dataclass(frozen=True, slots=True)
class Pairing:
    """Who plays whom and when, as one pull says; `provider_id` is the provider's own name of the game."""

    provider_id: str
    of: League
    home: str
    away: str
    starts_at: datetime

    def __post_init__(self) -> None:
        if not self.provider_id:
            raise BadCell("the game has no id")
        opponents(self.of, self.home, self.away)

    @property
    def day(self) -> tuple[str, str, str, str]:
        """League, local date, home and away."""
        on = local_date(self.of, self.starts_at).isoformat()
        return self.of.word, on, *opponents(self.of, self.home, self.away)


@dataclass(slots=True)
class Look:
    """One pull's prices of one game; `content` is that part of the pull, as it came."""

    at: datetime
    pairing: Pairing
    content: Callable[[], str]
    prices: list[Price] = field(default_factory=list)
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """How looks become records; `assumed`: their time is."""

    maker: Maker
    odds_format: OddsFormat
    content_type: str = "text/csv"
    assumed: bool = False


def calendar(pairings: Sequence[tuple[datetime, Pairing]]) -> dict[str, Game]:
    """The provider's games under one event_id each: the first pull tells the date, two games of a day are numbered."""
    first: dict[str, Pairing] = {}
    for _, pairing in sorted(pairings, key=_when):
        first.setdefault(pairing.provider_id, pairing)
    days: defaultdict[tuple[str, ...], list[Pairing]] = defaultdict(list)
    for pairing in sorted(first.values(), key=lambda pairing: (pairing.starts_at, pairing.provider_id)):
        days[pairing.day].append(pairing)
    return {
        pairing.provider_id: _game(pairing, number)
        for pairings_of_day in days.values()
        for number, pairing in enumerate(pairings_of_day, 1)
    }


def _when(seen: tuple[datetime, Pairing]) -> datetime:
    return seen[0]


def _game(pairing: Pairing, number: int) -> Game:
    on = local_date(pairing.of, pairing.starts_at)
    return game(pairing.of, on, pairing.home, pairing.away, pairing.starts_at, start_assumed=False, number=number)


def tell_calendar(reading: Reading, maker: Maker, pairings: Sequence[tuple[datetime, Pairing]]) -> dict[str, Game]:
    """Adds each game when it is first seen, and each new start when a pull tells it."""
    games = calendar(pairings)
    starts: dict[str, datetime] = {}
    for at, pairing in sorted(pairings, key=_when):
        of, before = games[pairing.provider_id], starts.get(pairing.provider_id)
        if before is None:
            reading.add(at, Order.SCHEDULED, partial(maker.scheduled, of, at))
        elif before != pairing.starts_at:
            reading.add(at, Order.SCHEDULED, partial(maker.rescheduled, of, at, pairing.starts_at))
        starts[pairing.provider_id] = pairing.starts_at
    return games


def tell_looks(reading: Reading, told: Told, looks: Sequence[Look]) -> dict[str, Game]:
    """Adds the looks, and the calendar that they tell."""
    games = tell_calendar(reading, told.maker, [(look.at, look.pairing) for look in looks])
    for look in looks:
        reading.add(look.at, Order.ODDS, partial(_captured, told, look, games[look.pairing.provider_id]))
    return games


def _captured(told: Told, look: Look, of: Game) -> list[Record]:
    source = f"{told.maker.format}: {of.of.word} {of.home} v {of.away}, {look.at:%Y-%m-%d %H:%M:%S} UTC"
    raw = told.maker.raw(look.at, of.event_id, source, look.content(), told.content_type)
    prices = told.maker.odds(
        look.at, raw, look.prices, told.odds_format, capture_id=raw.ref, label=look.label, assumed=told.assumed
    )
    return [raw, *prices]
