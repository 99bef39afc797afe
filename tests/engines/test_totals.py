"""Expected totals: a league's level and each team's own pace."""

import pytest

from engines.totals import TotalConfig, TotalRatings
from tests.engines.playing import day, played

CONFIG = TotalConfig(level=2.5, level_step=0.01, team_step=0.1, break_days=60, break_keep=0.5)


def after_one_game(score: tuple[int, int]) -> TotalRatings:
    totals = TotalRatings(CONFIG)
    totals.update(played(0, "A", "B", score))
    return totals


def test_strangers_are_expected_at_the_leagues_level() -> None:
    assert TotalRatings(CONFIG).expected("X", "Y", day(0)) == 2.5


def test_a_surprise_moves_both_teams_and_the_league() -> None:
    """Five goals where 2.5 were expected: each team 0.25, the league 0.025."""
    totals = after_one_game((3, 2))
    assert totals.pace("A", "B", day(7)) == pytest.approx(0.5)
    assert totals.pace("A", "X", day(7)) == pytest.approx(0.25)
    assert totals.level == pytest.approx(2.525)


def test_half_of_a_pace_is_forgotten_over_a_break() -> None:
    assert after_one_game((3, 2)).pace("A", "X", day(90)) == pytest.approx(0.125)


def test_an_expected_total_stays_above_zero() -> None:
    totals = TotalRatings(TotalConfig(level=2.5, level_step=0, team_step=1, break_days=60))
    totals.update(played(0, "A", "B", (0, 0)))
    assert totals.expected("A", "B", day(7)) == pytest.approx(0.25)
