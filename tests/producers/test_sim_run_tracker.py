"""A run, the snapshots that it saw, what it predicted and how it ended are on record, and fit together."""

from typing import Any

import pytest

from schemas.predictions import PredictionMade
from schemas.sim_runs import SimRunCompleted, SimRunFailed, SimRunInputsRecorded, SimRunStarted
from tests.producers.stage import EVENT, NOW, TEAMS, Stage


def injuries(stage: Stage, team: str, event_id: str | None = None) -> str:
    """A captured injury report."""
    return stage.snapshots.capture_injury_snapshot(team, "NBA", "NBA", [], raw_payload={}, event_id=event_id)


def test_a_run_starts_with_its_versions(stage: Stage) -> None:
    """Every version that the run used is on record; its id carries the event."""
    run_id = stage.run(calibration_version_applied="v_20260119_030000", seed=7)
    (run,) = stage.records(SimRunStarted)
    assert (run_id, EVENT, NOW) == (run.ref, run.event_id, run.occurred_at)
    assert run_id.startswith(f"{EVENT}~")
    assert (
        run.data.model_version,
        run.data.feature_set_version,
        run.data.decision_policy_version,
        run.data.calibration_version_applied,
        run.data.seed_policy,
        run.data.seed,
    ) == ("v2.1.0", "v1.5", "v1.0", "v_20260119_030000", "rolled", 7)


def test_two_runs_are_two(stage: Stage) -> None:
    """A rerun with the same arguments is another run."""
    assert stage.run() != stage.run()


def test_inputs_are_recorded_under_the_run(stage: Stage) -> None:
    """The event comes out of the run's id; injury reports may belong to a team alone or to the event."""
    snapshot, run_id = stage.spread(), stage.run()
    home, away = injuries(stage, TEAMS[0]), injuries(stage, TEAMS[1], EVENT)
    stage.runs.record_sim_run_inputs(
        sim_run_id=run_id, snapshot_id=snapshot, injury_snapshot_id_home=home, injury_snapshot_id_away=away
    )
    (inputs,) = stage.records(SimRunInputsRecorded)
    assert (EVENT, run_id, snapshot, home, away) == (
        inputs.event_id,
        inputs.data.sim_run_id,
        inputs.data.snapshot_id,
        inputs.data.injury_snapshot_id_home,
        inputs.data.injury_snapshot_id_away,
    )


def test_inputs_must_be_on_the_log_and_of_the_event(stage: Stage) -> None:
    """A dangling or foreign input is refused when it is said, not found later."""
    run_id, snapshot = stage.run(), stage.spread()
    foreign, gone = stage.spread(event_id="other"), snapshot[:-1] + ("0" if snapshot[-1] != "0" else "1")
    for wrong, what in (
        ({}, "no input"),
        ({"snapshot_id": foreign}, "belongs to event 'other'"),
        ({"snapshot_id": gone}, "not on the log"),
        ({"further_snapshot_ids": [snapshot, gone]}, "not on the log"),
        ({"injury_snapshot_id_home": injuries(stage, TEAMS[0], "other")}, "belongs to event 'other'"),
        ({"injury_snapshot_id_away": snapshot}, "not on the log"),
    ):
        with pytest.raises(ValueError, match=what):
            stage.runs.record_sim_run_inputs(run_id, **wrong)
    assert stage.records(SimRunInputsRecorded) == []


def test_a_prediction_keeps_all_that_was_said(stage: Stage) -> None:
    """Every argument of the usage guide comes back as it went in."""
    said: dict[str, Any] = {
        "market_snapshot_id_used": stage.spread(),
        "model_line": -4.8,
        "p_cover": 0.62,
        "ev_units": 2.1,
        "edge_points": 3.2,
        "uncertainty": 1.5,
        "distribution_summary": {"mean": -4.8, "p10": -8.2, "p50": -4.8, "p90": -1.4},
        "rcl_gate_pass": True,
        "recommendation_state": "EDGE",
        "tier": "A",
        "confidence_index": 0.62,
        "variance_bucket": "MEDIUM",
    }
    prediction_id = stage.prediction(**said)
    (prediction,) = stage.records(PredictionMade)
    assert prediction_id == prediction.ref
    assert said == {name: getattr(prediction.data, name) for name in said}


