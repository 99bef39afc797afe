"""Odds in three formats, exactly: American, decimal and fractional, in and out.

A price is kept as it came and computed with as a `Fraction`: -110 is 21/11, which no float holds.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grading.quantity import LARGEST, quantity

MAX_DIGITS: Final = 40
"""A price with more digits is a mistake, and would cost time to no end."""
SMALLEST_PROFIT: Final = Fraction(1, LARGEST)
"""A float can't tell what pays less from 1."""
_EVEN: Final = {"EVEN", "EVENS", "EVS"}
_NUMBER: Final = re.compile(
    rf"[+-]?(?:\d{{1,{MAX_DIGITS}}}(?:\.\d{{0,{MAX_DIGITS}}})?|\.\d{{1,{MAX_DIGITS}}})", re.ASCII
)
_FRACTIONAL: Final = re.compile(r"(\d+)\s*/\s*(\d+)", re.ASCII)

Price = str | int | float | Decimal | Fraction


class OddsError(ValueError):
    """A price that cannot be one; the message says what to write instead."""


@lru_cache(maxsize=65_536)  # the same prices come again and again
def decimal_odds(price: Price, odds_format: str) -> Fraction:
    """The price as decimal odds: the stake and the profit per unit risked; a profit of a millionth to a million.

    `odds_format` is american, decimal or fractional, in any case. Raises OddsError.
    """
    read = _READERS.get(odds_format.strip().lower())
    if read is None:
        raise OddsError(f"odds_format: {odds_format!r} is not one of {', '.join(_READERS)}")
    odds = read(price)
    if not 1 + SMALLEST_PROFIT <= odds <= LARGEST:
        raise OddsError(f"odds: {_shown(price)} pays less than a millionth or more than a million for one")
    return odds


def profit(price: Price, odds_format: str) -> Fraction:
    """Profit per unit risked. Raises OddsError."""
    return decimal_odds(price, odds_format) - 1


def to_american(odds: Fraction) -> str:
    """Decimal odds as an American price, rounded to a whole number: "+150", "-110"; evens are "+100"."""
    won = _checked(odds) - 1
    return f"+{round(won * 100)}" if won >= 1 else f"-{round(100 / won)}"


def to_decimal(odds: Fraction, digits: int = 3) -> str:
    """Decimal odds as text with so many digits after the point."""
    scaled = round(_checked(odds) * 10**digits)
    return f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}d}" if digits else str(scaled)


def to_fractional(odds: Fraction) -> str:
    """Decimal odds as a fraction in lowest terms: "10/11"."""
    won = _checked(odds) - 1
    return f"{won.numerator}/{won.denominator}"


def decimal_odds_array(prices: ArrayLike, odds_format: str) -> NDArray[np.float64]:
    """Many prices at once; shape kept. Whole American prices come out as `decimal_odds` rounded to a float.

    American and decimal prices only: a fraction is text. A price that `decimal_odds` refuses gives NaN. Raises
    OddsError for another format.
    """
    values = np.asarray(prices, dtype=np.float64)
    turn = _ARRAY_READERS.get(odds_format.strip().lower())
    if turn is None:
        raise OddsError(f"odds_format: {odds_format!r} is not one of {', '.join(_ARRAY_READERS)}")
    with np.errstate(invalid="ignore", divide="ignore"):
        odds = turn(values)
        sensible = (np.abs(values) <= LARGEST) & (odds >= float(1 + SMALLEST_PROFIT))
        return np.where(sensible, odds, np.nan)


def _american(price: Price) -> Fraction:
    if isinstance(price, str) and price.strip().upper() in _EVEN:
        return Fraction(2)
    value = _number(price)
    if abs(value) < 100:
        raise OddsError(f"odds: {_shown(price)} is no American price, which is 100 or more, or -100 or less")
    return 1 + (value / 100 if value > 0 else 100 / -value)


def _decimal(price: Price) -> Fraction:
    value = _number(price)
    if value <= 1:
        raise OddsError(f"odds: {_shown(price)} is no decimal price, which is above 1 (it holds the stake)")
    return value


def _fractional(price: Price) -> Fraction:
    if isinstance(price, Fraction):
        parts: tuple[int, int] = (price.numerator, price.denominator)
    else:
        text = str(price).strip()
        if text.upper() in _EVEN:
            return Fraction(2)
        found = _FRACTIONAL.fullmatch(text)
        if found is None or len(text) > MAX_DIGITS:
            raise OddsError(f"odds: {_shown(price)} is no fractional price; write profit/stake, such as 10/11")
        parts = int(found[1]), int(found[2])
    if parts[0] <= 0 or parts[1] == 0:
        raise OddsError(f"odds: {_shown(price)} is no fractional price: profit and stake are above 0")
    return 1 + Fraction(*parts)


def _number(price: Price) -> Fraction:
    if isinstance(price, str) and _NUMBER.fullmatch(price.strip()) is None:
        raise OddsError(f"odds: {_shown(price)} is not a number")
    try:
        return quantity(Decimal(price.strip()) if isinstance(price, str) else price)
    except ValueError as error:
        raise OddsError(f"odds: {_shown(price)} {error}") from error
    except OverflowError as error:  # a whole number that no float holds
        raise OddsError(f"odds: {_shown(price)} is beyond {LARGEST}") from error


def _checked(odds: Fraction) -> Fraction:
    if odds <= 1:
        raise OddsError(f"odds: {odds} is no decimal price, which is above 1")
    return odds


def _shown(price: Price) -> str:
    text = str(price)
    return repr(text if len(text) <= MAX_DIGITS else text[:MAX_DIGITS] + "...")


def _american_array(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # One division, so that there is one rounding: 1 + 100 / 110 would have two.
    odds = np.where(values > 0, (values + 100) / 100, (values - 100) / values)
    return np.where(np.abs(values) >= 100, odds, np.nan)


_READERS: Final[Mapping[str, Callable[[Price], Fraction]]] = MappingProxyType(
    {"american": _american, "decimal": _decimal, "fractional": _fractional}
)
_ARRAY_READERS: Final[Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = MappingProxyType(
    {"american": _american_array, "decimal": lambda values: values}
)
