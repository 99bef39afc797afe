"""What a cell says: whole numbers, prices and lines, in the spellings that real files have."""

from math import isfinite

from grading.odds import decimal_odds


class BadCell(ValueError):  # noqa: N818 - the cell is bad; nothing in the program went wrong
    """A cell that does not say what its column should; the message is the reason."""


def number(text: str) -> float:
    """A finite number.

    Raises:
        BadCell: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        raise BadCell(f"{text!r} is not a number") from None
    if not isfinite(value):
        raise BadCell(f"{text!r} is not a finite number")
    return value


def whole(text: str) -> int:
    """A count, also when written as a float ("4.0").

    Raises:
        BadCell: not a number, negative, or with a fraction.
    """
    value = number(text)
    if value < 0 or value != int(value):
        raise BadCell(f"{text!r} is not a whole number")
    return int(value)


def decimal_price(text: str) -> float:
    """A decimal price.

    Raises:
        BadCell: not a number, or 1 and less.
    """
    value = number(text)
    if value <= 1:
        raise BadCell(f"{text!r} is not a price: decimal odds are above 1")
    return value


def american_price(text: str) -> float:
    """An American price as decimal odds.

    Raises:
        BadCell: not a number, or between -100 and 100.
    """
    try:
        return float(decimal_odds(text, "american"))
    except ValueError as error:
        raise BadCell(f"{text!r} is not a price: {error}") from None
