"""The Monte Carlo: repeatable, and in agreement with what can be had in closed form."""

import math

import pytest
from scipy.stats import norm, skellam

from engines.monte_carlo import GoalsGame, PointsGame, Simulation, simulate

LAKERS_CELTICS = PointsGame(expected_margin=4.8, margin_sd=12.0, expected_total=224.0, total_sd=18.0)


def run(seed: int = 1, count: int = 200_000) -> Simulation:
    return simulate(LAKERS_CELTICS, count, seed)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert repr(run(seed=42)) == repr(run(seed=42))
    assert run(seed=42) != run(seed=43)


def test_a_spread_agrees_with_the_normal() -> None:
    """P(margin > 5.5) within 4 standard errors, and rounding of two scores widens the margin by 1/6 only."""
    simulation = run()
    sd = math.sqrt(12.0**2 + 1 / 6)
    assert simulation.p_win("SPREAD", "HOME", -5.5).win == pytest.approx(
        norm.sf(5.5, 4.8, sd), abs=4 * simulation.standard_error("SPREAD", "HOME", -5.5)
    )


def test_the_summary_is_the_selections_line() -> None:
    summary = run().distribution_summary("SPREAD", "HOME")
    assert pytest.approx(summary, abs=0.25) == {"mean": -4.8, "p10": -20.2, "p50": -4.8, "p90": 10.6}
    assert run().distribution_summary("TOTAL", "OVER")["mean"] == pytest.approx(224, abs=0.25)


def test_a_football_margin_is_skellam() -> None:
    simulation = simulate(GoalsGame(1.6, 1.1), 200_000, seed=2)
    expected = {"HOME": skellam.sf(0, 1.6, 1.1), "DRAW": skellam.pmf(0, 1.6, 1.1), "AWAY": skellam.cdf(-1, 1.6, 1.1)}
    assert expected == pytest.approx(simulation.probabilities, abs=0.005)


def test_only_a_game_with_ties_ends_level() -> None:
    close = PointsGame(0.0, 2.0, 45.0, 5.0, ties=True)
    broken = PointsGame(0.0, 2.0, 45.0, 5.0, ties=False)
    assert simulate(close, 10_000, 3).p_win("MONEYLINE", "HOME").push > 0.1
    assert simulate(broken, 10_000, 3).p_win("MONEYLINE", "HOME").push == 0


def test_scores_never_fall_below_zero() -> None:
    """A blowout with a small total: the margin cannot exceed what was scored."""
    simulation = simulate(PointsGame(30.0, 20.0, 20.0, 10.0), 10_000, 4)
    assert simulation.total.first >= 0


def test_four_times_the_games_halve_the_standard_error() -> None:
    few, many = run(count=20_000), run(count=80_000)
    ratio = few.standard_error("TOTAL", "OVER", 224.5) / many.standard_error("TOTAL", "OVER", 224.5)
    assert ratio == pytest.approx(2, abs=0.02)


def test_one_game_can_be_played() -> None:
    simulation = run(count=1)
    assert simulation.margin_sd == 0
    assert simulation.standard_error("SPREAD", "HOME", simulation.model_line) == 0


@pytest.mark.parametrize(
    ("count", "seed", "says"), [(0, 1, "outside 1 to"), (10_000_001, 1, "outside 1 to"), (10, -1, "below 0")]
)
def test_counts_and_seeds_out_of_range_are_refused(count: int, seed: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        simulate(LAKERS_CELTICS, count, seed)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_games_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        PointsGame(0.0, bad, 200.0, 15.0)
    with pytest.raises(ValueError, match="above 0"):
        GoalsGame(1.2, bad)
    with pytest.raises(ValueError, match="not finite"):
        PointsGame(bad * math.inf, 12.0, 200.0, 15.0)
