"""The gate walked forward on published forecasts. Run: python -m benchmarks.calibration_real_forecasts

Reads ../shared/data/forecasts_538. Forecasts carry a date only: a pick counts as issued when its day begins and its
result as on record when the day ends, so results of a day never train what is issued that day.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from calibration.metrics import Metrics, compare
from calibration.training import TrainedVersion, TrainingRows, train
from calibration.walk_forward import MICROSECONDS_A_DAY
from grading.bootstrap import Interval, mean_intervals
from grading.scores import Floats, brier_terms, log_loss_terms

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecasts_538"
FILES = {"NBA": "nba_games", "NFL": "nfl_games", "MLB": "mlb_games", "CLUB_FOOTBALL": "club_soccer_matches"}
MARKET = {"CLUB_FOOTBALL": "MONEYLINE_3WAY:REGULATION"}
EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Forecasts:
    """One league's picks sorted by date, each row's season, and how many outcomes of .5 were left out."""

    rows: TrainingRows
    season: list[str]
    left_out: int


def read(league: str) -> Forecasts:
    """Read a league; FileNotFoundError says which file is missing."""
    file = DATA / f"{FILES[league]}.csv"
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: the real forecasts are read from ../shared/data")
    with file.open(encoding="utf-8", newline="") as text:
        games = sorted(csv.DictReader(text), key=lambda game: game["date"])
    columns: list[tuple[str, str, float, float, int]] = []
    seasons, left_out = [], 0
    for number, game in enumerate(games):
        midnight = (date.fromisoformat(game["date"]).toordinal() - EPOCH_DAY) * MICROSECONDS_A_DAY
        for p, y in _picks(league, game):
            if y not in ("0", "1"):
                left_out += 1
                continue
            event = f"{league}-{number:06d}"
            columns.append((f"{event}-{len(columns):06d}", event, float(p), float(y), midnight))
            seasons.append(game["season"])
    return Forecasts(_rows(league, columns), seasons, left_out)


def _picks(league: str, game: dict[str, str]) -> Iterator[tuple[str, str]]:
    sides = ("prob1", "probtie", "prob2") if league == "CLUB_FOOTBALL" else ("prob1",)
    return ((game[side], game[f"{side}_outcome"]) for side in sides)


def _rows(league: str, columns: list[tuple[str, str, float, float, int]]) -> TrainingRows:
    ids, events, p, y, midnight = (list(column) for column in zip(*columns, strict=True))
    issued = np.array(midnight, dtype=np.int64)
    market = MARKET.get(league, "MONEYLINE:FULL_GAME")
    return TrainingRows(
        ids, [league] * len(ids), [market] * len(ids), events, p, y, issued, issued + MICROSECONDS_A_DAY - 1
    )


def gains(forecasts: Forecasts, trained: TrainedVersion) -> tuple[Interval, Interval]:
    """Return raw minus served log loss and Brier score of all rows, with intervals by event."""
    p, y = np.array(forecasts.rows.p), np.array(forecasts.rows.y)
    columns = np.column_stack(
        [
            log_loss_terms(p, y) - log_loss_terms(trained.served, y),
            brier_terms(p, y) - brier_terms(trained.served, y),
        ]
    )
    log_loss, brier = mean_intervals(columns, forecasts.rows.event_id)
    return log_loss, brier


def promises(league: str, trained: TrainedVersion, log_loss: float, brier: float) -> list[str]:
    """Return what was promised of a league and did not hold."""
    if league != "NBA":
        return [f"{league}: served is worse than raw by {-log_loss:.5f}"] if log_loss < -0.0005 else []
    opened = next((k.n for r in trained.segments for k in r.looks if k.phase == "GATE" and k.decides), None)
    checks = {
        f"the gate opened at {opened}, not before 3,000 games": opened is not None and opened < 3_000,
        f"log loss as served is {log_loss:.5f} below raw, not .004": log_loss >= 0.004,
        f"Brier as served is {brier:.5f} below raw, not .0015": brier >= 0.0015,
    }
    return [f"NBA: {text}" for text, held in checks.items() if not held]


def main() -> int:
    """Print the table of every league and season; return 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--training-days", type=int, default=30)
    asked = parser.parse_args()
    broken: list[str] = []
    print(f"method {asked.method}, training_days {asked.training_days}; each figure with its 95% interval by game\n")
    print("| league | season | picks | log loss raw | served | Brier raw | served | ECE raw | served |")
    print("|---|---|---|---|---|---|---|---|---|")
    notes = []
    for league in FILES:
        forecasts = read(league)
        trained = train(forecasts.rows, asked.method, asked.training_days)
        _print_seasons(league, forecasts, trained)
        log_loss, brier = gains(forecasts, trained)
        notes.append(_note(league, forecasts, trained, log_loss, brier))
        broken += promises(league, trained, log_loss.estimate, brier.estimate)
    print("\n" + "\n".join(notes))
    print("\n".join(f"BROKEN {text}" for text in broken) or "all promises hold")
    return 1 if broken else 0


def _print_seasons(league: str, forecasts: Forecasts, trained: TrainedVersion) -> None:
    raw, y = np.array(forecasts.rows.p), np.array(forecasts.rows.y)
    events, seasons = np.array(forecasts.rows.event_id), np.array(forecasts.season)
    for season in [*dict.fromkeys(forecasts.season), "all"]:
        chosen = np.ones(raw.size, dtype=np.bool_) if season == "all" else seasons == season
        pair: dict[str, Floats] = {"raw": raw[chosen], "served": trained.served[chosen]}
        found = compare(pair, y[chosen], events[chosen])
        print(f"| {league} | {season} | {found['raw'].n:,} | {_figures(found['raw'], found['served'])} |")


def _figures(raw: Metrics, served: Metrics) -> str:
    pairs = [(raw.log_loss, served.log_loss), (raw.brier, served.brier), (raw.ece, served.ece)]
    return " | ".join(_figure(interval) for pair in pairs for interval in pair)


def _figure(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.estimate:.4f} ({interval.low:.4f} to {interval.high:.4f})"


def _note(league: str, forecasts: Forecasts, trained: TrainedVersion, log_loss: Interval, brier: Interval) -> str:
    result = next(r for r in trained.segments if r.segment.league == league)
    decided = [f"{k.phase.lower()} at {k.n:,} ({k.method})" for k in result.looks if k.decides]
    highest = max(k.max_e for k in result.looks if k.phase == "GATE")
    return (
        f"{league}: decided {', '.join(decided) or 'never'}; highest E {highest:.3g}; raw - served: log loss"
        f" {log_loss.estimate:.5f} ({log_loss.low:.5f} to {log_loss.high:.5f}), Brier {brier.estimate:.5f}"
        f" ({brier.low:.5f} to {brier.high:.5f}); outcomes of .5 left out: {forecasts.left_out}"
    )


if __name__ == "__main__":
    sys.exit(main())
