"""Games that were not simply played to the end: every status and what voids."""

from fractions import Fraction

import pytest

from grading.outcomes import GradingError, Outcome
from grading.result import Status, parse_result
from grading.rulebook import default_rulebook, parse_rulebook
from grading.settlement import Pick, settle
from tests.grading.settling import PRICE, abandoned, final, graded, outcome
from tests.grading.test_rulebook import NFL

VOID, UNGRADEABLE = Outcome.VOID, Outcome.UNGRADEABLE


@pytest.mark.parametrize("status", ["CANCELLED", "AWARDED", "WALKOVER", "RETIRED", "retired"])
def test_what_was_not_played_out_is_void(status: str) -> None:
    """With the default rules, whatever the score says, and with a reason."""
    settled = graded("soccer moneyline_3way home", {"status": status, "home": 3, "away": 0})
    assert (settled.outcome, settled.unit_return) == (VOID, Fraction(0))
    assert settled.reason == f"result: status is {status.upper()}"


def test_a_score_alone_is_never_a_result() -> None:
    """0-0 without a status may be a game that has not begun."""
    settled = graded("soccer moneyline_3way draw", {"home": 0, "away": 0})
    assert (settled.outcome, settled.reason) == (UNGRADEABLE, "result: status is missing")


def test_a_final_without_its_score_is_ungradeable() -> None:
    """One side's points are no score."""
    assert outcome("soccer moneyline_3way home", {"status": "FINAL", "home": 1}) == UNGRADEABLE


class TestPostponed:
    """The delay of the start decides."""

    @pytest.mark.parametrize(
        ("sport", "hours", "expected"),
        [
            ("soccer", 48, "WIN"),
            ("soccer", 48.5, "VOID"),
            ("soccer", None, "VOID"),
            ("nfl", 1, "VOID"),
            ("nfl", 0, "WIN"),
        ],
    )
    def test_up_to_the_limit_it_stands(self, sport: str, hours: float | None, expected: str) -> None:
        """Equal to the limit stands; without a delay it is void."""
        result = {"status": "POSTPONED", "home": 2, "away": 1, "start_delay_hours": hours}
        assert expected == outcome(f"{sport} moneyline home", result)

    def test_the_limit_is_a_rule(self) -> None:
        """As the rules override it."""
        result = {"status": "POSTPONED", "home": 2, "away": 1, "start_delay_hours": 20}
        assert outcome("nfl moneyline home", result, {"postponed_void_after_hours": 24}) == Outcome.WIN

    def test_played_in_time_but_without_a_score(self) -> None:
        """It stands, so it needs a result."""
        assert outcome("soccer moneyline home", {"status": "POSTPONED", "start_delay_hours": 5}) == UNGRADEABLE

    def test_a_final_after_too_long_a_delay_is_void(self) -> None:
        """The status at last does not undo the postponement; a late start on the day is none."""
        assert outcome("soccer moneyline home", final(2, 1, start_delay_hours=72)) == VOID
        assert outcome("mlb moneyline home", final(2, 1, start_delay_hours=1.5)) == Outcome.WIN


class TestOfficial:
    """An abandoned game that went far enough is graded on its score."""

    @pytest.mark.parametrize(
        ("sport", "played", "expected"),
        [
            ("nfl", {"minutes_played": 55}, "WIN"),
            ("nfl", {"minutes_played": 54.9}, "VOID"),
            ("nfl", {}, "VOID"),
            ("nba", {"minutes_played": 43}, "WIN"),
            ("nba", {"minutes_played": 42}, "VOID"),
            ("ncaaf", {"minutes_played": 35}, "WIN"),
            ("ncaab", {"minutes_played": 35}, "WIN"),
            ("wnba", {"minutes_played": 35}, "WIN"),
            ("wnba", {"minutes_played": 34}, "VOID"),
            ("mlb", {"innings_played": 5}, "WIN"),
            ("mlb", {"innings_played": 4.5}, "VOID"),
            ("nhl", {"minutes_played": 59}, "VOID"),
            ("soccer", {"minutes_played": 89}, "VOID"),
        ],
    )
    def test_after_its_limit(self, sport: str, played: dict[str, object], expected: str) -> None:
        """Minutes or innings, by sport; hockey and football have no limit."""
        assert expected == outcome(f"{sport} moneyline home", abandoned(24, 17, **played))

    @pytest.mark.parametrize("status", ["CANCELLED", "POSTPONED", "AWARDED"])
    def test_limits_apply_to_abandoned_games_only(self, status: str) -> None:
        """Sixty minutes do not make a cancelled game official."""
        assert outcome("nfl moneyline home", {"status": status, "home": 9, "away": 0, "minutes_played": 60}) == VOID

    def test_limits_are_rules(self) -> None:
        """Set, or taken away by null."""
        result = abandoned(1, 0, minutes_played=60)
        assert outcome("soccer moneyline home", result, {"official_after_minutes": 60}) == Outcome.WIN
        assert outcome("nfl moneyline home", result, {"official_after_minutes": None}) == VOID


