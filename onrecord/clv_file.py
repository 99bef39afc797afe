"""Closing line value of a spreadsheet of picks without any log: `onrecord clv`."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from grading.clv import DEFAULT_METHOD, ClosingLineValue, Terms, closing_line_value
from grading.markets import check_line, market_name, other_sides, selection_name
from grading.no_vig import method_named
from grading.odds import decimal_odds
from grading.outcomes import GradingError
from grading.quantity import quantity
from onrecord.csv_file import RowError, grade_rows
from onrecord.pick_cells import decimals, format_cell, json_list, json_object, line_cell, named

ADDED = (
    "price_clv", "implied_prob_delta", "fair_close_prob", "novig_ev", "line_clv_points", "beat_close", "reason",
)  # fmt: skip
REQUIRED = ("market", "selection", "odds_format", "odds_bet", "odds_close")


def clv_file(file: Path, out: Path | None) -> None:
    """Write each row of `file` with its closing line value in seven columns more; None is standard output.

    A measure that can't be had is empty, with the reason; a row that has none is named on standard error. Raises
    FileRefused.
    """
    grade_rows(file, out, ADDED, clv_row, REQUIRED)


def clv_row(row: Mapping[str, str]) -> Mapping[str, str]:
    """The added columns of one row of text.

    Raises RowError where a cell can't be read or nothing can be compared; the reason begins with the column.
    """
    try:
        value = _value(row)
    except GradingError as error:
        raise RowError(str(error)) from error
    if value == ClosingLineValue(reason=value.reason):
        raise RowError(value.reason or "")
    return {
        "price_clv": _decimals(value.price),
        "implied_prob_delta": _decimals(value.probability),
        "fair_close_prob": _decimals(value.fair_close),
        "novig_ev": _decimals(value.ev),
        "line_clv_points": _decimals(value.points),
        "beat_close": value.beat_close or "",
        "reason": value.reason or "",
    }


def _value(row: Mapping[str, str]) -> ClosingLineValue:
    """Every cell is read before any is judged, so that a bad one is named whatever the others say."""
    market = market_name(row["market"])
    selection = selection_name(market, row["selection"])
    form = format_cell(row["odds_format"])
    bet = Terms(_line(row, "line_bet", market), _odds("odds_bet", row["odds_bet"], form))
    close_line = _line(row, "line_close", market)
    close_odds = _odds("odds_close", row["odds_close"], form) if row["odds_close"].strip() else None
    others, method = _others(row, form), _method(row)
    push, minutes_late = _extra(row)
    if close_odds is None:
        return ClosingLineValue(reason="odds_close: is empty, so there is no close")
    if minutes_late is not None and minutes_late > 0:
        return ClosingLineValue(reason="extra: the snapshot is from after the start, so it is no close")
    close = Terms(close_line, close_odds)
    unfair = _why_unfair(market, selection, len(others))
    value = closing_line_value(selection, bet, close, [] if unfair else others, method, push)
    return replace(value, reason=unfair) if unfair and value != ClosingLineValue(reason=value.reason) else value


def _why_unfair(market: str, selection: str, others: int) -> str | None:
    """Why so many other prices can't be made fair with the selection's own, whatever they are."""
    if _overlap(market, others):
        return f"market: the selections of {market} overlap, so that none is made fair"
    sides = len(other_sides(market, selection))
    if sides and others and sides != others:
        return f"other_odds_close: beside {selection} {market} has {sides} more, not {others}"
    return None


def _overlap(market: str, others: int) -> bool:
    """Whether more than one of the selections wins, so that their probabilities sum to more than 1.

    The one other price of a top_<n> is that of missing it.
    """
    return market == "double_chance" or (market.startswith("top_") and market != "top_1" and others > 1)


def _line(row: Mapping[str, str], column: str, market: str) -> Fraction | None:
    with named(column):
        line = line_cell(row.get(column, ""))
        return None if line is None else check_line(market, line)


def _odds(column: str, price: object, form: str) -> Fraction:
    with named(column):
        if isinstance(price, bool) or not isinstance(price, str | int | Decimal):
            raise ValueError("a price is a text or a number")  # noqa: TRY004 - callers report one kind of error
        return decimal_odds(str(price).strip(), form)


def _others(row: Mapping[str, str], form: str) -> list[Fraction]:
    with named("other_odds_close"):
        prices = json_list(row.get("other_odds_close", ""))
    return [_odds("other_odds_close", price, form) for price in prices]


def _method(row: Mapping[str, str]) -> str:
    name = row.get("devig", "").strip().lower() or DEFAULT_METHOD
    with named("devig"):
        method_named(name)
    return name


def _extra(row: Mapping[str, str]) -> tuple[Fraction | None, Fraction | None]:
    """The push probability and how late the close was taken; other keys are ignored, and null is absent."""
    with named("extra"):
        extra = json_object(row.get("extra", ""))
    found = []
    for key in ("push_probability_at_close_line", "close_snapshot_minutes_after_start"):
        with named(f"extra: {key}"):
            found.append(None if extra.get(key) is None else quantity(extra[key]))
    push, minutes = found
    if push is not None and not 0 <= push <= 1:
        raise GradingError("extra: push_probability_at_close_line: is not between 0 and 1")
    return push, minutes


def _decimals(value: Fraction | float | None) -> str:
    return "" if value is None else decimals(Fraction(value))
