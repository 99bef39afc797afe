"""Raw answers of The Odds API v4: a list of games, each with its bookmakers."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from producers import odds_api
from producers.event_identity import league
from producers.importers.cells import BadCell, instant
from producers.importers.files import FileRefused, Row, read_objects
from producers.importers.games import Maker, Price
from producers.importers.looks import Look, Pairing, Told, tell_looks
from producers.importers.moments import Fault, FileMoments, Reading
from producers.prices import payload_format
from schemas.odds import OddsFormat

FORMAT = "odds-api"
REQUIRED = ("id", "sport_key", "commence_time", "home_team", "away_team")


def moments(path: Path) -> FileMoments:
    """The file's moments; the answer does not say when it was given: the newest update in it stands in.

    Raises:
        FileRefused: not such a file, without any update, or of prices that may be in two formats.
    """
    file, objects = read_objects(path, FORMAT, REQUIRED)
    reading = Reading(file, FORMAT)
    at, odds_format = _pulled(path, [game for _, game in objects]), _format(path, [game for _, game in objects])
    looks: list[Look] = []
    faults: list[tuple[Row, str, Fault]] = []
    for row, game in objects:
        try:
            look, bad = _look(row, game, at, odds_format)
        except ValueError as error:
            reading.reject_row(row, error)
            continue
        looks.append(look)
        faults.extend((row, look.pairing.provider_id, fault) for fault in bad)
    kind = "application/json"
    games = tell_looks(reading, Told(Maker(FORMAT, "the-odds-api"), odds_format, kind, assumed=True), looks)
    for row, provider_id, fault in faults:
        reading.reject_cells(row, fault, games[provider_id])
    return reading.finish(len(objects))


def _pulled(path: Path, games: list[Mapping[str, Any]]) -> datetime:
    updates = [at for game in games for at in _updates(game)]
    if not updates:
        raise FileRefused(f"{path}: has no last_update, so that nobody can say when its prices were taken")
    return max(updates)


def _updates(game: Mapping[str, Any]) -> Iterator[datetime]:
    bookmakers = game.get("bookmakers")
    for bookmaker in bookmakers if isinstance(bookmakers, list) else []:
        try:
            yield instant(bookmaker["last_update"])
        except (BadCell, KeyError, TypeError):
            continue  # the others say when it was


def _format(path: Path, games: list[Mapping[str, Any]]) -> OddsFormat:
    lists = [game["bookmakers"] for game in games if isinstance(game.get("bookmakers"), list)]
    try:
        return payload_format(market for bookmakers in lists for market in odds_api.prices_by_market(bookmakers))
    except ValueError as error:
        raise FileRefused(f"{path}: {error}") from error


def _look(row: Row, game: Mapping[str, Any], at: datetime, odds_format: OddsFormat) -> tuple[Look, list[Fault]]:
    texts = {key: game.get(key) for key in REQUIRED}
    bad = [key for key, text in texts.items() if not isinstance(text, str) or not text.strip()]
    if bad:
        raise BadCell(f"{', '.join(bad)}: missing or no text")
    said = {key: str(text) for key, text in texts.items()}
    bookmakers = game.get("bookmakers", [])
    if not isinstance(bookmakers, list):
        raise BadCell("bookmakers: no list")
    of, start = league(said["sport_key"]), instant(said["commence_time"])
    look = Look(at, Pairing(said["id"], of, said["home_team"], said["away_team"], start), partial(str, row.raw))
    faults = []
    playing = odds_api.Game(said["home_team"], said["away_team"], said["sport_key"])
    for found in odds_api.read(bookmakers, playing, odds_format):
        path = f"/bookmakers{found.path}"
        if isinstance(found, odds_api.Refusal):
            faults.append(Fault(f"{path}/{found.column}", found.reason))
        else:
            price, value = found.price.text, float(found.price.decimal)
            told = (found.book, found.market_key, found.selection, found.line, price, value)
            look.prices.append(Price(*told, path=path))
    return look, faults
