"""Season files of football-data.co.uk: results with earlier and closing prices, one row a match."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import partial
from pathlib import Path

from producers.importers.cells import BadCell, decimal_price, number, whole
from producers.importers.files import Row, Table, read_table
from producers.importers.games import Game, Maker, game
from producers.importers.moments import FileMoments, Order, Reading
from producers.importers.times import TIMES, collected_before
from schemas.events import PeriodScore, Result
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record

FORMAT = "football-data"
REQUIRED = ("Div", "Date", "HomeTeam", "AwayTeam", "FTHG", "FTAG")
BOOKS = {
    "B365": "bet365",
    "BW": "bwin",
    "IW": "interwetten",
    "LB": "ladbrokes",
    "PS": "pinnacle",
    "P": "pinnacle",
    "WH": "williamhill",
    "VC": "betvictor",
    "Max": "market_max",
    "Avg": "market_average",
    "BbMx": "market_max",
    "BbAv": "market_average",
}
"""A column's prefix to the book; `market_max` and `market_average` are the best and the mean price of all books."""

EARLIER, CLOSING = "earlier", "closing"
LINES = {EARLIER: ("AHh", "BbAHh"), CLOSING: ("AHCh",)}
SHOTS = ("HS", "AS", "HST", "AST")
AWARDED_SCORES = {(3, 0), (0, 3)}

_MAKER = Maker(f"import:{FORMAT}", "football-data.co.uk")
_TIMES = TIMES[FORMAT]
_PREFIX = "|".join(sorted(BOOKS, key=len, reverse=True))
_PRICE = re.compile(rf"({_PREFIX})(C?)(?:([HDA])|([<>])2\.5|AH([HA]))")
_SIDES = {"H": "HOME", "D": "DRAW", "A": "AWAY", ">": "OVER", "<": "UNDER"}


@dataclass(frozen=True, slots=True)
class PriceColumn:
    """What the prices of one column are for; an Asian line stands in another column, from the home team's side."""

    place: int
    path: str
    phase: str
    book: str
    market_key: str
    selection: str
    line: float | None = None
    line_place: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file; `prices` by phase."""

    table: Table
    index: Mapping[str, int]
    prices: Mapping[str, Sequence[PriceColumn]]
    season: str | None

    def cell(self, row: Row, name: str) -> str:
        """The cell, empty where the file has no such column."""
        place = self.index.get(name)
        return "" if place is None else row.cells[place].strip()


def moments(path: Path) -> FileMoments:
    """A season file's moments.

    Raises:
        FileRefused: not such a file.
    """
    table = read_table(path, FORMAT, REQUIRED)
    reading = Reading(table.file, FORMAT)
    columns = list(price_columns(table.header))
    prices = {phase: [column for column in columns if column.phase == phase] for phase in (EARLIER, CLOSING)}
    layout = Layout(table, table.index(), prices, _season(table))
    seen: dict[str, int] = {}
    for row in table.rows:
        try:
            match = _match(layout, row)
            first = seen.setdefault(match.game.event_id, row.number)
            if first != row.number:
                raise BadCell(f"the match of row {first} again")
        except ValueError as error:
            reading.reject_row(row.number, str(error), row.raw)
        else:
            match.tell(reading)
    return reading.finish(len(table.rows))


def price_columns(header: Sequence[str]) -> Iterator[PriceColumn]:
    """The columns that hold prices; an Asian price whose line is in no column is none."""
    for place, name in enumerate(header):
        found = _PRICE.fullmatch(name)
        if found is None:
            continue
        prefix, closing, outcome, total, asian = found.groups()
        phase = CLOSING if closing else EARLIER
        column = PriceColumn(
            place, name, phase, BOOKS[prefix], "MONEYLINE_3WAY:REGULATION", _SIDES[outcome or total or asian]
        )
        if total:
            column = replace(column, market_key="TOTAL:REGULATION", line=2.5)
        elif asian:
            line = next((line for line in LINES[phase] if line in header), None)
            if line is None:
                continue
            key, path = "ASIAN_HANDICAP:REGULATION", f"{name},{line}"
            column = replace(column, market_key=key, path=path, line_place=header.index(line))
        yield column


@dataclass(frozen=True, slots=True)
class Price:
    """A price that can be used."""

    column: PriceColumn
    text: str
    value: float
    line: float | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell, or a price whose line is one, that cannot be used."""

    columns: str
    reason: str


