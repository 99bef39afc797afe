"""Calibration for callers in any process: jobs go on record, the owner answers them, versions are read back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from calibration.segments import Calibrated, CalibrationModel, is_complement
from consumers.versions import model_of
from eventlog.log import Positions
from onrecord.wiring import Workspace
from producers.checked import build, tells_arguments
from schemas.calibrations import CalibrationActivated, CalibrationRolledBack, CalibrationTrained, CalibrationVerdict
from schemas.markets import PERIODS
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
class _Held:
    """The maps of the active version, the log's end when they were read, and until when they are taken for granted."""

    model: CalibrationModel
    end: Positions
    fresh_until: float


@tells_arguments
@dataclass
class CalibrationService:
    """Runs jobs, and serves probabilities by the active version.

    The active version is held in memory. What this object decides counts at once; what others decide counts after
    `max_age_s` at most, when the end of the log's topic is looked at again.
    """

    workspace: Workspace
    max_age_s: float = 1.0
    _held: _Held | None = field(default=None, init=False, repr=False)

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
            data=build(
                CalibrationRequest.model_validate,
                {"training_days": training_days, "method": method, "requested_by": PRODUCER},
            ),
        )
        answer = self.workspace.ask(request, CalibrationTrained)
        self._held = None
        return answer.data.calibration_version

    def calibrate_probability(
        self, raw_probability: float, league: str, market_key: str, selection: str | None = None
    ) -> float:
        """The probability as served; the raw one where no version is active.

        `selection` says whose probability it is: away, under and no are one minus what home, over and yes get. Without
        it the probability counts as that of home, over or yes. An unknown league falls back to its market, an unknown
        market to all of them.

        Raises:
            ValueError: NaN, a probability outside [0, 1], an empty league, or a market_key that is not MARKET:PERIOD.
        """
        return self.calibrate(raw_probability, league, market_key, selection).p

    def calibrate(
        self,
        raw_probability: float,
        league: str,
        market_key: str,
        selection: str | None = None,
        *,
        published: bool = False,
    ) -> Calibrated:
        """The same, with the level and version that it comes from, and whether that is an extrapolation."""
        _check_market_key(market_key)
        turned = selection is not None and is_complement(market_key, selection)
        return self.active_model().calibrate(raw_probability, league, market_key, turned, published)

    def active_model(self) -> CalibrationModel:
        """The maps of the active version."""
        held, now = self._held, time.monotonic()
        if held is not None and now < held.fresh_until:
            return held.model
        end = {key: offset for key, offset in self.workspace.log.end().items() if key[0] == CalibrationTrained.topic}
        model = held.model if held is not None and held.end == end else self._read_model()
        self._held = _Held(model, end, now + self.max_age_s)
        return model

    def _read_model(self) -> CalibrationModel:
        with self.workspace.fresh_reader() as store:
            found = store.query("active_version").to_pylist()
        return model_of(found[0]) if found else CalibrationModel({}, None)

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
        self._held = None


def _check_market_key(text: str) -> None:
    """Any market may be asked about, but a provider's word such as "spreads" would never find its own map."""
    market, _, period = text.strip().upper().partition(":")
    if not market or period not in PERIODS:
        raise ValueError(f"market_key: {text!r} is not MARKET:PERIOD, such as SPREAD:FULL_GAME")
