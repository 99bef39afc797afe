"""No-vig methods: published values, laws, and the vectorised twin."""

import warnings
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading import no_vig
from grading.no_vig import (
    METHODS,
    NoVigError,
    NoVigFault,
    UnknownMethodError,
    fair_probabilities,
    fair_probability_array,
)
from grading.odds import OddsError

PUBLISHED: dict[tuple[float, ...], dict[str, tuple[float, ...]]] = {
    (2.6, 2.4, 4.3): {
        "multiplicative": (0.372025955, 0.403028118, 0.224945926),
        "additive": (0.373335321, 0.405386603, 0.221278076),
        "power": (0.372984404, 0.405107167, 0.221908428),
        "shin": (0.3729940603, 0.4047794109, 0.2222265287),
        "odds_ratio": (0.372428651, 0.404131304, 0.223440045),
    },
    (1.5, 2.74): {
        "multiplicative": (0.646226415, 0.353773585),
        "additive": (0.650851582, 0.349148418),
        "power": (0.653152280, 0.346847720),
        "shin": (0.6508515815, 0.3491484185),
        "odds_ratio": (0.651017818, 0.348982182),
    },
    (4.20, 3.70, 1.95): {
        "multiplicative": (0.233155599, 0.264663112, 0.502181289),
        "additive": (0.231033231, 0.263208263, 0.505758506),
        "power": (0.231140980, 0.263064092, 0.505794928),
        "shin": (0.231571959, 0.263574496, 0.504853545),
        "odds_ratio": (0.232004527, 0.263641296, 0.504354177),
    },
}
CASES = [(odds, method, fair) for odds, table in PUBLISHED.items() for method, fair in table.items()]

PRICES = st.decimals("1.001", "1000", places=3).map(Fraction)


@st.composite
def books(draw: st.DrawFn, most: int = 8) -> list[Fraction]:
    """The odds of one market, with a margin from 0 to 30 per cent."""
    weights = draw(st.lists(st.integers(1, 100), min_size=2, max_size=most))
    book_sum = Fraction(draw(st.integers(100, 130)), 100)
    return [max(Fraction(1001, 1000), sum(weights) / (weight * book_sum)) for weight in weights]


EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


def floats(values: Sequence[Fraction]) -> list[float]:
    return [float(value) for value in values]


@pytest.mark.parametrize(("odds", "method", "fair"), CASES)
def test_published_values_are_met(odds: tuple[float, ...], method: str, fair: tuple[float, ...]) -> None:
    """Both twins agree with the published figures to the nine decimals that these are printed with."""
    assert pytest.approx(fair, abs=1e-9) == floats(fair_probabilities(odds, method))
    assert pytest.approx(fair, abs=1e-9) == fair_probability_array([odds], method)[0].tolist()


def test_multiplicative_is_the_default_and_exact() -> None:
    """The quotient of fractions, in both twins."""
    fair = fair_probabilities([Fraction(21, 11), Fraction(2)])
    assert (Fraction(22, 43), Fraction(21, 43)) == fair
    assert pytest.approx(floats(fair), abs=1e-15) == fair_probability_array([[21 / 11, 2]])[0].tolist()


def test_additive_is_exact() -> None:
    """The margin of a two-way market is taken in halves."""
    fair = fair_probabilities([Fraction(3, 2), Fraction(5, 2)], " Additive ")
    assert (Fraction(19, 30), Fraction(11, 30)) == fair


def test_additive_may_take_all_of_a_long_price_but_not_more() -> None:
    """A share equal to the longest price leaves 0; a greater one is an error, and NaN in bulk."""
    level = [Fraction(8, 5), Fraction(8, 5), Fraction(8)]
    assert (Fraction(1, 2), Fraction(1, 2), Fraction(0)) == fair_probabilities(level, "additive")
    assert pytest.approx([0.5, 0.5, 0], abs=1e-15) == fair_probability_array([[1.6, 1.6, 8]], "additive")[0]
    with pytest.raises(NoVigError, match="more than the longest price has; use another method") as refused:
        fair_probabilities([1.6, 1.6, 9], "additive")
    assert refused.value.fault == NoVigFault.NEGATIVE_PROBABILITY
    assert "additive takes 0.120370 from each outcome" in str(refused.value)
    assert np.isnan(fair_probability_array([[1.6, 1.6, 9]], "additive")).all()


