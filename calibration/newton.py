"""Newton's method for logistic fits of a few parameters, exact to rounding."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

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

    features: shape (k, n), y in [0, 1], weights of shape (n,) or None for 1. FitError where there is no finite, unique
    maximum. Newton's method, each step halved while the slope along it grows; where that fails (forecasts of 0 and 1
    that miss make the surface all cliffs), a trust region finds the neighbourhood first.
    """
    likelihood = _Likelihood(features, y, weights, 2 * np.array(prior.weight), np.array(prior.centre))
    try:
        return likelihood.newton(start)
    except FitError:
        return likelihood.newton(likelihood.neighbourhood(start))


@dataclass(frozen=True)
class _Likelihood:
    """The penalised negative log likelihood of some rows."""

    features: Floats
    y: Floats
    weights: Floats | None
    precision: Floats
    centre: Floats

    def newton(self, start: Floats) -> Floats:
        theta = np.array(start, dtype=np.float64)
        gradient, hessian = self.derivatives(theta)
        for _ in range(STEPS):
            step = _solved(hessian, gradient)
            slope = abs(float(gradient @ step))
            for _ in range(STEPS):
                gradient, hessian = self.derivatives(theta + step)
                if abs(float(gradient @ step)) <= slope or np.abs(step).max() < STEP_TOLERANCE:
                    break
                step, slope = step / 2, slope / 2
            theta = theta + step
            if np.abs(step).max() < STEP_TOLERANCE * max(1.0, float(np.abs(theta).max())):
                return theta
            if np.abs(theta).max() > DIVERGED:
                break
        raise FitError("the likelihood has no finite maximum")

    def neighbourhood(self, start: Floats) -> Floats:
        limits: Any = {"gtol": 1e-9, "maxiter": 500}
        found = scipy.optimize.minimize(
            self.cost, np.array(start), jac=self.gradient, hess=self.hessian, method="trust-exact", options=limits
        )
        return np.asarray(found.x, dtype=np.float64)

    def cost(self, theta: Floats) -> float:
        z = np.einsum("k,kn->n", theta, self.features)
        losses = np.logaddexp(0, z) - self.y * z
        penalty = float((self.precision / 2 * np.square(theta - self.centre)).sum())
        return float((losses if self.weights is None else self.weights * losses).sum()) + penalty

    def gradient(self, theta: Floats) -> Floats:
        return self.derivatives(theta)[0]

    def hessian(self, theta: Floats) -> Floats:
        return self.derivatives(theta)[1]

    def derivatives(self, theta: Floats) -> tuple[Floats, Floats]:
        # einsum, not BLAS: its threads wait for each other on a busy machine, and their number changes the last bits.
        s: Floats = scipy.special.expit(np.einsum("k,kn->n", theta, self.features))
        residual, spread = s - self.y, s * (1 - s)
        if self.weights is not None:
            residual, spread = self.weights * residual, self.weights * spread
        gradient = np.einsum("kn,n->k", self.features, residual) + self.precision * (theta - self.centre)
        hessian = np.einsum("in,jn->ij", self.features * spread, self.features)
        hessian[np.diag_indices_from(hessian)] += self.precision
        return gradient, hessian


def _solved(hessian: Floats, gradient: Floats) -> Floats:
    try:
        step = np.asarray(np.linalg.solve(hessian, -gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise FitError("the likelihood is flat: the parameters cannot be told apart") from None
    if not np.isfinite(step).all():
        raise FitError("the likelihood is flat: the parameters cannot be told apart")
    return step
