"""Rulebooks: versioned data that says how each market settles.

A rulebook is a TOML file that states every rule. Those shipped with the package lie in `rulebooks/`, one default
per sport; a published version is never edited, a change is a new file with the next version.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Final

from grading.markets import SPORTS, shown, sport_name
from grading.odds import OddsError, decimal_odds
from grading.outcomes import GradingError
from grading.quantity import duration, flag, quantity

VOID: Final = "VOID"
STAND: Final = "STAND"


class RulebookError(ValueError):
    """A rulebook is refused; the message names the file, the line and what is wrong with it."""

    def __init__(self, source: str, line: int, problem: str) -> None:
        super().__init__(f"{source} line {line}: {problem}")
        self.line = line


@dataclass(frozen=True)
class Rules:
    """What a row may override; words in upper case but for the sides of a line. None is no limit.

    `official_after_*`: an abandoned game that went so far is graded on its score.
    `postponed_void_after_hours`: the longest delay of the start that still stands.
    """

    overtime_counts: bool
    extra_time_counts: bool
    second_half_includes_overtime: bool
    decided_markets_stand: bool
    dead_heat: bool
    shootout_counts: bool
    two_way_tie: str
    did_not_play: str
    venue_change: str
    corrections: str
    retirement: str
    listed_pitcher: str
    line_refers_to: str
    grade_on: str
    official_after_minutes: Fraction | None
    official_after_innings: Fraction | None
    postponed_void_after_hours: Fraction


@dataclass(frozen=True)
class Statuses:
    """What becomes of picks on games that were not played out: VOID, or STAND on the score given."""

    cancelled: str
    awarded: str
    walkover: str


@dataclass(frozen=True)
class Teaser:
    """A teaser card: the points each line moves, and the decimal odds of two legs, three legs and so on."""

    points: Fraction
    ties: str
    odds: tuple[Fraction, ...]

    @property
    def most_legs(self) -> int:
        """The longest teaser that the card has a price for."""
        return len(self.odds) + 1

    def price(self, legs: int) -> Fraction:
        """Decimal odds of a teaser of so many legs, from 2 to `most_legs`."""
        return self.odds[legs - 2]


@dataclass(frozen=True)
class Rulebook:
    """How one sport settles. `overrides` are the rules that a row replaced, as key=value."""

    name: str
    version: int
    sport: str
    rules: Rules
    statuses: Statuses
    teasers: tuple[Teaser, ...] = ()
    overrides: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What a grade names: `nfl@1`, with the overrides behind it."""
        return " ".join((f"{self.name}@{self.version}", *self.overrides))

    def with_rules(self, given: Mapping[str, object]) -> "Rulebook":
        """This rulebook with some rules replaced; keys and words in any case. Raises GradingError."""
        read = dict(_override(key, value) for key, value in given.items())
        if not read:
            return self
        rules = replace(self.rules, **read)  # type: ignore[arg-type] # each value comes from its rule's reader
        overrides = tuple(f"{key}={_plain(value)}" for key, value in sorted(read.items()))
        return replace(self, rules=rules, overrides=overrides)

    def teaser(self, points: Fraction) -> Teaser | None:
        """The card for so many points; None where the rulebook has none."""
        return next((teaser for teaser in self.teasers if teaser.points == points), None)


_PITCHER_WORDS: Final = {
    VOID: VOID,
    "LISTED": VOID,
    "TRUE": VOID,
    STAND: STAND,
    "ACTION": STAND,
    "FALSE": STAND,
}


