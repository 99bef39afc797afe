"""Which version served when, what it did to the picks, and the warnings: by hand, and against grading's own scores."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from consumers.versions import serving_since
from eventlog.sqlite import SqliteLog
from grading.reliability import expected_calibration_error, spiegelhalter
from grading.scores import brier, log_loss, log_loss_terms
from projections.catch_up import catch_up
from projections.store import Store
from schemas.calibrations import CalibrationActivated, CalibrationRejected, CalibrationRolledBack, CalibrationTrained
from schemas.record import Record
from tests.calibrated_picks import HOUR, VERSION, picks
from tests.calibration.forecasters import outcomes
from tests.projections.conftest import Given, When
from tests.records import MINUTE, make

MAY = datetime(2024, 5, 10, 15, tzinfo=UTC)
NFL, NBA = "NFL|SPREAD:FULL_GAME", "NBA|SPREAD:FULL_GAME"


def _trained(version: str, at: datetime = MINUTE[0], number: int = 0) -> Record:
    segments = [{"segment": NBA}, {"segment": NFL}]
    return make(
        CalibrationTrained, None, at, number=number, calibration_version=version, trained={"segments": segments}
    )


def _active(store: Store) -> list[tuple[Any, ...]]:
    names = ("league", "calibration_version", "active_from", "active_to", "activated_by", "ended_as")
    return [tuple(row[name] for name in names) for row in store.query("active_when").to_pylist()]


def test_a_version_serves_its_segments_until_the_next_one_does(given: Given, when_folded: When, store: Store) -> None:
    """From and to, by whom; a rejected version changes nothing."""
    given(
        _trained("v1"),
        _trained("v2", number=1),
        make(CalibrationActivated, at=MINUTE[1], calibration_version="v1", segments=(NBA, NFL)),
        make(CalibrationRejected, at=MINUTE[2], calibration_version="v3", segments=()),
        make(CalibrationActivated, at=MINUTE[3], number=1, calibration_version="v2", segments=(NBA,), decided_by="ann"),
    )

    when_folded()

    assert _active(store) == [
        ("NBA", "v2", MINUTE[3], None, "ann", None),
        ("NBA", "v1", MINUTE[1], MINUTE[3], "gate", "SUPERSEDED"),
        ("NFL", "v1", MINUTE[1], MINUTE[3], "gate", "SUPERSEDED"),
    ]


def test_rolled_back_whole_the_one_before_serves_again(given: Given, when_folded: When, store: Store) -> None:
    """And who names no segments means all of the version."""
    given(
        _trained("v1"),
        _trained("v2", number=1),
        make(CalibrationActivated, at=MINUTE[1], calibration_version="v1", segments=(NBA,)),
        make(CalibrationActivated, at=MINUTE[2], number=1, calibration_version="v2", segments=(), decided_by="ann"),
        make(CalibrationRolledBack, at=MINUTE[3], calibration_version="v2", segments=(), decided_by="bob"),
    )

    when_folded()

    assert _active(store) == [
        ("NBA", "v1", MINUTE[3], None, "gate", None),
        ("NBA", "v2", MINUTE[2], MINUTE[3], "ann", "ROLLED_BACK"),
        ("NFL", "v2", MINUTE[2], MINUTE[3], "ann", "ROLLED_BACK"),
        ("NBA", "v1", MINUTE[1], MINUTE[2], "gate", "SUPERSEDED"),
    ]


def test_one_segment_rolled_back_leaves_the_others(given: Given, when_folded: When, store: Store) -> None:
    """As the monitor does, segment by segment; the reason is that of the segment."""
    why = (f"{NBA}: raw beats what was served", f"{NFL}: E reached 41")
    given(
        _trained("v1"),
        make(CalibrationActivated, at=MINUTE[1], calibration_version="v1", segments=(NBA, NFL), reasons=why),
        make(CalibrationRolledBack, at=MINUTE[2], calibration_version="v1", segments=(NBA,), reasons=why[:1]),
    )

    when_folded()

    assert _active(store) == [
        ("NBA", "v1", MINUTE[1], MINUTE[2], "gate", "ROLLED_BACK"),
        ("NFL", "v1", MINUTE[1], None, "gate", None),
    ]
    [nfl] = store.query("active_when", {"league": "NFL"}).to_pylist()
    assert nfl["activated_because"] == [why[1]]


def test_by_month_raw_and_calibrated_apart_are_gradings_own_scores(
    given: Given, when_folded: When, store: Store
) -> None:
    """Two months; in the second only some picks were calibrated, and raw stands beside of just those."""
    p, y = outcomes(60, 2.0)
    p = p.round(2)
    q = (0.5 + (p - 0.5) * 0.6).round(3)
    served = [*[None] * 30, *q[30:40].tolist(), *[None] * 20]
    june = MAY + timedelta(days=31)
    given(*picks(p[:20], [None] * 20, y[:20].tolist(), MAY), *picks(p[20:], served[20:], y[20:].tolist(), june, 20))

    when_folded()

    first, second = store.query("calibration_over_time").to_pylist()
    assert [(row["n"], row["n_calibrated"]) for row in (first, second)] == [(20, 0), (40, 10)]
    assert first["brier_calibrated"] is None
    there = slice(30, 40)
    for name, forecasts, won in (
        ("_raw", p[20:], y[20:]),
        ("_calibrated", q[there], y[there]),
        ("_raw_there", p[there], y[there]),
    ):
        told = [second[f"{score}{name}"] for score in ("ece", "brier", "log_loss")]
        expected = [expected_calibration_error(forecasts, won), brier(forecasts, won), log_loss(forecasts, won)]
        assert told == pytest.approx(expected, abs=1e-9)


def test_drift_is_the_realised_score_against_the_one_expected_without_results(
    given: Given, when_folded: When, store: Store
) -> None:
    """Picks without a result are expected of, too; z is Spiegelhalter's of what was served."""
    p, y = outcomes(80, 3.0)
    won: list[float | None] = [*y[:60].tolist(), *[None] * 20]
    given(*picks(p, [None] * 80, won, MAY))

    when_folded()

    [row] = store.query("drift_over_time", {"league": "NBA", "market_key": "SPREAD:FULL_GAME"}).to_pylist()
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    settled = slice(60)
    assert (row["n_expected"], row["n"], row["events"]) == (80, 60, 30)
    assert row["expected_brier"] == pytest.approx((p * (1 - p)).mean(), abs=1e-9)
    assert row["expected_log_loss"] == pytest.approx(entropy.mean(), abs=1e-9)
    assert row["expected_log_loss_of_settled"] == pytest.approx(entropy[settled].mean(), abs=1e-9)
    assert row["realised_brier"] == pytest.approx(brier(p[settled], y[settled]), abs=1e-9)
    assert row["realised_log_loss"] == pytest.approx(log_loss_terms(p[settled], y[settled]).mean(), abs=1e-9)
    assert row["z"] == pytest.approx(spiegelhalter(p[settled], y[settled]).z, abs=1e-6)


