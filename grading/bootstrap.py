"""Bootstrap by event: intervals for means whose rows hang together because a game has several picks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from grading.scores import Floats, Integers, as_floats

RESAMPLES = 1_000
DRAWS_AT_ONCE = 1 << 18
LARGEST_BLOCK_BITS = 16


@dataclass(frozen=True)
class Interval:
    """An estimate with its percentile-bootstrap bounds."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Roi:
    """Return on the amount risked: profit / staked, with its bootstrap interval over events."""

    n: int
    events: int
    staked: float
    profit: float
    roi: Interval


def event_sums(columns: Floats, events: ArrayLike) -> Floats:
    """Return the sum of every column over each event's rows: (rows, k) in, (events, k) out, events in sorted order.

    Integer or string event ids; ValueError where their number differs from the rows'.
    """
    ids = np.asarray(events)
    if ids.shape != (columns.shape[0],):
        raise ValueError(f"events has shape {ids.shape}, but there are {columns.shape[0]} rows")
    codes = np.unique(ids, return_inverse=True)[1]
    return np.stack([np.bincount(codes, column) for column in columns.T], axis=1)


def resampled_sums(sums: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return the column sums of `resamples` draws of as many events, with replacement: (events, k) to (resamples, k).

    The multinomial bootstrap itself, not Poisson weights. Deterministic for a seed.
    """
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    rng = np.random.Generator(np.random.SFC64(seed))
    events = sums.shape[0]
    counts = _counts_of_many(rng, events) if events >= DRAWS_AT_ONCE // 8 else _counts_of_few(rng, events, resamples)
    drawn, columns = np.empty((resamples, sums.shape[1])), np.ascontiguousarray(sums.T)
    done = 0
    for block in counts:
        wanted = block[: resamples - done]
        # Not BLAS: its threads wait for each other on a busy machine, and their number changes the last bits.
        drawn[done : done + len(wanted)] = np.einsum("rg,kg->rk", wanted.astype(np.float64), columns)
        done += len(wanted)
        if done == resamples:
            break
    return drawn


def _counts_of_few(rng: np.random.Generator, events: int, resamples: int) -> Iterator[Integers]:
    """Yield how often each event was drawn, many resamples at once: (resamples at once, events)."""
    at_once = min(resamples, max(1, DRAWS_AT_ONCE // events))
    offsets = events * np.arange(at_once)[:, None]
    while True:
        draws = rng.integers(0, events, (at_once, events)) + offsets
        yield np.bincount(draws.reshape(-1), minlength=at_once * events).reshape(at_once, events)


def _counts_of_many(rng: np.random.Generator, events: int) -> Iterator[Integers]:
    """Yield the same, one resample at a time: (1, events).

    Events are cut into blocks of a power of two. How many draws fall into each block is multinomial; inside a block
    a draw is a few random bits, so none is rejected, 16 bits are enough, and the counters stay in the cache. That
    halves the time of drawing from all events at once, and the distribution is the same.
    """
    sizes = _power_of_two_blocks(events)
    shares = np.array(sizes) / events
    while True:
        falling = rng.multinomial(events, shares)
        yield np.concatenate([_counts_of_block(rng, size, int(n)) for size, n in zip(sizes, falling, strict=True)])[
            None, :
        ]


def _counts_of_block(rng: np.random.Generator, size: int, draws: int) -> Integers:
    words = rng.integers(0, 1 << 64, draws // 4 + 1, dtype=np.uint64)
    bits: NDArray[np.uint16] = words.view(np.uint16)[:draws]
    places = (bits & np.uint16(size - 1)).astype(np.intp)
    return np.bincount(places, minlength=size)


def _power_of_two_blocks(events: int) -> list[int]:
    largest = 1 << LARGEST_BLOCK_BITS
    rest = events % largest
    small = [1 << bit for bit in reversed(range(LARGEST_BLOCK_BITS)) if rest >> bit & 1]
    return [largest] * (events // largest) + small


def bootstrap_means(columns: ArrayLike, events: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return the mean over rows of each column in every resample of events: (rows, k) to (resamples, k)."""
    array = np.asarray(columns, dtype=np.float64)
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError("columns must have shape (rows, columns), not be empty and hold finite numbers only")
    sums = event_sums(np.column_stack([array, np.ones(len(array))]), events)
    drawn = resampled_sums(sums, resamples, seed)
    return drawn[:, :-1] / drawn[:, -1:]


def lower_bounds(
    columns: ArrayLike, events: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Return the one-sided lower bound of each column's mean, shape (k,), by the percentile bootstrap over events."""
    bounds: Floats = np.quantile(bootstrap_means(columns, events, resamples, seed), 1 - _checked(level), axis=0)
    return bounds


def mean_intervals(
    columns: ArrayLike, events: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> list[Interval]:
    """Return mean and two-sided percentile interval of each of the k columns, shape (rows, k)."""
    array = np.asarray(columns, dtype=np.float64)
    tail = (1 - _checked(level)) / 2
    low, high = np.quantile(bootstrap_means(array, events, resamples, seed), [tail, 1 - tail], axis=0)
    means = array.mean(axis=0)
    return [Interval(float(m), float(a), float(b)) for m, a, b in zip(means, low, high, strict=True)]


def roi(
    unit_returns: ArrayLike,
    events: ArrayLike,
    stakes: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Roi:
    """Return profit / staked with a percentile-bootstrap interval over events.

    unit_returns: profit per unit risked, shape (n,), voids left out by the caller; stakes: units risked, 1 each where
    absent, all above 0. ValueError for fewer than two events: then nothing can be said of the spread.
    """
    returns = as_floats(unit_returns, "unit_returns")
    risked = np.ones_like(returns) if stakes is None else as_floats(stakes, "stakes")
    if risked.shape != returns.shape or (risked <= 0).any():
        raise ValueError("stakes must be above 0, one for each unit return")
    sums = event_sums(np.column_stack([returns * risked, risked]), events)
    if len(sums) < 2:
        raise ValueError("a bootstrap over events needs at least two events")
    tail = (1 - _checked(level)) / 2
    drawn = resampled_sums(sums, resamples, seed)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [tail, 1 - tail])
    profit, staked = float((returns * risked).sum()), float(risked.sum())
    return Roi(returns.size, len(sums), staked, profit, Interval(profit / staked, float(low), float(high)))


def return_deviation(decimal_odds: float, edge: float) -> float:
    """Return the standard deviation of the unit return of a bet at `decimal_odds` whose expected return is `edge`.

    The chance to win is (1 + edge) / odds, so the variance is (1 + edge)(odds - 1 - edge).
    """
    if not decimal_odds > 1:
        raise ValueError(f"decimal odds must be above 1, not {decimal_odds}")
    if not -1 < edge < decimal_odds - 1:
        raise ValueError(f"no bet at odds {decimal_odds} can return {edge} on average")
    return math.sqrt((1 + edge) * (decimal_odds - 1 - edge))


def picks_needed(edge: float, deviation: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return how many independent picks tell an edge from luck: one-sided test at `alpha`, found with `power`.

    n = ((z_alpha + z_power) · deviation / edge)², rounded up; edge and deviation in units of the stake (for CLV: its
    mean and its standard deviation, far fewer picks).
    """
    if not (edge > 0 and deviation > 0 and math.isfinite(edge) and math.isfinite(deviation)):
        raise ValueError(f"edge and deviation must be above 0 and finite, not {edge} and {deviation}")
    z = float(scipy.special.ndtri(1 - _checked(alpha)) + scipy.special.ndtri(_checked(power)))
    return max(1, math.ceil((z * deviation / edge) ** 2)) if z > 0 else 1


def _checked(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level, alpha and power must lie strictly between 0 and 1, not {level}")
    return level