def _word(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        for word in allowed:
            if isinstance(value, str) and value.strip().lower() == word.lower():
                return word
        raise ValueError(f"is {shown(str(value))}, not {' or '.join(allowed)}")

    return read


def _listed_pitcher(value: object) -> str:
    """VOID where the listed pitchers must start ("listed", true), STAND where anyone may ("action", false)."""
    return _PITCHER_WORDS[_word(*_PITCHER_WORDS)(str(value) if isinstance(value, bool) else value)]


def _limit(value: object) -> Fraction | None:
    """A number of 0 or more; null in JSON and "none" in TOML are no limit."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        return None
    return duration(value)


_RULES: Final[dict[str, Callable[[object], object]]] = {
    "overtime_counts": flag,
    "extra_time_counts": flag,
    "second_half_includes_overtime": flag,
    "decided_markets_stand": flag,
    "dead_heat": flag,
    "shootout_counts": flag,
    "two_way_tie": _word("PUSH", "LOSS"),
    "did_not_play": _word(VOID, STAND),
    "venue_change": _word(VOID, STAND),
    "corrections": _word("REGRADE", "IGNORE_AFTER_SETTLEMENT"),
    "retirement": _word(VOID, STAND),
    "listed_pitcher": _listed_pitcher,
    "line_refers_to": _word("selection", "home"),
    "grade_on": _word("line_at_pick"),
    "official_after_minutes": _limit,
    "official_after_innings": _limit,
    "postponed_void_after_hours": duration,
}
_STATUSES: Final[dict[str, Callable[[object], object]]] = {
    "cancelled": _word(VOID),
    "awarded": _word(VOID, STAND),
    "walkover": _word(VOID, STAND),
}


def _override(given: str, value: object) -> tuple[str, object]:
    key = given.strip().lower()
    if key not in _RULES:
        raise GradingError(f"rules: unknown key {shown(given)}")
    try:
        return key, _RULES[key](value)
    except ValueError as error:
        raise GradingError(f"rules: {key} {error}") from error


def _plain(value: object) -> str:
    return "none" if value is None else str(value)


def parse_rulebook(text: str, source: str) -> Rulebook:
    """A rulebook from TOML text; `source` (its file name) stands in messages.

    It states name, version, sport, every rule, every status, and any teasers.
    Raises RulebookError with the line that is wrong.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RulebookError(source, _syntax_line(str(error), text), str(error)) from error
    return _Reading(text, source).rulebook(data)


@dataclass(frozen=True)
class _Reading:
    """One rulebook's text while it is read, to say which of its lines is wrong."""

    text: str
    source: str

    def rulebook(self, data: dict[str, object]) -> Rulebook:
        head = self.table(data, "", _HEAD, also=("rules", "statuses", "teasers"))
        rules = self.table(self.child(data, "rules"), "rules", _RULES)
        statuses = self.table(self.child(data, "statuses"), "statuses", _STATUSES)
        return Rulebook(
            **head,  # type: ignore[arg-type] # each value comes from its key's reader
            rules=Rules(**rules),  # type: ignore[arg-type]
            statuses=Statuses(**statuses),  # type: ignore[arg-type]
            teasers=self.teasers(data.get("teasers", [])),
        )

    def teasers(self, cards: object) -> tuple[Teaser, ...]:
        if not isinstance(cards, list):
            raise self.refused("teasers", "", "teasers must be written as [[teasers]]")
        return tuple(self.card(card, index) for index, card in enumerate(cards))

    def card(self, data: object, index: int) -> Teaser:
        if not isinstance(data, dict):
            raise self.refused("teasers", "", "each of the teasers must be a table")
        values = self.table(data, "teasers", _TEASER, index)
        odds = self.prices(values["odds"], str(values["odds_format"]), index)
        return Teaser(quantity(values["points"]), str(values["ties"]), odds)

    def prices(self, prices: object, odds_format: str, index: int) -> tuple[Fraction, ...]:
        if not isinstance(prices, list) or not prices:
            raise self.refused("teasers", "odds", "odds is not a list of prices, from two legs up", index)
        try:
            return tuple(decimal_odds(str(price), odds_format) for price in prices)
        except OddsError as error:
            raise self.refused("teasers", "odds", str(error), index) from error

    def child(self, data: dict[str, object], name: str) -> dict[str, object]:
        table = data.get(name)
        if not isinstance(table, dict):
            raise self.refused("", name, f"the table [{name}] is missing")
        return table

    def table(
        self,
        data: dict[str, object],
        name: str,
        readers: Mapping[str, Callable[[object], object]],
        index: int = 0,
        also: tuple[str, ...] = (),
    ) -> dict[str, object]:
        """The checked values of a table: every key known, every key there."""
        for key in data:
            if key not in readers and key not in also:
                raise self.refused(name, key, f"unknown key {shown(key)}", index)
        for key in readers:
            if key not in data:
                raise self.refused(name, "", f"{key} is missing", index)
        return {key: self.value(name, key, data[key], read, index) for key, read in readers.items()}

    def value(self, table: str, key: str, value: object, read: Callable[[object], object], index: int) -> object:
        try:
            return read(value)
        except ValueError as error:
            raise self.refused(table, key, f"{key} {error}", index) from error

    def refused(self, table: str, key: str, problem: str, index: int = 0) -> RulebookError:
        return RulebookError(self.source, _line_of(self.text, table, key, index), problem)


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", value):
        raise ValueError("is not a name in lower case letters, digits, dots, dashes and underscores")
    return value


def _version(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("is not a whole number of 1 or more")
    return value


def _sport(value: object) -> str:
    try:
        return sport_name(str(value))
    except GradingError:
        raise ValueError(f"is {shown(str(value))}, not one of {', '.join(SPORTS)}") from None


def _as_is(value: object) -> object:
    return value


def _points(value: object) -> Fraction:
    points = quantity(value)
    if points <= 0 or (points * 2).denominator != 1:
        raise ValueError("is not a multiple of 0.5 above 0")
    return points


_HEAD: Final[dict[str, Callable[[object], object]]] = {"name": _name, "version": _version, "sport": _sport}
_TEASER: Final[dict[str, Callable[[object], object]]] = {
    "points": _points,
    "ties": _word("REDUCE", "LOSS"),
    "odds_format": _word("american", "decimal", "fractional"),
    "odds": _as_is,
}

_TABLE: Final = re.compile(r"\s*\[\[?\s*([^\]\s]+)\s*\]")
_KEY: Final = re.compile(r"[^=#]+(?==)")
_NOT_IN_KEY: Final = re.compile(r"[\s\"']")
_SYNTAX_LINE: Final = re.compile(r"\(at line (\d+)")


def _syntax_line(message: str, text: str) -> int:
    found = _SYNTAX_LINE.search(message)
    return int(found[1]) if found else max(1, len(text.splitlines()))


def _line_of(text: str, table: str, key: str, index: int) -> int:
    """The line of a key, else of its table's header, else the first; tomllib keeps no lines of its own."""
    current, seen, header = "", -1, 1
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _TABLE.match(line):
            current = found[1]
            seen += current == table
            if current == key and not table:
                return number
            header = number if (current, seen) == (table, index) else header
        elif (current == table and (not table or seen == index) and _writes(line, key)) or (
            not current and _writes(line, f"{table}.{key}")
        ):
            return number
    return header


def _writes(line: str, key: str) -> bool:
    """Whether the line gives the key, or a key inside it, a value."""
    written = _KEY.match(line)
    return written is not None and f"{re.sub(_NOT_IN_KEY, '', written[0])}.".startswith(f"{key}.")


@cache
def packaged_rulebooks() -> Mapping[str, Rulebook]:
    """The rulebooks of the package by label, `nfl@1`."""
    folder = resources.files("grading") / "rulebooks"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name)
    books = [parse_rulebook(file.read_text(encoding="utf-8"), file.name) for file in files]
    return {book.label: book for book in books}


@cache
def named_rulebook(name: str) -> Rulebook:
    """A packaged rulebook by name, in its newest version, or by name@version. Raises KeyError."""
    books = packaged_rulebooks()
    versions = [book for book in books.values() if name in (book.name, book.label)]
    if not versions:
        raise KeyError(f"no rulebook {shown(name)}; there are {', '.join(books)}")
    return max(versions, key=lambda book: book.version)


def default_rulebook(sport: str) -> Rulebook:
    """The newest packaged rulebook of a sport; "football" is soccer. Raises GradingError."""
    return named_rulebook(sport_name(sport))
