"""Reliability: exact decomposition, calibration errors, bands and the test of calibration."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading import reliability
from grading.reliability import Score
from grading.scores import Floats, brier, log_loss


def forecasts(n: int, temperature: float = 1.0, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.2, n)
    p = 1 / (1 + np.exp(-logit))
    truth = 1 / (1 + np.exp(-logit / temperature))
    return p, (rng.random(n) < truth).astype(np.float64)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0.001, 0.999), st.booleans()), min_size=1, max_size=40))
def test_corp_parts_add_up_and_are_not_negative(rows: list[tuple[float, bool]]) -> None:
    """score = mcb - dsc + unc exactly, and no part is below 0 for a proper score."""
    p, y = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    for score, mean in (("brier", brier), ("log", log_loss)):
        parts = reliability.corp(p, y, "brier" if score == "brier" else "log")
        assert parts.score == pytest.approx(mean(p, y), abs=1e-12)
        assert parts.mcb - parts.dsc + parts.unc == pytest.approx(parts.score, abs=1e-12)
        assert min(parts.mcb, parts.dsc, parts.unc) >= -1e-12


def test_corp_of_one_class_and_of_constant_forecasts() -> None:
    """Documented values: with one class unc and dsc are 0; with constant p dsc is 0."""
    one_class = reliability.corp([0.2, 0.7], [1, 1])
    constant = reliability.corp([0.4, 0.4, 0.4, 0.4], [1, 0, 1, 1])
    assert (one_class.unc, one_class.dsc) == (0, 0)
    assert (constant.dsc, constant.unc) == (0, 0.1875)
    assert constant.mcb == pytest.approx((0.75 - 0.4) ** 2)


def test_tied_forecasts_are_recalibrated_alike() -> None:
    """PAV pools rows with one p before anything else, whatever their order."""
    p, y = np.array([0.3, 0.3, 0.6, 0.6]), np.array([1.0, 0.0, 0.0, 1.0])
    assert reliability.pav(p, y).tolist() == [0.5, 0.5, 0.5, 0.5]


def test_width_bins_are_right_closed_and_the_first_holds_zero() -> None:
    """p = .1 belongs to the first of ten bins, p = 0 too; empty bins are skipped."""
    table = reliability.reliability_table([0.0, 0.1, 0.11, 1.0], [0, 1, 0, 1])
    assert [(round(b.lower_edge, 12), round(b.upper_edge, 12), b.n) for b in table] == [
        (0.0, 0.1, 2),
        (0.1, 0.2, 1),
        (0.9, 1.0, 1),
    ]
    error = reliability.expected_calibration_error([0.0, 0.1, 0.11, 1.0], [0, 1, 0, 1])
    assert error == pytest.approx((2 * abs(0.5 - 0.05) + 0.11 + 0) / 4)


def test_one_bin_holds_everything() -> None:
    """The mean forecast against the mean outcome; two bins of equal width where forecasts lie apart."""
    p, y = [0.1, 0.2, 0.3, 0.9], [0, 1, 0, 0]
    assert reliability.expected_calibration_error(p, y, bins=1) == pytest.approx(0.125)
    assert reliability.expected_calibration_error(p, y, bins=2) == pytest.approx((0.4 + 0.9) / 4)
    assert reliability.expected_calibration_error(p, y, bins=2, binning="mass") == pytest.approx((0.7 + 1.2) / 4)


def test_ties_are_pooled_by_weight() -> None:
    """Rows of one p become one row with their weighted mean outcome."""
    p, y, weights = np.array([0.6, 0.3, 0.6]), np.array([1.0, 0.0, 0.0]), np.array([3.0, 2.0, 1.0])
    values, means, weight, inverse = reliability.pool_ties(p, y, weights)
    assert (values.tolist(), means.tolist(), weight.tolist()) == ([0.3, 0.6], [0.0, 0.75], [2.0, 4.0])
    assert inverse.tolist() == [1, 0, 1]


def test_mass_bins_keep_tied_forecasts_together() -> None:
    """One p is never cut in two bins, so a tied forecaster's error is that of the pooled rate."""
    p, y = np.array([0.5] * 30 + [0.9] * 3), np.array([1.0] * 15 + [0.0] * 15 + [1.0] * 3)
    table = reliability.reliability_table(p, y, binning="mass")
    assert [(b.n, b.observed) for b in table] == [(30, 0.5), (3, 1.0)]
    assert reliability.expected_calibration_error(p, y, binning="mass") == pytest.approx(3 * 0.1 / 33)


