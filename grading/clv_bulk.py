"""Closing line value of many picks at once with numpy: the same answers as `grading.clv`, rounded to floats."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ROUNDING: Final = 1e-12
"""An expected value this near to 0 is 0 where it is computed exactly."""


@dataclass(frozen=True)
class ClosingLineValues:
    """The measures of `ClosingLineValue`, each of shape (n,), with NaN where one can't be had.

    `beat_close` is 1 for yes, 0 for equal, -1 for no.
    """

    price: Floats
    probability: Floats
    fair_close: Floats
    ev: Floats
    points: Floats
    beat_close: Floats


def closing_line_values(
    direction: ArrayLike,
    line_bet: ArrayLike,
    odds_bet: ArrayLike,
    line_close: ArrayLike,
    odds_close: ArrayLike,
    fair_close: ArrayLike,
    push_probability: ArrayLike = np.nan,
    chances: tuple[ArrayLike, ArrayLike] = (np.nan, np.nan),
) -> ClosingLineValues:
    """The measures of n picks against their closes; all arrays are (n,) or one value for all.

    `direction` is 1 where a higher line is better (a handicap, an under), -1 where a lower one is (an over), 0 where
    none is. Odds are decimal; a line is the selection's own. NaN stands for no line, no close, no fair probability
    (`no_vig.fair_probability_array` gives them), no push probability. `chances` are the shares that win and lose at
    the pick's own line (`MarginModel.chances_many` gives them); they go before the push probability.
    """
    way, bet, close, d_bet, d_close, fair, push, win, loss = np.broadcast_arrays(
        *(
            np.asarray(each, dtype=np.float64)
            for each in (
                direction, line_bet, line_close, odds_bet, odds_close, fair_close, push_probability, *chances,
            )
        )
    )  # fmt: skip
    priced = np.isfinite(d_bet) & np.isfinite(d_close)
    no_line = np.isnan(bet) & np.isnan(close)
    same = priced & (no_line | (bet == close))
    moved = priced & ~np.isnan(bet - close) & (bet != close) & (way != 0)
    points = np.where(moved, way * (bet - close), np.where(same & ~no_line, 0.0, np.nan))
    ev_moved = np.where(
        np.isnan(win) | np.isnan(fair),
        d_bet * _win_half_a_point_away(points, close, fair, push) - 1,
        win * (d_bet - 1) - loss,
    )
    ev = np.where(same, d_bet * fair - 1, np.where(moved, ev_moved, np.nan))
    return ClosingLineValues(
        price=np.where(same, d_bet / d_close - 1, np.nan),
        probability=np.where(same, 1 / d_close - 1 / d_bet, np.nan),
        fair_close=np.where(same, fair, np.nan),
        ev=ev,
        points=points,
        beat_close=_verdicts(same, d_bet - d_close, ev, points),
    )


def _win_half_a_point_away(points: Floats, close: Floats, fair: Floats, push: Floats) -> Floats:
    kept = (1 - push) * fair
    tells = (np.abs(points) == 0.5) & (close == np.rint(close))
    return np.where(tells, np.where(points > 0, push + kept, kept), np.nan)


def _verdicts(same: NDArray[np.bool_], better_price: Floats, ev: Floats, points: Floats) -> Floats:
    by_ev = np.where(np.abs(ev) < ROUNDING, 0.0, np.sign(ev))
    agreed = np.where(points * better_price < 0, np.nan, np.sign(points))
    return np.where(same, np.sign(better_price), np.where(np.isnan(ev), agreed, by_ev))
