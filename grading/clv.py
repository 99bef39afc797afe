"""Closing line value: how a pick's terms compare with the last ones before the start, in four measures.

The definitions are in docs/closing-line-value.md. Each measure is None where it can't be had, never 0, with the reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Final

from grading.no_vig import NoVigError, fair_probabilities
from grading.odds import decimal_odds

HALF_POINT: Final = Fraction(1, 2)
DEFAULT_METHOD: Final = "multiplicative"
FALLBACK_BOOKS: Final = ("pinnacle", "circa", "betfair_ex_eu", "betfair_ex_uk", "bet365", "draftkings", "fanduel")
"""Whose close stands in where the pick's own book has none, in this order: the sharpest first."""
_ABOVE: Final = ("over", "home_over", "away_over")
Number = Fraction | float


@dataclass(frozen=True)
class Terms:
    """A line, the selection's own (None where the market has none), and decimal odds."""

    line: Fraction | None
    odds: Fraction


@dataclass(frozen=True)
class Chances:
    """Shares of the stake that win, push and lose at some line."""

    win: float
    push: float
    loss: float


@dataclass(frozen=True)
class ClosingLineValue:
    """`price` = d_pick / d_close - 1; `probability` = 1/d_close - 1/d_pick; `ev` = expected profit per unit at the fair
    closing probability; `points` by which the pick's number is better. `beat_close` is yes, no or equal.
    """

    price: Fraction | None = None
    probability: Fraction | None = None
    fair_close: Fraction | None = None
    ev: Number | None = None
    points: Fraction | None = None
    beat_close: str | None = None
    reason: str | None = None


def closing_line_value(
    selection: str,
    bet: Terms,
    close: Terms,
    others: Sequence[Fraction] = (),
    method: str = DEFAULT_METHOD,
    push_probability: Fraction | None = None,
    margin: Callable[[float], Chances | None] | None = None,
) -> ClosingLineValue:
    """The four measures of a pick against its close.

    `others` are the closing odds of the other sides, without which nothing is fair; `method` is one of no_vig.METHODS.
    At a moved line the expected value comes from `margin`, which turns the fair closing probability into the chances at
    the pick's own line (None where it can't), else from `push_probability`, that of landing on a whole closing line
    half a point away from the pick's. Raises UnknownMethodError.
    """
    if (bet.line is None) != (close.line is None):
        missing, other = ("line_bet", "close") if bet.line is None else ("line_close", "pick")
        return ClosingLineValue(reason=f"{missing}: is missing where the {other} has a line")
    fair, reason = _fair((close.odds, *others), method)
    if bet.line == close.line:
        return _same_line(bet, close, fair, reason)
    return _moved_line(selection, bet, close, fair, reason, push_probability, margin)


def _same_line(bet: Terms, close: Terms, fair: Fraction | None, reason: str | None) -> ClosingLineValue:
    price = bet.odds / close.odds - 1
    return ClosingLineValue(
        price=price,
        probability=1 / close.odds - 1 / bet.odds,
        fair_close=fair,
        ev=None if fair is None else bet.odds * fair - 1,
        points=None if bet.line is None else Fraction(0),
        beat_close=_verdict(price),
        reason=reason,
    )


def _moved_line(
    selection: str,
    bet: Terms,
    close: Terms,
    fair: Fraction | None,
    reason: str | None,
    push_probability: Fraction | None,
    margin: Callable[[float], Chances | None] | None,
) -> ClosingLineValue:
    points = points_gained(selection, bet.line, close.line)
    if points is None:
        return ClosingLineValue(reason=f"selection: no line is better than another for {selection}")
    ev: Number | None = None
    chances = None if fair is None or margin is None else margin(float(fair))
    if chances is not None:
        ev, reason = chances.win * float(bet.odds - 1) - chances.loss, None
    elif fair is not None:
        win, reason = _half_a_point_away(points, close.line, fair, push_probability)
        ev = None if win is None else bet.odds * win - 1
    verdict = _verdict(ev) if ev is not None else _agreed(points, bet.odds - close.odds)
    return ClosingLineValue(points=points, ev=ev, beat_close=verdict, reason=reason)


