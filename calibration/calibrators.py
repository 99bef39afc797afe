"""Calibration maps: fitted once, frozen, plain numbers in the record, arrays of probabilities in and out.

Every method is a function fit(p, y, weights, prior, start) in `METHODS`. Platt and temperature work on logit p, so the
identity lies inside their family; beta is Kull, Silva Filho, Flach (2017); isotonic is PAV.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.newton import FitError, Prior, fit_logistic
from grading.reliability import pool_ties
from grading.scores import Floats, as_floats, as_probabilities

EPS = 1e-15
"""Probabilities are clipped to [eps, 1 - eps] before a logarithm, as in the log loss."""

RIDGE = 0.01
"""Weight of (parameter - identity)² on separable data: enough for a finite map, too little to matter otherwise."""

SMALLEST_SLOPE = 1e-6
"""Temperature must be positive: forecasts that point the wrong way get T = 1e6, which is .5 for all."""

ISOTONIC_MINIMUM = 1_000
"""Isotonic overfits below a thousand rows; the gate does not try it there."""

MINIMUM = {"identity": 0, "platt": 200, "temperature": 200, "beta": 200, "isotonic": ISOTONIC_MINIMUM}
"""Rows from which a method is tried by the gate; asked for by name it is fitted at any n, with a warning."""

IDENTITY_OF = {"platt": (1.0, 0.0), "temperature": (1.0,), "beta": (1.0, 1.0, 0.0)}
"""Newton's parameters (temperature: 1/T) of the map that changes nothing."""

PRIOR_ROWS = 540
"""The gate's penalty weighs as much as so many rows that say "identity" (or: what the parent says)."""

PARAMETER_NAMES = {
    "identity": (),
    "platt": ("slope", "intercept"),
    "temperature": ("T",),
    "beta": ("a", "b", "c"),
    "isotonic": ("x", "y"),
}


@dataclass(frozen=True)
class CalibrationMap:
    """A frozen map of probabilities: `params` by name, each a tuple of plain numbers; n rows were learned from.

    `ridge` says that the data were separable and a small ridge kept the map finite.
    """

    method: str
    params: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    n: int = 0
    ridge: bool = False

    def __post_init__(self) -> None:
        expected = PARAMETER_NAMES.get(self.method)
        if expected is None:
            raise ValueError(f"unknown calibration method {self.method!r}; known: {', '.join(PARAMETER_NAMES)}")
        if tuple(self.params) != expected:
            raise ValueError(f"{self.method} has parameters {expected}, not {tuple(self.params)}")

    def __call__(self, p: ArrayLike) -> Floats:
        """Return calibrated probabilities, shape (n,); ValueError for NaN or anything outside [0, 1]."""
        return _APPLY[self.method](self.params, as_probabilities(p))

    def served(self, p: ArrayLike) -> Floats:
        """Return what the gate judges and users get: isotonic clipped to [e, 1-e], e = 1/sqrt(n+2), else the map.

        An exact 0 or 1 that misses once costs more than all else gains: unclipped isotonic lost on three leagues.
        """
        calibrated = self(p)
        if self.method != "isotonic":
            return calibrated
        e = min(0.5, 1 / math.sqrt(self.n + 2))
        return np.clip(calibrated, e, 1 - e)

    def newton_parameters(self) -> tuple[float, ...]:
        """Return the parameters that Newton's method works on, to start or centre another fit."""
        if self.method == "temperature":
            return (1 / self.params["T"][0],)
        return tuple(self.params[name][0] for name in PARAMETER_NAMES[self.method])


IDENTITY = CalibrationMap("identity")

Fit = Callable[[Floats, Floats, Floats | None, Prior | None, tuple[float, ...] | None], CalibrationMap]


def logit(p: Floats) -> Floats:
    """Return ln(p / (1-p)) with p clipped to [1e-15, 1 - 1e-15]."""
    clipped = np.clip(p, EPS, 1 - EPS)
    result: Floats = np.log(clipped) - np.log1p(-clipped)
    return result


