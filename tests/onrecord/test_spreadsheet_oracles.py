"""Spreadsheets of forecasts through the command line, against other packages: ties, exact 0 and 1, all columns."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from grading.scores import Floats
from tests.calibration.forecasters import outcomes
from tests.onrecord.conftest import Run

N = 600


def forecasts() -> tuple[Floats, Floats]:
    """Over-confident forecasts to two digits, so with many ties; some are exactly 0 or 1, not all of those right."""
    p, y = outcomes(N, 2.0)
    rounded = p.round(2)
    rounded[:6] = [0, 0, 1, 1, 0, 1]
    y[:6] = [0, 1, 1, 0, 0, 1]
    return rounded, y


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A spreadsheet with every column, a byte order mark, and two rows without an outcome at its end."""
    rows = [f"{p},{y:g},e{i // 2},{2020 + i},NBA,SPREAD" for i, (p, y) in enumerate(zip(*forecasts(), strict=True))]
    text = "\n".join(["p,y,event_id,time,league,market", *rows, "0.3,.5,a,2700,NFL,TOTAL", "0.6,,b,2700,NFL,TOTAL"])
    path = tmp_path / "forecasts.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def told(run: Run, *words: object) -> Any:
    """The one JSON object on standard output."""
    return json.loads(run(*words, "--json").out, parse_constant=pytest.fail)


def ece(p: Floats, y: Floats, bins: list[int]) -> float:
    """The definition, bin by bin; empty bins are in no list."""
    members = {b: np.array([other == b for other in bins]) for b in set(bins)}
    return math.fsum(m.mean() * abs(y[m].mean() - p[m].mean()) for m in members.values())


def test_ece_is_its_definition_bin_by_bin(run: Run, sheet: Path) -> None:
    """Equal width: (k-1)/10 < p <= k/10, the first with 0. Equal mass: by deciles, so that ties share a bin."""
    p, y = forecasts()
    found = told(run, "scores", sheet)
    width = [max(1, -(-round(100 * value) // 10)) for value in p]
    deciles = np.quantile(p, np.arange(1, 10) / 10)
    mass = [sum(bool(value > cut) for cut in deciles) for value in p]
    assert (found["n"], found["left_out"]) == (N, 2)
    assert found["ece_equal_width_10"] == pytest.approx(ece(p, y, width), abs=1e-12)
    assert found["ece_equal_mass_10"] == pytest.approx(ece(p, y, mass), abs=1e-12)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")  # the oracles' own, on import
def test_corp_and_smooth_ece_agree_with_their_packages(run: Run, sheet: Path) -> None:
    """model-diagnostics to 1e-9, relplot to 1e-6."""
    import relplot
    from model_diagnostics.scoring import SquaredError, decompose

    p, y = forecasts()
    found = told(run, "scores", sheet)
    oracle = decompose(y, p, scoring_function=SquaredError()).row(0, named=True)
    for name, theirs in (("mcb", "miscalibration"), ("dsc", "discrimination"), ("unc", "uncertainty")):
        assert found["corp"][name] == pytest.approx(oracle[theirs], abs=1e-9)
    assert found["smece"] == pytest.approx(relplot.smECE(p, y), abs=1e-6)


@pytest.mark.oracle
def test_isotonic_agrees_with_scikit_learn(run: Run, sheet: Path) -> None:
    """The steps and every output, in input order, rows without an outcome included."""
    from sklearn.isotonic import IsotonicRegression

    p, y = forecasts()
    found = told(run, "calibrate", "--file", sheet, "--method", "isotonic")
    oracle = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    assert found["params"]["x"] == pytest.approx(oracle.X_thresholds_, abs=1e-9)
    assert found["params"]["y"] == pytest.approx(oracle.y_thresholds_, abs=1e-9)
    assert found["calibrated"] == pytest.approx(oracle.predict([*p, 0.3, 0.6]), abs=1e-9)


def features(method: str, p: Floats) -> Floats:
    """What a method's parameters multiply."""
    x, one = np.clip(p, 1e-15, 1 - 1e-15), np.ones_like(p)
    rows = {
        "platt": [logit(x), one],
        "temperature": [logit(x)],
        "beta": [np.log(x), -np.log1p(-x), one],
    }
    return np.stack(rows[method])


def exact_optimum(rows: Floats, y: Floats, lower: float | None) -> Floats:
    """The parameters of the largest likelihood, all but the last (an intercept, where there is one) from `lower` on."""

    def cost(theta: Floats) -> float:
        return float((np.logaddexp(0, theta @ rows) - y * (theta @ rows)).mean())

    def slope(theta: Floats) -> Floats:
        return np.asarray(rows @ (expit(theta @ rows) - y) / y.size)

    bounds = [(lower, None)] * (len(rows) - 1) + [(None, None)]
    start = np.full(len(rows), 0.5)
    found = minimize(cost, start, jac=slope, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-11})
    return np.asarray(found.x)


@pytest.mark.parametrize(("method", "lower"), [("platt", None), ("temperature", None), ("beta", 0)])
def test_parameters_agree_with_an_exact_optimiser(run: Run, sheet: Path, method: str, lower: float | None) -> None:
    """To 1e-6, parameters and outputs."""
    p, y = forecasts()
    found = told(run, "calibrate", "--file", sheet, "--method", method)
    oracle = exact_optimum(features(method, p), y, lower)
    params = [1 / found["params"]["T"]] if method == "temperature" else list(found["params"].values())
    assert params == pytest.approx(oracle, abs=1e-6)
    expected = expit(oracle @ features(method, np.array([*p, 0.3, 0.6])))
    assert found["calibrated"] == pytest.approx(expected, abs=1e-6)