@EVERY_METHOD
def test_a_book_sum_below_one_is_an_error_that_says_so(method: str) -> None:
    """An arbitrage or a bad row has no fair probabilities."""
    with pytest.raises(NoVigError, match=r"book sum 0\.952381 is below 1: an arbitrage, a bad row") as refused:
        fair_probabilities([2.1, 2.1], method)
    assert refused.value.fault == NoVigFault.BOOK_SUM_BELOW_ONE
    assert np.isnan(fair_probability_array([[2.1, 2.1]], method)).all()


@EVERY_METHOD
@pytest.mark.parametrize("odds", [(2, 2), (1.5, 3), (4, 4, 2), (3, 3, 3), (1.2, 6), (7,) * 7])
def test_a_book_without_margin_is_left_as_it_is(method: str, odds: tuple[float, ...]) -> None:
    """A book sum of exactly 1 gives the implied probabilities, however the floats round it."""
    expected = tuple(1 / Fraction(str(price)) for price in odds)
    assert expected == fair_probabilities(odds, method)
    assert [1 / price for price in odds] == fair_probability_array([odds], method)[0].tolist()


@EVERY_METHOD
def test_a_margin_too_small_for_a_float_is_none(method: str) -> None:
    """A book sum above 1 by less than a rounding is solved without looking for a root."""
    whole = Fraction(1001, 1000)
    odds = [whole, 1 / (1 - 1 / whole + Fraction(1, 10**18))]
    assert sum(1 / price for price in odds) > 1
    assert pytest.approx(floats([1 / price for price in odds]), rel=1e-9) == floats(fair_probabilities(odds, method))


@EVERY_METHOD
@pytest.mark.parametrize("odds", [[], [1.5]])
def test_one_price_is_no_market(method: str, odds: list[float]) -> None:
    """Fewer than two outcomes have nothing to share the margin."""
    with pytest.raises(NoVigError, match=f"{len(odds)} prices are no market: give all its outcomes") as refused:
        fair_probabilities(odds, method)
    assert refused.value.fault == NoVigFault.TOO_FEW_OUTCOMES


def test_what_is_no_price_is_refused() -> None:
    """A price of 1 or less raises; in bulk its whole market is NaN and the others are not."""
    with pytest.raises(OddsError, match="above 1"):
        fair_probabilities([1, 1.5])
    wrong: list[float] = [1, 0, -2, np.nan, np.inf, 1_000_001]
    fair = fair_probability_array([[1.000001, price] for price in wrong] + [[1.000001, 1_000_000]])
    assert [True] * len(wrong) + [False] == np.isnan(fair).any(axis=1).tolist()


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    """The message lists what there is."""
    with pytest.raises(
        UnknownMethodError, match="'logarithmic' is not one of multiplicative, additive, power, shin, odds_ratio"
    ):
        fair_probabilities([1.9, 1.9], "logarithmic")
    with pytest.raises(UnknownMethodError):
        fair_probability_array([[1.9, 1.9]], "")


@pytest.mark.parametrize("odds", [[1.9, 1.9], [[1.9], [1.9]], 1.9])
def test_many_markets_are_a_table(odds: object) -> None:
    """Anything but (markets, two outcomes or more) is refused with its shape."""
    with pytest.raises(ValueError, match=r"shape .* is not \(markets, outcomes\)"):
        fair_probability_array(np.array(odds))


def test_many_markets_may_be_exact_numbers() -> None:
    """Decimals and fractions are floats in the answer."""
    fair = fair_probability_array(np.array([[Decimal("1.5"), Fraction(5, 2)]], dtype=object), "additive")
    assert pytest.approx([19 / 30, 11 / 30]) == fair[0]