def fit(
    method: str,
    p: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    prior: Prior | None = None,
    start: tuple[float, ...] | None = None,
) -> CalibrationMap:
    """Learn a map by maximum likelihood (isotonic: least squares), plain unless a prior is given.

    p in [0, 1], y in [0, 1] (a half result may be .5), weights above 0, all of shape (n,). ValueError for bad numbers,
    an unknown method, one class only, or constant p: then there is nothing to learn a map from.
    """
    learn = METHODS.get(method)
    if learn is None:
        raise ValueError(f"unknown calibration method {method!r}; known: {', '.join(METHODS)}")
    rows = as_probabilities(p), as_probabilities(y, "y"), None if weights is None else as_floats(weights, "weights")
    _check_learnable(*rows)
    return learn(*rows, prior, start)


def _check_learnable(p: Floats, y: Floats, weights: Floats | None) -> None:
    if p.size != y.size or (weights is not None and weights.size != p.size):
        raise ValueError(f"p has {p.size} rows, y {y.size} and weights {p.size if weights is None else weights.size}")
    if weights is not None and (weights <= 0).any():
        raise ValueError("weights must be above 0")
    if y.min() == y.max() and y[0] in (0.0, 1.0):
        raise ValueError(f"one class only: every outcome is {y[0]:g}")
    if p.min() == p.max():
        raise ValueError(f"constant p: every forecast is {p[0]:g}")


def _fit_identity(
    p: Floats, _y: Floats, _weights: Floats | None, _prior: Prior | None, _start: tuple[float, ...] | None
) -> CalibrationMap:
    return CalibrationMap("identity", {}, p.size)


def _fit_platt(
    p: Floats, y: Floats, weights: Floats | None, prior: Prior | None, start: tuple[float, ...] | None
) -> CalibrationMap:
    ridge = prior is None and (_split(p, y) or _split(p, 1 - y))
    used = _or_ridge("platt", prior, ridge)
    features = np.stack([logit(p), np.ones_like(p)])
    slope, intercept = fit_logistic(features, y, weights, used, np.array(start or IDENTITY_OF["platt"])).tolist()
    return CalibrationMap("platt", {"slope": (slope,), "intercept": (intercept,)}, p.size, ridge)


def _fit_temperature(
    p: Floats, y: Floats, weights: Floats | None, prior: Prior | None, start: tuple[float, ...] | None
) -> CalibrationMap:
    x = logit(p)
    ridge = prior is None and bool(((2 * y - 1) * x >= 0).all() and np.isin(y[x != 0], (0, 1)).all())
    used = _or_ridge("temperature", prior, ridge)
    backwards = prior is None and float(_sum(weights, (0.5 - y) * x)) >= 0
    slope = 0.0 if backwards else float(fit_logistic(x[None], y, weights, used, np.array(start or (1.0,)))[0])
    return CalibrationMap("temperature", {"T": (1 / max(slope, SMALLEST_SLOPE),)}, p.size, ridge)


def _fit_beta(
    p: Floats, y: Floats, weights: Floats | None, prior: Prior | None, start: tuple[float, ...] | None
) -> CalibrationMap:
    """The best of the fits with a and b free or held at 0: the likelihood is concave, so one of them is the answer."""
    ridge = prior is None and _split(p, y)
    used = _or_ridge("beta", prior, ridge)
    clipped = np.clip(p, EPS, 1 - EPS)
    features = np.stack([np.log(clipped), -np.log1p(-clipped), np.ones_like(p)])
    best: tuple[float, Floats] | None = None
    for free in ((0, 1, 2), (0, 2), (1, 2), (2,)):
        theta = _beta_with(features, y, weights, used, free, start)
        if theta is None:
            continue
        if len(free) == 3:
            best = (0.0, theta)
            break
        cost = _cost(features, y, weights, used, theta)
        best = (cost, theta) if best is None or cost < best[0] else best
    if best is None:
        raise FitError("the beta map has no finite maximum")
    a, b, c = best[1].tolist()
    return CalibrationMap("beta", {"a": (a,), "b": (b,), "c": (c,)}, p.size, ridge)


