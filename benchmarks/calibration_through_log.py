"""Published forecasts calibrated walk-forward through the log. Run: python -m benchmarks.calibration_through_log

Imports ../shared/data/forecasts_538 into a folder of its own, as `onrecord import forecasts-538` does, and reads what
was served from the grades: raw and calibrated of every official pick, by league and season.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from grading.bootstrap import Interval, mean_intervals
from onrecord.calibration_service import CalibrationService
from onrecord.history import import_history, read_files
from onrecord.settings import Settings
from onrecord.walk_forward import walking
from onrecord.wiring import Workspace
from projections.store import Store

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecasts_538"
FILES = ("nba_games.csv", "nfl_games.csv", "mlb_games.csv", "club_soccer_matches.csv")
FORMAT = "forecasts-538"
US = ("NBA", "NFL", "MLB")
CLUB = "CLUB_FOOTBALL"
WORSE = 0.0005
CALLS = 20_000
PICKS = """
SELECT CASE WHEN league IN ('NBA', 'NFL', 'MLB') THEN league ELSE 'CLUB_FOOTBALL' END AS competition,
       coalesce(season, strftime(started_at, '%Y')) AS season, event_id, log_loss AS raw_log_loss, brier AS raw_brier,
       coalesce(log_loss_calibrated, log_loss) AS served_log_loss, coalesce(brier_calibrated, brier) AS served_brier,
       log_loss_calibrated IS NOT NULL AS is_calibrated
FROM graded_picks JOIN (SELECT event_id, season FROM events) USING (event_id)
WHERE brier IS NOT NULL ORDER BY competition, season, started_at, publish_id
"""
LEFT_OUT = """
SELECT CASE WHEN league IN ('NBA', 'NFL', 'MLB') THEN league ELSE 'CLUB_FOOTBALL' END AS competition, count(*) AS n
FROM graded_picks WHERE brier IS NULL GROUP BY ALL ORDER BY ALL
"""
OPENED = """
SELECT (look ->> 'n')::BIGINT AS n, look ->> 'method' AS method
FROM (SELECT unnest((segment -> 'looks')::JSON[]) AS look FROM (
    SELECT unnest((trained -> 'segments')::JSON[]) AS segment FROM trained_versions
) WHERE segment ->> 'segment' = 'NBA|MONEYLINE:FULL_GAME')
WHERE look ->> 'phase' = 'GATE' AND (look ->> 'decides')::BOOLEAN ORDER BY n LIMIT 1
"""
VERDICTS = "SELECT verdict, count(*) AS n FROM calibration_verdicts GROUP BY ALL ORDER BY ALL"


@dataclass(frozen=True)
class Served:
    """One league in one season, or in all: raw and served scores with their differences, each with its interval."""

    league: str
    season: str
    n: int
    calibrated: int
    log_loss: tuple[Interval, Interval, Interval]
    brier: tuple[Interval, Interval, Interval]

    def row(self) -> str:
        """As a row of the table."""
        scores = " | ".join(
            f"{raw.estimate:.4f} | {served.estimate:.4f} | {_figure(gain)}"
            for raw, served, gain in (self.log_loss, self.brier)
        )
        return f"| {self.league} | {self.season} | {self.n:,} | {self.calibrated:,} | {scores} |"


def replayed(home: Path) -> Workspace:
    """A workspace with all four files on its log, calibrated walk-forward.

    Raises:
        FileNotFoundError: the data are not there.
    """
    paths = [DATA / name for name in FILES]
    if missing := [path for path in paths if not path.exists()]:
        raise FileNotFoundError(f"{missing[0]} is missing: the real forecasts are read from ../shared/data")
    workspace = Workspace(Settings(home=home))
    files, refused = read_files(FORMAT, paths)
    with walking(workspace, files) as model_at:
        done = import_history(workspace.log, files, refused, None, lambda _done, _total: None, model_at=model_at)
    workspace.settle_down(done.positions)
    return workspace


def table(store: Store) -> list[Served]:
    """Every league by season, and whole."""
    rows = store.ask(PICKS).to_pylist()
    found = []
    for league, whole in groupby(rows, key=itemgetter("competition")):
        own = list(whole)
        for season, some in groupby(own, key=itemgetter("season")):
            found.append(_served(league, season, list(some)))
        found.append(_served(league, "all", own))
    return found


def _served(league: str, season: str, rows: list[dict[str, Any]]) -> Served:
    raw, served = (
        np.array([[row[f"{who}_{score}"] for score in ("log_loss", "brier")] for row in rows])
        for who in ("raw", "served")
    )
    found = mean_intervals(np.column_stack([raw, served, raw - served]), [row["event_id"] for row in rows])
    calibrated = sum(row["is_calibrated"] for row in rows)
    return Served(league, season, len(rows), calibrated, (found[0], found[2], found[4]), (found[1], found[3], found[5]))


def opened(store: Store) -> tuple[int, str] | None:
    """At how many settled NBA picks the gate opened first, and for which method."""
    found = store.rows(OPENED)
    return found[0] if found else None


def promises(whole: dict[str, Served], nba_opened: tuple[int, str] | None) -> list[str]:
    """What was promised of a league and did not hold."""
    nba = whole["NBA"]
    held = {
        f"the NBA's gate opened at {nba_opened}, not before 3,000 games": nba_opened is not None
        and nba_opened[0] < 3_000,
        f"the NBA's log loss as served is {nba.log_loss[2].estimate:.5f} below raw, not .004": nba.log_loss[2].estimate
        >= 0.004,
        f"the NBA's Brier as served is {nba.brier[2].estimate:.5f} below raw, not .0015": nba.brier[2].estimate
        >= 0.0015,
    }
    for name in ("NFL", "MLB", CLUB):
        gain = whole[name].log_loss[2].estimate
        held[f"{name} is served {-gain:.5f} worse than raw"] = gain >= -WORSE
    return [text for text, is_held in held.items() if not is_held]


def microseconds(workspace: Workspace) -> float:
    """What one call of `calibrate_probability` takes, by the active version."""
    service = CalibrationService(workspace)
    service.calibrate_probability(0.62, "NBA", "MONEYLINE:FULL_GAME")
    begun = time.perf_counter()
    for _ in range(CALLS):
        service.calibrate_probability(0.62, "NBA", "MONEYLINE:FULL_GAME")
    return (time.perf_counter() - begun) / CALLS * 1e6


def _figure(interval: Interval) -> str:
    return f"{interval.estimate:.5f} ({interval.low:.5f} to {interval.high:.5f})"


def main() -> int:
    """Print the table; return 1 where a promise is broken."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with TemporaryDirectory() as folder:
        workspace = replayed(Path(folder))
        with workspace.reader() as store:
            found, nba_opened = table(store), opened(store)
            left_out, verdicts = dict(store.rows(LEFT_OUT)), dict(store.rows(VERDICTS))
        spent = microseconds(workspace)
        workspace.close()
    print("| league | season | picks | calibrated | log loss raw | served | gain | Brier raw | served | gain |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    print("\n".join(served.row() for served in found))
    print(f"\nNBA gate opened at {nba_opened}; left out, no 0/1 outcome: {left_out}; verdicts: {verdicts}")
    print(f"calibrate_probability: {spent:.1f} microseconds")
    broken = promises({served.league: served for served in found if served.season == "all"}, nba_opened)
    print("\n".join(f"BROKEN {text}" for text in broken) or "all promises hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