def test_mass_bins_hold_equal_counts_without_ties() -> None:
    """A thousand distinct forecasts fall into ten bins of a hundred."""
    p, y = forecasts(1_000)
    assert [b.n for b in reliability.reliability_table(p, y, binning="mass")] == [100] * 10


@pytest.mark.parametrize(("n", "expected"), [(100, 0.097), (500, 0.044), (1_000, 0.031), (5_000, 0.013)])
def test_a_perfect_forecaster_shows_the_known_noise(n: int, expected: float) -> None:
    """domain.md: 10-bin ECE of a perfectly calibrated forecaster by n, here with uniform p."""
    rng = np.random.default_rng(11)
    runs = [(p, (rng.random(n) < p).astype(float)) for p in rng.random((200, n))]
    mean = np.mean([reliability.expected_calibration_error(p, y) for p, y in runs])
    assert mean == pytest.approx(expected, abs=0.003)


def test_smooth_error_of_calibrated_and_overconfident_forecasters() -> None:
    """The smooth error is small for calibrated forecasts and grows with over-confidence."""
    errors = [reliability.smooth_calibration_error(*forecasts(20_000, t)) for t in (1.0, 1.5, 2.0)]
    assert errors == sorted(errors)
    assert errors[0] < 0.015 < 0.05 < errors[2]


def test_smooth_error_of_a_constant_shift() -> None:
    """Forecasts of .5 that come true always are off by .5."""
    assert reliability.smooth_calibration_error(np.full(200, 0.5), np.ones(200)) == pytest.approx(0.5, abs=2e-3)


SHARP = np.tile([0.03, 0.05, 0.95, 0.97, 0.99], 40), np.array([0.0, 0, 1, 1, 1] * 39 + [1.0, 1, 0, 0, 0])
FEW = np.array([0.0, 0.2, 0.35, 0.8, 1.0]), np.array([0.0, 1.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (FEW, 0.16634941145198895),
        ((np.array([0.3, 0.6]), np.array([1.0, 0.0])), 0.2856519383739833),
        ((np.full(6, 0.5), np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])), 0.3333269266493543),
        (
            (np.tile([0.03, 0.05, 0.95, 0.97, 0.99], 40), np.array([0.0, 0, 1, 1, 1] * 39 + [1.0, 1, 0, 0, 0])),
            0.0130892850865719,
        ),
    ],
)
def test_smooth_error_reference_values(rows: tuple[Floats, Floats], expected: float) -> None:
    """relplot 1.0.3's figures, with forecasts at both ends of the unit interval."""
    assert reliability.smooth_calibration_error(*rows) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("width", "expected"), [(0.004, 0.33415624804367283), (0.04, 0.31851401969985754), (0.3, 0.16265579565102126)]
)
def test_smooth_error_reference_values_at_a_width(width: float, expected: float) -> None:
    """relplot 1.0.3's smECE_sigma: narrow widths need a finer grid."""
    p, y = FEW
    assert reliability.smooth_error_at(p, p - y, width) == pytest.approx(expected, abs=1e-12)


def test_a_band_has_the_level_that_was_asked_for() -> None:
    """The bin's band is Clopper and Pearson's at that level; .95 where none was named."""
    rows = [0.31] * 8 + [0.39] * 2, [1] * 3 + [0] * 7
    for level in (0.5, 0.95):
        (found,) = reliability.reliability_table(*rows, level=level)
        assert reliability.clopper_pearson(3, 10, level) == (found.band_low, found.band_high)
    assert reliability.reliability_table(*rows) == reliability.reliability_table(*rows, level=0.95)


def test_confidence_bands_cover_a_calibrated_forecaster() -> None:
    """At 95% at least 95 of 100 bins hold their mean forecast, give or take the noise of 1,000 bins."""
    inside = [
        b.band_low <= b.mean_p <= b.band_high
        for s in range(100)
        for b in reliability.reliability_table(*forecasts(500, seed=s))
    ]
    assert np.mean(inside) >= 0.94


def test_clopper_pearson_reference_and_edges() -> None:
    """Known interval of 8 successes in 10, and the closed ends at none and all."""
    assert reliability.clopper_pearson(8, 10) == pytest.approx((0.4439045, 0.9747893), abs=1e-7)
    assert reliability.clopper_pearson(0, 5)[0] == 0.0
    assert reliability.clopper_pearson(5, 5)[1] == 1.0


