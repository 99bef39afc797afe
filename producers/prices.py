"""Prices as callers and providers write them: which odds format they are in, and what they pay as decimal odds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import cast, get_args

from grading.odds import decimal_odds
from grading.quantity import plain
from schemas.odds import OddsFormat

Written = int | float | str | Decimal
"""A price before it is read: -110, "+150", 1.91, "10/11"."""

# A price shown in another format is rounded: 10/11 is written 1.91 or 1.90, 1.87 is written -115.
ROUNDING = Fraction(1, 100)
_AMERICAN_FROM = 100


@dataclass(frozen=True)
class Price:
    """One price: the text as it came, its format, and exact decimal odds."""

    text: str
    odds_format: OddsFormat
    decimal: Fraction

    def agrees_with(self, other: "Price") -> bool:
        """Whether both say the same price: exactly in one format, to the rounding of display across two."""
        if self.odds_format == other.odds_format:
            return self.decimal == other.decimal
        return abs(self.decimal - other.decimal) <= ROUNDING


def read_price(written: object, odds_format: OddsFormat | None = None) -> Price:
    """A price in the given odds format, else in the one that its form tells.

    Raises:
        ValueError: it is no price of that format, or its form fits two formats.
    """
    written = plain(written)
    is_fraction = isinstance(written, str) and "/" in written
    if not isinstance(written, Written) or not (is_fraction or _number(written) is not None):
        raise ValueError(f"price {written!r} is not a number: write -110, 1.91 or '10/11'")
    chosen = known_format(odds_format) if odds_format else _format_of(written)
    text = _as_written(written, chosen)
    try:
        return Price(text, chosen, decimal_odds(text, chosen))
    except ValueError as error:
        raise ValueError(f"price {written!r} is not a price in {chosen} odds: {error}") from error


def known_format(odds_format: str) -> OddsFormat:
    """The name of an odds format.

    Raises:
        ValueError: it is none of american, decimal, fractional.
    """
    if odds_format not in get_args(OddsFormat):
        raise ValueError(f"odds_format {odds_format!r} is not one of {', '.join(get_args(OddsFormat))}")
    return cast(OddsFormat, odds_format)


def payload_format(markets: Iterable[Iterable[object]]) -> OddsFormat:
    """The one format of a whole payload's prices, given market by market: american or decimal.

    A negative price proves American odds, one between 1 and 100 decimal odds. Where there are neither, prices of 100
    and more are American if a market has only such ones: no book pays 100 to 1 on both sides.

    Raises:
        ValueError: the prices speak for both formats, or for neither.
    """
    read = [[number for price in market if (number := _number(price)) is not None] for market in markets]
    numbers = [number for market in read for number in market]
    american = any(number <= -_AMERICAN_FROM for number in numbers)
    decimal = any(1 < number < _AMERICAN_FROM for number in numbers)
    if american and decimal:
        raise ValueError("some prices look American, others decimal: pass odds_format='american' or 'decimal'")
    if decimal or not numbers:
        return "decimal"
    if american or any(_looks_american(market) for market in read):
        return "american"
    raise ValueError(f"the prices {numbers[:5]} may be American or decimal: pass odds_format='american' or 'decimal'")


def _looks_american(market: list[float]) -> bool:
    long = [number for number in market if number >= _AMERICAN_FROM]
    return len(long) > 1 and len(long) == len(market) and all(number.is_integer() for number in long)


def _format_of(written: Written) -> OddsFormat:
    if isinstance(written, str) and "/" in written:
        return "fractional"
    number = float(written)
    if number < 0 or (isinstance(written, str) and written.strip().startswith("+")):
        return "american"
    if number < _AMERICAN_FROM:
        return "decimal"
    if isinstance(written, int) or (isinstance(written, str) and written.strip().isdigit()):
        return "american"
    raise ValueError(f"price {written!r} may be American or decimal: pass odds_format='american' or 'decimal'")


def _number(written: object) -> float | None:
    written = plain(written)
    if not isinstance(written, Written) or isinstance(written, bool):
        return None
    try:
        number = float(written)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _as_written(written: Written, odds_format: OddsFormat) -> str:
    # JSON may carry -110 as -110.0; American odds are whole numbers, and are written as such.
    if odds_format == "american" and isinstance(written, float | Decimal) and written == written // 1:
        return str(int(written))
    return str(written).strip()
