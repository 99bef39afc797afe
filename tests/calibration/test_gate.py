"""The gate: shut for the calibrated, open for the over-confident, undone when it does harm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.gate import AUTO, GateConfig, GateRun, methods_of, run_gate
from calibration.monitor import watch
from calibration.walk_forward import Picks, Schedule, picks, walk_forward
from grading.scores import log_loss_terms
from tests.calibration.forecasters import outcomes, season

EVERY_HUNDRED = GateConfig(Schedule(growth=0), resamples=300)


def changing(*parts: Picks) -> Picks:
    """One history made of several forecasters, one after the other."""
    starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()
    p, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("p", "y"))
    order = np.arange(starts[-1])
    return picks(p, y, order, 2 * order, 2 * order + 1)


def test_an_overconfident_forecaster_opens_the_gate() -> None:
    """T = 2: the gate opens, and from the next pick on the calibrated probability is served and scores better."""
    rows = season(3_000, 2.0, seed=1)
    run = run_gate(rows, "platt")
    opened = run.first_activation
    assert opened is not None
    assert (run.activates, opened.n <= 1_500) == (True, True)
    after = rows.issued > opened.at
    assert run.served[~after].tolist() == rows.p[~after].tolist()
    assert log_loss_terms(run.served, rows.y)[after].mean() < log_loss_terms(rows.p, rows.y)[after].mean() - 0.01


def test_calibrated_forecasters_stay_raw() -> None:
    """Forty perfectly calibrated seasons: at most the promised one in twenty activates, at any time."""
    opened = [run_gate(season(1_500, 1.0, seed=s), "platt", EVERY_HUNDRED).first_activation for s in range(40)]
    assert sum(look is not None for look in opened) <= 2


def test_power_is_as_promised() -> None:
    """T = 2 within 1,500 results in nearly every season; the benchmark has the whole table."""
    opened = [run_gate(season(1_500, 2.0, seed=s), "platt", EVERY_HUNDRED).first_activation for s in range(20)]
    assert sum(look is not None for look in opened) >= 18


def test_below_500_settled_picks_nothing_activates() -> None:
    """However clear the evidence, and the reason says LOW_SAMPLE."""
    run = run_gate(season(499, 6.0, spread=2.0, seed=2), "platt")
    assert run.looks[-1].max_e > 20
    assert not run.activates
    assert run.looks[-1].reasons == ("LOW_SAMPLE: 400 settled picks, 500 are needed",)


def test_e_is_the_exponential_of_the_gain_with_each_event_counting_once() -> None:
    """By hand: mean gain of each event's picks, summed, exponentiated."""
    p, y = outcomes(900, 1.5, seed=3)
    event, order = np.arange(900) // 3, np.arange(900) // 3
    rows = picks(p, y, event, 2 * order, 2 * order + 1)
    run = run_gate(rows, "platt")
    gains = log_loss_terms(rows.p, rows.y) - log_loss_terms(run.forwards["platt"].q, rows.y)
    last = run.looks[-1]
    seen = (rows.recorded <= last.at) & (run.forwards["platt"].look >= 0)
    expected = math.exp(sum(gains[seen & (rows.event == e)].mean() for e in np.unique(rows.event[seen])))
    assert last.e == pytest.approx(expected, rel=1e-9)
    assert last.out_of_time == seen.sum()


def test_copies_of_a_pick_add_no_evidence() -> None:
    """Sixteen picks on one game are one game: E is nearly the same, where a product over picks is its 16th power."""
    p, y = outcomes(1_500, 2.0, seed=4)
    order = np.arange(1_500)
    once = picks(p, y, order, 2 * order, 2 * order + 1)
    copies = [np.repeat(column, 16) for column in (p, y, order, 2 * order, 2 * order + 1)]
    schedule = Schedule(first=3_200, every=1_600, growth=0)
    many = run_gate(picks(*copies), "temperature", GateConfig(schedule, minimum=10**6))
    single = run_gate(once, "temperature", GateConfig(Schedule(growth=0), minimum=10**6))
    # Sixteen times the rows outweigh the penalty, so the maps differ a little.
    assert math.log(many.looks[-1].e) == pytest.approx(math.log(single.looks[-1].e), rel=0.5)
    assert single.looks[-1].e > 100


def test_max_e_never_falls_and_covers_e() -> None:
    """A supermartingale may be stopped at its best moment: the maximum so far counts."""
    looks = run_gate(season(2_500, 1.2, seed=5), "platt").looks
    highest = [look.max_e for look in looks if look.phase == "GATE"]
    assert highest == sorted(highest)
    assert all(look.max_e >= look.e - 1e-12 for look in looks)


def test_every_criterion_is_needed_and_named() -> None:
    """Whatever keeps the gate shut is said in words at every look."""
    run = run_gate(season(1_500, 1.0, seed=6), "platt")
    assert not run.activates
    assert all(look.reasons for look in run.looks)
    assert any("E reached" in reason for reason in run.looks[-1].reasons)
    strict = run_gate(season(1_500, 1.5, seed=6), "platt", GateConfig(level=0.9999999, resamples=2_000))
    assert strict.looks[-1].max_e > 20
    assert not strict.activates
    assert "bound" in " ".join(strict.looks[-1].reasons)


