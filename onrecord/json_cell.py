"""JSON in a cell of a spreadsheet, read strictly and exactly."""

import json
from decimal import Decimal

# int() refuses longer texts; a Decimal holds any, for a reader to call it too large.
INT_DIGITS = 18


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
