"""Every sentence of the interface about markets, periods and results, one test each."""

from fractions import Fraction

import pytest

from grading.outcomes import Outcome, Part, Settlement
from grading.result import Result
from grading.rulebook import default_rulebook
from grading.settlement import Pick, settle
from tests.grading.settling import PRICE, PROFIT, final, graded, outcome

HALF = Fraction(1, 2)
WIN, LOSS, PUSH, VOID = Outcome.WIN, Outcome.LOSS, Outcome.PUSH, Outcome.VOID


@pytest.mark.parametrize(
    ("terms", "home", "away", "expected"),
    [
        ("nfl moneyline home", 21, 20, "WIN"),
        ("nfl moneyline away", 21, 20, "LOSS"),
        ("nfl moneyline home", 20, 20, "PUSH"),
        ("soccer moneyline_3way home", 2, 1, "WIN"),
        ("soccer moneyline_3way draw", 1, 1, "WIN"),
        ("soccer moneyline_3way away", 1, 1, "LOSS"),
        ("soccer draw_no_bet home", 1, 1, "PUSH"),
        ("soccer draw_no_bet away", 0, 1, "WIN"),
        ("soccer double_chance 1X", 1, 1, "WIN"),
        ("soccer double_chance 12", 1, 1, "LOSS"),
        ("soccer double_chance X2", 2, 1, "LOSS"),
        ("soccer double_chance X2", 1, 2, "WIN"),
        ("nba spread home -3.5", 100, 96, "WIN"),
        ("nba spread away +3.5", 100, 96, "LOSS"),
        ("nba spread home -4", 100, 96, "PUSH"),
        ("nba spread away 0", 100, 96, "LOSS"),
        ("nba spread home 0", 100, 100, "PUSH"),
        ("soccer asian_handicap home -0.75", 2, 1, "HALF_WIN"),
        ("soccer asian_handicap away +0.75", 2, 1, "HALF_LOSS"),
        ("soccer asian_handicap home -0.25", 1, 1, "HALF_LOSS"),
        ("soccer asian_handicap home +0.25", 1, 1, "HALF_WIN"),
        ("soccer asian_handicap home -0.25", 2, 1, "WIN"),
        ("soccer european_handicap_3way home -1", 2, 1, "LOSS"),
        ("soccer european_handicap_3way draw -1", 2, 1, "WIN"),
        ("soccer european_handicap_3way away 1", 2, 1, "LOSS"),
        ("soccer european_handicap_3way away 1", 1, 1, "WIN"),
        ("soccer european_handicap_3way home -1", 3, 1, "WIN"),
        ("nba total over 195.5", 100, 96, "WIN"),
        ("nba total under 195.5", 100, 96, "LOSS"),
        ("nba total over 196", 100, 96, "PUSH"),
        ("soccer asian_total over 2.25", 1, 1, "HALF_LOSS"),
        ("soccer asian_total under 2.25", 1, 1, "HALF_WIN"),
        ("soccer total over 2.75", 2, 1, "HALF_WIN"),
        ("soccer total under 0", 0, 0, "PUSH"),
        ("nba team_total home_over 99.5", 100, 96, "WIN"),
        ("nba team_total home_under 99.5", 100, 96, "LOSS"),
        ("nba team_total away_over 96", 100, 96, "PUSH"),
        ("nba team_total away_under 96.25", 100, 96, "HALF_WIN"),
        ("soccer both_teams_to_score yes", 1, 1, "WIN"),
        ("soccer both_teams_to_score no", 1, 1, "LOSS"),
        ("soccer both_teams_to_score no", 4, 0, "WIN"),
        ("soccer correct_score 2-1", 2, 1, "WIN"),
        ("soccer correct_score 1-2", 2, 1, "LOSS"),
        ("tennis moneyline away", 1, 2, "WIN"),
        ("football moneyline_3way home", 2, 1, "WIN"),
    ],
)
def test_a_market_is_decided_by_the_score(terms: str, home: int, away: int, expected: str) -> None:
    """Each market on a finished game."""
    assert expected == outcome(terms, final(home, away))


