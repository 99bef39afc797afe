"""Topic `calibrations`: calibration models, the gate's verdicts, and what is active."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.record import Count, Finite, Payload, Record, Text, UtcDatetime


class SegmentMetrics(Payload):
    """Each figure stands beside its 95% interval; `n` counts the rows that it is of."""

    n: Count
    base_rate: Finite | None = None
    ece: Finite | None = None
    ece_interval: tuple[float, ...] = ()
    brier: Finite | None = None
    brier_interval: tuple[float, ...] = ()
    log_loss: Finite | None = None
    log_loss_interval: tuple[float, ...] = ()


class CalibrationSegment(Payload):
    """One league x market of a version: its map, what it did out of time, and the gate's verdict in words."""

    segment: Text
    level: Text
    method: Text
    params: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    n: Count
    before: SegmentMetrics
    after: SegmentMetrics
    e_value: Finite | None = None
    activates: bool
    reasons: tuple[str, ...] = ()


class LogPosition(Payload):
    topic: Text
    partition: Count
    offset: Count


class CalibrationVersion(Payload):
    calibration_version: Text
    method: Text
    training_days: Count
    trained_from: UtcDatetime | None = None
    trained_until: UtcDatetime | None = None
    log_id: Text
    positions: tuple[LogPosition, ...]
    training_digest: Text
    segments: tuple[CalibrationSegment, ...]
    overall_before: SegmentMetrics
    overall_after: SegmentMetrics


class CalibrationTrained(Record):
    """A version was trained and judged out of time."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationTrained"] = "CalibrationTrained"
    schema_version: Literal[1] = 1
    data: CalibrationVersion


class CalibrationVerdict(Payload):
    calibration_version: Text
    segments: tuple[str, ...] = ()
    decided_by: Text
    reasons: tuple[str, ...] = ()


class CalibrationActivated(Record):
    """A version is the active one from here on, for the segments named."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationActivated"] = "CalibrationActivated"
    schema_version: Literal[1] = 1
    data: CalibrationVerdict


class CalibrationRejected(Record):
    """The gate stayed shut."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationRejected"] = "CalibrationRejected"
    schema_version: Literal[1] = 1
    data: CalibrationVerdict


class CalibrationRolledBack(Record):
    """A version stopped being the active one, for the segments named."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationRolledBack"] = "CalibrationRolledBack"
    schema_version: Literal[1] = 1
    data: CalibrationVerdict
