"""Rulebooks: the packaged ones, overriding them, and refusing bad ones with the line that is wrong."""

from fractions import Fraction
from importlib import resources
from pathlib import Path

import pytest

from grading.markets import SPORTS, US_SPORTS
from grading.outcomes import GradingError
from grading.rulebook import (
    Rulebook,
    RulebookError,
    default_rulebook,
    named_rulebook,
    packaged_rulebooks,
    parse_rulebook,
)

NFL = (resources.files("grading") / "rulebooks" / "nfl.toml").read_text(encoding="utf-8")


def refusal(text: str) -> RulebookError:
    """The error that a rulebook's text gives."""
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(text, "mine.toml")
    return caught.value


def line_with(text: str, start: str) -> int:
    """The number of the first line that begins so."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


@pytest.mark.parametrize("sport", SPORTS)
def test_every_sport_has_a_default(sport: str) -> None:
    """One packaged rulebook a sport, named after it, with a version."""
    book = default_rulebook(sport)
    assert (sport, sport, 1, f"{sport}@1") == (book.sport, book.name, book.version, book.label)


def test_defaults_are_those_of_the_interface() -> None:
    """The defaults that hold with empty `rules`, sport by sport."""
    for sport in SPORTS:
        book, rules = default_rulebook(sport), default_rulebook(sport).rules
        us_sport = sport in US_SPORTS
        assert (us_sport, us_sport) == (rules.overtime_counts, rules.second_half_includes_overtime)
        assert (rules.extra_time_counts, rules.decided_markets_stand, rules.dead_heat) == (False, True, True)
        assert (sport == "nhl") == rules.shootout_counts
        assert (rules.venue_change, rules.did_not_play, rules.corrections) == ("VOID", "VOID", "REGRADE")
        assert (rules.two_way_tie, rules.retirement, rules.line_refers_to) == ("PUSH", "VOID", "selection")
        assert [book.statuses.cancelled, book.statuses.awarded, book.statuses.walkover] == ["VOID"] * 3


@pytest.mark.parametrize(
    ("sport", "minutes", "innings", "hours"),
    [
        ("nfl", 55, None, 0),
        ("nba", 43, None, 0),
        ("wnba", 35, None, 0),
        ("ncaaf", 35, None, 0),
        ("ncaab", 35, None, 0),
        ("mlb", None, 5, 0),
        ("nhl", None, None, 0),
        ("soccer", None, None, 48),
        ("tennis", None, None, 0),
        ("golf", None, None, 0),
    ],
)
def test_limits_are_those_of_the_interface(
    sport: str, minutes: Fraction | None, innings: Fraction | None, hours: Fraction
) -> None:
    """When an abandoned game is official, and how long a postponement stands."""
    rules = default_rulebook(sport).rules
    assert (minutes, innings, hours) == (
        rules.official_after_minutes,
        rules.official_after_innings,
        rules.postponed_void_after_hours,
    )


@pytest.mark.parametrize("label", sorted(packaged_rulebooks()))
def test_every_rule_names_its_source(label: str) -> None:
    """Each rule's line ends with a comment, and each letter in a comment is explained at the top."""
    name = label.partition("@")[0]
    lines = (resources.files("grading") / "rulebooks" / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    sources = {line[4] for line in lines if line.startswith("#   ")}
    start, *_ = (number for number, line in enumerate(lines) if line.startswith("[rules]"))
    for line in lines[start + 1 : start + 18]:
        assert line.partition(" # ")[2][:1] in sources, line


def test_the_newest_version_is_the_default() -> None:
    """A name alone is the newest version; name@version is exactly that one."""
    assert named_rulebook("nfl") == named_rulebook("nfl@1")
    with pytest.raises(KeyError, match="no rulebook 'nfl@9'"):
        named_rulebook("nfl@9")


def test_overrides_are_named_in_the_label() -> None:
    """A grade says which rulebook, version and overrides it was made by."""
    book = default_rulebook("nfl").with_rules({"Two_Way_Tie": "loss", "official_after_minutes": None})
    assert (book.rules.two_way_tie, book.rules.official_after_minutes) == ("LOSS", None)
    assert book.label == "nfl@1 official_after_minutes=none two_way_tie=LOSS"


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"two_way_ties": "PUSH"}, "unknown key 'two_way_ties'"),
        ({"two_way_tie": "VOID"}, "two_way_tie is 'VOID', not PUSH or LOSS"),
        ({"overtime_counts": 1}, "overtime_counts is not true or false"),
        ({"overtime_counts": "true"}, "overtime_counts is not true or false"),
        ({"official_after_minutes": True}, "official_after_minutes is not a number"),
        ({"official_after_minutes": -1}, "official_after_minutes is negative"),
        ({"postponed_void_after_hours": float("nan")}, "postponed_void_after_hours is not a finite number"),
        ({"postponed_void_after_hours": None}, "postponed_void_after_hours is not a number"),
        ({"grade_on": "closing_line"}, "grade_on is 'closing_line', not line_at_pick"),
        ({"line_refers_to": ["home"]}, "line_refers_to is \"['home']\", not selection or home"),
    ],
)
def test_a_bad_override_is_refused(rules: dict[str, object], reason: str) -> None:
    """Unknown keys and values that a rule can't have."""
    with pytest.raises(GradingError) as caught:
        default_rulebook("nfl").with_rules(rules)
    assert f"rules: {reason}" == str(caught.value)


