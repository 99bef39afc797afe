"""Tables of timestamped odds: flat ones with a row a price, wide ones with a row a book, and the scores beside them."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from producers import odds_api
from producers.event_identity import league
from producers.importers.cells import BadCell, american_price, in_our_age, instant, number, whole
from producers.importers.files import FileRefused, Row, Table, read_table, require_columns
from producers.importers.games import Game, Maker, Price
from producers.importers.looks import Look, Pairing, Told, calendar, tell_calendar, tell_looks
from producers.importers.moments import Fault, FileMoments, Order, Reading
from schemas.events import Result
from schemas.record import Record

SNAPSHOTS, API_CSV = "odds-snapshots", "odds-api-csv"
FLAT_GAME = ("event_id", "sport_key", "home_team", "away_team", "commence_time")
FLAT = (*FLAT_GAME, "bookmaker", "market", "outcome_name", "price", "point", "snapshot_utc")
API_ODDS = (*FLAT_GAME, "bookmaker_key", "market", "outcome_name", "price", "point", "snapshot_time")
API_EVENTS = (*FLAT_GAME, "snapshot_time")
API_SCORES = (*FLAT_GAME, "completed", "last_update", "score_name", "score_value")
WIDE_LINES = (
    ("ml_home", None, "MONEYLINE:FULL_GAME", "HOME"),
    ("ml_away", None, "MONEYLINE:FULL_GAME", "AWAY"),
    ("spread_home_odds", "spread_home", "SPREAD:FULL_GAME", "HOME"),
    ("spread_away_odds", "spread_away", "SPREAD:FULL_GAME", "AWAY"),
    ("total_over_odds", "total_line", "TOTAL:FULL_GAME", "OVER"),
    ("total_under_odds", "total_line", "TOTAL:FULL_GAME", "UNDER"),
)
"""Price column, line column, market and selection."""
WIDE = (
    *("source_file", "sport", "game_id", "commence_time", "home_team", "away_team", "bookmaker"),
    *dict.fromkeys(column for price, line, *_ in WIDE_LINES for column in (price, line) if column),
    "snapshot_taken_at_utc",
)
LABELS = ("open", "morning", "close")
"""What the wide files call a pull; their "close" is a time of day, not the last price before the start."""

_COMPACT = "%Y%m%d_%H%M%S"


def snapshot_moments(path: Path) -> FileMoments:
    """The moments of a table of repeated snapshots, flat or wide.

    Raises:
        FileRefused: neither.
    """
    table, maker = read_table(path, SNAPSHOTS, ()), Maker(SNAPSHOTS, "the-odds-api")
    if "snapshot_utc" in table.header:
        require_columns(path, SNAPSHOTS, table.header, FLAT)
        return _flat(table, maker, "bookmaker", "snapshot_utc")
    if "snapshot_taken_at_utc" in table.header:
        require_columns(path, SNAPSHOTS, table.header, WIDE)
        return _wide(table, maker)
    wanted = f"{', '.join(FLAT)}; or {', '.join(WIDE)}"
    raise FileRefused(f"{path}: is not an {SNAPSHOTS} file, it has no time of a snapshot; expected {wanted}")


def api_moments(path: Path) -> FileMoments:
    """The moments of one table of a flattened pull: odds, events or scores.

    Raises:
        FileRefused: none of them.
    """
    table, maker = read_table(path, API_CSV, FLAT_GAME), Maker(API_CSV, "the-odds-api")
    if "bookmaker_key" in table.header:
        require_columns(path, API_CSV, table.header, API_ODDS)
        return _flat(table, maker, "bookmaker_key", "snapshot_time")
    if "score_name" in table.header:
        require_columns(path, API_CSV, table.header, API_SCORES)
        return _scores(table, maker)
    require_columns(path, API_CSV, table.header, API_EVENTS)
    return _events(table, maker)


@dataclass(frozen=True, slots=True)
class Line:
    """A row whose game and time are known."""

    row: Row
    cells: Mapping[str, str]
    at: datetime
    pairing: Pairing


def _lines(
    reading: Reading, table: Table, at: Callable[[Mapping[str, str]], datetime], pairing: Callable[..., Pairing]
) -> Iterator[Line]:
    for row in table.rows:
        try:
            cells = table.named(row)
            yield Line(row, cells, at(cells), pairing(cells))
        except ValueError as error:
            reading.reject_row(row, error)


def _flat_pairing(cells: Mapping[str, str]) -> Pairing:
    start = instant(cells["commence_time"])
    return Pairing(cells["event_id"], league(cells["sport_key"]), cells["home_team"], cells["away_team"], start)


def _snapshot_time(column: str, cells: Mapping[str, str]) -> datetime:
    text = cells[column]
    if not text:
        raise BadCell(f"{column}: the row has no time")
    try:
        at = datetime.strptime(text, _COMPACT).replace(tzinfo=UTC)
    except ValueError:
        return instant(text)
    return in_our_age(at)


def _by_look(lines: Iterator[Line]) -> list[list[Line]]:
    looks: defaultdict[tuple[datetime, str], list[Line]] = defaultdict(list)
    for line in lines:
        looks[line.at, line.pairing.provider_id].append(line)
    return list(looks.values())


def _flat(table: Table, maker: Maker, book_column: str, time_column: str) -> FileMoments:
    reading = Reading(table.file, maker.format)
    lines = _lines(reading, table, partial(_snapshot_time, time_column), _flat_pairing)
    looks = [_flat_look(reading, table, group, book_column) for group in _by_look(lines)]
    tell_looks(reading, Told(maker, "decimal"), looks)
    return reading.finish(len(table.rows))


def _flat_look(reading: Reading, table: Table, lines: Sequence[Line], book_column: str) -> Look:
    """One look, through the reader of The Odds API's own shape; a row whose price cannot be used is rejected."""
    first = lines[0].pairing
    books: dict[str, dict[str, list[int]]] = {}
    for place, line in enumerate(lines):
        books.setdefault(line.cells[book_column], {}).setdefault(line.cells["market"], []).append(place)
    shape = [
        {
            "key": book,
            "markets": [
                {"key": market, "outcomes": [_outcome(lines[place].cells) for place in places]}
                for market, places in markets.items()
            ],
        }
        for book, markets in books.items()
    ]
    look = _look(table, lines)
    playing = odds_api.Game(first.home, first.away, lines[0].cells["sport_key"])
    for found in odds_api.read(shape, playing, "decimal"):
        for place in _places(list(books.values()), found.path):
            if isinstance(found, odds_api.Refusal):
                reading.reject_row(lines[place].row, f"{found.column}: {found.reason}")
            else:
                price = found.price
                said = (found.book, found.market_key, found.selection, found.line, price.text, float(price.decimal))
                look.prices.append(Price(*said, path=f"row {place + 1}, price"))
    return look


