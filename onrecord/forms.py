"""The forms that rows and facts take: a table that fits the terminal, CSV, JSON, Parquet."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from onrecord import row_texts
from onrecord.whole_file import whole_file
from projections.errors import StoreError

NO_VALUE = "–"
_BETWEEN = "  "
_ENDLESS = 100_000
_ENDINGS = {"": "table", ".txt": "table", ".csv": "csv", ".json": "json", ".parquet": "parquet"}
SHOWN_ROWS = 500
LONGEST = 400


@dataclass(frozen=True)
class Grid:
    """Rows as a table; where that is too wide for the terminal, row by row as `name value`, so that no value is cut."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str | None = None
    caption: str | None = None
    texts: Sequence[str] | None = None
    """The columns that are not figures; default: all."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        if Measurement.get(console, options.update(width=_ENDLESS), table).minimum <= options.max_width:
            yield table
            return
        if self.title:
            yield Text(self.title, "italic")
        if not self.rows:
            yield Text(_BETWEEN.join(self.names), "dim")
        for row in self.rows:
            yield _wrapped(self.names, row, options.max_width)
        if self.caption:
            yield Text(self.caption, "dim italic")

    def _table(self) -> Table:
        shown = Table(title=self.title, title_justify="left", caption=self.caption)
        for name in self.names:
            if self.texts is None:
                shown.add_column(escape(name))
            elif name in self.texts:
                shown.add_column(escape(name), no_wrap=True)
            else:
                shown.add_column(escape(name), justify="right")
        for row in self.rows:
            shown.add_row(*map(escape, row))
        return shown


def _wrapped(names: Sequence[str], row: Sequence[str], width: int) -> Text:
    """One row on as many lines as it takes, broken between its values only."""
    text, used = Text(), 0
    for name, value in zip(names, row, strict=True):
        pair = Text.assemble((f"{name} ", "dim"), value)
        if used and used + len(_BETWEEN) + pair.cell_len > width:
            text.append("\n" + _BETWEEN)
            used = len(_BETWEEN)
        elif used:
            text.append(_BETWEEN)
            used += len(_BETWEEN)
        text.append_text(pair)
        used += pair.cell_len
    return text


def write_table(table: pa.Table, format_name: str, target: Path | None, console: Console) -> None:
    """Rows as a table for people, or as CSV, JSON or Parquet; columns of one name are told apart as DuckDB does.

    Raises:
        StoreError: an unknown format, Parquet without a file, or a time that no calendar of ours has.
        FileRefused: the file can't be written; what lay there is as it was.
    """
    table = table.rename_columns(_told_apart(table.column_names))
    if format_name == "parquet":
        if target is None:
            raise StoreError("parquet is not text: name a file with --out")
        _check_parquet_holds(table.schema)
        with whole_file(target) as raw:
            pq.write_table(table, raw)
        return
    if format_name not in _FORMS:
        raise StoreError(f"there is no format {format_name!r}; there are table, csv, json and parquet")
    if format_name == "table" and target is None:
        console.print(_table(table))
        return
    if target is None:
        if console.encoding != "utf-8":
            for piece in _FORMS[format_name](table):
                _check_can_say(piece, console)
        for piece in _FORMS[format_name](table):
            console.out(piece, end="", highlight=False)
    else:
        with whole_file(target) as raw:
            raw.writelines(piece.encode() for piece in _FORMS[format_name](table))


def format_of(target: Path | None) -> str:
    """What a file's name asks for; a table where it has no ending.

    Raises:
        StoreError: the ending names no format.
    """
    ending = target.suffix.lower() if target is not None else ""
    if ending not in _ENDINGS:
        known = ", ".join(filter(None, _ENDINGS))
        raise StoreError(f"{target}: {ending} names no format; there are {known}; or name one with --format")
    return _ENDINGS[ending]


def facts(found: Mapping[str, Any]) -> Table:
    """Names and values; long ones are cut, `--json` gives them whole."""
    shown = Table("what", "value")
    for name, value in found.items():
        text = str(value)
        shown.add_row(name, escape(text if len(text) <= LONGEST else text[:LONGEST] + " ..."))
    return shown


def as_json(found: Mapping[str, Any]) -> str:
    """One JSON object."""
    return row_texts.json_object(found)


def _check_parquet_holds(schema: pa.Schema) -> None:
    """Refuse what our writer of Parquet has no form for, by the column's name."""
    for column in schema:
        try:
            pq.ParquetWriter(io.BytesIO(), pa.schema([column])).close()
        except pa.ArrowNotImplementedError as error:
            raise StoreError(
                f"Parquet has no form for the column {column.name}, an interval or a union: ask for its text "
                f"(::VARCHAR), or for an interval's seconds (epoch(...))"
            ) from error


def _check_can_say(text: str, console: Console) -> None:
    """People can do with a ? in a table; a program would take it for what is on record."""
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError as error:
        raise StoreError(
            f"standard output is {console.encoding}, which has no {text[error.start]!a}: name a file with --out, or "
            "set PYTHONIOENCODING=utf-8"
        ) from error


def _told_apart(names: Sequence[str]) -> list[str]:
    """Names as DuckDB writes them to Parquet: `event_id`, `event_id_1`; upper and lower case are one."""
    told: dict[str, str] = {}
    for name in names:
        tried = chain((name,), (f"{name}_{number}" for number in count(1)))
        free = next(one for one in tried if one.lower() not in told)
        told[free.lower()] = free
    return list(told.values())


def _table(table: pa.Table) -> Grid:
    rows = [
        [NO_VALUE if value is None else row_texts.cell(value) for value in row.values()]
        for piece in row_texts.as_rows(table.slice(0, SHOWN_ROWS))
        for row in piece
    ]
    is_cut = table.num_rows > SHOWN_ROWS
    caption = f"the first {SHOWN_ROWS} of {table.num_rows} rows; --format csv gives all" if is_cut else None
    return Grid(table.column_names, rows, caption=caption)


def _text(table: pa.Table) -> Iterator[str]:
    console = Console(file=io.StringIO(), width=240, emoji=False)
    console.print(_table(table))
    yield str(console.file.getvalue())  # type: ignore[attr-defined] # the StringIO above


_FORMS = {"table": _text, "csv": row_texts.as_csv, "json": row_texts.as_json}
