"""Grades and performance for callers in any process: requests go on record, the owner answers them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from onrecord.wiring import Workspace


class NotGradedError(Exception):
    """A pick has no grade yet; the message says why."""


@dataclass(frozen=True)
class GradingService:
    """Asks for grades, and for how the picks did."""

    workspace: Workspace

    def grade_published_prediction(self, publish_id: str, *, force_regrade: bool = False) -> str:
        """The id of the pick's grade; with `force_regrade` of a new one.

        Raises:
            NotGradedError: the event is not over, or the publish is no valid official pick.
            ValueError: no publish is named; a request without one would be for all of them.
        """
        if not isinstance(publish_id, str) or not publish_id.strip():
            raise ValueError(f"publish_id: {publish_id!r} names no publish: pass what publish_prediction returned")
        tally = self.workspace.request_grades(None, publish_id, force=force_regrade)
        if tally.grade_id is None:
            raise NotGradedError(f"{publish_id}: {tally.pending_because}")
        return tally.grade_id

    def grade_all_pending(self, lookback_hours: float = 72) -> dict[str, int]:
        """How the picks stand whose events started within so many hours: graded, voided, pending."""
        tally = self.workspace.request_grades(lookback_hours, None)
        return {"graded": tally.graded, "voided": tally.voided, "pending": tally.pending}

    def get_performance_summary(
        self,
        cohort_key: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        origin: str = "LIVE",
    ) -> dict[str, Any]:
        """Win rate, return, units, closing line value and scores, each mean with its n; of nothing graded 0 or None.

        `cohort_key` is a league, market key, book, tier, channel or model version; times are of the events' starts,
        both inclusive. `origin` LIVE or BACKFILL: the two are never added up.

        Raises:
            ValueError: an end that is no time.
        """
        since, until = _time("start_date", start_date), _time("end_date", end_date)
        given = {"cohort_key": cohort_key, "start_date": since, "end_date": until, "origin": origin}
        with self.workspace.fresh_reader() as store:
            found = store.query("performance_summary", given)
        nothing = {column.name: 0 if pa.types.is_integer(column.type) else None for column in found.schema}
        asked = {"cohort_key": cohort_key or "all", "origin": origin}
        return dict(found.to_pylist()[0]) if found.num_rows else nothing | asked


def _time(name: str, at: object) -> date | None:
    """A date or time as it is, or as a text tells it."""
    if at is None or isinstance(at, date):
        return at
    try:
        return datetime.fromisoformat(str(at))
    except ValueError as error:
        raise ValueError(f"{name}: {at!r} is no time: pass a datetime") from error