def _outcome(cells: Mapping[str, str]) -> dict[str, object]:
    try:
        point = number(cells["point"]) if cells["point"] else None
    except BadCell:
        return {"name": cells["outcome_name"], "price": cells["price"], "point": cells["point"]}
    return {"name": cells["outcome_name"], "price": cells["price"], "point": point}


def _places(books: Sequence[Mapping[str, Sequence[int]]], path: str) -> Sequence[int]:
    """The lines that a path of the reader is about: one outcome's, or all of a market or a book that has no key."""
    book, *inner = (int(part) for part in path.split("/") if part.isdigit())
    markets = list(books[book].values())
    if not inner:
        return [place for market in markets for place in market]
    return [markets[inner[0]][inner[1]]] if len(inner) > 1 else markets[inner[0]]


def _look(table: Table, lines: Sequence[Line], label: str | None = None) -> Look:
    content = partial(table.raw_csv, *(line.row.raw for line in lines))
    return Look(lines[0].at, lines[0].pairing, content, label=label)


def _wide(table: Table, maker: Maker) -> FileMoments:
    reading = Reading(table.file, maker.format)
    lines = _lines(reading, table, partial(_snapshot_time, "snapshot_taken_at_utc"), _wide_pairing)
    faults: list[tuple[Line, Fault]] = []
    looks = [_wide_look(reading, table, group, faults) for group in _by_look(lines)]
    games = tell_looks(reading, Told(maker, "american"), looks)
    for line, fault in faults:
        reading.reject_cells(line.row, fault, games[line.pairing.provider_id])
    return reading.finish(len(table.rows))


def _wide_pairing(cells: Mapping[str, str]) -> Pairing:
    if not cells["bookmaker"]:
        raise BadCell("bookmaker: the row names none")
    start = instant(cells["commence_time"])
    return Pairing(cells["game_id"], league(cells["sport"]), cells["home_team"], cells["away_team"], start)


