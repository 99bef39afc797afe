"""The job without I/O: the same rows give the same bytes, levels fall back, nothing later leaks in."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from calibration.gate import GateConfig
from calibration.plain import plain_version, version_bytes
from calibration.segments import GLOBAL, Segment, parse_segment
from calibration.training import SegmentResult, TrainedVersion, TrainingRows, train, version_name
from calibration.walk_forward import MICROSECONDS_A_DAY
from tests.calibration.forecasters import joined, training_rows

FEWER = GateConfig(resamples=200)
NBA = "NBA|SPREAD:FULL_GAME"


def result(trained: TrainedVersion, name: str) -> SegmentResult:
    return next(r for r in trained.segments if r.segment == parse_segment(name))


def test_the_same_rows_in_any_order_give_the_same_bytes() -> None:
    """Rows are ordered by what is on record, never by arrival."""
    rows = training_rows(900)
    order = np.random.default_rng(1).permutation(900).tolist()
    shuffled = TrainingRows(*([column[i] for i in order] for column in vars(rows).values()))
    assert version_bytes(train(rows, "platt", config=FEWER)) == version_bytes(train(shuffled, "platt", config=FEWER))


def test_the_digest_covers_every_column() -> None:
    """Any other row, time or outcome is another digest; the version is named by the newest input."""
    rows = training_rows(300)
    before = train(rows, "platt", config=FEWER).digest
    changed = [
        replace(rows, p=[0.5, *rows.p[1:]]),
        replace(rows, y=[1 - rows.y[0], *rows.y[1:]]),
        replace(rows, event_id=["other", *rows.event_id[1:]]),
        replace(rows, issued_us=np.asarray(rows.issued_us) - 1),
        replace(rows, record_id=["zzz", *rows.record_id[1:]]),
        replace(rows, league=["NFL", *rows.league[1:]]),
    ]
    assert len({before, *(train(other, "platt", config=FEWER).digest for other in changed)}) == 7
    assert version_name(1_700_000_000_000_000) == "v_20231114_221320"


def test_an_overconfident_segment_is_activated_with_its_metrics() -> None:
    """Metrics before and after are of out-of-time picks, each with its interval, and the verdict is in words."""
    trained = train(training_rows(1_500), "platt", config=FEWER)
    own = result(trained, NBA)
    assert (own.activates, trained.activates, own.n) == (True, True, 1_500)
    assert own.before.n == own.after.n == 1_500 - 200
    assert own.before.brier is not None
    assert own.after.brier is not None
    assert own.after.brier.estimate < own.before.brier.estimate
    assert own.reasons[0].startswith("platt beats raw")
    assert trained.model().calibrate(0.8, "nba", "spread:full_game").p < 0.77


def test_low_sample_segments_are_rejected_one_by_one_and_fall_back() -> None:
    """A small league keeps no map of its own; its market's serves it, and the level says so."""
    small = training_rows(150, league="WNBA", seed=2)
    trained = train(joined(training_rows(1_500), small), "platt", config=FEWER)
    rejected = result(trained, "WNBA|SPREAD:FULL_GAME")
    assert (rejected.activates, rejected.reasons) == (False, ("LOW_SAMPLE: 150 settled picks, 500 are needed",))
    answer = trained.model().calibrate(0.8, "WNBA", "SPREAD:FULL_GAME")
    assert (answer.level, answer.segment) == ("market", "*|SPREAD:FULL_GAME")
    assert answer.p < 0.77


def test_every_level_is_there_and_names_its_parent() -> None:
    """Own maps shrink towards the nearest level with more rows; the widest towards the identity."""
    parts = [training_rows(600), training_rows(600, league="NFL", seed=3), training_rows(600, market="TOTAL:FULL_GAME")]
    trained = train(joined(*parts), "platt", config=FEWER)
    parents = {str(r.segment): r.parent for r in trained.segments}
    assert parents == {
        "*|*": "identity",
        "*|SPREAD:FULL_GAME": "*|*",
        "*|TOTAL:FULL_GAME": "*|*",
        "NBA|SPREAD:FULL_GAME": "*|SPREAD:FULL_GAME",
        "NBA|TOTAL:FULL_GAME": "*|*",
        "NFL|SPREAD:FULL_GAME": "*|SPREAD:FULL_GAME",
    }