class TestDecided:
    """What was decided before the abandonment stands; all else is void."""

    @pytest.mark.parametrize(
        ("terms", "expected"),
        [
            ("soccer moneyline_3way:first_half home", "WIN"),
            ("soccer total:first_half under 1.5", "WIN"),
            ("soccer total over 2.5", "WIN"),
            ("soccer total under 2.5", "LOSS"),
            ("soccer total over 3", "VOID"),
            ("soccer total over 3.5", "VOID"),
            ("soccer asian_total over 2.25", "WIN"),
            ("soccer asian_total over 2.75", "HALF_WIN"),
            ("soccer asian_total under 2.75", "HALF_LOSS"),
            ("soccer total:second_half over 1.5", "WIN"),
            ("soccer total:second_half over 2.5", "VOID"),
            ("soccer team_total home_over 1.5", "WIN"),
            ("soccer team_total home_under 1.5", "LOSS"),
            ("soccer team_total away_over 1.5", "VOID"),
            ("soccer both_teams_to_score yes", "WIN"),
            ("soccer both_teams_to_score no", "LOSS"),
            ("soccer both_teams_to_score:second_half no", "LOSS"),
            ("soccer moneyline_3way home", "VOID"),
            ("soccer spread home -0.5", "VOID"),
            ("soccer correct_score 0-0", "VOID"),
            ("soccer to_qualify home", "VOID"),
            ("soccer player_goals over 0.5", "VOID"),
            ("soccer outright player", "VOID"),
        ],
    )
    def test_period_completed_total_passed_both_scored(self, terms: str, expected: str) -> None:
        """Stopped at 2-1 in the second half, 1-0 at half-time."""
        more = {"h1_home": 1, "h1_away": 0, "qualified": "home", "stat": 2, "won": True}
        settled = graded(terms, abandoned(2, 1, **more))
        assert expected == settled.outcome
        assert (settled.reason is not None) == (settled.outcome is VOID)
        assert sum(part.fraction for part in settled.parts) == 1

    @pytest.mark.parametrize("terms", ["soccer total over 2.5", "soccer moneyline:first_half home"])
    def test_unless_the_rules_say_not(self, terms: str) -> None:
        """`decided_markets_stand` false: void."""
        result = abandoned(2, 1, h1_home=1, h1_away=0)
        assert outcome(terms, result, {"decided_markets_stand": False}) == VOID

    def test_both_not_yet_scored(self) -> None:
        """A nil may still have scored."""
        assert outcome("soccer both_teams_to_score no", abandoned(2, 0)) == VOID

    @pytest.mark.parametrize(
        ("terms", "result", "expected"),
        [
            ("nfl moneyline:q1 home", {"minutes_played": 20, "q1_home": 7, "q1_away": 3}, "WIN"),
            ("nfl moneyline:q2 home", {"minutes_played": 20, "q2_home": 7, "q2_away": 3}, "VOID"),
            ("nfl total:q2 over 9.5", {"minutes_played": 20, "q2_home": 7, "q2_away": 3}, "WIN"),
            ("nfl moneyline:q2 home", {"q2_home": 7, "q2_away": 3}, "WIN"),
            ("nfl moneyline:first_half home", {"q1_home": 7, "q1_away": 0, "q2_home": 0, "q2_away": 3}, "WIN"),
            ("nfl moneyline:first_half home", {"q1_home": 7, "q1_away": 0}, "VOID"),
            ("nhl moneyline:p1 home", {"minutes_played": 20, "p1_home": 1, "p1_away": 0}, "WIN"),
            ("nhl moneyline:p2 home", {"minutes_played": 39, "p2_home": 1, "p2_away": 0}, "VOID"),
            ("mlb moneyline:i3 home", {"innings_played": 3, "i3_home": 1, "i3_away": 0}, "WIN"),
            ("mlb moneyline:i3 home", {"innings_played": 2.5, "i3_home": 1, "i3_away": 0}, "VOID"),
            ("nfl moneyline:q1 home", {}, "VOID"),
        ],
    )
    def test_a_period_is_completed_when_its_score_is_there(
        self, terms: str, result: dict[str, object], expected: str
    ) -> None:
        """Unless the clock says that the game was stopped within it."""
        assert expected == outcome(terms, abandoned(10, 6, **result))

    def test_ninety_minutes_are_completed_in_extra_time(self) -> None:
        """A match abandoned in extra time had its regulation, and its second half."""
        result = abandoned(2, 1, extra_time=True, regulation_home=1, regulation_away=1, h1_home=0, h1_away=0)
        assert outcome("soccer moneyline_3way draw", result) == Outcome.WIN
        assert outcome("soccer moneyline_3way:second_half draw", result) == Outcome.WIN
        assert outcome("soccer moneyline_3way:including_extra_time_and_penalties home", result) == VOID
        assert outcome("soccer to_qualify:regulation home", {**result, "qualified": "home"}) == VOID
        assert outcome("soccer moneyline_3way:full_game home", result, {"extra_time_counts": True}) == VOID

    def test_without_a_score_nothing_is_decided(self) -> None:
        """Void, as the rest of an abandoned game."""
        assert outcome("soccer total over 2.5", {"status": "ABANDONED"}) == VOID


