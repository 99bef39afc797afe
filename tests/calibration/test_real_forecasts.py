"""The gate on published forecasts: the commands that make the tables in the docs keep every promise."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ran(*words: str) -> str:
    """What a benchmark prints; it must end well."""
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all promises hold" in done.stdout
    return done.stdout


@pytest.mark.real_data
@pytest.mark.parametrize("method", ["auto", "platt"])
def test_walked_forward_the_gate_keeps_its_promises(method: str) -> None:
    """NBA opens before 3,000 games and gains; NFL, MLB and club football are served no worse than raw."""
    out = ran("benchmarks.calibration_real_forecasts", "--method", method)
    assert "NBA: decided gate at " in out
    assert out.count("outcomes of .5 left out: 7") == 1


@pytest.mark.real_data
@pytest.mark.timeout(1800)
def test_through_the_log_the_gate_keeps_its_promises() -> None:
    """The same, imported as history: what was served is read from the grades; ties are left out and counted."""
    out = ran("benchmarks.calibration_through_log")
    assert "| NBA | all | 8,886 | " in out
    assert "| CLUB_FOOTBALL | all | 10,289 | " in out
    assert "{'MLB': 1, 'NFL': 7}" in out
