"""The books' own accuracy comes out the same to the last digit, however the rows lie."""

import json
from itertools import count

import pytest

from projections.store import Store
from schemas.events import EventScheduled, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.record import Record
from tests.projections.conftest import Given, When
from tests.records import EVENTS, MINUTE, make

GAMES = 30_000
ODDS = "2 + hash(i || side || '{phase}') % 997 / 499"
_EVENTS = f"""
INSERT INTO events BY NAME SELECT 'e' || i AS event_id, 'EPL' AS league FROM range({GAMES}) AS t(i);
INSERT INTO event_results BY NAME
SELECT 'e' || i AS event_id, 'FINAL' AS status, i % 4 AS home, i % 3 AS away FROM range({GAMES}) AS t(i);
"""
_PRICES = f"""
INSERT INTO {{table}} BY NAME
SELECT '{{phase}}' || i || side AS snapshot_id, 'e' || i AS event_id, 'pinnacle' AS book, side AS selection,
       'MONEYLINE_3WAY:REGULATION' AS market_key, {ODDS} AS price_decimal{{more}}
FROM range({GAMES}) AS t(i), unnest(['HOME', 'DRAW', 'AWAY']) AS sides(side) ORDER BY hash(i || side || '{{order}}')
"""


def _told(order: str) -> str:
    store = Store()
    store.execute(
        _EVENTS,
        _PRICES.format(table="odds_records", phase="earlier", more=", 'earlier' AS label", order=order),
        _PRICES.format(table="closing_lines", phase="closing", more="", order=order),
    )
    told = json.dumps(store.query("no_vig_log_loss").to_pylist())
    assert told == json.dumps(store.query("no_vig_log_loss", {"book": "Pinnacle"}).to_pylist())
    store.close()
    return told


def test_the_same_prices_in_another_order_give_the_same_digits() -> None:
    """Doubles that are added in another order differ in their last digits."""
    first, *others = (_told(order) for order in "abcd")

    assert json.loads(first)[0]["n"] == GAMES
    assert [first] * 3 == others


def test_three_prices_of_two_looks_are_no_market() -> None:
    """A home price seen an hour before the others may be of another market by then."""
    store = Store()
    store.execute(
        _EVENTS,
        _PRICES.format(
            table="odds_records", phase="earlier", more=", 'earlier' AS label, 'early' AS capture_id", order=""
        ),
        _PRICES.format(
            table="closing_lines",
            phase="closing",
            more=", if(i < 10 AND side = 'HOME', 'stale', 'last') AS capture_id",
            order="",
        ),
    )
    [told] = store.query("no_vig_log_loss").to_pylist()
    store.close()
    assert told["n"] == GAMES - 10


def test_a_book_that_priced_two_of_the_three_outcomes_tells_no_probability() -> None:
    """Without the third price the margin cannot be taken out."""
    store = Store()
    prices = {
        "earlier": ("odds_records", ", 'earlier' AS label, 'early' AS capture_id"),
        "closing": ("closing_lines", ", 'last' AS capture_id"),
    }
    inserts = [
        _PRICES.format(table=table, phase=phase, more=more, order="a") for phase, (table, more) in prices.items()
    ]
    store.execute(_EVENTS, *(sql.replace("'DRAW', ", "") for sql in inserts))

    assert store.query("no_vig_log_loss").to_pylist() == []
    store.close()


def test_extra_time_does_not_count() -> None:
    """2-1 after extra time is 1-1 to the market; where nobody tells the score of regulation the game is left out."""
    store = Store()
    prices = [
        _PRICES.format(
            table="odds_records", phase="earlier", more=", 'earlier' AS label, 'early' AS capture_id", order="a"
        )
    ]
    prices.append(_PRICES.format(table="closing_lines", phase="closing", more=", 'last' AS capture_id", order="a"))
    store.execute(*(sql.replace(str(GAMES), "2") for sql in (_EVENTS, *prices)))
    told: list[list[dict[str, object]]] = []
    for score, extra_time in (("1, away = 1", "false"), ("2, away = 1", "true"), ("2, away = 1", "true")):
        regulation = "[{'period': 'regulation', 'home': 1, 'away': 1}]" if len(told) == 1 else "[]"
        store.execute(f"UPDATE event_results SET home = {score}, extra_time = {extra_time}, periods = {regulation}")
        told.append(store.query("no_vig_log_loss").to_pylist())
    store.close()

    draw, after_extra_time, not_told = told
    assert draw != []
    assert draw == after_extra_time
    assert not_told == []


def test_a_source_without_a_score_tells_who_won() -> None:
    """Home or drawn, as a score would; where nobody tells either, the game is left out (it counted as a draw)."""
    store = Store()
    prices = {"earlier": "odds_records", "closing": "closing_lines"}
    more = {"earlier": ", 'earlier' AS label, 'early' AS capture_id", "closing": ", 'last' AS capture_id"}
    inserts = [_PRICES.format(table=table, phase=phase, more=more[phase], order="a") for phase, table in prices.items()]
    store.execute(*(sql.replace(str(GAMES), "2") for sql in (_EVENTS, *inserts)))
    told = []
    for result in (
        "home = 2, away = 1",
        "home = NULL, away = NULL, winner = 'home'",
        "winner = 'draw'",
        "winner = NULL",
    ):
        store.execute(f"UPDATE event_results SET {result}")
        told.append(store.query("no_vig_log_loss").to_pylist())
    store.execute("UPDATE event_results SET home = 1, away = 1")
    level = store.query("no_vig_log_loss").to_pylist()
    store.close()

    score, won, drawn, nothing = told
    assert score == won
    assert drawn == level
    assert won != drawn
    assert nothing == []


def _game(event_id: str, number: int, *looks: str) -> list[Record]:
    """A game that home won, with a look at its three prices a minute."""
    numbers = count(10 * number)
    odds = [
        make(
            OddsSnapshotCaptured,
            event_id,
            MINUTE[minute],
            number=next(numbers),
            market_key="MONEYLINE_3WAY:REGULATION",
            selection=side,
            line=None,
            label=label,
            capture_id=f"look {minute}",
        )
        for minute, label in enumerate(looks)
        for side in ("HOME", "DRAW", "AWAY")
    ]
    return [make(EventScheduled, event_id, number=number), *odds, make(ResultRecorded, event_id, number=number)]


def test_a_game_that_has_only_an_earlier_price_is_left_out(given: Given, when_folded: When, store: Store) -> None:
    """That price is its close; it would be compared with itself."""
    given(*_game(EVENTS[0], 0, "earlier"), *_game(EVENTS[1], 1, "earlier", "closing"))

    when_folded()

    [told] = store.query("no_vig_log_loss").to_pylist()
    assert (told["n"], told["brier_closing"]) == (1, pytest.approx(2 / 3))
