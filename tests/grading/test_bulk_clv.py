"""Closing line value in bulk equals the exact one."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from grading.bulk_clv import VERDICTS, closing_line_values, points_signs
from grading.clv import Chances, Terms, closing_line_value
from grading.no_vig import fair_probability_array

MEASURES = ("price", "probability", "fair_close", "ev", "points")
SELECTIONS = ("home", "under", "HOME_UNDER", "over", "away_over", "draw", "OVER:Someone", " Under")

PRICES = st.integers(101, 2000).map(lambda n: Fraction(n, 100))
# Halves most often, and near each other, so that every gap occurs.
LINES = st.none() | st.integers(-4, 4).map(lambda n: Fraction(n, 2)) | st.sampled_from([Fraction(1, 4)])
SHARES = st.integers(0, 20).map(lambda n: Fraction(n, 20))


@st.composite
def picks(draw: st.DrawFn) -> tuple[str, Terms, Terms, Fraction, Fraction | None, Chances | None]:
    """A selection, its terms, those of the close, the other side's close, P, and what a margin model says."""
    win = draw(st.integers(0, 10)) / 10
    push = draw(st.integers(0, 10)) / 10 * (1 - win)
    chances = draw(st.sampled_from([None, Chances(win, push, 1 - win - push)]))
    bet, close = Terms(draw(LINES), draw(PRICES)), Terms(draw(LINES), draw(PRICES))
    return draw(st.sampled_from(SELECTIONS)), bet, close, draw(PRICES), draw(st.none() | SHARES), chances


def column(values: list[float]) -> NDArray[np.float64]:
    """One value a pick."""
    return np.array(values, dtype=np.float64)


def number(value: Fraction | None) -> float:
    return np.nan if value is None else float(value)


def _said(chances: Chances, _fair: float) -> Chances:
    return chances


@given(st.lists(picks(), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_many_picks_equal_the_exact_ones(
    found: list[tuple[str, Terms, Terms, Fraction, Fraction | None, Chances | None]],
) -> None:
    """Every measure and verdict, NaN where the exact one is None."""
    bulk = closing_line_values(
        points_signs([selection for selection, *_ in found]),
        column([number(bet.line) for _, bet, *_ in found]),
        column([float(bet.odds) for _, bet, *_ in found]),
        column([number(close.line) for _, _, close, *_ in found]),
        column([float(close.odds) for _, _, close, *_ in found]),
        fair_probability_array([[float(close.odds), float(other)] for _, _, close, other, *_ in found])[:, 0],
        column([number(push) for *_, push, _ in found]),
        (
            column([np.nan if chances is None else chances.win for *_, chances in found]),
            column([np.nan if chances is None else chances.loss for *_, chances in found]),
        ),
    )
    for i, (selection, bet, close, other, push, chances) in enumerate(found):
        margin = None if chances is None else partial(_said, chances)
        exact = closing_line_value(selection, bet, close, [other], "multiplicative", push, margin)
        expected = [np.nan if (value := getattr(exact, name)) is None else float(value) for name in MEASURES]
        assert pytest.approx(expected, abs=1e-12, nan_ok=True) == [float(getattr(bulk, name)[i]) for name in MEASURES]
        assert exact.beat_close == VERDICTS[bulk.beat_close[i]]


def test_no_close_has_no_measures() -> None:
    """NaN odds give NaN throughout, whatever the lines."""
    lines, closes, odds = column([-3, np.nan, -2.5]), column([-3, np.nan, -3]), column([1.9, 1.9, 1.9])
    none = closing_line_values(points_signs(["home"] * 3), lines, odds, closes, odds * np.nan, odds / 4, odds / 10)
    assert all(np.isnan(getattr(none, name)).all() for name in MEASURES)
    assert [VERDICTS[code] for code in none.beat_close] == [None] * 3


def test_the_measures_of_three_picks() -> None:
    """By hand: a moneyline, half a point better than -3, and an over without the number's worth."""
    values = closing_line_values(
        points_signs(["home", "away", "over:A"]),
        column([np.nan, -2.5, 44]),
        column([2.2, 1.9, 1.9]),
        column([np.nan, -3, 46]),
        column([2, 1.9, 1.8]),
        column([0.5, 0.5, np.nan]),
        column([0.1, 0.1, 0.1]),
    )
    nan = np.nan
    assert pytest.approx([0.1, nan, nan], nan_ok=True) == values.price.tolist()
    assert pytest.approx([1 / 2 - 1 / 2.2, nan, nan], nan_ok=True) == values.probability.tolist()
    assert pytest.approx([0.5, nan, nan], nan_ok=True) == values.fair_close.tolist()
    assert pytest.approx([0.1, 1.9 * 0.55 - 1, nan], nan_ok=True) == values.ev.tolist()
    assert pytest.approx([nan, 0.5, 2.0], nan_ok=True) == values.points.tolist()
    assert [VERDICTS[code] for code in values.beat_close] == ["yes"] * 3


def test_columns_of_other_lengths_are_refused() -> None:
    """A shorter column would be stretched to fit."""
    two, one = column([1.9, 1.9]), column([1.9])
    with pytest.raises(ValueError, match=r"^all columns must have one shape$"):
        closing_line_values(points_signs(["home", "away"]), two, two, two, two, one)


def test_without_a_push_probability_the_number_and_the_price_decide() -> None:
    """Better or equal in both is yes; a better number at a worse price has no verdict."""
    odds = column([1.9, 2.0, 1.8])
    values = closing_line_values(
        points_signs(["home"] * 3), column([-2.5] * 3), odds, column([-3] * 3), column([1.9] * 3), column([0.5] * 3)
    )
    assert [VERDICTS[code] for code in values.beat_close] == ["yes", "yes", None]
    assert np.isnan(values.ev).all()


def test_a_push_probability_tells_half_a_point_from_a_whole_close_only() -> None:
    """A whole point, and half a point from a half line, have no expected value."""
    lines, closes, odds = column([-2, -2.5, -2.5]), column([-3, -3, -3.5]), column([1.9] * 3)
    values = closing_line_values(points_signs(["home"] * 3), lines, odds, closes, odds, odds / 4, odds / 20)
    assert np.isnan(values.ev).tolist() == [True, False, True]


def test_an_expected_value_of_nothing_is_equal_however_it_is_rounded() -> None:
    """Fair odds for .55, .45 and the like: the exact answer is 0, the float's is near it."""
    push, better = np.arange(1, 20) / 40, column([1.0] * 10 + [-1.0] * 9)
    win = 0.3 - 0.3 * push + np.where(better > 0, push, 0)
    signs, lines = points_signs(["away"] * 19), column([3.0] * 19)
    values = closing_line_values(signs, lines + better / 2, 1 / win, lines, lines, lines / 10, push)
    assert (np.abs(values.ev) < 1e-15).all()
    assert (values.ev != 0).any()
    assert [VERDICTS[code] for code in values.beat_close] == ["equal"] * 19


def test_signs_are_small_whole_numbers() -> None:
    """One byte a pick: 1 where a high line is better, -1 where a low one is, 0 where none is."""
    signs = points_signs(["home", "over", "draw", "home"])
    assert signs.dtype == np.int8
    assert signs.tolist() == [1, -1, 0, 1]
