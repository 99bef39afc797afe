"""What may be asked of the store: one SELECT, with the parameters that it has, in a transaction that writes nothing."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from projections.errors import StoreError
from projections.sql_file import NamedQuery

READ_ONLY = "BEGIN TRANSACTION READ ONLY"
_WRITES = (duckdb.TransactionException, duckdb.InvalidInputException)
_CAST = re.compile(r"\$(\w+)::(\w+(?:\([^)]*\))?)")
_ASK_ONE = "ask one SELECT"
_CHANGE_NOTHING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.CALL,
    duckdb.StatementType.SET,
    duckdb.StatementType.VARIABLE_SET,
    duckdb.StatementType.TRANSACTION,
}
_ASK_ONLY = f"{_ASK_ONE}: the projections change only by what is put on record"


def bind(query: NamedQuery, given: Mapping[str, Any]) -> dict[str, Any]:
    """The query's parameters with defaults filled in.

    Raises:
        StoreError: a parameter that the query does not have, or one that it needs is missing.
    """
    if unknown := set(given) - set(query.defaults):
        known = ", ".join(query.defaults) or "none"
        raise StoreError(f"query {query.name} has no parameter {', '.join(sorted(unknown))}; it has {known}")
    if missing := set(query.required) - set(given):
        raise StoreError(f"query {query.name} needs {', '.join(sorted(missing))}")
    return {**query.defaults, **given}


def typed(query: NamedQuery, given: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and type of the texts given for parameters that the query casts."""
    casts = {name: kind for name, kind in _CAST.findall(query.sql) if kind != "VARCHAR"}
    return [(name, text, casts[name]) for name, text in given.items() if name in casts and isinstance(text, str)]


def check(sql: str, given: Mapping[str, Any]) -> None:
    """Refuse what is not one SELECT with these parameters.

    Raises:
        StoreError: it is something else; duckdb.Error where it is no SQL.
    """
    _check_is_text(sql, *given.values())
    statements = duckdb.extract_statements(sql)
    _check_reads(statements)
    _check_has(given, statements[0].named_parameters)


@contextmanager
def in_our_words() -> Iterator[None]:
    """What DuckDB refuses inside is a StoreError."""
    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, _WRITES) and "read-only mode" in str(error):
            raise StoreError(_ASK_ONLY) from error
        raise StoreError(f"DuckDB refuses the query: {error}") from error


def _check_is_text(*values: object) -> None:
    """Without UTF-8, Python takes what it cannot read for halves of characters, of which DuckDB knows nothing."""
    try:
        "".join(value for value in values if isinstance(value, str)).encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            "the query has characters that this locale cannot read: ask again with LC_ALL=C.UTF-8"
        ) from error


def _check_reads(statements: Sequence[duckdb.Statement]) -> None:
    """Refuse what is not one statement that reads."""
    kinds = _kinds(statements)
    if kinds != [duckdb.StatementType.SELECT]:
        raise StoreError(_ASK_ONE if _CHANGE_NOTHING.issuperset(kinds) else _ASK_ONLY)


def _check_has(given: Iterable[str], has: Collection[str]) -> None:
    if unknown := set(given) - set(has):
        known = ", ".join(sorted(has)) or "none"
        raise StoreError(f"the query has no parameter {', '.join(sorted(unknown))}; it has {known}")


def _kinds(statements: Sequence[duckdb.Statement]) -> list[duckdb.StatementType]:
    """What the statements are; an EXPLAIN is what it explains, for ANALYZE runs that."""
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.EXPLAIN]:
        return kinds
    explain = statements[0].query
    # What is explained begins at the first place, counted in bytes, from where the rest is a statement by itself.
    for place, _ in duckdb.tokenize(explain)[1:]:
        with suppress(duckdb.ParserException):
            return _kinds(duckdb.extract_statements(explain.encode()[place:].decode()))
    return kinds
