"""Grade a CSV file, every input row coming back with the answer's columns beside it; or just read one."""

import codecs
import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from onrecord.whole_file import whole_file
from producers.importers.files import FileRefused, all_cells_read, csv_rows

__all__ = ["FileRefused", "RowError", "grade_rows", "read_rows"]

STDIN = Path("-")
CHUNK_BYTES = 1 << 20
Grade = Callable[[Mapping[str, str]], Mapping[str, str]]


class RowError(Exception):
    """A row can't be graded: `reason` says which column is at fault, `values` what goes out for the row."""

    def __init__(self, reason: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values or {}


@dataclass(frozen=True)
class _Row:
    """One row as it stands in the file: `fault` is set where it can't be taken apart."""

    line: int
    cells: list[str]
    fault: str = ""


def grade_rows(
    source: Path,
    out: Path | None,
    added: Sequence[str],
    grade: Grade,
    required: Sequence[str],
    bad: Mapping[str, str] | None = None,
) -> None:
    """Write every row of `source` with the columns `added`, by `grade`, to `out` or to standard output.

    Column names are matched without case and outer blanks; `grade` gets them in lower case, and an absent
    optional column is simply not in its mapping. A row that can't be taken apart, or for which `grade` raises
    `RowError`, goes out with `bad`'s values, the error's own and its reason in the column `reason`, and is named
    on standard error as `line N: reason`. Cells beyond the header's stand behind the added columns. Blank lines
    are no rows. `out` appears whole or not at all.

    Raises FileRefused where the file can't be read (missing, empty, binary, no header, a required column
    missing, a name twice, a name of an output column) or `out` can't be written.
    """
    if out is not None and source != STDIN and _same_file(source, out):
        raise FileRefused(f"{out}: is the input itself; name another file for --out")
    with _opened(source) as raw, _as_text(raw, source) as text, all_cells_read():
        rows = _rows(text)
        header = _header(rows, source, added, required)
        with _sink(out) as sink:
            _write(rows, header, sink, added, grade, bad or {})


def read_rows(source: Path, read: Callable[[Mapping[str, str]], None], required: Sequence[str]) -> None:
    """Hand every row of `source` to `read`, by column name in lower case.

    Rows that can't be read (taken apart, or for which `read` raises `RowError`) are named on standard error as
    `line N: reason`. Raises FileRefused as `grade_rows` does, and in the end where there is such a row.
    """
    refused = 0
    with _opened(source) as raw, _as_text(raw, source) as text, all_cells_read():
        rows = _rows(text)
        names = [_name(cell) for cell in _header(rows, source, (), required)]
        for row in rows:
            try:
                read(_mapping(row, names))
            except RowError as error:
                refused += 1
                _complain(row, error)
    if refused:
        raise FileRefused(f"{source}: {refused} rows can't be read; each is named above")


def _write(
    rows: Iterator[_Row],
    header: list[str],
    sink: TextIO,
    added: Sequence[str],
    grade: Grade,
    bad: Mapping[str, str],
) -> None:
    names = [_name(cell) for cell in header]
    _write_row(sink, [*header, *added])
    for row in rows:
        try:
            values = grade(_mapping(row, names))
        except RowError as error:
            values = {**bad, "reason": error.reason, **error.values}
            _complain(row, error)
        cells = row.cells[: len(names)] + [""] * (len(names) - len(row.cells))
        _write_row(sink, [*cells, *(values.get(name, "") for name in added), *row.cells[len(names) :]])


def _complain(row: _Row, error: RowError) -> None:
    print(f"line {row.line}: {_one_line(error.reason)}", file=sys.stderr)  # noqa: T201 - its purpose


def _write_row(sink: TextIO, cells: list[str]) -> None:
    # With "\n" as its line end the csv module leaves a lone "\r" bare, which would come back as a new line.
    carriage = any("\r" in cell for cell in cells)
    csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL if carriage else csv.QUOTE_MINIMAL).writerow(cells)


def _mapping(row: _Row, names: list[str]) -> dict[str, str]:
    if row.fault:
        raise RowError(row.fault)
    if len(row.cells) < len(names):
        first = names[len(row.cells)]
        raise RowError(f"{first}: missing, the row has {len(row.cells)} cells and the header {len(names)}")
    if len(row.cells) > len(names):
        raise RowError(f"row: {len(row.cells)} cells where the header has {len(names)} columns")
    cells = dict(zip(names, row.cells, strict=True))
    for name, cell in cells.items():
        if "\0" in cell:
            raise RowError(f"{name}: holds a NUL byte")
    return cells


def _rows(text: TextIO) -> Iterator[_Row]:
    number = 1
    for lines, cells, broken in csv_rows(text):
        if broken:
            yield _Row(number, lines[0].rstrip("\r\n").split(","), f"row: {broken}")
        elif cells:
            yield _Row(number, cells)
        number += len(lines)


def _header(rows: Iterator[_Row], source: Path, added: Sequence[str], required: Sequence[str]) -> list[str]:
    first = next(rows, None)
    if first is None:
        raise FileRefused(f"{source}: is empty; its first line must name the columns")
    if first.fault or any(ord(char) < ord(" ") and char not in "\t\r\n" for cell in first.cells for char in cell):
        raise FileRefused(f"{source}: is not a CSV file; its first line must name the columns")
    names = [_name(cell) for cell in first.cells]
    if other := _other_separator(first.cells):
        raise FileRefused(f"{source}: its columns are separated by {other}: save it with commas between them")
    for problem, culprits in (
        ("has more than one column named", [name for name in names if name and names.count(name) > 1]),
        ("has columns that the answer adds, rename", [name for name in names if name in added]),
        ("has no column", [name for name in required if name not in names]),
    ):
        if culprits:
            raise FileRefused(f"{source}: {problem} {', '.join(dict.fromkeys(culprits))}")
    return first.cells


def _other_separator(header: Sequence[str]) -> str | None:
    """What separates the columns where it is no comma: spreadsheets of many countries write semicolons."""
    separators = {";": "semicolons", "\t": "tabs"}
    return next((name for sign, name in separators.items() if len(header) == 1 and sign in header[0]), None)


def _name(cell: str) -> str:
    return cell.strip().lower()


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    if source == STDIN:
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    try:
        raw = source.open("rb")
    except OSError as error:
        raise FileRefused(f"{source}: {error.strerror or error}") from error
    with raw:
        # A pipe can be read once only, and the encoding is known after the last byte.
        yield raw if raw.seekable() else io.BytesIO(raw.read())


def _as_text(raw: BinaryIO, source: Path) -> TextIO:
    head = raw.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileRefused(f"{source}: is UTF-16; save it as CSV UTF-8")
    for encoding in ("utf-8-sig", "cp1252"):
        if _decodes(raw, encoding):
            raw.seek(0)
            return io.TextIOWrapper(raw, encoding=encoding, newline="")
    raise FileRefused(f"{source}: is neither UTF-8 nor Windows-1252 text")


def _decodes(raw: BinaryIO, encoding: str) -> bool:
    raw.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := raw.read(CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _sink(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        with _text(sys.stdout.buffer) as sink:
            yield sink
    else:
        with whole_file(out) as raw, _text(raw) as sink:
            yield sink


@contextmanager
def _text(raw: BinaryIO) -> Iterator[TextIO]:
    """`raw` as UTF-8 text; a reason may quote half a surrogate pair, which UTF-8 can't hold."""
    text = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="")
    try:
        yield text
    finally:
        text.flush()
        text.detach()


def _same_file(source: Path, out: Path) -> bool:
    return source.exists() and out.exists() and source.samefile(out)