def test_a_rulebook_of_ones_own() -> None:
    """Name, version and rules come from the file; numbers are exact."""
    text = NFL.replace('name = "nfl"', 'name = "house"').replace("version = 1", "version = 3")
    book = parse_rulebook(text.replace("official_after_minutes = 55", "official_after_minutes = 52.5"), "mine.toml")
    assert ("house@3", Fraction(105, 2)) == (book.label, book.rules.official_after_minutes)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("two_way_tie = ", 'two_way_tie = "DRAW" #', "two_way_tie is 'DRAW', not PUSH or LOSS"),
        ("overtime_counts = ", "overtime_counts = 1 #", "overtime_counts is not true or false"),
        ("official_after_minutes = ", "official_after_minutes = -5 #", "official_after_minutes is negative"),
        ("awarded = ", 'awarded = "PUSH" #', "awarded is 'PUSH', not VOID or STAND"),
        ("cancelled = ", 'cancelled = "STAND" #', "cancelled is 'STAND', not VOID"),
        ("version = ", "version = 0 #", "version is not a whole number of 1 or more"),
        ("name = ", 'name = "My Book" #', "name is not a name in lower case letters"),
        ("sport = ", 'sport = "curling" #', "sport is 'curling', not one of nfl"),
        ("dead_heat = ", "dead_heats = true #", "unknown key 'dead_heats'"),
        ("points = 6.5", "points = 6.3", "points is not a multiple of 0.5 above 0"),
        ('odds = ["20/25"', 'odds = ["20/0"', "odds: "),
        ("overtime_counts = ", "overtime_counts = tru #", "Invalid value"),
    ],
)
def test_a_bad_rulebook_is_refused_with_its_line(old: str, new: str, problem: str) -> None:
    """A value that a rule can't have, an unknown key, broken syntax: file and line stand in the message."""
    error = refusal(NFL.replace(old, new, 1))
    assert line_with(NFL, old) == error.line
    assert str(error).startswith(f"mine.toml line {error.line}: {problem}")


def test_a_missing_rule_is_refused_with_its_table() -> None:
    """A rulebook states every rule, so that a new default can't change it silently."""
    lines = [line for line in NFL.splitlines() if not line.startswith("two_way_tie")]
    error = refusal("\n".join(lines))
    assert (line_with(NFL, "[rules]"), True) == (error.line, "two_way_tie is missing" in str(error))


@pytest.mark.parametrize(
    "text", ["", "name = 1", "[rules]\n", "= 1", "\x00", "[[rules]]\nx=1", "teasers = 3", "[" * 5000]
)
def test_anything_else_is_refused_too(text: str) -> None:
    """Whatever the text, the answer is a line number and a problem."""
    assert refusal(text).line >= 1


def test_a_bad_teaser_is_found_in_its_own_table() -> None:
    """The second card's line is named, not the first one's."""
    error = refusal(NFL.replace("points = 7\nties", "points = 7\nfee = 1\nties"))
    assert NFL.splitlines().index("points = 7") + 2 == error.line


def test_teasers_are_data() -> None:
    """The price table of the rulebook, by points and number of legs."""
    card = default_rulebook("nfl").teaser(Fraction(6))
    assert card is not None
    assert (Fraction(43, 23), Fraction(13, 5), 10) == (card.price(2), card.price(3), card.most_legs)
    assert default_rulebook("soccer").teaser(Fraction(6)) is None


def test_the_packaged_files_are_the_rulebooks() -> None:
    """Each TOML file of the package is one rulebook; none is left out."""
    folder = Path(str(resources.files("grading") / "rulebooks"))
    assert len(list(folder.glob("*.toml"))) == len(packaged_rulebooks())
    assert all(isinstance(book, Rulebook) for book in packaged_rulebooks().values())
