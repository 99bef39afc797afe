"""Odds: three formats in and out, exactly."""

from decimal import Decimal
from fractions import Fraction
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.odds import (
    OddsError,
    Price,
    decimal_odds,
    decimal_odds_array,
    profit,
    to_american,
    to_decimal,
    to_fractional,
)

AMERICAN = st.one_of(st.integers(100, 1_000_000), st.integers(-1_000_000, -100))


@pytest.mark.parametrize(
    ("price", "odds_format", "expected"),
    [
        ("+150", "american", Fraction(5, 2)),
        ("150", "american", Fraction(5, 2)),
        ("-110", "american", Fraction(21, 11)),
        (-110, "american", Fraction(21, 11)),
        (-110.0, "american", Fraction(21, 11)),
        ("+100", "american", Fraction(2)),
        ("-100", "american", Fraction(2)),
        ("EVEN", "american", Fraction(2)),
        (" evens ", "american", Fraction(2)),
        ("EVS", "fractional", Fraction(2)),
        ("1.91", "decimal", Fraction(191, 100)),
        (" 1.5 ", "decimal", Fraction(3, 2)),
        ("2.", "decimal", Fraction(2)),
        ("1000000", "decimal", Fraction(1_000_000)),
        (1.91, "decimal", Fraction(191, 100)),
        (Decimal("1.91"), "decimal", Fraction(191, 100)),
        (np.int64(-110), "american", Fraction(21, 11)),
        (np.float64(1.91), "decimal", Fraction(191, 100)),
        (np.float32(1.91), "decimal", Fraction(191, 100)),
        (Fraction(21, 11), "decimal", Fraction(21, 11)),
        ("10/11", "fractional", Fraction(21, 11)),
        ("10 / 11", "Fractional", Fraction(21, 11)),
        ("7/2", " FRACTIONAL ", Fraction(9, 2)),
        (Fraction(10, 11), "fractional", Fraction(21, 11)),
        ("1/2", "fractional", Fraction(3, 2)),
        ("1/1000000", "fractional", 1 + Fraction(1, 1_000_000)),
        ("1" + "0" * 18 + "/" + "2" + "0" * 18 + " ", "fractional", Fraction(3, 2)),
        ("1" + "0" * 18 + "/" + "2" + "0" * 19, "fractional", Fraction(21, 20)),
        ("1.000001", "decimal", Fraction(1_000_001, 1_000_000)),
    ],
    ids=count(),  # the prices themselves make ids that no shell takes
)
def test_a_price_is_read_exactly(price: Price, odds_format: str, expected: Fraction) -> None:
    """Every way to write a price gives exact decimal odds, and profit is one less."""
    assert expected == decimal_odds(price, odds_format)
    assert expected - 1 == profit(price, odds_format)


@pytest.mark.parametrize(
    ("price", "odds_format", "told"),
    [
        ("99", "american", "'99' is no American price, which is 100 or more, or -100 or less"),
        ("-99.99", "american", "is no American price"),
        ("0", "american", "is no American price"),
        ("99.99", "american", "is no American price"),
        ("1", "decimal", "'1' is no decimal price, which is above 1 (it holds the stake)"),
        ("0.5", "decimal", "is no decimal price"),
        ("-2", "decimal", "is no decimal price"),
        ("NaN", "decimal", "'NaN' is not a number"),
        ("inf", "decimal", "'inf' is not a number"),
        ("1e400", "decimal", "'1e400' is not a number"),
        ("", "decimal", "'' is not a number"),
        (".", "decimal", "'.' is not a number"),
        ("1.9 1", "decimal", "is not a number"),
        ("١٠٠", "american", "is not a number"),
        ("1_000", "american", "is not a number"),
        (float("nan"), "decimal", "'nan' is not a finite number"),
        (float("inf"), "american", "'inf' is not a finite number"),
        (Decimal("1e400"), "decimal", "odds: '1E+400' is not a finite number"),
        ("1000000.5", "decimal", "is beyond 1000000"),
        (10**400, "american", "...' is beyond 1000000"),
        (10**50, "american", "'" + "1" + "0" * 39 + "...' is beyond 1000000"),
        ("9" * 41, "american", "is not a number"),
        (True, "decimal", "'True' is not a number"),
        ("10/0", "fractional", "'10/0' is no fractional price: profit and stake are above 0"),
        ("0/5", "fractional", "profit and stake are above 0"),
        (Fraction(-1, 2), "fractional", "profit and stake are above 0"),
        ("10-11", "fractional", "'10-11' is no fractional price; write profit/stake, such as 10/11"),
        ("-1/2", "fractional", "write profit/stake, such as 10/11"),
        (f"1/{'9' * 40}", "fractional", "write profit/stake, such as 10/11"),
        ("1.91", "fractional", "write profit/stake, such as 10/11"),
        ("١/٢", "fractional", "write profit/stake, such as 10/11"),
        ("1.0000009", "decimal", "'1.0000009' pays less than a millionth or more than a million for one"),
        ("1.00000000000000000001", "decimal", "pays less than a millionth"),
        ("1/1000001", "fractional", "pays less than a millionth"),
        ("1000000/1", "fractional", "or more than a million for one"),
        ("9" * 39, "decimal", f"'{'9' * 39}' is beyond"),
        ("9" * 40, "decimal", f"'{'9' * 40}' is beyond"),
        ("1.91", "hong kong", "odds_format: 'hong kong' is not one of american, decimal, fractional"),
    ],
    ids=count(),
)
def test_what_is_no_price_is_refused_with_what_to_write(price: Price, odds_format: str, told: str) -> None:
    """A price that cannot be one raises, and the message says what a price looks like."""
    with pytest.raises(OddsError) as refused:
        decimal_odds(price, odds_format)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("odds", "american", "decimal", "fractional"),
    [
        (Fraction(21, 11), "-110", "1.909", "10/11"),
        (Fraction(5, 2), "+150", "2.500", "3/2"),
        (Fraction(2), "+100", "2.000", "1/1"),
        (Fraction(1001, 1000), "-100000", "1.001", "1/1000"),
        (Fraction(1207, 100), "+1107", "12.070", "1107/100"),
    ],
)
def test_odds_are_shown_in_every_format(odds: Fraction, american: str, decimal: str, fractional: str) -> None:
    """American odds are whole, decimal ones have three digits unless told otherwise, fractions lowest terms."""
    assert (american, decimal, fractional) == (to_american(odds), to_decimal(odds), to_fractional(odds))