def test_a_win_returns_the_profit_a_loss_the_stake() -> None:
    """Unit return is profit per unit risked, exactly: 10/11 at -110."""
    won, lost = graded("nfl moneyline home", final(3, 0)), graded("nfl moneyline away", final(3, 0))
    assert (Fraction(10, 11), Fraction(-1)) == (won.unit_return, lost.unit_return)
    assert (Part(Fraction(1), WIN, PROFIT),) == won.parts
    assert (won.reason, lost.reason, won.rulebook) == (None, None, "nfl@1")


def test_a_quarter_line_has_two_parts() -> None:
    """The stake is split in halves on the neighbouring lines, in spread and total too."""
    settled = graded("nfl spread home -2.75", final(24, 21))
    assert (Part(HALF, PUSH, Fraction(0)), Part(HALF, WIN, PROFIT)) == settled.parts
    assert (settled.outcome, settled.unit_return) == (Outcome.HALF_WIN, PROFIT / 2)
    assert graded("nfl total over 45.25", final(24, 21)).unit_return == -HALF
    assert len(graded("nfl total over 44.25", final(24, 21)).parts) == 2


@pytest.mark.parametrize("line", ["0.3", "-2.1", "0.125", "1/3"])
def test_other_fractions_are_ungradeable(line: str) -> None:
    """Only multiples of a quarter are lines."""
    settled = graded(f"soccer asian_handicap home {line}", final(1, 0))
    assert (settled.outcome, settled.parts) == (Outcome.UNGRADEABLE, ())
    assert settled.reason is not None
    assert settled.reason.startswith("line: ")


def test_the_line_graded_is_the_pick_s() -> None:
    """`line_at_pick`, `closing_line` and `overtime_played` are informative only."""
    informative = {"line_at_pick": -9, "closing_line": "x", "overtime_played": 7}
    assert outcome("nba spread home -3.5", final(100, 96, **informative)) == WIN


class TestLineRefersTo:
    """A handicap line is the selection's own, unless it refers to home."""

    @pytest.mark.parametrize(
        ("terms", "expected"),
        [
            ("nfl spread home -3", "WIN"),
            ("nfl spread away -3", "LOSS"),
            ("nfl spread away -5", "WIN"),
            ("soccer european_handicap_3way home -4", "LOSS"),
            ("soccer european_handicap_3way draw -4", "WIN"),
            ("soccer european_handicap_3way away -5", "WIN"),
            ("soccer european_handicap_3way away -4", "LOSS"),
        ],
    )
    def test_home_turns_it_for_away(self, terms: str, expected: str) -> None:
        """With home's line -5 and a margin of 4, away covers."""
        assert expected == outcome(terms, final(24, 20), {"line_refers_to": "home"})

    @pytest.mark.parametrize("refers_to", ["home", "selection"])
    def test_a_draw_s_line_is_home_s_in_any_case(self, refers_to: str) -> None:
        """Home -1 ends level after a win by one."""
        terms = "soccer european_handicap_3way draw -1"
        assert outcome(terms, final(2, 1), {"line_refers_to": refers_to}) == WIN
        assert outcome(terms, final(1, 2), {"line_refers_to": refers_to}) == LOSS


