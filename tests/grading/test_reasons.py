"""The words of every reason: they stand in grades and spreadsheets, so they are part of the promise."""

from decimal import Decimal
from fractions import Fraction

import pytest

from grading.bulk import kind_codes, settle_many
from grading.markets import LARGEST_LINE, check_line, find_market, market_name, parse_market_key, selection_name
from grading.outcomes import GradingError, Outcome, Part
from grading.parlay import MOST_LEGS, Leg, settle_parlay, settle_round_robin, settle_teaser
from grading.quantity import LARGEST, quantity
from grading.result import parse_result
from grading.rulebook import RulebookError, default_rulebook, named_rulebook, parse_rulebook
from grading.settlement import Pick, settle
from tests.grading.settling import PRICE, abandoned, final, graded
from tests.grading.test_rulebook import NFL, line_with, refusal


@pytest.mark.parametrize(
    ("terms", "result", "reason"),
    [
        ("nfl moneyline home", {"status": "FINAL"}, "home and away are needed"),
        ("nfl moneyline:regulation home", {"status": "FINAL"}, "home and away are needed"),
        ("nfl moneyline:q1 home", final(1, 0), "q1_home and q1_away are needed"),
        ("nfl moneyline:first_half home", final(1, 0), "h1_home and h1_away (or q1 and q2) are needed"),
        (
            "nfl moneyline:second_half home",
            final(1, 0, h1_home=0, h1_away=3),
            "h1_home or h1_away is above the score at the end",
        ),
        (
            "soccer moneyline home",
            final(1, 0, extra_time=True),
            "regulation_home and regulation_away are needed after extra time",
        ),
        ("soccer to_qualify home", final(1, 0), "qualified is needed"),
        (
            "soccer to_qualify home",
            final(1, 1, penalties_home=2, penalties_away=2),
            "penalties_home and penalties_away are level",
        ),
        ("nba player_points over 3", final(1, 0), "stat is needed"),
        ("nba player_points over 3", {"status": "FINAL", "player_played": False}, "the player did not play"),
        ("golf outright player", {}, "won (or tied with places_available) is needed"),
        ("golf outright player", {"tied": 2}, "places_available is needed beside tied"),
        ("nfl moneyline home", {"home": 1, "away": 0}, "status is missing"),
        ("nfl moneyline home", {"status": "WALKOVER"}, "status is WALKOVER"),
        ("nfl moneyline home", {"status": "AWARDED"}, "status is AWARDED"),
        ("tennis moneyline home", {"status": "RETIRED"}, "status is RETIRED"),
        ("nfl moneyline home", {"status": "POSTPONED"}, "status is POSTPONED"),
        ("soccer moneyline home", {"status": "POSTPONED", "start_delay_hours": 49}, "start_delay_hours is beyond 48"),
        ("nfl moneyline home", {"status": "POSTPONED", "start_delay_hours": 49}, "start_delay_hours is beyond 0"),
        ("nfl moneyline home", final(1, 0, venue_changed=True), "venue_changed"),
        (
            "nfl moneyline home",
            abandoned(1, 0),
            "status is ABANDONED, before the game was official or the market decided",
        ),
    ],
)
def test_what_the_result_lacks_or_voids(terms: str, result: dict[str, object], reason: str) -> None:
    """UNGRADEABLE and VOID alike begin with the column."""
    assert graded(terms, result).reason == f"result: {reason}"


def test_another_pitcher() -> None:
    """Named like the key that says so."""
    settled = graded("mlb moneyline home", final(1, 0, pitchers_changed=True), {"listed_pitcher": "VOID"})
    assert settled.reason == "result: pitchers_changed"
    assert settled.parts == (Part(Fraction(1), Outcome.VOID, Fraction(0)),)


@pytest.mark.parametrize(
    ("pick", "reason"),
    [
        (
            Pick("golf", "spread", "", "home", Fraction(1), PRICE),
            "market: spread compares scores, which golf does not settle by",
        ),
        (Pick("mixed", "spread", "", "home", Fraction(1), PRICE), "sport: mixed is for parlays"),
        (Pick("nfl", "parlay", "", "", None, PRICE), "market: a parlay is settled from its legs"),
        (Pick("nfl", "spread", "", "home", 3.5, PRICE), "line: '3.5' is not an exact number"),  # type: ignore[arg-type]
        (Pick("nfl", "spread", "", "home", None, PRICE), "line: spread needs one"),
        (Pick("nfl", "spread", "", "home", Fraction(3, 10), PRICE), "line: '3/10' is not a multiple of 0.25"),
        (Pick("nfl", "moneyline", "", "home", Fraction(3), PRICE), "line: moneyline has no line"),
        (Pick("nfl", "moneyline", "", "home", None, Fraction(1)), "odds: decimal odds must be above 1"),
        (Pick("nfl", "moneyline", "", "up", None, PRICE), "selection: moneyline has no 'up'"),
    ],
)
def test_what_is_wrong_with_the_pick(pick: Pick, reason: str) -> None:
    """The column, and what it should be."""
    assert settle(pick, parse_result(final(1, 0)), default_rulebook(pick.sport)).reason == reason