def test_raw_and_calibrated_probability_are_both_kept(stage: Stage) -> None:
    """The calibration version is the run's, or the one said; without one a calibrated probability is refused."""
    run_id = stage.run(calibration_version_applied="v_1")
    stage.prediction(sim_run_id=run_id, p_cover_calibrated=0.58)
    stage.prediction(p_cover_calibrated=0.58, calibration_version_applied="v_2")
    stage.prediction(sim_run_id=run_id)
    versions = [(p.data.p_cover_calibrated, p.data.calibration_version_applied) for p in stage.records(PredictionMade)]
    assert versions == [(0.58, "v_1"), (0.58, "v_2"), (None, None)]
    with pytest.raises(ValueError, match="calibration_version_applied"):
        stage.prediction(p_cover_calibrated=0.58)


def test_a_prediction_fits_its_run_and_snapshot(stage: Stage) -> None:
    """Run and snapshot are on the log, of the same event, and the snapshot is of the selection that is predicted."""
    run_id, snapshot = stage.run(), stage.spread()
    away = stage.spread(selection="AWAY", line=5.5)
    for wrong, what in (
        ({"event_id": "other"}, "belongs to event"),
        ({"sim_run_id": snapshot}, "not on the log"),
        ({"sim_run_id": "run 7"}, "not an id handed out"),
        ({"market_snapshot_id_used": stage.spread(event_id="other")}, "belongs to event 'other'"),
        ({"market_snapshot_id_used": run_id}, "not on the log"),
        ({"market_snapshot_id_used": away}, "pass the snapshot of the selection"),
        ({"selection": "Lakers"}, "no 'LAKERS'"),
        ({"market_key": "MONEYLINE:FULL_GAME"}, "pass the snapshot of the selection"),
        ({"p_cover": 1.2}, "p_cover"),
        ({"p_cover": float("nan")}, "p_cover"),
    ):
        with pytest.raises(ValueError, match=what):
            stage.prediction(**({"sim_run_id": run_id, "market_snapshot_id_used": snapshot} | wrong))
    assert stage.records(PredictionMade) == []


def test_a_forecast_without_a_price_says_so(stage: Stage) -> None:
    """None for the snapshot is allowed, but must be said."""
    stage.prediction(market_snapshot_id_used=None)
    assert [prediction.data.market_snapshot_id_used for prediction in stage.records(PredictionMade)] == [None]


def test_a_run_ends_once(stage: Stage) -> None:
    """Saying the same end again adds nothing; another end is refused."""
    run_id = stage.run()
    first = stage.runs.complete_sim_run(run_id, 1200)
    stage.later(seconds=3)
    assert first == stage.runs.complete_sim_run(run_id, 1200)
    with pytest.raises(ValueError, match="already ended"):
        stage.runs.complete_sim_run(run_id, 1300)
    with pytest.raises(ValueError, match="already ended"):
        stage.runs.fail_sim_run(run_id, "out of memory")
    assert (
        [end.data.runtime_ms for end in stage.records(SimRunCompleted)],
        stage.records(SimRunFailed),
    ) == ([1200], [])


def test_a_failed_run_says_why(stage: Stage) -> None:
    """The error is on record; an unknown run cannot end."""
    run_id = stage.run()
    stage.runs.fail_sim_run(run_id, "out of memory", runtime_ms=40)
    (end,) = stage.records(SimRunFailed)
    assert (run_id, "out of memory", 40) == (end.data.sim_run_id, end.data.error, end.data.runtime_ms)
    with pytest.raises(ValueError, match="not on the log"):
        stage.runs.complete_sim_run(run_id[:-1] + ("0" if run_id[-1] != "0" else "1"), 5)
