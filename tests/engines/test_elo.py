"""Elo ratings: zero-sum, moved by the margin, pulled to the mean over a break."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.elo import MEAN, EloConfig, Ratings
from tests.engines.playing import day, played

CONFIG = EloConfig(
    k=20, margin_power=0.5, home_advantage=60, break_days=60, break_regress=0.25, newcomer_deficit=80, forget_days=400
)


def rated(*games: tuple[float, str, str, tuple[int, int]]) -> Ratings:
    ratings = Ratings(CONFIG)
    for n, home, away, score in games:
        ratings.update(played(n, home, away, score))
    return ratings


def test_a_home_win_of_two_equals_moves_the_stated_step() -> None:
    """K 20, margin 1, home expected 0.585499 with 60 points of advantage: 20 sqrt(2) (1 - 0.585499)."""
    ratings = rated((0, "A", "B", (1, 0)))
    assert ratings.at("A", day(7)).rating == pytest.approx(MEAN + 20 * 2**0.5 * (1 - 0.585499), abs=1e-4)


def test_a_wider_margin_moves_more() -> None:
    narrow, wide = rated((0, "A", "B", (1, 0))), rated((0, "A", "B", (5, 0)))
    assert wide.at("A", day(7)).rating > narrow.at("A", day(7)).rating


def test_a_draw_favours_the_visitor() -> None:
    """The home side was expected to do better than half."""
    assert rated((0, "A", "B", (2, 2))).difference("A", "B", day(7)) < 0


def test_an_unseen_team_stands_at_the_mean_of_a_young_league() -> None:
    unknown = rated((0, "A", "B", (3, 0))).at("C", day(7))
    assert (unknown.rating, unknown.games, unknown.last_known_at) == (MEAN, 0, None)


def test_an_unseen_team_enters_an_old_league_below_the_mean() -> None:
    assert rated((0, "A", "B", (3, 0))).at("C", day(401)).rating == MEAN - 80


def test_a_break_pulls_a_rating_a_quarter_to_the_mean() -> None:
    ratings = rated((0, "A", "B", (3, 0)))
    in_season, after_break = ratings.at("A", day(30)).rating, ratings.at("A", day(70)).rating
    assert after_break - MEAN == pytest.approx(0.75 * (in_season - MEAN))


def test_a_team_away_for_longer_than_a_season_counts_as_new() -> None:
    assert rated((0, "A", "B", (3, 0))).at("A", day(500)).games == 0


def test_expected_scores_mirror_without_home_advantage() -> None:
    level = Ratings(EloConfig(k=20, margin_power=0.5, home_advantage=0, break_days=60, break_regress=0.25))
    assert level.expected_score(120) + level.expected_score(-120) == pytest.approx(1, abs=1e-12)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["AB", "BC", "CA", "CB"]), st.integers(0, 6), st.integers(0, 6)), max_size=20)
)
def test_points_are_only_exchanged(games: list[tuple[str, int, int]]) -> None:
    """Within a season no rating point is made or lost."""
    ratings = rated(*((n, pair[0], pair[1], (home, away)) for n, (pair, home, away) in enumerate(games)))
    assert sum(ratings.at(team, day(20)).rating for team in "ABC") == pytest.approx(3 * MEAN)
