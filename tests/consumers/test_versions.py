"""A version on record serves as the job that trained it does."""

import json
from dataclasses import replace

import pytest

from calibration.gate import GateConfig
from calibration.plain import plain_version
from calibration.segments import MINIMUM_ROWS
from calibration.training import train
from consumers.versions import model_of
from tests.calibration.forecasters import training_rows


@pytest.mark.parametrize(("minimum", "level"), [(300, "league_market"), (301, "identity"), (MINIMUM_ROWS, "identity")])
def test_a_version_serves_by_the_minimum_that_it_was_judged_by(minimum: int, level: str) -> None:
    """Given 300 picks and a least number on record, then a segment of fewer decides nothing."""
    trained = train(training_rows(300), "platt", config=replace(GateConfig(resamples=200), minimum=minimum))
    on_record = json.dumps(plain_version(trained))

    used = model_of({"trained": on_record, "active_segments": [], "calibration_version": trained.version})

    assert used.calibrate(0.7, "NBA", "SPREAD:FULL_GAME").level == level


def test_a_version_that_names_no_minimum_serves_by_the_default() -> None:
    """As the job's configuration and the model have it: one number."""
    used = model_of({"trained": '{"segments": []}', "active_segments": [], "calibration_version": "v1"})

    assert used.minimum == GateConfig().minimum == MINIMUM_ROWS