@dataclass(frozen=True, slots=True)
class Match:
    """One row; `score` is null while it is to be played, `half` is the half-time score, `phases` have prices."""

    layout: Layout
    row: Row
    game: Game
    score: tuple[int, int] | None
    half: tuple[int, int] | None
    phases: tuple[str, ...]
    faults: tuple[Fault, ...]

    def tell(self, reading: Reading) -> None:
        """Adds the match's moments."""
        start = self.game.starts_at
        reading.add(start - _TIMES.scheduled, Order.SCHEDULED, self._scheduled)
        for phase in self.phases:
            reading.add(self._captured(phase), Order.ODDS, partial(self._odds, phase))
        if self.score:
            order, begun = (Order.STATUS, self._award) if self._awarded() else (Order.STARTED, self._started)
            reading.add(start, order, begun)
            reading.add(start + _TIMES.result, Order.RESULT, self._result)
        for fault in self.faults:
            reading.reject_cells(self.row.number, fault.columns, fault.reason, self.row.raw, start, self.game.event_id)

    def _captured(self, phase: str) -> datetime:
        start = self.game.starts_at
        return collected_before(start) if phase == EARLIER else start - _TIMES.closing

    def _awarded(self) -> bool:
        """Not played: no half-time score, no shots, no odds, and the score that is given at a desk."""
        played = self.half or self.phases or any(self.layout.cell(self.row, name) for name in SHOTS)
        return not played and self.score in AWARDED_SCORES

    def _raw(self) -> RawPayloadCaptured:
        source = f"{FORMAT}: {self.game.of.word} {self.game.home} v {self.game.away}, {self.game.starts_at:%Y-%m-%d}"
        return _MAKER.raw(self._first_cited(), self.game.event_id, source, self.layout.table.raw_csv(self.row.raw))

    def _first_cited(self) -> datetime:
        if self.phases:
            return self._captured(self.phases[0])
        start = self.game.starts_at
        return start + _TIMES.result if self.score else start - _TIMES.scheduled

    def _with_raw(self, raw: RawPayloadCaptured, at: datetime, records: list[Record]) -> list[Record]:
        return [raw, *records] if raw.occurred_at == at else records

    def _scheduled(self) -> list[Record]:
        at = self.game.starts_at - _TIMES.scheduled
        return self._with_raw(self._raw(), at, [_MAKER.scheduled(self.game, at)])

    def _odds(self, phase: str) -> list[Record]:
        raw, at = self._raw(), self._captured(phase)
        ref, capture_id = raw.ref, f"{raw.ref}/{phase}"
        found = (_price(column, self.row) for column in self.layout.prices[phase])
        prices: list[Record] = [
            _MAKER.odds(
                at,
                self.game.event_id,
                book=price.column.book,
                market_key=price.column.market_key,
                selection=price.column.selection,
                line=price.line,
                odds_format="decimal",
                price=price.text,
                price_decimal=price.value,
                capture_id=capture_id,
                assumed=True,
                label=phase,
                raw_payload_id=ref,
                raw_path=price.column.path,
            )
            for price in found
            if isinstance(price, Price)
        ]
        return self._with_raw(raw, at, prices)

    def _started(self) -> list[Record]:
        return [_MAKER.started(self.game)]

    def _award(self) -> list[Record]:
        reason = "a 3-0 or 0-3 without half-time score, shots and odds: awarded, not played"
        return [_MAKER.status(self.game, self.game.starts_at, "AWARDED", reason)]

    def _result(self) -> list[Record]:
        raw, at = self._raw(), self.game.starts_at + _TIMES.result
        home, away = self.score or (None, None)
        periods = [PeriodScore(period="h1", home=self.half[0], away=self.half[1])] if self.half else []
        data = Result(
            status="AWARDED" if self._awarded() else "FINAL",
            home=home,
            away=away,
            periods=tuple(periods),
            time_assumed=True,
            raw_payload_id=raw.ref,
            raw_path="FTHG,FTAG",
        )
        return self._with_raw(raw, at, [_MAKER.result(self.game, at, data)])