def test_another_sport_s_rulebook() -> None:
    """Both are named."""
    pick = Pick("nba", "moneyline", "", "home", None, PRICE)
    reason = settle(pick, parse_result(final(1, 0)), default_rulebook("nfl")).reason
    assert reason == "sport: rulebook nfl@1 is for nfl, not nba"


def test_long_cells_are_cut() -> None:
    """A message stays a line."""
    with pytest.raises(GradingError) as caught:
        market_name("x" * 41)
    assert str(caught.value) == f"market: unknown word '{'x' * 40}...'"
    with pytest.raises(GradingError) as caught:
        market_name("x" * 40)
    assert str(caught.value) == f"market: unknown word '{'x' * 40}'"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: parse_market_key("SPREAD"), "market_key: 'SPREAD' is not MARKET:PERIOD"),
        (lambda: parse_market_key("SPREAD:Q1:Q2"), "period: unknown word 'Q1:Q2'"),
        (lambda: selection_name("spreads", "home"), "market: unknown word 'spreads'"),
        (lambda: selection_name("correct_score", "2"), "selection: '2' is not a score such as 2-1, home's first"),
        (lambda: check_line("total", Fraction(-1)), "line: '-1' is not a multiple of 0.25, 0 or more"),
        (lambda: check_line("european_handicap_3way", Fraction(1, 2)), "line: '1/2' is not a whole number"),
        (lambda: parse_result({"h1_home": 1}), "result: h1_home and h1_away belong together"),
        (
            lambda: parse_result({"regulation_away": 1, "regulation_home": None}),
            "result: regulation_home and regulation_away belong together",
        ),
        (
            lambda: parse_result({"penalties_home": 1}),
            "result: penalties_home and penalties_away belong together",
        ),
        (lambda: parse_result({"home": 1.5}), "result: home is not a whole number of 0 or more"),
        (lambda: parse_result({"stat": Decimal("1e-13")}), "result: stat has more than 12 decimals"),
        (
            lambda: parse_result({"status": 3}),
            "result: status is not one of FINAL, CANCELLED, POSTPONED, ABANDONED, AWARDED, WALKOVER, RETIRED",
        ),
        (lambda: parse_result({"qualified": 3}), "result: qualified is '3', not home or away"),
        (
            lambda: default_rulebook("mlb").with_rules({"retirement": "Maybe"}),
            "rules: retirement is 'Maybe', not VOID or STAND",
        ),
    ],
)
def test_what_is_wrong_with_a_word(call: object, reason: str) -> None:
    """The word as it was written."""
    assert callable(call)
    with pytest.raises(GradingError) as caught:
        call()
    assert str(caught.value) == reason


def test_limits_belong_to_what_is_allowed() -> None:
    """The largest line, number and decimals themselves are fine."""
    assert check_line("spread", Fraction(LARGEST_LINE)) == LARGEST_LINE
    assert [int(quantity(limit)) for limit in (LARGEST, -LARGEST)] == [LARGEST, -LARGEST]
    assert quantity(Decimal("1e-12")) == Fraction(1, 10**12)
    assert find_market("spread") is not None


