"""Topic `sim_runs`: simulation runs and the exact inputs that they saw."""

from typing import ClassVar, Literal

from schemas.record import Count, EventId, Payload, Record, Text, Version1


class SimRunStart(Payload):
    """`trigger`: user_click, auto_internal, scheduled, or another word of the caller's. `sim_count` 0: closed form."""

    trigger: Text
    sim_count: Count
    model_version: Text
    feature_set_version: Text
    decision_policy_version: Text
    calibration_version_applied: str | None = None
    seed_policy: Text
    seed: int | None = None


class SimRunStarted(Record):
    """A simulation run began."""

    topic: ClassVar[str] = "sim_runs"
    type: Literal["SimRunStarted"] = "SimRunStarted"
    schema_version: Version1 = 1
    event_id: EventId
    data: SimRunStart


class SimRunInputs(Payload):
    sim_run_id: Text
    snapshot_id: str | None = None
    injury_snapshot_id_home: str | None = None
    injury_snapshot_id_away: str | None = None
    further_snapshot_ids: tuple[str, ...] = ()


class SimRunInputsRecorded(Record):
    """Which snapshots a run saw."""

    topic: ClassVar[str] = "sim_runs"
    type: Literal["SimRunInputsRecorded"] = "SimRunInputsRecorded"
    schema_version: Version1 = 1
    event_id: EventId
    data: SimRunInputs


class SimRunCompletion(Payload):
    """`runtime_ms` is null where history was replayed: nobody ran it then."""

    sim_run_id: Text
    runtime_ms: Count | None = None


class SimRunCompleted(Record):
    """A run ended well."""

    topic: ClassVar[str] = "sim_runs"
    type: Literal["SimRunCompleted"] = "SimRunCompleted"
    schema_version: Version1 = 1
    event_id: EventId
    data: SimRunCompletion


class SimRunFailure(Payload):
    sim_run_id: Text
    error: Text
    runtime_ms: Count | None = None


class SimRunFailed(Record):
    """A run ended in an error."""

    topic: ClassVar[str] = "sim_runs"
    type: Literal["SimRunFailed"] = "SimRunFailed"
    schema_version: Version1 = 1
    event_id: EventId
    data: SimRunFailure
