"""The gate on published forecasts: the command that makes the table in the docs keeps every promise."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.real_data
@pytest.mark.parametrize("method", ["auto", "platt"])
def test_walked_forward_the_gate_keeps_its_promises(method: str) -> None:
    """NBA opens before 3,000 games and gains; NFL, MLB and club football are served no worse than raw."""
    command = [sys.executable, "-m", "benchmarks.calibration_real_forecasts", "--method", method]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all promises hold" in done.stdout
    assert "NBA: decided gate at " in done.stdout
    assert done.stdout.count("outcomes of .5 left out: 7") == 1
