"""Season files of football-data.co.uk: results with earlier and closing prices, one row a match."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, time
from functools import partial
from pathlib import Path

from producers.event_identity import league
from producers.importers.cells import BadCell, decimal_price, in_our_age, number, whole
from producers.importers.files import Row, Table, read_table
from producers.importers.game_row import CLOSING, EARLIER, GameRow, Score, tell_rows
from producers.importers.games import Maker, Price, game
from producers.importers.moments import Fault, FileMoments, Reading
from producers.importers.times import collected_before

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

LINES = {EARLIER: ("AHh", "BbAHh"), CLOSING: ("AHCh",)}
SHOTS = ("HS", "AS", "HST", "AST")
AWARDED_SCORES = {(3, 0), (0, 3)}

_MAKER = Maker(FORMAT, "football-data.co.uk")
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

    def read(self, row: Row) -> Price | Fault | None:
        """The row's price, or what is wrong with it, or nothing."""
        text = row.cells[self.place].strip()
        if not text:
            return None
        try:
            value, line = decimal_price(text), self._line(row)
        except BadCell as error:
            return Fault(self.path, str(error))
        return Price(self.book, self.market_key, self.selection, line, text, value, self.path)

    def _line(self, row: Row) -> float | None:
        if self.line_place is None:
            return self.line
        home = number(row.cells[self.line_place])
        return -home if self.selection == "AWAY" else home


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

    def prices_of(self, row: Row, phase: str) -> Iterator[Price]:
        """The prices of a phase that can be used."""
        return (found for column in self.prices[phase] if isinstance(found := column.read(row), Price))

    def faults_of(self, row: Row) -> list[Fault]:
        """The prices that cannot be used."""
        columns = (column for phase in self.prices.values() for column in phase)
        return [found for column in columns if isinstance(found := column.read(row), Fault)]


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
    return tell_rows(reading, table.rows, partial(_match, layout))


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


def _match(layout: Layout, row: Row) -> tuple[GameRow, list[Fault]]:
    if row.fault:
        raise BadCell(row.fault)
    faults = layout.faults_of(row)
    on = parsed_date(layout.cell(row, "Date"))
    clock = _clock(layout.cell(row, "Time"), faults)
    of = league(layout.cell(row, "Div"), sport="soccer")
    start = _MAKER.times.at(of, on, clock)
    home, away = layout.cell(row, "HomeTeam"), layout.cell(row, "AwayTeam")
    told = game(of, on, home, away, start, start_assumed=clock is None, season=layout.season)
    times = {EARLIER: collected_before(start), CLOSING: start - _MAKER.times.closing}
    looks = tuple((phase, at) for phase, at in times.items() if any(layout.prices_of(row, phase)))
    score = _result(layout, row, faults, priced=bool(looks))
    content = partial(layout.table.raw_csv, row.raw)
    return GameRow(_MAKER, told, content, "decimal", looks, partial(layout.prices_of, row), score), faults


def _result(layout: Layout, row: Row, faults: list[Fault], priced: bool) -> Score | None:
    score = _score(layout, row, "FTHG", "FTAG")
    if score is None:
        return None
    _check_outcome(layout.cell(row, "FTR"), score)
    half = _half_time(layout, row, score, faults)
    # Not played: no half-time score, no shots, no odds, and the score that is given at a desk.
    played = half or priced or any(layout.cell(row, name) for name in SHOTS)
    awarded = not played and score in AWARDED_SCORES
    return Score(*score, path="FTHG,FTAG", periods=(("h1", *half),) if half else (), awarded=awarded)


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
        return in_our_age(date(year + 2000 if year < 100 else year, month, day))
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


def _check_outcome(told: str, score: tuple[int, int]) -> None:
    home, away = score
    if told and told != ("H" if home > away else "A" if home < away else "D"):
        raise BadCell(f"FTR: {told} contradicts the score {home}-{away}")


def _half_time(layout: Layout, row: Row, score: tuple[int, int], faults: list[Fault]) -> tuple[int, int] | None:
    try:
        half = _score(layout, row, "HTHG", "HTAG")
    except BadCell as error:
        faults.append(Fault("HTHG,HTAG", str(error)))
        return None
    if half and (half[0] > score[0] or half[1] > score[1]):
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
