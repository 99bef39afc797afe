"""A million picks settled, with closing line value and scores, against one numpy pass over the same columns.

Run: python -m benchmarks.bulk_grading
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grading.bulk import OUTCOMES, BulkSettlement, kind_codes, settle_many
from grading.bulk_clv import VERDICTS, closing_line_values, points_signs
from grading.no_vig import fair_probability_array
from grading.odds import decimal_odds_array
from grading.outcomes import Outcome
from grading.scores import brier, log_loss

Floats = NDArray[np.float64]

KINDS = (
    ("moneyline", "home"),
    ("moneyline", "away"),
    ("spread", "home"),
    ("spread", "away"),
    ("total", "over"),
    ("total", "under"),
    ("team_total", "away_over"),
)


@dataclass(frozen=True)
class Picks:
    """Picks as columns, (n,): American prices as a book writes them, lines NaN where the market has none."""

    markets: list[str]
    selections: list[str]
    lines: Floats
    close_lines: Floats
    odds: Floats
    close_odds: Floats
    other_odds: Floats
    home: NDArray[np.int64]
    away: NDArray[np.int64]
    forecasts: Floats

    def numbers(self) -> tuple[NDArray[np.float64 | np.int64], ...]:
        """The columns that hold numbers."""
        return (
            self.lines, self.close_lines, self.odds, self.close_odds, self.other_odds,
            self.home, self.away, self.forecasts,
        )  # fmt: skip


def made_up(n: int) -> Picks:
    """Synthetic picks: half of the lines move by half a point before the start."""
    rng = np.random.default_rng(4)
    kinds = rng.integers(0, len(KINDS), n)
    markets, selections = ([KINDS[kind][part] for kind in kinds.tolist()] for part in (0, 1))
    lines = rng.integers(-60, 60, n) / 4
    lines = np.where([market.endswith("total") for market in markets], np.abs(lines) + 35, lines)
    lines = np.where([market == "moneyline" for market in markets], np.nan, lines)
    prices = rng.integers(101, 140, (2, n)).astype(float)
    return Picks(
        markets=markets,
        selections=selections,
        lines=lines,
        close_lines=lines + rng.choice([0.0, 0.0, -0.5, 0.5], n),
        odds=np.where(rng.random(n) < 0.5, prices[0], -prices[0]),
        close_odds=np.where(rng.random(n) < 0.5, prices[1], -prices[1]),
        other_odds=-prices[1] - 15,
        home=rng.integers(0, 45, n),
        away=rng.integers(0, 45, n),
        forecasts=rng.random(n),
    )


@dataclass(frozen=True)
class Graded:
    """What grading came to, for the reader and against an optimiser that drops what nobody reads."""

    outcomes: dict[Outcome, int]
    profit: float
    mean_ev: float
    beat_close: int
    brier: float
    log_loss: float


def settled(picks: Picks) -> BulkSettlement:
    """Outcomes and returns, from the words and prices as they come."""
    kinds = kind_codes(picks.markets, picks.selections)
    profits = decimal_odds_array(picks.odds, "american") - 1
    return settle_many(kinds, picks.lines, picks.home, picks.away, profits)


def graded(picks: Picks) -> Graded:
    """Settlement, four measures of closing line value with multiplicative no-vig, Brier score and log loss."""
    done = settled(picks)
    close, other = (decimal_odds_array(prices, "american") for prices in (picks.close_odds, picks.other_odds))
    value = closing_line_values(
        points_signs(picks.selections),
        picks.lines,
        decimal_odds_array(picks.odds, "american"),
        picks.close_lines,
        close,
        fair_probability_array(np.column_stack([close, other]))[:, 0],
        np.full(close.shape, 0.04),
    )
    won = done.outcomes == OUTCOMES.index(Outcome.WIN)
    decided = won | (done.outcomes == OUTCOMES.index(Outcome.LOSS))
    forecasts = picks.forecasts[decided]
    return Graded(
        outcomes=done.counts(),
        profit=float(np.nansum(done.unit_returns)),
        mean_ev=float(np.nanmean(value.ev)),
        beat_close=int((value.beat_close == VERDICTS.index("yes")).sum()),
        brier=brier(forecasts, won[decided]),
        log_loss=log_loss(forecasts, won[decided]),
    )


def bare_pass(picks: Picks) -> float:
    """Read every numeric column once and add it up: the least that any grading does."""
    return float(sum(np.nansum(column) for column in picks.numbers()))


def main() -> None:
    """Print medians in seconds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    picks = made_up(asked.picks)
    jobs: dict[str, Callable[[Picks], object]] = {
        "one numpy pass over the columns": bare_pass,
        "settlement": settled,
        "settlement, closing line value and scores": graded,
    }
    seconds = _medians(jobs, picks, asked.rounds)
    bare, *_ = seconds.values()
    print(f"{asked.picks:,} synthetic picks, processor time, medians of {asked.rounds} interleaved rounds")
    for name, took in seconds.items():
        print(f"{name:<42} {took:6.3f} s, {took / bare:6.1f} times the bare pass, {asked.picks / took / 1e6:6.2f} M/s")
    print(graded(picks))


def _medians(jobs: dict[str, Callable[[Picks], object]], picks: Picks, rounds: int) -> dict[str, float]:
    """Rounds go through all jobs in turn, so that whatever else the machine does meets each alike."""
    took: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.process_time()
            job(picks)
            took[name].append(time.process_time() - start)
    return {name: statistics.median(times) for name, times in took.items()}


if __name__ == "__main__":
    main()
