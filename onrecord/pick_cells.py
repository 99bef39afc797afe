"""Cells of a spreadsheet of picks, read strictly and exactly: JSON, lines, odds formats; and numbers written."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction

from grading.markets import shown
from grading.outcomes import GradingError

DECIMALS = 12
_FORMATS = ("american", "decimal", "fractional")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,7}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")
# int() refuses longer texts; a Decimal holds any, for a reader to call it too large.
INT_DIGITS = 18


@contextmanager
def named(column: str) -> Iterator[None]:
    """Says in front of an error which column it is in, instead of what the library calls it."""
    try:
        yield
    except ValueError as error:
        reason = str(error).removeprefix("line: ").removeprefix("odds: ")
        raise GradingError(f"{column}: {reason}") from error


def line_cell(text: str) -> Fraction | None:
    """A line; an empty cell is none. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a decimal number")
    return Fraction(text)


def format_cell(text: str) -> str:
    """The name of an odds format. Raises GradingError."""
    form = text.strip().lower()
    if form not in _FORMATS:
        raise GradingError(f"odds_format: unknown word {shown(text)}")
    return form


def decimals(value: Fraction) -> str:
    """The number with 12 decimals, rounded half to even."""
    units = round(value * 10**DECIMALS)
    whole, rest = divmod(abs(units), 10**DECIMALS)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{DECIMALS}}"


def json_cell(text: str) -> object:
    """The value of a JSON text, with decimals as `Decimal` and the keys of objects in lower case.

    Raises ValueError with a short reason: no JSON, NaN or Infinity, a key twice, nested beyond reason.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=Decimal,
            parse_int=_int,
            parse_constant=_no_number,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON, {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


def json_object(text: str) -> dict[str, object]:
    """A JSON object; an empty cell is an empty one. Raises ValueError."""
    value = json_cell(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - callers report one kind of error
    return value


def json_list(text: str) -> list[object]:
    """A JSON list; an empty cell is an empty one. Raises ValueError."""
    value = json_cell(text) if text.strip() else []
    if not isinstance(value, list):
        raise ValueError("is not a JSON list")  # noqa: TRY004 - callers report one kind of error
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        name = key.strip().lower()
        if name in found:
            raise ValueError(f"has the key {name[:40]!r} twice")
        found[name] = value
    return found


def _int(text: str) -> int | Decimal:
    return int(text) if len(text) <= INT_DIGITS else Decimal(text)


def _no_number(text: str) -> object:
    raise ValueError(f"holds {text}, which is no JSON number")
