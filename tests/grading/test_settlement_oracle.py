"""Settlement of every score against penaltyblog's grids of score probabilities."""

import warnings
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from grading.outcomes import Outcome
from tests.grading.settling import final, graded

GOALS = 8
GRID = np.random.default_rng(12).dirichlet(np.ones(GOALS * GOALS)).reshape(GOALS, GOALS)
QUARTERS = [Fraction(step, 4) for step in range(-14, 15)]


def chances(terms: str) -> list[float]:
    """The shares of the stake that win, push and lose, over all scores of the grid."""
    shares: dict[Outcome, float] = defaultdict(float)
    for (home, away), probability in np.ndenumerate(GRID):
        for part in graded(f"soccer {terms}", final(home, away)).parts:
            shares[part.outcome] += float(part.fraction) * probability
    return [shares[outcome] for outcome in (Outcome.WIN, Outcome.PUSH, Outcome.LOSS)]


@pytest.fixture(scope="module")
def theirs() -> Any:
    """penaltyblog's grid of the same probabilities; its import warns of its own dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from penaltyblog.models import FootballProbabilityGrid

        return FootballProbabilityGrid(GRID, 1.5, 1.2)


@pytest.mark.oracle
@pytest.mark.parametrize("side", ["home", "away"])
def test_asian_handicaps_agree_with_penaltyblog(theirs: Any, side: str) -> None:
    """Whole, half and quarter lines from -3.5 to 3.5: win, push and lose."""
    for line in QUARTERS:
        found = theirs.asian_handicap_probs(side, float(line))
        assert chances(f"asian_handicap {side} {line}") == pytest.approx(
            [found["win"], found["push"], found["lose"]], abs=1e-9
        )


@pytest.mark.oracle
def test_totals_agree_with_penaltyblog(theirs: Any) -> None:
    """Whole, half and quarter lines up to 3.5, over and under."""
    for line in (line for line in QUARTERS if line >= 0):
        under, push, over = theirs.totals(float(line))
        assert chances(f"asian_total over {line}") == pytest.approx([over, push, under], abs=1e-9)
        assert chances(f"total under {line}") == pytest.approx([under, push, over], abs=1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ("moneyline_3way home", "home_win"),
        ("moneyline_3way draw", "draw"),
        ("moneyline_3way away", "away_win"),
        ("double_chance 1X", "double_chance_1x"),
        ("double_chance 12", "double_chance_12"),
        ("double_chance X2", "double_chance_x2"),
        ("both_teams_to_score yes", "btts_yes"),
        ("both_teams_to_score no", "btts_no"),
    ],
)
def test_results_agree_with_penaltyblog(theirs: Any, terms: str, name: str) -> None:
    """Three-way results, double chances and both to score win with the grid's probability and never push."""
    win = getattr(theirs, name)
    assert chances(terms) == pytest.approx([win, 0, 1 - win], abs=1e-9)


@pytest.mark.oracle
def test_draw_no_bet_and_scores_agree_with_penaltyblog(theirs: Any) -> None:
    """Draw no bet given that it is decided; one correct score."""
    win, push, _ = chances("draw_no_bet home")
    assert win / (1 - push) == pytest.approx(theirs.draw_no_bet_home, abs=1e-9)
    assert chances("correct_score 2-1")[0] == pytest.approx(theirs.exact_score(2, 1), abs=1e-9)
