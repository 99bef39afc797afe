"""Rows as text: a value as one cell, and whole tables as CSV or JSON, a piece at a time."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from projections.errors import StoreError

Form = Callable[[pa.Table], Iterator[str]]
"""The pieces of a text that tells all rows."""
_PIECE_ROWS = 2_000
"""Rows are some fifty times as large in Python as in Arrow: few of them are there at a time."""
_UNITS = ("year", "month", "day")


def as_rows(table: pa.Table) -> Iterator[list[dict[str, Any]]]:
    """The rows in pieces; intervals are texts, at any depth.

    Raises:
        StoreError: a time that no calendar of ours has; of a column of times before the first piece is given.
    """
    try:
        for column in table.columns:
            if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
                pc.min_max(column).as_py()
        told = [column.name for column in table.schema if pa.types.is_nested(column.type) or _is_interval(column.type)]
        for batch in table.to_batches(_PIECE_ROWS):
            rows = batch.to_pylist()
            for row in rows:
                row.update({name: _told(row[name]) for name in told})
            yield rows
    except OverflowError as error:
        raise StoreError(
            "a date or time is infinite, or not of the years 1 to 9999: ask for its text, as in starts_at::VARCHAR"
        ) from error


def cell(value: Any) -> str:
    """A value as people and spreadsheets read it; a list or a structure as JSON."""
    return _encoded(_CELL, value) if isinstance(value, dict | list) else str(value)


def as_csv(table: pa.Table) -> Iterator[str]:
    """A header and rows; what has no value is empty."""
    yield _csv_lines([table.column_names])
    for rows in as_rows(table):
        yield _csv_lines([["" if value is None else cell(value) for value in row.values()] for row in rows])


def as_json(table: pa.Table) -> Iterator[str]:
    """An array of objects, as `json.dumps(rows, indent=1)` writes it."""
    has_nested = any(pa.types.is_nested(kind) for kind in table.schema.types)
    before = "["
    for rows in as_rows(table):
        yield before + ",".join(map(_nested_object if has_nested else _flat_object, rows))
        before = ","
    yield "\n]\n" if table.num_rows else "[]\n"


def json_object(found: Mapping[str, Any]) -> str:
    """One JSON object on lines of its own."""
    return _encoded(_INDENTED, _told(found)) + "\n"


def _is_interval(kind: pa.DataType) -> bool:
    return bool(pa.types.is_interval(kind))


def _told(value: Any) -> Any:
    """A value with its intervals as texts."""
    if isinstance(value, pa.MonthDayNano):
        return _interval(value)
    if isinstance(value, Mapping):
        return {name: _told(one) for name, one in value.items()}
    return [_told(one) for one in value] if isinstance(value, list | tuple) else value


def _interval(value: Any) -> str:
    """As DuckDB writes it: `1 year 2 days 03:04:05.6`."""
    sign = -1 if value.months < 0 else 1
    years, months = divmod(abs(value.months), 12)
    numbers = zip((sign * years, sign * months, value.days), _UNITS, strict=True)
    words = [f"{number} {unit}{'' if abs(number) == 1 else 's'}" for number, unit in numbers if number]
    if value.nanoseconds or not words:
        words.append(_clock(value.nanoseconds // 1000))
    return " ".join(words)


def _clock(microseconds: int) -> str:
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{'-' if microseconds < 0 else ''}{text}" + (f".{fraction:06}".rstrip("0") if fraction else "")


def _csv_lines(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _flat_object(row: Mapping[str, Any]) -> str:
    # Python's own encoder is slow where it indents: these separators do the same for what holds nothing within.
    return f"\n {{\n  {_encoded(_FLAT, row)[1:-1]}\n }}"


def _nested_object(row: Mapping[str, Any]) -> str:
    return f"\n{_encoded(_INDENTED, row)}".replace("\n", "\n ")


def _encoded(encoder: json.JSONEncoder, value: Any) -> str:
    try:
        return encoder.encode(value)
    except ValueError:  # JSON has no NaN and nothing infinite
        return encoder.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """What JSON has no word for: exact fractions are texts, whole numbers (DuckDB's sums) are numbers."""
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return int(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_INDENTED = json.JSONEncoder(default=_plain, allow_nan=False, indent=1)
_FLAT = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",\n  ", ": "))
_CELL = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False)
