"""Fit and gate against scikit-learn's plain fits, and one probability at a time.

Run: python -m benchmarks.calibration_speed
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from calibration.calibrators import fit, logit
from calibration.gate import run_gate
from calibration.segments import CalibrationModel, SegmentModel, segment
from calibration.walk_forward import picks
from grading.bootstrap import lower_bounds
from grading.scores import brier_terms, log_loss_terms

CALLS = 20_000


def main() -> None:
    """Print seconds and ratios of one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--games", type=int, default=250_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    event = np.sort(rng.integers(0, asked.games, asked.rows))
    z = rng.normal(0, 0.8, asked.rows)
    p, y = expit(z), (rng.random(asked.rows) < expit(z / 1.5)).astype(np.float64)
    rows = picks(p, y, event, event * 1_000, event * 1_000 + 999)

    column = logit(p)[:, None]
    theirs = {
        "platt": seconds(lambda: LogisticRegression(C=np.inf).fit(column, y)),
        "isotonic": seconds(lambda: IsotonicRegression(out_of_bounds="clip").fit(p, y)),
    }
    print(f"{asked.rows:,} rows in {asked.games:,} games, seconds of one run")
    for method in ("platt", "temperature", "beta", "isotonic"):
        ours = seconds(partial(fit, method, p, y))
        peer = theirs.get(method)
        told = f", scikit-learn {peer:.3f}, ratio of ours to it {ours / peer:.2f}" if peer else ""
        print(f"fit {method}: {ours:.3f}{told}")
    q = fit("platt", p, y)(p)
    columns = np.column_stack([brier_terms(p, y) - brier_terms(q, y), log_loss_terms(p, y) - log_loss_terms(q, y)])
    bounds = seconds(lambda: lower_bounds(columns, event))
    fit_and_bounds = seconds(lambda: fit("platt", p, y)) + bounds
    gate = seconds(lambda: run_gate(rows, "platt"))
    print(f"bounds, 1,000 resamples by event: {bounds:.2f}")
    print(f"fit and bounds (one look): {fit_and_bounds:.2f}, {fit_and_bounds / theirs['platt']:.1f} plain Platt fits")
    print(
        f"whole gate, every look refitted, bounds included: {gate:.2f}, {gate / theirs['platt']:.1f} plain Platt fits"
    )
    for method in ("platt", "isotonic"):
        key = segment("NBA", "MONEYLINE:FULL_GAME")
        model = CalibrationModel({key: SegmentModel(fit(method, p[:5_000], y[:5_000]), 5_000, active=True)})
        spent = seconds(partial(_call, model))
        print(f"calibrate_probability, {method}: {spent / CALLS * 1e6:.1f} microseconds")


def _call(model: CalibrationModel) -> None:
    for _ in range(CALLS):
        model.calibrate(0.62, "NBA", "MONEYLINE:FULL_GAME")


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
