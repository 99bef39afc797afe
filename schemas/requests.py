"""Topic `requests`: jobs asked for, and what housekeeping did."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.record import Count, Payload, Record, Text, UtcDatetime, Version1


class GradingRequest(Payload):
    """`publish_id` null: everything pending whose event started within `lookback_hours`."""

    publish_id: str | None = None
    lookback_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    force: bool = False
    requested_by: Text
    why: str | None = None


class GradingRequested(Record):
    """Somebody, or the timetable, asked for grades."""

    topic: ClassVar[str] = "requests"
    type: Literal["GradingRequested"] = "GradingRequested"
    schema_version: Version1 = 1
    data: GradingRequest


class GradingTally(Payload):
    """How the picks that were asked about stand; of a single one, its current grade or why it has none."""

    graded: Count
    voided: Count
    pending: Count
    grade_id: str | None = None
    pending_because: str | None = None


class GradingCompleted(Record):
    """The answer to a GradingRequested, which is its `causation_id`."""

    topic: ClassVar[str] = "requests"
    type: Literal["GradingCompleted"] = "GradingCompleted"
    schema_version: Version1 = 1
    data: GradingTally


class CalibrationRequest(Payload):
    training_days: Annotated[int, Field(ge=1)] = 30
    method: Literal["isotonic", "platt", "temperature", "beta", "auto"] = "auto"
    requested_by: Text


class CalibrationRequested(Record):
    """Somebody, or the timetable, asked for a calibration."""

    topic: ClassVar[str] = "requests"
    type: Literal["CalibrationRequested"] = "CalibrationRequested"
    schema_version: Version1 = 1
    data: CalibrationRequest


class RetentionRequest(Payload):
    retention_days: Annotated[int, Field(ge=1)]
    keep_closing_lines: bool = True
    requested_by: Text


class RetentionRequested(Record):
    """Somebody, or the timetable, asked to let old odds go."""

    topic: ClassVar[str] = "requests"
    type: Literal["RetentionRequested"] = "RetentionRequested"
    schema_version: Version1 = 1
    data: RetentionRequest


class Retention(Payload):
    """Odds captured before `cutoff` are out of the views, but for the snapshots in `kept` of all its parts.

    What is kept may be more than one record can hold: `decision` is what its parts share, none where there is but one.
    It takes effect when all `parts` are there; `removed` counts the snapshots of the whole.
    """

    cutoff: UtcDatetime
    kept: tuple[str, ...] = ()
    removed: Count
    keep_closing_lines: bool = True
    decision: Text | None = None
    part: Annotated[int, Field(ge=1)] = 1
    parts: Annotated[int, Field(ge=1)] = 1


class RetentionApplied(Record):
    """The answer to a RetentionRequested, which is its `causation_id`; a long one comes in parts."""

    topic: ClassVar[str] = "requests"
    type: Literal["RetentionApplied"] = "RetentionApplied"
    schema_version: Version1 = 1
    data: Retention


class DeadLetterResolution(Payload):
    """`dead_letter` is `topic/record_id`; `topic/partition/offset` of a record without an id that could be read."""

    dead_letter: Text
    action: Literal["retry", "drop"]
    who: Text
    why: Text


class DeadLetterResolved(Record):
    """Somebody decided what becomes of a record that could not be decoded or folded."""

    topic: ClassVar[str] = "requests"
    type: Literal["DeadLetterResolved"] = "DeadLetterResolved"
    schema_version: Version1 = 1
    data: DeadLetterResolution
