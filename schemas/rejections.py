"""Topic `rejections`: input that was not good enough to become a record, and the tally of each file."""

from typing import ClassVar, Literal

from schemas.record import Count, Payload, Record, Text, Version1


class Rejection(Payload):
    """`kind` ROW: nothing of the row was used. CELL: the rest of the row was. `raw` is the row as it came."""

    source: Text
    location: Text
    kind: Literal["ROW", "CELL"]
    column: str | None = None
    reason: Text
    raw: str


class InputRejected(Record):
    """A row or a cell was refused, with its reason."""

    topic: ClassVar[str] = "rejections"
    type: Literal["InputRejected"] = "InputRejected"
    schema_version: Version1 = 1
    data: Rejection


class FileTally(Payload):
    """rows = accepted + rejected, always; bad cells of accepted rows are counted apart."""

    source: Text
    sha256: Text
    format: Text
    rows: Count
    accepted: Count
    rejected: Count
    rejected_cells: Count


class FileImported(Record):
    """A file was read to its end."""

    topic: ClassVar[str] = "rejections"
    type: Literal["FileImported"] = "FileImported"
    schema_version: Version1 = 1
    data: FileTally