class TestPeriods:
    """Which points belong to which period."""

    OVERTIME = final(27, 24, regulation_home=24, regulation_away=24, h1_home=10, h1_away=14)
    EXTRA_TIME = final(2, 1, extra_time=True, regulation_home=1, regulation_away=1, h1_home=1, h1_away=0)

    @pytest.mark.parametrize(
        ("terms", "rules", "expected"),
        [
            ("nfl moneyline home", {}, "WIN"),
            ("nfl moneyline:full_game home", {"overtime_counts": False}, "PUSH"),
            ("nfl moneyline:regulation home", {}, "PUSH"),
            ("nfl moneyline_3way:regulation draw", {}, "WIN"),
            ("nfl total:regulation over 50", {}, "LOSS"),
            ("nfl total over 50", {}, "WIN"),
            ("nfl moneyline:first_half away", {}, "WIN"),
            ("nfl total:second_half under 27", {}, "PUSH"),
            ("nfl total:second_half under 27", {"second_half_includes_overtime": False}, "WIN"),
        ],
    )
    def test_american_overtime(self, terms: str, rules: dict[str, object], expected: str) -> None:
        """Full game and second half include overtime unless the rules say not; regulation never does."""
        assert expected == outcome(terms, self.OVERTIME, rules)

    @pytest.mark.parametrize(
        ("terms", "rules", "expected"),
        [
            ("soccer moneyline_3way draw", {}, "WIN"),
            ("soccer moneyline_3way:full_game draw", {}, "WIN"),
            ("soccer moneyline_3way:regulation draw", {"extra_time_counts": True}, "WIN"),
            ("soccer moneyline_3way:full_game home", {"extra_time_counts": True}, "WIN"),
            ("soccer moneyline_3way:including_extra_time_and_penalties home", {}, "WIN"),
            ("soccer total:second_half under 1.5", {}, "WIN"),
            ("soccer moneyline_3way:second_half away", {}, "WIN"),
        ],
    )
    def test_football_is_ninety_minutes(self, terms: str, rules: dict[str, object], expected: str) -> None:
        """Extra time counts only where rules or period say so."""
        assert expected == outcome(terms, self.EXTRA_TIME, rules)

    @pytest.mark.parametrize("period", ["", ":full_game", ":regulation", ":second_half"])
    def test_extra_time_without_regulation_is_ungradeable(self, period: str) -> None:
        """The score at 90 minutes is unknown, so nothing is guessed."""
        settled = graded(f"soccer moneyline_3way{period} home", final(2, 1, extra_time=True, h1_home=0, h1_away=0))
        assert settled.outcome == Outcome.UNGRADEABLE
        assert "regulation_home" in str(settled.reason)

    def test_regulation_is_the_score_where_nothing_else_is_given(self) -> None:
        """Without `regulation_*`, home and away are the score of regulation."""
        assert outcome("nhl moneyline_3way:regulation draw", final(2, 2)) == WIN

    def test_first_half_from_quarters(self) -> None:
        """q1 + q2 where h1 is absent, and the second half from the same."""
        quarters = {"q1_home": 4, "q1_away": 3, "q2_home": 3, "q2_away": 10}
        result = final(27, 24, **quarters)
        assert outcome("nfl spread:first_half away -5.5", result) == WIN
        assert outcome("nfl team_total:first_half home_over 6.5", result) == WIN
        assert outcome("nfl total:second_half over 30.5", result) == WIN
        assert outcome("nfl total:first_half over 1", final(1, 1, q1_home=1, q1_away=1)) == Outcome.UNGRADEABLE

    @pytest.mark.parametrize("period", ["q1", "q2", "q3", "q4", "p1", "p2", "p3", *(f"i{n}" for n in range(1, 10))])
    def test_each_period_has_its_own_score(self, period: str) -> None:
        """Quarters, thirds and innings are as stated; so the fourth quarter has no overtime in it."""
        result = final(30, 20, **{f"{period}_home": 3, f"{period}_away": 7})
        assert outcome(f"nfl moneyline:{period} away", result) == WIN
        assert outcome(f"nfl moneyline:{period} away", final(30, 20)) == Outcome.UNGRADEABLE

    def test_a_side_may_score_nothing_after_the_half(self) -> None:
        """Equal to its first half is no contradiction."""
        result = final(7, 7, h1_home=7, h1_away=7)
        assert outcome("nfl total:second_half under 0.5", result) == WIN

    def test_a_half_above_the_final_score_is_ungradeable(self) -> None:
        """A second half can't be negative."""
        assert outcome("nfl moneyline:second_half home", final(7, 7, h1_home=10, h1_away=0)) == Outcome.UNGRADEABLE