class TestLegs:
    """Parlays, round robins, teasers."""

    WON = Leg(PRICE, Outcome.WIN)

    @pytest.mark.parametrize(
        ("legs", "reason"),
        [
            ([], "legs: 0 of them, 1 to 100 can be settled"),
            ([WON, Leg(Fraction(1), Outcome.WIN)], "legs: the odds of leg 2 are not above 1"),
            ([Leg(PRICE, Outcome.PARTIAL)], "legs: leg 1 is a PARTIAL without its unit return"),
            ([WON, Leg(PRICE, Outcome.UNGRADEABLE)], "legs: one is UNGRADEABLE"),
            ([Leg(PRICE, Outcome.VOID)], "legs: all are VOID"),
        ],
    )
    def test_parlays(self, legs: list[Leg], reason: str) -> None:
        """Legs are counted from 1."""
        assert settle_parlay(legs).reason == reason

    def test_the_most_legs_are_settled(self) -> None:
        """In one part, with its outcome and return; one that is not shared pays by its odds."""
        settled = settle_parlay([Leg(PRICE, Outcome.WIN, Fraction(7))] * MOST_LEGS)
        assert settled.parts == (Part(Fraction(1), Outcome.WIN, PRICE**MOST_LEGS - 1),)

    def test_round_robins(self) -> None:
        """Void throughout, or none at all."""
        void = [Leg(PRICE, Outcome.VOID)] * 3
        assert settle_round_robin(void, 2).reason == "legs: all are VOID"
        assert settle_round_robin([self.WON] * 3, 2).reason is None
        reason = settle_round_robin(void, 4).reason
        assert reason == "legs: 3 legs by 4 make no round robin of 1 to 10000 parlays"

    def test_an_evens_round_robin_returns_nothing_where_all_push(self) -> None:
        """Zero is zero."""
        assert settle_round_robin([Leg(PRICE, Outcome.PUSH)] * 3, 2).unit_return == 0

    @pytest.mark.parametrize(
        ("outcomes", "reason"),
        [
            (["WIN"], "legs: the card has no price for 1 legs"),
            (["WIN", "HALF_WIN"], "legs: a teaser's legs are WIN, LOSS, PUSH or VOID"),
            (["VOID", "VOID"], "legs: all are VOID"),
            (["WIN", "LOSS", "PUSH", "VOID"], None),
        ],
    )
    def test_teasers(self, outcomes: list[str], reason: str | None) -> None:
        """What the card can't pay."""
        card = default_rulebook("nba").teaser(Fraction(4))
        assert card is not None
        assert settle_teaser([Outcome(outcome) for outcome in outcomes], card).reason == reason


class TestRulebooks:
    """The line that is wrong, wherever it is."""

    def test_dotted_keys_before_any_table(self) -> None:
        """`rules.x` is the table's x; another table's x is not."""
        text = 'name = "x"\nversion = 1\nsport = "nfl"\nstatuses.awarded = 3\nrules . "awarded" = 4\n'
        assert refusal(text).line == 5

    def test_a_key_is_looked_for_in_its_own_table(self) -> None:
        """The card's points, though the first card is fine; not the rulebook's version in a rule's place."""
        assert refusal(NFL.replace("points = 7", "points = 7.1")).line == NFL.splitlines().index("points = 7") + 1
        lines = [line for line in NFL.splitlines() if not line.startswith("version")]
        text = "\n".join([*lines, "version = 2"])
        assert (refusal(text).line, "version is missing" in str(refusal(text))) == (1, True)

    @pytest.mark.parametrize(
        ("old", "new", "start", "problem"),
        [
            ("version = 1", "version = true", "version", "version is not a whole number of 1 or more"),
            ("version = 1", 'version = "1"', "version", "version is not a whole number of 1 or more"),
            ("points = 6\n", "points = 0\n", "points", "points is not a multiple of 0.5 above 0"),
            ("[statuses]", "[[statuses]]", "[statuses]", "the table [statuses] is missing"),
            ("[rules]\n", "[rules]\nname = 3\n", "overtime_counts", "unknown key 'name'"),
            ("dead_heat = true", '"dead_heat" = 3', "dead_heat", "dead_heat is not true or false"),
            ("[rules]", "[rulez]", "[rules]", "unknown key 'rulez'"),
            ('sport = "nfl"', "sport = 3", "sport", "sport is '3', not one of nfl, nba, wnba"),
        ],
    )
    def test_its_line(self, old: str, new: str, start: str, problem: str) -> None:
        """With the problem in words."""
        error = refusal(NFL.replace(old, new, 1))
        assert error.line == line_with(NFL, start)
        assert str(error).startswith(f"mine.toml line {error.line}: {problem}")

    def test_half_a_point_is_a_teaser(self) -> None:
        """The least that a line can move."""
        assert parse_rulebook(NFL.replace("points = 6\n", "points = 0.5\n"), "x").teaser(Fraction(1, 2)) is not None

    def test_the_end_of_the_text(self) -> None:
        """What is missing at its end is missing on its last line."""
        assert refusal("a = 1\nb = [").line == 2
        assert refusal("a = [").line == 1

    def test_a_missing_head_is_missing_on_the_first_line(self) -> None:
        """There is no table to point at."""
        with pytest.raises(RulebookError, match=r"^mine line 1: name is missing$"):
            parse_rulebook("version = 1\nsport = 3", "mine")

    def test_names_that_are_not_there(self) -> None:
        """With those that are."""
        with pytest.raises(KeyError, match=r"no rulebook 'x'; there are golf@1, mixed@1, mlb@1, nba@1"):
            named_rulebook("x")


def test_bulk_refuses_lists_of_different_lengths() -> None:
    """And says what must be equal."""
    import numpy as np

    with pytest.raises(ValueError, match="zip"):
        kind_codes(["total"], [])
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(ValueError, match=r"^kinds, lines, home, away and profits must have one shape$"):
        settle_many(kind_codes(["total"], ["over"]), two, one.astype(int), one.astype(int), one)
