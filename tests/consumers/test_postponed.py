"""A pick is made for the start that was planned when it was published, and delays count from there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.publishing_service import PublishRefusedError
from schemas.events import EventRescheduled, EventScheduled, EventStatusChanged, Reschedule, Schedule, StatusChange
from schemas.requests import GradingCompleted
from tests.consumers.scene import START, Row, Scene, shown
from tests.records import make

LATE_ON_ITS_DAY, NEXT_DAY, DAYS_LATER = timedelta(hours=11), timedelta(days=1), timedelta(days=3)
END_OF_CALENDAR = datetime(9999, 12, 31, tzinfo=UTC)
BY_SPORT = {"nba": "MONEYLINE:FULL_GAME", "soccer": "MONEYLINE_3WAY:REGULATION"}


def leg(scene: Scene, sport: str, **more: Any) -> Row:
    """Home to win, at evens."""
    return scene.leg("2.00", BY_SPORT.get(sport, "MONEYLINE:FULL_GAME"), **more)


def picked(scene: Scene, sport: str) -> str:
    """A pick, a minute before whatever the test says next."""
    one = leg(scene, sport)
    publish_id = scene.publish(one["prediction_id"], one["ticket_terms"])
    scene.later(minutes=1)
    return publish_id


def game_with_a_pick(scene: Scene, sport: str) -> str:
    """On the calendar since a minute, and picked."""
    scene.game(sport=sport)
    scene.later(minutes=1)
    return picked(scene, sport)


def postponed(scene: Scene, event_id: str = "game") -> None:
    """Nobody knows until when."""
    scene.events.change_status(event_id, "POSTPONED", "snow")
    scene.later(minutes=1)


def moved(scene: Scene, by: timedelta, event_id: str = "game") -> None:
    """A new date is on the calendar."""
    scene.events.reschedule_event(event_id, START + by, "snow")
    scene.later(minutes=1)


def postponed_and_moved(scene: Scene, by: timedelta) -> None:
    """First the one, then the other."""
    postponed(scene)
    moved(scene, by)


def played(scene: Scene, after: timedelta, **more: Any) -> None:
    """The home side won, so long after the first plan."""
    scene.clock.at = START + after
    scene.played(3, 1, **more)


def outcomes(scene: Scene, publish_id: str) -> list[str]:
    """The newest first."""
    return [grade["outcome"] for grade in scene.grades(publish_id)]


@pytest.mark.parametrize("sport", ["nba", "nfl", "mlb"])
def test_a_game_that_must_be_played_on_its_date_stays_void(scene: Scene, sport: str) -> None:
    """Void when it is postponed, when the new date is known, and when it was won there."""
    publish_id = game_with_a_pick(scene, sport)

    postponed(scene)
    assert outcomes(scene, publish_id) == ["VOID"]
    moved(scene, DAYS_LATER)
    assert outcomes(scene, publish_id) == ["VOID"] * 2
    played(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["VOID"] * 3


@pytest.mark.parametrize("put_off", [moved, postponed_and_moved])
@pytest.mark.parametrize(
    ("sport", "by", "outcome"),
    [
        ("nba", timedelta(hours=-2), "WIN"),
        ("nba", LATE_ON_ITS_DAY, "WIN"),
        ("nba", timedelta(hours=12), "VOID"),
        ("soccer", timedelta(hours=48), "WIN"),
        ("soccer", timedelta(hours=49), "VOID"),
    ],
)
def test_a_new_date_is_judged_by_the_rulebook(
    scene: Scene, put_off: Callable[[Scene, timedelta], None], sport: str, by: timedelta, outcome: str
) -> None:
    """Whether or not anyone called it postponed: void as soon as it is known, else the result is awaited."""
    publish_id = game_with_a_pick(scene, sport)

    put_off(scene, by)
    assert outcomes(scene, publish_id) == (["VOID"] if outcome == "VOID" else [])
    played(scene, by)

    assert outcome == scene.grade(publish_id)["outcome"]


def test_the_actual_start_decides_where_it_differs_from_the_plan(scene: Scene) -> None:
    """Planned within 48 hours, begun after them."""
    publish_id = game_with_a_pick(scene, "soccer")
    moved(scene, timedelta(hours=47))

    played(scene, timedelta(hours=49))

    assert scene.grade(publish_id)["outcome"] == "VOID"


@pytest.mark.parametrize(("sport", "by"), [("nba", timedelta(days=2)), ("soccer", timedelta(days=21))])
@pytest.mark.parametrize("put_off", [moved, postponed_and_moved])
def test_a_pick_made_for_the_new_date_is_graded_on_it(
    scene: Scene, put_off: Callable[[Scene, timedelta], None], sport: str, by: timedelta
) -> None:
    """What was put off before it was published is nothing to it."""
    earlier = game_with_a_pick(scene, sport)
    put_off(scene, by)
    scene.clock.at = START + by - timedelta(hours=3)
    publish_id = picked(scene, sport)

    assert outcomes(scene, publish_id) == []
    played(scene, by)

    assert (outcomes(scene, publish_id), scene.grade(earlier)["outcome"]) == (["WIN"], "VOID")


@pytest.mark.parametrize(
    ("sport", "again", "outcome"), [("nba", 1, "VOID"), ("soccer", 1, "WIN"), ("soccer", 3, "VOID")]
)
def test_what_is_put_off_again_counts_from_the_date_of_the_pick(
    scene: Scene, sport: str, again: int, outcome: str
) -> None:
    """Not from the first date, a week before."""
    week = timedelta(days=7)
    scene.game(sport=sport)
    scene.later(minutes=1)
    postponed_and_moved(scene, week)
    publish_id = picked(scene, sport)

    postponed_and_moved(scene, week + timedelta(days=again))
    played(scene, week + timedelta(days=again))

    assert outcome == scene.grade(publish_id)["outcome"]


@pytest.mark.parametrize("sport", ["nba", "soccer"])
def test_a_game_that_was_never_put_off_may_start_late(scene: Scene, sport: str) -> None:
    """Nobody moved it: it stands, however late."""
    publish_id = game_with_a_pick(scene, sport)

    played(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["WIN"]


def test_a_game_put_back_within_its_day_is_on_again(scene: Scene) -> None:
    """Void while nobody knew; the result supersedes that."""
    publish_id = game_with_a_pick(scene, "nba")
    postponed(scene)
    assert outcomes(scene, publish_id) == ["VOID"]

    moved(scene, timedelta(hours=3))
    assert outcomes(scene, publish_id) == ["VOID"]
    played(scene, timedelta(hours=3))

    assert outcomes(scene, publish_id) == ["WIN", "VOID"]


def test_a_new_plan_in_time_is_awaited_whoever_asks(scene: Scene) -> None:
    """The time that a postponed match without a plan has is up after 48 hours; this one has a plan."""
    publish_id = game_with_a_pick(scene, "soccer")
    postponed_and_moved(scene, timedelta(hours=47))

    scene.clock.at = START + timedelta(hours=49)

    assert shown(scene.ask(publish_id), "graded voided pending") == {"graded": 0, "voided": 0, "pending": 1}


@pytest.mark.parametrize(
    ("sport", "stated", "outcome"),
    [("nba", 2, "WIN"), ("nba", 60, "VOID"), ("soccer", 2, "WIN"), ("soccer", 60, "VOID")],
)
def test_the_delay_that_a_result_states_goes_first(scene: Scene, sport: str, stated: int, outcome: str) -> None:
    """Before the one that the calendar tells, of three days or of one."""
    publish_id = game_with_a_pick(scene, sport)
    by = DAYS_LATER if outcome == "WIN" else NEXT_DAY
    moved(scene, by)

    played(scene, by, start_delay_hours=stated)

    assert outcome == scene.grade(publish_id)["outcome"]


@pytest.mark.parametrize("sport", ["nba", "soccer"])
def test_a_result_of_a_postponed_game_that_nobody_dates_is_void(scene: Scene, sport: str) -> None:
    """No new plan and no start: that it was played in time would be a guess."""
    publish_id = game_with_a_pick(scene, sport)
    postponed(scene)
    scene.clock.at = START + DAYS_LATER

    scene.events.record_result("game", 3, 1)

    assert shown(scene.grade(publish_id), "outcome reason") == {
        "outcome": "VOID",
        "reason": "result: status is POSTPONED",
    }


def test_a_game_that_was_official_on_another_date_is_void(scene: Scene) -> None:
    """Called off after the minutes that make it official, but not on its date."""
    publish_id = game_with_a_pick(scene, "nba")
    moved(scene, NEXT_DAY)

    played(scene, NEXT_DAY, status="ABANDONED", minutes_played=45)

    assert scene.grade(publish_id)["outcome"] == "VOID"


def test_a_leg_that_is_put_off_drops_out(scene: Scene) -> None:
    """Each leg by its own plan and its own rulebook: two days are too long for one of them."""
    scene.game("first")
    scene.game("second", sport="soccer")
    scene.later(minutes=1)
    first, second = leg(scene, "nba", event_id="first"), leg(scene, "soccer", event_id="second")
    publish_id = scene.parlay(first, second)
    scene.later(minutes=1)

    for event_id in ("first", "second"):
        moved(scene, timedelta(days=2), event_id)
    assert scene.grades(publish_id) == []
    for event_id in ("first", "second"):
        played(scene, timedelta(days=2), event_id=event_id)

    assert shown(scene.grade(publish_id), "outcome unit_return") == {"outcome": "WIN", "unit_return": 1}


def test_a_parlay_made_for_the_new_date_is_paid_whole(scene: Scene) -> None:
    """Two prices of 2.00 make four."""
    for event_id, sport in (("first", "nba"), ("second", "soccer")):
        scene.game(event_id, sport)
        scene.later(minutes=1)
        postponed(scene, event_id)
        moved(scene, DAYS_LATER, event_id)
    publish_id = scene.parlay(leg(scene, "nba", event_id="first"), leg(scene, "soccer", event_id="second"))
    scene.later(minutes=1)

    for event_id in ("first", "second"):
        played(scene, DAYS_LATER, event_id=event_id)

    assert shown(scene.grade(publish_id), "outcome unit_return") == {"outcome": "WIN", "unit_return": 3}


def test_the_grade_cites_the_plan_of_the_pick_and_what_put_it_off(scene: Scene) -> None:
    """Beside the start; nothing dangles."""
    publish_id = game_with_a_pick(scene, "nba")
    postponed_and_moved(scene, DAYS_LATER)

    played(scene, DAYS_LATER)

    told = scene.rows("SELECT change_id FROM event_changes WHERE kind <> 'STATUS'")
    assert {change_id for (change_id,) in told} == set(scene.grade(publish_id)["start_ids"])
    assert [row for row in scene.store.query("audit").to_pylist() if row["offenders"]] == []


def test_a_postponement_that_is_told_late_leads_to_a_new_grade(scene: Scene) -> None:
    """It happened before the start and became known after the result; the start and the result are as they were."""
    publish_id = game_with_a_pick(scene, "nba")
    happened_at = scene.clock.at
    played(scene, DAYS_LATER)
    assert outcomes(scene, publish_id) == ["WIN"]

    said = StatusChange(status="POSTPONED")
    scene.log.append([EventStatusChanged(event_id="game", occurred_at=happened_at, producer="tests", data=said)])

    assert outcomes(scene, publish_id) == ["VOID", "WIN"]


def scheduled(at: datetime, starts_at: datetime, *, assumed: bool = False) -> EventScheduled:
    """A game of the history, of which its source may not know the hour."""
    data = Schedule(league="NBA", sport="nba", home="A", away="B", starts_at=starts_at, start_assumed=assumed)
    return EventScheduled(event_id="game", occurred_at=at, origin="BACKFILL", producer="tests", data=data)


def rescheduled(at: datetime, starts_at: datetime, *, assumed: bool = False) -> EventRescheduled:
    """A move of the history."""
    data = Reschedule(starts_at=starts_at, start_assumed=assumed)
    return EventRescheduled(event_id="game", occurred_at=at, origin="BACKFILL", producer="tests", data=data)


def test_what_an_importer_tells_at_the_moment_of_a_pick_was_known_to_it(scene: Scene) -> None:
    """A look at the odds shows the new date and the price that is picked."""
    before = scene.clock.at - timedelta(hours=1)
    scene.log.append([scheduled(before, START), rescheduled(scene.clock.at, START + DAYS_LATER)])
    publish_id = picked(scene, "nba")

    played(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["WIN"]


def test_a_stated_plan_is_what_a_pick_is_made_for(scene: Scene) -> None:
    """A source that only knows the day says less, even later."""
    before = scene.clock.at - timedelta(hours=2)
    unsure = rescheduled(before + timedelta(hours=1), START + DAYS_LATER, assumed=True)
    scene.log.append([scheduled(before, START), unsure])
    publish_id = picked(scene, "nba")

    moved(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["VOID"]


def test_the_first_plan_stands_in_where_none_was_known(scene: Scene) -> None:
    """A prediction that was published before the game was on the calendar."""
    publish_id = picked(scene, "nba")
    scene.game()
    scene.later(minutes=1)
    moved(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["VOID"]


def test_a_game_planned_for_the_end_of_the_calendar_is_waited_for(scene: Scene) -> None:
    """A date that stands for none: whoever asks, the 48 hours after it are not over, and no other pick is stopped."""
    scene.game("undated", "soccer", END_OF_CALENDAR)
    undated = scene.pick("2.00", BY_SPORT["soccer"], event_id="undated")
    publish_id = game_with_a_pick(scene, "nba")
    postponed(scene, "undated")
    played(scene, timedelta())

    assert shown(scene.ask(undated), "voided pending") == {"voided": 0, "pending": 1}
    assert outcomes(scene, publish_id) == ["WIN"]


@pytest.mark.parametrize("sport", ["nba", "soccer"])
def test_a_game_put_off_to_the_end_of_the_calendar_is_void(scene: Scene, sport: str) -> None:
    """More hours than a result may state are too late as well."""
    publish_id = game_with_a_pick(scene, sport)

    postponed(scene)
    scene.events.reschedule_event("game", END_OF_CALENDAR, "no date yet")

    assert outcomes(scene, publish_id)[0] == "VOID"


def told_wrong(scene: Scene) -> str:
    """A result of a game that was not played after all, and its correction, whose id it gives."""
    scene.clock.at = START + timedelta(hours=2)
    result_id = scene.events.record_result("game", 1, 0)
    scene.later(hours=1)
    correction_id = scene.events.correct_result(result_id, None, None, status="POSTPONED", reason="not played")
    scene.later(minutes=1)
    return correction_id


@pytest.mark.parametrize(("sport", "outcome"), [("nba", "VOID"), ("soccer", "WIN")])
def test_a_game_whose_result_was_taken_back_gets_that_of_its_new_date(scene: Scene, sport: str, outcome: str) -> None:
    """Told as the result that it is, not as a correction; until then a new plan in time is awaited."""
    publish_id = game_with_a_pick(scene, sport)
    told_wrong(scene)
    assert scene.grade(publish_id)["outcome"] == "VOID"

    postponed_and_moved(scene, NEXT_DAY)
    waiting = scene.grade(publish_id)["outcome"]
    played(scene, NEXT_DAY)

    assert (waiting, scene.grade(publish_id)["outcome"]) == ("VOID", outcome)


def test_a_result_that_was_taken_back_before_anyone_looked_is_awaited(scene: Scene) -> None:
    """The pick is pending, as where only the calendar says postponed."""
    publish_id = game_with_a_pick(scene, "soccer")
    told_wrong(scene)
    moved(scene, NEXT_DAY)

    assert outcomes(scene, publish_id) == []
    assert shown(scene.ask(publish_id), "graded voided pending") == {"graded": 0, "voided": 0, "pending": 1}


def test_what_was_won_by_a_result_that_was_taken_back_is_won_no_more(scene: Scene) -> None:
    """Though the new date came before the owner looked: the pick awaits the result of that."""
    publish_id = game_with_a_pick(scene, "soccer")
    scene.clock.at = START + timedelta(hours=2)
    result_id = scene.events.record_result("game", 1, 0)
    assert scene.grade(publish_id)["outcome"] == "WIN"
    scene.events.correct_result(result_id, None, None, status="POSTPONED")
    scene.later(minutes=1)
    moved(scene, NEXT_DAY)

    waiting = scene.grade(publish_id)
    again = scene.grade(publish_id)
    played(scene, NEXT_DAY)

    assert (waiting["outcome"], waiting["reason"]) == ("VOID", "result: it is awaited again")
    assert again == waiting
    assert scene.grade(publish_id)["outcome"] == "WIN"


def test_a_game_that_begins_again_without_a_new_date_is_awaited_too(scene: Scene) -> None:
    """Nobody put it off: its result was taken back, and then it began."""
    publish_id = game_with_a_pick(scene, "soccer")
    result_id = scene.played(2, 1)
    assert scene.grade(publish_id)["outcome"] == "WIN"
    scene.events.correct_result(result_id, None, None, status="POSTPONED")
    scene.later(minutes=1)

    scene.events.start_event("game")
    waiting = scene.grade(publish_id)["outcome"]
    scene.later(hours=2)
    scene.events.record_result("game", 0, 1)

    assert (waiting, scene.grade(publish_id)["outcome"]) == ("VOID", "LOSS")


def test_what_could_not_be_graded_by_a_result_that_was_taken_back_is_awaited_too(scene: Scene) -> None:
    """The reason was that result's: nobody told its score."""
    scene.game(sport="soccer")
    publish_id = scene.pick("2.00", "TOTAL:REGULATION", "OVER", line=2.5)
    scene.clock.at = START + timedelta(hours=2)
    result_id = scene.events.record_result("game", None, None, winner="home")
    assert scene.grade(publish_id)["outcome"] == "UNGRADEABLE"
    scene.events.correct_result(result_id, None, None, status="POSTPONED")
    scene.later(minutes=1)

    moved(scene, NEXT_DAY)

    assert scene.grade(publish_id)["outcome"] == "VOID"


