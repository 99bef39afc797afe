"""Records that this code did not write: of types and versions that it does not know, and payloads that are none."""

from typing import Any, ClassVar

from pydantic import ConfigDict

from schemas.ids import hashed_id
from schemas.record import Payload, Record
from tests.records import NOON


class AnyPayload(Payload):
    """Whatever a foreign producer said."""

    model_config = ConfigDict(frozen=True, extra="allow")


class ForeignRecord(Record):
    """An envelope of any type and version."""

    topic: ClassVar[str] = "events"
    data: AnyPayload


def foreign(
    type_name: str, number: int, schema_version: int = 1, event_id: str | None = "E1", **data: Any
) -> ForeignRecord:
    """A record that a log takes, and that the codec of this code may not."""
    return ForeignRecord(
        record_id=hashed_id("foreign", type_name, str(number)),
        type=type_name,
        schema_version=schema_version,
        event_id=event_id,
        occurred_at=NOON,
        producer="elsewhere",
        data=AnyPayload(**data),
    )
