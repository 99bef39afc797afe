"""`onrecord calibrate --file --three-way`: one temperature for the three probabilities of a 1X2 market."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.multiclass import apply_temperature, fit_temperature
from grading.scores import log_loss_multiclass
from onrecord.calibrate_three_way import OUTCOMES, calibrate_three_way
from onrecord.csv_file import FileRefused
from tests.onrecord.conftest import Run

HEADER = "p_home,p_draw,p_away,y\n"


def overconfident(n: int) -> tuple[Any, Any]:
    """Forecasts whose odds are the square of the true ones (T = 2), and what came."""
    rng = np.random.default_rng(7)
    true = rng.dirichlet([4, 3, 3], n)
    came = (true.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return apply_temperature(true, 0.5), came


def spreadsheet(tmp_path: Path, p: Any, y: Any) -> Path:
    """The rows, and behind them one that has not been played."""
    rows = [",".join(map(repr, row)) + f",{OUTCOMES[c]}" for row, c in zip(p.tolist(), y.tolist(), strict=True)]
    path = tmp_path / "forecasts.csv"
    path.write_text(HEADER + "\n".join([*rows, "0.5,0.3,0.2,"]) + "\n", encoding="utf-8")
    return path


def test_the_temperature_of_the_forecaster_is_found(tmp_path: Path) -> None:
    """Given forecasts that are too sure by T = 2, then T is found, rows sum to 1, and the open row is served too."""
    p, y = overconfident(20_000)
    found: Any = calibrate_three_way(spreadsheet(tmp_path, p, y))

    assert found["params"]["T"] == pytest.approx(fit_temperature(p, y), abs=1e-9)
    assert found["params"]["T"] == pytest.approx(2, abs=0.1)
    assert (found["n"], found["left_out"], len(found["calibrated"])) == (20_000, 1, 20_001)
    assert np.allclose(np.sum(found["calibrated"], axis=1), 1, atol=1e-12)
    assert found["before"]["log_loss"] == pytest.approx(log_loss_multiclass(p, y), abs=1e-12)
    assert found["after"]["log_loss"] < found["before"]["log_loss"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (["0.5,0.3,0.3,home"], "p_home, p_draw, p_away: must sum to 1, not to 1.1"),
        (["0.5,x,0.2,home"], "p_draw: 'x' is not a number"),
        (["0.5,0.3,0.2,H"], "y: must be home, draw, away or empty, not 'H'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str], rows: list[str], fault: str) -> None:
    """And nothing is fitted."""
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")

    with pytest.raises(FileRefused, match="1 rows can't be read"):
        calibrate_three_way(path)
    assert f"line 2: {fault}" in capfd.readouterr().err


@pytest.mark.parametrize("rows", [["0.5,0.3,0.2,"], []])
def test_rows_that_teach_nothing_are_refused(tmp_path: Path, rows: list[str]) -> None:
    """No outcome, no fit."""
    path = tmp_path / "open.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(FileRefused, match="no row has an outcome"):
        calibrate_three_way(path)


def test_the_command_line_says_what_does_not_go_together(run: Run, tmp_path: Path) -> None:
    """It answers in JSON; other methods are for other files."""
    file = spreadsheet(tmp_path, *overconfident(200))

    assert '"method": "temperature"' in run("calibrate", "--file", file, "--three-way", "--json").out
    assert (
        "--three-way fits a temperature"
        in run("calibrate", "--file", file, "--three-way", "--method", "platt", check=False).error
    )
    assert "add --file FILE.csv" in run("calibrate", "--three-way", check=False).error