def test_a_parlay_is_won_no_more_while_one_of_its_legs_is_awaited_again(scene: Scene) -> None:
    """What becomes of its other legs meanwhile counts once that one is played."""
    legs = [leg(scene, "soccer", event_id=scene.game(name, "soccer")) for name in ("first", "second")]
    publish_id = scene.parlay(*legs)
    results = [scene.played(2, 1, name) for name in ("first", "second")]
    assert scene.grade(publish_id)["outcome"] == "WIN"
    scene.events.correct_result(results[0], None, None, status="POSTPONED")
    scene.later(minutes=1)
    moved(scene, NEXT_DAY, "first")

    waiting = scene.grade(publish_id)["outcome"]
    scene.events.correct_result(results[1], 0, 1)
    lost_meanwhile = scene.grade(publish_id)["outcome"]
    scene.clock.at = START + NEXT_DAY
    scene.played(3, 1, "first")

    assert (waiting, lost_meanwhile, scene.grade(publish_id)["outcome"]) == ("VOID", "VOID", "LOSS")


def test_a_parlay_whose_void_leg_begins_after_all_waits_for_that(scene: Scene) -> None:
    """Without a new date: it was paid on the other leg alone while the game was called off."""
    legs = [leg(scene, "soccer", event_id=scene.game(name, "soccer")) for name in ("first", "second")]
    publish_id = scene.parlay(*legs)
    scene.played(2, 1, "first")
    scene.events.change_status("second", "CANCELLED")
    assert scene.grade(publish_id)["outcome"] == "WIN"
    scene.later(minutes=1)

    scene.events.start_event("second")
    waiting = scene.grade(publish_id)["outcome"]
    scene.later(hours=2)
    scene.events.record_result("second", 0, 1)

    assert (waiting, scene.grade(publish_id)["outcome"]) == ("VOID", "LOSS")


