"""Calibrate a spreadsheet of forecasts without any log: `onrecord calibrate --file`."""

from pathlib import Path

import numpy as np

from calibration.calibrators import MINIMUM, CalibrationMap, fit
from calibration.gate import GateRun, methods_of, run_gate
from calibration.venn_abers import venn_abers_intervals
from calibration.walk_forward import picks
from grading.scores import Floats
from onrecord.csv_file import FileRefused
from onrecord.forecasts_file import Forecasts, read_forecasts, warn, warn_left_out
from onrecord.scores_file import scores_of

AUTO_WITHOUT_TIMES = "platt"


def calibrate_file(file: Path, method: str, venn_abers: bool = False) -> dict[str, object]:
    """Fit one plain map to all settled rows, in sample, and let the gate judge the method where times are given.

    Keys: method, n, left_out, ridge, params (by name), calibrated (a flat list in input order, rows without an
    outcome included), before and after (the keys of `scores`, in sample), gate (verdict ACTIVATE, REJECT or NOT_RUN,
    and reason); asked for, venn_abers (lower and upper, flat lists in input order). No shrinkage, no clipping, a ridge
    only where the data are separable. `auto` fits the method that leads at the gate. Raises FileRefused where the file
    can't be read, the method is unknown, the rows teach nothing, or the package for Venn-Abers is absent.
    """
    _check(method)
    forecasts = read_forecasts(file)
    left_out = warn_left_out(forecasts)
    settled = forecasts.settled
    p, y = forecasts.p[settled], forecasts.y[settled]
    run = _gate_run(forecasts, method)
    used = _method(method, run)
    try:
        fitted = fit(used, p, y)
    except ValueError as error:
        raise FileRefused(f"{file}: {error}") from error
    intervals = {"venn_abers": _intervals(p, y, forecasts.p)} if venn_abers else {}
    _warn_of(fitted, run)
    return {
        "method": used,
        "n": int(y.size),
        "left_out": left_out,
        "ridge": fitted.ridge,
        "params": _params(fitted),
        "calibrated": fitted(forecasts.p).tolist(),
        **intervals,
        "before": scores_of(p, y),
        "after": scores_of(fitted(p), y),
        "gate": _verdict(run),
    }


def _check(method: str) -> None:
    try:
        methods_of(method)
    except ValueError as error:
        raise FileRefused(str(error)) from error


def _gate_run(forecasts: Forecasts, method: str) -> GateRun | None:
    """A row's result counts as on record for the rows of a strictly later time."""
    ranks = forecasts.time_ranks()
    if ranks is None:
        return None
    settled = forecasts.settled
    times = ranks[settled]
    events = np.array(forecasts.event)[settled]
    return run_gate(picks(forecasts.p[settled], forecasts.y[settled], events, times, times), method)


def _method(method: str, run: GateRun | None) -> str:
    if method != "auto":
        return method
    if run is None:
        warn(f"auto asks the gate, which needs times: {AUTO_WITHOUT_TIMES} is fitted")
        return AUTO_WITHOUT_TIMES
    return run.method


def _warn_of(fitted: CalibrationMap, run: GateRun | None) -> None:
    least = MINIMUM[fitted.method]
    if fitted.n < least:
        warn(f"{fitted.method} is fitted to {fitted.n} rows; below {least:,} it overfits")
    if fitted.ridge:
        warn("the rows are separable: a small ridge keeps the map finite")
    if run is None:
        warn("no times: metrics are in sample only, where recalibrating nearly always looks better")


def _intervals(p: Floats, y: Floats, asked: Floats) -> dict[str, list[float]]:
    try:
        lower, upper = venn_abers_intervals(p, y, asked)
    except ImportError as error:
        raise FileRefused(str(error)) from error
    return {"lower": lower.tolist(), "upper": upper.tolist()}


def _params(fitted: CalibrationMap) -> dict[str, object]:
    if fitted.method == "isotonic":
        return {name: list(values) for name, values in fitted.params.items()}
    return {name: values[0] for name, values in fitted.params.items()}


def _verdict(run: GateRun | None) -> dict[str, object]:
    if run is None:
        return {"verdict": "NOT_RUN", "reason": "the file has no column `time` that can be read"}
    look = run.decisive
    if look is None:
        return {"verdict": "REJECT", "reason": "LOW_SAMPLE: too few settled rows for a first look"}
    return {
        "verdict": "ACTIVATE" if run.activates else "REJECT",
        "reason": "; ".join(look.reasons),
        "method": look.method,
        "n": look.n,
        "out_of_time": look.out_of_time,
        "e": look.e,
        "max_e": look.max_e,
        "before": dict(vars(look.before)),
        "after": dict(vars(look.after)),
        "brier_bound": look.brier_bound,
        "log_loss_bound": look.log_loss_bound,
    }
