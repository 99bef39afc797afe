"""Exact numbers from JSON, TOML or Python values; nothing is rounded and nothing absurd is let in."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np

LARGEST = 1_000_000
# A thousandth of a yard is fine; 1e-300 would only make the arithmetic slow.
DECIMALS = 12


def plain(value: object) -> object:
    """NumPy's numbers as Python's, a float as the decimal that it is written as; anything else as it is."""
    if isinstance(value, np.integer):
        return int(value)
    return Decimal(str(value)) if isinstance(value, np.floating) else value


def quantity(value: object) -> Fraction:
    """A finite number of sensible size; a float means the decimal that it is written as.

    Raises ValueError for anything else, booleans and strings included.
    """
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        raise ValueError("is not a number")  # noqa: TRY004 - callers report one kind of error
    if not math.isfinite(value):
        raise ValueError("is not a finite number")
    if value > LARGEST or value < -LARGEST:
        raise ValueError(f"is beyond {LARGEST}")
    if isinstance(value, Decimal) and value and value.adjusted() < -DECIMALS:
        raise ValueError(f"has more than {DECIMALS} decimals")
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def count(value: object) -> int:
    """A whole number, 0 or more. Raises ValueError."""
    number = quantity(value)
    if number.denominator != 1 or number < 0:
        raise ValueError("is not a whole number of 0 or more")
    return number.numerator


def duration(value: object) -> Fraction:
    """A number of 0 or more. Raises ValueError."""
    number = quantity(value)
    if number < 0:
        raise ValueError("is negative")
    return number


def flag(value: object) -> bool:
    """True or false, never a number or a word. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError("is not true or false")  # noqa: TRY004 - callers report one kind of error
    return value
