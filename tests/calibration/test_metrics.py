"""Metrics before and after: the scores themselves, each with its interval by event."""

import numpy as np
import pytest

from calibration.metrics import Metrics, compare
from grading.reliability import expected_calibration_error
from grading.scores import brier, log_loss
from tests.calibration.forecasters import outcomes


def test_figures_are_the_scores_and_lie_in_their_intervals() -> None:
    """Each estimate equals the plain score; its interval holds it (the ECE's need not)."""
    p, y = outcomes(800, 1.5)
    found = compare({"raw": p}, y, np.arange(800))["raw"]
    assert found.n == 800
    for interval, score in ((found.brier, brier), (found.log_loss, log_loss)):
        assert interval is not None
        assert interval.estimate == pytest.approx(score(p, y), abs=1e-12)
        assert interval.low < interval.estimate < interval.high
    assert found.ece is not None
    assert found.ece.estimate == pytest.approx(expected_calibration_error(p, y), abs=1e-12)
    assert found.base_rate is not None
    assert found.base_rate.estimate == pytest.approx(y.mean())


def test_both_forecasts_share_their_resamples() -> None:
    """The same forecast under two names gets the same intervals."""
    p, y = outcomes(300)
    found = compare({"before": p, "after": p}, y, np.arange(300) // 3)
    assert found["before"] == found["after"]


def test_no_rows_give_no_figures() -> None:
    """An empty segment has n = 0 and nothing else."""
    assert compare({"raw": np.empty(0)}, [], [])["raw"] == Metrics(0)