def _beta_with(
    features: Floats,
    y: Floats,
    weights: Floats | None,
    prior: Prior,
    free: tuple[int, ...],
    start: tuple[float, ...] | None,
) -> Floats | None:
    """Fit with the other parameters at 0; None where a or b comes out below 0 or nothing finite comes out."""
    begin = np.array(start or IDENTITY_OF["beta"])[list(free)]
    try:
        found = fit_logistic(features[list(free)], y, weights, prior.of(free), begin)
    except FitError:
        return None
    theta = np.zeros(3)
    theta[list(free)] = found
    return theta if (theta[:2] >= 0).all() else None


def _cost(features: Floats, y: Floats, weights: Floats | None, prior: Prior, theta: Floats) -> float:
    z = np.einsum("k,kn->n", theta, features)
    penalty = float((np.array(prior.weight) * np.square(theta - np.array(prior.centre))).sum())
    return _sum(weights, np.logaddexp(0, z) - y * z) + penalty


def _fit_isotonic(
    p: Floats, y: Floats, weights: Floats | None, _prior: Prior | None, _start: tuple[float, ...] | None
) -> CalibrationMap:
    x, means, weight, _ = pool_ties(p, y, np.ones_like(p) if weights is None else weights)
    fitted = np.clip(scipy.optimize.isotonic_regression(means, weights=weight).x, 0, 1)
    inner = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
    kept = np.concatenate([[True], inner, [True]])
    return CalibrationMap("isotonic", {"x": tuple(x[kept].tolist()), "y": tuple(fitted[kept].tolist())}, p.size)


def _or_ridge(method: str, prior: Prior | None, ridge: bool) -> Prior:
    centre = IDENTITY_OF[method]
    return prior or Prior(centre, (RIDGE if ridge else 0.0,) * len(centre))


def _split(p: Floats, y: Floats) -> bool:
    """Some threshold on p (of those that a logarithm tells apart) parts all wins from all losses: no finite maximum."""
    clipped = np.clip(p, EPS, 1 - EPS)
    lost, won = clipped[y < 1], clipped[y > 0]
    return bool(lost.max() <= won.min())


def _sum(weights: Floats | None, values: Floats) -> float:
    return float(values.sum() if weights is None else (weights * values).sum())


METHODS: dict[str, Fit] = {
    "identity": _fit_identity,
    "platt": _fit_platt,
    "temperature": _fit_temperature,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
}

Params = Mapping[str, tuple[float, ...]]


def _apply_platt(params: Params, p: Floats) -> Floats:
    result: Floats = scipy.special.expit(params["slope"][0] * logit(p) + params["intercept"][0])
    return result


def _apply_temperature(params: Params, p: Floats) -> Floats:
    result: Floats = scipy.special.expit(logit(p) / params["T"][0])
    return result


def _apply_beta(params: Params, p: Floats) -> Floats:
    clipped = np.clip(p, EPS, 1 - EPS)
    z = params["a"][0] * np.log(clipped) - params["b"][0] * np.log1p(-clipped) + params["c"][0]
    result: Floats = scipy.special.expit(z)
    return result


_APPLY: dict[str, Callable[[Params, Floats], Floats]] = {
    "identity": lambda _, p: p,
    "platt": _apply_platt,
    "temperature": _apply_temperature,
    "beta": _apply_beta,
    "isotonic": lambda params, p: np.interp(p, params["x"], params["y"]),
}


def gate_prior(method: str, p: Floats, centre: tuple[float, ...] | None = None) -> Prior | None:
    """Return the gate's penalty towards the identity, or towards a parent's parameters; None for isotonic.

    Each parameter's weight is half of PRIOR_ROWS times the mean information of a row about it, so that forecasts near
    .5, which tell little of a slope, are not all penalty. For beta it is that of a common change of a and b.
    """
    if method not in IDENTITY_OF:
        return None
    x, spread = logit(p), p * (1 - p)
    slope = PRIOR_ROWS / 2 * float((spread * x * x).mean())
    intercept = PRIOR_ROWS / 2 * float(spread.mean())
    weights = {"platt": (slope, intercept), "temperature": (slope,), "beta": (slope / 2, slope / 2, intercept)}
    return Prior(centre or IDENTITY_OF[method], weights[method])
