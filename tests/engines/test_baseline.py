"""The baseline forecaster: what it may see, what it does with what it sees, and what it says of strangers."""

from datetime import datetime, timedelta

import pytest

from engines.baseline import Baseline, LookAheadError, walk_forward
from engines.games import PlayedGame, UpcomingGame
from engines.sports import LEAGUES, NBA
from tests.engines.playing import after, day, forecasts, played, season, upcoming


def test_a_forecast_after_a_result_it_could_not_know_is_refused() -> None:
    """Look-ahead is impossible: what became known after the issue can't have been observed before the forecast."""
    baseline = Baseline()
    baseline.observe(played(7, "A", "B", (1, 0)))
    with pytest.raises(LookAheadError, match="known only at"):
        baseline.forecast(upcoming(7, "C", "D"))


def test_a_result_that_an_issued_forecast_missed_is_refused() -> None:
    """A forecast rests on everything known by its issue, so no such result may come after it."""
    baseline = Baseline()
    baseline.forecast(upcoming(7, "C", "D"))
    with pytest.raises(LookAheadError, match="is out without it"):
        baseline.observe(played(0, "A", "B", (1, 0)))


def test_results_are_observed_in_the_order_in_which_they_became_known() -> None:
    baseline = Baseline()
    baseline.observe(played(7, "A", "B", (1, 0)))
    with pytest.raises(LookAheadError, match="before"):
        baseline.observe(played(0, "C", "D", (1, 0)))


def test_leagues_have_clocks_of_their_own() -> None:
    """What is known in one league says nothing of another, so their order does not matter."""
    baseline = Baseline()
    baseline.observe(played(7, "A", "B", (1, 0), "E0"))
    baseline.observe(played(0, "C", "D", (1, 0), "D1"))
    assert 0 < baseline.forecast(upcoming(1, "C", "D", "D1")).probabilities["HOME"] < 1


@pytest.mark.parametrize("cut", [1, 40, 77])
def test_later_results_change_no_earlier_forecast(cut: int) -> None:
    """The future may be anything: the forecasts issued before it come out the same to the last bit."""
    games = season()
    changed = [*games[:cut], *(PlayedGame(g.league, g.known_at, g.home, g.away, 9, 0) for g in games[cut:])]
    issued_before = [f.issued_at <= games[cut].known_at for f in forecasts(games)]
    kept = sum(issued_before)
    assert forecasts(games)[:kept] == forecasts(changed)[:kept]
    assert forecasts(games)[-1] != forecasts(changed)[-1]


def test_walk_forward_sorts_what_it_is_given() -> None:
    games = season(6)
    asked = [upcoming(35.5, "A", "B"), upcoming(21.5, "C", "D"), upcoming(14.5, "A", "H")]
    ordered = list(walk_forward(games, asked[::-1], Baseline()))
    assert ordered == list(walk_forward(games[::-1], asked, Baseline()))
    assert asked[::-1] == [game for game, _ in ordered]


def test_asking_changes_no_other_forecast() -> None:
    """The fit depends on the results alone, never on which forecasts were asked for."""
    games, last = season(), upcoming(7 * 29 + 3, "A", "H")
    asked = [upcoming(7 * week + 3, "B", "G") for week in range(29)]
    *_, among_many = walk_forward(games, [*asked, last], Baseline())
    assert list(walk_forward(games, [last], Baseline())) == [among_many]


def test_the_same_results_give_the_same_bytes() -> None:
    assert repr(forecasts(season())) == repr(forecasts(season()))


def test_an_unseen_team_gets_a_prior() -> None:
    """A stranger is forecast like any other team, with nothing to be confident about."""
    forecast = after(season(), upcoming(7 * 30, "NEW", "H"))
    assert forecast.confidence_index == 0
    assert sum(forecast.probabilities.values()) == pytest.approx(1, abs=1e-12)


def test_two_strangers_in_an_unseen_league_get_the_prior_of_the_sport() -> None:
    home, draw, away = Baseline().forecast(upcoming(0, "X", "Y", "SP2")).probabilities.values()
    assert 0.40 < home < 0.50
    assert 0.20 < draw < 0.30
    assert 0.25 < away < 0.35


def test_a_promoted_team_is_expected_below_a_league_long_on_record() -> None:
    """Who joins a league after more than a year is weaker than its mean; in the first year everybody is new."""
    first, second = season(8), [played(370 + n, "A", "B", (1, 1)) for n in range(50)]
    early = after(first, upcoming(60, "NEW", "OTHER"))
    late = after([*first, *second], upcoming(425, "NEW", "A"))
    assert early.expected_margin == pytest.approx(after(first, upcoming(60, "X", "Y")).expected_margin)
    assert late.expected_margin < early.expected_margin


def test_the_strong_are_favoured_after_a_season() -> None:
    strong = after(season(), upcoming(7 * 30, "A", "H"))
    weak = after(season(), upcoming(7 * 30, "H", "A"))
    assert strong.probabilities["HOME"] > 0.6 > weak.probabilities["HOME"]
    assert strong.confidence_index > 0.5


def test_high_scoring_leagues_are_learnt() -> None:
    few, many = (after(season(goals=g), upcoming(7 * 30, "A", "B")).expected_total for g in (1.0, 2.5))
    assert few < 3.0 < many


@pytest.mark.parametrize("league", ["NFL", "NBA", "MLB", "NHL"])
def test_us_leagues_have_no_draw(league: str) -> None:
    """The moneyline of a US league has two sides, and only the NFL can end level."""
    goals = {"NFL": 22.0, "NBA": 105.0, "MLB": 4.4, "NHL": 3.0}[league]
    forecast = after(season(league=league, goals=goals), upcoming(7 * 30, "A", "H", league))
    assert list(forecast.probabilities) == ["HOME", "AWAY"]
    assert sum(forecast.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert (forecast.p_win("MONEYLINE", "HOME").push > 0) == (league == "NFL")
    assert forecast.expected_margin > 0


def test_a_league_without_a_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'KHL' has no model"):
        Baseline().observe(played(0, "A", "B", (1, 0), "KHL"))


def test_a_league_can_be_added() -> None:
    forecast = Baseline({**LEAGUES, "EUROLEAGUE": NBA}).forecast(upcoming(0, "A", "B", "EUROLEAGUE"))
    assert not forecast.three_way


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: PlayedGame("E0", datetime(2024, 8, 17), "A", "B", 1, 0), "no time zone"),  # noqa: DTZ001 - the point
        (lambda: played(0, "A", "A", (1, 0)), "cannot play itself"),
        (lambda: played(0, "A", "B", (-1, 0)), "below 0"),
        (lambda: UpcomingGame("E0", day(0), day(0) + timedelta(seconds=1), "A", "B"), "after the start"),
    ],
)
def test_impossible_games_are_refused(build: object, says: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=says):
        build()
