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


@dataclass(frozen=True)
class Forecasts:
    """The rows in file order.

    y is NaN where there is no 0/1 outcome (empty or .5: pushes, voids); `settled` marks the rest.
    time holds the cells as they stand, all empty where the file has no such column.
    """

    p: Floats
    y: Floats
    event: list[str]
    time: list[str]

    @property
    def settled(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have an outcome of 0 or 1."""
        return ~np.isnan(self.y)

    def time_ranks(self) -> Times | None:
        """The dense rank of each row's time; None, with a warning, where a cell is not readable like the others."""
        return _ranks(self.time) if any(self.time) else None


@dataclass
class _Rows:
    """The columns as they are read."""

    p: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    event: list[str] = field(default_factory=list)
    time: list[str] = field(default_factory=list)

    def take(self, row: Mapping[str, str]) -> None:
        """Read one row; RowError names the column that is wrong."""
        p, y = probability("p", row["p"]), _outcome(row["y"])
        self.p.append(p)
        self.y.append(y)
        self.event.append(row.get("event_id", "").strip() or f"row {len(self.p)}")
        self.time.append(row.get("time", "").strip())


def read_forecasts(file: Path) -> Forecasts:
    """Read every row; FileRefused where the file, or any row's p or y, can't be read (each line is named on stderr).

    A row without a 0/1 outcome is kept and marked. Without event_id each row is an event of its own.
    """
    rows = _Rows()
    read_rows(file, rows.take, ("p", "y"))
    if not any(not math.isnan(y) for y in rows.y):
        raise FileRefused(f"{file}: no row has an outcome of 0 or 1")
    return Forecasts(np.array(rows.p), np.array(rows.y), rows.event, rows.time)


def warn(text: str) -> None:
    """Say on standard error what the figures alone do not."""
    print(f"warning: {text}", file=sys.stderr)  # noqa: T201 - its purpose


def warn_left_out(forecasts: Forecasts) -> int:
    """Count the rows without a 0/1 outcome, and say so where there are any."""
    left_out = int((~forecasts.settled).sum())
    if left_out:
        warn(f"{left_out} rows without an outcome of 0 or 1 are left out of every score")
    return left_out


def probability(column: str, cell: str) -> float:
    """A cell's number in [0, 1]; RowError names the column where it is none."""
    p = _float(cell)
    if p is None:
        raise RowError(f"{column}: {cell!r} is not a number")
    if not 0 <= p <= 1:
        raise RowError(f"{column}: must lie in [0, 1], not {cell}")
    return p


def _outcome(cell: str) -> float:
    y = _float(cell) if cell.strip() else 0.5
    if y not in (0.0, 0.5, 1.0):
        raise RowError(f"y: must be 0, 1, .5 or empty, not {cell!r}")
    return math.nan if y == 0.5 else y


def _float(cell: str) -> float | None:
    """A number as spreadsheets write it: Python alone would read 0_5 as 5."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _ranks(cells: list[str]) -> Times | None:
    """Only the order of times matters here: numbers, dates or date-times (without an offset: UTC), all of one kind."""
    for read in (_number, _instant):
        values = [read(cell) for cell in cells]
        known = [value for value in values if value is not None]
        if len(known) == len(cells):
            return np.unique(np.array(known), return_inverse=True)[1].astype(np.int64)
    unread = next((cell for cell in cells if _instant(cell) is None), "")
    warn(f"time: {unread!r} is neither a date, a date-time nor a number like the others; the gate is not run")
    return None


def _number(cell: str) -> float | None:
    value = _float(cell)
    return value if value is not None and math.isfinite(value) else None


def _instant(cell: str) -> float | None:
    try:
        instant = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
