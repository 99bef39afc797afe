"""The closing fields of a grade, from a row of the query `grading_work`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.closes import closing_values
from grading.margins import margin_model

START = datetime(2026, 1, 20, 19, tzinfo=UTC)
Row = dict[str, Any]


def seen(selection: str, price: str, line: float | None = None, book: str = "pinnacle", **more: Any) -> Row:
    """One of a row's closes: a decimal price of the one look at the market."""
    given = {"snapshot_id": f"{book} {selection}", "capture_id": "look", "odds_format": "DECIMAL", "captured_at": START}
    return {**given, "label": None, "book": book, "selection": selection, "line": line, "price": price, **more}


def row(*closes: Row, **more: Any) -> Row:
    """A spread pick, home -2.5 at 1.9 with pinnacle."""
    pick = {"sport": "nfl", "market_key": "SPREAD:FULL_GAME", "selection": "HOME", "line": -2.5, "price": "1.9"}
    told = {"odds_format": "DECIMAL", "book": "pinnacle", "in_play": False, "started_at": START}
    seen_at = {"market_snapshot_id_used": "an earlier look"}
    return {**pick, **told, **seen_at, "closes": list(closes), **more}


def valued(*closes: Row, **more: Any) -> tuple[Any, ...]:
    """The expected value, and the names of what it was made with."""
    values = closing_values(row(*closes, **more))
    return values["clv_ev"], values["no_vig_method"], values["margin_model"]


NOT_VALUED = (None, None, None)


def test_a_moved_line_is_valued_by_the_margin_model_of_the_sport() -> None:
    """Off the key number 3, at an even close: the grade names model and method."""
    model = margin_model("nfl", "spread")
    assert model is not None
    said = model.chances("home", -2.5, -3, 0.5)
    expected = pytest.approx(said.win * 0.9 - said.loss), "multiplicative", "nfl-spread@1"
    assert expected == valued(seen("HOME", "1.9", -3), seen("AWAY", "1.9", 3))


def test_at_the_same_line_no_model_is_needed() -> None:
    """The fair closing price is of the same bet."""
    found = valued(seen("HOME", "1.9", -2.5), seen("AWAY", "1.9", 2.5))
    assert (pytest.approx(0.95 - 1), "multiplicative", None) == found


@pytest.mark.parametrize(
    "more",
    [{"sport": "nhl"}, {"sport": "curling"}, {"market_key": "SPREAD:FIRST_HALF"}, {"line": -2.4}, {"line": -300.0}],
)
def test_where_no_model_knows_a_moved_line_it_has_no_value(more: Row) -> None:
    """No data to fit one on, a part of a game, a line between quarters or beyond reason: null, with the points told."""
    closes = seen("HOME", "1.9", -3), seen("AWAY", "1.9", 3)
    assert valued(*closes, **more) == NOT_VALUED
    assert None is not closing_values(row(*closes, **more))["clv_points"]


def test_a_side_at_another_line_is_no_other_side() -> None:
    """Home -2.5 and away +3 of one look are not one market; nor is away -2.5, or away +2.5 of another look."""
    assert valued(seen("HOME", "1.9", -2.5), seen("AWAY", "1.9", 3)) == NOT_VALUED
    assert valued(seen("HOME", "1.9", -2.5), seen("AWAY", "1.9", -2.5)) == NOT_VALUED
    assert valued(seen("HOME", "1.9", -2.5), seen("AWAY", "1.9", 2.5, capture_id="another look")) == NOT_VALUED


def test_three_way_markets_need_all_three_prices() -> None:
    """Two of three would make a fair price too short."""
    pick = {"sport": "soccer", "market_key": "MONEYLINE_3WAY:REGULATION", "line": None}
    two = seen("HOME", "2.6"), seen("DRAW", "2.4")
    assert valued(*two, **pick) == NOT_VALUED
    ev, method, model = valued(*two, seen("AWAY", "4.3"), **pick)
    assert (pytest.approx(1.9 * 0.372025955 - 1), "multiplicative", None) == (ev, method, model)


@pytest.mark.parametrize(
    ("market", "selection", "other"),
    [
        ("TEAM_TOTAL", "HOME_OVER", "AWAY_UNDER"),
        ("DOUBLE_CHANCE", "1X", "X2"),
        ("CORRECT_SCORE", "2-1", "1-0"),
        ("OUTRIGHT", "PLAYER:Scheffler", "PLAYER:McIlroy"),
        ("PLAYER_POINTS", "OVER:LeBron James", "UNDER:Jayson Tatum"),
        ("PLAYER_POINTS", "OVER:LeBron James", "YES:LeBron James"),
    ],
)
def test_a_price_that_does_not_stand_against_the_pick_makes_nothing_fair(
    market: str, selection: str, other: str
) -> None:
    """Both may win, or neither: the price is compared, and there is no expected value."""
    given = row(
        seen(selection, "1.9"), seen(other, "1.9"), market_key=f"{market}:FULL_GAME", selection=selection, line=None
    )
    assert (closing_values(given)["clv_price"], closing_values(given)["clv_ev"]) == (0, None)