class TestShootouts:
    """A shootout adds one goal to its winner where it counts, and nothing in totals."""

    SHOOTOUT = final(2, 2, penalties_home=1, penalties_away=0)

    @pytest.mark.parametrize(
        ("terms", "rules", "expected"),
        [
            ("nhl moneyline home", {}, "WIN"),
            ("nhl moneyline home", {"shootout_counts": False}, "PUSH"),
            ("nhl moneyline home", {"overtime_counts": False}, "PUSH"),
            ("nhl moneyline_3way:regulation draw", {}, "WIN"),
            ("nhl spread home -0.5", {}, "WIN"),
            ("nhl total over 4.5", {}, "LOSS"),
            ("nhl team_total home_over 2.5", {}, "LOSS"),
            ("nhl correct_score 2-2", {}, "WIN"),
            ("soccer moneyline:including_extra_time_and_penalties home", {}, "WIN"),
            ("soccer total:including_extra_time_and_penalties under 4.5", {}, "WIN"),
            ("soccer moneyline_3way draw", {}, "WIN"),
            ("soccer moneyline:full_game home", {"extra_time_counts": True}, "PUSH"),
            ("soccer moneyline:full_game home", {"extra_time_counts": True, "shootout_counts": True}, "WIN"),
        ],
    )
    def test_where_it_counts(self, terms: str, rules: dict[str, object], expected: str) -> None:
        """In the NHL's full game and in periods that name penalties."""
        assert expected == outcome(terms, self.SHOOTOUT, rules)

    def test_away_may_win_it(self) -> None:
        """One goal more for away, none less for home."""
        result = final(2, 2, penalties_home=0, penalties_away=1)
        assert outcome("nhl moneyline away", result) == WIN
        assert outcome("nhl spread away -1", result) == PUSH

    def test_a_level_shootout_is_ungradeable(self) -> None:
        """Somebody wins a shootout."""
        assert outcome("nhl moneyline home", final(2, 2, penalties_home=3, penalties_away=3)) == Outcome.UNGRADEABLE

    def test_a_decided_game_keeps_its_score(self) -> None:
        """The shootout of a tie over two legs does not change the second leg's score."""
        result = final(2, 1, penalties_home=3, penalties_away=4)
        assert outcome("soccer moneyline:including_extra_time_and_penalties home", result) == WIN


def test_two_way_ties_push_or_lose() -> None:
    """By the rulebook; draw no bet always pushes."""
    loss = {"two_way_tie": "LOSS"}
    assert outcome("nfl moneyline home", final(20, 20), loss) == LOSS
    assert outcome("soccer draw_no_bet home", final(1, 1), loss) == PUSH
    assert outcome("nfl spread home -3", final(23, 20), loss) == PUSH


class TestToQualify:
    """Who goes on, as stated; else by the shootout."""

    def test_qualified_decides(self) -> None:
        """The score may be one leg of two, so it does not."""
        assert outcome("soccer to_qualify away", final(2, 1, qualified="Away")) == WIN
        assert (
            outcome("soccer to_qualify:including_extra_time_and_penalties home", final(2, 1, qualified="away")) == LOSS
        )

    def test_a_shootout_decides_where_nothing_is_stated(self) -> None:
        """Its winner goes on."""
        assert outcome("soccer to_qualify away", final(1, 1, penalties_home=3, penalties_away=4)) == WIN

    def test_a_score_alone_does_not(self) -> None:
        """Never a guess."""
        assert outcome("soccer to_qualify home", final(2, 1)) == Outcome.UNGRADEABLE


class TestPlayers:
    """player_<stat>: over and under a number, on what the player did."""

    @pytest.mark.parametrize(
        ("selection", "stat", "expected"),
        [("over 24.5", 25, "WIN"), ("under 24.5", 25, "LOSS"), ("over 25", 25, "PUSH"), ("over 1.5", 1.75, "WIN")],
    )
    def test_the_stat_decides(self, selection: str, stat: float, expected: str) -> None:
        """Whatever the name of the statistic."""
        assert expected == outcome(f"nba player_points {selection}", {"status": "FINAL", "stat": stat})

    @pytest.mark.parametrize("absence", [{"player_played": False}, {"seconds_played": 0}])
    def test_did_not_play(self, absence: dict[str, object]) -> None:
        """VOID, or graded on the stat where the rules let it stand."""
        result = {"status": "FINAL", "stat": 0, **absence}
        assert outcome("nba player_points under 24.5", result) == VOID
        assert outcome("nba player_points under 24.5", result, {"did_not_play": "STAND"}) == WIN

    def test_one_second_is_played(self) -> None:
        """Any second on the court is action."""
        assert outcome("nba player_points under 1.5", {"status": "FINAL", "stat": 0, "seconds_played": 1}) == WIN

    def test_corrections(self) -> None:
        """A corrected statistic regrades, unless the rules ignore what comes after the settlement."""
        result = {"status": "FINAL", "stat": 25, "corrected_stat": 24}
        assert outcome("nba player_points over 24.5", result) == LOSS
        assert outcome("nba player_points over 24.5", result, {"corrections": "IGNORE_AFTER_SETTLEMENT"}) == WIN

    def test_without_a_stat_it_is_ungradeable(self) -> None:
        """A score is no statistic of a player."""
        assert outcome("nba player_points over 24.5", final(100, 96)) == Outcome.UNGRADEABLE


