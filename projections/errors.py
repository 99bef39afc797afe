"""What the store raises."""

import os
from errno import EDQUOT, EFBIG, ENOSPC

import duckdb

DuckDBError = duckdb.Error
"""What comes through where the store has no words of its own: a full disk, no memory."""

_NO_ROOM = tuple(map(os.strerror, (ENOSPC, EDQUOT, EFBIG)))


def has_no_room(error: Exception) -> bool:
    """Whether the disk is full, or what this user may have of it, or a file may not be larger: nothing is damaged."""
    return any(reason in str(error) for reason in _NO_ROOM)


class StoreError(Exception):
    """The store cannot do it; the message says what to do."""


class StoreInUseError(StoreError):
    """Another process holds the file: it is sound, and must be left where it is."""


class OutdatedStoreError(StoreError):
    """The file is sound, and of other code or another log: nobody needs it once it is made anew."""
