"""The score models: football's goals agree with its 1X2, US margins know their lumps."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.distribution import FloatArray
from engines.forecast import ScoreForecast
from engines.games import Matchup, SeenGames
from engines.goals import GoalModel, GoalRates
from engines.ordered_logit import OrderedLogit
from engines.points import PointModel
from engines.sports import FOOTBALL, MLB, NFL, NHL

NONE_SEEN = SeenGames(*(np.array([]) for _ in range(4)))
EVEN_GOALS = GoalModel(OrderedLogit(2.0, 0.0, -0.6), GoalRates(0.3, 0.3, 0.7))
EVEN_POINTS = PointModel(home_points=0, slope=16, margin_sd=13, total_sd=14, most_points=100, ties=True)


def seen(x: FloatArray, home: NDArray[Any], away: NDArray[Any]) -> SeenGames:
    return SeenGames(x, home.astype(float), away.astype(float), np.full(len(x), float((home + away).mean())))


def nfl_like(n: int, rng: np.random.Generator) -> SeenGames:
    """Half of the games end on a margin of exactly 3, the others anywhere."""
    margin = np.where(rng.random(n) < 0.5, 3 * rng.choice([-1, 1], n), np.rint(rng.normal(2, 13, n)))
    return seen(np.zeros(n), 40 + margin, np.full(n, 40.0))


@pytest.mark.parametrize("x", [-1.5, -0.2, 0.0, 0.4, 2.0])
def test_a_football_margin_is_worth_its_1x2(x: float) -> None:
    """Handicap -1/2 is the home win and level margins are the draw of the ordered logit."""
    margin = FOOTBALL.prior.margin(Matchup(x))
    assert isinstance(FOOTBALL.prior, GoalModel)
    assert FOOTBALL.prior.outcome.probabilities(x) == pytest.approx(margin.against(0), abs=1e-8)


@pytest.mark.parametrize("model", [EVEN_GOALS, EVEN_POINTS])
@pytest.mark.parametrize("x", [0.0, 0.3, 1.2])
def test_without_home_advantage_swapped_teams_mirror(model: GoalModel | PointModel, x: float) -> None:
    here, there = model.margin(Matchup(x)), model.margin(Matchup(-x)).mirrored()
    assert here.first == there.first
    assert here.mass == pytest.approx(there.mass, abs=1e-12)


@pytest.mark.parametrize("x", [-50.0, 50.0])
def test_an_absurd_difference_still_gives_a_distribution(x: float) -> None:
    for sport in (FOOTBALL, NFL, NHL):
        forecast = ScoreForecast(
            sport.prior.margin(Matchup(x)), sport.prior.total(Matchup(x, -99, 6)), three_way=sport is FOOTBALL
        )
        assert sum(forecast.probabilities.values()) == pytest.approx(1, abs=1e-9)
        assert forecast.expected_total > 0


def test_goal_rates_are_learnt_from_the_goals() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0, 0.4, 4_000)
    games = seen(x, rng.poisson(np.exp(0.6 + 0.9 * x)), rng.poisson(np.exp(0.1 - 0.9 * x)))
    rates = EVEN_GOALS.refitted(games).rates
    assert pytest.approx((rates.home, rates.away, rates.slope), abs=0.05) == (0.6, 0.1, 0.9)


def test_a_margin_that_games_end_on_is_learnt() -> None:
    """Where half of the games end on 3, a line of 3 pushes far more often than under a plain normal."""
    plain = EVEN_POINTS.margin(Matchup(0)).against(3).win + EVEN_POINTS.margin(Matchup(0)).against(-3).loss
    learnt = EVEN_POINTS.refitted(nfl_like(2_000, np.random.default_rng(6))).margin(Matchup(0))
    assert plain > 0.75
    assert learnt.against(3).push + learnt.against(-3).push > 0.4


def test_the_line_and_spread_of_margins_are_learnt() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(0, 0.3, 5_000)
    home = np.rint(rng.normal(25 + 10 * x, 6))
    fitted = EVEN_POINTS.refitted(seen(x, home, np.full(5_000, 20.0)))
    assert pytest.approx((fitted.home_points, fitted.slope, fitted.margin_sd), abs=0.5) == (5.0, 10.0, 6.0)


@pytest.mark.parametrize("sport", [MLB, NHL])
def test_sports_without_ties_never_end_level(sport: object) -> None:
    model = getattr(sport, "prior", None)
    assert isinstance(model, PointModel)
    x = np.zeros(300)
    fitted = model.refitted(seen(x, np.tile([5.0, 2.0], 150), np.tile([4.0, 3.0], 150)))
    assert fitted.margin(Matchup(0)).against(0).push == 0


def test_no_games_leave_a_prior_as_it_is() -> None:
    """A refit without games neither fails nor moves a probability."""
    for model in (FOOTBALL.prior, NFL.prior):
        before, after = model.margin(Matchup(0.2)), model.refitted(NONE_SEEN).margin(Matchup(0.2))
        assert before.against(0) == pytest.approx(after.against(0), abs=1e-9)


def test_a_hockey_total_is_poisson() -> None:
    """Mean and variance of a Poisson total agree."""
    total = NHL.prior.total(Matchup(0, 0.5, 5.5))
    assert total.mean == pytest.approx(6.0, abs=1e-6)
    assert total.sd**2 == pytest.approx(6.0, abs=1e-5)