class TestOutrights:
    """outright, group_winner and top_<n>: won, or tied for places."""

    @pytest.mark.parametrize("market", ["outright", "group_winner", "top_5"])
    def test_won_decides(self, market: str) -> None:
        """True or false; no status is needed for a verdict."""
        assert outcome(f"golf {market} player", {"won": True}) == WIN
        assert outcome(f"golf {market} player", {"won": False, "status": "FINAL"}) == LOSS
        assert outcome(f"golf {market} player", {"status": "FINAL"}) == Outcome.UNGRADEABLE

    def test_a_dead_heat_shares_the_places(self) -> None:
        """d · places / tied - 1, in a winning and a losing part."""
        settled = graded("golf top_5 player", {"tied": 4, "places_available": 3, "won": False}, odds=Fraction(10))
        assert (Outcome.DEAD_HEAT, Fraction(13, 2)) == (settled.outcome, settled.unit_return)
        assert (Part(Fraction(3, 4), WIN, Fraction(9)), Part(Fraction(1, 4), LOSS, Fraction(-1))) == settled.parts

    def test_a_dead_heat_may_lose_money(self) -> None:
        """At 3.0 shared by four for one place."""
        settled = graded("golf outright player", {"tied": 4, "places_available": 1}, odds=Fraction(3))
        assert (Outcome.DEAD_HEAT, Fraction(-1, 4)) == (settled.outcome, settled.unit_return)

    def test_enough_places_win(self) -> None:
        """Tied for as many places as there are, or where the rules pay ties in full."""
        assert outcome("golf top_10 player", {"tied": 3, "places_available": 3}) == WIN
        assert outcome("golf top_10 player", {"tied": 3, "places_available": 1}, {"dead_heat": False}) == WIN

    def test_the_places_are_never_assumed(self) -> None:
        """A wrong divisor turns a profit into a loss."""
        assert outcome("golf outright player", {"tied": 3}) == Outcome.UNGRADEABLE

    def test_golf_scores_are_not_compared(self) -> None:
        """Strokes win the other way round, which no rule here says."""
        assert outcome("golf moneyline home", final(68, 70)) == Outcome.UNGRADEABLE


@pytest.mark.parametrize(
    ("pick", "column"),
    [
        (Pick("curling", "moneyline", "", "home", None, PRICE), "sport"),
        (Pick("nba", "moneyline", "", "home", None, PRICE), "sport"),
        (Pick("nfl", "money line", "", "home", None, PRICE), "market"),
        (Pick("nfl", "parlay", "", "home", None, PRICE), "market"),
        (Pick("nfl", "moneyline", "q5", "home", None, PRICE), "period"),
        (Pick("nfl", "moneyline", "", "draw", None, PRICE), "selection"),
        (Pick("nfl", "spread", "", "home", None, PRICE), "line"),
        (Pick("nfl", "spread", "", "home", 3.5, PRICE), "line"),  # type: ignore[arg-type] # what a caller may do
        (Pick("nfl", "moneyline", "", "home", None, Fraction(1)), "odds"),
        (Pick("nfl", "moneyline", "", "home", None, 1.91), "odds"),  # type: ignore[arg-type]
        (Pick("nfl", "moneyline", "", "home", None, PRICE), "result"),
    ],
)
def test_whatever_makes_no_sense_is_ungradeable(pick: Pick, column: str) -> None:
    """Never an exception: a reason that begins with the column at fault."""
    settled = settle(pick, Result(), default_rulebook("nfl"))
    assert Settlement(Outcome.UNGRADEABLE, (), None, settled.reason, "nfl@1") == settled
    assert str(settled.reason).startswith(f"{column}: ")