def _warnings(store: Store, **given: str) -> set[tuple[str, str, str]]:
    rows = store.query("calibration_warnings", given).to_pylist()
    return {(row["warning"], row["league"], row["market_key"]) for row in rows}


EVERYWHERE = {("NBA", "SPREAD:FULL_GAME"), ("*", "SPREAD:FULL_GAME"), ("*", "*")}


@pytest.mark.parametrize(("factor", "harmed"), [(0.2, EVERYWHERE), (1.0, set[tuple[str, str]]())])
def test_harm_is_told_where_calibrated_is_surely_worse_than_raw(
    given: Given, when_folded: When, store: Store, factor: float, harmed: set[tuple[str, str]]
) -> None:
    """A version that flattens good forecasts; one that leaves them as they are does nothing to warn of."""
    p, y = outcomes(2_000, 1.0)
    q = (0.5 + (p - 0.5) * factor).tolist()
    given(_trained(VERSION, MAY - HOUR), make(CalibrationActivated, at=MAY, calibration_version=VERSION))
    given(*picks(p, q, y.tolist(), MAY))

    when_folded()

    assert {(league, market) for warning, league, market in _warnings(store) if warning == "HARM"} == harmed


def test_harm_within_the_bound_is_not_told(given: Given, when_folded: When, store: Store) -> None:
    """Raw .6 was better than calibrated .7, but not by the three standard errors that are told."""
    y = np.random.default_rng(3).permutation(np.repeat([0.0, 1.0], [88, 112]))
    given(_trained(VERSION, MAY - HOUR), make(CalibrationActivated, at=MAY, calibration_version=VERSION))
    given(*picks(np.full(200, 0.6), [0.7] * 200, y.tolist(), MAY))

    when_folded()

    [[brier_z, log_loss_z]] = store.rows(
        "SELECT brier_gain / brier_error, log_loss_gain / log_loss_error FROM calibration_effects WHERE league = 'NBA'"
    )
    assert (-2.9 < brier_z < -2, -2.9 < log_loss_z < -2) == (True, True)
    assert "HARM" not in {warning for warning, _, _ in _warnings(store)}