def _price(column: PriceColumn, row: Row) -> Price | Fault | None:
    text = row.cells[column.place].strip()
    if not text:
        return None
    try:
        value = decimal_price(text)
        line = column.line
        if column.line_place is not None:
            line = number(row.cells[column.line_place])
            line = -line if column.selection == "AWAY" else line
    except BadCell as error:
        return Fault(column.path, str(error))
    return Price(column, text, value, line)


def _match(layout: Layout, row: Row) -> Match:
    if row.fault:
        raise BadCell(row.fault)
    phases, faults = _phases(layout, row)
    on = parsed_date(layout.cell(row, "Date"))
    clock = _clock(layout.cell(row, "Time"), faults)
    start = _TIMES.at(on, clock or _TIMES.start)
    home, away = layout.cell(row, "HomeTeam"), layout.cell(row, "AwayTeam")
    told = game(layout.cell(row, "Div"), on, home, away, start, start_assumed=clock is None, season=layout.season)
    score = _score(layout, row, "FTHG", "FTAG")
    _check_outcome(layout.cell(row, "FTR"), score)
    return Match(layout, row, told, score, _half_time(layout, row, score, faults), phases, tuple(faults))


def _phases(layout: Layout, row: Row) -> tuple[tuple[str, ...], list[Fault]]:
    phases: list[str] = []
    faults: list[Fault] = []
    for phase, columns in layout.prices.items():
        found = [price for column in columns if (price := _price(column, row)) is not None]
        faults.extend(price for price in found if isinstance(price, Fault))
        if any(isinstance(price, Price) for price in found):
            phases.append(phase)
    return tuple(phases), faults


def parsed_date(text: str) -> date:
    """A date as dd/mm/yy or dd/mm/yyyy.

    Raises:
        BadCell: it is none.
    """
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})", text)
    if found is None:
        raise BadCell(f"Date: {text!r} is not dd/mm/yyyy")
    day, month, year = (int(part) for part in found.groups())
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError as error:
        raise BadCell(f"Date: {text!r}, {error}") from None


def _clock(text: str, faults: list[Fault]) -> time | None:
    if not text:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        faults.append(Fault("Time", f"{text!r} is not hh:mm"))
        return None


def _score(layout: Layout, row: Row, *columns: str) -> tuple[int, int] | None:
    home, away = (layout.cell(row, column) for column in columns)
    if not home and not away:
        return None
    try:
        return whole(home), whole(away)
    except BadCell as error:
        raise BadCell(f"{','.join(columns)}: {error}") from None


def _check_outcome(told: str, score: tuple[int, int] | None) -> None:
    if told and score:
        home, away = score
        if told != ("H" if home > away else "A" if home < away else "D"):
            raise BadCell(f"FTR: {told} contradicts the score {home}-{away}")


def _half_time(layout: Layout, row: Row, score: tuple[int, int] | None, faults: list[Fault]) -> tuple[int, int] | None:
    try:
        half = _score(layout, row, "HTHG", "HTAG")
    except BadCell as error:
        faults.append(Fault("HTHG,HTAG", str(error)))
        return None
    if half and (score is None or half[0] > score[0] or half[1] > score[1]):
        faults.append(Fault("HTHG,HTAG", "more goals at half time than at the end"))
        return None
    return half


def _season(table: Table) -> str | None:
    """Such as 2019-2020, by the first match of the file."""
    days = []
    for row in table.rows:
        with suppress(BadCell, IndexError):
            days.append(parsed_date(row.cells[table.header.index("Date")].strip()))
    return f"{min(days).year}-{min(days).year + 1}" if days else None
