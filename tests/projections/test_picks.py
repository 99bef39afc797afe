"""A pick is a prediction's first official publish, valid by the set of records, whatever the order they arrived in."""

from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest

from eventlog.clock import ManualClock
from projections.store import Store
from schemas.events import (
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatusChanged,
    ResultCorrected,
    ResultRecorded,
)
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.publishes import ParlayPublished, PredictionPublished
from schemas.record import Record
from tests.projections.conftest import Given, Then, When
from tests.records import DEFAULTS, EVENTS, MINUTE, make, ref

SPREAD = "SPREAD:FULL_GAME"
TERMS = DEFAULTS[PredictionPublished]["ticket_terms"]
WHY = "SELECT invalid_because FROM published_predictions"


def _story(**publish: Any) -> dict[type[Record], Record]:
    """An event at minute 4, odds at 0, a prediction at 1, its publish at 2, all of them replayed history."""
    kinds: list[tuple[type[Record], int, dict[str, Any]]] = [
        (EventScheduled, 0, {"starts_at": MINUTE[4]}),
        (OddsSnapshotCaptured, 0, {}),
        (PredictionMade, 1, {}),
        (PredictionPublished, 2, publish),
    ]
    return {kind: make(kind, at=MINUTE[minute], origin="BACKFILL", **data) for kind, minute, data in kinds}


def test_an_official_publish_in_time_is_a_pick(given: Given, when_folded: When, then: Then) -> None:
    """With the terms of its ticket, and what the prediction was about."""
    given(*_story().values())

    when_folded()

    assert then(WHY) == [(None,)]
    assert [(ref(PredictionPublished), "HOME", -1.5, "1.91", 0.55)] == then(
        "SELECT publish_id, selection, line, price, p_served FROM picks"
    )


def test_further_channels_are_no_further_picks(given: Given, when_folded: When, then: Then) -> None:
    """The track record counts a prediction once; an unofficial publish before it counts for nothing."""
    given(*_story().values())
    given(make(PredictionPublished, number=1, at=MINUTE[3], origin="BACKFILL", channel="mail"))
    given(make(PredictionPublished, number=2, at=MINUTE[1], origin="BACKFILL", is_official=False))

    when_folded()

    assert [(ref(PredictionPublished),)] == then("SELECT publish_id FROM picks")
    assert then("SELECT count(*) FROM published_predictions") == [(3,)]


@pytest.mark.parametrize(
    ("without", "why"),
    [
        (PredictionMade, "UNKNOWN_PREDICTION"),
        (EventScheduled, "UNKNOWN_EVENT"),
        (OddsSnapshotCaptured, "UNKNOWN_SNAPSHOT"),
    ],
)
def test_a_publish_of_what_nobody_knows_is_invalid(
    without: type[Record], why: str, given: Given, when_folded: When, then: Then
) -> None:
    """Until the missing record arrives."""
    story = _story()
    given(*(record for kind, record in story.items() if kind is not without))
    when_folded()
    assert ([(why,)], []) == (then(WHY), then("FROM picks"))
    given(story[without])

    when_folded()

    assert (then(WHY), len(then("FROM picks"))) == ([(None,)], 1)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (make(PredictionMade, at=MINUTE[3], origin="BACKFILL"), "PREDICTED_AFTER_PUBLISH"),
        (make(EventScheduled, starts_at=MINUTE[2], origin="BACKFILL"), "AFTER_START"),
        (make(OddsSnapshotCaptured, line=-2.5, origin="BACKFILL"), "TERMS_CONTRADICT_SNAPSHOT"),
    ],
)
def test_a_publish_that_contradicts_what_is_known_is_invalid(
    changed: Record, why: str, given: Given, when_folded: When, then: Then
) -> None:
    """It is shown with its reason, and never graded."""
    given(*(_story() | {type(changed): changed}).values())

    when_folded()

    assert ([(why,)], []) == (then(WHY), then("FROM picks"))


