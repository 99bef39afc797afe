"""The baseline on real matches: near the published reference, and not below it, which would be leakage."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DATA = PROJECT.parent / "shared" / "data"


@pytest.mark.real_data
def test_the_premier_league_is_forecast_near_the_reference() -> None:
    """E0 2019/20 to 2022/23: RPS .2056 is the reference of Elo with ordered logit, under .199 somebody peeked."""
    assert (DATA / "football_odds").is_dir(), f"no real data in {DATA}: this test reads football_odds from there"
    command = [sys.executable, "-m", "benchmarks.football_forecast", "--league", "E0", "--no-us", "--data", str(DATA)]
    printed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    row = re.search(r"^E0 1920-2223 +1,520 +(\S+) \[\S+ \S+\] +(\S+) .*1,520 0\.1990 0\.9670 /", printed, re.MULTILINE)
    assert row is not None, printed
    assert 0.199 < float(row[1]) < 0.210
    assert 0.968 < float(row[2]) < 1.000