def test_decimal_odds_are_shown_with_the_digits_asked_for() -> None:
    """The rounding is to the nearest."""
    shown = [to_decimal(Fraction(21, 11), digits) for digits in (0, 1, 2, 5)]
    assert shown == ["2", "1.9", "1.91", "1.90909"]


@pytest.mark.parametrize("show", [to_american, to_decimal, to_fractional])
@pytest.mark.parametrize("odds", [Fraction(1), Fraction(1, 2)])
def test_what_is_no_price_is_not_shown_as_one(show: object, odds: Fraction) -> None:
    """Decimal odds of 1 or less have no form in any format."""
    assert callable(show)
    with pytest.raises(OddsError, match="is no decimal price, which is above 1"):
        show(odds)


@given(AMERICAN)
@settings(deadline=None)
def test_american_odds_come_back_as_they_went_in(price: int) -> None:
    """Whole American odds survive the way to decimal odds and back; -100 is written +100."""
    back = to_american(decimal_odds(price, "american"))
    assert (100 if price == -100 else price) == int(back)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@settings(deadline=None)
def test_fractional_odds_come_back_in_lowest_terms(won: int, stake: int) -> None:
    """A fraction survives the way to decimal odds and back."""
    odds = decimal_odds(f"{won}/{stake}", "fractional")
    assert Fraction(won, stake) == Fraction(to_fractional(odds))


@given(st.lists(AMERICAN, min_size=1, max_size=20))
@settings(deadline=None)
def test_many_american_prices_equal_the_exact_ones(prices: list[int]) -> None:
    """The vectorised twin is the exact answer rounded once to a float."""
    expected = [float(decimal_odds(price, "american")) for price in prices]
    assert expected == decimal_odds_array(prices, "american").tolist()


@given(st.lists(st.decimals("1.0001", "1000000", places=4).map(float), min_size=1, max_size=20))
@settings(deadline=None)
def test_many_decimal_prices_equal_the_exact_ones(prices: list[float]) -> None:
    """Decimal prices are decimal odds already."""
    expected = [float(decimal_odds(price, "decimal")) for price in prices]
    assert expected == decimal_odds_array(prices, " Decimal ").tolist()


@pytest.mark.parametrize(
    ("odds_format", "wrong", "right"),
    [
        ("american", [99, -99, 0, np.nan, np.inf, -np.inf, 1_000_001, -1_000_001], [[100, -100], [-110, 1_000_000]]),
        ("decimal", [1, 1.0000009, 0, -2, np.nan, np.inf, 1_000_001], [[1.000001, 2], [3, 1_000_000]]),
    ],
)
def test_among_many_prices_the_wrong_ones_are_nan(
    odds_format: str, wrong: list[float], right: list[list[float]]
) -> None:
    """What the exact function refuses is NaN, and the shape is kept."""
    assert np.isnan(decimal_odds_array(wrong, odds_format)).all()
    assert decimal_odds_array(right, odds_format).shape == (2, 2)
    assert not np.isnan(decimal_odds_array(right, odds_format)).any()


def test_many_prices_may_be_exact_numbers() -> None:
    """Decimals and fractions are floats in the answer."""
    odds = decimal_odds_array(np.array([Decimal("1.5"), Fraction(5, 2), 3], dtype=object), "decimal")
    assert odds.dtype == np.float64
    assert odds.tolist() == [1.5, 2.5, 3.0]


def test_many_prices_have_no_fractional_format() -> None:
    """A fraction is text, which no float array holds."""
    with pytest.raises(OddsError, match="odds_format: 'fractional' is not one of american, decimal"):
        decimal_odds_array([2.0], "fractional")
