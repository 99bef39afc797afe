"""What the store raises."""

import duckdb

DuckDBError = duckdb.Error
"""What comes through where the store has no words of its own: a full disk, no memory."""


class StoreError(Exception):
    """The store cannot do it; the message says what to do."""


class StoreInUseError(StoreError):
    """Another process holds the file: it is sound, and must be left where it is."""


class OutdatedStoreError(StoreError):
    """The file is sound, and of other code or another log: nobody needs it once it is made anew."""
