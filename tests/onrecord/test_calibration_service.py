"""Calibration through the log: asked for in one place, trained by the owner, read back, and overruled on record."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from onrecord.calibration_service import CalibrationService, UnknownVersionError
from onrecord.wiring import Workspace
from schemas.events import EventScheduled
from tests.calibrated_picks import HOUR, picks
from tests.onrecord.conftest import Run
from tests.records import make


@pytest.fixture
def service(workspace: Workspace) -> CalibrationService:
    """The service over an empty workspace."""
    return CalibrationService(workspace)


@pytest.fixture
def trained(service: CalibrationService) -> CalibrationService:
    """The service over 1,400 settled picks of an overconfident forecaster, with the version that they opened."""
    rng = np.random.default_rng(3)
    logit = rng.normal(0, 1.2, 1_400)
    won = [float(y) for y in rng.random(1_400) < expit(logit / 2.2)]
    service.workspace.log.append(picks(expit(logit), [None] * 1_400, won, datetime(2024, 1, 1, tzinfo=UTC), 0, HOUR))
    service.run_calibration_job(method="platt")
    return service


def test_the_active_version_serves_and_names_its_level(trained: CalibrationService) -> None:
    """Given an open gate, then p is moved, by the league x market; for an unpublished one that is an extrapolation."""
    own = trained.calibrate(0.8, "NBA", "SPREAD:FULL_GAME")
    published = trained.calibrate(0.8, "NBA", "SPREAD:FULL_GAME", published=True)

    assert own.p == trained.calibrate_probability(0.8, "nba", "SPREAD:FULL_GAME") < 0.75
    assert (own.level, own.extrapolated, published.extrapolated) == ("league_market", True, False)


def test_the_two_sides_of_a_market_sum_to_one(trained: CalibrationService) -> None:
    """Given away, then it gets one minus what home gets."""
    home = trained.calibrate_probability(0.7, "NBA", "SPREAD:FULL_GAME", "HOME")
    assert 1 - home == pytest.approx(trained.calibrate_probability(0.3, "NBA", "SPREAD:FULL_GAME", "AWAY"), abs=1e-12)


@pytest.mark.parametrize(
    ("league", "market", "level"),
    [("XFL", "SPREAD:FULL_GAME", "market"), ("NBA", "CORNERS:FULL_GAME", "global"), ("X", "Y:Q1", "global")],
)
def test_what_is_unknown_falls_back_to_a_wider_level(
    trained: CalibrationService, league: str, market: str, level: str
) -> None:
    """Given an unknown league or market, then the wider level's map serves, and is named."""
    assert level == trained.calibrate(0.8, league, market).level


@pytest.mark.parametrize("p", [math.nan, -0.1, 1.1, math.inf])
def test_what_is_no_probability_is_refused(trained: CalibrationService, p: float) -> None:
    """Given NaN or p outside [0, 1], then nothing is served."""
    with pytest.raises(ValueError, match="must lie in"):
        trained.calibrate_probability(p, "NBA", "SPREAD:FULL_GAME")


@pytest.mark.parametrize("market_key", ["spreads", "", ":FULL_GAME", "SPREAD:", "SPREAD:GAME"])
def test_what_is_no_market_key_is_refused(service: CalibrationService, market_key: str) -> None:
    """It would be served raw, or by the map of all markets, and nobody would notice."""
    with pytest.raises(ValueError, match=r"^market_key: .* is not MARKET:PERIOD"):
        service.calibrate_probability(0.6, "NBA", market_key)


def test_an_argument_of_a_wrong_type_is_named(service: CalibrationService) -> None:
    """As by the services that put on record."""
    with pytest.raises(ValueError, match=r"^raw_probability: None is of type NoneType, not float$"):
        service.calibrate_probability(None, "NBA", "SPREAD:FULL_GAME")  # type: ignore[arg-type]


def test_a_league_and_a_market_must_be_named(trained: CalibrationService) -> None:
    """Given an empty league, then it is refused."""
    with pytest.raises(ValueError, match="needs a league and a market"):
        trained.calibrate_probability(0.5, " ", "SPREAD:FULL_GAME")


@pytest.mark.parametrize(("max_age_s", "served"), [(math.inf, "calibrated"), (0.0, "raw")])
def test_a_decision_counts_at_once_here_and_elsewhere_once_the_version_is_old(
    trained: CalibrationService, max_age_s: float, served: str
) -> None:
    """Given another service that holds the version, when it is rolled back here, then that one asks nobody before."""
    other = CalibrationService(trained.workspace, max_age_s)
    calibrated = other.calibrate_probability(0.8, "NBA", "SPREAD:FULL_GAME")
    [active] = trained.calibration_versions_collection.find({"activation_status": "ACTIVE"})
    trained.roll_back(active["calibration_version"], who="anna", why="a test")

    assert calibrated < 0.75
    assert trained.calibrate_probability(0.8, "NBA", "SPREAD:FULL_GAME") == 0.8
    assert other.calibrate_probability(0.8, "NBA", "SPREAD:FULL_GAME") == {"raw": 0.8, "calibrated": calibrated}[served]


@pytest.mark.parametrize("kind", ["one class", "constant p"])
def test_picks_that_teach_nothing_are_rejected_with_the_reason(service: CalibrationService, kind: str) -> None:
    """Given 600 picks of one class, or of one p, then every gate stays shut, and says why."""
    p = np.full(600, 0.6) if kind == "constant p" else np.linspace(0.2, 0.8, 600)
    won = [1.0] * 600 if kind == "one class" else [float(i % 2) for i in range(600)]
    service.workspace.log.append(picks(p, [None] * 600, won, datetime(2024, 1, 1, tzinfo=UTC), 0, HOUR))
    version = service.run_calibration_job(method="platt")
    [found] = service.calibration_versions_collection.find({"calibration_version": version})

    assert found["activation_status"] == "REJECTED"
    assert found["reasons"]


@pytest.mark.parametrize("command", [("activate",), ("rollback",)])
def test_the_command_line_refuses_an_unknown_version(run: Run, command: tuple[str, ...]) -> None:
    """Given no such version, then one line names it."""
    done = run("calibration", *command, "v_20200101_000000", "--why", "a slip", check=False)
    assert "v_20200101_000000" in done.error


def test_the_command_line_refuses_an_unknown_method(run: Run, workspace: Workspace) -> None:
    """Given an unknown method, then one line says which there are."""
    workspace.log.append([make(EventScheduled)])

    assert "isotonic" in run("calibrate", "--method", "magic", check=False).error


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


def test_a_window_longer_than_the_calendar_is_the_whole_history(trained: CalibrationService) -> None:
    """Such a request, once on record, must not end whoever answers it."""
    version = trained.run_calibration_job(10**12, "platt")

    [told] = trained.calibration_versions_collection.find({"calibration_version": version, "training_days": 10**12})
    assert told["training_rows"] == 1_400


@pytest.mark.parametrize(
    ("method", "days", "what"),
    [
        ("magic", 30, "^method: "),
        ("platt", 0, "^training_days: "),
        ("platt", 2**63, "^training_days: .* more than 64 bits"),
    ],
)
def test_a_job_that_cannot_be_run_is_refused_before_it_is_on_record(
    service: CalibrationService, method: str, days: int, what: str
) -> None:
    """Given an unknown method, no days or too many, then nothing is put on record."""
    with pytest.raises(ValueError, match=what):
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