def _one_sided(games: int, to_a_game: int = 4) -> list[Record]:
    """Picks that all won, each of which calibration made worse, by more or less."""
    n = games * to_a_game
    return picks(np.linspace(0.8, 0.9, n), [0.6] * n, [1.0] * n, MAY, to_a_game=to_a_game)


@pytest.mark.parametrize(("games", "warned"), [(29, set[tuple[int, int]]()), (30, {(120, 30)})])
def test_harm_is_told_from_thirty_events_on(
    given: Given, when_folded: When, store: Store, games: int, warned: set[tuple[int, int]]
) -> None:
    """More than 100 picks are not enough where they are of a few games; how many games is said beside n."""
    given(_trained(VERSION, MAY - HOUR), make(CalibrationActivated, at=MAY, calibration_version=VERSION))
    given(*_one_sided(games))

    when_folded()

    rows = store.query("calibration_warnings").to_pylist()
    assert {(row["n"], row["events"]) for row in rows if row["warning"] == "HARM"} == warned


def test_of_one_event_there_is_no_error_and_no_harm(given: Given, when_folded: When, store: Store) -> None:
    """A single event says nothing of the spread, even to one who asks for no more than that."""
    given(_trained(VERSION, MAY - HOUR), make(CalibrationActivated, at=MAY, calibration_version=VERSION))
    given(*_one_sided(1, to_a_game=100))
    when_folded()
    assert store.rows("SELECT DISTINCT n, events, brier_error, log_loss_error FROM calibration_effects") == [
        (100, 1, None, None)
    ]
    assert "HARM" not in {warning for warning, _, _ in _warnings(store, least_events="1")}


@pytest.mark.parametrize(("lost", "warned"), [(31, set[tuple[str, str]]()), (33, EVERYWHERE)], ids=["2.75", "3.25"])
def test_drift_is_told_from_three_standard_deviations_on(
    given: Given, when_folded: When, store: Store, lost: int, warned: set[tuple[str, str]]
) -> None:
    """Of 100 picks at .8 twenty are expected to lose, give or take four."""
    given(_trained(VERSION, MAY - HOUR), make(CalibrationActivated, at=MAY, calibration_version=VERSION))
    given(*picks(np.full(100, 0.8), [None] * 100, [0.0] * lost + [1.0] * (100 - lost), MAY))

    when_folded()

    assert {(league, market) for warning, league, market in _warnings(store) if warning == "DRIFT"} == warned


