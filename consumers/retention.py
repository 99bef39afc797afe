"""Retention: lets old odds go from the views, but for closing lines and whatever a prediction, run or grade cites."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from projections.store import Store
from schemas.ids import derived_id
from schemas.record import Record
from schemas.requests import Retention, RetentionApplied

PRODUCER = "retention"
KEPT_A_PART = 4_000
"""Ids that one record holds: also with the longest event ids it stays below the million bytes that Kafka takes."""

LONGEST_DAYS = 36_525
"""A hundred years: what asks for more, asks for that; a cutoff stays within the calendar."""


class Retainer:
    """Answers each RetentionRequested once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        """What answers every request that has no whole answer; only looked for when a request may have come."""
        if event_ids is not None:
            return []
        requests = self._store.query("unanswered_retention_requests").to_pylist()
        return [part for request in requests for part in self._apply(request)]

    def _apply(self, request: Mapping[str, Any]) -> list[RetentionApplied]:
        asked_at, keep_closing_lines = request["requested_at"], request["keep_closing_lines"]
        cutoff = asked_at - timedelta(days=min(request["retention_days"], LONGEST_DAYS))
        given = {"cutoff": cutoff, "decided_at": asked_at, "keep_closing_lines": keep_closing_lines}
        [outcome] = self._store.query("retention_outcome", given).to_pylist()
        kept = outcome["kept"] or []
        shares = [tuple(kept[first : first + KEPT_A_PART]) for first in range(0, len(kept), KEPT_A_PART)] or [()]
        # Of what it says, so that a decision cut short and made again, maybe from more records, shares no part with it.
        decision = derived_id(asked_at, request["request_id"], *kept) if len(shares) > 1 else None
        return [
            RetentionApplied(
                record_id=derived_id(asked_at, "RetentionApplied", request["request_id"], *_part(decision, number)),
                occurred_at=asked_at,
                producer=PRODUCER,
                causation_id=request["request_id"],
                data=Retention(
                    cutoff=cutoff,
                    kept=share,
                    removed=outcome["removed"],
                    keep_closing_lines=keep_closing_lines,
                    decision=decision,
                    part=number,
                    parts=len(shares),
                ),
            )
            for number, share in enumerate(shares, start=1)
        ]


def _part(decision: str | None, number: int) -> tuple[str, ...]:
    return () if decision is None else (decision, str(number))