def _wide_look(reading: Reading, table: Table, lines: Sequence[Line], faults: list[tuple[Line, Fault]]) -> Look:
    books: dict[str, Line] = {}
    for line in lines:
        first = books.setdefault(line.cells["bookmaker"], line)
        if first is not line:
            reading.reject_row(line.row, f"the book of row {first.row.number} again, in the same snapshot")
    kept = list(books.values())
    label = next((word for word in LABELS if f"_{word}_" in lines[0].cells["source_file"]), None)
    look = _look(table, kept, label)
    for place, line in enumerate(kept, 1):
        for found in _wide_prices(line.cells, place):
            if isinstance(found, Fault):
                faults.append((line, found))
            else:
                look.prices.append(found)
    return look


def _wide_prices(cells: Mapping[str, str], place: int) -> Iterator[Price | Fault]:
    for column, line_column, market_key, selection in WIDE_LINES:
        text = cells[column]
        if not text:
            continue
        try:
            line = number(cells[line_column]) if line_column else None
            value = american_price(text)
        except BadCell as error:
            yield Fault(column, str(error))
            continue
        yield Price(cells["bookmaker"], market_key, selection, line, text, value, f"row {place}, {column}")


def _events(table: Table, maker: Maker) -> FileMoments:
    reading = Reading(table.file, maker.format)
    lines = list(_lines(reading, table, partial(_snapshot_time, "snapshot_time"), _flat_pairing))
    games = tell_calendar(reading, maker, [(line.at, line.pairing) for line in lines])
    for line in lines:
        of = games[line.pairing.provider_id]
        reading.add(line.at, Order.ODDS, partial(_raw_lines, maker, table, of, line.at, [line]))
    return reading.finish(len(table.rows))


def _raw_lines(maker: Maker, table: Table, of: Game, at: datetime, lines: Sequence[Line]) -> list[Record]:
    source = f"{maker.format}: {of.of.word} {of.home} v {of.away}, {at:%Y-%m-%d %H:%M:%S} UTC"
    return [maker.raw(at, of.event_id, source, table.raw_csv(*(line.row.raw for line in lines)))]


def _scores(table: Table, maker: Maker) -> FileMoments:
    """One row a team: a game that is completed has a result, any other is but on the calendar."""
    reading = Reading(table.file, maker.format)
    lines = list(_lines(reading, table, partial(_score_time, maker.times.scheduled), _flat_pairing))
    games = calendar([(line.at, line.pairing) for line in lines])
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.pairing.provider_id].append(line)
    for provider_id, group in groups.items():
        _tell_score(reading, maker, table, games[provider_id], group)
    return reading.finish(len(table.rows))


def _score_time(before: timedelta, cells: Mapping[str, str]) -> datetime:
    return instant(cells["commence_time"]) - before


def _tell_score(reading: Reading, maker: Maker, table: Table, of: Game, lines: Sequence[Line]) -> None:
    try:
        ended = _ended(lines) if lines[0].cells["completed"] == "True" else None
    except ValueError as error:
        for line in lines:
            reading.reject_row(line.row, error)
        return
    scheduled = lines[0].at
    reading.add(scheduled, Order.SCHEDULED, partial(maker.scheduled, of, scheduled))
    if ended is None:
        reading.add(scheduled, Order.ODDS, partial(_raw_lines, maker, table, of, scheduled, lines))
    else:
        reading.add(ended[0], Order.RESULT, partial(_result, maker, table, of, lines, *ended))


def _ended(lines: Sequence[Line]) -> tuple[datetime, int, int]:
    """When a completed game's score was told, and the score."""
    cells, pairing = lines[0].cells, lines[0].pairing
    scores = {line.cells["score_name"]: line.cells["score_value"] for line in lines}
    if set(scores) != {pairing.home, pairing.away}:
        raise BadCell(f"the game is completed, but its scores are those of {', '.join(sorted(scores))}")
    return instant(cells["last_update"]), whole(scores[pairing.home]), whole(scores[pairing.away])


def _result(
    maker: Maker, table: Table, of: Game, lines: Sequence[Line], at: datetime, home: int, away: int
) -> list[Record]:
    (raw,) = _raw_lines(maker, table, of, at, lines)
    return [raw, maker.result(of, at, Result(home=home, away=away, raw_payload_id=raw.ref, raw_path="score_value"))]
