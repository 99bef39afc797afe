"""Settle in one line: words, JSON-like result and rules, and what comes out."""

from collections.abc import Mapping
from fractions import Fraction

from grading.outcomes import Outcome, Settlement
from grading.result import parse_result
from grading.rulebook import default_rulebook
from grading.settlement import Pick, settle

PRICE = Fraction(21, 11)  # -110
PROFIT = PRICE - 1


def final(home: int, away: int, **more: object) -> dict[str, object]:
    """A finished game's result."""
    return {"status": "FINAL", "home": home, "away": away, **more}


def abandoned(home: int, away: int, **more: object) -> dict[str, object]:
    """A result of a game that was stopped."""
    return {"status": "ABANDONED", "home": home, "away": away, **more}


def graded(
    terms: str,
    result: Mapping[str, object],
    rules: Mapping[str, object] | None = None,
    odds: Fraction = PRICE,
) -> Settlement:
    """The settlement of "sport market[:period] selection [line]" under the sport's default rulebook."""
    sport, key, selection, *line = terms.split()
    market, _, period = key.partition(":")
    book = default_rulebook(sport).with_rules(rules or {})
    pick = Pick(sport, market, period, selection, Fraction(line[0]) if line else None, odds)
    return settle(pick, parse_result(result), book)


def outcome(terms: str, result: Mapping[str, object], rules: Mapping[str, object] | None = None) -> Outcome:
    """The outcome alone."""
    return graded(terms, result, rules).outcome
