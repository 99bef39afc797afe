"""What happens to events, as upstream tells it: what is wrong is an error, and leaves nothing behind."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from producers.event_reporter import EventReporter
from schemas.events import ResultRecorded
from tests.producers.stage import EVENT, TEAMS, TIP_OFF, Stage

NAIVE = datetime(2026, 1, 21)  # noqa: DTZ001 - a naive time is the point
Call = Callable[[EventReporter], str]
WRONG: dict[str, Call] = {
    "starts_at": lambda events: events.schedule_event(EVENT, "NBA", "nba", *TEAMS, NAIVE),
    "event_id": lambda events: events.schedule_event("a~b", "NBA", "nba", *TEAMS, TIP_OFF),
    "started_at .* no UTC offset": lambda events: events.start_event(EVENT, NAIVE),
    "started_at .* is in the future": lambda events: events.start_event(EVENT, TIP_OFF),
    "status": lambda events: events.change_status(EVENT, "DONE"),  # type: ignore[arg-type]
    "home": lambda events: events.record_result(EVENT, -1, 104),
    "overtime": lambda events: events.record_result(EVENT, 112, 104, overtime=True),
    "away": lambda events: events.record_result(EVENT, 112, 104, periods={"q1": (30, -1)}),
    "a FINAL result tells how it ended: pass one of home, away, winner": lambda events: events.record_result(
        EVENT, None, None
    ),
}


@pytest.fixture
def events(stage: Stage) -> EventReporter:
    """The reporter of the stage."""
    return EventReporter(stage.log, stage.clock)


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_call_is_one_clear_line_and_leaves_nothing_behind(
    stage: Stage, events: EventReporter, what: str
) -> None:
    """Never Pydantic's own report, which fills a screen."""
    with pytest.raises(ValueError, match=what) as refused:
        WRONG[what](events)

    assert (stage.count(), len(str(refused.value).splitlines())) == (0, 1)


@pytest.mark.parametrize(
    "told",
    [
        {"winner": "home"},
        {"qualified": "away"},
        {"status": "POSTPONED"},
        {"player_stats": ({"player": "Ann", "stat": "POINTS", "value": 30.0},)},
    ],
    ids=str,
)
def test_a_result_without_scores_tells_something_else(
    stage: Stage, events: EventReporter, told: dict[str, Any]
) -> None:
    """Who won, who went through, what a player did, or that there is none."""
    events.record_result(EVENT, None, None, **told)

    assert len(stage.records(ResultRecorded)) == 1


def test_a_correction_is_held_to_the_same(stage: Stage, events: EventReporter) -> None:
    """One that tells nothing would take the result away in silence: POSTPONED says so."""
    result_id = events.record_result(EVENT, 112, 104)

    with pytest.raises(ValueError, match="a FINAL result tells how it ended"):
        events.correct_result(result_id, None, None)

    assert stage.count() == 1
