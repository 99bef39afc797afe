"""Calibration for callers in any process: jobs go on record, the owner answers them, versions are read back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from calibration.calibrators import PARAMETER_NAMES, CalibrationMap
from calibration.segments import Calibrated, CalibrationModel, SegmentModel, parse_segment
from onrecord.wiring import Workspace
from schemas.calibrations import CalibrationActivated, CalibrationRolledBack, CalibrationTrained, CalibrationVerdict
from schemas.requests import CalibrationRequest, CalibrationRequested

PRODUCER = "calibration_service"


class UnknownVersionError(LookupError):
    """No version on record has that name."""

    def __init__(self, version: str) -> None:
        super().__init__(f"no version {version!r} is on record: `onrecord calibration list` shows those that are")


@dataclass(frozen=True)
class Versions:
    """The versions on record, asked by example: `find_one({"calibration_version": "v_20260119_030000"})`."""

    workspace: Workspace

    def find(self, example: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The versions whose columns equal the example's, the newest first."""
        with self.workspace.fresh_reader() as store:
            rows = store.query("versions").to_pylist()
        return [row for row in rows if all(row.get(name) == value for name, value in (example or {}).items())]

    def find_one(self, example: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """The newest of them, or None."""
        return next(iter(self.find(example)), None)


@dataclass(frozen=True)
class CalibrationService:
    """Runs jobs, and serves probabilities by the active version."""

    workspace: Workspace

    @cached_property
    def calibration_versions_collection(self) -> Versions:
        """The versions on record."""
        return Versions(self.workspace)

    def run_calibration_job(self, training_days: int = 30, method: str = "isotonic") -> str:
        """Train and judge a version; its name. Whether it serves from now on is the gate's decision.

        Raises:
            ValueError: an unknown method, or less than a day.
        """
        request = CalibrationRequested(
            occurred_at=self.workspace.clock.now(),
            producer=PRODUCER,
            data=CalibrationRequest.model_validate(
                {"training_days": training_days, "method": method, "requested_by": PRODUCER}
            ),
        )
        answer = self.workspace.ask(request, "calibrations")
        if not isinstance(answer, CalibrationTrained):
            raise TypeError(f"a {answer.type} answered a CalibrationRequested")
        return answer.data.calibration_version

    def calibrate_probability(self, raw_probability: float, league: str, market_key: str) -> float:
        """The probability as served; the raw one where no version is active."""
        return self.calibrate(raw_probability, league, market_key).p

    def calibrate(self, raw_probability: float, league: str, market_key: str, *, published: bool = False) -> Calibrated:
        """The same, with the level and version that it comes from, and whether that is an extrapolation."""
        return self.active_model().calibrate(raw_probability, league, market_key, published=published)

    def active_model(self) -> CalibrationModel:
        """The maps of the active version, to be held on to where many probabilities are to be served."""
        with self.workspace.fresh_reader() as store:
            found = store.query("active_version").to_pylist()
        return _model(found[0]) if found else CalibrationModel({}, "identity")

    def activate(self, calibration_version: str, who: str, why: str) -> None:
        """Let a version serve, against or before the gate's verdict; who and why are on record."""
        self._decide(CalibrationActivated, calibration_version, who, why)

    def roll_back(self, calibration_version: str, who: str, why: str) -> None:
        """Stop a version from serving; the one activated before it serves again."""
        self._decide(CalibrationRolledBack, calibration_version, who, why)

    def _decide(
        self, kind: type[CalibrationActivated | CalibrationRolledBack], version: str, who: str, why: str
    ) -> None:
        if self.calibration_versions_collection.find_one({"calibration_version": version}) is None:
            raise UnknownVersionError(version)
        verdict = CalibrationVerdict(calibration_version=version, decided_by=who, reasons=(why,))
        positions = self.workspace.log.append(
            [kind(occurred_at=self.workspace.clock.now(), producer=PRODUCER, data=verdict)]
        )
        self.workspace.settle_down(positions)


def _model(version: Mapping[str, Any]) -> CalibrationModel:
    """The maps of a version; the gate names the segments that serve, a person who names none lets all serve."""
    serving = set(version["active_segments"] or ())
    segments = {}
    for said in json.loads(version["trained"])["segments"]:
        params = {name: tuple(said["params"][name]) for name in PARAMETER_NAMES[said["method"]]}
        fitted = CalibrationMap(said["method"], params, said["window"]["rows"])
        active = not serving or said["segment"] in serving
        segments[parse_segment(said["segment"])] = SegmentModel(fitted, said["n"], active)
    return CalibrationModel(segments, version["calibration_version"])
