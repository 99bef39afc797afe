"""Read a spreadsheet of forecasts: columns p and y, optional event_id and time; league and market may stand beside."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from calibration.walk_forward import Times
from grading.scores import Floats
from onrecord.csv_file import FileRefused, RowError, read_rows

NO_OUTCOME = {"", "0.5", ".5", "0.50"}


@dataclass(frozen=True)
class Forecasts:
    """The rows in file order.

    y is NaN where there is no 0/1 outcome (empty or .5: pushes, voids); `settled` marks the rest.
    time holds the dense rank of each row's time, None where the file has no times.
    """

    p: Floats
    y: Floats
    event: list[str]
    time: Times | None

    @property
    def settled(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have an outcome of 0 or 1."""
        return ~np.isnan(self.y)


@dataclass
class _Rows:
    """The columns as they are read."""

    p: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    event: list[str] = field(default_factory=list)
    time: list[str] = field(default_factory=list)

    def take(self, row: Mapping[str, str]) -> None:
        """Read one row; RowError names the column that is wrong."""
        p, y = _probability(row["p"]), _outcome(row["y"])
        self.p.append(p)
        self.y.append(y)
        self.event.append(row.get("event_id", "").strip() or f"row {len(self.p)}")
        self.time.append(row.get("time", "").strip())


def read_forecasts(file: Path) -> Forecasts:
    """Read every row; FileRefused where the file, or any row's p or y, can't be read (each line is named on stderr).

    A row without a 0/1 outcome is kept and marked. Without event_id each row is an event of its own.
    """
    rows = _Rows()
    bad = read_rows(file, rows.take, ("p", "y"))
    if bad:
        raise FileRefused(f"{file}: {bad} rows can't be read; each is named above")
    if not any(not math.isnan(y) for y in rows.y):
        raise FileRefused(f"{file}: no row has an outcome of 0 or 1")
    return Forecasts(np.array(rows.p), np.array(rows.y), rows.event, _ranks(rows.time))


def warn(text: str) -> None:
    """Say on standard error what the figures alone do not."""
    print(f"warning: {text}", file=sys.stderr)  # noqa: T201 - its purpose


def warn_left_out(forecasts: Forecasts) -> int:
    """Count the rows without a 0/1 outcome, and say so where there are any."""
    left_out = int((~forecasts.settled).sum())
    if left_out:
        warn(f"{left_out} rows without an outcome of 0 or 1 are left out of every score")
    return left_out


def _probability(cell: str) -> float:
    try:
        p = float(cell)
    except ValueError:
        raise RowError(f"p: {cell!r} is not a number") from None
    if not 0 <= p <= 1:
        raise RowError(f"p: must lie in [0, 1], not {cell}")
    return p


def _outcome(cell: str) -> float:
    if cell.strip() in NO_OUTCOME:
        return math.nan
    try:
        y = float(cell)
    except ValueError:
        y = -1.0
    if y not in (0.0, 1.0):
        raise RowError(f"y: must be 0, 1, .5 or empty, not {cell!r}")
    return y


def _ranks(cells: list[str]) -> Times | None:
    """Only the order of times matters here: numbers, dates or date-times (without an offset: UTC), all of one kind."""
    if not any(cells):
        return None
    for read in (_number, _instant):
        values = [read(cell) for cell in cells]
        known = [value for value in values if value is not None]
        if len(known) == len(cells):
            return np.unique(np.array(known), return_inverse=True)[1].astype(np.int64)
    unread = next((cell for cell in cells if _instant(cell) is None), "")
    warn(f"time: {unread!r} is neither a date, a date-time nor a number like the others; the gate is not run")
    return None


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _instant(cell: str) -> float | None:
    try:
        instant = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