def test_small_segments_are_shrunk_towards_their_parent() -> None:
    """A calibrated league of 260 picks among 3,000 over-confident ones ends nearer to its market than alone."""
    calibrated = training_rows(260, 1.0, league="WNBA", seed=4)
    alone = result(train(calibrated, "platt", config=FEWER), "WNBA|SPREAD:FULL_GAME")
    among = train(joined(training_rows(3_000, 3.0), calibrated), "platt", config=FEWER)
    shrunk = result(among, "WNBA|SPREAD:FULL_GAME").map.params["slope"][0]
    market = result(among, "*|SPREAD:FULL_GAME").map.params["slope"][0]
    assert market < shrunk < alone.map.params["slope"][0]


def test_a_dominating_market_does_not_set_the_map_of_a_judged_segment() -> None:
    """With enough picks of its own a calibrated league stays raw beside an over-confident giant."""
    calibrated = training_rows(900, 1.0, league="WNBA", seed=5)
    trained = train(joined(training_rows(3_000, 3.0), calibrated), "platt", config=FEWER)
    answer = trained.model().calibrate(0.8, "WNBA", "SPREAD:FULL_GAME")
    assert (answer.p, answer.level) == (0.8, "league_market")


def test_both_windows_are_recorded() -> None:
    """Thirty days were asked for; hourly picks fill them with 720, so the map reaches back to 1,000."""
    trained = train(training_rows(1_500), "platt", training_days=30, config=FEWER)
    own = result(trained, NBA)
    assert trained.asked.rows == 721
    assert own.window.rows == 1_000
    assert own.window.until_us == trained.asked.until_us
    wide = result(train(training_rows(1_500), "platt", training_days=60, config=FEWER), NBA)
    assert wide.window.rows == 1_441


def test_results_recorded_later_are_not_used() -> None:
    """Anti-leak: what is planted after a time changes nothing that was served or decided before it."""
    rows = training_rows(1_500, 1.6)
    cut = int(np.asarray(rows.recorded_us)[1_000])
    planted = replace(rows, y=np.where(np.asarray(rows.recorded_us) > cut, 1 - np.asarray(rows.y), rows.y))
    honest, leaky = train(rows, "platt", config=FEWER), train(planted, "platt", config=FEWER)
    early = np.asarray(rows.issued_us) <= cut
    assert honest.served[early].tolist() == leaky.served[early].tolist()
    looks = [[look for look in result(t, NBA).looks if look.at <= cut] for t in (honest, leaky)]
    assert looks[0] == looks[1] != []


def test_picks_issued_before_the_fit_judge_nothing() -> None:
    """Long-dated picks, all issued before the first result was known, are no out-of-time evidence."""
    rows = training_rows(1_000, 3.0)
    own = result(train(replace(rows, issued_us=np.full(1_000, -1)), "platt", config=FEWER), NBA)
    assert (own.before.n, own.activates) == (0, False)


def test_isotonic_below_a_thousand_rows_says_why_it_is_not_there() -> None:
    """Asked for by name, with 700 rows: rejected, with the reason."""
    own = result(train(training_rows(700), "isotonic", config=FEWER), NBA)
    assert own.map.method == "identity"
    assert "isotonic needs 1,000 rows of both outcomes to learn from" in own.reasons


def test_isotonic_is_on_record_exactly() -> None:
    """Its steps are fractions of counts, not rounded; Newton's parameters have 12 digits."""
    own = result(train(training_rows(1_200), "isotonic", config=FEWER), NBA)
    plain = plain_version(train(training_rows(1_200), "isotonic", config=FEWER))
    segments = plain["segments"]
    assert isinstance(segments, list)
    kept = next(s for s in segments if s["segment"] == NBA)
    assert kept["params"]["y"] == list(own.map.params["y"])


