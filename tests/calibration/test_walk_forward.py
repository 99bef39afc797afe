"""Walking forward: when looks come, what each challenger has seen, and that none has seen the future."""

import numpy as np
import pytest

from calibration.walk_forward import MICROSECONDS_A_DAY, Schedule, picks, walk_forward
from tests.calibration.forecasters import outcomes, season

LEARNED = ("platt", "temperature", "beta", "isotonic")


def test_looks_come_from_result_200_on() -> None:
    """Every hundred results, or every twentieth of what is on record once that is more."""
    recorded = np.arange(4_000, dtype=np.int64)
    assert Schedule(growth=0).looks(recorded[:650]).tolist() == [200, 300, 400, 500, 600]
    assert np.diff(Schedule().looks(recorded)[-3:]).tolist() == [3584 // 20, 3763 // 20]
    assert Schedule().looks(recorded[:199]).tolist() == []


def test_results_of_one_instant_are_seen_together() -> None:
    """A look never cuts through results that went on record at the same time."""
    recorded = np.repeat(np.arange(5, dtype=np.int64), 150)
    assert Schedule().looks(recorded).tolist() == [300, 450, 600, 750]


def test_a_pick_is_scored_by_a_challenger_from_strictly_before_it() -> None:
    """A result recorded at the very moment of issue is too late; one instant earlier is not."""
    p, y = outcomes(300, 2.0)
    recorded = np.arange(300)
    asked = picks([*p, 0.7, 0.7], [*y, 1, 1], np.arange(302), [*recorded, 199, 200], [*recorded, 400, 401])
    forward = walk_forward(asked, "platt", Schedule())
    assert forward.look[-2:].tolist() == [-1, 0]
    assert forward.q[-2] == 0.7 != forward.q[-1]


@pytest.mark.parametrize("method", LEARNED)
def test_planted_later_results_change_no_earlier_score(method: str) -> None:
    """Anti-leak: whatever becomes of results recorded after a pick was issued, its challenger is the same."""
    rows = season(1_600, 1.5, seed=1)
    cut = int(rows.recorded[1_300])
    planted = picks(rows.p, np.where(rows.recorded >= cut, 1 - rows.y, rows.y), rows.event, rows.issued, rows.recorded)
    before, after = (walk_forward(r, method, Schedule()) for r in (rows, planted))
    early = rows.issued <= cut
    assert before.q[early].tolist() == after.q[early].tolist()
    assert before.q[~early].tolist() != after.q[~early].tolist()


@pytest.mark.parametrize("method", LEARNED)
def test_a_late_result_of_an_early_pick_is_not_used_before_it_is_known(method: str) -> None:
    """A pick issued first but settled last (a postponed game) trains nothing in between."""
    p, y = outcomes(1_500, 2.0, seed=2)
    order = np.arange(1_500)
    late = np.where(order == 0, 10_000, 2 * order + 1)
    held = [walk_forward(picks(p, [first, *y[1:]], order, 2 * order, late), method, Schedule()) for first in (0.0, 1.0)]
    assert held[0].q.tolist() == held[1].q.tolist()


def test_the_window_reaches_back_to_a_thousand_rows() -> None:
    """Thirty days alone are too few: the window grows until it holds 1,000 rows, or the start."""
    daily = np.arange(3_000, dtype=np.int64) * MICROSECONDS_A_DAY
    crowded = np.arange(3_000, dtype=np.int64) * (MICROSECONDS_A_DAY // 100)
    schedule = Schedule(window_days=30)
    assert schedule.window_start(daily, 2_500) == 1_500
    assert schedule.window_start(daily, 700) == 0
    assert schedule.window_start(crowded, 3_000) == 0
    assert Schedule(window_days=15).window_start(crowded, 3_000) == 2_999 - 1_500
    assert Schedule().window_start(daily, 2_500) == 0


def test_isotonic_is_not_tried_below_a_thousand_rows() -> None:
    """Until then its challenger is the identity, whose gain is nothing."""
    forward = walk_forward(season(1_400, 2.0), "isotonic", Schedule())
    assert {"identity"} == {m.method for m, n in zip(forward.maps, forward.n, strict=True) if n < 1_000}
    assert {"isotonic"} == {m.method for m, n in zip(forward.maps, forward.n, strict=True) if n >= 1_000}


def test_rows_that_teach_nothing_give_the_identity() -> None:
    """One class or constant p: the challenger changes nothing rather than failing the job."""
    order = np.arange(400)
    for p, y in ((np.full(400, 0.5), order % 2), (np.linspace(0.1, 0.9, 400), np.ones(400))):
        forward = walk_forward(picks(p, y, order, 2 * order, 2 * order + 1), "platt", Schedule())
        assert {"identity"} == {m.method for m in forward.maps}


@pytest.mark.parametrize("method", LEARNED)
def test_certain_forecasts_never_stop_the_walk(method: str) -> None:
    """Nothing but 0 and 1, always right or always wrong: whatever is learned, it is a probability."""
    order = np.arange(1_200)
    p = (order % 3 == 0).astype(np.float64)
    for y in (p, 1 - p):
        forward = walk_forward(picks(p, y, order, 2 * order, 2 * order + 1), method, Schedule())
        assert ((forward.q >= 0) & (forward.q <= 1)).all()


def test_an_empty_segment_gets_no_look() -> None:
    """No rows is not an error."""
    forward = walk_forward(picks([], [], [], [], []), "platt", Schedule())
    assert (forward.maps, forward.q.size) == ((), 0)


def test_bad_rows_are_refused() -> None:
    """A result before its pick, columns of different length, NaN."""
    with pytest.raises(ValueError, match="position 1 was on record before"):
        picks([0.5, 0.5], [0, 1], [1, 2], [0, 5], [1, 4])
    with pytest.raises(ValueError, match="same number of rows"):
        picks([0.5, 0.5], [0, 1], [1], [0, 5], [1, 6])
    with pytest.raises(ValueError, match="NaN"):
        picks([0.5, float("nan")], [0, 1], [1, 2], [0, 5], [1, 6])
