"""A forecast in the words of the markets: its sides agree, its lines are settled as the grader settles them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.distribution import Chances, Distribution
from engines.forecast import ScoreForecast

MARGIN = Distribution(-2, (0.1, 0.15, 0.25, 0.3, 0.2))  # away by 2, by 1, level, home by 1, by 2
TOTAL = Distribution(0, (0.1, 0.2, 0.3, 0.25, 0.15))
MATCH = ScoreForecast(MARGIN, TOTAL, three_way=True)
GAME = ScoreForecast(MARGIN, TOTAL, three_way=False)

distributions = st.builds(
    lambda first, weights: Distribution.of(first, np.array(weights)),
    st.integers(-40, 40),
    st.lists(st.floats(0.001, 1), min_size=1, max_size=60),
)
quarter_lines = st.integers(-200, 200).map(lambda quarters: quarters / 4)


@pytest.mark.parametrize(
    ("market", "selection", "line", "expected"),
    [
        ("MONEYLINE_3WAY", "HOME", None, (0.5, 0, 0.5)),
        ("MONEYLINE_3WAY", "DRAW", None, (0.25, 0, 0.75)),
        ("MONEYLINE", "HOME", None, (0.5, 0.25, 0.25)),
        ("DRAW_NO_BET", "AWAY", None, (0.25, 0.25, 0.5)),
        ("SPREAD", "HOME", -1.0, (0.2, 0.3, 0.5)),
        ("SPREAD", "AWAY", 1.0, (0.5, 0.3, 0.2)),
        ("SPREAD", "HOME", 0, (0.5, 0.25, 0.25)),
        ("ASIAN_HANDICAP:FULL_GAME", "HOME", -0.5, (0.5, 0, 0.5)),
        ("ASIAN_HANDICAP:FULL_GAME", "HOME", -0.75, (0.35, 0.15, 0.5)),
        ("ASIAN_HANDICAP:FULL_GAME", "AWAY", 0.25, (0.375, 0.125, 0.5)),
        ("TOTAL", "OVER", 2.0, (0.4, 0.3, 0.3)),
        ("total", "under", 2.5, (0.6, 0, 0.4)),
        ("ASIAN_TOTAL", "OVER", 2.25, (0.4, 0.15, 0.45)),
        ("SPREAD", "HOME", 99.0, (1, 0, 0)),
        ("TOTAL", "OVER", 99.0, (0, 0, 1)),
    ],
)
def test_each_market_reads_its_line(market: str, selection: str, line: float | None, expected: Chances) -> None:
    """Win, push and loss by hand, on margins -2 to 2 and totals 0 to 4; a quarter line is two half stakes."""
    assert expected == pytest.approx(MATCH.p_win(market, selection, line), abs=1e-12)


@pytest.mark.parametrize(
    ("forecast", "market", "selection", "line", "says"),
    [
        (MATCH, "CORRECT_SCORE", "HOME", None, "does not price the market"),
        (MATCH, "SPREAD:FIRST_HALF", "HOME", -1, "does not price the period"),
        (GAME, "TOTAL:REGULATION", "OVER", 2, "does not price the period"),
        (GAME, "MONEYLINE_3WAY", "DRAW", None, "without overtime"),
        (MATCH, "SPREAD", "DRAW", -1, "no selection of SPREAD"),
        (MATCH, "TOTAL", "HOME", 2, "no selection of TOTAL"),
        (MATCH, "SPREAD", "HOME", None, "needs a line"),
        (MATCH, "MONEYLINE", "HOME", -1.5, "has no line"),
        (MATCH, "SPREAD", "HOME", -1.1, "not a multiple of 0.25"),
        (MATCH, "SPREAD", "HOME", math.nan, "not a multiple of 0.25"),
        (MATCH, "SPREAD", "HOME", math.inf, "not a multiple of 0.25"),
    ],
)
def test_what_is_not_covered_is_refused(
    forecast: ScoreForecast, market: str, selection: str, line: float | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        forecast.p_win(market, selection, line)


def test_a_tie_is_left_out_of_a_two_way_probability() -> None:
    assert pytest.approx(GAME.probabilities, abs=1e-12) == {"HOME": 2 / 3, "AWAY": 1 / 3}
    assert MATCH.p_win("MONEYLINE", "HOME").p_cover == pytest.approx(2 / 3, abs=1e-12)


def test_a_certain_push_covers_half() -> None:
    assert Chances(0, 1, 0).p_cover == 0.5


def test_expected_value_counts_win_and_loss_and_leaves_the_push_out() -> None:
    assert Chances(0.5, 0.1, 0.4).expected_value(2.0) == pytest.approx(0.1, abs=1e-12)
    with pytest.raises(ValueError, match="no price"):
        Chances(0.5, 0.1, 0.4).expected_value(1.0)


def test_the_model_line_is_the_selections_own() -> None:
    """A home side expected to win by 0.35 would have to give 0.35; totals are the same for over and under."""
    assert MATCH.model_line == pytest.approx(-0.35)
    assert MATCH.model_line_for("SPREAD", "HOME") == pytest.approx(-0.35)
    assert MATCH.model_line_for("SPREAD", "AWAY") == pytest.approx(0.35)
    assert MATCH.model_line_for("TOTAL", "UNDER") == pytest.approx(2.15)


def test_edge_points_are_signed_for_the_selection() -> None:
    assert MATCH.edge_points("SPREAD", "HOME", 0.5) == pytest.approx(0.85)
    assert MATCH.edge_points("TOTAL", "OVER", 1.5) == pytest.approx(0.65)
    assert MATCH.edge_points("TOTAL", "UNDER", 1.5) == pytest.approx(-0.65)


def test_the_summary_lies_on_the_scale_of_the_model_line() -> None:
    """Each number is spread evenly over its unit: half of the margins lie below 0.5, as does p50."""
    summary = MATCH.distribution_summary("SPREAD", "AWAY")
    assert pytest.approx(summary) == {"mean": 0.35, "p10": -1.5, "p50": 0.5, "p90": 2.0}


@pytest.mark.parametrize(
    ("mass", "bucket"), [((0.5, 0, 0.5), "HIGH"), ((0.35, 0, 0.65), "MEDIUM"), ((0.1, 0, 0.9), "LOW")]
)
def test_the_variance_bucket_follows_the_openness_of_the_game(mass: tuple[float, ...], bucket: str) -> None:
    assert bucket == ScoreForecast(Distribution(-1, mass), TOTAL, three_way=False).variance_bucket


@settings(max_examples=60)
@given(distributions, quarter_lines)
def test_both_sides_of_a_line_agree(margin: Distribution, line: float) -> None:
    """What one side wins, the other loses, on every line; the three shares sum to 1."""
    forecast = ScoreForecast(margin, TOTAL, three_way=False)
    home, away = forecast.p_win("SPREAD", "HOME", line), forecast.p_win("SPREAD", "AWAY", -line)
    assert (home.win, home.push, home.loss) == pytest.approx((away.loss, away.push, away.win), abs=1e-12)
    assert sum(home) == pytest.approx(1, abs=1e-12)


@settings(max_examples=60)
@given(distributions, quarter_lines)
def test_more_points_never_cover_less(margin: Distribution, line: float) -> None:
    forecast = ScoreForecast(margin, TOTAL, three_way=False)
    worse, better = forecast.p_win("SPREAD", "HOME", line), forecast.p_win("SPREAD", "HOME", line + 0.25)
    assert better.win - better.loss >= worse.win - worse.loss - 1e-12


@settings(max_examples=60)
@given(distributions)
def test_quantiles_ascend_and_mirror(distribution: Distribution) -> None:
    summary, mirrored = distribution.summary(), distribution.mirrored().summary()
    assert summary["p10"] < summary["p50"] < summary["p90"]
    assert summary["p10"] == pytest.approx(-mirrored["p90"], abs=1e-6)
    assert summary["mean"] == pytest.approx(-mirrored["mean"], abs=1e-9)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -0.1], [1.0, math.nan], [math.inf]])
def test_weights_that_are_no_distribution_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights must be finite"):
        Distribution.of(0, np.array(weights))
