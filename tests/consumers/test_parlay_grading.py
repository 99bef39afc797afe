"""A parlay is settled whole, from its legs, each by the rulebook of its sport."""

from decimal import Decimal
from typing import Literal

import pytest

from schemas.gradings import Grade, PredictionGraded
from schemas.publishes import Parlay, ParlayLeg, ParlayPublished, PredictionPublished
from tests.consumers.scene import START, Row, Scene, shown

MONEYLINE = "MONEYLINE:FULL_GAME"


def two_legs(scene: Scene) -> list[Row]:
    """One leg on each of two games, at 1.91 and 2.00."""
    scene.game("first")
    scene.game("second", sport="nfl", league="NFL")
    return [scene.leg(event_id="first"), scene.leg("2.00", MONEYLINE, event_id="second")]


def american_leg(scene: Scene, price: str, market_key: str) -> Row:
    """James over half of something, at an American price seen now."""
    snapshot_id = scene.snapshots.capture_odds_snapshot(
        "game", "tests", "draftkings", market_key, "OVER:James", 0.5, price_american=price, raw_payload={}
    )
    prediction_id = scene.prediction(market_key, "OVER:James", snapshot_id)
    return {"prediction_id": prediction_id, "ticket_terms": {"line": 0.5, "price": price}}


def of_picks(scene: Scene, origin: Literal["LIVE", "BACKFILL"] = "LIVE") -> ParlayPublished:
    """An official parlay of all that was published, as of now; not on the log yet."""
    published = [one.data.model_dump(include={*ParlayLeg.model_fields}) for one in scene.records(PredictionPublished)]
    legs = tuple(ParlayLeg(**one) for one in published)
    data = Parlay(legs=legs, channel="telegram", visibility="premium", is_official=True)
    return ParlayPublished(occurred_at=scene.clock.at, origin=origin, producer="tests", data=data)


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


def test_a_parlay_at_one_book_is_of_that_book_however_its_legs_spell_it(scene: Scene) -> None:
    """Case says nothing, here as in the rollups of picks."""
    scene.game("first")
    scene.game("second", sport="nfl", league="NFL")
    legs = [scene.leg(event_id="first", book="DraftKings"), scene.leg("2.00", MONEYLINE, event_id="second")]
    publish_id = scene.parlay(*legs)

    scene.played(110, 100, "first")
    scene.played(21, 20, "second")

    assert scene.rows("SELECT publish_id, book FROM graded_parlays") == [(publish_id, "draftkings")]


@pytest.mark.parametrize(("price", "legs"), [("501.0", 6), ("11.0", 12)])
def test_a_parlay_that_pays_more_than_is_counted_stops_no_other(scene: Scene, price: str, legs: int) -> None:
    """UNGRADEABLE, with that reason; no column holds what it pays."""
    names = [scene.game(f"game {number}") for number in range(legs)]
    beyond = scene.parlay(*(scene.leg(price, MONEYLINE, event_id=name) for name in names))
    within = scene.parlay(*(scene.leg(price, MONEYLINE, event_id=name) for name in names[:3]))

    for name in names:
        scene.played(110, 100, name)

    grade = scene.grade(beyond)
    assert (grade["outcome"], grade["unit_return"]) == ("UNGRADEABLE", None)
    assert grade["reason"] == "odds: they pay more than 1,000,000,000 for one, which is more than is counted"
    assert (Decimal(price) ** 3 - 1, "WIN") == (scene.grade(within)["unit_return"], scene.grade(within)["outcome"])


def test_the_rollups_hold_the_largest_grade_that_may_be_on_record(scene: Scene) -> None:
    """An older grader put it there; a margin takes two that returned unlike."""
    publish_id = scene.parlay(*two_legs(scene))
    scene.pick("2.00", MONEYLINE, event_id="first")
    scene.played(110, 100, "first")
    scene.played(21, 20, "second")
    scene.grade(publish_id)
    [graded] = [record for record in scene.records(PredictionGraded) if record.data.publish_id == publish_id]
    most = Decimal(10) ** 16 - 1
    data = Grade(**graded.data.model_dump() | {"unit_return": most, "revision": 1})

    scene.log.append([PredictionGraded(occurred_at=scene.clock.at, producer="grader", data=data)])

    assert scene.rows("SELECT total_units, roi_margin_95 > 0 FROM performance_rollups WHERE cohort = 'all'") == [
        (most + 1, True)
    ]


@pytest.mark.parametrize(("second", "outcome"), [((21, 20), "UNGRADEABLE"), ((20, 21), "LOSS")])
def test_a_leg_whose_price_cannot_be_read_says_so(scene: Scene, second: tuple[int, int], outcome: str) -> None:
    """A parlay that another leg has lost is lost."""
    scene.game()
    scene.game("second", sport="nfl", league="NFL")
    scene.unreadable_pick()
    scene.pick("2.00", MONEYLINE, event_id="second")
    parlay = of_picks(scene)
    scene.log.append([parlay])

    scene.played(110, 100)
    scene.played(*second, "second")

    grade = scene.grade(parlay.ref)
    reason = "legs: one is UNGRADEABLE; odds: 'abc' is not a number" if outcome == "UNGRADEABLE" else None
    assert (outcome, reason) == (grade["outcome"], grade["reason"])


