"""NFL files: the archive of results with closing moneylines, and nfelo's opening and closing lines."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from producers.event_identity import event_id_in_round, league, opponents
from producers.importers.cells import BadCell, iso_date, number, whole
from producers.importers.files import Row, Table, read_objects, read_table
from producers.importers.game_row import CLOSING, OPENING, Found, GameRow, Score, tell_rows
from producers.importers.games import Game, Maker, game
from producers.importers.moments import Fault, FileMoments, Reading

ARCHIVE, NFELO = "nfl-archive", "nfelo"
QUARTERS = {"q1": "1stQtr", "q2": "2ndQtr", "q3": "3rdQtr", "q4": "4thQtr"}
LINES = {"open": ("home_open_spread", "open_over_under"), "close": ("home_close_spread", "close_over_under")}
HALF_LINES = ("home_2H_spread", "2H_total")
ARCHIVE_REQUIRED = (
    *("season", "date", "home_team", "away_team", "home_final", "away_final", "home_close_ml", "away_close_ml"),
    *(f"{side}_{quarter}" for side in ("home", "away") for quarter in QUARTERS.values()),
    *(column for pair in LINES.values() for column in pair),
)
NFELO_PHASES = ((OPENING, "open"), (CLOSING, "close"))
NFELO_LINES = (
    ("SPREAD:FULL_GAME", "home_line_{}", {"HOME": "home_line_{}_price", "AWAY": "away_line_{}_price"}),
    ("TOTAL:FULL_GAME", "total_line_{}", {"OVER": "over_price_{}", "UNDER": "under_price_{}"}),
)
"""Market, line column and price columns by side; the away team's line is the home team's with the other sign."""
NFELO_REQUIRED = (
    "game_id",
    *(c.format(word) for _, line, prices in NFELO_LINES for _, word in NFELO_PHASES for c in (line, *prices.values())),
)
BOOK = "consensus"
"""Neither file names a book."""
TWO_CLUBS = {"New York", "Los Angeles"}
LAST_YEAR_OF_ONE_LA_CLUB = 2016
LEAST_TOTAL = 25.0
LEFT_OUT = "lines without a price"
LAST_SEASON_OF_17_WEEKS = 2020

_ARCHIVE, _NFELO = Maker(ARCHIVE, "sportsbookreviewsonline.com"), Maker(NFELO, "nfelo")
_NFL = league("NFL")


def archive_moments(path: Path) -> FileMoments:
    """The archive's moments; its spreads and totals have no prices, so that only moneylines become odds.

    Raises:
        FileRefused: not such a file.
    """
    file, objects = read_objects(path, ARCHIVE, ARCHIVE_REQUIRED)
    reading = Reading(file, ARCHIVE)
    cells = {row.number: {key: _text(value) for key, value in element.items()} for row, element in objects}
    return tell_rows(reading, [row for row, _ in objects], lambda row: _archived(reading, row, cells[row.number]))


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _archived(reading: Reading, row: Row, cells: Mapping[str, str]) -> tuple[GameRow, list[Fault]]:
    missing = [key for key in ARCHIVE_REQUIRED if key not in cells]
    if missing:
        raise BadCell(f"has no {', '.join(missing)}")
    on = _date(cells["date"])
    home, away = (_club(cells[f"{side}_team"], whole(cells["season"])) for side in ("home", "away"))
    season = str(whole(cells["season"]))
    told = game(_NFL, on, home, away, _ARCHIVE.times.at(_NFL, on), start_assumed=True, season=season)
    found = Found(BOOK)
    found.american(cells, "home_close_ml", CLOSING, "MONEYLINE:FULL_GAME", "HOME")
    found.american(cells, "away_close_ml", CLOSING, "MONEYLINE:FULL_GAME", "AWAY")
    lines = [column for columns in LINES.values() for column in columns]
    for fault in filter(None, (_swapped(cells, *columns) for columns in LINES.values())):
        found.faults.append(fault)
        lines = [column for column in lines if column not in fault.columns.split(",")]
    score = _archived_score(cells, found.faults)
    reading.left_out[LEFT_OUT] += sum(bool(cells.get(column)) for column in (*lines, *HALF_LINES))
    looks = found.looks(_ARCHIVE.times, told.starts_at)
    kind = "application/json"
    return GameRow(_ARCHIVE, told, partial(str, row.raw), "american", looks, found.of, score, kind), found.faults


def _date(text: str) -> date:
    return iso_date(str(whole(text)))  # it comes as 20110908.0


def _club(name: str, season: int) -> str:
    """A club's name; a city with two clubs names none, but for Los Angeles while it had the Rams alone."""
    if name in ("", "0"):
        raise BadCell(f"team: {name!r} names no team")
    spaced = next((city for city in TWO_CLUBS if city.replace(" ", "") == name.replace(" ", "")), None)
    if spaced == "Los Angeles" and season == LAST_YEAR_OF_ONE_LA_CLUB:
        return "Rams"
    if spaced:
        raise BadCell(f"team: {name!r} may be either club of {spaced}")
    return name


