"""Is a forecaster calibrated? CORP, calibration errors, the reliability table, Spiegelhalter's z."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from grading.scores import LOG_LOSS_EPS, Floats, Integers, checked

Score = Literal["brier", "log"]
Binning = Literal["width", "mass"]

SMOOTH_STEPS = 10
SMOOTH_SMALLEST_WIDTH = 0.001


@dataclass(frozen=True)
class Corp:
    """A mean score split without bins: score = mcb - dsc + unc, exactly.

    mcb is what recalibrating would gain, dsc what the forecasts tell apart, unc the score of the base rate.
    """

    score: float
    mcb: float
    dsc: float
    unc: float


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of a reliability table, its edges right-closed, with a *confidence* band for the observed rate."""

    lower_edge: float
    upper_edge: float
    n: int
    mean_p: float
    observed: float
    band_low: float
    band_high: float


@dataclass(frozen=True)
class Spiegelhalter:
    """Spiegelhalter's z and its two-sided p-value under the null that the forecasts are calibrated."""

    z: float
    p_value: float


def sums_by_place(places: Integers, values: Floats, length: int) -> Floats:
    """Return the sum of the values at each place, shape (length,); places lie in 0 to length - 1."""
    return np.asarray(np.bincount(places, values, minlength=length), dtype=np.float64)


def pool_ties(p: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, Integers]:
    """Return the distinct p in rising order, their mean y, their weight, and the place of every row among them."""
    values, inverse = np.unique(p, return_inverse=True)
    weight = sums_by_place(inverse, weights, values.size)
    return values, sums_by_place(inverse, weights * y, values.size) / weight, weight, inverse


def pav(p: Floats, y: Floats) -> Floats:
    """Return each row's isotonic (pool adjacent violators) fit of y on p, shape (n,); tied p get one value."""
    _, means, weight, inverse = pool_ties(p, y, np.ones_like(p))
    fitted: Floats = scipy.optimize.isotonic_regression(means, weights=weight).x
    return np.clip(fitted, 0, 1)[inverse]


def corp(p: ArrayLike, y: ArrayLike, score: Score = "brier") -> Corp:
    """Decompose the mean Brier or log score into miscalibration, discrimination and uncertainty.

    Source: Dimitriadis, Gneiting, Jordan, PNAS 2021. With one class only, or constant p, dsc is 0. The log score is
    clipped at 1e-15 as in `log_loss`.
    """
    probabilities, outcomes = checked(p, y)
    mean_score = _MEAN_SCORES[score]
    raw = mean_score(probabilities, outcomes)
    recalibrated = mean_score(pav(probabilities, outcomes), outcomes)
    base = mean_score(np.full_like(outcomes, outcomes.mean()), outcomes)
    return Corp(score=raw, mcb=raw - recalibrated, dsc=base - recalibrated, unc=base)


def _mean_brier(p: Floats, y: Floats) -> float:
    return float(np.square(p - y).mean())


def _mean_log(p: Floats, y: Floats) -> float:
    clipped = np.clip(p, LOG_LOSS_EPS, 1 - LOG_LOSS_EPS)
    return float(-(y * np.log(clipped) + (1 - y) * np.log1p(-clipped)).mean())


_MEAN_SCORES = {"brier": _mean_brier, "log": _mean_log}