@pytest.mark.parametrize(
    ("first", "second", "outcome", "summary"),
    [
        ((1, 1), (21, 20), "UNGRADEABLE", "UNGRADEABLE"),  # half lost, times what nobody told
        ((1, 1), (20, 21), "LOSS", "LOSS"),
        ((1, 1), (20, 20), "PARTIAL", "LOSS"),  # the leg without a price drops out
        ((2, 1), (21, 20), "WIN", "WIN"),
        ((1, 2), (21, 20), "LOSS", "LOSS"),
    ],
)
def test_no_price_is_invented_for_a_leg_that_has_none(
    scene: Scene, first: tuple[int, int], second: tuple[int, int], outcome: str, summary: str
) -> None:
    """Where the parlay's outcome depends on it there is none."""
    scene.game("first", sport="soccer", league="EPL")
    scene.game("second", sport="nfl", league="NFL")
    handicap = scene.leg("1.90", "ASIAN_HANDICAP:REGULATION", event_id="first", line=-0.25)
    unpriced = {"prediction_id": scene.prediction(MONEYLINE, event_id="second"), "ticket_terms": {}}
    publish_id = scene.parlay(handicap, unpriced)

    scene.played(*first, "first")
    scene.played(*second, "second")

    grade = scene.grade(publish_id)
    expected = {"outcome": outcome, "summary": summary, "unit_return": None}
    if outcome == "UNGRADEABLE":
        expected["reason"] = "odds: a leg has no price, and whether the parlay won depends on it"
    assert expected == shown(grade, list(expected))


@pytest.mark.parametrize(("price", "outcome"), [("1.999", "UNGRADEABLE"), ("2.00", "PARTIAL")])
def test_a_missing_price_may_be_as_short_as_a_price_can_be(scene: Scene, price: str, outcome: str) -> None:
    """Half lost times 1.999 is a loss at 1.0001 and a win at 1.001; times 2.00 it wins at any price."""
    for event_id in ("first", "second", "third"):
        scene.game(event_id, sport="soccer", league="EPL")
    handicap = scene.leg("1.90", "ASIAN_HANDICAP:REGULATION", event_id="first", line=-0.25)
    priced = scene.leg(price, "MONEYLINE_3WAY:REGULATION", event_id="second")
    unpriced = {
        "prediction_id": scene.prediction("MONEYLINE_3WAY:REGULATION", event_id="third"),
        "ticket_terms": {},
    }
    publish_id = scene.parlay(handicap, priced, unpriced)

    scene.played(1, 1, "first")
    scene.played(1, 0, "second")
    scene.played(1, 0, "third")

    assert scene.grade(publish_id)["outcome"] == outcome


def test_a_parlay_that_comes_after_its_results_is_graded(scene: Scene) -> None:
    """Told late, it names no event of its own: that its legs' events were touched before does not count."""
    for event_id in ("first", "second"):
        scene.game(event_id)
        scene.pick("2.00", MONEYLINE, event_id=event_id)
    parlay = of_picks(scene, origin="BACKFILL")
    scene.played(110, 100, "first")
    scene.played(21, 20, "second")
    scene.owner.run_once()

    scene.log.append([parlay])

    assert [grade["outcome"] for grade in scene.grades(parlay.ref)] == ["WIN"]


def test_only_parlays_with_a_leg_in_the_events_are_looked_at(scene: Scene) -> None:
    """Each with all its legs, whichever was touched."""
    scene.parlay(*two_legs(scene))
    scene.game()

    scene.owner.run_once()
    asked = [scene.store.query("parlay_events", {"event_ids": [name]}) for name in ("first", "second", "game")]

    assert [events["event_id"].to_pylist() for events in asked] == [["first", "second"], ["first", "second"], []]


def test_a_leg_on_an_event_that_nobody_scheduled_is_waited_for(scene: Scene) -> None:
    """The parlay says what to do, and is graded once that is done."""
    scene.game("first")
    publish_id = scene.parlay(scene.leg(event_id="first"), scene.leg("2.00", MONEYLINE, event_id="second"))
    scene.played(110, 100, "first")
    scene.played(21, 20, "second")

    assert scene.grades(publish_id) == []
    assert scene.ask(publish_id)["pending_because"].startswith("nobody scheduled the event")

    scene.game("second", sport="nfl", league="NFL")

    assert scene.grade(publish_id)["outcome"] == "WIN"


def test_a_parlay_that_the_grader_fails_on_is_ungradeable_and_stops_no_other_pick(scene: Scene) -> None:
    """A hundred prices of 46 digits: their product has more than Python writes."""
    scene.game()
    stats = [f"S{number}" for number in range(100)]
    legs = [american_leg(scene, "-999999." + "0" * 39 + "1", f"PLAYER_{stat}:FULL_GAME") for stat in stats]
    faulty = scene.publishing.publish_parlay(legs, "telegram", "premium", is_official=True, odds_format="american")
    sound = scene.pick()

    scene.played(110, 100, player_stats=tuple({"player": "James", "stat": stat, "value": 1} for stat in stats))

    grade = scene.grade(faulty)
    assert grade["outcome"] == "UNGRADEABLE"
    assert grade["reason"].startswith("grader: ValueError: Exceeds the limit (4300 digits)")
    assert scene.grade(sound)["outcome"] == "WIN"
