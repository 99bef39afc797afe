"""Versions on record: the model that serves by one, and since when each segment is served."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
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


def serving_since(decisions: Iterable[Mapping[str, Any]]) -> dict[str, datetime]:
    """The segments that serve and since when each has without a break, from the rows of `calibration_decisions`.

    A version that takes over from another leaves the time of the segments that both serve; a roll-back of a whole
    version lets the one before it serve again, one that names segments ends those.
    """
    standing: dict[str, list[str]] = {}
    since: dict[str, datetime] = {}
    for row in decisions:
        version, segments = row["calibration_version"], row["segments"]
        if row["verdict"] == "ACTIVATED":
            standing.pop(version, None)
            standing[version] = segments
        elif not segments:
            standing.pop(version, None)
        elif version in standing:
            standing[version] = [name for name in standing[version] if name not in segments]
        newest = next(reversed(standing.values()), [])
        since = {name: since.get(name, row["decided_at"]) for name in newest}
    return since