def points_gained(selection: str, bet: Fraction | None, close: Fraction | None) -> Fraction | None:
    """By how many points the pick's line is better than the close; None without lines, or where neither is better."""
    sign = points_sign(selection)
    return None if bet is None or close is None or sign == 0 else sign * (bet - close)


def points_sign(selection: str) -> int:
    """1 where a high line is better (a spread, an under), -1 where a low one is (an over), 0 for a draw."""
    name = selection.strip().lower().partition(":")[0]
    return 0 if name == "draw" else -1 if name in _ABOVE else 1


@lru_cache(maxsize=65_536)  # all picks on one close ask the same
def _fair(market: tuple[Fraction, ...], method: str) -> tuple[Fraction | None, str | None]:
    """The fair probability of the first price, or why there is none."""
    if len(market) == 1:
        return None, "other_odds_close: no other side's price, so none is fair"
    try:
        return fair_probabilities(market, method)[0], None
    except NoVigError as error:
        return None, f"other_odds_close: {error}"


def _half_a_point_away(
    points: Fraction, close: Fraction | None, fair: Fraction, push: Fraction | None
) -> tuple[Fraction | None, str | None]:
    if push is None:
        return None, "extra: the line moved and no push_probability_at_close_line says what that is worth"
    if close is None or close.denominator != 1:
        return None, "line_close: push_probability_at_close_line needs a whole closing line"
    if abs(points) != HALF_POINT:
        return None, "line_bet: push_probability_at_close_line tells the worth of half a point only"
    kept = (1 - push) * fair
    return (push + kept if points > 0 else kept), None


def _verdict(value: Number) -> str:
    return "yes" if value > 0 else "no" if value < 0 else "equal"


def _agreed(points: Fraction, price: Fraction) -> str | None:
    """Yes or no where number and price do not disagree; a better number at a worse price has no verdict."""
    return None if points * price < 0 else _verdict(points)


@dataclass(frozen=True, slots=True)
class Quote:
    """One side of a market as one book last offered it; `capture_id` names the look at the market that it is from."""

    snapshot_id: str
    book: str
    selection: str
    line: float | None
    price: str
    odds_format: str
    captured_at: datetime
    capture_id: str

    @property
    def terms(self) -> Terms:
        """The line and the odds, exactly; made when asked for: few quotes are a close. Raises OddsError."""
        return Terms(exact_line(self.line), decimal_odds(self.price, self.odds_format))


@dataclass(frozen=True)
class Close:
    """The close of a pick, the other sides of the same capture (by selection), and whose it is."""

    quote: Quote
    others: Mapping[str, Quote]
    own_book: bool


def choose_close(
    quotes: Iterable[Quote],
    selection: str,
    book: str | None,
    starts_at: datetime,
    fallback: Sequence[str] = FALLBACK_BOOKS,
) -> Close | None:
    """The last quote of the pick's own book at or before the start, else of the first fallback book that has one.

    The others are of the same book and capture, at the same line: home -3 goes with away +3, not with away +3.5 or -3.
    """
    known = [quote for quote in quotes if quote.captured_at <= starts_at]
    offered = {quote.book for quote in known if quote.selection == selection}
    chosen = next((name for name in (book, *fallback) if name in offered), None)
    if chosen is None:
        return None
    of_book = [quote for quote in known if quote.book == chosen]
    mine = [quote for quote in of_book if quote.selection == selection]
    last = max(mine, key=lambda quote: (quote.captured_at, quote.snapshot_id))
    same_look = [quote for quote in of_book if quote.capture_id == last.capture_id and quote.selection != selection]
    others = {quote.selection: quote for quote in same_look if _home_line(quote) == _home_line(last)}
    return Close(last, others, chosen == book)


@lru_cache(maxsize=4096)  # there are few lines, and many picks on each
def exact_line(line: float | None) -> Fraction | None:
    """A line as the decimal that it is written as."""
    return None if line is None else Fraction(str(line))


def _home_line(quote: Quote) -> float | None:
    """The line as home's, in which all sides of a handicap agree; any other line is the same for all as it is."""
    return -quote.line if quote.line is not None and quote.selection.strip().upper() == "AWAY" else quote.line
