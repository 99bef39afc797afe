"""Every record type by name. A new type is added to its topic's module and to the tuple here."""

from types import MappingProxyType

from schemas import (
    calibrations,
    events,
    gradings,
    injuries,
    odds,
    predictions,
    publishes,
    raw_payloads,
    rejections,
    requests,
    sim_runs,
)
from schemas.record import Record

RECORD_TYPES: tuple[type[Record], ...] = (
    raw_payloads.RawPayloadCaptured,
    events.EventScheduled,
    events.EventRescheduled,
    events.EventStatusChanged,
    events.EventStarted,
    events.ResultRecorded,
    events.ResultCorrected,
    odds.OddsSnapshotCaptured,
    injuries.InjurySnapshotCaptured,
    sim_runs.SimRunStarted,
    sim_runs.SimRunInputsRecorded,
    sim_runs.SimRunCompleted,
    sim_runs.SimRunFailed,
    predictions.PredictionMade,
    publishes.PredictionPublished,
    publishes.ParlayPublished,
    requests.GradingRequested,
    requests.GradingCompleted,
    requests.CalibrationRequested,
    requests.RetentionRequested,
    requests.RetentionApplied,
    requests.DeadLetterResolved,
    gradings.PredictionGraded,
    calibrations.CalibrationTrained,
    calibrations.CalibrationActivated,
    calibrations.CalibrationRejected,
    calibrations.CalibrationRolledBack,
    rejections.InputRejected,
    rejections.FileImported,
)


def type_name(record_type: type[Record]) -> str:
    """The literal name on the wire; it never comes from a class or module path."""
    return str(record_type.model_fields["type"].default)


def current_version(record_type: type[Record]) -> int:
    """The schema_version that is written today."""
    return int(record_type.model_fields["schema_version"].default)


BY_NAME = MappingProxyType({type_name(record_type): record_type for record_type in RECORD_TYPES})
TOPICS: tuple[str, ...] = tuple(dict.fromkeys(record_type.topic for record_type in RECORD_TYPES))
"""In the order in which a reader that is behind should take them: what others refer to comes first."""
