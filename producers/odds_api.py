"""The Odds API v4: a game's `bookmakers` list, taken apart into quotes and refusals, losing nothing.

Shape: bookmakers (`key`, `markets`) hold markets (`key`, `outcomes`), which hold outcomes (`name`, `price`, and where
the market has them `point` and `description`). Source: https://the-odds-api.com/sports-odds-data/betting-markets.html

Sides are found by the names of the teams, never by their place in a list. A path is a JSON Pointer (RFC 6901) into the
list.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar

from producers.checked import check_market_line, check_selection
from producers.prices import Price, read_price
from schemas.odds import OddsFormat

PERIODS: Final = {
    "q1": "Q1",
    "q2": "Q2",
    "q3": "Q3",
    "q4": "Q4",
    "h1": "FIRST_HALF",
    "h2": "SECOND_HALF",
    "p1": "P1",
    "p2": "P2",
    "p3": "P3",
    "1st_1_innings": "I1",
}
P = ParamSpec("P")
T = TypeVar("T")

ALTERNATE: Final = "alternate"
_PERIOD = re.compile(rf"(?P<market>.+?)_(?P<period>{'|'.join(PERIODS)})")
_PROP = re.compile(r"(player|batter|pitcher)_[a-z0-9_]+")
_FIRST_INNINGS = re.compile(r".+_1st_[2-9]_innings")


@dataclass(frozen=True)
class Game:
    """What the list itself does not say: who plays where, and at what (`sport_key`, such as "soccer_epl")."""

    home: str | None = None
    away: str | None = None
    sport_key: str = ""

    @property
    def is_football(self) -> bool:
        """Whether it is association football."""
        return self.sport_key.startswith("soccer")

    def side(self, name: object) -> str:
        """HOME, AWAY or DRAW for an outcome's name.

        Raises:
            ValueError: it is neither team.
        """
        if _same(name, "Draw"):
            return "DRAW"
        if self.home is None or self.away is None:
            raise ValueError("the teams of the event are not known: pass home_team and away_team")
        for side, team in (("HOME", self.home), ("AWAY", self.away)):
            if _same(name, team):
                return side
        raise ValueError(f"{name!r} is neither {self.home!r} nor {self.away!r}")


@dataclass(frozen=True)
class Quote:
    """One price for one selection, in our words."""

    path: str
    book: str
    market_key: str
    selection: str
    line: float | None
    price: Price
    label: str | None


@dataclass(frozen=True)
class Refusal:
    """What could not become a quote; `column` is the field at fault, `raw` the JSON of the outcome (or more)."""

    path: str
    column: str
    reason: str
    raw: str


class _RefusedError(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def prices_by_market(bookmakers: Sequence[object]) -> Iterator[list[object]]:
    """The prices as they came, market by market; whatever is malformed is passed over here, and refused by `read`."""
    for bookmaker in bookmakers:
        for market in _list_in(bookmaker, "markets"):
            yield [outcome.get("price") for outcome in _list_in(market, "outcomes") if isinstance(outcome, dict)]


def read(bookmakers: Sequence[object], game: Game, odds_format: OddsFormat) -> Iterator[Quote | Refusal]:
    """Each outcome as a quote or a refusal, in the list's order; a malformed bookmaker or market is one refusal."""
    for index, bookmaker in enumerate(bookmakers):
        path = f"/{index}"
        book = bookmaker.get("key") if isinstance(bookmaker, dict) else None
        markets = bookmaker.get("markets") if isinstance(bookmaker, dict) else None
        if not isinstance(book, str) or not book.strip():
            yield _refusal(path, "key", "the bookmaker has no key", bookmaker)
        elif not isinstance(markets, list):
            yield _refusal(path, "markets", "the bookmaker has no list of markets", bookmaker)
        else:
            for place, market in enumerate(markets):
                yield from _read_market(f"{path}/markets/{place}", book.strip(), market, game, odds_format)


def _read_market(path: str, book: str, market: Any, game: Game, odds_format: OddsFormat) -> Iterator[Quote | Refusal]:
    outcomes = market.get("outcomes") if isinstance(market, dict) else None
    if not isinstance(outcomes, list):
        yield _refusal(path, "outcomes", "the market has no list of outcomes", market)
        return
    drawn = any(isinstance(outcome, dict) and _same(outcome.get("name"), "Draw") for outcome in outcomes)
    taken: set[tuple[str, str, float | None]] = set()
    for place, outcome in enumerate(outcomes):
        where = f"{path}/outcomes/{place}"
        try:
            quote = _read_outcome(where, book, market.get("key"), drawn, outcome, game, odds_format)
            if (same := (quote.market_key, quote.selection, quote.line)) in taken:
                raise _RefusedError("name", "the market names this selection and line twice")  # noqa: TRY301
            taken.add(same)
            yield quote
        except _RefusedError as refused:
            yield _refusal(where, refused.column, str(refused), outcome)


