"""The calibrator: answers requests with trained versions and the gate's verdicts, and rolls back what does harm."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from calibration.gate import Look
from calibration.monitor import SCHEDULE, watch
from calibration.plain import plain_version
from calibration.segments import CalibrationModel, Segment, is_complement, parse_segment
from calibration.training import RolledBack, TrainedVersion, TrainingRows, train, version_name
from calibration.walk_forward import Picks, Times, picks
from consumers.versions import model_of, serving_since
from grading.scores import Floats
from projections.store import Store
from schemas.calibrations import (
    CalibrationActivated,
    CalibrationRejected,
    CalibrationRolledBack,
    CalibrationTrained,
    CalibrationVerdict,
    CalibrationVersion,
    LogPosition,
)
from schemas.ids import derived_id
from schemas.record import Record

PRODUCER = "calibrator"
MONITOR = "monitor"
_SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Calibrator:
    """Decides over a store, from rows and positions read together.

    A request is answered from what was known before it was made, whatever came since. The active version is watched
    on what was published since its segments began to serve.
    """

    def __init__(self, store: Store, log_id: str) -> None:
        self._store = store
        self._log_id = log_id
        self._seen: Mapping[str, int] = {"grades": 0, "verdicts": 0, "requests": 0}

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:  # noqa: ARG002 - versions are of all events
        """A roll-back where the active version does harm; else the answer to the oldest request that has none.

        Looks again only where a grade, a decision or a request has come since the last time.
        """
        [state] = self._store.query("calibration_state").to_pylist()
        if state == self._seen:
            return []
        if harmful := list(self._harm()):
            return harmful
        if requests := self._store.query("unanswered_calibration_requests").to_pylist():
            return self._answer(requests[0])
        self._seen = state
        return []

    def _answer(self, request: Mapping[str, Any]) -> list[Record]:
        rows, trained = train_as_of(self._store, request["requested_at"], request["method"], request["training_days"])
        version = request["calibration_version"] or self._free_name(request["requested_at"])
        answer = list[Record]()
        if request["calibration_version"] is None:  # else it is on record, and the append was cut behind it
            answer.append(self._trained(request, version, trained, len(rows.record_id)))
        if not trained.activates:
            answer += self._shut(request, trained)
        return [*answer, _verdict(request, version, trained)]  # last: without it the request is answered again

    def _free_name(self, at: datetime) -> str:
        """The name of the moment, or of the next second that no version is named by."""
        taken = set(self._store.query("version_names")["calibration_version"].to_pylist())
        moment = _microseconds(at)
        while version_name(moment) in taken:
            moment += _SECOND_US
        return version_name(moment)

    def _trained(self, request: Mapping[str, Any], version: str, trained: TrainedVersion, rows: int) -> Record:
        positions = tuple(
            LogPosition(topic=topic, partition=partition, offset=offset)
            for (topic, partition), offset in sorted(self._store.positions().items())
        )
        return CalibrationTrained(
            **_envelope(request, "CalibrationTrained", version),
            data=CalibrationVersion(
                calibration_version=version,
                method=trained.method,
                training_days=trained.training_days,
                training_rows=rows,
                training_digest=trained.digest,
                log_id=self._log_id,
                positions=positions,
                activates=trained.activates,
                trained=plain_version(trained),
            ),
        )

    def _shut(self, request: Mapping[str, Any], trained: TrainedVersion) -> Iterator[Record]:
        """Nothing is open any more: what still serves, and was shut by the job's own monitor, is rolled back."""
        active = self._active(request["requested_at"])
        if active is None:
            return
        shut = {
            name: result.looks[-1]
            for result in trained.segments
            if (name := str(result.segment)) in active["active_segments"]
            and any(look.phase == "MONITOR" for look in result.looks)
            and not result.activates
        }
        if shut:
            yield _roll_back(active, shut, _envelope(request, "CalibrationRolledBack", *sorted(shut)))

    def _active(self, at: datetime | None = None) -> Mapping[str, Any] | None:
        found = self._store.query("active_version", {"known_by": at}).to_pylist()
        return found[0] if found else None

    def _harm(self) -> Iterator[Record]:
        active = self._active()
        if active is None:
            return
        since = serving_since(self._store.query("calibration_decisions").to_pylist())
        if not since:
            return
        table = self._store.query("served_rows", {"since": min(since.values())})
        if table.num_rows < SCHEDULE.first:
            return
        standing_since = _microseconds(active["standing_since"])
        harmed = _harmed(table, model_of(active), standing_since, since)
        if harmed:
            # History that comes late may tell of a time before the version: what it ends, it ends after it began.
            last = max(standing_since + 1, *(look.at for look in harmed.values()))
            yield _roll_back(active, harmed, _monitored(active, last, sorted(harmed)))


def train_as_of(store: Store, before: datetime, method: str, training_days: int) -> tuple[TrainingRows, TrainedVersion]:
    """Train from what was known before a time, roll-backs included; gives the rows too."""
    known = {"before": before}
    rows = training_rows(store.query("calibration_rows", known))
    decisions = store.query("calibration_decisions", known).to_pylist()
    return rows, train(rows, method, training_days, rolled_back=_rolled_back(decisions))


