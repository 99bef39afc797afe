"""The close of a pick and its closing line value, as fields of a grade."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from grading.clv import DEFAULT_METHOD, FALLBACK_BOOKS, Close, Quote, Terms, choose_close, closing_line_value
from grading.odds import OddsError, decimal_odds

# How many other sides a whole market has: without all of them no price is fair.
_OTHER_SIDES = {"MONEYLINE_3WAY": 2, "EUROPEAN_HANDICAP_3WAY": 2}
_SIDES_WITH = {"HOME": ("AWAY", "DRAW"), "AWAY": ("HOME", "DRAW"), "DRAW": ("HOME", "AWAY")}


def closing_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The `close_*` and `clv_*` fields of a grade, from a row of the query `grading_work`."""
    if row["price"] is None:
        return {"close_reason": "NO_PRICE_ON_THE_TICKET"}
    close = choose_close(_quotes(row), row["selection"], row["book"], row["started_at"])
    if close is None:
        return {"close_reason": "NO_CLOSE" if row["closes"] else "NO_ODDS_OF_THE_MARKET"}
    return {**_provenance(close), **_values(row, close)}


def _quotes(row: Mapping[str, Any]) -> list[Quote]:
    found, books = [], {row["book"], *FALLBACK_BOOKS}
    for close in row["closes"] or ():
        if close["book"] not in books:
            continue
        try:
            terms = Terms(exact(close["line"]), decimal_odds(close["price"], close["odds_format"]))
        except OddsError:
            continue  # a price that only another code could write; the pick then has a reason instead of a close
        names = ("snapshot_id", "book", "selection", "captured_at", "capture_id")
        found.append(Quote(**{name: close[name] for name in names}, terms=terms))
    return found


def exact(line: float | None) -> Fraction | None:
    """A line as the decimal that it is written as."""
    return None if line is None else Fraction(str(line))


def _provenance(close: Close) -> dict[str, Any]:
    quote = close.quote
    return {
        "close_snapshot_id": quote.snapshot_id,
        "close_book": quote.book,
        "close_at": quote.captured_at,
        "close_line": None if quote.terms.line is None else float(quote.terms.line),
        "close_price_decimal": float(quote.terms.odds),
        "close_reason": None if close.own_book else "CLOSE_OF_ANOTHER_BOOK",
    }


def _values(row: Mapping[str, Any], close: Close) -> dict[str, Any]:
    bet = Terms(exact(row["line"]), decimal_odds(row["price"], row["odds_format"]))
    value = closing_line_value(row["selection"], bet, close.quote.terms, _others(row["market_key"], close))
    return {
        "clv_price": _float(value.price),
        "clv_probability": _float(value.probability),
        "clv_ev": _float(value.ev),
        "clv_points": _float(value.points),
        "no_vig_method": DEFAULT_METHOD if value.fair_close is not None else None,
    }


def _others(market_key: str, close: Close) -> list[Fraction]:
    """The closing odds of all other sides, or none at all where the capture does not hold them all."""
    market, selection = market_key.partition(":")[0], close.quote.selection
    whole = _OTHER_SIDES.get(market, 1)
    expected = _SIDES_WITH.get(selection, ())[:whole] if whole > 1 else close.others
    others = [close.others[name] for name in expected if name in close.others]
    return [quote.terms.odds for quote in others] if len(others) == whole else []


def _float(value: Fraction | float | None) -> float | None:
    return None if value is None else float(value)
