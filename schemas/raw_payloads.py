"""Topic `raw_payloads`: what providers answered, whole and once."""

from typing import ClassVar, Literal

from schemas.record import Payload, Record, Text, Version1


class RawPayload(Payload):
    """`content` is the text as it came; `sha256` is of its UTF-8 bytes, in hex."""

    provider: Text
    source: Text
    content_type: Text = "application/json"
    content: str
    sha256: Text


class RawPayloadCaptured(Record):
    """One call to a provider, or one row of a file: snapshots name it instead of repeating it."""

    topic: ClassVar[str] = "raw_payloads"
    keyed_by: ClassVar[str | None] = "provider"
    type: Literal["RawPayloadCaptured"] = "RawPayloadCaptured"
    schema_version: Version1 = 1
    data: RawPayload
