"""The close of a pick and its closing line value, as fields of a grade."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from grading.clv import (
    DEFAULT_METHOD,
    FALLBACK_BOOKS,
    Chances,
    Close,
    Quote,
    Terms,
    choose_close,
    closing_line_value,
    exact_line,
)
from grading.margins import MarginError, MarginModel, margin_model
from grading.markets import other_sides
from grading.odds import OddsError, decimal_odds
from schemas.odds import book_key

# What importers call a price that its source gives as the last one; `close` in the NHL file is a time of day.
_CLOSING = "closing"
_QUOTED = ("snapshot_id", "book", "selection", "line", "price", "odds_format", "captured_at", "capture_id")


def closing_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The `close_*` and `clv_*` fields of a grade, from a row of the query `grading_work`."""
    if row["price"] is None:
        return {"close_reason": "NO_PRICE_ON_THE_TICKET"}
    if row["in_play"]:
        return {"close_reason": "IN_PLAY"}  # a price of the running game tells nothing beside one from before it
    close = choose_close(_quotes(row), row["selection"], row["book"], row["started_at"])
    if close is None:
        return {"close_reason": "NO_CLOSE" if row["closes"] else "NO_ODDS_OF_THE_MARKET"}
    try:
        if _is_all_that_was_seen(row, close):
            return _provenance(close) | {"close_reason": "NO_LATER_PRICE"}
        return {**_provenance(close), **_values(row, close)}
    except OddsError:
        return {"close_reason": "UNREADABLE_CLOSE"}  # a price that only another code could write


def _quotes(row: Mapping[str, Any]) -> Iterator[Quote]:
    """The closes of the fallback books and of the pick's own, under their names there however the closes spell them."""
    own = row["book"]
    names = {book_key(book): book for book in (*FALLBACK_BOOKS, own) if book is not None}
    for close in row["closes"] or ():
        book = names.get(book_key(close["book"]))
        if book is not None:
            yield Quote(**{name: close[name] for name in _QUOTED} | {"book": book})


def _is_all_that_was_seen(row: Mapping[str, Any], close: Close) -> bool:
    """Whether the close is the price that the pick was made at, which no source calls the last one."""
    snapshot_id = close.quote.snapshot_id
    if snapshot_id != row["market_snapshot_id_used"]:
        return False
    return all(seen["label"] != _CLOSING for seen in row["closes"] if seen["snapshot_id"] == snapshot_id)


def _provenance(close: Close) -> dict[str, Any]:
    quote = close.quote
    return {
        "close_snapshot_id": quote.snapshot_id,
        "close_book": quote.book,
        "close_at": quote.captured_at,
        "close_line": quote.line,
        "close_price_decimal": float(quote.terms.odds),
        "close_reason": None if close.own_book else "CLOSE_OF_ANOTHER_BOOK",
    }


def _values(row: Mapping[str, Any], close: Close) -> dict[str, Any]:
    bet, terms = Terms(exact_line(row["line"]), decimal_odds(row["price"], row["odds_format"])), close.quote.terms
    market, _, period = row["market_key"].partition(":")
    model = None if bet.line == terms.line else margin_model(row["sport"], market, period)

    def chances(fair: float) -> Chances | None:
        return None if model is None else _chances(model, row["selection"], row["line"], close.quote.line, fair)

    value = closing_line_value(row["selection"], bet, terms, _others(market, close), margin=chances)
    return {
        "clv_price": _float(value.price),
        "clv_probability": _float(value.probability),
        "clv_ev": _float(value.ev),
        "clv_points": _float(value.points),
        "no_vig_method": None if value.ev is None else DEFAULT_METHOD,
        "margin_model": None if value.ev is None or model is None else model.name,
    }


def _chances(
    model: MarginModel, selection: str, line: float | None, close_line: float | None, fair: float
) -> Chances | None:
    """What the model says of the pick's line; None where it knows nothing of it."""
    if line is None or close_line is None:
        return None
    try:
        return model.chances(selection, line, close_line, fair)
    except MarginError:
        return None


def _others(market: str, close: Close) -> list[Fraction]:
    """The closing odds of all other sides, or none at all where the capture does not hold them all."""
    expected = other_sides(market.lower(), close.quote.selection.lower())
    held = {name.lower(): quote for name, quote in close.others.items()}
    if not held.keys() >= set(expected) or ("draw" in held and "draw" not in expected):
        return []
    return [held[name].terms.odds for name in expected]


def _float(value: Fraction | float | None) -> float | None:
    return None if value is None else float(value)
