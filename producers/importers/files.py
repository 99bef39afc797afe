"""Reading files as they come: gzip, byte order marks, Windows-1252, broken quotation; refused whole, or read whole."""

import codecs
import csv
import gzip
import hashlib
import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producers.importers.cells import BadCell

GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# The csv module's own limit of 128 KiB would end the run at one broken quotation, or at one long JSON cell.
CELL_CHARS = 1 << 30


class FileRefused(Exception):  # noqa: N818 - the file is refused; nothing in the program went wrong
    """The file itself can't be read or written; the message is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text, its name without its folder, and the SHA-256 of its bytes (unpacked, where they came gzipped)."""

    name: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` counts from 1, `raw` is its text without the line end; `fault`: it can't be taken apart."""

    number: int
    raw: str
    cells: tuple[str, ...]
    fault: str | None = None

    @property
    def place(self) -> str:
        """How a rejection names it."""
        return f"row {self.number}"


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: its header, as it came and taken apart, and its rows that are not blank."""

    file: TextFile
    header_raw: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def index(self) -> dict[str, int]:
        """Where each column stands."""
        return {name: place for place, name in enumerate(self.header)}

    def named(self, row: Row) -> dict[str, str]:
        """The row's cells by column, without outer blanks.

        Raises:
            BadCell: the row can't be taken apart.
        """
        if row.fault:
            raise BadCell(row.fault)
        return dict(zip(self.header, (cell.strip() for cell in row.cells), strict=True))

    def raw_csv(self, *rows: str) -> str:
        """The given rows under the header: a CSV file of their own."""
        return "\n".join((self.header_raw, *rows))


def read_text(path: Path) -> TextFile:
    """The whole file as text.

    Raises:
        FileRefused: unreadable, empty, truncated gzip, binary, UTF-16.
    """
    content = _unpacked(path, _content(path))
    if not content.strip():
        raise FileRefused(f"{path}: is empty; download it again")
    if content.startswith(UTF16_MARKS):
        raise FileRefused(f"{path}: is UTF-16 text; save it as UTF-8")
    if b"\0" in content:
        raise FileRefused(f"{path}: is binary, not text; name a CSV or JSON file")
    name = path.name.removesuffix(".gz")
    return TextFile(name, _decoded(path, content), hashlib.sha256(content).hexdigest())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror or error}") from error


def _unpacked(path: Path, content: bytes) -> bytes:
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise FileRefused(f"{path}: its gzip data is damaged or cut off ({error}); download it again") from error


def _decoded(path: Path, content: bytes) -> str:
    unmarked = content.removeprefix(codecs.BOM_UTF8)  # also stands before Windows-1252, where tools added to a file
    for encoding in ("utf-8", "cp1252"):
        try:
            return unmarked.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused(f"{path}: is neither UTF-8 nor Windows-1252 text; save it as UTF-8")


def read_table(path: Path, format_name: str, required: Sequence[str], comment: str | None = None) -> Table:
    """A CSV file with at least the columns `required`; lines before the header that begin with `comment` are skipped.

    Raises:
        FileRefused: as `read_text`; no header; a column missing, or named twice.
    """
    file = read_text(path)
    lines = file.text.splitlines()
    first = next((place for place, line in enumerate(lines) if line.strip() and not _is_comment(line, comment)), None)
    if first is None:
        raise FileRefused(f"{path}: has no header; a {format_name} file names its columns: {', '.join(required)}")
    header = tuple(cell.strip() for cell in next(csv.reader([lines[first]])))
    require_columns(path, format_name, header, required)
    with all_cells_read():
        return Table(file, lines[first], header, tuple(_rows(lines[first + 1 :], len(header))))


def _is_comment(line: str, comment: str | None) -> bool:
    return comment is not None and line.startswith(comment)


def require_columns(path: Path, format_name: str, header: Sequence[str], required: Sequence[str]) -> None:
    """Raises FileRefused where a required column is missing, or any stands twice."""
    missing = [name for name in required if name not in header]
    if missing:
        raise FileRefused(
            f"{path}: is not a {format_name} file, it has no column {', '.join(missing)}; "
            f"expected {', '.join(required)}, found {', '.join(header[:8])}: check the file or name its format"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise FileRefused(f"{path}: has more than one column named {', '.join(twice)}; rename all but one")


def _rows(lines: Sequence[str], width: int) -> Iterator[Row]:
    number = 0
    memory: dict[str, str] = {}
    for parts, found, broken in csv_rows(f"{line}\n" for line in lines):
        raw = "".join(parts)[:-1]
        # Most cells recur (prices, names): kept once, a file takes a tenth of the memory.
        cells = (raw,) if broken else tuple(memory.setdefault(cell, cell) for cell in found)
        if not any(cell.strip() for cell in cells):
            continue  # blank lines, and lines of commas alone, as spreadsheets leave them at the end
        number += 1
        wrong = f"{len(cells)} cells where the header has {width} columns" if len(cells) != width else None
        yield Row(number, raw, cells, broken or wrong)


@contextmanager
def all_cells_read() -> Iterator[None]:
    """No cell is too long for the csv module meanwhile."""
    before = csv.field_size_limit(CELL_CHARS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def csv_rows(lines: Iterable[str]) -> Iterator[tuple[list[str], list[str], str | None]]:
    """Each row's lines, with their ends, its cells, and what is broken: such a row is its first line alone."""
    ahead, again = iter(lines), deque[str]()
    row: list[str] = []

    def remembered() -> Iterator[str]:
        while (line := again.popleft() if again else next(ahead, None)) is not None:
            row.append(line)
            yield line

    reader = csv.reader(remembered(), strict=True)
    while True:
        row.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            again.extendleft(reversed(row[1:]))
            reader = csv.reader(remembered(), strict=True)
            yield row[:1], [], f"broken quotation ({error})"
        else:
            yield row[:], cells, None


def read_objects(path: Path, format_name: str, required: Sequence[str]) -> tuple[TextFile, list[tuple[Row, Any]]]:
    """The elements of a JSON list of objects, each with its own text; the first must have the keys `required`.

    Raises:
        FileRefused: as `read_text`; not JSON, not a list of objects, another layout.
    """
    file = read_text(path)
    try:
        elements = json.loads(file.text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise FileRefused(f"{path}: is broken JSON ({error}); download it again") from error
    if not isinstance(elements, list) or not all(isinstance(element, dict) for element in elements):
        raise FileRefused(f"{path}: is not a {format_name} file, which is a JSON list of objects")
    if not _is_text(elements):
        raise FileRefused(f"{path}: has half a character (a lone \\ud800 or the like); download it again")
    missing = [key for key in required if elements and key not in elements[0]]
    if missing:
        raise FileRefused(f"{path}: is not a {format_name} file, its objects have no {', '.join(missing)}")
    pairs = zip(_element_texts(file.text), elements, strict=True)
    return file, [(Row(number, raw, ()), element) for number, (raw, element) in enumerate(pairs, 1)]


def _is_text(elements: Any) -> bool:
    try:
        json.dumps(elements, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _element_texts(text: str) -> Iterator[str]:
    """Each element of a valid JSON list, as it stands in the text."""
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    while True:
        while text[place] in " \t\r\n,":
            place += 1
        if text[place] == "]":
            return
        _, end = decoder.raw_decode(text, place)
        yield text[place:end]
        place = end
