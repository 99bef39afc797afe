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
    "^home: True is no number": lambda events: events.record_result(EVENT, True, 104),
    "^winner: away contradicts the score 112-104": lambda events: events.record_result(EVENT, 112, 104, winner="away"),
    "^winner: draw contradicts": lambda events: events.record_result(EVENT, 112, 104, winner="draw"),
    "^periods: away scored 105 in Q1, and 104": lambda events: events.record_result(
        EVENT, 112, 104, periods={"Q1": (30, 105)}
    ),
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


def test_a_period_that_no_pick_is_graded_by_is_on_record_with_a_warning(stage: Stage, events: EventReporter) -> None:
    """It may be a slip, or what another reader wants."""
    with pytest.warns(UserWarning, match="no pick is graded by the period q9: h1, "):
        events.record_result(EVENT, 112, 104, periods={"q9": (1, 1)})

    assert len(stage.records(ResultRecorded)) == 1


@pytest.mark.parametrize(
    ("home", "away", "told"),
    [
        (1, 1, {"winner": "away"}),
        (0, 3, {"winner": "home", "status": "AWARDED"}),
        (1, 0, {"winner": "home", "qualified": "away"}),
        (4, 5, {"periods": {"h1": (1, 1), "h2": (3, 3), "ot": (0, 6), "i10": (0, 1), "REGULATION": (4, 4)}}),
        (2, 1, {"periods": {"p1": (6, 4), "p2": (4, 6), "p3": (7, 5)}}),
        (None, None, {"winner": "home", "periods": {"h1": (1, 0)}}),
    ],
)
def test_what_only_looks_like_a_contradiction_is_on_record(
    stage: Stage, events: EventReporter, home: int | None, away: int | None, told: dict[str, Any]
) -> None:
    """A shootout, an award, two legs, extra innings, sets."""
    events.record_result(EVENT, home, away, **told)

    assert len(stage.records(ResultRecorded)) == 1


def test_a_correction_is_held_to_the_same(stage: Stage, events: EventReporter) -> None:
    """One that tells nothing would take the result away in silence: POSTPONED says so."""
    result_id = events.record_result(EVENT, 112, 104)

    with pytest.raises(ValueError, match="a FINAL result tells how it ended"):
        events.correct_result(result_id, None, None)

    assert stage.count() == 1
