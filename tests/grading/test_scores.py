"""Proper scores: reference values, laws, and what bad input gets."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from grading import scores

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_ranked_probability_score_of_the_reference_forecast() -> None:
    """domain.md: (.5, .3, .2) with a home win is .145."""
    assert scores.rps([[0.5, 0.3, 0.2]], [0]) == pytest.approx(0.145, abs=1e-15)


def test_binary_brier_is_half_of_the_multiclass_sum() -> None:
    """The binary score lies in [0, 1], the multi-class one sums over classes."""
    p, y = np.array([0.3, 0.8, 0.0]), np.array([1, 1, 0])
    assert scores.brier_multiclass(np.column_stack([1 - p, p]), y) == pytest.approx(2 * scores.brier(p, y), abs=1e-15)


def test_certain_misses_cost_the_extremes() -> None:
    """Brier ends at 1 and 2; the log loss at -ln(1e-15), about 34.5 nats."""
    assert scores.brier([1.0], [0]) == 1.0
    assert scores.brier_multiclass([[1.0, 0.0, 0.0]], [2]) == 2.0
    assert scores.log_loss([0.0], [1]) == pytest.approx(-math.log(1e-15), rel=1e-12)
    assert scores.log_loss_multiclass([[1.0, 0.0, 0.0]], [2]) == pytest.approx(-math.log(1e-15), rel=1e-12)


def test_a_certain_hit_costs_what_the_clip_leaves() -> None:
    """Both ends are clipped, in the binary and in the multi-class log loss."""
    assert scores.log_loss([1.0], [1], eps=0.01) == pytest.approx(-math.log(0.99), rel=1e-12)
    assert scores.log_loss_multiclass([[0.0, 1.0]], [1], eps=0.01) == pytest.approx(-math.log(0.99), rel=1e-12)


def test_multiclass_scores_are_means_over_rows() -> None:
    """Two rows cost the mean of what each costs alone."""
    p, y = [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], [0, 1]
    for score in (scores.rps, scores.brier_multiclass, scores.log_loss_multiclass):
        assert score(p, y) == pytest.approx((score(p[:1], y[:1]) + score(p[1:], y[1:])) / 2, rel=1e-12)


def test_published_roundings_are_let_pass() -> None:
    """A row may miss 1 by a millionth, so seven digits do."""
    assert scores.brier_multiclass([[0.3333333, 0.3333333, 0.3333333]], [0]) == pytest.approx(2 / 3, abs=1e-5)


def test_log_loss_is_in_nats() -> None:
    """A coin costs ln 2; the stated eps can be changed."""
    assert scores.log_loss([0.5, 0.5], [0, 1]) == pytest.approx(math.log(2), rel=1e-15)
    assert scores.log_loss([0.0], [1], eps=0.01) == pytest.approx(-math.log(0.01), rel=1e-12)


def test_rps_of_two_classes_is_the_binary_brier() -> None:
    """With one cut the ranked score is the squared difference at that cut."""
    assert scores.rps([[0.7, 0.3]], [1]) == pytest.approx(scores.brier([0.3], [1]), abs=1e-15)


def test_rps_knows_that_classes_are_ordered() -> None:
    """With an away win, a forecast of a draw is nearer than one of a home win; Brier cannot tell."""
    draw, home = [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]
    assert (scores.rps(draw, [2]), scores.rps(home, [2])) == (0.5, 1.0)
    assert scores.brier_multiclass(draw, [2]) == scores.brier_multiclass(home, [2])


@settings(max_examples=50)
@given(probabilities, st.randoms(use_true_random=False))
def test_complementing_both_sides_changes_no_score(p: list[float], random: object) -> None:
    """Scoring away instead of home gives the same figures."""
    flipped, y = 1 - np.array(p), (np.arange(len(p)) % 2).astype(float)
    assert scores.brier(flipped, 1 - y) == pytest.approx(scores.brier(1 - flipped, y), abs=1e-12)
    assert scores.log_loss(flipped, 1 - y, 1e-9) == pytest.approx(scores.log_loss(1 - flipped, y, 1e-9), abs=1e-6)


@settings(max_examples=50)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_scores_are_proper(truth: float, other: float) -> None:
    """No forecast has a better expected score than the truth."""

    def expected(score: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float(truth * score[0] + (1 - truth) * score[1])

    for terms in (scores.brier_terms, scores.log_loss_terms):
        assert expected(terms([truth, truth], [1, 0])) <= expected(terms([other, other], [1, 0])) + 1e-12


@pytest.mark.parametrize(
    ("p", "y", "complaint"),
    [
        ([], [], "empty"),
        ([0.5, math.nan], [0, 1], "NaN or infinity .first at position 1"),
        ([0.5, 1.2], [0, 1], r"position 1 holds .*1\.2"),
        ([-0.1], [1], "must lie in"),
        ([0.5, 0.5], [1, 0.5], r"y must be 0 or 1; position 1 holds .*0\.5"),
        ([0.5], [math.nan], "y holds NaN"),
        ([-0.1], [1], r"^p must lie in \[0, 1\]"),
        ([0.5, 0.5], [1], "2 rows and y 1"),
        ([[0.5]], [1], "one-dimensional"),
        (["a"], [1], "not a number"),
    ],
)
def test_bad_rows_are_refused_with_their_position(p: ArrayLike, y: ArrayLike, complaint: str) -> None:
    """Every score refuses what it cannot score."""
    for score in (scores.brier, scores.log_loss):
        with pytest.raises(ValueError, match=complaint):
            score(p, y)


@pytest.mark.parametrize(
    ("p", "y", "complaint"),
    [
        ([[0.5, 0.4]], [0], "row 0 sum to 0.9"),
        ([[0.5, 0.5]], [2], "class number 0 to 1"),
        ([[0.5, 0.5]], [0.5], "class number"),
        ([[0.5, 0.5]], [0, 1], "1 rows and y 2"),
        ([0.5, 0.5], [0, 1], "shape"),
        (np.empty((0, 3)), [], "shape"),
        ([[1.0]], [0], "two classes"),
        ([[math.nan, 1.0]], [0], "p holds NaN"),
        ([[0.5, 0.5], [1.5, -0.5]], [0, 0], r"p must lie in \[0, 1\]; position 2"),
        ([[0.5, 0.5], [0.2, 0.7], [0.6, 0.45]], [0, 0, 0], "row 1 sum to 0.89"),
        ([[0.5, 0.5], [0.6, 0.6]], [0, 0], r"row 1 sum to 1\.2"),
        ([[0.5, 0.5]] * 2, [0, math.nan], "y holds NaN .*position 1"),
        ([[0.5, 0.5]] * 2, [1, -1], "class number 0 to 1; position 1 holds .*-1"),
    ],
)
def test_bad_class_probabilities_are_refused(p: ArrayLike, y: ArrayLike, complaint: str) -> None:
    """Probabilities of a row must sum to 1 and outcomes be class numbers."""
    for score in (scores.rps, scores.brier_multiclass, scores.log_loss_multiclass):
        with pytest.raises(ValueError, match=complaint):
            score(p, y)


@pytest.mark.oracle
def test_scores_agree_with_scikit_learn() -> None:
    """Oracle: brier_score_loss and log_loss, binary and multi-class."""
    from sklearn.metrics import brier_score_loss, log_loss

    rng = np.random.default_rng(3)
    p, y = rng.random(500), rng.integers(0, 2, 500)
    many, classes = rng.dirichlet([2, 1, 1.5], 500), rng.integers(0, 3, 500)
    assert scores.brier(p, y) == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert scores.log_loss(p, y) == pytest.approx(log_loss(y, p), abs=1e-12)
    assert scores.log_loss_multiclass(many, classes) == pytest.approx(log_loss(classes, many), abs=1e-12)
    assert scores.brier_multiclass(many, classes) == pytest.approx(
        brier_score_loss(classes, many, scale_by_half=False), abs=1e-12
    )


@pytest.mark.oracle
def test_rps_agrees_with_penaltyblog() -> None:
    """Oracle: penaltyblog's rps_average."""
    from penaltyblog.metrics import rps_average

    rng = np.random.default_rng(4)
    p, y = rng.dirichlet([2, 1, 1.5], 200), rng.integers(0, 3, 200)
    assert scores.rps(p, y) == pytest.approx(rps_average(p, y), abs=1e-12)
