"""Digests of tables: independent of the order of rows, so that two stores can be compared."""

from collections.abc import Callable, Mapping

from projections import repeats
from projections.store import Store

# Where two stores hold the same truth these may still differ: stamps, places in the log, the store's own book-keeping.
_NOT_CONTENT = {"recorded_at", "offset", "partition", "known_at", "decided_at", "revision", "grade_id", "raw"}
_BOOKKEEPING = {"positions", "store_identity", "published_at", *repeats.TABLES}
_SPONTANEOUS = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
# History and stamps belong to one log's life; another log with the same content has another history.
_OF_ONE_LOG = {"gradings", "dead_letters"}


def exact_digests(store: Store) -> dict[str, str]:
    """Every column of every projection's table: equal for the same log, or a copy of it."""
    return {table: _digest(store, table, columns, _as_text) for table, columns in _tables(store).items()}


def content_digests(store: Store) -> dict[str, str]:
    """Without stamps, positions, spontaneous ids and superseded decisions: equal wherever the same thing happened."""
    return {
        table: _digest(store, table, [column for column in columns if column not in _NOT_CONTENT], _masked)
        for table, columns in _tables(store).items()
        if table not in _OF_ONE_LOG
    }


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """The tables whose digests differ, or that only one side has."""
    return sorted(table for table in {*first, *second} if first.get(table) != second.get(table))


def _tables(store: Store) -> dict[str, list[str]]:
    rows = store.rows(
        "SELECT table_name, list(column_name ORDER BY column_name) FROM duckdb_columns() "
        "JOIN duckdb_tables() USING (database_name, schema_name, table_name) "
        "WHERE database_name = current_database() AND NOT duckdb_tables.temporary "
        "GROUP BY table_name ORDER BY table_name"
    )
    return {table: columns for table, columns in rows if table not in _BOOKKEEPING}


def _as_text(column: str) -> str:
    return f'CAST("{column}" AS VARCHAR)'


def _masked(column: str) -> str:
    return f"regexp_replace({_as_text(column)}, '{_SPONTANEOUS}', 'id', 'g')"


def _digest(store: Store, table: str, columns: list[str], form: Callable[[str], str]) -> str:
    parts = ", ".join(form(column) for column in columns)
    # hash() of a row, summed as whole numbers: the sum does not depend on the order, and doubled rows show.
    [(count, total)] = store.rows(f'SELECT count(*), sum(hash({parts})::HUGEINT) FROM "{table}"')
    return f"{count}:{total or 0:x}"
