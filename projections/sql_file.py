"""A projection is one `.sql` file; this module reads it.

The file begins with a sentence and a header, then has sections in this order, each begun by a comment line:

    -- What a row is.
    -- reads: OddsSnapshotCaptured, EventStarted      (record types: relations of the batch)
    -- uses: events                                   (projections whose tables it looks at; their folds run first)
    -- unique: odds_records(snapshot_id)              (what a rebuild proves: no record was folded twice)
    -- table                                          CREATE TABLE ...; CREATE MACRO ... where folds call it
    -- fold                                           statements that change this file's tables only; each runs
                                                      where a record type that it names is in the batch
    -- view                                           CREATE VIEW ...
    -- query clv_by_book(league = NULL)               one SELECT, parameters as $league
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import duckdb

from schemas.registry import BY_NAME

_SECTION = re.compile(r"^-- (table|fold|view|query)\b[ ]*(.*)$")
_HEADER = re.compile(r"^-- (reads|uses|unique):(.*)$")
_QUERY = re.compile(r"(\w+)\((.*)\)")
_WORD = re.compile(r"\w+")


class BadProjectionError(ValueError):
    """A `.sql` file that does not follow the form; the message names file and line."""


@dataclass(frozen=True)
class NamedQuery:
    """A SELECT with named parameters; a parameter without a default must be given."""

    name: str
    sql: str
    defaults: Mapping[str, str | None]
    description: str
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Projection:
    """One parsed file; `tables`, `folds` and `views` are single statements."""

    name: str
    description: str
    reads: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    unique: tuple[tuple[str, str], ...] = ()
    tables: tuple[str, ...] = ()
    folds: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    queries: tuple[NamedQuery, ...] = ()

    def folds_of(self, present: Collection[str]) -> list[str]:
        """The folds that have something to do where records of these types are present."""
        return [fold for fold in self.folds if words(fold).intersection(self.reads, present)]


@cache
def words(statement: str) -> frozenset[str]:
    """All names and keywords in a statement."""
    return frozenset(_WORD.findall(statement))


@dataclass
class _Draft:
    description: str = ""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=lambda: {"table": [], "fold": [], "view": []})
    queries: list[tuple[str, list[str]]] = field(default_factory=list)


@cache
def load_projections() -> tuple[Projection, ...]:
    """Every projection of the package, in the order in which their folds run."""
    folder = files("projections") / "sql"
    texts = {
        path.name.removesuffix(".sql"): path.read_text("utf-8")
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    }
    return in_order(parse(name, text) for name, text in sorted(texts.items()))


def parse(name: str, text: str) -> Projection:
    """The projection in one file's text.

    Raises:
        BadProjectionError: the text does not follow the form.
    """
    draft = _Draft()
    target: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        section = _SECTION.match(line)
        if section:
            target = _open_section(draft, section[1], section[2])
        elif target is not None:
            target.append(line)
        else:
            _read_header(draft, name, number, line)
    try:
        return _finish(name, draft)
    except duckdb.ParserException as error:
        raise BadProjectionError(f"{name}.sql: {error}") from error


def in_order(projections: Iterable[Projection]) -> tuple[Projection, ...]:
    """Projections so that each comes after those it uses.

    Raises:
        BadProjectionError: a use of an unknown projection, or a circle.
    """
    waiting = {projection.name: projection for projection in projections}
    known, ordered = set(waiting), list[Projection]()
    for projection in waiting.values():
        if missing := set(projection.uses) - known:
            raise BadProjectionError(f"{projection.name}.sql uses {', '.join(sorted(missing))}, which no file defines")
    while waiting:
        ready = [p for p in waiting.values() if not set(p.uses) & set(waiting)]
        if not ready:
            raise BadProjectionError(f"projections use each other in a circle: {', '.join(sorted(waiting))}")
        ordered += ready
        for projection in ready:
            del waiting[projection.name]
    return tuple(ordered)


def _open_section(draft: _Draft, kind: str, rest: str) -> list[str]:
    if kind != "query":
        return draft.sections[kind]
    draft.queries.append((rest, []))
    return draft.queries[-1][1]


def _read_header(draft: _Draft, name: str, number: int, line: str) -> None:
    header = _HEADER.match(line)
    if header:
        draft.names[header[1]] = tuple(word.strip() for word in header[2].split(",") if word.strip())
    elif line.startswith("-- "):
        draft.description = f"{draft.description} {line[3:].strip()}".strip()
    elif line.strip():
        raise BadProjectionError(
            f"{name}.sql line {number}: write `-- table`, `-- fold`, `-- view` or `-- query` before SQL"
        )


def _finish(name: str, draft: _Draft) -> Projection:
    if not draft.description:
        raise BadProjectionError(f"{name}.sql: begin with a sentence that says what a row is")
    if unknown := [word for word in draft.names.get("reads", ()) if word not in BY_NAME]:
        raise BadProjectionError(f"{name}.sql reads {', '.join(unknown)}, which is no record type")
    reads, folds = draft.names.get("reads", ()), _statements(draft.sections["fold"])
    if any(words(fold).isdisjoint(reads) for fold in folds):
        raise BadProjectionError(f"{name}.sql: a fold names the types that it runs for, which the file reads")
    return Projection(
        name,
        draft.description,
        reads=reads,
        uses=draft.names.get("uses", ()),
        unique=tuple(_column(word) for word in draft.names.get("unique", ())),
        tables=_statements(draft.sections["table"]),
        folds=folds,
        views=_statements(draft.sections["view"]),
        queries=tuple(_named_query(name, head, lines) for head, lines in draft.queries),
    )


def _column(text: str) -> tuple[str, str]:
    table, _, column = text.rstrip(")").partition("(")
    return table, column


def _statements(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(statement.query.strip() for statement in duckdb.extract_statements("\n".join(lines)))


def _named_query(name: str, head: str, lines: list[str]) -> NamedQuery:
    parts = _QUERY.fullmatch(head.strip())
    statements = _statements(lines)
    if parts is None or len(statements) != 1:
        raise BadProjectionError(f"{name}.sql: write `-- query name(parameter = default, ...)` and one SELECT below it")
    words = [text for text in parts[2].split(",") if text.strip()]
    defaults = dict(_parameter(text) for text in words)
    required = tuple(text.strip() for text in words if "=" not in text)
    description = " ".join(line[3:].strip() for line in lines if line.startswith("-- "))
    return NamedQuery(parts[1], statements[0].rstrip(";"), defaults, description, required)


def _parameter(text: str) -> tuple[str, str | None]:
    name, _, default = (part.strip() for part in text.partition("="))
    return name, None if default.upper() in {"", "NULL"} else default.strip("'")