class TestChanges:
    """A game that is not the one picked."""

    def test_another_venue(self) -> None:
        """Void unless it may stand."""
        assert outcome("nfl moneyline home", final(3, 0, venue_changed=True)) == VOID
        assert outcome("nfl moneyline home", final(3, 0, venue_changed=True), {"venue_change": "STAND"}) == Outcome.WIN
        assert outcome("nfl moneyline home", final(3, 0, venue_changed=False)) == Outcome.WIN

    def test_another_pitcher(self) -> None:
        """Action unless the listed pitchers must start."""
        result = final(3, 0, pitchers_changed=True)
        assert outcome("mlb moneyline home", result) == Outcome.WIN
        for word in ("VOID", "listed", True):
            assert outcome("mlb moneyline home", result, {"listed_pitcher": word}) == VOID
        for word in ("STAND", "action", False):
            assert outcome("mlb moneyline home", result, {"listed_pitcher": word}) == Outcome.WIN


class TestRetired:
    """A player who gives up."""

    def test_may_stand(self) -> None:
        """The moneyline goes to who goes on; other markets to the score, if the rules say so."""
        result = {"status": "RETIRED", "home": 1, "away": 0, "qualified": "away"}
        stand = {"retirement": "STAND"}
        assert outcome("tennis moneyline away", result, stand) == Outcome.WIN
        assert outcome("tennis spread home -0.5", result, stand) == Outcome.WIN


def test_a_rulebook_may_let_awarded_games_stand() -> None:
    """[statuses] is data: AWARDED on the score given."""
    book = parse_rulebook(NFL.replace('awarded = "VOID"', 'awarded = "STAND"'), "mine.toml")
    pick = Pick("nfl", "moneyline", "", "home", None, PRICE)
    given = parse_result({"status": "AWARDED", "home": 2, "away": 0})
    assert (settle(pick, given, book).outcome, settle(pick, given, default_rulebook("nfl")).outcome) == (
        Outcome.WIN,
        VOID,
    )


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"home": -1}, "home is not a whole number of 0 or more"),
        ({"home": 1.5}, "home is not a whole number of 0 or more"),
        ({"home": True}, "home is not a number"),
        ({"home": "3"}, "home is not a number"),
        ({"away": float("nan")}, "away is not a finite number"),
        ({"away": float("inf")}, "away is not a finite number"),
        ({"home": 10**30}, "home is beyond 1000000"),
        ({"i9_away": [1]}, "i9_away is not a number"),
        ({"status": "POST"}, "status is not one of FINAL, CANCELLED"),
        ({"status": 1}, "status is not one of FINAL, CANCELLED"),
        ({"qualified": "draw"}, "qualified is 'draw', not home or away"),
        ({"extra_time": 1}, "extra_time is not true or false"),
        ({"won": "yes"}, "won is not true or false"),
        ({"tied": 0}, "tied is 0"),
        ({"places_available": 2.5}, "places_available is not a whole number"),
        ({"minutes_played": -3}, "minutes_played is negative"),
        ({"stat": {}}, "stat is not a number"),
    ],
)
def test_a_bad_value_of_a_known_key_is_refused(result: dict[str, object], reason: str) -> None:
    """The message names column and key."""
    with pytest.raises(GradingError) as caught:
        parse_result(result)
    assert str(caught.value).startswith(f"result: {reason}")


def test_unknown_keys_null_and_case_do_not_matter() -> None:
    """Unknown keys are ignored, null is absent, words are case-insensitive, 3.0 is 3."""
    given = parse_result({"Status": "final", "HOME": 3.0, "away": 0, "h1_home": None, "weather": float("nan")})
    assert (given.status, given.final, given.h1) == (Status.FINAL, (3, 0), None)
