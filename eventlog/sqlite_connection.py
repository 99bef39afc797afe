"""A connection to SQLite through ADBC's driver, over the plain half of its Python interface.

The other half (`dbapi`) takes SIGINT for itself during each call and has the driver cancel it, which this one can't do:
a Ctrl-C in that moment is lost, or comes out as an error of the log. Here a signal stays with whoever waits for it.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_sqlite as driver
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement, Error

__all__ = ["LEAST_SQLITE_VERSION", "Error", "SqliteConnection", "sqlite_version"]

LEAST_SQLITE_VERSION = (3, 51, 3)
"""The first in which two that write or checkpoint at once cannot damage the file (sqlite.org/wal.html#walresetbug)."""


def sqlite_version() -> tuple[int, ...]:
    """Of the library that comes with the driver."""
    with closing(SqliteConnection(":memory:")) as connection:
        [row] = connection.rows("SELECT sqlite_version() AS version")
    return tuple(map(int, row["version"].split(".")))


class SqliteConnection:
    """One connection; each statement is a transaction of its own, unless one was begun.

    Raises:
        Error: of any call, in SQLite's words.
        pyarrow.ArrowException, OSError: while rows are read.
    """

    def __init__(self, path: Path | str) -> None:
        self._database = driver.connect(str(path))
        try:
            self._connection = AdbcConnection(self._database)
        except Error:
            self._database.close()
            raise

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """What a statement gives; all of it."""
        with self.reading(sql, *parameters) as reader:
            rows: list[dict[str, Any]] = reader.read_all().to_pylist()
            return rows

    @contextmanager
    def reading(self, sql: str, *parameters: Any, batch_rows: int = 1024) -> Iterator[pa.RecordBatchReader]:
        """What a statement gives, in batches. A column's type is that of its first `batch_rows` values."""
        with AdbcStatement(self._connection) as statement:
            statement.set_options(**{driver.StatementOptions.BATCH_ROWS.value: str(batch_rows)})
            statement.set_sql_query(sql)
            if parameters:
                names = [str(number) for number in range(len(parameters))]
                statement.bind(pa.record_batch([[value] for value in parameters], names=names))
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as reader:
                yield reader

    def write(self, sql: str, rows: pa.RecordBatchReader) -> int:
        """Run a statement once for each of `rows`, its columns the parameters; the number of rows that it changed."""
        with AdbcStatement(self._connection) as statement:
            statement.set_sql_query(sql)
            statement.prepare()
            statement.bind_stream(rows)
            return int(statement.execute_update())

    def close(self) -> None:
        """End what was begun, and let the file go."""
        self._connection.close()
        self._database.close()
