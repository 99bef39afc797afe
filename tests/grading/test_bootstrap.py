"""Bootstrap by event: the right distribution, the right unit of resampling, clear errors."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from grading import bootstrap
from grading.scores import Floats


def test_event_sums_gather_each_events_rows() -> None:
    """Rows of one event are summed, in the sorted order of the ids, strings too."""
    sums = bootstrap.event_sums(np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), ["b", "a", "b"])
    assert sums.tolist() == [[2.0, 1.0], [5.0, 2.0]]


@pytest.mark.parametrize("events", [40, 100_000])
def test_resamples_follow_the_multinomial(events: int) -> None:
    """As many draws as events each time; an event's count has mean 1 and variance 1 - 1/n. Both drawing paths."""
    chosen = np.zeros((events, 3))
    chosen[:, 0] = 1
    chosen[0, 1] = chosen[-1, 2] = 1
    drawn = bootstrap.resampled_sums(chosen, resamples=4_000 if events < 1_000 else 400, seed=5)
    assert (drawn[:, 0] == events).all()
    assert drawn[:, 1:].mean() == pytest.approx(1, abs=0.15)
    assert drawn[:, 1:].var() == pytest.approx(1 - 1 / events, abs=0.25)


def test_both_drawing_paths_give_the_textbook_spread() -> None:
    """The bootstrap's standard error of a mean is s / sqrt(n), on few events and on many (blocks of powers of two)."""
    rng = np.random.default_rng(2)
    for events in (900, 70_001):
        values = rng.exponential(1, events)
        means = bootstrap.bootstrap_means(values[:, None], np.arange(events), 600)[:, 0]
        assert means.mean() == pytest.approx(values.mean(), abs=4 * values.std() / math.sqrt(600 * events))
        assert means.std() == pytest.approx(values.std() / math.sqrt(events), rel=0.12)


def test_blocks_cover_every_event_once() -> None:
    """The powers of two add up to the number of events, the largest first."""
    for events in (1, 65_535, 65_536, 250_000):
        blocks = bootstrap._power_of_two_blocks(events)
        assert events == sum(blocks)
        assert blocks == sorted(blocks, reverse=True)


def test_doubling_every_row_of_an_event_adds_no_certainty() -> None:
    """Sixteen picks on one game count as one game: the interval stays, where rows taken alone would narrow it."""
    rng = np.random.default_rng(1)
    values, events = rng.normal(size=(300, 1)), np.arange(300)
    once = bootstrap.mean_intervals(values, events)[0]
    repeated = bootstrap.mean_intervals(np.repeat(values, 16, axis=0), np.repeat(events, 16))[0]
    alone = bootstrap.mean_intervals(np.repeat(values, 16, axis=0), np.arange(4_800))[0]
    assert (once.low, once.high) == pytest.approx((repeated.low, repeated.high))
    assert alone.high - alone.low < 0.4 * (once.high - once.low)


def test_intervals_are_quantiles_of_the_resampled_means() -> None:
    """Percentile bootstrap: (1 - level) / 2 at either end, 95% and seed 0 where nothing is said."""
    values, events = [[1, 5], [2, 7], [4, 1], [7, 3]], ["a", "b", "c", "c"]
    drawn = bootstrap.bootstrap_means(values, events, 200)
    for level in (0.95, 0.8):
        found = bootstrap.mean_intervals(values, events, level, resamples=200)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        assert [interval.estimate for interval in found] == [3.5, 4.0]
        assert [interval.low for interval in found] == pytest.approx(low.tolist(), abs=1e-12)
        assert [interval.high for interval in found] == pytest.approx(high.tolist(), abs=1e-12)
    assert bootstrap.mean_intervals(values, events, 0.95, seed=0) == bootstrap.mean_intervals(values, events)


