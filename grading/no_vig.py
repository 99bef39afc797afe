"""The probabilities behind a market's prices, by five methods of taking the margin out.

With pi = 1/odds and the book sum S = sum of pi, for any number of outcomes:

    multiplicative  pi / S
    additive        pi - (S - 1) / n
    power           pi^k
    shin            (sqrt(z² + 4 (1-z) pi² / S) - z) / (2 (1-z))
    odds_ratio      pi / (c + pi - c pi)

where k >= 1, z in [0, 1] or c >= 1 makes the probabilities sum to 1. Shin, Economic Journal 103 (1993); Clarke,
Kovalchik and Ingram, J. Sports Analytics 3 (2017). Where S is 1 there is no margin, and every method gives pi.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from grading.odds import decimal_odds, decimal_odds_array

Floats = NDArray[np.float64]

TOLERANCE: Final = 1e-12
MAX_STEPS: Final = 200
"""Bisection alone needs 60 steps from the widest bracket; more means a defect."""
_ROUNDING: Final = 4 * float(np.finfo(float).eps)


class NoVigFault(StrEnum):
    """Why a market has no fair probabilities, for machines."""

    BOOK_SUM_BELOW_ONE = "book_sum_below_one"
    NEGATIVE_PROBABILITY = "negative_probability"
    TOO_FEW_OUTCOMES = "too_few_outcomes"


class NoVigError(ValueError):
    """The prices have no fair probabilities by this method; `fault` says why to machines."""

    def __init__(self, fault: NoVigFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class UnknownMethodError(ValueError):
    """The name of no method."""


@dataclass(frozen=True)
class Method:
    """One method: `exact` for one market's implied probabilities, `bulk` for many, shape (markets, outcomes).

    Both are called with book sums above 1 only.
    """

    exact: Callable[[Sequence[Fraction]], tuple[Fraction, ...]]
    bulk: Callable[[Floats], Floats]


@dataclass(frozen=True)
class _Curve:
    """A family of probabilities over a parameter from `low` to `high(pi)`, along which their sum falls through 1.

    `at(pi, t)` is (probabilities, their derivatives by t); pi is (..., outcomes), t broadcasts against it.
    """

    low: float
    high: Callable[[Floats], Floats]
    at: Callable[[Floats, Floats], tuple[Floats, Floats]]


def fair_probabilities(odds: Sequence[Fraction | float], method: str = "multiplicative") -> tuple[Fraction, ...]:
    """The fair probabilities of all outcomes of one market, in the order of their decimal odds.

    `multiplicative` and `additive` are exact, the others sum to 1 within 1e-11. Raises OddsError for a price that is
    none, UnknownMethodError, and NoVigError where the book sum is below 1 (an arbitrage or a bad row), where
    `additive` goes below 0, or for fewer than two outcomes.
    """
    chosen = method_named(method)
    implied = [1 / decimal_odds(price, "decimal") for price in odds]
    if len(implied) < 2:
        raise NoVigError(NoVigFault.TOO_FEW_OUTCOMES, f"{len(implied)} prices are no market: give all its outcomes")
    book_sum = sum(implied)
    if book_sum < 1:
        raise NoVigError(
            NoVigFault.BOOK_SUM_BELOW_ONE,
            f"the book sum {float(book_sum):.6f} is below 1: an arbitrage, a bad row, or an outcome is missing",
        )
    return chosen.exact(implied) if book_sum > 1 else tuple(implied)


def fair_probability_array(odds: ArrayLike, method: str = "multiplicative") -> Floats:
    """The fair probabilities of many markets with as many outcomes each, shape (markets, outcomes) like their odds.

    Equal to `fair_probabilities` within 1e-10; a market that it refuses is a row of NaN. Raises UnknownMethodError,
    and ValueError for another shape.
    """
    chosen = method_named(method)
    prices = np.asarray(odds, dtype=np.float64)
    if prices.ndim != 2 or prices.shape[1] < 2:
        raise ValueError(f"odds: shape {prices.shape} is not (markets, outcomes) with two outcomes or more")
    fair = np.full(prices.shape, np.nan)
    implied = 1 / decimal_odds_array(prices, "decimal")
    excess = implied.sum(axis=1) - 1
    # 1/1.5 + 1/3 may miss 1 by a rounding; such a book has no margin.
    rounding = _ROUNDING * prices.shape[1]
    no_margin, margin = np.abs(excess) <= rounding, excess > rounding
    fair[no_margin] = implied[no_margin]
    fair[margin] = chosen.bulk(implied[margin])
    return fair


def method_named(name: str) -> Method:
    """The method of a name, in any case. Raises UnknownMethodError."""
    method = METHODS.get(name.strip().lower())
    if method is None:
        raise UnknownMethodError(f"{name!r} is not one of {', '.join(METHODS)}")
    return method


def _multiplicative(implied: Sequence[Fraction]) -> tuple[Fraction, ...]:
    book_sum = sum(implied)
    return tuple(pi / book_sum for pi in implied)


def _multiplicative_bulk(implied: Floats) -> Floats:
    fair: Floats = implied / implied.sum(axis=1, keepdims=True)
    return fair


def _additive(implied: Sequence[Fraction]) -> tuple[Fraction, ...]:
    share = (sum(implied) - 1) / Fraction(len(implied))
    if min(implied) < share:
        raise NoVigError(
            NoVigFault.NEGATIVE_PROBABILITY,
            f"additive takes {float(share):.6f} from each outcome, more than the longest price has; use another method",
        )
    return tuple(pi - share for pi in implied)


def _additive_bulk(implied: Floats) -> Floats:
    share = (implied.sum(axis=1, keepdims=True) - 1) / implied.shape[1]
    return np.where(implied.min(axis=1, keepdims=True) >= share, implied - share, np.nan)


def _power_at(pi: Floats, t: Floats) -> tuple[Floats, Floats]:
    logs = np.log(pi)
    p = np.exp(t * logs)
    return p, p * logs


def _power_high(pi: Floats) -> Floats:
    # All outcomes as likely as the likeliest would sum to 1 here.
    high: Floats = math.log(pi.shape[-1]) / -np.log(pi.max(axis=-1, keepdims=True))
    return high


def _shin_at(pi: Floats, t: Floats) -> tuple[Floats, Floats]:
    a = pi**2 / pi.sum(axis=-1, keepdims=True)
    # The usual form divides 0 by 0 at z = 1; this is the same, multiplied out.
    p: Floats = 2 * a / (np.sqrt(t**2 + 4 * (1 - t) * a) + t)
    return p, -p * (1 - p) / (2 * (1 - t) * p + t)


def _shin_high(pi: Floats) -> Floats:
    return np.ones_like(pi[..., :1])


def _odds_ratio_at(pi: Floats, t: Floats) -> tuple[Floats, Floats]:
    below = t * (1 - pi) + pi
    return pi / below, -pi * (1 - pi) / below**2


def _odds_ratio_high(pi: Floats) -> Floats:
    high: Floats = (pi / (1 - pi)).sum(axis=-1, keepdims=True)
    return high


_POWER: Final = _Curve(1.0, _power_high, _power_at)
_SHIN: Final = _Curve(0.0, _shin_high, _shin_at)
_ODDS_RATIO: Final = _Curve(1.0, _odds_ratio_high, _odds_ratio_at)


def _solve(curve: _Curve, implied: Sequence[Fraction]) -> tuple[Fraction, ...]:
    pi = np.array([float(p) for p in implied])

    def excess(t: float) -> float:
        return float(curve.at(pi, np.array([t]))[0].sum()) - 1

    t = curve.low
    if excess(t) > 0:  # else the margin is below what a float can tell
        # The root may lie at the bracket's end, where a rounding would hide the change of sign.
        t = float(scipy.optimize.brentq(excess, t, 1.001 * float(curve.high(pi)[0]), xtol=TOLERANCE))
    return tuple(Fraction(p) for p in curve.at(pi, np.array([t]))[0].tolist())


def _solve_bulk(curve: _Curve, pi: Floats) -> Floats:
    """Newton steps within a bracket that every step narrows; bisection where a step leaves it or gains too little."""
    low = np.full((len(pi), 1), curve.low)
    high = 1.001 * curve.high(pi)
    t, step = low.copy(), high - low
    fair = np.empty_like(pi)
    rest = np.arange(len(pi))
    for _ in range(MAX_STEPS):
        p, slope = curve.at(pi[rest], t)
        fair[rest] = p
        excess = p.sum(axis=1, keepdims=True) - 1
        low, high = np.where(excess > 0, t, low), np.where(excess > 0, high, t)
        newton = t - excess / slope.sum(axis=1, keepdims=True)
        good = (newton >= low) & (newton <= high) & (2 * np.abs(newton - t) <= np.abs(step))
        following = np.where(good, newton, (low + high) / 2)
        step = following - t
        open_still = (np.abs(step) > TOLERANCE * np.maximum(1, np.abs(t)) / 100)[:, 0] & (excess != 0)[:, 0]
        if not open_still.any():
            return fair
        rest = rest[open_still]
        low, high, t, step = (part[open_still] for part in (low, high, following, step))
    raise RuntimeError(f"{len(rest)} markets are not solved after {MAX_STEPS} steps")


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        "multiplicative": Method(_multiplicative, _multiplicative_bulk),
        "additive": Method(_additive, _additive_bulk),
        "power": Method(partial(_solve, _POWER), partial(_solve_bulk, _POWER)),
        "shin": Method(partial(_solve, _SHIN), partial(_solve_bulk, _SHIN)),
        "odds_ratio": Method(partial(_solve, _ODDS_RATIO), partial(_solve_bulk, _ODDS_RATIO)),
    }
)
