"""Topic `calibrations`: calibration models, the gate's verdicts, and what is active."""

from typing import Any, ClassVar, Literal

from schemas.record import Count, Payload, Record, Text, Version1


class LogPosition(Payload):
    topic: Text
    partition: Count
    offset: Count


class CalibrationVersion(Payload):
    """A trained version. `trained` holds every segment's map, windows, metrics before and after, looks and verdict.

    Its form is that of `calibration.plain.plain_version`: the same rows give the same bytes. `training_digest` is of
    the rows learned from, `positions` say how much of the log they were read from.
    """

    calibration_version: Text
    method: Text
    training_days: Count
    training_rows: Count
    training_digest: Text
    log_id: Text
    positions: tuple[LogPosition, ...]
    activates: bool
    trained: dict[str, Any]


class CalibrationTrained(Record):
    """A version was trained and judged out of time."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationTrained"] = "CalibrationTrained"
    schema_version: Version1 = 1
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
    schema_version: Version1 = 1
    data: CalibrationVerdict


class CalibrationRejected(Record):
    """The gate stayed shut."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationRejected"] = "CalibrationRejected"
    schema_version: Version1 = 1
    data: CalibrationVerdict


class CalibrationRolledBack(Record):
    """A version stopped being the active one, for the segments named."""

    topic: ClassVar[str] = "calibrations"
    type: Literal["CalibrationRolledBack"] = "CalibrationRolledBack"
    schema_version: Version1 = 1
    data: CalibrationVerdict
