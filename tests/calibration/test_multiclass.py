"""Joint calibration of 1X2 forecasts by one temperature."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from calibration.calibrators import fit
from calibration.multiclass import apply_temperature, fit_temperature
from grading.scores import Floats, Integers, log_loss_multiclass
from tests.calibration.forecasters import outcomes


def matches(n: int, temperature: float, seed: int = 0) -> tuple[Floats, Integers]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 0.8, (n, 3))
    truth = softmax(logits / temperature, axis=1)
    came = (truth.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return softmax(logits, axis=1), came.astype(np.intp)


def test_agrees_with_an_independent_optimiser() -> None:
    """T to 1e-6 of a bounded scalar search over the same likelihood."""
    p, y = matches(2_000, 1.6)

    def cost(temperature: float) -> float:
        return log_loss_multiclass(apply_temperature(p, temperature), y)

    found = minimize_scalar(cost, bounds=(0.2, 5), method="bounded", options={"xatol": 1e-9}).x
    assert fit_temperature(p, y) == pytest.approx(found, abs=1e-6)
    assert fit_temperature(p, y) == pytest.approx(1.6, abs=0.2)


def test_two_classes_are_the_binary_temperature() -> None:
    """softmax(ln p / T) of two outcomes is expit(logit p / T)."""
    p, y = outcomes(1_000, 1.5)
    both = np.column_stack([1 - p, p])
    temperature = fit_temperature(both, y)
    assert temperature == pytest.approx(fit("temperature", p, y).params["T"][0], abs=1e-9)
    assert apply_temperature(both, temperature)[:, 1] == pytest.approx(fit("temperature", p, y)(p), abs=1e-12)


def test_rows_sum_to_one_and_one_changes_nothing() -> None:
    """A joint map needs no renormalising; T = 1 is the identity, zeros included."""
    p = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    assert apply_temperature(p, 1.7).sum(axis=1) == pytest.approx([1, 1], abs=1e-15)
    assert apply_temperature(p, 1.0) == pytest.approx(p, abs=1e-12)


def test_extremes_are_bounded() -> None:
    """Favourites that always come get a ridge, forecasts that point the wrong way T = 1e6."""
    p = np.array([[0.5, 0.3, 0.2]] * 20 + [[0.2, 0.5, 0.3]] * 20)
    assert 0 < fit_temperature(p, [0] * 20 + [1] * 20) < 1
    assert fit_temperature(p, [2] * 20 + [0] * 20) == 1e6


def test_bad_rows_are_refused() -> None:
    """Constant rows, impossible classes and temperatures are errors."""
    with pytest.raises(ValueError, match="constant p"):
        fit_temperature([[0.5, 0.5]], [0])
    with pytest.raises(ValueError, match="sum to"):
        fit_temperature([[0.5, 0.4]], [0])
    with pytest.raises(ValueError, match="must be above 0"):
        apply_temperature([[0.5, 0.5]], 0)
