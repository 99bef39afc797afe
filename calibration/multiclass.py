"""Joint calibration of several outcomes, as of a 1X2 market: one temperature on the log probabilities."""

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.calibrators import EPS, RIDGE, SMALLEST_SLOPE
from calibration.newton import STEP_TOLERANCE, STEPS, FitError
from grading.scores import Floats, checked_classes


def fit_temperature(p: ArrayLike, y: ArrayLike) -> float:
    """Return the T whose softmax(ln p / T) has the greatest likelihood; T = 1 changes nothing.

    p: shape (n, k), rows summing to 1; y: class numbers. Where the favourite always came, a small ridge towards 1
    keeps T above 0; forecasts that point the wrong way get T = 1e6. One-versus-rest with renormalising would not be
    jointly calibrated. ValueError for bad rows; Newton's method on 1/T, exact to rounding.
    """
    probabilities, outcomes = checked_classes(p, y)
    z = np.log(np.clip(probabilities, EPS, 1))
    came = z[np.arange(outcomes.size), outcomes]
    if np.ptp(z, axis=1).max() == 0:
        raise ValueError("constant p: every class of every row has the same probability")
    if float((came - z.mean(axis=1)).sum()) <= 0:
        return 1 / SMALLEST_SLOPE
    ridge = RIDGE if bool((came >= z.max(axis=1)).all()) else 0.0
    return 1 / max(_newton(z, came, ridge), SMALLEST_SLOPE)


def _newton(z: Floats, came: Floats, ridge: float) -> float:
    slope = 1.0
    for _ in range(STEPS):
        q = scipy.special.softmax(slope * z, axis=1)
        mean = (q * z).sum(axis=1)
        gradient = float((mean - came).sum()) + 2 * ridge * (slope - 1)
        curvature = float((q * np.square(z - mean[:, None])).sum()) + 2 * ridge
        # At most a doubling or a halving: far from the answer the curvature says little.
        proposed = min(max(slope - gradient / curvature, slope / 2), slope * 2)
        if abs(proposed - slope) < STEP_TOLERANCE * max(1.0, slope):
            return proposed
        slope = proposed
    raise FitError("the temperature did not settle")


def apply_temperature(p: ArrayLike, temperature: float) -> Floats:
    """Return softmax(ln p / T), shape (n, k), rows summing to 1."""
    array = np.asarray(p, dtype=np.float64)
    probabilities, _ = checked_classes(array, np.zeros(array.shape[0]))
    if not temperature > 0:
        raise ValueError(f"a temperature must be above 0, not {temperature}")
    result: Floats = scipy.special.softmax(np.log(np.clip(probabilities, EPS, 1)) / temperature, axis=1)
    return result
