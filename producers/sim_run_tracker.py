"""Simulation runs, the snapshots that they saw, and what they predicted, put on record as they happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventlog.clock import Clock
from eventlog.log import EventLog
from producers.checked import build, check_selection, found, tells_arguments
from schemas.ids import derived_id
from schemas.injuries import InjurySnapshotCaptured
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import Prediction, PredictionMade
from schemas.record import Record
from schemas.sim_runs import (
    SimRunCompleted,
    SimRunCompletion,
    SimRunFailed,
    SimRunFailure,
    SimRunInputs,
    SimRunInputsRecorded,
    SimRunStart,
    SimRunStarted,
)

PRODUCER = "sim_run_tracker"


@tells_arguments
@dataclass(frozen=True)
class SimRunTracker:
    """Tracks runs; an id that it is called with must be on the log, and of the same event."""

    log: EventLog
    clock: Clock

    def create_sim_run(
        self,
        event_id: str,
        trigger: str,
        sim_count: int,
        model_version: str,
        feature_set_version: str,
        decision_policy_version: str,
        calibration_version_applied: str | None = None,
        *,
        seed_policy: str,
        seed: int | None = None,
    ) -> str:
        """Put the start of a run on record.

        `trigger`: user_click, auto_internal, scheduled, or another word.

        Returns:
            The sim_run_id.

        Raises:
            ValueError: says which argument is wrong.
        """
        data = build(
            SimRunStart,
            trigger=trigger,
            sim_count=sim_count,
            model_version=model_version,
            feature_set_version=feature_set_version,
            decision_policy_version=decision_policy_version,
            calibration_version_applied=calibration_version_applied,
            seed_policy=seed_policy,
            seed=seed,
        )
        run = build(SimRunStarted, event_id=event_id, occurred_at=self.clock.now(), producer=PRODUCER, data=data)
        self.log.append([run])
        return run.ref

    def record_sim_run_inputs(
        self,
        sim_run_id: str,
        snapshot_id: str | None = None,
        injury_snapshot_id_home: str | None = None,
        injury_snapshot_id_away: str | None = None,
        further_snapshot_ids: Sequence[str] = (),
    ) -> str:
        """Put on record which snapshots a run saw.

        Returns:
            The record's id.

        Raises:
            ValueError: no snapshot is named, or the run or a snapshot is not on the log or of another event.
        """
        run = self._run(sim_run_id)
        odds = [ref for ref in (snapshot_id, *further_snapshot_ids) if ref is not None]
        injuries = [ref for ref in (injury_snapshot_id_home, injury_snapshot_id_away) if ref is not None]
        if not odds and not injuries:
            raise ValueError("no input is named: pass snapshot_id, an injury snapshot, or further_snapshot_ids")
        for ref in odds:
            _same_event("snapshot", found(self.log, OddsSnapshotCaptured, ref, "snapshot"), run.event_id)
        for ref in injuries:
            report = found(self.log, InjurySnapshotCaptured, ref, "injury snapshot")
            if report.event_id is not None:  # a report may belong to a team alone
                _same_event("injury snapshot", report, run.event_id)
        data = build(
            SimRunInputs,
            sim_run_id=sim_run_id,
            snapshot_id=snapshot_id,
            injury_snapshot_id_home=injury_snapshot_id_home,
            injury_snapshot_id_away=injury_snapshot_id_away,
            further_snapshot_ids=tuple(further_snapshot_ids),
        )
        inputs = SimRunInputsRecorded(
            event_id=run.event_id,
            occurred_at=self.clock.now(),
            producer=PRODUCER,
            correlation_id=run.record_id,
            causation_id=run.record_id,
            data=data,
        )
        self.log.append([inputs])
        return inputs.ref

    def create_prediction(
        self,
        *,
        sim_run_id: str,
        event_id: str,
        market_key: str,
        selection: str,
        market_snapshot_id_used: str | None,
        p_cover: float,
        p_cover_calibrated: float | None = None,
        calibration_version_applied: str | None = None,
        model_line: float | None = None,
        ev_units: float | None = None,
        edge_points: float | None = None,
        uncertainty: float | None = None,
        distribution_summary: Mapping[str, float] | None = None,
        rcl_gate_pass: bool | None = None,
        recommendation_state: str | None = None,
        tier: str | None = None,
        confidence_index: float | None = None,
        variance_bucket: str | None = None,
    ) -> str:
        """Put on record what a run believes about one selection.

        `p_cover` is the raw P(win | no push). `p_cover_calibrated` went through `calibration_version_applied`, by
        default the run's. `market_snapshot_id_used` is the snapshot of this very selection; None must be said, and
        means a forecast without a price.

        Returns:
            The prediction_id.

        Raises:
            ValueError: an argument is wrong, the run or the snapshot is not on the log, or they are of another event,
                market or selection.
        """
        run = self._run(sim_run_id)
        _same_event("sim_run_id", run, event_id)
        check_selection(market_key, selection)
        version = calibration_version_applied
        if p_cover_calibrated is not None:
            version = version or run.data.calibration_version_applied
            if version is None:
                raise ValueError("p_cover_calibrated is given: pass the calibration_version_applied that made it")
        data = build(
            Prediction,
            sim_run_id=sim_run_id,
            market_key=market_key,
            selection=selection,
            market_snapshot_id_used=market_snapshot_id_used,
            model_line=model_line,
            p_cover=p_cover,
            p_cover_calibrated=p_cover_calibrated,
            calibration_version_applied=version,
            ev_units=ev_units,
            edge_points=edge_points,
            uncertainty=uncertainty,
            distribution_summary=dict(distribution_summary or {}),
            rcl_gate_pass=rcl_gate_pass,
            recommendation_state=recommendation_state,
            tier=tier,
            confidence_index=confidence_index,
            variance_bucket=variance_bucket,
        )
        self._check_snapshot(event_id, data)
        prediction = PredictionMade(
            event_id=event_id,
            occurred_at=self.clock.now(),
            producer=PRODUCER,
            correlation_id=run.record_id,
            causation_id=run.record_id,
            data=data,
        )
        self.log.append([prediction])
        return prediction.ref

    def complete_sim_run(self, sim_run_id: str, runtime_ms: int) -> str:
        """Put on record that a run ended well; saying so again adds nothing.

        Returns:
            The record's id.

        Raises:
            ValueError: the run is not on the log, or has already ended otherwise.
        """
        run = self._run(sim_run_id)
        data = build(SimRunCompletion, sim_run_id=sim_run_id, runtime_ms=runtime_ms)
        return self._end(run, SimRunCompleted(**self._ending(run), data=data))

    def fail_sim_run(self, sim_run_id: str, error: str, runtime_ms: int | None = None) -> str:
        """Put on record that a run ended in an error; saying so again adds nothing.

        Returns:
            The record's id.

        Raises:
            ValueError: the run is not on the log, or has already ended otherwise.
        """
        run = self._run(sim_run_id)
        data = build(SimRunFailure, sim_run_id=sim_run_id, error=error, runtime_ms=runtime_ms)
        return self._end(run, SimRunFailed(**self._ending(run), data=data))

    def _run(self, sim_run_id: str) -> SimRunStarted:
        return found(self.log, SimRunStarted, sim_run_id, "sim_run_id")

    def _check_snapshot(self, event_id: str, data: Prediction) -> None:
        if data.market_snapshot_id_used is None:
            return
        snapshot = found(self.log, OddsSnapshotCaptured, data.market_snapshot_id_used, "market_snapshot_id_used")
        _same_event("market_snapshot_id_used", snapshot, event_id)
        seen, predicted = (f"{side.market_key} {side.selection}" for side in (snapshot.data, data))
        if seen != predicted:
            raise ValueError(
                f"market_snapshot_id_used is a price on {seen}, the prediction is on {predicted}: "
                "pass the snapshot of the selection that is predicted"
            )

    def _ending(self, run: SimRunStarted) -> dict[str, Any]:
        """The envelope of a run's end: the id is the run's alone, so that a run ends once."""
        return {
            "record_id": derived_id(run.occurred_at, "sim_run_end", run.ref),
            "event_id": run.event_id,
            "occurred_at": self.clock.now(),
            "producer": PRODUCER,
            "correlation_id": run.record_id,
            "causation_id": run.record_id,
        }

    def _end(self, run: SimRunStarted, end: SimRunCompleted | SimRunFailed) -> str:
        stands = self.log.find(end.topic, end.ref)
        if stands is None:
            self.log.append([end])
            stands = self.log.find(end.topic, end.ref) or end  # of two processes one was first
        if (stands.type, stands.data) != (end.type, end.data):
            raise ValueError(
                f"sim run {run.ref!r} has already ended: {stands.type} {stands.data.model_dump_json()}; "
                "start another run with create_sim_run"
            )
        return end.ref


def _same_event(what: str, record: Record, event_id: str) -> None:
    if record.event_id != event_id:
        raise ValueError(f"{what} {record.ref!r} belongs to event {record.event_id!r}, not to {event_id!r}")
