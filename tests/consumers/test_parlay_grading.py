"""A parlay is settled whole, from its legs, each by the rulebook of its sport."""

from decimal import Decimal

from tests.consumers.scene import START, Row, Scene

MONEYLINE = "MONEYLINE:FULL_GAME"


def two_legs(scene: Scene) -> list[Row]:
    """One leg on each of two games, at 1.91 and 2.00."""
    scene.game("first")
    scene.game("second", sport="nfl", league="NFL")
    return [scene.leg(event_id="first"), scene.leg("2.00", MONEYLINE, event_id="second")]


def test_all_legs_won_multiply(scene: Scene) -> None:
    """1.91 times 2.00: 2.82 profit, and both rulebooks are named."""
    publish_id = scene.parlay(*two_legs(scene))

    scene.played(110, 100, "first")
    scene.played(21, 20, "second")

    grade = scene.grade(publish_id)
    assert ("WIN", Decimal("2.82")) == (grade["outcome"], grade["unit_return"])
    assert {"nba@1", "nfl@1"} == set(grade["rulebook"].split(", "))
    assert 2 == len(grade["prediction_ids"]) == len(grade["result_ids"])


def test_one_lost_leg_loses_all(scene: Scene) -> None:
    """Whatever the others did."""
    publish_id = scene.parlay(*two_legs(scene))

    scene.played(110, 100, "first")
    scene.played(20, 21, "second")

    grade = scene.grade(publish_id)
    assert ("LOSS", Decimal(-1)) == (grade["outcome"], grade["unit_return"])


def test_a_void_leg_drops_out(scene: Scene) -> None:
    """The parlay pays what is left of it."""
    publish_id = scene.parlay(*two_legs(scene))

    scene.events.change_status("first", "CANCELLED")
    scene.played(21, 20, "second")

    grade = scene.grade(publish_id)
    assert ("WIN", Decimal(1)) == (grade["outcome"], grade["unit_return"])


def test_a_parlay_waits_for_all_its_legs(scene: Scene) -> None:
    """One result is not enough, even a lost one: the ticket is graded once, whole."""
    publish_id = scene.parlay(*two_legs(scene))

    scene.played(100, 110, "first")
    assert scene.grades(publish_id) == []
    scene.played(21, 20, "second")

    assert [grade["outcome"] for grade in scene.grades(publish_id)] == ["LOSS"]


def test_a_corrected_leg_leads_to_a_new_grade_of_the_parlay(scene: Scene) -> None:
    """As with a single pick."""
    publish_id = scene.parlay(*two_legs(scene))
    scene.played(110, 100, "first")
    result_id = scene.played(21, 20, "second")
    scene.grade(publish_id)

    scene.events.correct_result(result_id, 20, 21)

    assert [grade["outcome"] for grade in scene.grades(publish_id)] == ["LOSS", "WIN"]


def test_a_parlay_with_a_leg_published_after_its_start_is_no_pick(scene: Scene) -> None:
    """Every leg must be valid."""
    publish_id = scene.parlay(*two_legs(scene))
    scene.events.start_event("first", scene.clock.at)
    scene.clock.at = START
    scene.events.record_result("first", 110, 100)

    scene.played(21, 20, "second")

    assert scene.grades(publish_id) == []


def test_a_parlay_is_counted_and_found_by_requests(scene: Scene) -> None:
    """As a pick is: pending until it is graded, then by the id of its grade."""
    publish_id = scene.parlay(*two_legs(scene))
    scene.later(hours=1)
    waiting = scene.ask(publish_id=publish_id)

    scene.played(110, 100, "first")
    scene.played(21, 20, "second")

    assert (waiting["pending"], waiting["pending_because"]) == (1, "the event has no result yet")
    assert scene.grade(publish_id)["grade_id"] == scene.ask(publish_id=publish_id)["grade_id"]
    assert tuple(scene.ask(lookback_hours=72.0)[name] for name in ("graded", "voided", "pending")) == (1, 0, 0)


def test_a_parlay_is_one_row_of_the_rollups(scene: Scene) -> None:
    """Of market PARLAY and, where its legs differ, of league MULTI; another channel adds nothing, its legs neither."""
    legs = two_legs(scene)
    scene.parlay(*legs)
    scene.later(minutes=1)
    again = scene.publishing.publish_parlay(legs, "mail", "premium", is_official=True, odds_format="decimal")

    scene.played(110, 100, "first")
    scene.played(21, 20, "second")

    rows = scene.rows(
        "SELECT cohort_key, origin, picks, wins, total_units FROM performance_rollups "
        "WHERE cohort IN ('all', 'league', 'market', 'book', 'channel') ORDER BY ALL"
    )
    assert [
        (key, "LIVE", 1, 1, Decimal("2.82")) for key in ("MULTI", "PARLAY", "all", "draftkings", "telegram")
    ] == rows
    assert scene.ask(publish_id=again)["pending_because"] == "a later publish of a parlay that is a pick already"


def test_a_parlay_of_one_league_is_of_that_league(scene: Scene) -> None:
    """Beside the picks of it."""
    scene.game()
    scene.game("other")
    scene.parlay(scene.leg(), scene.leg("2.00", event_id="other"))

    scene.played(110, 100)
    scene.played(110, 100, "other")

    assert scene.rows("SELECT cohort_key, picks FROM performance_rollups WHERE cohort = 'league'") == [("NBA", 1)]
