"""What needs somebody is told when it begins, when it grows, and when it is over; not all the time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consumers.alerts import Alarms, Alert, Limits, Standing, alerts
from schemas.odds import OddsSnapshotCaptured
from tests.consumers.scene import MORNING, Scene
from tests.projections.foreign import foreign
from tests.records import make

WELL = Standing(MORNING, 0.0, 0, MORNING - timedelta(minutes=5), None, None)
WRONG = {
    "LAG": replace(WELL, lag_s=61.0),
    "DEAD_LETTERS": replace(WELL, dead_letters=2),
    "STALE_ODDS": replace(WELL, newest_odds_at=MORNING - timedelta(hours=2)),
    "CALIBRATION_ROLLED_BACK": replace(WELL, rolled_back="v_1", rolled_back_at=MORNING - timedelta(hours=23)),
}


def test_who_is_well_has_no_alert() -> None:
    """Nor has a log that never saw live odds, or one whose rollback is old."""
    quiet = replace(WELL, newest_odds_at=None, rolled_back="v_1", rolled_back_at=MORNING - timedelta(hours=25))

    assert [*alerts(WELL, Limits()), *alerts(quiet, Limits())] == []


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_has_its_alert(name: str) -> None:
    """And no other."""
    assert [alert.name for alert in alerts(WRONG[name], Limits())] == [name]


def test_limits_of_0_turn_an_alert_off() -> None:
    """For a log that lives on imports alone."""
    assert list(alerts(WRONG["STALE_ODDS"], Limits(stale_odds_s=0))) == []
    assert list(alerts(WRONG["LAG"], Limits(lag_s=0))) == []


def test_an_alert_is_told_when_it_begins_grows_and_is_over() -> None:
    """Four looks, three lines."""
    alarms = Alarms()

    told = [alarms.news([Alert("DEAD_LETTERS", f"{n} open", n)] if n else []) for n in (1, 1, 3, 2, 0)]

    assert told == [["ALERT DEAD_LETTERS: 1 open"], [], ["ALERT DEAD_LETTERS: 3 open"], [], ["over: DEAD_LETTERS"]]


def _told(scene: Scene) -> list[tuple[str, str]]:
    """The alerts of an owner that has folded all."""
    scene.owner.run_once()
    [row] = scene.store.query("health").to_pylist()
    return [(alert.name, alert.text) for alert in alerts(Standing(scene.clock.at, 0.0, **row), Limits())]


def test_odds_of_history_do_not_quiet_the_alert_of_stale_ones(scene: Scene) -> None:
    """Given live odds of two hours ago, then what an import dates now is no live feed."""
    scene.odds("1.91")
    scene.later(hours=2)
    scene.log.append([make(OddsSnapshotCaptured, at=scene.clock.at, origin="BACKFILL")])

    assert _told(scene) == [("STALE_ODDS", "no live odds since 2026-01-20 09:00 UTC")]


def test_what_this_code_does_not_know_is_no_alert(scene: Scene) -> None:
    """Newer code may know it; what cannot be read is one."""
    scene.log.append([foreign("CrowdCounted", 1, crowd=60_704)])
    assert _told(scene) == []

    scene.log.append([foreign("EventStarted", 2, started_at="yesterday")])

    assert _told(scene) == [("DEAD_LETTERS", "1 dead letters are open: onrecord dead-letters list")]
