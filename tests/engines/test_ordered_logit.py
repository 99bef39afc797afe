"""Ordered logit: recovers what it was drawn from, mirrors, and never leaves the simplex."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.ordered_logit import OrderedLogit, fit

PRIOR = OrderedLogit(slope=1.5, home=0.2, log_width=-0.4)


def test_it_recovers_the_parameters_of_a_large_sample() -> None:
    true = OrderedLogit(slope=2.0, home=0.35, log_width=-0.6)
    rng = np.random.default_rng(3)
    x = rng.normal(0, 0.5, 20_000)
    chances = np.array([true.probabilities(value) for value in x])
    outcome = 2 - (rng.random(len(x))[:, None] > chances.cumsum(axis=1)).sum(axis=1).astype(float)
    found = fit(x, outcome, PRIOR, prior_sd=0.5)
    assert found.slope == pytest.approx(2.0, abs=0.08)
    assert found.home == pytest.approx(0.35, abs=0.04)
    assert found.log_width == pytest.approx(-0.6, abs=0.04)


def test_no_games_give_the_prior() -> None:
    assert fit(np.array([]), np.array([]), PRIOR, prior_sd=0.1) == PRIOR


def test_one_sided_games_keep_every_outcome_possible() -> None:
    """Where only home wins were seen, the prior keeps draw and away win above 0."""
    found = fit(np.full(500, 0.2), np.full(500, 2.0), PRIOR, prior_sd=0.5)
    assert min(found.probabilities(0.2)) > 0


def test_mirrored_games_mirror_the_fit() -> None:
    """Swapping home and away everywhere, with a prior that favours neither, swaps the probabilities."""
    even = OrderedLogit(slope=2.0, home=0.0, log_width=-0.6)
    rng = np.random.default_rng(4)
    x, outcome = rng.normal(0, 0.5, 400), rng.integers(0, 3, 400).astype(float)
    there, back = fit(x, outcome, even, 0.5), fit(-x, 2 - outcome, even, 0.5)
    assert there.probabilities(0.3) == pytest.approx(back.probabilities(-0.3)[::-1], abs=1e-4)


@pytest.mark.parametrize(("x", "outcome"), [([0.1], [3.0]), ([0.1], [0.5]), ([0.1, 0.2], [1.0])])
def test_games_that_do_not_fit_are_refused(x: list[float], outcome: list[float]) -> None:
    with pytest.raises(ValueError, match="one shape"):
        fit(np.array(x), np.array(outcome), PRIOR, prior_sd=0.5)


@settings(max_examples=60)
@given(st.floats(0, 5), st.floats(-4, 4), st.floats(-4, 1), st.floats(-3, 3))
def test_probabilities_sum_to_one_and_grow_with_the_difference(s: float, c: float, w: float, x: float) -> None:
    model = OrderedLogit(s, c, w)
    here, further = model.probabilities(x), model.probabilities(x + 0.1)
    assert sum(here) == pytest.approx(1, abs=1e-12)
    assert min(here) >= 0
    assert further[0] >= here[0]
    assert further[2] <= here[2]
