"""Calibration through the log: asked for in one place, trained by the owner, read back, and overruled on record."""

import json
from pathlib import Path

import pytest

from onrecord.calibration_service import CalibrationService, UnknownVersionError
from onrecord.wiring import Workspace
from tests.onrecord.conftest import Run


@pytest.fixture
def service(workspace: Workspace) -> CalibrationService:
    """The service over an empty workspace."""
    return CalibrationService(workspace)


def test_a_job_without_picks_is_rejected_and_says_why(service: CalibrationService) -> None:
    """Given no settled pick, when a job runs, then its version is on record as rejected, with the reason."""
    version = service.run_calibration_job(training_days=30, method="isotonic")
    found = service.calibration_versions_collection.find_one({"calibration_version": version})
    assert found is not None
    assert found["activation_status"] == "REJECTED"
    assert found["reasons"] == ["LOW_SAMPLE: no settled official pick is on record"]


def test_without_an_active_version_probabilities_are_served_raw(service: CalibrationService) -> None:
    """Given no active version, then the raw probability comes back, at level identity."""
    assert service.calibrate_probability(0.62, "NBA", "SPREAD:FULL_GAME") == 0.62
    assert service.calibrate(0.62, "NBA", "SPREAD:FULL_GAME").level == "identity"


def test_a_person_can_overrule_the_gate_and_take_it_back(service: CalibrationService) -> None:
    """Given a rejected version, when somebody activates it and rolls it back, then both are on record."""
    version = service.run_calibration_job(method="platt")
    service.activate(version, who="anna", why="to see")
    status = [service.calibration_versions_collection.find_one({"calibration_version": version})]
    service.roll_back(version, who="anna", why="seen")
    status.append(service.calibration_versions_collection.find_one({"calibration_version": version}))
    told = [(found["activation_status"], found["decided_by"]) for found in status if found is not None]
    assert told == [("ACTIVE", "anna"), ("ROLLED_BACK", "anna")]


def test_an_unknown_version_is_refused(service: CalibrationService) -> None:
    """Given no such version, then activating it names it."""
    with pytest.raises(UnknownVersionError, match="v_20200101_000000"):
        service.activate("v_20200101_000000", who="anna", why="a slip")


@pytest.mark.parametrize(("method", "days"), [("magic", 30), ("platt", 0)])
def test_a_job_that_cannot_be_run_is_refused_before_it_is_on_record(
    service: CalibrationService, method: str, days: int
) -> None:
    """Given an unknown method or no days, then nothing is put on record."""
    with pytest.raises(ValueError, match="validation error"):
        service.run_calibration_job(days, method)
    assert not any(service.workspace.log.end().values())


def test_spreadsheets_of_forecasts_are_scored_and_fitted_as_json(run: Run, tmp_path: Path) -> None:
    """Given a spreadsheet, then `scores` and `calibrate --file` print one JSON object each."""
    sheet = tmp_path / "forecasts.csv"
    sheet.write_text("p,y\n0.6,1\n0.7,0\n0.3,0\n0.8,1\n0.4,1\n0.55,0\n", encoding="utf-8")
    scored = json.loads(run("scores", str(sheet), "--json").out)
    fitted = json.loads(run("calibrate", "--file", str(sheet), "--method", "platt", "--json").out)
    assert scored["n"] == 6
    assert scored["brier"] == pytest.approx(0.24041666666666664)
    assert set(fitted["params"]) == {"slope", "intercept"}
    assert len(fitted["calibrated"]) == 6
