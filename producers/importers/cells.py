"""What a cell says: whole numbers, prices and lines, in the spellings that real files have."""

from datetime import UTC, date, datetime
from math import isfinite
from typing import TypeVar

from grading.odds import decimal_odds

LARGEST_WHOLE = 10**9
YEARS = range(1900, 2101)
Day = TypeVar("Day", date, datetime)


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
    if not 0 <= value < LARGEST_WHOLE or value != int(value):
        raise BadCell(f"{text!r} is not a whole number")
    return int(value)


def iso_date(text: str) -> date:
    """A date as yyyy-mm-dd, or as yyyymmdd.

    Raises:
        BadCell: it is none, or lies in another age.
    """
    try:
        return in_our_age(date.fromisoformat(text))
    except ValueError as error:
        raise BadCell(f"date: {text!r} is not yyyy-mm-dd ({error})") from None


def instant(text: str) -> datetime:
    """A time with an offset, as UTC.

    Raises:
        BadCell: it is none.
    """
    try:
        at = in_our_age(datetime.fromisoformat(text))
    except ValueError:
        raise BadCell(f"{text!r} is not a time") from None
    if at.tzinfo is None:
        raise BadCell(f"{text!r} is a time without an offset")
    return at.astimezone(UTC)


def in_our_age(at: Day) -> Day:
    """The same day or time; one so far off that no calendar reaches it is a mistake.

    Raises:
        BadCell: it is one.
    """
    if at.year not in YEARS:
        raise BadCell(f"the year {at.year} is not in {YEARS[0]} to {YEARS[-1]}")
    return at


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