@pytest.mark.parametrize("method", ["power", "shin", "odds_ratio"])
def test_the_solver_converges_fast(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten steps for ordinary markets, where halving alone takes fifty; and it says so where it does not converge."""
    monkeypatch.setattr(no_vig, "MAX_STEPS", 10)
    for odds in ([[2.6, 2.4, 4.3], [4.2, 3.7, 1.95]], [[1.5, 2.74], [1.91, 1.91], [1.3, 3.4]]):
        assert not np.isnan(fair_probability_array(odds, method)).any()
    monkeypatch.setattr(no_vig, "MAX_STEPS", 1)
    with pytest.raises(RuntimeError, match=r"^2 markets are not solved after 1 steps$"):
        fair_probability_array([[2.6, 2.4, 4.3], [4.2, 3.7, 1.95]], method)


@EVERY_METHOD
@pytest.mark.parametrize(
    "odds",
    [(1.000001,) * 2, (1.000001,) * 3, (1.01,) * 10, (1.5,) * 200, (1.0001, 1.5, 1_000_000), (1.9, 1.9) * 40],
)
def test_the_solvers_hold_at_the_extremes(method: str, odds: tuple[float, ...]) -> None:
    """Near-certain prices, long fields and huge margins are solved, or refused by `additive` alone."""
    fair = fair_probability_array([odds], method)[0]
    try:
        exact = fair_probabilities(odds, method)
    except NoVigError as error:
        assert (error.fault, method) == (NoVigFault.NEGATIVE_PROBABILITY, "additive")  # noqa: PT017 - some may raise
        assert np.isnan(fair).all()
    else:
        assert pytest.approx(1, abs=1e-11) == float(sum(exact))
        assert pytest.approx(floats(exact), abs=1e-10) == fair.tolist()


@EVERY_METHOD
@given(odds=books())
@settings(max_examples=60, deadline=None)
def test_fair_probabilities_sum_to_one_and_keep_the_order_of_the_prices(method: str, odds: list[Fraction]) -> None:
    """A shorter price is never less likely, and the whole is 1."""
    try:
        fair = fair_probabilities(odds, method)
    except NoVigError as error:
        assert (error.fault, method) == (NoVigFault.NEGATIVE_PROBABILITY, "additive")  # noqa: PT017 - some may raise
        return
    assert pytest.approx(1, abs=1e-11) == float(sum(fair))
    ranked = [p for _, p in sorted(zip(odds, fair, strict=True), key=lambda pair: (pair[0], -pair[1]))]
    assert sorted(fair, reverse=True) == ranked
    assert all(0 <= p < 1 for p in fair)


@EVERY_METHOD
@given(markets=st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(PRICES, min_size=n, max_size=n), min_size=1)))
@settings(max_examples=40, deadline=None)
def test_many_markets_equal_the_exact_ones(method: str, markets: list[list[Fraction]]) -> None:
    """The vectorised twin agrees within 1e-10 and is NaN where the exact one raises."""
    bulk = fair_probability_array([floats(odds) for odds in markets], method)
    for odds, row in zip(markets, bulk.tolist(), strict=True):
        try:
            expected = floats(fair_probabilities(odds, method))
        except NoVigError:
            expected = [float("nan")] * len(odds)
        assert pytest.approx(expected, abs=1e-10, nan_ok=True) == row


@given(odds=books(most=2))
@settings(deadline=None)
def test_shin_of_two_outcomes_is_additive(odds: list[Fraction]) -> None:
    """A theorem: for two outcomes Shin's probabilities take the margin in halves."""
    assert pytest.approx(floats(fair_probabilities(odds, "additive")), abs=1e-11) == floats(
        fair_probabilities(odds, "shin")
    )


@pytest.mark.oracle
@pytest.mark.parametrize("odds", [*PUBLISHED, (1.01, 15.0, 40.0), (8.5, 9.0, 1.2), (3.1, 4, 5.5, 6, 12, 20)])
def test_shin_agrees_with_the_package_shin(odds: tuple[float, ...]) -> None:
    """shin 0.2 solves by its own iteration."""
    import shin

    assert pytest.approx(shin.calculate_implied_probabilities(odds), abs=1e-9) == floats(
        fair_probabilities(odds, "shin")
    )


@pytest.mark.oracle
@pytest.mark.parametrize("odds", [*PUBLISHED, (1.2, 8.0, 14.0), (8.5, 9.0, 1.2)])
@pytest.mark.parametrize(
    ("method", "theirs"),
    [
        ("multiplicative", "multiplicative"),
        ("additive", "additive"),
        ("power", "power"),
        ("shin", "shin"),
        ("odds_ratio", "logarithmic"),
        ("additive", "differential_margin_weighting"),
    ],
)
def test_every_method_agrees_with_penaltyblog(odds: tuple[float, ...], method: str, theirs: str) -> None:
    """Its names differ: its "logarithmic" is the odds ratio."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies deprecate much on import
        from penaltyblog.implied import ImpliedMethod, calculate_implied
    found = calculate_implied(list(odds), method=ImpliedMethod(theirs)).probabilities
    assert pytest.approx(floats(fair_probabilities(odds, method)), abs=1e-8) == list(found)