@pytest.mark.parametrize(
    ("status", "minute", "why"),
    [("FINAL", 1, "RESULT_KNOWN"), ("FINAL", 2, None), ("POSTPONED", 1, None), ("RETIRED", 1, "RESULT_KNOWN")],
)
@pytest.mark.parametrize("in_play", [True, False])
def test_nothing_is_picked_once_the_result_is_known(
    status: str, minute: int, why: str | None, in_play: bool, given: Given, when_folded: When, then: Then
) -> None:
    """In-play or not; what was known at the same moment is not yet known."""
    given(*_story(in_play=in_play).values())
    given(make(ResultRecorded, at=MINUTE[minute], origin="BACKFILL", status=status))

    when_folded()

    assert then(WHY) == [(why,)]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (make(ResultRecorded, at=MINUTE[1], origin="BACKFILL"), None),
        (make(ResultRecorded, at=MINUTE[1]), "RESULT_KNOWN"),
        (make(EventStatusChanged, at=MINUTE[1], origin="BACKFILL", status="AWARDED"), None),
        (make(EventStatusChanged, at=MINUTE[1], status="AWARDED"), "EVENT_OVER"),
    ],
)
def test_history_that_is_imported_later_takes_no_live_pick_away(
    told: Record, why: str | None, clock: ManualClock, given: Given, when_folded: When, then: Then
) -> None:
    """Importers assume times: to a live pick a result is known from when it is on record."""
    live = [(record.occurred_at, record.model_copy(update={"origin": "LIVE"})) for record in _story().values()]
    heard = (told.occurred_at if told.origin == "LIVE" else MINUTE[5], told)
    for at, record in sorted([*live, heard], key=itemgetter(0)):
        clock.at = at
        given(record)

    when_folded()

    assert then(WHY) == [(why,)]


def test_a_result_that_is_corrected_to_none_ends_nothing(given: Given, when_folded: When, then: Then) -> None:
    """The game was not played after all, and is picked again."""
    wrong = make(ResultRecorded, at=MINUTE[0], origin="BACKFILL")
    given(*_story().values(), wrong)
    given(make(ResultCorrected, at=MINUTE[1], origin="BACKFILL", corrects=wrong.ref, status="POSTPONED"))

    when_folded()

    assert then(WHY) == [(None,)]


def test_a_prediction_of_another_event_is_invalid(given: Given, when_folded: When, then: Then) -> None:
    """A publish carries its event; its prediction must be about the same one."""
    elsewhere = make(PredictionMade, EVENTS[1], number=9, origin="BACKFILL")
    given(*_story(prediction_id=elsewhere.ref).values(), elsewhere)

    when_folded()

    assert then(WHY) == [("OTHER_EVENT",)]


def test_in_play_is_valid_after_the_start(given: Given, when_folded: When, then: Then) -> None:
    """Where it is marked so."""
    given(*_story(in_play=True).values(), make(EventStarted, started_at=MINUTE[1]))

    when_folded()

    assert then(WHY) == [(None,)]


@pytest.mark.parametrize(
    "terms",
    [
        {"book": "bet365"},
        {"book": "bet365", "line": -2.0},
        {"book": None, "line": -2.0},
        {"book": None, "price": "10", "price_decimal": 10.0},
        {"price": "1.92", "price_decimal": 1.92},
        {"price": "1.9105", "price_decimal": 1.9105},
        {"odds_format": "american", "price": "-105", "price_decimal": 1.952},
        {"odds_format": "american", "price": "-108", "price_decimal": 1.925},
    ],
    ids=str,
)
def test_terms_that_the_snapshot_does_not_have_are_invalid(
    terms: dict[str, Any], given: Given, when_folded: When, then: Then
) -> None:
    """As the publishing service refuses them; a producer of its own gets no better terms, whatever book it names."""
    given(*_story(ticket_terms={**TERMS, **terms}).values())

    when_folded()

    assert then(WHY) == [("TERMS_CONTRADICT_SNAPSHOT",)]