def _read_outcome(
    path: str, book: str, key: object, drawn: bool, outcome: Any, game: Game, odds_format: OddsFormat
) -> Quote:
    if not isinstance(outcome, dict):
        raise _RefusedError("outcomes", "the outcome is not an object")
    base, period, alternate = _split_key(key)
    market = _market(base, drawn, game)
    market_key = f"{market}:{period or _whole_game(market, game)}"
    selection = _check("name", _selection, market, outcome, game)
    line = _line(market, outcome.get("point"))
    _check("name", check_selection, market_key, selection)
    _check("point", check_market_line, market_key, selection, line)
    price = _check("price", read_price, outcome.get("price"), odds_format)
    return Quote(path, book, market_key, selection, line, price, ALTERNATE if alternate else None)


def _check(column: str, step: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """What a step makes of the outcome; its error names the column."""
    try:
        return step(*args, **named)
    except ValueError as error:
        raise _RefusedError(column, str(error)) from error


def _split_key(key: object) -> tuple[str, str | None, bool]:
    """The market's own key, its period (None: the whole game), and whether it is an alternate line."""
    if not isinstance(key, str) or not key.strip():
        raise _RefusedError("key", "the market has no key")
    base = key.strip().lower()
    if _FIRST_INNINGS.fullmatch(base):
        raise _RefusedError("key", f"{key}: there is no period for the first innings together")
    alternate = base.startswith("alternate_") or base.endswith("_alternate")
    base = base.removeprefix("alternate_").removesuffix("_alternate")
    split = _PERIOD.fullmatch(base)
    market, period = (split["market"], PERIODS[split["period"]]) if split else (base, None)
    if market.endswith("_lay"):
        raise _RefusedError("key", f"{key}: lay prices are not prices to back at")
    return market, period, alternate


_MARKETS: Final = {
    "h2h": "MONEYLINE",
    "h2h_3_way": "MONEYLINE_3WAY",
    "draw_no_bet": "DRAW_NO_BET",
    "double_chance": "DOUBLE_CHANCE",
    "spreads": "SPREAD",
    "totals": "TOTAL",
    "team_totals": "TEAM_TOTAL",
    "btts": "BOTH_TEAMS_TO_SCORE",
}
_WITH_LINE: Final = ("SPREAD", "ASIAN_HANDICAP", "TOTAL", "TEAM_TOTAL")


def _market(base: str, drawn: bool, game: Game) -> str:
    if _PROP.fullmatch(base):
        return base.upper() if base.startswith("player_") else f"PLAYER_{base.upper()}"
    if base not in _MARKETS:
        raise _RefusedError("key", f"{base}: this market is not known here")
    if base == "h2h" and drawn:
        return "MONEYLINE_3WAY"
    if base == "spreads" and game.is_football:
        return "ASIAN_HANDICAP"
    return _MARKETS[base]


def _whole_game(market: str, game: Game) -> str:
    # A price on the draw is one on the end of regulation, whatever the sport; football's prices all are.
    return "REGULATION" if market == "MONEYLINE_3WAY" or game.is_football else "FULL_GAME"


def _selection(market: str, outcome: dict[str, Any], game: Game) -> str:
    name = outcome.get("name")
    if market.startswith("PLAYER_"):
        return _player_selection(name, outcome.get("description"))
    if market == "TEAM_TOTAL":
        return f"{game.side(outcome.get('description'))}_{_word(name, 'OVER', 'UNDER')}"
    if market == "TOTAL":
        return _word(name, "OVER", "UNDER")
    if market == "BOTH_TEAMS_TO_SCORE":
        return _word(name, "YES", "NO")
    return _double_chance(name, game) if market == "DOUBLE_CHANCE" else game.side(name)


def _player_selection(name: object, player: object) -> str:
    word = _word(name, "OVER", "UNDER", "YES", "NO")
    if not isinstance(player, str) or not player.strip():
        raise ValueError("the outcome does not name its player in description")
    return f"{word}:{' '.join(player.split())}"


def _double_chance(name: object, game: Game) -> str:
    sides = frozenset(game.side(part) for part in re.split(r"\s+or\s+|\s*/\s*", str(name), flags=re.IGNORECASE))
    pairs = {frozenset(("HOME", "DRAW")): "1X", frozenset(("HOME", "AWAY")): "12", frozenset(("DRAW", "AWAY")): "X2"}
    if sides not in pairs:
        raise ValueError(f"{name!r} does not name two of home, draw and away")
    return pairs[sides]


def _line(market: str, point: object) -> float | None:
    if point is None or not (market in _WITH_LINE or market.startswith("PLAYER_")):
        return None
    if isinstance(point, bool) or not isinstance(point, int | float) or not math.isfinite(point):
        raise _RefusedError("point", f"point {point!r} is not a number")
    return float(point)


def _word(name: object, *words: str) -> str:
    for word in words:
        if _same(name, word):
            return word
    raise ValueError(f"{name!r} is not one of {', '.join(words)}")


def _same(one: object, other: str) -> bool:
    return isinstance(one, str) and " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _list_in(container: object, name: str) -> list[Any]:
    inside = container.get(name) if isinstance(container, dict) else None
    return inside if isinstance(inside, list) else []


def _refusal(path: str, column: str, reason: str, raw: object) -> Refusal:
    return Refusal(path, column, reason, json.dumps(raw, default=str))
