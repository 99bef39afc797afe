"""Games that were put off, and what that makes of a pick: by the plan that it was made for, and its sport's rulebook.

All take a row of the query `grading_work`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from grading.quantity import LARGEST
from grading.result import Result, parse_result
from grading.rulebook import Rulebook

ANOTHER_DATE_HOURS = 12
"""A game put off by so much is played on another date; by less it was put back within its day."""
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def delay_fields(row: Mapping[str, Any], book: Rulebook) -> dict[str, Any]:
    """What being put off changes of a result, by the pick's own plan; a delay that the result states goes first."""
    if row["put_off_id"] is None or (row["result_status"] == "POSTPONED" and row["home"] is None):
        return {}  # what was not played at all has no delay
    delay = row["start_delay_hours"]
    if delay is None:
        if row["event_status"] == "POSTPONED" and not row["has_started"]:
            return {"status": "POSTPONED"}  # nobody told when it was played
        delay = _delay_hours(row)
    if book.rules.postponed_void_after_hours:
        return {"start_delay_hours": delay}
    return {"status": "POSTPONED", "start_delay_hours": delay} if _is_too_late(delay, book) else {}


def unplayed(row: Mapping[str, Any], book: Rulebook) -> Result | None:
    """An event without a result: void by its status or its new plan, or by the rulebook once its time is up."""
    status, asked_at = row["event_status"], row["asked_at"]
    if status not in {"SCHEDULED", "POSTPONED"}:
        return parse_result({"status": status})
    if _is_moved_too_far(row, book):
        return parse_result({"status": "POSTPONED", "start_delay_hours": _delay_hours(row)})
    if status == "SCHEDULED":
        return None
    until = waits_until(row, book)
    if until is not None and (asked_at is None or asked_at <= until):
        return None
    return parse_result({"status": "POSTPONED"})


def waits_until(row: Mapping[str, Any], book: Rulebook) -> datetime | None:
    """Until when the rulebook waits for a game that is put off, where no plan says that this will be in vain."""
    limit = book.rules.postponed_void_after_hours
    if not limit or row["result_id"] is not None or row["event_status"] != "POSTPONED" or _is_moved_too_far(row, book):
        return None
    planned_at: datetime = row["planned_at"]
    try:
        return planned_at + timedelta(hours=float(limit))
    except OverflowError:  # planned for the end of the calendar, as what has no date yet may be
        return _END_OF_TIME


def _is_moved_too_far(row: Mapping[str, Any], book: Rulebook) -> bool:
    return row["put_off_id"] is not None and _is_too_late(_delay_hours(row), book)


def _is_too_late(delay_hours: float, book: Rulebook) -> bool:
    limit = book.rules.postponed_void_after_hours
    return delay_hours > limit if limit else delay_hours >= ANOTHER_DATE_HOURS


def _delay_hours(row: Mapping[str, Any]) -> float:
    """From the start that was planned at the publish to the actual one, or to the newest plan."""
    return _hours(row["started_at"] - row["planned_at"])


def _hours(delay: timedelta) -> float:
    """As many as a result may state: a date at the end of the calendar is beyond every limit, too."""
    return min(max(0.0, delay.total_seconds() / 3600), LARGEST)
