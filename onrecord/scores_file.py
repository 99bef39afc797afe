"""Scores of a spreadsheet of forecasts without any log: `onrecord scores`."""

from pathlib import Path

from grading.reliability import corp, expected_calibration_error, smooth_calibration_error, spiegelhalter
from grading.scores import Floats, brier, log_loss
from onrecord.forecasts_file import read_forecasts, warn, warn_left_out


def scores_file(file: Path) -> dict[str, object]:
    """Return the scores of the rows with a 0/1 outcome, and how many rows had none.

    Keys: n, left_out, base_rate, brier, log_loss (nats), ece_equal_width_10, ece_equal_mass_10, smece, corp (of the
    Brier score: mcb, dsc, unc), spiegelhalter_z (None where every p is 0, .5 or 1). Raises FileRefused.
    """
    forecasts = read_forecasts(file)
    left_out = warn_left_out(forecasts)
    settled = forecasts.settled
    return {"left_out": left_out, **scores_of(forecasts.p[settled], forecasts.y[settled])}


def scores_of(p: Floats, y: Floats) -> dict[str, object]:
    """Return every score of the forecasts under the name that the command prints."""
    parts = corp(p, y)
    return {
        "n": int(y.size),
        "base_rate": float(y.mean()),
        "brier": brier(p, y),
        "log_loss": log_loss(p, y),
        "ece_equal_width_10": expected_calibration_error(p, y, 10, "width"),
        "ece_equal_mass_10": expected_calibration_error(p, y, 10, "mass"),
        "smece": smooth_calibration_error(p, y),
        "corp": {"mcb": parts.mcb, "dsc": parts.dsc, "unc": parts.unc},
        "spiegelhalter_z": _z(p, y),
    }


def _z(p: Floats, y: Floats) -> float | None:
    try:
        return spiegelhalter(p, y).z
    except ValueError as error:
        warn(str(error))
        return None
