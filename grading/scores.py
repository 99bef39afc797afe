"""Proper scores of probability forecasts, one value per row and their means.

Outcomes of binary forecasts are 0 or 1: pushes, voids and half results have no such outcome and are left out (and
counted) by the caller. Definitions: Brier 1950; Good 1952 (log score); Epstein 1969 (ranked probability score).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

LOG_LOSS_EPS = 1e-15
"""Probabilities are clipped to [eps, 1 - eps] before a logarithm, so a certain miss costs 34.5 nats, not infinity."""

SUM_TOLERANCE = 1e-6
"""How far from 1 the classes' probabilities of one row may sum: published forecasts are rounded."""


def as_floats(values: ArrayLike, name: str) -> Floats:
    """Return a one-dimensional float array; ValueError where it is empty, not flat or holds no finite number."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: a score needs at least one row")
    return _finite(array, name)


def _finite(array: NDArray[Any], name: str) -> Floats:
    try:
        floats = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something that is not a number: {error}") from None
    if not np.isfinite(floats).all():
        row = int(np.flatnonzero(~np.isfinite(floats))[0])
        raise ValueError(f"{name} holds NaN or infinity (first at position {row})")
    return floats


def as_probabilities(values: ArrayLike, name: str = "p") -> Floats:
    """Return probabilities as floats, shape (n,); ValueError names the first one outside [0, 1]."""
    array = as_floats(values, name)
    outside = (array < 0) | (array > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise ValueError(f"{name} must lie in [0, 1]; position {row} holds {array[row]!r}")
    return array


def as_outcomes(values: ArrayLike, name: str = "y") -> Floats:
    """Return outcomes as floats, shape (n,); ValueError names the first that is neither 0 nor 1."""
    array = as_floats(values, name)
    strange = (array != 0) & (array != 1)
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise ValueError(f"{name} must be 0 or 1; position {row} holds {array[row]!r}")
    return array


def checked(p: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return probabilities and 0/1 outcomes of one length, or raise ValueError that says what is wrong and where."""
    probabilities, outcomes = as_probabilities(p), as_outcomes(y)
    if probabilities.size != outcomes.size:
        raise ValueError(f"p has {probabilities.size} rows and y {outcomes.size}")
    return probabilities, outcomes


def checked_classes(p: ArrayLike, y: ArrayLike) -> tuple[Floats, Integers]:
    """Return class probabilities (n, k), rows summing to 1, and class numbers 0 to k-1; else ValueError."""
    array = np.asarray(p)
    if array.ndim != 2 or array.shape[1] < 2 or array.shape[0] == 0:
        raise ValueError(f"p must have shape (rows, classes) with two classes or more, not {array.shape}")
    flat = as_probabilities(array.reshape(-1), "p")
    probabilities = flat.reshape(array.shape)
    sums = probabilities.sum(axis=1)
    if (np.abs(sums - 1) > SUM_TOLERANCE).any():
        row = int(np.argmax(np.abs(sums - 1)))
        raise ValueError(f"the classes' probabilities of row {row} sum to {sums[row]}, not 1")
    return probabilities, _class_numbers(y, *array.shape)


def _class_numbers(y: ArrayLike, rows: int, classes: int) -> Integers:
    outcomes = as_floats(y, "y")
    if outcomes.size != rows:
        raise ValueError(f"p has {rows} rows and y {outcomes.size}")
    strange = (outcomes < 0) | (outcomes >= classes) | (outcomes != np.floor(outcomes))
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise ValueError(f"y must be a class number 0 to {classes - 1}; position {row} holds {outcomes[row]!r}")
    return outcomes.astype(np.intp)


def brier_terms(p: ArrayLike, y: ArrayLike) -> Floats:
    """Return (p - y)² of every row, shape (n,), each in [0, 1]."""
    probabilities, outcomes = checked(p, y)
    return np.square(probabilities - outcomes)


def brier(p: ArrayLike, y: ArrayLike) -> float:
    """Return the binary Brier score, the mean of (p - y)², in [0, 1]: half of what the multi-class sum gives."""
    return float(brier_terms(p, y).mean())


def brier_multiclass(p: ArrayLike, y: ArrayLike) -> float:
    """Return the Brier score *summed* over the classes, in [0, 2]; p of shape (n, k), y class numbers."""
    probabilities, outcomes = checked_classes(p, y)
    return float(np.square(probabilities - _one_hot(outcomes, probabilities.shape[1])).sum(axis=1).mean())


def log_loss_terms(p: ArrayLike, y: ArrayLike, eps: float = LOG_LOSS_EPS) -> Floats:
    """Return the log loss of every row in nats, shape (n,), with p clipped to [eps, 1 - eps]."""
    probabilities, outcomes = checked(p, y)
    clipped = np.clip(probabilities, eps, 1 - eps)
    return -np.log(np.where(outcomes == 1, clipped, 1 - clipped))


def log_loss(p: ArrayLike, y: ArrayLike, eps: float = LOG_LOSS_EPS) -> float:
    """Return the mean log loss in nats, with p clipped to [eps, 1 - eps]."""
    return float(log_loss_terms(p, y, eps).mean())


def log_loss_multiclass(p: ArrayLike, y: ArrayLike, eps: float = LOG_LOSS_EPS) -> float:
    """Return the mean of -ln(probability of the class that came), in nats, clipped to [eps, 1 - eps]."""
    probabilities, outcomes = checked_classes(p, y)
    came = probabilities[np.arange(outcomes.size), outcomes]
    return float(-np.log(np.clip(came, eps, 1 - eps)).mean())


def rps(p: ArrayLike, y: ArrayLike) -> float:
    """Return the ranked probability score of ordered classes, in [0, 1]: home, draw, away in this order.

    p has shape (n, k), y holds class numbers; the squared differences of the cumulated distributions are summed and
    divided by k - 1. (.5, .3, .2) with a home win is .145.
    """
    probabilities, outcomes = checked_classes(p, y)
    classes = probabilities.shape[1]
    gaps = np.cumsum(probabilities - _one_hot(outcomes, classes), axis=1)[:, :-1]
    return float((np.square(gaps).sum(axis=1) / (classes - 1)).mean())


def _one_hot(outcomes: Integers, classes: int) -> Floats:
    return np.asarray(outcomes[:, None] == np.arange(classes), dtype=np.float64)
