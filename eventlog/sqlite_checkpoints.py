"""What was appended moves out of SQLite's write-ahead log into its file beside the next appends, not within one.

SQLite alone would let the transaction that fills a thousandth page wait for all of them to reach the disk.
"""

import threading
from contextlib import closing, suppress

import pyarrow as pa

from eventlog.sqlite_connection import Error, SqliteConnection

DUE_BYTES = 2_500_000
"""Of appended columns; with index and free space that is about 1,000 pages, SQLite's own measure."""
MOST_PAGES = 4000
"""Of the write-ahead log: there a transaction waits after all, lest it grow for as long as somebody appends."""


class Checkpoints:
    """The checkpoints of one log, one at a time, each in a thread and through a connection of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting = 0
        self._running = threading.Thread()

    def add(self, size: int) -> None:
        """Count the bytes of a transaction."""
        self._waiting += size

    def start_if_due(self) -> None:
        """After a commit: start one if enough is waiting and none is on its way. It never fails the append."""
        if self._waiting < DUE_BYTES or self._running.is_alive():
            return
        self._waiting = 0
        self._running = threading.Thread(target=self._run, name="checkpoint")
        with suppress(RuntimeError):  # no more threads, as while Python ends
            self._running.start()

    def finish(self) -> None:
        """Wait for the one on its way."""
        if self._running.is_alive():
            self._running.join()

    def _run(self) -> None:
        # One that fails has lost nothing: the next does its work, at the latest the one that an append waits for.
        with suppress(Error, pa.ArrowException, OSError), closing(SqliteConnection(self._path)) as connection:
            connection.rows("PRAGMA wal_checkpoint(PASSIVE)")
