"""MLB files of bettingtools: opening and closing moneylines, run lines, totals and scores."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from producers.event_identity import league
from producers.importers.cells import BadCell, iso_date, number, whole
from producers.importers.files import Row, Table, read_table
from producers.importers.game_row import CLOSING, OPENING, Found, GameRow, Score, tell_rows
from producers.importers.games import Maker, game
from producers.importers.moments import Fault, FileMoments, Reading

FORMAT = "mlb"
REQUIRED = (
    *("date", "game", "away_name", "home_name", "away_score", "home_score"),
    *("away_open_ml", "home_open_ml", "away_close_ml", "home_close_ml"),
    *("away_run_line", "home_run_line", "away_run_line_odds", "home_run_line_odds"),
    *("open_ou_line", "open_ou_odds", "close_ou_line", "close_ou_odds"),
)
BOOK = "consensus"
"""The file names no book."""
BETWEEN_GAMES = timedelta(hours=4)
LEFT_OUT = "totals whose price has no side"

_MAKER = Maker(FORMAT, "sportsbookreviewsonline.com")
_MLB = league("MLB")


def moments(path: Path) -> FileMoments:
    """A season file's moments.

    Raises:
        FileRefused: not such a file.
    """
    table = read_table(path, FORMAT, REQUIRED)
    reading = Reading(table.file, FORMAT)
    return tell_rows(reading, table.rows, partial(_row, reading, table, _game_numbers(table)))


def _game_numbers(table: Table) -> Mapping[int, int]:
    """Row to the game's number on its day: `game` counts through the season, also within a double-header."""
    place = table.index()
    pairs: Counter[tuple[str, ...]] = Counter()
    numbers = {}
    good = [row for row in table.rows if not row.fault]
    for row in sorted(good, key=lambda row: (row.cells[place["date"]], row.cells[place["game"]].zfill(8))):
        pair = tuple(row.cells[place[column]] for column in ("date", "home_name", "away_name"))
        pairs[pair] += 1
        numbers[row.number] = pairs[pair]
    return numbers


def _row(reading: Reading, table: Table, numbers: Mapping[int, int], row: Row) -> tuple[GameRow, list[Fault]]:
    cells = table.named(row)
    on = iso_date(cells["date"])
    count = numbers[row.number]
    start = _MAKER.times.at(_MLB, on) + BETWEEN_GAMES * (count - 1)
    teams = cells["home_name"], cells["away_name"]
    told = game(_MLB, on, *teams, start, start_assumed=True, season=str(on.year), number=count)
    found = Found(BOOK)
    for phase, word in ((OPENING, "open"), (CLOSING, "close")):
        found.american(cells, f"home_{word}_ml", phase, "MONEYLINE:FULL_GAME", "HOME")
        found.american(cells, f"away_{word}_ml", phase, "MONEYLINE:FULL_GAME", "AWAY")
        reading.left_out[LEFT_OUT] += bool(cells[f"{word}_ou_line"])
    _run_line(found, cells)
    score = _score(cells, found.faults)
    looks, content = found.looks(_MAKER.times, start), partial(table.raw_csv, row.raw)
    return GameRow(_MAKER, told, content, "american", looks, found.of, score), found.faults


def _run_line(found: Found, cells: Mapping[str, str]) -> None:
    """The one run line of a row counts as closing; both sides' lines must mirror each other."""
    columns = "home_run_line,away_run_line"
    if not cells["home_run_line"] and not cells["away_run_line"]:
        return
    try:
        home, away = number(cells["home_run_line"]), number(cells["away_run_line"])
    except BadCell as error:
        found.faults.append(Fault(columns, str(error)))
        return
    if home != -away:
        found.faults.append(Fault(columns, f"run lines {home:g} and {away:g} do not mirror each other"))
        return
    found.american(cells, "home_run_line_odds", CLOSING, "SPREAD:FULL_GAME", "HOME", home)
    found.american(cells, "away_run_line_odds", CLOSING, "SPREAD:FULL_GAME", "AWAY", away)


def _score(cells: Mapping[str, str], faults: list[Fault]) -> Score | None:
    """Games do not end level: such a score is that of a suspended game, or wrong, and no result."""
    if not cells["home_score"] and not cells["away_score"]:
        return None
    path = "home_score,away_score"
    home, away = whole(cells["home_score"]), whole(cells["away_score"])
    if home == away:
        faults.append(Fault(path, f"{home}-{away}: a level score is no result in baseball"))
        return None
    return Score(home, away, path)
