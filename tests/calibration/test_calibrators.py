"""Calibration maps: exact fits, the shapes they keep, and what cannot be learned."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit

from calibration import calibrators
from calibration.calibrators import CalibrationMap, fit, gate_prior
from grading.scores import Floats
from tests.calibration.forecasters import outcomes

LEARNED = ("platt", "temperature", "beta", "isotonic")


def optimum(features: Floats, y: Floats, bounds: list[tuple[float | None, float | None]], start: list[float]) -> Floats:
    """An independent optimiser of the same likelihood, run to its limits."""

    def cost(theta: Floats) -> float:
        z = theta @ features
        return float((np.logaddexp(0, z) - y * z).sum())

    def slope(theta: Floats) -> Floats:
        return np.asarray(features @ (expit(theta @ features) - y), dtype=np.float64)

    limits: Any = {"ftol": 1e-16, "gtol": 1e-11, "maxiter": 5_000, "maxfun": 50_000, "maxcor": 30}
    found: Floats = minimize(cost, start, jac=slope, method="L-BFGS-B", bounds=bounds, options=limits).x
    return found


@pytest.mark.parametrize(("n", "temperature"), [(60, 1.5), (3_000, 0.7)])
def test_platt_temperature_and_beta_agree_with_an_independent_optimiser(n: int, temperature: float) -> None:
    """Parameters to 1e-6 (of L-BFGS's own accuracy), outputs too."""
    p, y = outcomes(n, temperature, seed=n)
    log_p, log_rest, one = np.log(p), np.log1p(-p), np.ones_like(p)
    x = log_p - log_rest
    platt = optimum(np.stack([x, one]), y, [(None, None)] * 2, [1, 0])
    slope = optimum(x[None], y, [(None, None)], [1])
    beta = optimum(np.stack([log_p, -log_rest, one]), y, [(0, None), (0, None), (None, None)], [1, 1, 0])
    assert fit("platt", p, y).newton_parameters() == pytest.approx(platt.tolist(), abs=1e-6)
    assert fit("temperature", p, y).params["T"][0] == pytest.approx(1 / slope[0], abs=1e-6)
    assert fit("beta", p, y).newton_parameters() == pytest.approx(beta.tolist(), abs=2e-6)


@pytest.mark.parametrize("method", ["platt", "temperature", "beta"])
def test_newton_ends_where_the_likelihood_is_flat(method: str) -> None:
    """The gradient vanishes to 1e-8, which is what exact means for a concave likelihood."""
    p, y = outcomes(5_000, 1.5, seed=1)
    fitted = fit(method, p, y)
    residual = fitted(p) - y
    features = {"platt": [calibrators.logit(p), np.ones_like(p)], "temperature": [calibrators.logit(p)]}
    for feature in features.get(method, [np.log(p), -np.log1p(-p), np.ones_like(p)]):
        assert float((residual * feature).sum()) == pytest.approx(0, abs=1e-8)


def test_beta_holds_a_and_b_at_zero_rather_than_below() -> None:
    """Forecasts that point the wrong way get a = b = 0, the base rate; one wrong half gets one of them 0."""
    p, y = outcomes(2_000, 1.0, seed=2)
    backwards = fit("beta", p, 1 - y).params
    assert (backwards["a"], backwards["b"]) == ((0.0,), (0.0,))
    half = fit("beta", [0.1, 0.5, 0.5, 0.8], [0, 1, 1, 0]).params
    assert half["b"] == (0.0,)
    assert half["a"][0] > 0


def test_beta_at_its_bounds_agrees_with_a_bounded_optimiser() -> None:
    """The best of the faces is the bounded maximum, whichever face it is."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        p, y = rng.uniform(0.02, 0.98, 30), (rng.random(30) < 0.5).astype(np.float64)
        features = np.stack([np.log(p), -np.log1p(-p), np.ones_like(p)])
        theirs = optimum(features, y, [(0, None), (0, None), (None, None)], [1, 1, 0])
        assert fit("beta", p, y)(p) == pytest.approx(expit(theirs @ features), abs=1e-4)


@pytest.mark.oracle
def test_isotonic_agrees_with_scikit_learn() -> None:
    """Thresholds and outputs, with ties and weights, inside and outside the range learned from."""
    from sklearn.isotonic import IsotonicRegression

    p, y = outcomes(3_000, 1.5, seed=3)
    p, weights = np.round(p, 3), np.random.default_rng(0).uniform(0.5, 2, 3_000)
    asked = np.linspace(0, 1, 501)
    for used in (None, weights):
        theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, y, sample_weight=used)
        ours = fit("isotonic", p, y, weights=used)
        assert ours.params["x"] == pytest.approx(theirs.X_thresholds_.tolist(), abs=1e-12)
        assert ours.params["y"] == pytest.approx(theirs.y_thresholds_.tolist(), abs=1e-12)
        assert ours(asked) == pytest.approx(theirs.predict(asked), abs=1e-12)


@pytest.mark.oracle
def test_platt_and_temperature_agree_with_scikit_learn() -> None:
    """Oracle: unpenalised logistic regression on logit p."""
    from sklearn.linear_model import LogisticRegression

    p, y = outcomes(4_000, 1.5, seed=4)
    x = calibrators.logit(p)[:, None]
    for method, intercept in (("platt", True), ("temperature", False)):
        theirs = LogisticRegression(C=np.inf, fit_intercept=intercept, solver="newton-cholesky", tol=1e-12).fit(x, y)
        assert fit(method, p, y)(p) == pytest.approx(theirs.predict_proba(x)[:, 1], abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=3, max_size=40), st.sampled_from(LEARNED))
def test_maps_stay_in_the_unit_interval_and_keep_the_order(rows: list[tuple[float, bool]], method: str) -> None:
    """Whatever the rows, a learned map gives probabilities; all but a backwards Platt map never fall."""
    p, y = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    if y.min() == y.max() or p.min() == p.max():
        with pytest.raises(ValueError, match=r"one class only|constant p"):
            fit(method, p, y)
        return
    mapped = fit(method, p, y)(np.linspace(0, 1, 41))
    assert ((mapped >= 0) & (mapped <= 1)).all()
    assert method == "platt" or (np.diff(mapped) >= -1e-9).all()


@pytest.mark.parametrize("method", LEARNED)
def test_weights_count_rows(method: str) -> None:
    """A row of weight 2 is worth two rows."""
    p, y = outcomes(300, 1.5, seed=5)
    weights = np.where(np.arange(300) % 3 == 0, 2.0, 1.0)
    doubled = np.repeat(np.arange(300), weights.astype(int))
    assert fit(method, p, y, weights)(p) == pytest.approx(fit(method, p[doubled], y[doubled])(p), abs=1e-8)


@pytest.mark.parametrize("method", ["platt", "temperature", "beta"])
def test_separable_data_get_a_small_ridge_and_say_so(method: str) -> None:
    """A threshold that tells all wins from all losses would send the slope to infinity."""
    fitted = fit(method, [0.2, 0.3, 0.5, 0.7, 0.9], [0, 0, 0, 1, 1])
    assert fitted.ridge
    assert np.isfinite(list(fitted.params.values())).all()
    assert not fit(method, *outcomes(100)).ridge


def test_certain_forecasts_that_miss_are_fitted_all_the_same() -> None:
    """Logits of 34 make Newton's surface all cliffs; the maximum is found, flat to 1e-6."""
    for p, y in (([0, 0, 0.5, 0.25], [0, 1, 0, 1]), ([0, 1, 0.5], [0, 0, 1]), ([1e-300, 0.5, 0, 0.9], [1, 0, 1, 1])):
        fitted = fit("platt", p, y)
        assert not fitted.ridge
        residual = fitted(p) - np.array(y)
        assert [float(residual.sum()), float((residual * calibrators.logit(np.array(p))).sum())] == pytest.approx(
            [0, 0], abs=1e-6
        )


def test_forecasts_that_a_logarithm_cannot_tell_apart_are_one() -> None:
    """0 and 1e-300 are clipped to the same logit: rows parted only there are separable, and get the ridge."""
    assert fit("platt", [1e-300, 0.5, 0, 1e-300], [1, 0, 0, 1]).ridge


def test_temperature_of_backwards_forecasts_is_bounded() -> None:
    """1/T may not fall below 1e-6: everything becomes a coin."""
    p, y = outcomes(500, 1.0, seed=6)
    fitted = fit("temperature", p, 1 - y)
    assert fitted.params["T"] == (1e6,)
    assert fitted([0.1, 0.9]) == pytest.approx([0.5, 0.5], abs=1e-5)


def test_isotonic_is_kept_exact_and_served_clipped() -> None:
    """The stored map may say 0 or 1; served it stays 1/sqrt(n+2) away, which three misses cannot ruin."""
    fitted = fit("isotonic", [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    e = 1 / math.sqrt(6)
    assert fitted([0.0, 1.0]).tolist() == [0.0, 1.0]
    assert fitted.served([0.0, 1.0]) == pytest.approx([e, 1 - e])


def test_a_map_comes_back_from_its_plain_numbers() -> None:
    """Method, parameters and n are all there is to a map."""
    p, y = outcomes(1_200, 1.5, seed=7)
    for method in LEARNED:
        fitted = fit(method, p, y)
        again = CalibrationMap(method, {k: tuple(v) for k, v in fitted.params.items()}, fitted.n)
        assert again.served(p).tolist() == fitted.served(p).tolist()


def test_the_gate_prior_pulls_towards_identity_or_parent() -> None:
    """With few rows the penalised map stays near its centre, with many it nears the plain fit."""
    few, many = outcomes(20, 2.0, seed=8), outcomes(100_000, 2.0, seed=8)
    near = fit("platt", *few, prior=gate_prior("platt", few[0], (0.5, 0.1))).newton_parameters()
    assert near == pytest.approx((0.5, 0.1), abs=0.05)
    plain = fit("platt", *many).newton_parameters()
    assert fit("platt", *many, prior=gate_prior("platt", many[0])).newton_parameters() == pytest.approx(plain, abs=0.01)


def test_the_gate_prior_is_worth_so_many_rows() -> None:
    """540 rows that say T = 2 are met half-way between their slope and the identity's, however spread they are."""
    for spread in (0.1, 1.0):
        p = expit(np.random.default_rng(1).normal(0, spread, 540))
        expected = expit(calibrators.logit(p) * 0.9)
        fitted = fit("temperature", p, expected, prior=gate_prior("temperature", p))
        assert 1 / fitted.params["T"][0] == pytest.approx(0.95, abs=0.003)


def test_identity_changes_nothing() -> None:
    """The incumbent at first."""
    assert fit("identity", [0.2, 0.7], [0, 1])([0.0, 0.31, 1.0]).tolist() == [0.0, 0.31, 1.0]


@pytest.mark.parametrize("method", LEARNED)
@pytest.mark.parametrize(
    ("p", "y", "complaint"),
    [
        ([0.2, math.nan], [0, 1], "NaN"),
        ([0.2, 1.2], [0, 1], "must lie in"),
        ([], [], "empty"),
        ([0.2, 0.4], [1, 1], "one class only"),
        ([0.4, 0.4], [0, 1], "constant p"),
        ([0.2, 0.4, 0.5], [0, 1], "3 rows"),
        ([0.2, 0.4], [0, 2], "must lie in"),
    ],
)
def test_what_cannot_be_learned_is_refused(method: str, p: ArrayLike, y: ArrayLike, complaint: str) -> None:
    """NaN, impossible probabilities, no rows, one class and constant p are clear errors."""
    with pytest.raises(ValueError, match=complaint):
        fit(method, p, y)


def test_unknown_methods_and_parameters_are_refused() -> None:
    """A typing error in a method, a foreign parameter or a bad query is named."""
    with pytest.raises(ValueError, match="unknown calibration method 'plat'"):
        fit("plat", [0.2, 0.8], [0, 1])
    with pytest.raises(ValueError, match="unknown calibration method"):
        CalibrationMap("plat", {})
    with pytest.raises(ValueError, match="has parameters"):
        CalibrationMap("platt", {"slope": (1.0,)})
    with pytest.raises(ValueError, match="weights must be above 0"):
        fit("platt", [0.2, 0.8], [0, 1], [1, 0])
    with pytest.raises(ValueError, match="NaN"):
        fit("platt", *outcomes(50))([math.nan])
