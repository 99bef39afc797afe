"""A version on record as the model that serves by it."""

import json
from collections.abc import Mapping
from typing import Any

from calibration.calibrators import PARAMETER_NAMES, CalibrationMap
from calibration.segments import MINIMUM_ROWS, CalibrationModel, SegmentModel, parse_segment


def model_of(version: Mapping[str, Any]) -> CalibrationModel:
    """The maps of a row of `active_version`; of these only the segments in force serve."""
    serving = set(version["active_segments"])
    trained = json.loads(version["trained"])
    segments = {}
    for said in trained["segments"]:
        params = {name: tuple(said["params"][name]) for name in PARAMETER_NAMES[said["method"]]}
        fitted = CalibrationMap(said["method"], params, said["window"]["rows"])
        segments[parse_segment(said["segment"])] = SegmentModel(fitted, said["n"], said["segment"] in serving)
    minimum = trained.get("config", {}).get("minimum", MINIMUM_ROWS)
    return CalibrationModel(segments, version["calibration_version"], minimum)
