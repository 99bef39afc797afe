"""Picks that are paid together: parlays, round robins, teasers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.outcomes import GradingError, Outcome, Part
from grading.parlay import MOST_LEGS, Leg, settle_parlay, settle_round_robin, settle_teaser, teased
from grading.rulebook import Teaser, default_rulebook
from grading.settlement import Pick
from tests.grading.settling import PRICE, PROFIT

TWO = Fraction(2)
GAINS = {
    Outcome.WIN: PROFIT,
    Outcome.LOSS: Fraction(-1),
    Outcome.PUSH: Fraction(0),
    Outcome.VOID: Fraction(0),
    Outcome.HALF_WIN: PROFIT / 2,
    Outcome.HALF_LOSS: Fraction(-1, 2),
}


def legs(*outcomes: str, odds: Fraction = PRICE) -> list[Leg]:
    """A leg at the same price for each outcome."""
    return [Leg(odds, Outcome(outcome)) for outcome in outcomes]


@pytest.mark.parametrize(
    ("outcomes", "expected", "gain"),
    [
        (["WIN", "WIN"], "WIN", Fraction(3)),
        (["WIN", "LOSS"], "LOSS", Fraction(-1)),
        (["VOID", "LOSS"], "LOSS", Fraction(-1)),
        (["UNGRADEABLE", "LOSS"], "LOSS", Fraction(-1)),
        (["DEAD_HEAT", "LOSS"], "LOSS", Fraction(-1)),
        (["HALF_WIN", "LOSS"], "LOSS", Fraction(-1)),
        (["VOID", "VOID"], "VOID", Fraction(0)),
        (["PUSH", "PUSH"], "PUSH", Fraction(0)),
        (["PUSH", "VOID"], "PUSH", Fraction(0)),
        (["WIN", "PUSH", "VOID"], "WIN", Fraction(1)),
        (["WIN", "HALF_WIN"], "PARTIAL", Fraction(2)),
        (["WIN", "HALF_LOSS"], "PARTIAL", Fraction(0)),
        (["HALF_LOSS", "VOID"], "PARTIAL", Fraction(-1, 2)),
    ],
)
def test_the_legs_decide(outcomes: list[str], expected: str, gain: Fraction) -> None:
    """A loss loses all, void and push drop out, a half leg makes it partial; at 2.0 each."""
    settled = settle_parlay(legs(*outcomes, odds=TWO))
    assert (expected, gain) == (settled.outcome, settled.unit_return)
    assert Fraction(1) == sum(part.fraction for part in settled.parts)
    assert (expected == "VOID") == (settled.reason is not None)


@pytest.mark.parametrize("outcome", list(GAINS))
def test_a_parlay_of_one_leg_returns_what_the_leg_returns(outcome: Outcome) -> None:
    """Whatever the leg came to."""
    assert GAINS[outcome] == settle_parlay([Leg(PRICE, outcome)]).unit_return


@given(st.fractions(min_value=Fraction(-99, 100), max_value=50))
def test_a_shared_leg_multiplies_by_what_it_returned(gain: Fraction) -> None:
    """A dead heat or a partial leg in the library, where its return is known; in one leg, just this return."""
    settled = settle_parlay([Leg(PRICE, Outcome.DEAD_HEAT, gain)])
    assert (Outcome.PARTIAL, gain) == (settled.outcome, settled.unit_return)


@given(
    st.lists(st.sampled_from([Outcome.WIN, Outcome.HALF_WIN, Outcome.HALF_LOSS, Outcome.PUSH]), min_size=2, max_size=6)
)
def test_the_return_is_the_product_of_the_legs(outcomes: list[Outcome]) -> None:
    """1 + return multiplies over the legs, whatever their order."""
    product = Fraction(1)
    for outcome in outcomes:
        product *= 1 + GAINS[outcome]
    assert product - 1 == settle_parlay([Leg(PRICE, outcome) for outcome in outcomes]).unit_return
    assert product - 1 == settle_parlay([Leg(PRICE, outcome) for outcome in reversed(outcomes)]).unit_return


@pytest.mark.parametrize(
    "bad",
    [
        [],
        legs("WIN") * (MOST_LEGS + 1),
        legs("WIN", "UNGRADEABLE"),
        legs("WIN", "DEAD_HEAT"),
        legs("WIN", "PARTIAL"),
        legs("WIN", odds=Fraction(1)),
    ],
)
def test_what_cannot_be_paid_is_ungradeable(bad: list[Leg]) -> None:
    """No legs, too many, an ungraded one, a share without its return, no price."""
    settled = settle_parlay(bad)
    assert (settled.outcome, settled.unit_return, settled.parts) == (Outcome.UNGRADEABLE, None, ())
    assert str(settled.reason).startswith("legs: ")


class TestRoundRobins:
    """Every parlay of some of the legs, with equal stakes."""

    def test_each_combination_is_a_part(self) -> None:
        """Three legs by two, one lost: one parlay wins, two lose."""
        settled = settle_round_robin(legs("WIN", "WIN", "LOSS", odds=TWO), 2)
        assert (Outcome.PARTIAL, Fraction(1, 3)) == (settled.outcome, settled.unit_return)
        assert {
            Part(Fraction(1, 3), Outcome.WIN, Fraction(3)),
            Part(Fraction(2, 3), Outcome.LOSS, Fraction(-1)),
        } == set(settled.parts)

    @pytest.mark.parametrize("outcome", ["WIN", "LOSS", "PUSH", "VOID"])
    def test_equal_parlays_keep_their_outcome(self, outcome: str) -> None:
        """All won is WIN, and so on."""
        settled = settle_round_robin(legs(outcome, outcome, outcome), 2)
        assert outcome == settled.outcome
        assert sum(part.fraction for part in settled.parts) == 1

    @given(st.lists(st.sampled_from(list(GAINS)), min_size=2, max_size=6), st.data())
    def test_parts_sum_to_one(self, outcomes: list[Outcome], data: st.DataObject) -> None:
        """And the return is theirs."""
        size = data.draw(st.integers(2, len(outcomes)))
        settled = settle_round_robin([Leg(PRICE, outcome) for outcome in outcomes], size)
        assert sum(part.fraction for part in settled.parts) == 1
        assert settled.unit_return == sum(part.fraction * part.unit_return for part in settled.parts)

    @pytest.mark.parametrize(("number", "size"), [(3, 1), (3, 4), (30, 15)])
    def test_what_is_no_round_robin_is_ungradeable(self, number: int, size: int) -> None:
        """Parlays of one, of more than there are, or far too many of them."""
        assert settle_round_robin(legs(*["WIN"] * number), size).outcome == Outcome.UNGRADEABLE

    def test_an_ungraded_leg_is_ungradeable(self) -> None:
        """One parlay that can't be paid leaves the whole open."""
        assert settle_round_robin(legs("WIN", "WIN", "UNGRADEABLE"), 2).outcome == Outcome.UNGRADEABLE


