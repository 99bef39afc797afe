"""A close is the last price at or before the start; no price from after the start is ever one."""

from datetime import timedelta
from typing import Any

import pytest

from projections.store import Store
from schemas.events import EventRescheduled, EventScheduled, EventStarted
from schemas.odds import OddsSnapshotCaptured
from schemas.requests import RetentionApplied
from tests.projections.conftest import Given, Then, When
from tests.records import MINUTE, NOON, make

CLOSES = "SELECT price_decimal, captured_at FROM closing_lines ORDER BY ALL"


def _odds(minute: int, **said: Any) -> OddsSnapshotCaptured:
    price = 1.5 + minute / 10
    return make(OddsSnapshotCaptured, number=minute, at=MINUTE[minute], price=str(price), price_decimal=price, **said)


def test_the_last_price_before_the_start_is_the_close(given: Given, when_folded: When, then: Then) -> None:
    """At the start itself still counts."""
    given(make(EventScheduled, starts_at=MINUTE[4]), *(_odds(minute) for minute in (1, 4, 5)))

    when_folded()

    assert [(1.9, MINUTE[4])] == then(CLOSES)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["start first", "price first"])
def test_a_price_at_the_very_start_is_a_close_whichever_came_first(
    order: slice, given: Given, when_folded: When, then: Then
) -> None:
    """A price that comes to a known start and a start that comes to known prices make the same close."""
    for record in (make(EventScheduled, starts_at=MINUTE[4]), _odds(4))[order]:
        given(record)
        when_folded()

    assert [(1.9, MINUTE[4])] == then(CLOSES)


@pytest.mark.parametrize("query", ["closing_line", "odds_of_event"])
def test_a_book_is_asked_for_in_any_case(query: str, given: Given, when_folded: When, store: Store) -> None:
    """As everywhere else; without one all are told."""
    start = make(EventScheduled)
    given(start, _odds(0, book="Bet365"), _odds(1, book="pinnacle"))

    when_folded()

    asked = ({"event_id": start.event_id} | more for more in ({"book": " bet365"}, {"book": "PINNACLE"}, {}))
    told = [store.query(query, one)["book"].to_pylist() for one in asked]
    assert [set(books) for books in told] == [{"Bet365"}, {"pinnacle"}, {"Bet365", "pinnacle"}]


def test_each_book_market_and_selection_has_its_own(given: Given, when_folded: When, then: Then) -> None:
    """A price of one says nothing of another."""
    given(
        make(EventScheduled),
        _odds(0, book="bet365"),
        _odds(1, selection="AWAY"),
        _odds(2, market_key="TOTAL:FULL_GAME", selection="OVER"),
        _odds(3),
    )

    when_folded()

    assert [price for price, _ in then(CLOSES)] == [1.5, 1.6, 1.7, 1.8]


def test_an_alternative_line_is_no_close(given: Given, when_folded: When, then: Then) -> None:
    """It is a price of another bet."""
    given(make(EventScheduled), _odds(1), _odds(2, label="alternate"))

    when_folded()

    assert [(1.6, MINUTE[1])] == then(CLOSES)
    assert then("SELECT price_decimal FROM latest_odds") == [(1.6,)]


@pytest.mark.parametrize("change", [EventStarted, EventRescheduled])
def test_a_start_that_moves_moves_the_close(
    change: type[EventStarted | EventRescheduled], given: Given, when_folded: When, then: Then
) -> None:
    """To an earlier price as well as to a later one."""
    given(make(EventScheduled, starts_at=MINUTE[4]), *(_odds(minute) for minute in (1, 3, 6)))
    when_folded()
    field = "started_at" if change is EventStarted else "starts_at"

    for number, (start, close) in enumerate([(MINUTE[2], 1.6), (MINUTE[7], 2.1)]):
        said: dict[str, Any] = {field: start}
        given(make(change, number=number, at=MINUTE[number], **said))
        when_folded()
        assert [close] == [price for price, _ in then(CLOSES)]


def test_a_late_price_from_before_the_start_becomes_the_close(given: Given, when_folded: When, then: Then) -> None:
    """When it was seen counts, not when it arrived."""
    given(make(EventScheduled, starts_at=MINUTE[4]), _odds(1))
    when_folded()
    given(_odds(6), _odds(3))

    when_folded()

    assert [(1.8, MINUTE[3])] == then(CLOSES)


def test_prices_of_an_event_that_nobody_scheduled_wait_for_it(given: Given, when_folded: When, then: Then) -> None:
    """Without a start there is no close."""
    given(_odds(1))
    when_folded()
    assert then(CLOSES) == []
    given(make(EventScheduled))

    when_folded()

    assert [(1.6, MINUTE[1])] == then(CLOSES)


def test_retention_takes_prices_out_of_the_view_and_leaves_closes(given: Given, when_folded: When, then: Then) -> None:
    """What it keeps by name stays, what was captured since its cutoff stays, and later imports of old prices stay."""
    kept, old, new = _odds(1), _odds(0), _odds(3)
    given(make(EventScheduled), kept, old, new)
    given(make(RetentionApplied, at=NOON + timedelta(hours=1), cutoff=MINUTE[2], kept=(kept.ref,), removed=1))

    when_folded()

    assert [(kept.ref,), (new.ref,)] == then("SELECT snapshot_id FROM odds_snapshots ORDER BY captured_at")
    assert [(new.ref,)] == then("SELECT snapshot_id FROM closing_lines")
    assert then("SELECT count(*) FROM odds_records") == [(3,)]