@pytest.mark.parametrize(
    "terms",
    [
        {"book": None},
        {"book": " Pinnacle "},
        {"odds_format": "american", "price": "-110", "price_decimal": 1.9090909},
        {"odds_format": "american", "price": "-109", "price_decimal": 1.9174312},
        {"odds_format": None, "price": None, "price_decimal": None},
    ],
    ids=str,
)
def test_the_same_terms_may_be_told_otherwise(
    terms: dict[str, Any], given: Given, when_folded: When, then: Then
) -> None:
    """Without the book or the price, or in another format to its rounding."""
    given(*_story(ticket_terms={**TERMS, **terms}).values())

    when_folded()

    assert then(WHY) == [(None,)]


def test_a_price_is_the_snapshots_however_either_was_rounded(given: Given, when_folded: When, then: Then) -> None:
    """-110 is -110, be it 1.91 there and 1.9090909 here."""
    price: dict[str, Any] = {"odds_format": "american", "price": "-110"}
    seen = make(OddsSnapshotCaptured, at=MINUTE[0], origin="BACKFILL", **price, price_decimal=1.91)
    story = _story(ticket_terms={**TERMS, **price, "price_decimal": 1.9090909})
    given(*(story | {OddsSnapshotCaptured: seen}).values())

    when_folded()

    assert then(WHY) == [(None,)]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"selection": "AWAY"}, "TERMS_CONTRADICT_SNAPSHOT"),
        ({"market_key": "ASIAN_HANDICAP:FULL_GAME"}, "TERMS_CONTRADICT_SNAPSHOT"),
        ({"event_id": EVENTS[1]}, "UNKNOWN_SNAPSHOT"),
    ],
    ids=str,
)
def test_a_snapshot_of_something_else_is_invalid(
    seen: dict[str, Any], why: str, given: Given, when_folded: When, then: Then
) -> None:
    """The price of another selection, market or event backs nothing."""
    other = make(OddsSnapshotCaptured, number=1, origin="BACKFILL", **seen)
    story = _story()
    story[PredictionMade] = make(PredictionMade, at=MINUTE[1], origin="BACKFILL", market_snapshot_id_used=other.ref)
    given(*story.values(), other)

    when_folded()

    assert then(WHY) == [(why,)]


@pytest.mark.parametrize(
    ("official", "terms", "why"),
    [(True, TERMS, "NO_SNAPSHOT"), (False, TERMS, None), (True, {}, None)],
    ids=["official price", "unofficial price", "no price"],
)
def test_an_official_price_needs_a_snapshot(
    official: bool, terms: dict[str, Any], why: str | None, given: Given, when_folded: When, then: Then
) -> None:
    """A forecast without a price needs none."""
    story = _story(is_official=official, ticket_terms=terms)
    story[PredictionMade] = make(PredictionMade, at=MINUTE[1], origin="BACKFILL", market_snapshot_id_used=None)
    given(*story.values())

    when_folded()

    assert then(WHY) == [(why,)]


@pytest.mark.parametrize(
    ("statuses", "why"),
    [
        ([("CANCELLED", 1)], "EVENT_OVER"),
        ([("CANCELLED", 3)], None),
        ([("CANCELLED", 0), ("SCHEDULED", 1)], None),
    ],
    ids=["before", "later", "on again"],
)
def test_an_event_that_was_called_off_takes_no_publish(
    statuses: list[tuple[str, int]], why: str | None, given: Given, when_folded: When, then: Then
) -> None:
    """Only what was called off by then; a pick whose game is called off later is a void one."""
    told = [
        make(EventStatusChanged, number=at, at=MINUTE[at], origin="BACKFILL", status=status) for status, at in statuses
    ]
    given(*_story().values(), *told)

    when_folded()

    assert then(WHY) == [(why,)]