@pytest.mark.parametrize(("live_lost", "history_lost", "drifted"), [(20, 33, "BACKFILL"), (33, 20, "LIVE")])
def test_live_picks_and_those_of_history_drift_apart(
    given: Given, when_folded: When, store: Store, live_lost: int, history_lost: int, drifted: str
) -> None:
    """Each is judged by its own newest month: history's is May, that of live picks June."""

    def hundred(lost: int, at: datetime, first: int) -> list[Record]:
        return picks(np.full(100, 0.8), [None] * 100, [0.0] * lost + [1.0] * (100 - lost), at, first)

    live = hundred(live_lost, MAY + timedelta(days=31), 100)
    given(_trained(VERSION, MAY - HOUR), make(CalibrationActivated, at=MAY, calibration_version=VERSION))
    given(*hundred(history_lost, MAY, 0), *(record.model_copy(update={"origin": "LIVE"}) for record in live))

    when_folded()

    rows = store.query("calibration_warnings").to_pylist()
    assert {row["origin"] for row in rows if row["warning"] == "DRIFT"} == {drifted}


def test_the_error_of_an_effect_takes_the_picks_of_an_event_together(
    given: Given, when_folded: When, store: Store
) -> None:
    """Two picks a game here: the residuals of a game are added before they are squared."""
    p, y = outcomes(60, 1.0)
    q = 0.5 + (p - 0.5) * 0.5
    given(*picks(p, q.tolist(), y.tolist(), MAY))

    when_folded()

    effects = store.rows("SELECT n, events, brier_gain, brier_error FROM calibration_effects WHERE league = 'NBA'")
    gain = (p - y) ** 2 - (q - y) ** 2
    by_event = (gain - gain.mean()).reshape(-1, 2).sum(axis=1)
    assert effects == [
        (60, 30, pytest.approx(gain.mean(), abs=1e-9), pytest.approx(by_event.std(ddof=1) * np.sqrt(30) / 60, abs=1e-9))
    ]


def test_an_old_version_and_drift_are_told_while_it_is_active(given: Given, when_folded: When, store: Store) -> None:
    """Old by the newest result, never by the clock; once rolled back there is nothing to warn of."""
    p, y = outcomes(300, 4.0)
    given(_trained(VERSION, MAY - timedelta(days=61)))
    given(make(CalibrationActivated, at=MAY - timedelta(days=60), calibration_version=VERSION))
    given(*picks(p, [None] * 300, y.tolist(), MAY))
    when_folded()
    assert _warnings(store) == {("OLD", "*", "*")} | {("DRIFT", *scope) for scope in EVERYWHERE}
    assert _warnings(store, old_after_days="90", least_picks="301") == set()
    given(make(CalibrationRolledBack, at=MAY, calibration_version=VERSION, segments=()))

    when_folded()

    assert _warnings(store) == set()


TOLD = st.tuples(
    st.sampled_from(["v1", "v2", "v3"]),
    st.sampled_from([CalibrationActivated, CalibrationActivated, CalibrationRolledBack]),
    st.sets(st.sampled_from([NBA, NFL])),
)


@settings(deadline=None, max_examples=60)
@example(told=[("v1", CalibrationActivated, {NBA, NFL}), ("v1", CalibrationRolledBack, {NBA})])
@given_any(told=st.lists(TOLD, min_size=1, max_size=6))
def test_one_history_tells_the_job_the_services_and_the_console_what_serves(
    told: list[tuple[str, type[Record], set[str]]],
) -> None:
    """Two decisions a minute: those of one moment have one order, too."""
    versions = [_trained(f"v{n}", number=n) for n in (1, 2, 3)]
    verdicts = [
        make(kind, at=MINUTE[1 + n // 2], number=n, calibration_version=version, segments=tuple(sorted(segments)))
        for n, (version, kind, segments) in enumerate(told)
    ]
    with SqliteLog(":memory:") as log, closing(Store(log_id=log.log_id)) as store:
        log.append([*versions, *verdicts])
        catch_up(log, store)
        serving = sorted(serving_since(store.query("calibration_decisions").to_pylist()))
        active = store.query("active_version").to_pylist()
        shown = store.rows("SELECT league || '|' || market_key FROM calibration_activity WHERE active_to IS NULL")

    assert serving == sorted(segment for row in active for segment in row["active_segments"])
    assert serving == sorted(segment for (segment,) in shown)
