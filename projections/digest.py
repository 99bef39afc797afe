"""Digests of tables: independent of the order of rows, so that two stores can be compared."""

from collections.abc import Mapping, Sequence

from projections import repeats
from projections.store import Store

_BOOKKEEPING = {"positions", "store_identity", "published_at", *repeats.TABLES}


def exact_digests(store: Store) -> dict[str, str]:
    """Every column of every projection's table: equal for the same log, or a copy of it."""
    return {
        table: digest(store, table, [f'CAST("{name}" AS VARCHAR)' for name in names])
        for table, names in columns(store).items()
    }


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """The tables whose digests differ, or that only one side has."""
    return sorted(table for table in {*first, *second} if first.get(table) != second.get(table))


def columns(store: Store) -> dict[str, list[str]]:
    """The columns of every projection's table, sorted."""
    rows = store.rows(
        "SELECT table_name, list(column_name ORDER BY column_name) FROM duckdb_columns() "
        "JOIN duckdb_tables() USING (database_name, schema_name, table_name) "
        "WHERE database_name = current_database() AND NOT duckdb_tables.temporary "
        "GROUP BY table_name ORDER BY table_name"
    )
    return {table: columns for table, columns in rows if table not in _BOOKKEEPING}


def digest(store: Store, table: str, parts: Sequence[str]) -> str:
    """How many rows a table has, and a hash of these expressions over them."""
    # hash() of a row, summed as whole numbers: the sum does not depend on the order, and doubled rows show.
    [(count, total)] = store.rows(f'SELECT count(*), sum(hash({", ".join(parts)})::HUGEINT) FROM "{table}"')
    return f"{count}:{total or 0:x}"