def test_a_new_start_beats_a_plan_that_its_importer_dates_later(scene: Scene) -> None:
    """Importers put a game on the calendar so many days before it begins, which may be still to come."""
    planned = START + timedelta(days=30)
    data: Row = {"starts_at": planned, "sport": "soccer"}
    scene.log.append([make(EventScheduled, "game", planned - timedelta(days=7), origin="BACKFILL", **data)])
    scene.later(hours=1)

    scene.events.reschedule_event("game", planned + DAYS_LATER)

    assert scene.rows("SELECT starts_at FROM events") == [(planned + DAYS_LATER,)]
    told = scene.publishing.starts("game")
    assert told is not None
    assert told.starts_at == planned + DAYS_LATER


def test_a_new_plan_that_is_too_late_voids_though_a_result_was_taken_back(scene: Scene) -> None:
    """At once."""
    publish_id = game_with_a_pick(scene, "soccer")
    told_wrong(scene)

    moved(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["VOID"]


@pytest.mark.parametrize("sport", ["nba", "soccer"])
def test_a_pick_for_the_new_date_waits_though_a_result_was_taken_back(scene: Scene, sport: str) -> None:
    """It is graded by what was played there; a pick from after that is none."""
    scene.game(sport=sport)
    told_wrong(scene)
    moved(scene, DAYS_LATER)
    publish_id = picked(scene, sport)

    assert outcomes(scene, publish_id) == []
    played(scene, DAYS_LATER)

    assert outcomes(scene, publish_id) == ["WIN"]
    late = leg(scene, sport, capture_id="after the end")
    with pytest.raises(PublishRefusedError, match="RESULT_KNOWN"):
        scene.publish(late["prediction_id"], late["ticket_terms"], in_play=True)


def test_a_game_that_is_not_played_on_its_new_date_either_is_void(scene: Scene) -> None:
    """Its result says so, and nobody has told a newer date."""
    publish_id = game_with_a_pick(scene, "soccer")
    moved(scene, NEXT_DAY)
    scene.clock.at = START + NEXT_DAY

    scene.events.record_result("game", None, None, status="POSTPONED")

    assert outcomes(scene, publish_id) == ["VOID"]


def test_a_replay_decides_the_same(scene: Scene) -> None:
    """An owner that sees the whole story at once adds no grade to those made on the way."""
    publish_id = game_with_a_pick(scene, "nba")
    for by in (NEXT_DAY, DAYS_LATER):
        postponed_and_moved(scene, by)
        scene.owner.run_once()
    played(scene, DAYS_LATER)
    scene.ask(publish_id)
    before = scene.size()

    with scene.another_owner() as other:
        other.run_once()

    assert (before, 1) == (scene.size(), len(scene.records(GradingCompleted)))