@pytest.mark.parametrize(
    ("market", "selection", "against", "beside"),
    [
        ("TEAM_TOTAL", "HOME_OVER", "HOME_UNDER", ("AWAY_OVER", "AWAY_UNDER")),
        ("PLAYER_POINTS", "UNDER:LeBron James", "OVER:LeBron James", ("OVER:Jayson Tatum", "UNDER:Jayson Tatum")),
    ],
)
def test_others_in_the_same_look_do_not_hide_the_side_that_stands_against_the_pick(
    market: str, selection: str, against: str, beside: tuple[str, ...]
) -> None:
    """Both teams' totals, or two players' props, at one line."""
    closes = [seen(name, price, 24.5) for name, price in ((selection, "1.9"), (against, "1.9"))]
    closes += [seen(name, "1.5", 24.5) for name in beside]
    found = valued(*closes, market_key=f"{market}:FULL_GAME", selection=selection, line=24.5)
    assert (pytest.approx(0.95 - 1), "multiplicative", None) == found


def test_the_close_of_another_book_is_marked() -> None:
    """Where the pick's own book has none, the first fallback book stands in, and the grade says so."""
    found = closing_values(row(seen("HOME", "1.8", -2.5), seen("HOME", "1.7", -2.5, "corner shop"), book="nobody"))
    assert (found["close_book"], found["close_reason"]) == ("pinnacle", "CLOSE_OF_ANOTHER_BOOK")


def test_the_last_price_of_a_fallback_book_counts_however_it_is_spelled() -> None:
    """As for the own book: one book under one name, and the first of the fallback books before the next."""
    old = seen("HOME", "2.1", -2.5, captured_at=START - timedelta(hours=3))
    last = seen("HOME", "1.8", -2.5, " Pinnacle", captured_at=START - timedelta(hours=1))
    next_one = seen("HOME", "1.7", -2.5, "bet365")
    values = closing_values(row(old, last, next_one, book="nobody"))
    told = {
        "close_snapshot_id": " Pinnacle HOME",
        "close_book": "pinnacle",
        "close_price_decimal": 1.8,
        "close_reason": "CLOSE_OF_ANOTHER_BOOK",
    }
    assert told == {name: values[name] for name in told}


def test_the_last_price_of_the_own_book_counts_however_it_is_spelled() -> None:
    """An older look that writes the book otherwise is not the close, and none of a fallback book is."""
    old = seen("HOME", "2.1", -2.5, "DraftKings", captured_at=START - timedelta(hours=3))
    last = seen("HOME", "1.8", -2.5, " draftkings", captured_at=START - timedelta(hours=1))
    others = seen("HOME", "1.7", -2.5), seen("AWAY", "2.2", 2.5)
    for spelled in ("DraftKings", "draftkings"):
        values = closing_values(row(old, last, *others, book=spelled))
        assert (values["close_price_decimal"], values["close_snapshot_id"], values["close_reason"]) == (
            1.8,
            " draftkings HOME",
            None,
        )


def test_a_two_way_market_that_was_seen_with_a_draw_is_not_whole() -> None:
    """Without the draw's share home would be too likely."""
    closes = seen("HOME", "1.9"), seen("AWAY", "1.9"), seen("DRAW", "9")
    assert valued(*closes, market_key="MONEYLINE:FULL_GAME", line=None) == NOT_VALUED


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (row(price=None), "NO_PRICE_ON_THE_TICKET"),
        (row(seen("HOME", "1.5", -2.5), in_play=True), "IN_PLAY"),
        (row(), "NO_ODDS_OF_THE_MARKET"),
        (row(seen("HOME", "1.9", -3, "corner shop")), "NO_CLOSE"),
        (row(seen("HOME", "0.9", -3)), "UNREADABLE_CLOSE"),
    ],
)
def test_without_a_close_there_is_a_reason_and_nothing_else(given: Row, reason: str) -> None:
    """A book nobody asked for is no close; nor is a price that is none."""
    assert {"close_reason": reason} == closing_values(given)


@pytest.mark.parametrize("label", [None, "earlier", "opening", "close"])
def test_a_pick_whose_own_price_was_the_last_seen_has_no_value(label: str | None) -> None:
    """Nobody looked again: that is no value of 0, and where the close comes from is told."""
    closes = seen("HOME", "1.9", -2.5, label=label), seen("AWAY", "1.9", 2.5, label=label)
    told = {
        "close_snapshot_id": "pinnacle HOME",
        "close_book": "pinnacle",
        "close_at": START,
        "close_line": -2.5,
        "close_price_decimal": 1.9,
        "close_reason": "NO_LATER_PRICE",
    }
    assert told == closing_values(row(*closes, market_snapshot_id_used="pinnacle HOME"))


def test_a_pick_at_what_its_source_calls_the_close_loses_the_margin() -> None:
    """That was the last price, whoever looked."""
    closes = seen("HOME", "1.9", -2.5, label="closing"), seen("AWAY", "1.9", 2.5, label="closing")
    values = closing_values(row(*closes, market_snapshot_id_used="pinnacle HOME"))
    assert (None, 0, pytest.approx(0.95 - 1)) == (values["close_reason"], values["clv_price"], values["clv_ev"])


def test_a_later_look_at_an_unmoved_price_is_a_close() -> None:
    """The price is the same and the snapshot is not: a value of 0."""
    values = closing_values(row(seen("HOME", "1.9", -2.5)))
    assert (values["close_reason"], values["clv_price"]) == (None, 0)
