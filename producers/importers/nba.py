"""NBA files: scores by quarter, with one spread, total and moneyline a game."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from producers.event_identity import league
from producers.importers.cells import BadCell, iso_date, whole
from producers.importers.files import Row, Table, read_table
from producers.importers.game_row import CLOSING, Found, GameRow, Score, tell_rows
from producers.importers.games import Maker, game
from producers.importers.moments import Fault, FileMoments, Reading

FORMAT = "nba"
QUARTERS = ("q1", "q2", "q3", "q4")
PERIODS = (*QUARTERS, "ot")
LINES = ("spread", "total", "h2_spread", "h2_total")
REQUIRED = (
    *("season", "date", "away", "home", "score_away", "score_home", "moneyline_away", "moneyline_home"),
    *(f"{period}_{side}" for side in ("away", "home") for period in PERIODS),
    *LINES,
)
BOOK = "consensus"
"""The file names no book."""
LEFT_OUT = "lines without a price"

_MAKER = Maker(FORMAT, "kaggle")
_NBA = league("NBA")


def moments(path: Path) -> FileMoments:
    """The file's moments; spreads and totals have no prices, so that only moneylines become odds.

    Raises:
        FileRefused: not such a file.
    """
    table = read_table(path, FORMAT, REQUIRED)
    reading = Reading(table.file, FORMAT)
    return tell_rows(reading, table.rows, partial(_row, reading, table))


def _row(reading: Reading, table: Table, row: Row) -> tuple[GameRow, list[Fault]]:
    cells = table.named(row)
    on = iso_date(cells["date"])
    start = _MAKER.times.at(_NBA, on)
    told = game(_NBA, on, cells["home"], cells["away"], start, start_assumed=True, season=cells["season"] or None)
    found = Found(BOOK)
    found.american(cells, "moneyline_home", CLOSING, "MONEYLINE:FULL_GAME", "HOME")
    found.american(cells, "moneyline_away", CLOSING, "MONEYLINE:FULL_GAME", "AWAY")
    score = _score(cells, found.faults)
    reading.left_out[LEFT_OUT] += sum(bool(cells[column]) for column in LINES)
    looks, content = found.looks(_MAKER.times, start), partial(table.raw_csv, row.raw)
    return GameRow(_MAKER, told, content, "american", looks, found.of, score), found.faults


def _score(cells: Mapping[str, str], faults: list[Fault]) -> Score | None:
    """Games do not end level, so that such a score is false."""
    if not cells["score_home"] and not cells["score_away"]:
        return None
    path = "score_home,score_away"
    home, away = whole(cells["score_home"]), whole(cells["score_away"])
    if home == away:
        faults.append(Fault(path, f"{home}-{away}: a basketball game does not end level"))
        return None
    try:
        periods = [(name, whole(cells[f"{name}_home"]), whole(cells[f"{name}_away"])) for name in PERIODS]
    except BadCell as error:
        faults.append(Fault("quarters", str(error)))
        return Score(home, away, path)
    if (sum(period[1] for period in periods), sum(period[2] for period in periods)) != (home, away):
        faults.append(Fault("quarters", "the quarters do not add up to the score"))
        return Score(home, away, path)
    extra = any(periods[-1][1:])
    return Score(home, away, path, tuple(periods if extra else periods[:-1]), extra_time=extra)
