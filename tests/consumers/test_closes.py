"""The closing fields of a grade, from a row of the query `grading_work`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.closes import closing_values
from grading.margins import margin_model

START = datetime(2026, 1, 20, 19, tzinfo=UTC)
Row = dict[str, Any]


def seen(selection: str, price: str, line: float | None = None, book: str = "pinnacle", **more: Any) -> Row:
    """One of a row's closes: a decimal price of the one look at the market."""
    given = {"snapshot_id": f"{book} {selection}", "capture_id": "look", "odds_format": "DECIMAL", "captured_at": START}
    return {**given, "book": book, "selection": selection, "line": line, "price": price, **more}


def row(*closes: Row, **more: Any) -> Row:
    """A spread pick, home -2.5 at 1.9 with pinnacle."""
    pick = {"sport": "nfl", "market_key": "SPREAD:FULL_GAME", "selection": "HOME", "line": -2.5, "price": "1.9"}
    return {**pick, "odds_format": "DECIMAL", "book": "pinnacle", "started_at": START, "closes": list(closes), **more}


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
    """Home -2.5 and away +3 of one look are not one market."""
    assert valued(seen("HOME", "1.9", -2.5), seen("AWAY", "1.9", 3)) == NOT_VALUED
    assert valued(seen("HOME", "1.9", -2.5), seen("AWAY", "1.9", 2.5, capture_id="another look")) == NOT_VALUED


def test_three_way_markets_need_all_three_prices() -> None:
    """Two of three would make a fair price too short."""
    pick = {"sport": "soccer", "market_key": "MONEYLINE_3WAY:REGULATION", "line": None}
    two = seen("HOME", "2.6"), seen("DRAW", "2.4")
    assert valued(*two, **pick) == NOT_VALUED
    ev, method, model = valued(*two, seen("AWAY", "4.3"), **pick)
    assert (pytest.approx(1.9 * 0.372025955 - 1), "multiplicative", None) == (ev, method, model)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (row(price=None), "NO_PRICE_ON_THE_TICKET"),
        (row(), "NO_ODDS_OF_THE_MARKET"),
        (row(seen("HOME", "1.9", -3, "corner shop")), "NO_CLOSE"),
        (row(seen("HOME", "0.9", -3)), "UNREADABLE_CLOSE"),
    ],
)
def test_without_a_close_there_is_a_reason_and_nothing_else(given: Row, reason: str) -> None:
    """A book nobody asked for is no close; nor is a price that is none."""
    assert {"close_reason": reason} == closing_values(given)
