"""Prices are read exactly, in the odds format that they are written in."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from producers.prices import payload_format, read_price


@pytest.mark.parametrize(
    ("written", "odds_format", "decimal"),
    [
        (-110, "american", Fraction(21, 11)),
        (-110.0, "american", Fraction(21, 11)),
        ("+150", "american", Fraction(5, 2)),
        (100, "american", Fraction(2)),
        (1.91, "decimal", Fraction(191, 100)),
        (2, "decimal", Fraction(2)),
        (Decimal("2.50"), "decimal", Fraction(5, 2)),
        (np.int64(-110), "american", Fraction(21, 11)),
        (np.float64(-110), "american", Fraction(21, 11)),
        (np.float32(1.91), "decimal", Fraction(191, 100)),
        ("10/11", "fractional", Fraction(21, 11)),
    ],
)
def test_a_price_tells_its_format(written: object, odds_format: str, decimal: Fraction) -> None:
    """The form of one price says which odds it is in; the value is exact."""
    price = read_price(written)
    assert (odds_format, decimal) == (price.odds_format, price.decimal)


@pytest.mark.parametrize(
    "written",
    [
        0,
        1.0,
        0.42,
        -50,
        None,
        True,
        "",
        "abc",
        float("nan"),
        float("inf"),
        np.float64("nan"),
        np.bool_(True),
        [1],
        "1/0",
    ],
)
def test_what_is_no_price_is_an_error(written: object) -> None:
    """Impossible prices are told, not rounded into possible ones."""
    with pytest.raises(ValueError, match=r"price|pass"):
        read_price(written)


def test_a_price_that_fits_two_formats_asks_for_the_format() -> None:
    """150.0 may be 150 to 1 or +150: the caller says which."""
    with pytest.raises(ValueError, match="odds_format"):
        read_price(150.0)
    assert (Fraction(150), Fraction(5, 2)) == (
        read_price(150.0, "decimal").decimal,
        read_price(150.0, "american").decimal,
    )


@pytest.mark.parametrize(
    ("markets", "expected"),
    [
        ([[-110, -110]], "american"),
        ([[105, 100]], "american"),
        ([[-110, 0, None, float("nan")]], "american"),
        ([[1.91, 1.91], [1000, 1.01]], "decimal"),
        ([[2, 3]], "decimal"),
        ([[1.91, 1.91], [150, 1000]], "decimal"),
        ([[]], "decimal"),
    ],
)
def test_the_prices_of_a_payload_tell_its_format(markets: list[list[object]], expected: str) -> None:
    """One payload is in one format; impossible prices in it decide nothing."""
    assert expected == payload_format(markets)


@pytest.mark.parametrize("markets", [[[-110, 1.91]], [[150]], [[101, 1.0]]])
def test_a_payload_that_fits_two_formats_asks_for_the_format(markets: list[list[object]]) -> None:
    """A guess would make every price wrong, so there is none."""
    with pytest.raises(ValueError, match="odds_format='american' or 'decimal'"):
        payload_format(markets)


def test_prices_in_two_formats_agree_to_the_rounding_of_display() -> None:
    """-110 is shown as 1.91 or 1.90; within one format prices are equal or not."""
    american = read_price(-110)
    assert [american.agrees_with(read_price(shown)) for shown in (1.91, 1.90, 1.93)] == [True, True, False]
    assert not american.agrees_with(read_price(-111))


@pytest.mark.parametrize(("shown", "agrees"), [(2.009, True), (2.01, True), (2.011, False), (1.989, False)])
def test_the_rounding_of_display_is_a_hundredth(shown: float, agrees: bool) -> None:
    """Either way from +100, which is 2 exactly."""
    assert read_price(100).agrees_with(read_price(shown)) == agrees