def test_the_record_is_plain_json() -> None:
    """No NaN, no numpy: every look with its reasons in words."""
    plain = json.loads(version_bytes(train(training_rows(800), "auto", config=FEWER)))
    own = next(s for s in plain["segments"] if s["segment"] == NBA)
    assert [look["n"] for look in own["looks"]] == [200, 300, 400, 500, 600, 700, 800]
    assert all(look["reasons"] for look in own["looks"])
    assert len(own["after"]["brier_interval"]) == 2


def test_no_rows_at_all_is_a_version_that_changes_nothing() -> None:
    """An empty log trains an empty version."""
    trained = train(TrainingRows([], [], [], [], [], [], [], []), "platt")
    assert (trained.segments, trained.activates, trained.overall_before.n) == ((), False, 0)
    assert trained.model().calibrate(0.7, "NBA", "SPREAD:FULL_GAME").p == 0.7


@pytest.mark.parametrize(("after_us", "is_raw"), [(0, False), (1, True)], ids=["at that instant", "after it"])
def test_a_result_at_the_very_instant_of_issue_does_not_count_yet(after_us: int, is_raw: bool) -> None:
    """With 499 results before it a pick is served by its market's map; with 500 its own shut gate says raw."""
    late = training_rows(501, 1.0, league="WNBA", seed=5)
    issued, recorded = (np.asarray(times) + 2_000 * MICROSECONDS_A_DAY for times in (late.issued_us, late.recorded_us))
    issued[500] = recorded[499] + after_us
    rows = joined(training_rows(1_500, 3.0), replace(late, issued_us=issued, recorded_us=recorded))
    trained = train(rows, "platt", config=FEWER)
    assert (trained.served[-1] == late.p[-1]) == is_raw


def test_the_minimum_of_the_configuration_decides_what_is_served() -> None:
    """Of a segment with exactly that many picks the gate decides; with one fewer it serves raw at level identity."""
    rows = training_rows(600)
    for minimum, level in ((600, "league_market"), (601, "identity")):
        trained = train(rows, "platt", config=replace(FEWER, minimum=minimum))
        assert trained.model().calibrate(0.7, "NBA", "SPREAD:FULL_GAME").level == level


def test_bad_jobs_are_refused() -> None:
    """Unknown method, no days, a pick counted twice, NaN, a column too short."""
    rows = training_rows(5)
    refused: dict[str, Callable[[], object]] = {
        "unknown calibration method": lambda: train(rows, "isotone"),
        "training_days": lambda: train(rows, "platt", training_days=0),
        "counts once": lambda: train(replace(rows, record_id=["a"] * 5), "platt"),
        "NaN": lambda: train(replace(rows, p=[float("nan")] * 5), "platt"),
        "same number of rows": lambda: train(replace(rows, league=["NBA"]), "platt"),
        "needs a league": lambda: train(replace(rows, league=[" "] * 5), "platt"),
        "on record before": lambda: train(replace(rows, recorded_us=[-1] * 5), "platt"),
    }
    for complaint, call in refused.items():
        with pytest.raises(ValueError, match=complaint):
            call()


def test_global_and_market_of_one_league_are_the_same_run() -> None:
    """Levels with the same rows are judged once, and alike."""
    trained = train(training_rows(700), "platt", config=FEWER)
    assert {GLOBAL, Segment("*", "SPREAD:FULL_GAME"), parse_segment(NBA)} == {r.segment for r in trained.segments}
    assert len({r.max_e for r in trained.segments}) == 1
    assert trained.asked.rows == 700 == trained.segments[0].n
    assert trained.asked.since_us == int(np.asarray(training_rows(700).recorded_us)[-1]) - 30 * MICROSECONDS_A_DAY