def _swapped(cells: Mapping[str, str], spread_column: str, total_column: str) -> Fault | None:
    """A spread above the total means that the two are swapped; so low a total is none."""
    try:
        spread, total = number(cells[spread_column]), number(cells[total_column])
    except BadCell as error:
        return Fault(f"{spread_column},{total_column}", str(error))
    if abs(spread) > total:
        return Fault(f"{spread_column},{total_column}", f"spread {spread:g} and total {total:g} are swapped")
    if total < LEAST_TOTAL:
        return Fault(f"{spread_column},{total_column}", f"{total:g} is not the total of a whole game")
    return None


def _archived_score(cells: Mapping[str, str], faults: list[Fault]) -> Score | None:
    if not cells["home_final"] and not cells["away_final"]:
        return None
    home, away = whole(cells["home_final"]), whole(cells["away_final"])
    try:
        quarters = [(q, whole(cells[f"home_{name}"]), whole(cells[f"away_{name}"])) for q, name in QUARTERS.items()]
    except BadCell as error:
        faults.append(Fault("quarters", str(error)))
        return Score(home, away, "home_final,away_final")
    more = home - sum(quarter[1] for quarter in quarters), away - sum(quarter[2] for quarter in quarters)
    if min(more) < 0:
        faults.append(Fault("quarters", "the quarters have more points than the game"))
        return Score(home, away, "home_final,away_final")
    periods = (*quarters, ("ot", *more)) if any(more) else tuple(quarters)
    return Score(home, away, "home_final,away_final", periods, extra_time=any(more))


def nfelo_moments(path: Path) -> FileMoments:
    """Nfelo's market columns: those lines that have a price; it tells no date and no score.

    Raises:
        FileRefused: not such a file.
    """
    table = read_table(path, NFELO, NFELO_REQUIRED)
    reading = Reading(table.file, NFELO)
    return tell_rows(reading, table.rows, partial(_nfelo_row, reading, table))


def _nfelo_row(reading: Reading, table: Table, row: Row) -> tuple[GameRow, list[Fault]]:
    cells = table.named(row)
    told = _nfelo_game(cells["game_id"])
    found = Found(BOOK)
    for phase, word in NFELO_PHASES:
        _read_lines(reading, found, cells, phase, word)
    content = partial(table.raw_csv, row.raw)
    looks = found.looks(_NFELO.times, told.starts_at)
    return GameRow(_NFELO, told, content, "american", looks, found.of, None), found.faults


def _nfelo_game(game_id: str) -> Game:
    parts = game_id.split("_")
    if len(parts) != 4:
        raise BadCell(f"game_id: {game_id!r} is not season_week_away_home")
    season, week = whole(parts[0]), whole(parts[1])
    home, away = opponents(_NFL, parts[3], parts[2])
    start = _NFELO.times.at(_NFL, sunday_of(season, week))
    identity = event_id_in_round(_NFL, f"{season}-week-{week:02}", home, away)
    return Game(identity, _NFL, home, away, start, start_assumed=True, season=str(season))


def sunday_of(season: int, week: int) -> date:
    """The Sunday of an NFL week: week 1 follows Labor Day, and a week without games precedes the Super Bowl.

    Raises:
        BadCell: no such week.
    """
    last = 21 if season <= LAST_SEASON_OF_17_WEEKS else 22
    if not 1 <= week <= last or not 1970 <= season <= 2100:
        raise BadCell(f"game_id: season {season} has no week {week}")
    first = date(season, 9, 1)
    labor_day = first + timedelta(days=-first.weekday() % 7)
    return labor_day + timedelta(days=6, weeks=week - 1 + (week == last))


def _read_lines(reading: Reading, found: Found, cells: Mapping[str, str], phase: str, word: str) -> None:
    for key, line_column, price_columns in NFELO_LINES:
        line = _line(found, cells, line_column.format(word))
        prices = {side: column.format(word) for side, column in price_columns.items()}
        if line is not None and not any(cells[column] for column in prices.values()):
            reading.left_out[LEFT_OUT] += 1
        elif line is not None:
            for side, column in prices.items():
                found.american(cells, column, phase, key, side, -line if side == "AWAY" else line)


def _line(found: Found, cells: Mapping[str, str], column: str) -> float | None:
    try:
        return number(cells[column]) if cells[column] else None
    except BadCell as error:
        found.faults.append(Fault(column, str(error)))
        return None
