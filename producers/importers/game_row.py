"""A row that tells a whole game: calendar, prices by phase, start and result, all leading back to the row itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from producers.importers.cells import BadCell, american_price
from producers.importers.files import Row
from producers.importers.games import Game, Maker, Price
from producers.importers.moments import Fault, FileMoments, Order, Reading
from producers.importers.times import SourceTimes
from schemas.events import PeriodScore, Result
from schemas.odds import OddsFormat
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record

EARLIER, OPENING, CLOSING = "earlier", "opening", "closing"


@dataclass(slots=True)
class Found:
    """The prices of one row by phase, and its faults, as they are found; `book` is whose prices they are."""

    book: str
    prices: dict[str, list[Price]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def american(
        self, cells: Mapping[str, str], column: str, phase: str, key: str, selection: str, line: float | None = None
    ) -> None:
        """Reads an American price; an empty cell is none."""
        text = cells[column]
        if not text:
            return
        try:
            price = Price(self.book, key, selection, line, text, american_price(text), column)
        except BadCell as error:
            self.faults.append(Fault(column, str(error)))
        else:
            self.prices.setdefault(phase, []).append(price)

    def of(self, phase: str) -> list[Price]:
        """The phase's prices."""
        return self.prices.get(phase, [])

    def looks(self, times: SourceTimes, start: datetime) -> tuple[tuple[str, datetime], ...]:
        """The phases that have prices, and when those were taken."""
        before = {OPENING: times.opening, CLOSING: times.closing}
        return tuple((phase, start - before[phase]) for phase in (OPENING, CLOSING) if phase in self.prices)


@dataclass(frozen=True, slots=True)
class Score:
    """How a game ended; `path` names its columns. `awarded`: it was not played."""

    home: int
    away: int
    path: str
    periods: tuple[tuple[str, int, int], ...] = ()
    extra_time: bool = False
    awarded: bool = False


@dataclass(frozen=True, slots=True)
class GameRow:
    """What a row tells; `looks` are its phases with the time of each, `prices` gives a phase's prices when asked.

    `content` gives the row as a file of its own; it is on record from the first moment that cites it.
    """

    maker: Maker
    game: Game
    content: Callable[[], str]
    odds_format: OddsFormat
    looks: tuple[tuple[str, datetime], ...]
    prices: Callable[[str], Iterable[Price]]
    score: Score | None
    content_type: str = "text/csv"

    def tell(self, reading: Reading) -> None:
        """Adds the game's moments."""
        start = self.game.starts_at
        reading.add(start - self.maker.times.scheduled, Order.SCHEDULED, self._scheduled)
        for phase, at in self.looks:
            reading.add(at, Order.ODDS, partial(self._odds, phase, at))
        if self.score:
            started = partial(self.maker.started, self.game)
            reading.add(start, *((Order.STATUS, self._award) if self.score.awarded else (Order.STARTED, started)))
            reading.add(start + self.maker.times.result, Order.RESULT, partial(self._result, self.score))

    def _raw(self) -> RawPayloadCaptured:
        game, start = self.game, self.game.starts_at
        last = start + self.maker.times.result if self.score else start - self.maker.times.scheduled
        first_cited = self.looks[0][1] if self.looks else last
        source = f"{self.maker.format}: {game.of.word} {game.home} v {game.away}, {start:%Y-%m-%d}"
        return self.maker.raw(first_cited, game.event_id, source, self.content(), self.content_type)

    def _with_raw(self, raw: RawPayloadCaptured, at: datetime, records: list[Record]) -> list[Record]:
        return [raw, *records] if raw.occurred_at == at else records

    def _scheduled(self) -> list[Record]:
        at = self.game.starts_at - self.maker.times.scheduled
        return self._with_raw(self._raw(), at, self.maker.scheduled(self.game, at))

    def _odds(self, phase: str, at: datetime) -> list[Record]:
        raw = self._raw()
        capture_id = f"{raw.ref}/{phase}"
        prices = self.maker.odds(
            at, raw, self.prices(phase), self.odds_format, capture_id=capture_id, label=phase, assumed=True
        )
        return self._with_raw(raw, at, prices)

    def _award(self) -> list[Record]:
        reason = "a 3-0 or 0-3 without half-time score, shots and odds: awarded, not played"
        return self.maker.status(self.game, self.game.starts_at, "AWARDED", reason)

    def _result(self, score: Score) -> list[Record]:
        raw, at = self._raw(), self.game.starts_at + self.maker.times.result
        data = Result(
            status="AWARDED" if score.awarded else "FINAL",
            home=score.home,
            away=score.away,
            periods=tuple(PeriodScore(period=name, home=home, away=away) for name, home, away in score.periods),
            extra_time=score.extra_time,
            time_assumed=True,
            raw_payload_id=raw.ref,
            raw_path=score.path,
        )
        return self._with_raw(raw, at, [self.maker.result(self.game, at, data)])


def tell_rows(
    reading: Reading, rows: Sequence[Row], read: Callable[[Row], tuple[GameRow, Sequence[Fault]]]
) -> FileMoments:
    """All rows of a file, each through `read`; a row that raises ValueError, or whose game came before, is rejected."""
    seen: dict[str, int] = {}
    for row in rows:
        try:
            told, faults = read(row)
        except ValueError as error:
            reading.reject_row(row, error)
            continue
        first = seen.setdefault(told.game.event_id, row.number)
        if first != row.number:
            reading.reject_row(row, f"the game of row {first} again")
            continue
        told.tell(reading)
        for fault in faults:
            reading.reject_cells(row, fault, told.game)
    return reading.finish(len(rows))
