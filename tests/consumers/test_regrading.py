"""New inputs lead to a new grade: both are kept, the newest counts, and all that is summed follows."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest

from schemas.events import EventStatus
from schemas.gradings import PredictionGraded
from tests.consumers.scene import START, Scene, shown

MONEYLINE = "MONEYLINE:FULL_GAME"
ROLLUP = "SELECT wins, losses, total_units FROM performance_rollups WHERE cohort = 'all'"
PLAYED_OUT: tuple[EventStatus, ...] = ("CANCELLED", "AWARDED", "ABANDONED")


def test_a_corrected_result_supersedes_the_grade_and_rollups_follow(scene: Scene) -> None:
    """Win becomes loss; the old grade stays in the history with the lower revision."""
    scene.game()
    publish_id = scene.pick()
    result_id = scene.played(110, 100)
    assert [(1, Decimal("0.91"))] == scene.rows(
        "SELECT wins, total_units FROM performance_rollups WHERE cohort = 'all'"
    )

    correction_id = scene.events.correct_result(result_id, 100, 110, reason="sides were swapped")

    new, old = scene.grades(publish_id)
    assert ("LOSS", 1, [correction_id]) == (new["outcome"], new["revision"], new["result_ids"])
    assert ("WIN", 0, [result_id]) == (old["outcome"], old["revision"], old["result_ids"])
    assert [(0, 1, Decimal(-1))] == scene.rows(ROLLUP)


def test_a_correction_that_comes_while_nobody_owns_is_seen_by_the_next_owner(scene: Scene) -> None:
    """The current grade is the one that cites the current inputs, whoever looks."""
    scene.game()
    publish_id = scene.pick()
    result_id = scene.played(110, 100)
    scene.grade(publish_id)
    scene.events.correct_result(result_id, 100, 110)

    with scene.another_owner() as other:
        other.run_once()

    assert [grade["outcome"] for grade in scene.grades(publish_id)] == ["LOSS", "WIN"]


def test_a_closing_price_that_arrives_late_leads_to_a_new_grade(scene: Scene) -> None:
    """It was seen before the start and told afterwards."""
    scene.game()
    publish_id = scene.pick("2.00", MONEYLINE)
    scene.played(110, 100)
    assert scene.grade(publish_id)["clv_price"] is None

    scene.odds("1.80", MONEYLINE, captured_at=START - timedelta(minutes=1))

    assert [pytest.approx(2 / 1.8 - 1), None] == [grade["clv_price"] for grade in scene.grades(publish_id)]


def test_a_price_from_after_the_start_leads_to_no_new_grade(scene: Scene) -> None:
    """It is no input."""
    scene.game()
    publish_id = scene.pick("2.00", MONEYLINE)
    scene.played(110, 100)
    scene.grade(publish_id)

    scene.odds("1.10", MONEYLINE)

    assert len(scene.grades(publish_id)) == 1


def test_a_start_that_moves_back_takes_the_close_with_it(scene: Scene) -> None:
    """A price that was the close turns out to be from the running game; the one before it is the close."""
    scene.game()
    publish_id = scene.pick("2.00", MONEYLINE)
    scene.clock.at = START - timedelta(minutes=5)
    scene.odds("1.80", MONEYLINE)
    scene.played(110, 100)
    assert scene.grade(publish_id)["close_price_decimal"] == 1.8

    scene.events.start_event("game", START - timedelta(minutes=10))

    assert [grade["close_price_decimal"] for grade in scene.grades(publish_id)] == [2.0, 1.8]


def test_a_game_put_off_within_the_day_closes_at_its_new_start(scene: Scene) -> None:
    """Rescheduled before it began: later prices count, and the pick stands."""
    scene.game()
    publish_id = scene.pick("2.00", MONEYLINE)
    scene.events.reschedule_event("game", START + timedelta(hours=2), "rain")
    scene.clock.at = START + timedelta(hours=1)
    close_id = scene.odds("1.70", MONEYLINE)
    scene.clock.at = START + timedelta(hours=2)

    scene.played(110, 100)

    assert {"outcome": "WIN", "close_snapshot_id": close_id} == shown(
        scene.grade(publish_id), "outcome close_snapshot_id"
    )


@pytest.mark.parametrize("status", PLAYED_OUT)
def test_a_game_that_is_not_played_is_void(scene: Scene, status: EventStatus) -> None:
    """The stake comes back, with the reason; it is in no denominator, and counted."""
    scene.game()
    publish_id = scene.pick()

    scene.events.change_status("game", status, "power cut")

    grade = scene.grade(publish_id)
    assert shown(grade, "outcome unit_return") == {"outcome": "VOID", "unit_return": 0}
    assert grade["reason"]
    expected = [(1, 0, None)]
    assert expected == scene.rows("SELECT voids, priced, total_units FROM performance_rollups WHERE cohort = 'all'")


@pytest.mark.parametrize("status", ["CANCELLED", "AWARDED"])
def test_a_game_that_was_played_stays_graded_by_its_score_until_its_result_is_corrected(
    scene: Scene, status: Literal["CANCELLED", "AWARDED"]
) -> None:
    """Annulled afterwards, or awarded to the other side: bookmakers pay by what was played, unless it is corrected."""
    scene.game()
    publish_id = scene.pick()
    result_id = scene.played(110, 100)

    scene.events.change_status("game", status, "a player was not entitled to play")
    assert scene.grade(publish_id)["outcome"] == "WIN"
    scene.events.correct_result(result_id, None, None, status=status, reason="annulled")

    assert [grade["outcome"] for grade in scene.grades(publish_id)] == ["VOID", "WIN"]


def test_a_grade_is_dated_by_the_status_that_it_rests_on(scene: Scene) -> None:
    """Given a game called off after the pick, whenever the owner comes to it."""
    scene.game()
    publish_id = scene.pick()
    scene.later(hours=2)
    scene.events.change_status("game", "CANCELLED")
    called_off = scene.clock.at
    scene.later(hours=5)

    assert (scene.grade(publish_id)["summary"], scene.grade(publish_id)["decided_at"]) == ("VOID", called_off)


def test_a_grade_is_dated_by_the_close_that_came_last(scene: Scene) -> None:
    """Given a price from before the start that is on record only after the result."""
    scene.game()
    publish_id = scene.pick()
    scene.played(110, 100)
    scene.later(hours=1)
    scene.odds("1.80", captured_at=START - timedelta(minutes=1))
    on_record = scene.clock.at
    scene.later(hours=5)

    assert (scene.grade(publish_id)["summary"], scene.grade(publish_id)["decided_at"]) == ("WIN", on_record)


def test_a_cancelled_game_that_is_played_after_all_is_graded_by_its_score(scene: Scene) -> None:
    """The void stays in the history."""
    scene.game()
    publish_id = scene.pick()
    scene.events.change_status("game", "CANCELLED")
    scene.grade(publish_id)

    scene.events.change_status("game", "SCHEDULED")
    scene.played(110, 100)

    assert [grade["outcome"] for grade in scene.grades(publish_id)] == ["WIN", "VOID"]


def test_an_nba_game_that_is_postponed_is_void_at_once(scene: Scene) -> None:
    """It must be played on its day."""
    scene.game()
    publish_id = scene.pick()

    scene.events.change_status("game", "POSTPONED")

    assert scene.grade(publish_id)["outcome"] == "VOID"


def test_a_soccer_match_that_is_postponed_waits_48_hours_by_the_requests_time(scene: Scene) -> None:
    """Never by the wall clock: a request says what time it is, so that a replay decides the same."""
    scene.game(sport="soccer", league="EPL")
    publish_id = scene.pick("2.00", "MONEYLINE_3WAY:REGULATION")
    scene.events.change_status("game", "POSTPONED")

    scene.clock.at = START + timedelta(hours=47)
    assert shown(scene.ask(), "voided pending") == {"voided": 0, "pending": 1}
    scene.clock.at = START + timedelta(hours=49)
    assert scene.grades(publish_id) == []
    assert shown(scene.ask(), "voided pending") == {"voided": 1, "pending": 0}

    grade = scene.grade(publish_id)
    assert (grade["outcome"], grade["decided_at"]) == ("VOID", START + timedelta(hours=49))


@pytest.mark.parametrize(("days", "outcome"), [(1, "WIN"), (3, "VOID")])
def test_a_postponed_soccer_match_stands_if_it_is_played_in_time(scene: Scene, days: int, outcome: str) -> None:
    """Within 48 hours of its first start the picks stand."""
    scene.game(sport="soccer", league="EPL")
    publish_id = scene.pick("2.00", "MONEYLINE_3WAY:REGULATION")
    scene.events.change_status("game", "POSTPONED")
    scene.events.reschedule_event("game", START + timedelta(days=days))
    scene.clock.at = START + timedelta(days=days)

    scene.played(2, 1)

    assert outcome == scene.grade(publish_id)["outcome"]


def test_one_pick_is_graded_again_by_force(scene: Scene) -> None:
    """From the same inputs: a new revision that names the request, once however often the owner looks."""
    scene.game()
    forced, other = scene.pick(), scene.pick("2.00", MONEYLINE)
    scene.played(110, 100)
    first = scene.grade(forced)

    tally = scene.ask(forced, force=True)

    new, old = scene.grades(forced)
    assert (new["grade_id"], 1, "WIN") == (tally["grade_id"], new["revision"], new["outcome"])
    assert (first, None) == (old, old["forced_by"])
    assert new["forced_by"]
    assert len(scene.grades(other)) == 1


def test_force_reaches_as_far_back_as_it_is_told(scene: Scene) -> None:
    """Only picks on events that started within the hours."""
    scene.game()
    publish_id = scene.pick()
    scene.played(110, 100)
    scene.clock.at = START + timedelta(hours=10)

    scene.ask(force=True, lookback_hours=9)
    untouched = len(scene.grades(publish_id))
    scene.ask(force=True, lookback_hours=11)

    assert (untouched, len(scene.grades(publish_id))) == (1, 2)


def test_force_is_of_picks_whose_time_had_come(scene: Scene) -> None:
    """What is graded first after the request was not forced by it."""
    scene.game()
    publish_id = scene.pick()

    scene.ask(force=True, lookback_hours=11)
    scene.played(110, 100)

    assert [grade["forced_by"] for grade in scene.grades(publish_id)] == [None]


def test_force_is_of_parlays_all_of_whose_legs_had_started(scene: Scene) -> None:
    """One that had not is reason enough to wait for."""
    scene.game()
    scene.game("tomorrow", starts_at=START + timedelta(days=1))
    publish_id = scene.parlay(scene.leg(), scene.leg(event_id="tomorrow"))
    scene.played(110, 100)
    scene.ask(force=True)
    scene.clock.at = START + timedelta(days=1)
    scene.played(110, 100, "tomorrow")
    first = scene.grade(publish_id)

    scene.ask(force=True)

    assert first["forced_by"] is None
    assert [bool(grade["forced_by"]) for grade in scene.grades(publish_id)] == [True, False]


def test_a_tally_tells_graded_voided_and_pending(scene: Scene) -> None:
    """Of the events that started within the hours; asking twice gives the same answer and no new grade."""
    for event_id in ("won", "off", "open"):
        scene.game(event_id)
        scene.pick(event_id=event_id)
    scene.events.change_status("off", "CANCELLED")
    scene.played(110, 100, "won")

    first, second = scene.ask(), scene.ask()

    assert shown(first, "graded voided pending") == {"graded": 1, "voided": 1, "pending": 1}
    assert first == second
    assert len(scene.records(PredictionGraded)) == 2
    assert shown(scene.ask(lookback_hours=1), "graded voided pending") == {"graded": 0, "voided": 0, "pending": 0}


@pytest.mark.parametrize(
    ("publish_id", "why"),
    [("game~00000000-0000-7000-8000-000000000000", "unknown publish_id"), (None, "the event has no result yet")],
)
def test_a_pick_that_cannot_be_graded_says_why(scene: Scene, publish_id: str | None, why: str) -> None:
    """Unknown, or not over yet."""
    scene.game()
    pick = scene.pick()

    assert why == scene.ask(publish_id or pick)["pending_because"]


def test_one_pick_is_answered_for_whenever_its_game_was(scene: Scene) -> None:
    """A look back is for all picks; a pick that is named is told of as it stands."""
    scene.game()
    pick = scene.pick()
    scene.later(days=30)
    assert shown(scene.ask(pick, lookback_hours=1), "pending pending_because") == {
        "pending": 1,
        "pending_because": "the event has no result yet",
    }

    scene.played(110, 100)
    scene.later(days=30)

    assert shown(scene.ask(pick, lookback_hours=1), "graded pending_because") == {"graded": 1, "pending_because": None}


def test_a_look_back_beyond_the_calendar_is_answered(scene: Scene) -> None:
    """It means all, forced or not."""
    scene.game()
    scene.pick()
    scene.played(110, 100)

    assert [scene.ask(lookback_hours=1e12, force=force)["graded"] for force in (False, True)] == [1, 1]
