"""The vocabulary: sports, markets, periods, selections, and which of them go together.

Words are case-insensitive and in lower case here. A market key in records is "MARKET:PERIOD".
"""

import re
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Final

from grading.outcomes import GradingError
from schemas import markets as words

US_SPORTS: Final = ("nfl", "nba", "wnba", "ncaaf", "ncaab", "mlb", "nhl")
SPORTS: Final = (*US_SPORTS, "soccer", "tennis", "golf", "mixed")
SPORT_ALIASES: Final = {"football": "soccer"}

FULL_GAME: Final = "full_game"
REGULATION: Final = "regulation"
WITH_EXTRA_TIME: Final = "including_extra_time_and_penalties"
WHOLE_GAME_PERIODS: Final = (FULL_GAME, REGULATION, WITH_EXTRA_TIME)
PERIODS: Final = tuple(word.lower() for word in words.PERIODS)
QUARTERS: Final = tuple(word for word in PERIODS if re.fullmatch("q[0-9]", word))
THIRDS: Final = tuple(word for word in PERIODS if re.fullmatch("p[0-9]", word))
INNINGS: Final = tuple(word for word in PERIODS if re.fullmatch("i[0-9]", word))

LARGEST_LINE: Final = 100_000
_SCORE: Final = re.compile(r"([0-9]{1,3})\s*-\s*([0-9]{1,3})")
_SHOWN_CHARS: Final = 40


class Line(Enum):
    """What a market's line may be."""

    NONE = "no line"
    HANDICAP = "a multiple of 0.25"
    WHOLE_HANDICAP = "a whole number"
    TOTAL = "a multiple of 0.25, 0 or more"


@dataclass(frozen=True)
class Market:
    """What may stand beside a market: its selections (none: any), its line, its periods (the first is the default)."""

    selections: tuple[str, ...]
    line: Line
    periods: tuple[str, ...] = PERIODS
    scored: bool = True


_SIDES = ("home", "away")
_RESULTS = ("home", "draw", "away")
_TOTALS = ("over", "under")
_WHOLE = (_SIDES, _TOTALS, ("yes", "no"), ("home_over", "home_under"), ("away_over", "away_under"))
_OUTRIGHT = Market(("player",), Line.NONE, (FULL_GAME,), scored=False)
_PLAYER = Market(_TOTALS, Line.TOTAL, scored=False)

MARKETS: Final[dict[str, Market]] = {
    "moneyline": Market(_SIDES, Line.NONE),
    "moneyline_3way": Market(_RESULTS, Line.NONE),
    "draw_no_bet": Market(_SIDES, Line.NONE),
    "double_chance": Market(("1x", "12", "x2"), Line.NONE),
    "spread": Market(_SIDES, Line.HANDICAP),
    "asian_handicap": Market(_SIDES, Line.HANDICAP),
    "european_handicap_3way": Market(_RESULTS, Line.WHOLE_HANDICAP),
    "total": Market(_TOTALS, Line.TOTAL),
    "asian_total": Market(_TOTALS, Line.TOTAL),
    "team_total": Market(("home_over", "home_under", "away_over", "away_under"), Line.TOTAL),
    "both_teams_to_score": Market(("yes", "no"), Line.NONE),
    "correct_score": Market((), Line.NONE),
    "to_qualify": Market(_SIDES, Line.NONE, WHOLE_GAME_PERIODS),
    "outright": _OUTRIGHT,
    "group_winner": _OUTRIGHT,
    "parlay": Market((), Line.NONE, (FULL_GAME,), scored=False),
}


@dataclass(frozen=True)
class MarketKey:
    """A market and its period, written "SPREAD:FULL_GAME"."""

    market: str
    period: str

    def __str__(self) -> str:
        return f"{self.market}:{self.period}".upper()


def parse_market_key(text: str) -> MarketKey:
    """The parts of "MARKET:PERIOD", checked. Raises GradingError."""
    market, colon, period = text.partition(":")
    if not colon:
        raise GradingError(f"market_key: {shown(text)} is not MARKET:PERIOD")
    name = market_name(market)
    return MarketKey(name, period_name(name, period))


def sport_name(word: str) -> str:
    """The sport's one name ("football" is soccer). Raises GradingError."""
    name = _word(word)
    name = SPORT_ALIASES.get(name, name)
    if name not in SPORTS:
        raise GradingError(f"sport: unknown word {shown(word)}")
    return name


def market_name(word: str) -> str:
    """The market's name in lower case. Raises GradingError."""
    name = _word(word)
    if find_market(name) is None:
        raise GradingError(f"market: unknown word {shown(word)}")
    return name


def find_market(name: str) -> Market | None:
    """What goes with a market's lower-case name; None where there is no such market."""
    if words.PLAYER_STAT.fullmatch(name):
        return _PLAYER
    if words.TOP_N.fullmatch(name):
        return _OUTRIGHT
    return MARKETS.get(name)


def period_name(market: str, word: str) -> str:
    """The period's name; an empty word is the full game. Raises GradingError."""
    allowed = _market(market).periods
    name = _word(word) or FULL_GAME
    if name not in PERIODS:
        raise GradingError(f"period: unknown word {shown(word)}")
    if name not in allowed:
        raise GradingError(f"period: {market} is not settled by {shown(word)}")
    return name


def selection_name(market: str, word: str) -> str:
    """The selection's name in lower case; a correct score comes back as "2-1". Raises GradingError."""
    name = _word(word)
    if market == "correct_score":
        home, away = parse_score(name)
        return f"{home}-{away}"
    if name not in _market(market).selections:
        raise GradingError(f"selection: {market} has no {shown(word)}")
    return name


def other_sides(market: str, selection: str) -> tuple[str, ...]:
    """The selections of which one wins where this one does not; none where nothing tells them all.

    Double chances overlap, and nobody knows all scores or all players. A subject is kept: under:<player> stands against
    over:<player>. Words are in lower case.
    """
    word, colon, subject = selection.partition(":")
    wholes = (_RESULTS,) if market.endswith("_3way") else _WHOLE
    return tuple(side + colon + subject for whole in wholes if word in whole for side in whole if side != word)


def parse_score(text: str) -> tuple[int, int]:
    """Home's and away's goals from "2-1". Raises GradingError."""
    match = _SCORE.fullmatch(text)
    if match is None:
        raise GradingError(f"selection: {shown(text)} is not a score such as 2-1, home's first")
    return int(match[1]), int(match[2])


def check_line(market: str, line: Fraction | None) -> Fraction | None:
    """The line if the market can have it; a 0 for a market without a line is None. Raises GradingError."""
    kind = _market(market).line
    if kind is Line.NONE:
        if line:
            raise GradingError(f"line: {market} has no line")
        return None
    if line is None:
        raise GradingError(f"line: {market} needs one")
    steps = 1 if kind is Line.WHOLE_HANDICAP else 4
    negative_total = kind is Line.TOTAL and line < 0
    if (line * steps).denominator != 1 or negative_total or abs(line) > LARGEST_LINE:
        raise GradingError(f"line: {shown(str(line))} is not {kind.value}")
    return line


def shown(text: str) -> str:
    """A cell's text for a message: quoted, and cut where it is long."""
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "...")


def _market(name: str) -> Market:
    market = find_market(name)
    if market is None:
        raise GradingError(f"market: unknown word {shown(name)}")
    return market


def _word(text: str) -> str:
    return text.strip().lower()
