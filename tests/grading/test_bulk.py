"""Bulk settlement: the same answers as the exact one, and no silent ones for bad input."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.bulk import OUTCOMES, kind_codes, settle_many
from grading.markets import LARGEST_LINE, MARKETS, Line
from grading.outcomes import Outcome
from grading.quantity import LARGEST
from grading.result import Result, Score, Status
from grading.rulebook import default_rulebook
from grading.settlement import Pick, settle

MAIN = [
    "moneyline",
    "moneyline_3way",
    "draw_no_bet",
    "double_chance",
    "spread",
    "asian_handicap",
    "total",
    "asian_total",
    "team_total",
    "both_teams_to_score",
]
PAIRS = [(market, selection) for market in MAIN for selection in MARKETS[market].selections]


@st.composite
def rows(draw: st.DrawFn) -> Pick:
    """A pick of a main market with a line that suits it, or now and then one that does not."""
    market, selection = draw(st.sampled_from(PAIRS))
    steps = draw(st.integers(-12, 30))
    line = Fraction(steps, draw(st.sampled_from([1, 2, 4, 4, 8])))
    odds = draw(st.fractions(min_value=Fraction(101, 100), max_value=20, max_denominator=500))
    return Pick("soccer", market, "", selection, None if MARKETS[market].line is Line.NONE else line, odds)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(rows(), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=20),
    st.sampled_from(["PUSH", "LOSS"]),
)
def test_bulk_equals_exact(games: list[tuple[Pick, int, int]], tie: str) -> None:
    """Outcome for outcome, and the return to the last bit of the price's own float."""
    book = default_rulebook("soccer").with_rules({"two_way_tie": tie})
    picks = [pick for pick, _, _ in games]
    exact = [settle(pick, Result(status=Status.FINAL, final=Score(home, away)), book) for pick, home, away in games]
    bulk = settle_many(
        kind_codes([pick.market for pick in picks], [pick.selection for pick in picks]),
        np.array([np.nan if pick.line is None else float(pick.line) for pick in picks]),
        np.array([home for _, home, _ in games]),
        np.array([away for _, _, away in games]),
        np.array([float(pick.odds - 1) for pick in picks]),
        two_way_tie=Outcome(tie),
    )
    assert [answer.outcome for answer in exact] == [OUTCOMES[code] for code in bulk.outcomes]
    returns = [np.nan if answer.unit_return is None else float(answer.unit_return) for answer in exact]
    np.testing.assert_array_equal(returns, bulk.unit_returns)


def one(market: str, selection: str, line: float, home: int, away: int, profit: float) -> Outcome:
    """A single row's outcome."""
    bulk = settle_many(
        kind_codes([market], [selection]), np.array([line]), np.array([home]), np.array([away]), np.array([profit])
    )
    return OUTCOMES[bulk.outcomes[0]]


@pytest.mark.parametrize(
    ("market", "selection", "line", "home", "profit"),
    [
        ("correct_score", "2-1", np.nan, 2, 0.9),
        ("moneyline", "draw", np.nan, 2, 0.9),
        ("spread", "home", np.nan, 2, 0.9),
        ("spread", "home", np.inf, 2, 0.9),
        ("spread", "home", 0.3, 2, 0.9),
        ("total", "over", -1.0, 2, 0.9),
        ("total", "over", 1e300, 2, 0.9),
        ("moneyline", "home", np.nan, -1, 0.9),
        ("moneyline", "home", np.nan, 2**60, 0.9),
        ("moneyline", "home", np.nan, 2, 0.0),
        ("moneyline", "home", np.nan, 2, np.nan),
        ("moneyline", "home", np.nan, 2, np.inf),
    ],
)
def test_what_makes_no_sense_is_ungradeable(market: str, selection: str, line: float, home: int, profit: float) -> None:
    """Unknown kinds, impossible lines, scores and prices."""
    assert one(market, selection, line, home, 1, profit) == Outcome.UNGRADEABLE


@pytest.mark.parametrize(("tie", "expected"), [("PUSH", [0.0, 0.9, -1.0]), ("LOSS", [-1.0, 0.9, -1.0])])
def test_two_way_ties(tie: str, expected: list[float]) -> None:
    """Level, won and lost."""
    kinds = kind_codes(["moneyline"] * 3, ["home"] * 3)
    home = np.array([1, 2, 0])
    bulk = settle_many(kinds, np.full(3, np.nan), home, np.ones(3, int), np.full(3, 0.9), two_way_tie=Outcome(tie))
    assert bulk.unit_returns.tolist() == expected


def test_the_largest_line_and_score_are_settled() -> None:
    """A limit belongs to what is allowed."""
    assert one("total", "over", LARGEST_LINE, LARGEST, 0, 0.9) == Outcome.WIN


def test_words_in_any_case_and_small_integers() -> None:
    """Codes come from words in any case; scores of any integer type do not overflow."""
    kinds = kind_codes(["Total", "SPREAD"], [" Over ", "Away"])
    points = np.array([200, 250], dtype=np.uint8)
    bulk = settle_many(kinds, np.array([399.5, 0.0]), points, points, np.array([0.5, 0.5]))
    assert {k: n for k, n in bulk.counts().items() if n} == {Outcome.WIN: 1, Outcome.PUSH: 1}


def test_nothing_in_nothing_out() -> None:
    """An empty batch is a batch."""
    nothing = np.array([])
    bulk = settle_many(kind_codes([], []), nothing, nothing.astype(int), nothing.astype(int), nothing)
    assert (bulk.outcomes.size, sum(bulk.counts().values())) == (0, 0)


def test_misuse_is_refused() -> None:
    """Arrays of different shapes, and ties that neither push nor lose."""
    ones = np.ones(2)
    kinds = kind_codes(["moneyline"] * 2, ["home"] * 2)
    with pytest.raises(ValueError, match="one shape"):
        settle_many(kinds, ones, np.ones(1, int), np.ones(2, int), ones)
    with pytest.raises(ValueError, match="two_way_tie is VOID"):
        settle_many(kinds, ones, np.ones(2, int), np.ones(2, int), ones, two_way_tie=Outcome.VOID)