@pytest.mark.parametrize("change", [EventStarted, EventRescheduled])
@pytest.mark.parametrize(
    ("status", "at", "on_again_at", "why"),
    [
        ("CANCELLED", 0, 1, None),
        ("CANCELLED", 1, 0, "EVENT_OVER"),
        ("CANCELLED", 1, 3, "EVENT_OVER"),
        ("ABANDONED", 0, 1, "EVENT_OVER"),
        ("AWARDED", 0, 1, "EVENT_OVER"),
    ],
)
def test_a_cancelled_event_with_a_new_start_takes_publishes_again(
    given: Given,
    when_folded: When,
    then: Then,
    change: type[EventStarted | EventRescheduled],
    status: str,
    at: int,
    on_again_at: int,
    why: str | None,
) -> None:
    """As the publishing service has it; only by what was known at the publish."""
    field = "started_at" if change is EventStarted else "starts_at"
    on_again: dict[str, Any] = {field: MINUTE[5]}
    given(
        *_story().values(),
        make(EventStatusChanged, at=MINUTE[at], origin="BACKFILL", status=status),
        make(change, at=MINUTE[on_again_at], origin="BACKFILL", **on_again),
    )

    when_folded()

    assert then(WHY) == [(why,)]


def test_what_counts_for_nothing_is_listed_with_its_reason(given: Given, when_folded: When, store: Store) -> None:
    """Official publishes and legs of parlays, oldest first; neither what is valid nor what is not official."""
    given(*_story().values())
    for number, official in enumerate([True, False], start=1):
        wrong = make(
            PredictionPublished,
            number=number,
            at=MINUTE[3],
            origin="BACKFILL",
            is_official=official,
            ticket_terms={**TERMS, "line": -9.5},
        )
        given(wrong)
    odds, leg, parlay = _parlay_of(_story()[PredictionMade], {**TERMS, "book": "bet365"})
    given(odds, leg, parlay)

    when_folded()

    told = store.query("invalid_publishes").select(["publish_id", "leg", "prediction_id", "invalid_because"])
    assert [tuple(row.values()) for row in told.to_pylist()] == [
        (parlay.ref, 2, leg.ref, "TERMS_CONTRADICT_SNAPSHOT"),
        (ref(PredictionPublished, number=1), 0, ref(PredictionMade), "TERMS_CONTRADICT_SNAPSHOT"),
    ]


def test_an_invalid_publish_does_not_block_a_valid_one(given: Given, when_folded: When, then: Then) -> None:
    """The first that counts is the pick."""
    given(*_story(ticket_terms={**TERMS, "line": -9.5}).values())
    second = make(PredictionPublished, number=1, at=MINUTE[3], origin="BACKFILL")
    given(second)

    when_folded()

    assert then("SELECT publish_id FROM picks") == [(second.ref,)]


def test_an_event_without_a_start_is_unknown(given: Given, when_folded: When, then: Then) -> None:
    """A status alone tells no start, so nobody can say that the publish came before it."""
    story = _story(in_play=True)
    story[EventScheduled] = make(EventStatusChanged)
    given(*story.values())

    when_folded()

    assert then(WHY) == [("UNKNOWN_EVENT",)]


def test_a_live_publish_counts_from_when_it_was_recorded(
    given: Given, when_folded: When, then: Then, clock: ManualClock
) -> None:
    """Upstream's time of a live record backdates nothing."""
    story = _story()
    given(*(record for kind, record in story.items() if kind is not PredictionPublished))
    clock.advance(timedelta(minutes=5))
    given(make(PredictionPublished, at=MINUTE[2]))

    when_folded()

    assert then(WHY) == [("AFTER_START",)]


@pytest.mark.parametrize(
    ("second", "legs"),
    [
        ({"at": MINUTE[1]}, 2),
        ({"at": MINUTE[3]}, 0),
        ({"at": MINUTE[1], "event_id": EVENTS[1]}, 0),
    ],
    ids=["in time", "predicted too late", "of an unknown event"],
)
def test_a_parlay_counts_only_whole(
    second: dict[str, Any], legs: int, given: Given, when_folded: When, then: Then
) -> None:
    """One bad leg, and no leg is a pick."""
    given(*_story().values(), *_parlay_of(_story()[PredictionMade], TERMS, **second))

    when_folded()

    assert legs == len(then("FROM parlay_picks"))


