"""Retention: lets old odds go from the views, but for closing lines and whatever a prediction, run or grade cites."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from projections.store import Store
from schemas.ids import derived_id
from schemas.record import Record
from schemas.requests import Retention, RetentionApplied

PRODUCER = "retention"


class Retainer:
    """Answers each RetentionRequested once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        """A RetentionApplied for every request that has none; only looked for when a request may have come."""
        if event_ids is not None:
            return []
        return [self._apply(request) for request in self._store.query("unanswered_retention_requests").to_pylist()]

    def _apply(self, request: Mapping[str, Any]) -> RetentionApplied:
        asked_at, days = request["requested_at"], request["retention_days"]
        cutoff = asked_at - timedelta(days=days)
        given = {"cutoff": cutoff, "keep_closing_lines": request["keep_closing_lines"]}
        [outcome] = self._store.query("retention_outcome", given).to_pylist()
        return RetentionApplied(
            record_id=derived_id(asked_at, "RetentionApplied", request["request_id"]),
            occurred_at=asked_at,
            producer=PRODUCER,
            causation_id=request["request_id"],
            data=Retention(cutoff=cutoff, kept=tuple(outcome["kept"] or ()), removed=outcome["removed"]),
        )