class TestTeasers:
    """Lines moved in the pick's favour, paid by the rulebook's card."""

    NFL = default_rulebook("nfl")

    @pytest.mark.parametrize(
        ("market", "selection", "line", "moved"),
        [
            ("spread", "home", "-8.5", "-2.5"),
            ("SPREAD", "Away", "1.5", "7.5"),
            ("total", "over", "44", "38"),
            ("total", "under", "44", "50"),
            ("total", "over", "4", "0"),
        ],
    )
    def test_lines_move_in_favour(self, market: str, selection: str, line: str, moved: str) -> None:
        """By six points; a total never below 0."""
        pick = Pick("nfl", market, "", selection, Fraction(line), PRICE)
        assert Fraction(moved) == teased(pick, Fraction(6), self.NFL).line

    def test_home_s_line_moves_down_for_away(self) -> None:
        """Where lines are home's, away is favoured by a lower one."""
        pick = Pick("nfl", "spread", "", "away", Fraction(-3), PRICE)
        assert Fraction(-9) == teased(pick, Fraction(6), self.NFL.with_rules({"line_refers_to": "home"})).line

    def test_other_markets_are_not_teased(self) -> None:
        """A moneyline has no line to move."""
        for market, line in (("moneyline", None), ("spread", None), ("asian_handicap", Fraction(3))):
            with pytest.raises(GradingError, match=r"^market: a teaser"):
                teased(Pick("nfl", market, "", "home", line, PRICE), Fraction(6), self.NFL)

    @pytest.mark.parametrize(
        ("outcomes", "expected", "gain"),
        [
            (["WIN", "WIN"], "WIN", Fraction(20, 23)),
            (["WIN", "WIN", "WIN"], "WIN", Fraction(8, 5)),
            (["WIN", "WIN", "PUSH"], "WIN", Fraction(20, 23)),
            (["WIN", "WIN", "VOID"], "WIN", Fraction(20, 23)),
            (["WIN", "PUSH"], "PUSH", Fraction(0)),
            (["WIN", "VOID"], "PUSH", Fraction(0)),
            (["VOID", "VOID"], "VOID", Fraction(0)),
            (["WIN", "LOSS", "PUSH"], "LOSS", Fraction(-1)),
        ],
    )
    def test_the_card_pays_for_the_legs_that_won(self, outcomes: list[str], expected: str, gain: Fraction) -> None:
        """Ties reduce to the next level; fewer than two legs return the stake."""
        card = self.NFL.teaser(Fraction(6))
        assert card is not None
        settled = settle_teaser([Outcome(outcome) for outcome in outcomes], card)
        assert (expected, gain) == (settled.outcome, settled.unit_return)

    def test_ties_lose_where_the_card_says_so(self) -> None:
        """As special teasers do."""
        card = Teaser(Fraction(10), "LOSS", (Fraction(3, 2), Fraction(11, 6)))
        assert settle_teaser([Outcome.WIN, Outcome.WIN, Outcome.PUSH], card).outcome == Outcome.LOSS

    @pytest.mark.parametrize("outcomes", [["WIN"], ["WIN", "HALF_WIN"], ["WIN"] * 11])
    def test_what_the_card_has_no_price_for_is_ungradeable(self, outcomes: list[str]) -> None:
        """One leg, half legs, more legs than it lists."""
        card = self.NFL.teaser(Fraction(6))
        assert card is not None
        assert settle_teaser([Outcome(outcome) for outcome in outcomes], card).outcome == Outcome.UNGRADEABLE
