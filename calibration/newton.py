"""Newton's method for logistic fits of a few parameters, exact to rounding."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from grading.scores import Floats

STEPS = 100
STEP_TOLERANCE = 1e-11
DIVERGED = 1e6


class FitError(ValueError):
    """The data hold no finite, unique maximum of the likelihood."""


@dataclass(frozen=True)
class Prior:
    """A penalty Σ weight · (parameter - centre)² on the negative log likelihood in nats; weight 0 is none."""

    centre: tuple[float, ...]
    weight: tuple[float, ...]

    def of(self, chosen: tuple[int, ...]) -> "Prior":
        """The penalty on some of the parameters."""
        return Prior(tuple(self.centre[i] for i in chosen), tuple(self.weight[i] for i in chosen))


def fit_logistic(features: Floats, y: Floats, weights: Floats | None, prior: Prior, start: Floats) -> Floats:
    """Return the k parameters that maximise Σ w [y ln s + (1-y) ln(1-s)] - penalty, s = expit(θ · features).

    features: shape (k, n), y in [0, 1], weights of shape (n,) or None for 1. FitError where Newton's method finds no
    finite maximum. Each step is halved while it overshoots: the slope along it must not grow.
    """
    precision = 2 * np.array(prior.weight)
    centre = np.array(prior.centre)
    theta = np.array(start, dtype=np.float64)
    gradient, hessian = _derivatives(features, y, weights, precision, centre, theta)
    for _ in range(STEPS):
        step = _solved(hessian, gradient)
        slope = abs(float(gradient @ step))
        for _ in range(STEPS):
            gradient, hessian = _derivatives(features, y, weights, precision, centre, theta + step)
            if abs(float(gradient @ step)) <= slope or np.abs(step).max() < STEP_TOLERANCE:
                break
            step, slope = step / 2, slope / 2
        theta = theta + step
        if np.abs(step).max() < STEP_TOLERANCE * max(1.0, float(np.abs(theta).max())):
            return theta
        if np.abs(theta).max() > DIVERGED:
            break
    raise FitError("the likelihood has no finite maximum")


def _derivatives(
    features: Floats, y: Floats, weights: Floats | None, precision: Floats, centre: Floats, theta: Floats
) -> tuple[Floats, Floats]:
    # einsum, not BLAS: its threads wait for each other on a busy machine, and their number changes the last bits.
    s: Floats = expit(np.einsum("k,kn->n", theta, features))
    residual, spread = s - y, s * (1 - s)
    if weights is not None:
        residual, spread = weights * residual, weights * spread
    gradient = np.einsum("kn,n->k", features, residual) + precision * (theta - centre)
    hessian = np.einsum("in,jn->ij", features * spread, features)
    hessian[np.diag_indices_from(hessian)] += precision
    return gradient, hessian


def _solved(hessian: Floats, gradient: Floats) -> Floats:
    try:
        step = np.asarray(np.linalg.solve(hessian, -gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise FitError("the likelihood is flat: the parameters cannot be told apart") from None
    if not np.isfinite(step).all():
        raise FitError("the likelihood is flat: the parameters cannot be told apart")
    return step