def _harmed(table: pa.Table, model: CalibrationModel, active_us: int, since: Mapping[str, datetime]) -> dict[str, Look]:
    """The segments where raw beats what was served, with the look that says so."""
    rows, served = _served(table, model, active_us)
    keys = list(zip(rows.league, rows.market, strict=True))
    deciding = {key: model.serving(*key) for key in set(keys)}
    by_segment = np.array([deciding[key] for key in keys])
    harmed = {}
    for name, at in since.items():
        begun = _microseconds(at)
        chosen = (by_segment == name) & (np.asarray(rows.issued_us) > begun)
        if chosen.sum() < SCHEDULE.first:
            continue
        looks = watch(_picks(rows, chosen), served[chosen], begun, model.segments[parse_segment(name)].map.method)
        if looks and looks[-1].decides:
            harmed[name] = looks[-1]
    return harmed


def _served(table: pa.Table, model: CalibrationModel, active_us: int) -> tuple[TrainingRows, Floats]:
    """Rows with what each was served with: as on record, else by the active version from when it serves, else raw."""
    rows = training_rows(table)
    on_record = table["p_cover_calibrated"].to_numpy()
    missing = np.isnan(on_record)
    served = np.where(missing, rows.p, np.where(_turned(table), 1 - on_record, on_record))
    for i in np.flatnonzero(missing & (np.asarray(rows.issued_us) > active_us)).tolist():
        served[i] = model.calibrate(float(served[i]), rows.league[i], rows.market[i]).p
    return rows, served


def _picks(rows: TrainingRows, chosen: NDArray[np.bool_]) -> Picks:
    columns = (rows.p, rows.y, rows.event_id, rows.issued_us, rows.recorded_us)
    p, y, event, issued, recorded = (np.asarray(column)[chosen] for column in columns)
    return picks(p, y, event, issued, recorded)


def training_rows(table: pa.Table) -> TrainingRows:
    """The rows of the query `calibration_rows`; the away, under or no side of a two-way market is turned."""
    turned, p, y = _turned(table), table["p_cover"].to_numpy(), table["y"].to_numpy()
    return TrainingRows(
        record_id=table["publish_id"].to_pylist(),
        league=table["league"].to_pylist(),
        market=table["market_key"].to_pylist(),
        event_id=table["event_id"].to_pylist(),
        p=np.where(turned, 1 - p, p),
        y=np.where(turned, 1 - y, y).astype(np.float64),
        issued_us=_times(table["published_at"]),
        recorded_us=_times(table["decided_at"]),
    )


def _turned(table: pa.Table) -> NDArray[np.bool_]:
    sides = list(zip(table["market_key"].to_pylist(), table["selection"].to_pylist(), strict=True))
    known = {side: is_complement(*side) for side in set(sides)}
    return np.array([known[side] for side in sides], dtype=np.bool_)


def _times(column: pa.ChunkedArray) -> Times:
    microseconds: Times = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    return microseconds


def _rolled_back(decisions: Sequence[Mapping[str, Any]]) -> list[RolledBack]:
    """Whose gates start anew, and when: those of the segments named, of all where none is."""
    found = []
    for row in decisions:
        if row["verdict"] == "ROLLED_BACK":
            named: list[Segment | None] = [parse_segment(name) for name in row["segments"]]
            found += [RolledBack(_microseconds(row["decided_at"]), segment) for segment in named or [None]]
    return found


def _verdict(request: Mapping[str, Any], version: str, trained: TrainedVersion) -> Record:
    open_segments = tuple(str(result.segment) for result in trained.segments if result.activates)
    reasons = tuple(f"{result.segment}: {'; '.join(result.reasons)}" for result in trained.segments if result.reasons)
    none_at_all = () if trained.segments else ("LOW_SAMPLE: no settled official pick is on record",)
    verdict = CalibrationVerdict(
        calibration_version=version, segments=open_segments, decided_by="gate", reasons=reasons or none_at_all
    )
    if trained.activates:
        return CalibrationActivated(**_envelope(request, "CalibrationActivated", version), data=verdict)
    return CalibrationRejected(**_envelope(request, "CalibrationRejected", version), data=verdict)


def _roll_back(
    active: Mapping[str, Any], harmed: Mapping[str, Look], envelope: Mapping[str, Any]
) -> CalibrationRolledBack:
    """The segments that serve no more, each by the look that decided."""
    verdict = CalibrationVerdict(
        calibration_version=active["calibration_version"],
        segments=tuple(sorted(harmed)),
        decided_by=MONITOR,
        reasons=tuple(f"{name}: {'; '.join(harmed[name].reasons)}" for name in sorted(harmed)),
    )
    return CalibrationRolledBack(**envelope, data=verdict)


def _monitored(active: Mapping[str, Any], at_us: int, segments: Sequence[str]) -> dict[str, Any]:
    """Decision time is that of the newest record that it rests on, a grade or the activation, never the wall clock."""
    at = _EPOCH + timedelta(microseconds=at_us)
    return {
        "record_id": derived_id(at, "CalibrationRolledBack", active["trained_id"], *segments),
        "occurred_at": at,
        "producer": PRODUCER,
        "causation_id": active["trained_id"],
    }


def _envelope(request: Mapping[str, Any], kind: str, *identity: str) -> dict[str, Any]:
    return {
        "record_id": derived_id(request["requested_at"], kind, request["request_id"], *identity),
        "occurred_at": request["requested_at"],
        "origin": request["origin"],
        "producer": PRODUCER,
        "causation_id": request["request_id"],
    }


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
