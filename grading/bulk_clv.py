"""Closing line value of many picks at once with numpy: the same answers as `grading.clv`, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from grading.clv import points_sign

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]

VERDICTS: Final = ("no", "equal", "yes", None)
_NONE: Final = VERDICTS.index(None)
_ROUNDING: Final = 1e-12
"""An expected value within this of 0 is 0, which floats rarely meet."""


@dataclass(frozen=True)
class BulkClosingLineValue:
    """The measures of n picks, float64 of shape (n,), NaN for null; `beat_close` indexes VERDICTS (int8)."""

    price: Floats
    probability: Floats
    fair_close: Floats
    ev: Floats
    points: Floats
    beat_close: Codes


def points_signs(selections: Sequence[str]) -> Codes:
    """`grading.clv.points_sign` of n selections, (n,) int8."""
    signs = {word: points_sign(word) for word in set(selections)}
    return np.array([signs[word] for word in selections], dtype=np.int8)


def closing_line_values(
    signs: Codes,
    bet_lines: Floats,
    bet_odds: Floats,
    close_lines: Floats,
    close_odds: Floats,
    fair_closes: Floats,
    push_probabilities: Floats | None = None,
    moved_chances: tuple[Floats, Floats] | None = None,
) -> BulkClosingLineValue:
    """The four measures of n picks against their closes, within 1e-12 of `grading.clv.closing_line_value`.

    All arrays are (n,), NaN is null: `signs` from `points_signs`; lines the selection's own, none where the market has
    none; decimal odds (`odds.decimal_odds_array`), a pick without a close has NaN; `fair_closes` the fair probability
    of the closing price (`no_vig.fair_probability_array`); `push_probabilities` of landing on the closing line;
    `moved_chances` the shares of the stake that win and lose at the pick's line (`MarginModel.chances_many`). Time and
    memory grow with n only. Raises ValueError where the shapes differ.
    """
    push = np.full(bet_odds.shape, np.nan) if push_probabilities is None else push_probabilities
    win, loss = (np.full(bet_odds.shape, np.nan),) * 2 if moved_chances is None else moved_chances
    columns = (signs, bet_lines, close_lines, close_odds, fair_closes, push, win, loss)
    if any(column.shape != bet_odds.shape for column in columns):
        raise ValueError("all columns must have one shape")
    lined, closed = ~np.isnan(bet_lines), ~np.isnan(close_odds)
    comparable = closed & (lined == ~np.isnan(close_lines))
    moved = comparable & lined & (bet_lines != close_lines) & (signs != 0)
    same = comparable & (~lined | (bet_lines == close_lines))
    gap = np.where(moved, signs * (bet_lines - close_lines), np.nan)
    modelled = moved & ~np.isnan(fair_closes) & ~np.isnan(win)
    ev = np.where(same, bet_odds * fair_closes - 1, np.nan)
    ev = np.where(moved, _half_a_point_away(bet_odds, gap, close_lines, fair_closes, push), ev)
    ev = np.where(modelled, win * (bet_odds - 1) - loss, ev)
    return BulkClosingLineValue(
        price=np.where(same, bet_odds / close_odds - 1, np.nan),
        probability=np.where(same, 1 / close_odds - 1 / bet_odds, np.nan),
        fair_close=np.where(same, fair_closes, np.nan),
        ev=ev,
        points=np.where(same & lined, 0.0, gap),
        beat_close=_verdicts(same, moved, gap, np.sign(bet_odds - close_odds), ev),
    )


def _half_a_point_away(odds: Floats, gap: Floats, close_lines: Floats, fair: Floats, push: Floats) -> Floats:
    """Half a point better than a whole close also wins what lands on it; half a point worse loses that."""
    told = (np.abs(gap) == 0.5) & (close_lines == np.rint(close_lines))
    win = (1 - push) * fair + np.where(gap > 0, push, 0.0)
    return np.where(told, odds * win - 1, np.nan)


def _verdicts(same: Flags, moved: Flags, gap: Floats, price: Floats, ev: Floats) -> Codes:
    """By the price at the same line; else by the expected value; else where number and price do not disagree."""
    by_ev = np.where(np.abs(ev) < _ROUNDING, 0.0, np.sign(ev))
    agreed = np.where(gap * price < 0, np.nan, np.sign(gap))
    sign = np.where(same, price, np.where(moved, np.where(np.isnan(ev), agreed, by_ev), np.nan))
    return np.where(np.isnan(sign), _NONE, np.nan_to_num(sign) + 1).astype(np.int8)
