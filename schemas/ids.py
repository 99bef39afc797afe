"""Ids: time-ordered, so that unique indexes stay fast, and derived from identity where a record must come out the same.

Layouts are those of RFC 9562: version 7 for spontaneous records, version 8 for derived ones. Both begin with a
48-bit count of milliseconds.
"""

import hashlib
import os
import time
from collections.abc import Iterable
from datetime import datetime

SEPARATOR = "~"


def spontaneous_id() -> str:
    """A UUIDv7: a new id for something that just happened."""
    return _format(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10)), version=7)


def derived_id(at: datetime, *identity: str) -> str:
    """A UUIDv8 of a time that belongs to the identity, and a hash of the identity: the same parts give the same id."""
    return _format(int(at.timestamp() * 1000), _hash(identity), version=8)


def hashed_id(*identity: str) -> str:
    """A UUIDv8 of the identity alone, where no time belongs to it."""
    digest = _hash(identity)
    return _format(digest >> 32 & 0xFFFF_FFFF_FFFF, digest * 0x9E37_79B9_7F4A_7C15, version=8)


def reference(key: str, record_id: str) -> str:
    """The id handed to callers: it carries the key, so that its record is found without a look-up."""
    return f"{key}{SEPARATOR}{record_id}"


def split_reference(ref: str) -> tuple[str, str]:
    """The key and the record_id of a reference.

    Raises:
        ValueError: the text is not `<key>~<uuid>`.
    """
    key, found, record_id = ref.rpartition(SEPARATOR)
    if not found or not key or len(record_id) != 36:
        raise ValueError(
            f"{ref!r} is not an id handed out by onrecord (<event_id>~<uuid>): pass the id that the call returned"
        )
    return key, record_id


def _hash(identity: Iterable[str]) -> int:
    # Lengths are hashed too: ("ab", "c") and ("a", "bc") are two identities.
    text = "".join(f"{len(part)}:{part}" for part in identity)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:10])


def _format(milliseconds: int, tail: int, version: int) -> str:
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | tail & (1 << 80) - 1
    value = value & ~(0xF << 76) | version << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
