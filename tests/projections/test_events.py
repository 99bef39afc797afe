"""Given what was said about events, the tables say how each stands: the newest word counts, not the last to arrive."""

import pytest

from schemas.events import (
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatusChanged,
    ResultCorrected,
    ResultRecorded,
)
from tests.projections.conftest import Given, Then, When
from tests.records import MINUTE, make, ref

STANDING = "SELECT status, starts_at, started_at, start_assumed FROM events"


def test_a_scheduled_event_has_a_start_and_has_not_begun(given: Given, when_folded: When, then: Then) -> None:
    """Its planned start is what counts until it begins."""
    given(make(EventScheduled, starts_at=MINUTE[4], start_assumed=True))

    when_folded()

    assert [("SCHEDULED", MINUTE[4], None, True)] == then(STANDING)


def test_a_rescheduled_event_keeps_its_identity(given: Given, when_folded: When, then: Then) -> None:
    """It is one event, with every change beside it."""
    given(make(EventRescheduled, at=MINUTE[1], starts_at=MINUTE[7]), make(EventScheduled, at=MINUTE[0]))

    when_folded()

    assert [("SCHEDULED", MINUTE[7], None, False)] == then(STANDING)
    assert then("SELECT kind FROM event_changes ORDER BY kind") == [("RESCHEDULED",), ("SCHEDULED",)]


def test_the_actual_start_stands_beside_the_planned_one(given: Given, when_folded: When, then: Then) -> None:
    """It is no assumption, even where the plan was one."""
    given(make(EventScheduled, start_assumed=True), make(EventStarted, at=MINUTE[5], started_at=MINUTE[5]))

    when_folded()

    assert [("SCHEDULED", MINUTE[4], MINUTE[5], False)] == then(STANDING)


@pytest.mark.parametrize("together", [True, False])
def test_an_assumed_start_says_less_than_a_stated_plan(
    given: Given, when_folded: When, then: Then, together: bool
) -> None:
    """A file of results that only knows the day must not turn prices from during the game into closes."""
    given(make(EventScheduled))
    if not together:
        when_folded()
    given(make(EventStarted, at=MINUTE[6], started_at=MINUTE[6], assumed=True))

    when_folded()

    assert [("SCHEDULED", MINUTE[4], None, False)] == then(STANDING)


def test_an_event_put_back_after_it_began_has_not_started(given: Given, when_folded: When, then: Then) -> None:
    """Abandoned after ten minutes, played from the start another day."""
    given(make(EventScheduled), make(EventStarted, at=MINUTE[4]))
    when_folded()
    given(make(EventRescheduled, at=MINUTE[6], starts_at=MINUTE[8]))

    when_folded()

    assert [("SCHEDULED", MINUTE[8], None, False)] == then(STANDING)


def test_the_newest_status_counts(given: Given, when_folded: When, then: Then) -> None:
    """A word that arrives late changes nothing that was said after it."""
    given(make(EventScheduled), make(EventStatusChanged, number=1, at=MINUTE[3], status="CANCELLED"))
    when_folded()
    given(make(EventStatusChanged, number=2, at=MINUTE[2], status="POSTPONED"))

    when_folded()

    assert then("SELECT status FROM events") == [("CANCELLED",)]


def test_a_status_that_comes_before_its_event_waits_for_it(given: Given, when_folded: When, then: Then) -> None:
    """Topics and partitions arrive in any order."""
    given(make(EventStatusChanged, status="POSTPONED"))
    when_folded()
    given(make(EventScheduled))

    when_folded()

    assert [("POSTPONED", "Arsenal", MINUTE[4])] == then("SELECT status, home, starts_at FROM events")


@pytest.mark.parametrize("first", [0, 1])
def test_a_tie_goes_to_the_larger_id(given: Given, when_folded: When, then: Then, first: int) -> None:
    """Never to the one that came last."""
    tied = [make(EventRescheduled, number=n, starts_at=MINUTE[6 + n]) for n in range(2)]
    given(make(EventScheduled), tied[first])
    when_folded()
    given(tied[1 - first])

    when_folded()

    winner = max(tied, key=lambda record: record.record_id)
    assert [(winner.data.starts_at,)] == then("SELECT starts_at FROM events")


def test_a_correction_replaces_the_result_it_names(given: Given, when_folded: When, then: Then) -> None:
    """Both stay on record, and a result told again later does not undo the correction."""
    given(
        make(ResultRecorded, at=MINUTE[1], home=2, away=1),
        make(ResultCorrected, at=MINUTE[2], home=2, away=2),
        make(ResultRecorded, number=5, at=MINUTE[3], home=2, away=1),
    )

    when_folded()

    assert [(2, 2, ref(ResultRecorded))] == then("SELECT home, away, corrects FROM event_results")
    assert then("SELECT count(*) FROM event_result_history") == [(3,)]
