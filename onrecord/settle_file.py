"""Settle a spreadsheet of picks without any log: `onrecord settle`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from grading.markets import check_line, market_name, period_name, shown, sport_name
from grading.odds import decimal_odds
from grading.outcomes import GradingError, Outcome, Settlement
from grading.parlay import Leg, settle_parlay
from grading.result import Result, parse_result
from grading.rulebook import Rulebook, RulebookError, default_rulebook, named_rulebook, parse_rulebook
from grading.settlement import Pick, settle
from onrecord.csv_file import FileRefused, RowError, grade_rows
from onrecord.pick_cells import decimals, format_cell, json_list, json_object, line_cell, named

ADDED = ("outcome", "unit_return", "unit_return_exact", "reason")
REQUIRED = ("sport", "market", "selection", "odds_format", "odds", "result")


def settle_file(file: Path, rulebook: str | None, out: Path | None) -> None:
    """Settle each row of `file` and write it with outcome, unit_return, unit_return_exact and reason.

    `rulebook` is a TOML file or the name of a packaged rulebook (`nfl`, `nfl@1`); it serves the rows of its own
    sport, all others get their sport's default. `out` None is standard output. Raises FileRefused.
    """
    rows = RowSettler(_rulebook(rulebook) if rulebook is not None else None)
    grade_rows(file, out, ADDED, rows.grade, REQUIRED, bad={"outcome": Outcome.UNGRADEABLE})


def _rulebook(given: str) -> Rulebook:
    path = Path(given)
    try:
        if path.suffix == ".toml" or path.exists():
            return parse_rulebook(path.read_text(encoding="utf-8"), given)
        return named_rulebook(given.strip().lower())
    except RulebookError as error:
        raise FileRefused(str(error)) from error
    except UnicodeDecodeError as error:
        raise FileRefused(f"{given}: is not UTF-8 text") from error
    except OSError as error:
        raise FileRefused(f"{given}: {error.strerror or error}") from error
    except KeyError as error:
        raise FileRefused(f"{error.args[0]}; a rulebook of your own is a .toml file") from error


@dataclass(frozen=True)
class RowSettler:
    """Settles rows of text; `own` is the user's rulebook, for its sport's rows."""

    own: Rulebook | None = None
    # Most rows of a file share their rules; the text is read once.
    _overridden: dict[tuple[str, str], Rulebook] = field(default_factory=dict)

    def grade(self, row: Mapping[str, str]) -> Mapping[str, str]:
        """The added columns of one row. Raises RowError where it is UNGRADEABLE."""
        try:
            settlement = self.settle(row)
        except GradingError as error:
            raise RowError(str(error)) from error
        if settlement.unit_return is None:
            raise RowError(settlement.reason or "")
        return {
            "outcome": settlement.outcome,
            "unit_return": decimals(settlement.unit_return),
            "unit_return_exact": str(settlement.unit_return),
            "reason": settlement.reason or "",
        }

    def settle(self, row: Mapping[str, str]) -> Settlement:
        """The settlement of one row. Raises GradingError where a cell can't be read."""
        book = self.book(sport_name(row["sport"]), row.get("rules", ""))
        if market_name(row["market"]) == "parlay":
            return _settle_parlay(row)
        if _legs(row):
            raise GradingError("legs: only a parlay has legs")
        return settle(_pick(row), _result(row), book)

    def book(self, sport: str, rules: str) -> Rulebook:
        """The rulebook of a sport (the user's own if it is for it) with a row's rules. Raises GradingError."""
        key = sport, rules
        if key not in self._overridden:
            book = self.own if self.own is not None and self.own.sport == sport else default_rulebook(sport)
            self._overridden[key] = book.with_rules(_object("rules", rules))
        return self._overridden[key]


def _pick(row: Mapping[str, str]) -> Pick:
    return Pick(
        sport=row["sport"],
        market=row["market"],
        period=row.get("period", ""),
        selection=row["selection"],
        line=_line(row.get("line", "")),
        odds=_odds(row["odds"], row["odds_format"]),
    )


def _line(text: str) -> Fraction | None:
    with named("line"):
        return line_cell(text)


def _odds(price: str, odds_format: str) -> Fraction:
    form = format_cell(odds_format)
    with named("odds"):
        return decimal_odds(price.strip(), form)


def _result(row: Mapping[str, str]) -> Result:
    if not row["result"].strip():
        raise GradingError("result: is empty")
    return parse_result(_object("result", row["result"]))


def _object(column: str, text: str) -> dict[str, object]:
    with named(column):
        return json_object(text)


def _settle_parlay(row: Mapping[str, str]) -> Settlement:
    """A parlay from its legs; its own odds and selection are of no account, its result is only looked at."""
    _object("result", row["result"])
    period_name("parlay", row.get("period", ""))
    check_line("parlay", _line(row.get("line", "")))
    return settle_parlay([_leg(leg, number) for number, leg in enumerate(_legs(row), start=1)])


def _legs(row: Mapping[str, str]) -> list[object]:
    with named("legs"):
        return json_list(row.get("legs", ""))


def _leg(leg: object, number: int) -> Leg:
    if not isinstance(leg, dict):
        raise GradingError(f"legs: leg {number} is not a JSON object")
    outcome = str(leg.get("outcome", "")).strip().upper()
    if outcome not in Outcome.__members__:
        raise GradingError(f"legs: leg {number} has the unknown outcome {shown(outcome)}")
    try:
        return Leg(_odds(_price(leg.get("odds")), str(leg.get("odds_format", ""))), Outcome(outcome))
    except GradingError as error:
        raise GradingError(f"legs: leg {number}, {error}") from error


def _price(value: object) -> str:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise GradingError("odds: neither a text nor a number")
