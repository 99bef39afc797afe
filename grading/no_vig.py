"""No-vig probabilities: five ways to take a book's margin out of its prices, for any number of outcomes.

pi = 1/d is a raw implied probability, S the sum of pi over the market's outcomes (the book sum), n their number. The
definitions and published reference values are in docs/closing-line-value.md.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]
TOLERANCE: Final = 1e-14
_STEPS: Final = 80
"""Halvings of the vectorised solver: more than a float has bits between its brackets."""
_EVEN_BOOK: Final = 1e-12


class NoVigError(ValueError):
    """Prices that no margin can be taken out of; the message says why."""


def no_vig(odds: Sequence[float], method: str = "multiplicative") -> list[float]:
    """Probabilities without the margin, in the order of `odds` (decimal, above 1), summing to 1.

    Raises:
        NoVigError: fewer than two prices, a price of 1 or less, a book sum below 1 (an arbitrage or a bad row), an
            additive probability below 0, or an unknown method.
    """
    return [float(p) for p in no_vig_many([odds], method, strict=True)[0]]


def no_vig_many(odds: ArrayLike, method: str = "multiplicative", *, strict: bool = False) -> Floats:
    """The same for many markets at once: `odds` of shape (markets, outcomes) gives probabilities of that shape.

    A market that no margin can be taken out of is NaN throughout; `strict` raises NoVigError for the first of them.
    """
    pi = _implied(odds)
    solve = METHODS.get(method)
    if solve is None:
        raise NoVigError(f"devig: {method!r} is not one of {', '.join(METHODS)}")
    bad = _faults(pi)
    if strict and bad.any():
        raise NoVigError(_why(pi[int(np.flatnonzero(bad)[0])]))
    fair = np.full_like(pi, np.nan)
    sound = pi[~bad]
    even = np.abs(sound.sum(axis=1) - 1) <= _EVEN_BOOK
    solved = np.where(even[:, None], sound / sound.sum(axis=1, keepdims=True), 0.0)
    if (~even).any():
        solved[~even] = solve(sound[~even])
    negative = (solved < 0).any(axis=1)
    if strict and negative.any():
        raise NoVigError("devig: additive takes more margin from a long price than it holds; use another method")
    fair[~bad] = np.where(negative[:, None], np.nan, solved)
    return fair


def _implied(odds: ArrayLike) -> Floats:
    values = np.asarray(odds, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise NoVigError("other_odds_close: a market has at least two outcomes; give a price for each")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 1, 1 / values, np.nan)


def _faults(pi: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        bad: NDArray[np.bool_] = np.isnan(pi).any(axis=1) | (pi.sum(axis=1) < 1 - _EVEN_BOOK)
    return bad


def _why(pi: Floats) -> str:
    if np.isnan(pi).any():
        return "odds: a decimal price is above 1"
    return f"book sum {pi.sum():.6f} is below 1: an arbitrage between books, or a bad row"


def _multiplicative(pi: Floats) -> Floats:
    fair: Floats = pi / pi.sum(axis=1, keepdims=True)
    return fair


def _additive(pi: Floats) -> Floats:
    fair: Floats = pi - (pi.sum(axis=1, keepdims=True) - 1) / pi.shape[1]
    return fair


def _power(pi: Floats) -> Floats:
    # sum(pi^k) falls from S at k = 1; at the upper bracket the largest pi alone, to that power, is below 1/n.
    most = np.log(pi.shape[1]) / -np.log(pi.max(axis=1)) + 1
    return _by_root(pi, lambda p, k: p**k, np.ones(len(pi)), most)


def _shin(pi: Floats) -> Floats:
    return _by_root(pi, _shin_at, np.zeros(len(pi)), np.full(len(pi), 1 - 1e-9))


def _shin_at(pi: Floats, z: Floats) -> Floats:
    total = pi.sum(axis=-1, keepdims=True)
    fair: Floats = (np.sqrt(z**2 + 4 * (1 - z) * pi**2 / total) - z) / (2 * (1 - z))
    return fair


def _odds_ratio(pi: Floats) -> Floats:
    # At c the sum is at most sum(pi / (c * (1 - pi))), which is 1 at the upper bracket.
    most = (pi / (1 - pi)).sum(axis=1) + 1
    return _by_root(pi, lambda p, c: p / (c + p - c * p), np.ones(len(pi)), most)


def _by_root(pi: Floats, at: Callable[[Floats, Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Solve sum(at(pi, x)) = 1 for each market, where the sum falls in x; Brent for one market, halving for many."""
    if len(pi) == 1:
        x = brentq(lambda x: float(at(pi[0], np.asarray(x)).sum()) - 1, low[0], high[0], xtol=TOLERANCE, rtol=TOLERANCE)
        return at(pi, np.array([[x]]))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        above = at(pi, middle[:, None]).sum(axis=1) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return at(pi, ((low + high) / 2)[:, None])


METHODS: Final[Mapping[str, Callable[[Floats], Floats]]] = MappingProxyType(
    {
        "multiplicative": _multiplicative,
        "additive": _additive,
        "power": _power,
        "shin": _shin,
        "odds_ratio": _odds_ratio,
    }
)
"""By name; each takes implied probabilities of shape (markets, outcomes) with book sums above 1."""