def bin_edges(p: Floats, bins: int, binning: Binning) -> Floats:
    """Return rising bin edges: equal widths of [0, 1], or quantiles of p (so tied p stay together)."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    shares = np.linspace(0, 1, bins + 1)
    if binning == "width":
        return shares
    if binning != "mass":
        raise ValueError(f"binning must be width or mass, not {binning!r}")
    edges: Floats = np.quantile(p, shares)
    return edges


def _bin_numbers(p: Floats, edges: Floats) -> Integers:
    """Right-closed bins; the first includes its lower edge."""
    return np.searchsorted(edges[1:-1], p, side="left")


def expected_calibration_error(p: ArrayLike, y: ArrayLike, bins: int = 10, binning: Binning = "width") -> float:
    """Return the mean over rows of |mean y - mean p| of the row's bin, in [0, 1].

    Bins are right-closed, the first includes 0, empty ones are skipped; equal-mass bins are cut at the quantiles of p,
    so that tied p stay together. A perfectly calibrated forecaster shows about .097 at n = 100 and .031 at 1,000: an
    absolute threshold is noise on small samples.
    """
    probabilities, outcomes = checked(p, y)
    numbers = _bin_numbers(probabilities, bin_edges(probabilities, bins, binning))
    gaps = np.bincount(numbers, outcomes - probabilities)
    return float(np.abs(gaps).sum() / outcomes.size)


def reliability_table(
    p: ArrayLike, y: ArrayLike, bins: int = 10, binning: Binning = "width", level: float = 0.95
) -> list[ReliabilityBin]:
    """Return the non-empty bins with pointwise *confidence* bands (Clopper-Pearson) for the observed rate.

    A confidence band surrounds the observed rate; a calibrated forecaster's mean_p lies inside it with probability of
    at least `level`, bin by bin. It takes rows as independent: with many picks per event it is too narrow.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, not {level}")
    probabilities, outcomes = checked(p, y)
    edges = bin_edges(probabilities, bins, binning)
    numbers = _bin_numbers(probabilities, edges)
    counts = np.bincount(numbers)
    p_sums = np.bincount(numbers, probabilities)
    wins = np.bincount(numbers, outcomes)
    table = []
    for i in np.flatnonzero(counts):
        n, won = int(counts[i]), int(wins[i])
        low, high = clopper_pearson(won, n, level)
        bounds = (float(edges[i]), float(edges[i + 1]))
        table.append(ReliabilityBin(*bounds, n, float(p_sums[i] / n), won / n, low, high))
    return table


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact confidence interval of a binomial share. Source: Clopper and Pearson, Biometrika 1934."""
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(scipy.special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(scipy.special.betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def spiegelhalter(p: ArrayLike, y: ArrayLike) -> Spiegelhalter:
    """Test calibration: z = Σ(y-p)(1-2p) / sqrt(Σ(1-2p)² p(1-p)), standard normal if the forecasts are calibrated.

    ValueError where every p is 0, .5 or 1: then z is undefined. Source: Spiegelhalter, Statistics in Medicine 1986.
    """
    probabilities, outcomes = checked(p, y)
    slope = 1 - 2 * probabilities
    variance = float((np.square(slope) * probabilities * (1 - probabilities)).sum())
    if variance == 0:
        raise ValueError("Spiegelhalter's z is undefined where every p is 0, .5 or 1")
    z = float(((outcomes - probabilities) * slope).sum()) / math.sqrt(variance)
    return Spiegelhalter(z=z, p_value=2 * float(scipy.special.ndtr(-abs(z))))


def smooth_calibration_error(p: ArrayLike, y: ArrayLike) -> float:
    """Return smECE: the residuals smoothed by a reflected Gaussian kernel whose width equals the error it shows.

    The width is the fixed point of w = error(w), found by ten halvings of [0, 1] (a step of 1/1024) and never below
    .001, on relplot's grids; agrees with relplot within 1e-6. Source: Błasiok and Nakkiran,
    "Smooth ECE", ICLR 2024.
    """
    probabilities, outcomes = checked(p, y)
    residuals = probabilities - outcomes
    low, high = 0.0, 1.0
    for _ in range(SMOOTH_STEPS):
        middle = (low + high) / 2
        too_narrow = middle < SMOOTH_SMALLEST_WIDTH or middle < smooth_error_at(probabilities, residuals, middle)
        low, high = (middle, high) if too_narrow else (low, middle)
    return smooth_error_at(probabilities, residuals, high)


def smooth_error_at(p: Floats, residuals: Floats, width: float) -> float:
    """Return the integral of |smoothed residual| at one kernel width, over the integral of the smoothed density."""
    points = max(2_000, round(20 / width)) // 2 + 1
    mesh = np.linspace(0, 1, max(200, round(10 / width)))
    grid = np.linspace(0, 1, points)
    residual = np.interp(mesh, grid, _smoothed(_on_grid(p, residuals, points), width))
    density = np.interp(mesh, grid, _smoothed(_on_grid(p, np.ones_like(p), points), width))
    # The constant is relplot's guard against an empty density; left out, agreement would stop at 1e-4.
    return float(np.abs(residual).sum() / (density + 1e-4).sum())


def _on_grid(p: Floats, values: Floats, points: int) -> Floats:
    """Spread each value over the two grid points around its p, by nearness."""
    place = p * (points - 1)
    left = np.minimum(place.astype(np.intp), points - 2)
    share = place - left
    return sums_by_place(left, (1 - share) * values, points) + sums_by_place(left + 1, share * values, points)


def _smoothed(values: Floats, width: float) -> Floats:
    """Convolve with a Gaussian cut at half the unit interval; mass that leaves [0, 1] is reflected back in."""

    points = values.size
    offsets = np.linspace(0, 1, points) - 0.5
    kernel = np.exp(-np.square(offsets / width) / 2) / (math.sqrt(2 * math.pi) * width)
    mirrored = np.concatenate([values[:0:-1], values, values[-2::-1]])
    start = points - 1 + (points - 1) // 2
    whole: Floats = scipy.signal.fftconvolve(mirrored, kernel, mode="full")
    return whole[start : start + points]
