"""A seeded, vectorised Monte Carlo of final scores, for spreads, totals and moneylines."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.distribution import Distribution
from engines.forecast import ScoreForecast

MOST_SIMULATIONS = 10_000_000  # 80 MB an array of doubles

Scores = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PointsGame:
    """A US game: margin (home less away) and total are independent normals, in points.

    `ties`: a level final score stands; else the side that was ahead before rounding wins by one point.

    Raises:
        ValueError: a standard deviation or total that is not above 0, or anything not finite.
    """

    expected_margin: float
    margin_sd: float
    expected_total: float
    total_sd: float
    ties: bool = False

    def __post_init__(self) -> None:
        _require_finite(self.expected_margin)
        _require_above_zero(margin_sd=self.margin_sd, expected_total=self.expected_total, total_sd=self.total_sd)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Scores, Scores]:
        """Home and away scores, each of shape (count,)."""
        margin = rng.normal(self.expected_margin, self.margin_sd, count)
        total = rng.normal(self.expected_total, self.total_sd, count)
        home, away = (_whole((total + side * margin) / 2) for side in (1, -1))
        if not self.ties:
            level = home == away
            home += level & (margin >= 0)
            away += level & (margin < 0)
        return home, away

    @property
    def three_way(self) -> bool:
        """A level score is no outcome that can be backed."""
        return False


@dataclass(frozen=True, slots=True)
class GoalsGame:
    """A football match over 90 minutes: independent Poisson goals.

    Raises:
        ValueError: a rate that is not above 0 or not finite.
    """

    home_goals: float
    away_goals: float

    def __post_init__(self) -> None:
        _require_above_zero(home_goals=self.home_goals, away_goals=self.away_goals)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Scores, Scores]:
        """Home and away goals, each of shape (count,)."""
        return rng.poisson(self.home_goals, count), rng.poisson(self.away_goals, count)

    @property
    def three_way(self) -> bool:
        """A draw can be backed."""
        return True


@dataclass(frozen=True, slots=True)
class Simulation(ScoreForecast):
    """What `sim_count` simulated games say; the same game, count and seed give the same bytes."""

    sim_count: int
    seed: int

    def standard_error(self, market: str, selection: str, line: float | None = None) -> float:
        """Monte Carlo standard error of P(win | no push), at most: a quarter line's halves move together."""
        chances = self.p_win(market, selection, line)
        decided = self.sim_count * (chances.win + chances.loss)
        if decided == 0:
            return 0.0
        return math.sqrt(chances.p_cover * (1 - chances.p_cover) / decided)


def simulate(game: PointsGame | GoalsGame, sim_count: int, seed: int) -> Simulation:
    """Play the game `sim_count` times; 100,000 take about 10 ms.

    Args:
        sim_count: 1 to 10 million.
        seed: at least 0; recorded with the run, so that it can be repeated.

    Raises:
        ValueError: a count or seed out of range.
    """
    if not 1 <= sim_count <= MOST_SIMULATIONS:
        raise ValueError(f"sim_count {sim_count:,} is outside 1 to {MOST_SIMULATIONS:,}")
    if seed < 0:
        raise ValueError(f"seed {seed} is below 0")
    home, away = game.draw(np.random.default_rng(seed), sim_count)
    return Simulation(_tally(home - away), _tally(home + away), game.three_way, sim_count, seed)


def _tally(values: Scores) -> Distribution:
    first = int(values.min())
    return Distribution.of(first, np.bincount(values - first).astype(np.float64))


def _whole(values: NDArray[np.float64]) -> Scores:
    return np.rint(values).astype(np.int64).clip(min=0)


def _require_finite(value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"expected_margin {value} is not finite")


def _require_above_zero(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} {value} must be finite and above 0")
