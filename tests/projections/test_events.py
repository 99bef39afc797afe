"""Given what was said about events, the tables say how each stands: the newest word counts, not the last to arrive."""

from typing import Any

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

NOT_PLAYED: dict[str, Any] = {"status": "POSTPONED", "home": None, "away": None}
ONLY_WON: dict[str, Any] = {"home": None, "away": None, "winner": "home", "time_assumed": True}
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


@pytest.mark.parametrize(
    ("status", "then_status"),
    [
        ("POSTPONED", "SCHEDULED"),
        ("CANCELLED", "SCHEDULED"),
        ("ABANDONED", "ABANDONED"),
        ("AWARDED", "AWARDED"),
    ],
)
@pytest.mark.parametrize("change", [EventStarted, EventRescheduled])
@pytest.mark.parametrize("status_first", [True, False])
def test_a_new_start_puts_a_game_on_again(
    given: Given,
    when_folded: When,
    then: Then,
    status: str,
    then_status: str,
    change: type[EventStarted | EventRescheduled],
    status_first: bool,
) -> None:
    """Whichever arrives first; what was abandoned or awarded stays so, with its change."""
    told = [make(EventStatusChanged, at=MINUTE[2], status=status, reason="snow"), make(change, at=MINUTE[3])]
    given(make(EventScheduled), told[not status_first])
    when_folded()
    given(told[status_first])

    when_folded()

    stays = (ref(EventStatusChanged), "snow") if status == then_status else (None, None)
    assert [(then_status, *stays)] == then("SELECT status, status_id, status_reason FROM events")


@pytest.mark.parametrize("change", [EventStarted, EventRescheduled])
def test_a_game_that_is_put_off_after_its_new_start_was_told_is_off(
    given: Given, when_folded: When, then: Then, change: type[EventStarted | EventRescheduled]
) -> None:
    """By its own time, though it arrives first."""
    given(make(EventScheduled), make(EventStatusChanged, at=MINUTE[3], status="POSTPONED"))
    when_folded()
    given(make(change, at=MINUTE[2]))

    when_folded()

    assert then("SELECT status FROM events") == [("POSTPONED",)]


def test_a_game_put_off_and_on_at_one_moment_goes_by_the_larger_id(given: Given, when_folded: When, then: Then) -> None:
    """As every tie does."""
    off, on = make(EventStatusChanged, at=MINUTE[2], status="CANCELLED"), make(EventRescheduled, at=MINUTE[2])
    given(make(EventScheduled), off, on)

    when_folded()

    expected = "SCHEDULED" if on.ref > off.ref else "CANCELLED"
    assert [(expected,)] == then("SELECT status FROM events")


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


def test_a_correction_always_beats_the_result_that_it_corrects(given: Given, when_folded: When, then: Then) -> None:
    """Also one that was dated later, as importers assume times, and one that is a correction itself."""
    wrong = make(ResultRecorded, at=MINUTE[5], home=2, away=1, time_assumed=True)
    better = make(ResultCorrected, at=MINUTE[2], home=2, away=2, corrects=wrong.ref)
    given(wrong, better, make(ResultCorrected, number=1, at=MINUTE[3], corrects=better.ref, **NOT_PLAYED))

    when_folded()

    assert then("SELECT status, home FROM event_results") == [("POSTPONED", None)]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("told_at", [0, 3])
def test_no_result_after_all_takes_back_what_was_told_before_it(
    given: Given, when_folded: When, then: Then, told_at: int, together: bool
) -> None:
    """Whoever told it; of what was told later the result counts: the game was played on its new date."""
    wrong, other = make(ResultRecorded, at=MINUTE[1]), make(ResultRecorded, number=1, at=MINUTE[told_at], home=5)
    given(make(ResultCorrected, at=MINUTE[2], corrects=wrong.ref, **NOT_PLAYED))
    if not together:
        when_folded()
    given(wrong, other)

    when_folded()

    assert [("FINAL", 5) if told_at == 3 else ("POSTPONED", None)] == then("SELECT status, home FROM event_results")


@pytest.mark.parametrize("score_at", [1, 3])
@pytest.mark.parametrize("assumed", [True, False])
def test_who_won_at_an_assumed_time_says_less_than_a_score(
    given: Given, when_folded: When, then: Then, score_at: int, assumed: bool
) -> None:
    """A file of forecasts tells it 12 hours after the start, one of results 2 hours after it."""
    given(make(ResultRecorded, at=MINUTE[score_at], home=2, away=1, time_assumed=assumed))
    given(make(ResultRecorded, number=1, at=MINUTE[2], **ONLY_WON))

    when_folded()

    assert then("SELECT home, away FROM event_results") == [(2, 1)]


@pytest.mark.parametrize("told", [ONLY_WON | {"time_assumed": False}, {**ONLY_WON, "status": "AWARDED"}])
def test_what_is_told_later_counts_where_it_says_when_or_that_it_was_not_played_out(
    given: Given, when_folded: When, then: Then, told: dict[str, Any]
) -> None:
    """Neither is less than the score of before."""
    given(make(ResultRecorded, at=MINUTE[1]), make(ResultRecorded, number=1, at=MINUTE[2], **told))

    when_folded()

    assert then("SELECT winner, home FROM event_results") == [("home", None)]