def test_columns_share_their_draws_and_nothing_else() -> None:
    """Several columns at once are each what they are alone."""
    values, events = np.array([[1.0, 5, 2], [2, 7, 0], [4, 1, 1], [7, 3, 3]]), [1, 2, 3, 3]
    together = bootstrap.bootstrap_means(values, events, 40)
    alone = [bootstrap.bootstrap_means(values[:, [i]], events, 40)[:, 0] for i in range(3)]
    assert np.column_stack(alone).tolist() == together.tolist()
    assert bootstrap.bootstrap_means(values, events, 1).shape == (1, 3)
    assert together.tolist() == bootstrap.bootstrap_means(values, events, 40, seed=0).tolist()


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_roi_of_unit_stakes_is_the_mean_return(level: float) -> None:
    """With a unit on each pick its interval is that of the mean, by the same draws."""
    returns, events = [0.91, -1.0, 2.5, -1.0, 0.4], ["a", "b", "c", "d", "d"]
    (mean,) = bootstrap.mean_intervals([[value] for value in returns], events, level, 300, 5)
    found = bootstrap.roi(returns, events, level=level, resamples=300, seed=5).roi
    assert (mean.low, mean.high) == pytest.approx((found.low, found.high), abs=1e-12)


def test_roi_weighs_returns_by_stakes() -> None:
    """10 units at +2 and 30 at -1 lose 10 of 40, event by event."""
    result = bootstrap.roi([2.0, -1.0], ["a", "b"], stakes=[10, 30], resamples=50)
    assert (result.profit, result.staked, result.events) == (-10.0, 40.0, 2)
    assert (result.roi.low, result.roi.estimate, result.roi.high) == (-1.0, -0.25, 2.0)
    returns, events = np.random.default_rng(2).normal(size=50), np.arange(50)
    assert bootstrap.roi(returns, events, resamples=60) == bootstrap.roi(returns, events, resamples=60, seed=0)


def test_picks_needed_is_one_at_least() -> None:
    """A huge edge needs one pick, and so does a test that asks for no more than a coin gives."""
    assert bootstrap.picks_needed(10.0, 0.1) == 1
    assert bootstrap.picks_needed(0.01, 1.0, alpha=0.5, power=0.5) == 1
    assert bootstrap.picks_needed(0.01, 1.0, alpha=0.9, power=0.5) == 1
    assert bootstrap.picks_needed(0.01, 1.0, alpha=0.5, power=0.6) == 642


def test_a_seed_gives_the_same_bounds_again() -> None:
    """Same rows and seed, same figures; another seed, others."""
    values, events = np.arange(60.0)[:, None], np.repeat(np.arange(20), 3)
    assert bootstrap.lower_bounds(values, events).tolist() == bootstrap.lower_bounds(values, events).tolist()
    assert bootstrap.lower_bounds(values, events).tolist() != bootstrap.lower_bounds(values, events, seed=1).tolist()


def test_lower_bounds_cover_as_promised() -> None:
    """A one-sided 95% bound lies below the true mean in about 95% of samples."""
    rng = np.random.default_rng(8)
    samples = rng.normal(0.2, 1, (300, 200, 1))
    below = [bootstrap.lower_bounds(s, np.arange(200), resamples=300)[0] < 0.2 for s in samples]
    assert 0.91 <= np.mean(below) <= 0.985


def test_roi_is_profit_over_what_was_risked() -> None:
    """Two winners at 10/11 on 11 units and two losers on 10: profit 0 on 42 units."""
    result = bootstrap.roi([10 / 11, 10 / 11, -1, -1], ["a", "b", "c", "d"], stakes=[11, 11, 10, 10])
    assert (result.n, result.events, result.staked, result.profit) == (4, 4, 42.0, 0.0)
    assert result.roi.low <= result.roi.estimate == 0.0 <= result.roi.high


def test_roi_interval_holds_the_truth() -> None:
    """A bettor of -4.5% at even chances and odds 1.91: the 95% interval covers it in most seasons."""
    rng = np.random.default_rng(4)
    seasons: Floats = np.where(rng.random((200, 400)) < 0.5, 0.91, -1.0)
    results = [bootstrap.roi(s, np.arange(400), resamples=200).roi for s in seasons]
    assert 0.9 <= np.mean([r.low <= -0.045 <= r.high for r in results]) <= 0.99