def test_spiegelhalter_by_hand() -> None:
    """Two rows by the formula: z = .8·... over the square root of the summed variances."""
    result = reliability.spiegelhalter([0.1, 0.7], [1, 0])
    z = (0.9 * 0.8 + -0.7 * -0.4) / math.sqrt(0.64 * 0.09 + 0.16 * 0.21)
    assert result.z == pytest.approx(z)
    assert result.p_value == pytest.approx(math.erfc(z / math.sqrt(2)))


def test_spiegelhalter_keeps_its_level() -> None:
    """Calibrated forecasters are rejected at 5% in about 5% of runs, over-confident ones nearly always."""
    null = [reliability.spiegelhalter(*forecasts(400, seed=s)).p_value < 0.05 for s in range(400)]
    false = [reliability.spiegelhalter(*forecasts(2_000, 2.0, seed=s)).p_value < 0.05 for s in range(20)]
    assert 0.02 <= np.mean(null) <= 0.085
    assert np.mean(false) == 1.0


@pytest.mark.parametrize("p", [[0.5, 0.5], [0.0, 1.0]])
def test_spiegelhalter_is_undefined_for_coins_and_certainties(p: list[float]) -> None:
    """No variance, no z: a clear error rather than NaN."""
    with pytest.raises(ValueError, match=r"^Spiegelhalter's z is undefined where every p is 0, \.5 or 1$"):
        reliability.spiegelhalter(p, [0, 1])


def test_bad_parameters_are_refused() -> None:
    """No bins and impossible levels are errors."""
    with pytest.raises(ValueError, match="bins must be"):
        reliability.expected_calibration_error([0.5], [1], bins=0)
    with pytest.raises(ValueError, match="binning must be width or mass"):
        reliability.bin_edges(np.array([0.5]), 10, "Width")  # type: ignore[arg-type]
    for level in (0.0, 1.0):
        with pytest.raises(ValueError, match="level must lie"):
            reliability.reliability_table([0.5], [1], level=level)


@pytest.mark.parametrize("measure", [reliability.corp, reliability.smooth_calibration_error, reliability.spiegelhalter])
def test_bad_rows_are_refused(measure: object) -> None:
    """NaN, probabilities outside [0, 1] and empty input never become a figure."""
    assert callable(measure)
    for p, y in (([], []), ([math.nan], [1]), ([1.5], [1]), ([0.5], [2])):
        with pytest.raises(ValueError, match=r"empty|NaN|must"):
            measure(p, y)


@pytest.mark.oracle
@pytest.mark.parametrize("score", ["brier", "log"])
def test_corp_agrees_with_model_diagnostics(score: Score) -> None:
    """Oracle, to 1e-9, with ties."""
    from model_diagnostics.scoring import LogLoss, SquaredError, decompose

    for n, seed in ((50, 1), (3_000, 2)):
        p, y = forecasts(n, 1.5, seed)
        p = np.round(p, 2).clip(0.01, 0.99)
        row = decompose(y, p, scoring_function=SquaredError() if score == "brier" else LogLoss())
        parts = reliability.corp(p, y, score)
        theirs = [row[name][0] for name in ("score", "miscalibration", "discrimination", "uncertainty")]
        assert theirs == pytest.approx([parts.score, parts.mcb, parts.dsc, parts.unc], abs=1e-9)


@pytest.mark.oracle
def test_smooth_error_agrees_with_relplot() -> None:
    """Oracle, within 1e-6, from a handful of rows to thousands."""
    import relplot

    for n in (2, 5, 20, 200, 5_000):
        for temperature in (0.5, 1.0, 2.0):
            p, y = forecasts(n, temperature, seed=n)
            ours = reliability.smooth_calibration_error(p, y)
            assert ours == pytest.approx(relplot.smECE(p, y), abs=1e-6)


@pytest.mark.oracle
@pytest.mark.parametrize(("binning", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_bins_agree_with_scikit_learn(binning: reliability.Binning, strategy: str) -> None:
    """Oracle: calibration_curve uses the same right-closed bins."""
    from sklearn.calibration import calibration_curve

    p, y = forecasts(777, 1.5)
    observed, mean_p = calibration_curve(y, p, n_bins=10, strategy=strategy)
    table = reliability.reliability_table(p, y, binning=binning)
    assert [b.observed for b in table] == pytest.approx(observed.tolist(), abs=1e-12)
    assert [b.mean_p for b in table] == pytest.approx(mean_p.tolist(), abs=1e-12)
