"""The calibrator: answers each request with a trained version and the gate's verdict, both on record."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from calibration.plain import plain_version
from calibration.segments import is_complement
from calibration.training import TrainedVersion, TrainingRows, train, version_name
from projections.store import Store
from schemas.calibrations import (
    CalibrationActivated,
    CalibrationRejected,
    CalibrationTrained,
    CalibrationVerdict,
    CalibrationVersion,
    LogPosition,
)
from schemas.ids import derived_id
from schemas.record import Record

PRODUCER = "calibrator"


class Calibrator:
    """Decides over a store, from rows and positions read together."""

    def __init__(self, store: Store, log_id: str) -> None:
        self._store = store
        self._log_id = log_id

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        """A version and a verdict for every request that has none; only looked for when a request may have come."""
        if event_ids is not None:
            return []
        requests = self._store.query("unanswered_calibration_requests").to_pylist()
        return [record for request in requests for record in self._answer(request)]

    def _answer(self, request: Mapping[str, Any]) -> list[Record]:
        rows = training_rows(self._store.query("calibration_rows"))
        trained = train(rows, request["method"], request["training_days"])
        version = version_name(_microseconds(request["requested_at"]))
        return [self._trained(request, version, trained, len(rows.record_id)), _verdict(request, version, trained)]

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


def training_rows(table: pa.Table) -> TrainingRows:
    """The rows of the query `calibration_rows`; the away, under or no side of a two-way market is turned."""
    rows = table.to_pylist()
    turned = [is_complement(row["market_key"], row["selection"]) for row in rows]
    return TrainingRows(
        record_id=[row["publish_id"] for row in rows],
        league=[row["league"] for row in rows],
        market=[row["market_key"] for row in rows],
        event_id=[row["event_id"] for row in rows],
        p=[1 - row["p_cover"] if turn else row["p_cover"] for row, turn in zip(rows, turned, strict=True)],
        y=[float(1 - row["y"] if turn else row["y"]) for row, turn in zip(rows, turned, strict=True)],
        issued_us=[_microseconds(row["published_at"]) for row in rows],
        recorded_us=[_microseconds(row["decided_at"]) for row in rows],
    )


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


def _envelope(request: Mapping[str, Any], kind: str, version: str) -> dict[str, Any]:
    return {
        "record_id": derived_id(request["requested_at"], kind, request["request_id"], version),
        "occurred_at": request["requested_at"],
        "producer": PRODUCER,
        "causation_id": request["request_id"],
    }


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