def test_picks_needed_for_a_known_edge() -> None:
    """2% at odds of 1.91 takes (z(.95)+z(.8))²·s²/e² picks; twice the edge takes a quarter."""
    deviation = bootstrap.return_deviation(1.91, 0.02)
    expected = math.ceil(((1.6448536269514722 + 0.8416212335729143) * deviation / 0.02) ** 2)
    assert expected == bootstrap.picks_needed(0.02, deviation) == 14_032
    assert bootstrap.picks_needed(0.04, deviation) == 3_508


def test_picks_needed_finds_the_edge_as_often_as_promised() -> None:
    """By simulation: with that many picks the one-sided test finds the edge in about 80% of seasons."""
    deviation = bootstrap.return_deviation(2.0, 0.2)
    n = bootstrap.picks_needed(0.2, deviation)
    wins = np.random.default_rng(0).binomial(n, 0.6, 4_000)
    z = (2 * wins - n) / n / (deviation / math.sqrt(n))
    assert np.mean(z > 1.6448536) == pytest.approx(0.8, abs=0.04)


def test_return_deviation_is_that_of_the_two_outcomes() -> None:
    """Odds 3, chance .4: returns 2 and -1."""
    outcomes, chance = np.array([2.0, -1.0]), np.array([0.4, 0.6])
    variance = (chance * outcomes**2).sum() - (chance * outcomes).sum() ** 2
    assert bootstrap.return_deviation(3, 0.2) == pytest.approx(math.sqrt(variance))


def test_bad_input_is_refused() -> None:
    """Empty, NaN, mismatched or impossible input never becomes an interval."""
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: bootstrap.roi([], []), "empty"),
        (lambda: bootstrap.roi([math.nan, 1], ["a", "b"]), "NaN"),
        (lambda: bootstrap.roi([math.nan, 1], ["a", "b"]), "^unit_returns "),
        (lambda: bootstrap.roi([0.9, -1], ["a", "b"], stakes=[1, math.nan]), "^stakes holds"),
        (lambda: bootstrap.roi([0.9, -1], ["a", "a"]), "^a bootstrap over events needs at least two events$"),
        (lambda: bootstrap.roi([0.9, -1], ["a", "b"], stakes=[1, 0]), "^stakes must be above 0"),
        (lambda: bootstrap.roi([0.9, -1, 2], ["a"]), r"^events has shape \(1,\), but there are 3 rows"),
        (lambda: bootstrap.mean_intervals([[math.inf]], ["a"]), "finite"),
        (lambda: bootstrap.mean_intervals([1.0, 2.0], ["a", "b"]), "^columns must have shape"),
        (lambda: bootstrap.mean_intervals(np.empty((0, 1)), []), "^columns must have shape"),
        (lambda: bootstrap.lower_bounds([[1.0]], ["a"], level=1.0), "strictly between"),
        (lambda: bootstrap.lower_bounds([[1.0]], ["a"], level=0.0), "strictly between"),
        (lambda: bootstrap.resampled_sums(np.ones((2, 1)), resamples=0), "at least 1"),
        (lambda: bootstrap.picks_needed(0.0, 1.0), "above 0"),
        (lambda: bootstrap.return_deviation(1.0, 0.1), "above 1"),
        (lambda: bootstrap.picks_needed(1.0, 0.0), "above 0"),
        (lambda: bootstrap.return_deviation(1.5, 0.6), "no bet"),
        (lambda: bootstrap.return_deviation(1.5, 0.5), "no bet"),
        (lambda: bootstrap.return_deviation(1.5, -1.0), "no bet"),
    ]
    for call, complaint in refused:
        with pytest.raises(ValueError, match=complaint):
            call()