@pytest.mark.parametrize(
    "terms", [{"line": -2.0}, {"book": "bet365"}, {"book": None, "price": "10", "price_decimal": 10.0}], ids=str
)
def test_a_parlay_with_terms_that_no_snapshot_has_is_invalid(
    terms: dict[str, Any], given: Given, when_folded: When, then: Then
) -> None:
    """Each leg is held to what a publish alone is held to."""
    given(*_story().values(), *_parlay_of(_story()[PredictionMade], {**TERMS, **terms}))

    when_folded()

    why = "SELECT invalid_because FROM published_parlays"
    assert (then(why), then("FROM parlay_picks")) == ([("TERMS_CONTRADICT_SNAPSHOT",)], [])


def test_a_leg_keeps_the_selection_of_its_ticket(given: Given, when_folded: When, then: Then) -> None:
    """The free text, as a publish does; a leg without one has none."""
    given(*_parlay_of(_story()[PredictionMade], {**TERMS, "selection": "Arsenal -1.5"}))

    when_folded()

    assert ("Arsenal -1.5",) in then("SELECT ticket_selection FROM parlay_legs")


def test_a_parlay_in_two_channels_is_one_pick(given: Given, when_folded: When, then: Then) -> None:
    """The first of them, whichever order its legs stand in."""
    odds, leg, parlay = _parlay_of(_story()[PredictionMade], TERMS)
    legs = tuple(reversed(parlay.model_dump()["data"]["legs"]))
    again = make(ParlayPublished, number=1, at=MINUTE[3], origin="BACKFILL", channel="mail", legs=legs)
    given(*_story().values(), odds, leg, parlay, again)

    when_folded()

    assert then("SELECT DISTINCT publish_id FROM parlay_picks") == [(parlay.ref,)]
    assert then("SELECT count(*) FROM published_parlays") == [(2,)]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"market_key": SPREAD}, "BAD_LEGS"),
        ({"market_key": SPREAD, "selection": "AWAY"}, "BAD_LEGS"),
        ({"market_key": "TEAM_TOTAL:FULL_GAME", "selection": "HOME_OVER"}, None),
        ({"market_key": "PLAYER_POINTS:FULL_GAME", "selection": "OVER:Ann"}, None),
    ],
    ids=["the same again", "the other side", "of a team", "of a player"],
)
@pytest.mark.parametrize("first", [SPREAD, "TEAM_TOTAL:FULL_GAME", "PLAYER_POINTS:FULL_GAME"])
def test_legs_on_one_market_are_no_parlay(
    first: str, second: dict[str, Any], why: str | None, given: Given, when_folded: When, then: Then
) -> None:
    """They repeat or exclude each other, unless they are about another player or team."""
    about = {SPREAD: "HOME", "TEAM_TOTAL:FULL_GAME": "AWAY_OVER", "PLAYER_POINTS:FULL_GAME": "OVER:Bob"}[first]
    odds = make(OddsSnapshotCaptured, at=MINUTE[0], origin="BACKFILL", market_key=first, selection=about)
    leg = make(PredictionMade, at=MINUTE[1], origin="BACKFILL", market_key=first, selection=about)
    given(*(_story() | {OddsSnapshotCaptured: odds, PredictionMade: leg}).values(), *_parlay_of(leg, TERMS, **second))

    when_folded()

    assert then("SELECT invalid_because FROM published_parlays") == [(why if first == SPREAD else None,)]


def _parlay_of(
    first: Record, terms: dict[str, Any], *, at: datetime = MINUTE[1], event_id: str = EVENTS[0], **about: Any
) -> tuple[Record, Record, Record]:
    """Odds of another market, a prediction on them, and the official parlay of both; its second leg has these terms."""
    about = {"market_key": "SPREAD:FIRST_HALF", "selection": "HOME"} | about
    seen = make(OddsSnapshotCaptured, event_id, MINUTE[0], number=1, origin="BACKFILL", **about)
    second = make(PredictionMade, event_id, at, number=1, origin="BACKFILL", market_snapshot_id_used=seen.ref, **about)
    legs = [{"prediction_id": one.ref, "ticket_terms": said} for one, said in ((first, TERMS), (second, terms))]
    return seen, second, make(ParlayPublished, at=MINUTE[2], origin="BACKFILL", legs=legs)
