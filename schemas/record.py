"""The envelope that every record shares."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    StringConstraints,
)
from pydantic_core.core_schema import chain_schema, int_schema

from schemas.ids import reference, spontaneous_id

_NO_OFFSET = timedelta()


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is not None and value.tzinfo.utcoffset(value) == _NO_OFFSET:
        return datetime.combine(value, value.time(), UTC)  # a third of what `astimezone` takes
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time lies outside of the calendar in UTC") from error


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A time with an offset, kept as UTC; a naive one is refused."""

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
EventId = Annotated[str, StringConstraints(pattern=r"^[^~\s][^~]*$", max_length=200, strip_whitespace=True)]
"""Without the separator of references."""
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Origin = Literal["LIVE", "BACKFILL"]
WholeNumber = GetPydanticSchema(
    lambda literal, schema_of: chain_schema([int_schema(strict=True), schema_of(literal)]),
    lambda schema, json_schema_of: json_schema_of(schema["steps"][1]),
)
"""Of a literal number: true and 1.0, which Pydantic takes for 1, are refused."""
Version1 = Annotated[Literal[1], WholeNumber]


class Payload(BaseModel):
    """What one record says: frozen, and refusing fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(Payload):
    """One immutable entry of the log; each subclass names its topic, its type and its payload.

    `occurred_at` is upstream's time. `recorded_at` is stamped by the log at the append and kept by a copy of the log.
    """

    topic: ClassVar[str]
    keyed_by: ClassVar[str | None] = None
    """The payload's field that keys a record that belongs to no event."""

    record_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] = Field(
        default_factory=spontaneous_id
    )
    type: str
    schema_version: int
    event_id: EventId | None = None
    occurred_at: UtcDatetime
    recorded_at: UtcDatetime | None = None
    origin: Origin = "LIVE"
    producer: Text
    correlation_id: str | None = None
    causation_id: str | None = None
    data: Any

    @property
    def key(self) -> str:
        """The partition key, never null: the event, else the payload's key, else the topic."""
        if self.event_id is not None:
            return self.event_id
        return str(getattr(self.data, self.keyed_by)) if self.keyed_by else self.topic

    @property
    def ref(self) -> str:
        """The id that other records and callers know this record by."""
        return reference(self.key, self.record_id)
