"""Calibrate a spreadsheet of 1X2 forecasts jointly, without any log: `onrecord calibrate --file FILE --three-way`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from calibration.multiclass import apply_temperature, fit_temperature
from grading.scores import Floats, brier_multiclass, log_loss_multiclass, rps
from onrecord.csv_file import FileRefused, RowError, read_rows
from onrecord.forecasts_file import probability, warn

OUTCOMES = ("home", "draw", "away")
COLUMNS = tuple(f"p_{outcome}" for outcome in OUTCOMES)
SUM_TOLERANCE = 1e-6


@dataclass
class _Rows:
    """The rows in file order; y is None where there is no outcome."""

    p: list[list[float]] = field(default_factory=list)
    y: list[int | None] = field(default_factory=list)

    def take(self, row: Mapping[str, str]) -> None:
        """Read one row; RowError names the column that is wrong."""
        p = [probability(name, row[name]) for name in COLUMNS]
        if abs(sum(p) - 1) > SUM_TOLERANCE:
            raise RowError(f"{', '.join(COLUMNS)}: must sum to 1, not to {sum(p):.6g}")
        y = row["y"].strip().lower()
        if y and y not in OUTCOMES:
            raise RowError(f"y: must be {', '.join(OUTCOMES)} or empty, not {row['y']!r}")
        self.p.append(p)
        self.y.append(OUTCOMES.index(y) if y else None)


def calibrate_three_way(file: Path) -> dict[str, object]:
    """Fit one temperature to the three probabilities of every settled row, in sample.

    Columns p_home, p_draw, p_away, which sum to 1, and y (home, draw, away; empty where there is no outcome). Keys:
    method, n, left_out, params (T), calibrated (p_home, p_draw, p_away of every row in input order), before and after
    (log_loss, brier summed over the outcomes, rps; in sample). Raises FileRefused where the file or a row can't be
    read, or the rows teach nothing.
    """
    rows = _Rows()
    read_rows(file, rows.take, (*COLUMNS, "y"))
    settled = [(p, y) for p, y in zip(rows.p, rows.y, strict=True) if y is not None]
    if not settled:
        raise FileRefused(f"{file}: no row has an outcome: y is {', '.join(OUTCOMES)}")
    p, y = [row for row, _ in settled], [outcome for _, outcome in settled]
    try:
        temperature = fit_temperature(p, y)
    except ValueError as error:
        raise FileRefused(f"{file}: {error}") from error
    warn("metrics are in sample only, where recalibrating nearly always looks better")
    return {
        "method": "temperature",
        "n": len(settled),
        "left_out": len(rows.p) - len(settled),
        "params": {"T": temperature},
        "calibrated": apply_temperature(rows.p, temperature).tolist(),
        "before": _scores(p, y),
        "after": _scores(apply_temperature(p, temperature), y),
    }


def _scores(p: Floats | list[list[float]], y: list[int]) -> dict[str, float]:
    return {"log_loss": log_loss_multiclass(p, y), "brier": brier_multiclass(p, y), "rps": rps(p, y)}
