"""Metrics before and after calibration, each with its interval by the bootstrap over events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from grading.bootstrap import RESAMPLES, Interval, event_sums, resampled_sums
from grading.scores import Floats, brier_terms, checked, log_loss_terms

BINS = 10
_EDGES = np.linspace(0, 1, BINS + 1)[1:-1]


@dataclass(frozen=True)
class Metrics:
    """What a forecast scored on n rows; every figure but n with its 95% interval, None where there were no rows.

    The interval of the ECE is that of the bootstrapped ECE, which is biased upwards on small samples: read it as a
    range of noise, never as a test.
    """

    n: int
    base_rate: Interval | None = None
    ece: Interval | None = None
    brier: Interval | None = None
    log_loss: Interval | None = None


def compare(
    forecasts: dict[str, Floats], y: ArrayLike, event: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES
) -> dict[str, Metrics]:
    """Return the metrics of each forecast of the same rows, all from the same resamples of events."""
    if np.size(y) == 0:
        return {name: Metrics(0) for name in forecasts}
    columns = [np.ones(np.size(y)), np.asarray(y, dtype=np.float64)]
    for p in forecasts.values():
        columns.extend(_columns(*checked(p, y)))
    sums = event_sums(np.column_stack(columns), event)
    drawn = resampled_sums(sums, resamples)
    whole = sums.sum(axis=0, keepdims=True)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    width = BINS + 2
    return {
        name: _metrics(whole, drawn, slice(2 + i * width, 2 + (i + 1) * width), tails)
        for i, name in enumerate(forecasts)
    }


def _columns(p: Floats, y: Floats) -> list[Floats]:
    """Brier and log-loss terms, and each bin's residuals in a column of its own."""
    bins = np.searchsorted(_EDGES, p, side="left")
    residuals = [np.where(bins == b, y - p, 0.0) for b in range(BINS)]
    return [brier_terms(p, y), log_loss_terms(p, y), *residuals]


def _metrics(whole: Floats, drawn: Floats, columns: slice, tails: Floats) -> Metrics:
    figures = zip(_figures(whole, columns), _figures(drawn, columns), strict=True)
    base_rate, ece, brier, log_loss = (
        Interval(float(value[0]), *(float(bound) for bound in np.quantile(sample, tails))) for value, sample in figures
    )
    return Metrics(int(whole[0, 0]), base_rate, ece, brier, log_loss)


def _figures(sums: Floats, columns: slice) -> list[Floats]:
    n, own = sums[:, 0], sums[:, columns]
    return [sums[:, 1] / n, np.abs(own[:, 2:]).sum(axis=1) / n, own[:, 0] / n, own[:, 1] / n]