def test_bounds_stand_beside_the_activation() -> None:
    """The look that opens the gate has both lower bounds above 0 and lower scores after than before."""
    look = run_gate(season(3_000, 2.0, seed=7), "platt").first_activation
    assert look is not None
    assert look.brier_bound is not None
    assert look.log_loss_bound is not None
    assert min(look.brier_bound, look.log_loss_bound) > 0
    assert (look.after.ece < look.before.ece, look.after.brier < look.before.brier) == (True, True)
    assert look.reasons[0].startswith("platt beats raw: E reached")


def test_the_monitor_rolls_back_when_the_forecaster_changes() -> None:
    """Over-confident, then under-confident: the map does harm, and the test with roles exchanged undoes it."""
    rows = changing(season(2_000, 2.5, seed=8), season(3_000, 0.4, seed=9))
    run = run_gate(rows, "platt", GateConfig(Schedule(window_days=None, growth=0), resamples=300))
    decided = [look.phase for look in run.looks if look.decides]
    assert decided[:2] == ["GATE", "MONITOR"]
    rolled_back = next(look for look in run.looks if look.phase == "MONITOR" and look.decides)
    assert "rolled back" in rolled_back.reasons[0]
    reopened = [look.at for look in run.looks if look.phase == "GATE" and look.decides and look.at > rolled_back.at]
    raw_again = (rows.issued > rolled_back.at) & (rows.issued <= min(reopened, default=10**9))
    assert run.served[raw_again].tolist() == rows.p[raw_again].tolist()


def test_the_stakes_of_a_monitor_sum_to_one() -> None:
    """Where raw is served it can gain nothing on itself: E is 1 at every look, else its level would not hold."""
    rows = season(1_000, 1.0, seed=10)
    assert [look.max_e for look in watch(rows, rows.p, -1, "platt")] == pytest.approx([1.0] * 10)


def test_a_pick_issued_at_the_very_instant_of_the_activation_is_served_raw_and_not_watched() -> None:
    """Each pick is issued at the instant at which the result before it is on record."""
    p, y = outcomes(3_000, 2.0, seed=1)
    order = np.arange(3_000)
    run = run_gate(picks(p, y, order, order, order + 1), "platt", EVERY_HUNDRED)
    opened = run.first_activation
    assert opened is not None
    monitored = next(look for look in run.looks if look.phase == "MONITOR")
    assert (run.served[opened.at] == p[opened.at], run.served[opened.at + 1] == p[opened.at + 1]) == (True, False)
    assert (monitored.at - opened.at, monitored.out_of_time) == (100, 99)


def test_a_monitor_stays_quiet_while_the_map_helps() -> None:
    """No roll-back of a good map in 4,000 results."""
    run = run_gate(season(4_000, 2.0, seed=10), "platt", EVERY_HUNDRED)
    assert [look.phase for look in run.looks if look.decides] == ["GATE"]
    assert run.open_since == run.first_activation.at if run.first_activation else False


def test_auto_averages_the_methods_evidence() -> None:
    """Its E is the mean of the four, so it keeps the level; it activates the leading one."""
    rows = season(700, 1.5, seed=11)
    runs = {name: run_gate(rows, name, EVERY_HUNDRED) for name in AUTO}
    auto = run_gate(rows, "auto", EVERY_HUNDRED)
    mean = np.mean([run.looks[-1].e for run in runs.values()])
    assert auto.looks[-1].e == pytest.approx(mean, rel=1e-9)
    assert auto.looks[-1].method == max(runs, key=lambda name: runs[name].looks[-1].e)


def test_planted_later_results_change_no_earlier_verdict() -> None:
    """Anti-leak: looks up to a time are the same whatever comes after it, so a job at that time decides the same."""
    rows = season(2_000, 1.6, seed=12)
    cut = int(rows.recorded[1_200])
    known = rows.where(rows.recorded <= cut)
    whole, then = run_gate(rows, "platt", EVERY_HUNDRED), run_gate(known, "platt", EVERY_HUNDRED)
    assert [look for look in whole.looks if look.at <= cut] == list(then.looks)


def test_picks_issued_before_the_fit_are_not_evidence() -> None:
    """Picks all issued at the start were issued before any challenger: nothing is out of time."""
    p, y = outcomes(1_000, 3.0, seed=13)
    order = np.arange(1_000)
    run = run_gate(picks(p, y, order, np.zeros(1_000), order + 1), "platt")
    assert {0} == {look.out_of_time for look in run.looks}
    assert {1.0} == {look.e for look in run.looks}
    assert not run.activates


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["platt", "temperature", "beta"]))
def test_complementing_every_pick_changes_no_evidence(seed: int, method: str) -> None:
    """Judging away instead of home is the same test (up to beta's own mirror image)."""
    rows = season(500, 1.5, seed=seed)
    mirrored = picks(1 - rows.p, 1 - rows.y, rows.event, rows.issued, rows.recorded)
    here, there = (walk_forward(r, method, Schedule()).q for r in (rows, mirrored))
    assert here == pytest.approx(1 - there, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1, 199])
def test_segments_too_small_for_a_look_are_shut(n: int) -> None:
    """No looks, no verdict to rest on, raw served."""
    rows = season(n)
    run: GateRun = run_gate(rows, "platt")
    assert (run.looks, run.activates, run.decisive) == ((), False, None)
    assert run.served.tolist() == rows.p.tolist()


def test_unknown_methods_are_refused() -> None:
    """A typing error is named."""
    with pytest.raises(ValueError, match="unknown calibration method 'isotone'"):
        methods_of("isotone")
