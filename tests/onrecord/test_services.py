"""What upstream code imports: ready-wired services over the folder of the environment's settings."""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from eventlog.clock import ManualClock
from onrecord.calendar import Calendar
from onrecord.grading_service import GradingService, NotGradedError
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from producers.event_reporter import EventReporter
from producers.publishing_service import EventStart
from schemas.events import EventScheduled, EventStatus
from tests.onrecord.conftest import Run
from tests.producers.stage import EVENT, NOW, TEAMS, TIP_OFF
from tests.records import make

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def services(home: Path) -> Iterator[ModuleType]:
    """The module as a fresh process sees it; whoever comes after this test gets a fresh one, too."""
    sys.modules.pop("onrecord.services", None)
    module = importlib.import_module("onrecord.services")
    yield module
    module.workspace().close()
    del sys.modules["onrecord.services"]


def published(services: Any) -> str:
    """A pick on a game that starts in an hour; gives its publish_id."""
    starts_at = services.workspace().clock.now() + timedelta(hours=1)
    services.event_service.schedule_event(EVENT, "NBA", "nba", *TEAMS, starts_at)
    raw = {"price": -110}
    snapshot_id = services.snapshot_service.capture_odds_snapshot(
        EVENT, "tests", "draftkings", "SPREAD:FULL_GAME", "HOME", -5.5, price_american=-110, raw_payload=raw
    )
    run_id = services.sim_run_tracker.create_sim_run(EVENT, "scheduled", 1000, "m1", "f1", "d1", seed_policy="fixed")
    prediction_id = services.sim_run_tracker.create_prediction(
        sim_run_id=run_id,
        event_id=EVENT,
        market_key="SPREAD:FULL_GAME",
        selection="HOME",
        market_snapshot_id_used=snapshot_id,
        p_cover=0.6,
    )
    return publish(services, prediction_id, "telegram")


def publish(services: Any, prediction_id: str, channel: str, *, official: bool = True) -> str:
    """Publish a prediction at its own price; gives the publish_id."""
    terms = {"line": -5.5, "price": -110, "book": "draftkings"}
    publish_id: str = services.publishing_service.publish_prediction(
        prediction_id, channel, "premium", ["EDGE"], terms, is_official=official
    )
    return publish_id


def test_importing_the_module_opens_nothing(services: ModuleType, home: Path) -> None:
    """Only asking for a service does."""
    assert not home.exists()

    services.event_service.schedule_event(EVENT, "NBA", "nba", *TEAMS, TIP_OFF)

    assert (home / "log.sqlite").exists()


def test_an_unknown_service_is_told_with_those_there_are(services: ModuleType) -> None:
    """As any missing attribute."""
    with pytest.raises(AttributeError, match=r"has no 'betting_service'; it has .*publishing_service"):
        services.betting_service  # noqa: B018 - asking for it is what is tested


def test_a_pick_is_graded_and_shows_in_the_summary(services: ModuleType) -> None:
    """The LIVE record alone; by the league, and by times of the events' starts."""
    publish_id = published(services)
    services.event_service.start_event(EVENT)
    services.event_service.record_result(EVENT, 112, 101)

    graded_id = services.grading_service.grade_published_prediction(publish_id)

    assert graded_id != services.grading_service.grade_published_prediction(publish_id, force_regrade=True)
    assert services.grading_service.grade_all_pending() == {"graded": 1, "voided": 0, "pending": 0}
    summary = services.grading_service.get_performance_summary("NBA")
    assert (summary["picks"], summary["win_rate"], summary["origin"]) == (1, 1.0, "LIVE")
    long_ago = services.grading_service.get_performance_summary("NBA", end_date=NOW - timedelta(days=1))
    assert long_ago["picks"] == 0
    assert services.grading_service.get_performance_summary(origin="BACKFILL")["picks"] == 0
    asked = ("draftkings", "DraftKings", "Draft")
    by_book = [services.grading_service.get_performance_summary(book) for book in asked]
    told = [(one["cohort_key"], one["picks"]) for one in by_book]
    assert told == [("draftkings", 1), ("draftkings", 1), ("Draft", 0)]


def test_a_pick_that_cannot_be_graded_says_why(services: ModuleType) -> None:
    """Instead of a grade's id."""
    publish_id = published(services)

    with pytest.raises(NotGradedError, match="the event has no result yet"):
        services.grading_service.grade_published_prediction(publish_id)


@pytest.mark.parametrize("nothing", [None, "", " ", 7])
def test_a_grade_of_no_pick_is_not_asked_for(workspace: Workspace, nothing: Any) -> None:
    """Without a pick's id the request would be for all of them, and a forced one would grade each anew."""
    with pytest.raises(ValueError, match=r"^publish_id: .* names no publish"):
        GradingService(workspace).grade_published_prediction(nothing, force_regrade=True)

    assert not any(workspace.log.end().values())


@pytest.mark.parametrize(
    ("official", "why"),
    [(True, "a later publish of a prediction that is a pick already"), (False, "not published as official")],
)
def test_the_command_says_why_a_publish_is_no_pick(services: ModuleType, run: Run, official: bool, why: str) -> None:
    """It is on record, so that an unknown id would be the wrong thing to look for."""
    published(services)
    [prediction_id] = run("query", "SELECT prediction_id FROM predictions", "-f", "csv").out.splitlines()[1:]
    second = publish(services, prediction_id, "mail", official=official)

    done = run("grade", "--publish-id", second, check=False)

    assert (done.code, f"{second} is no pick: {why}; see" in done.error) == (2, True)


def test_old_snapshots_are_cleaned_up_by_whoever_owns(services: ModuleType) -> None:
    """The caller gets the number; what a prediction cites stays."""
    published(services)

    assert services.snapshot_service.cleanup_old_snapshots(retention_days=180) == 0


def test_the_commands_see_what_the_services_put_on_record(services: ModuleType, run: Run) -> None:
    """One folder, however it is reached."""
    publish_id = published(services)

    assert f"publish_id\n{publish_id}\n" == run("query", "SELECT publish_id FROM picks", "-f", "csv").out


def test_the_calendar_follows_what_other_processes_say(workspace: Workspace, clock: ManualClock) -> None:
    """Scheduled, put back, postponed, begun after all."""
    calendar, reporter = Calendar(workspace.log), EventReporter(workspace.log, workspace.clock)
    assert (calendar.start(EVENT), calendar.teams(EVENT)) == (None, None)

    reporter.schedule_event(EVENT, "NBA", "nba", *TEAMS, TIP_OFF)
    assert (EventStart(TIP_OFF), TEAMS) == (calendar.start(EVENT), calendar.teams(EVENT))
    later = TIP_OFF + timedelta(hours=1)
    clock.advance(timedelta(minutes=1))
    reporter.reschedule_event(EVENT, later)
    assert EventStart(later) == calendar.start(EVENT)
    clock.advance(timedelta(minutes=1))
    reporter.change_status(EVENT, "POSTPONED")
    assert EventStart(later, status="POSTPONED") == calendar.start(EVENT)
    clock.advance(timedelta(minutes=1))
    reporter.start_event(EVENT, NOW)
    assert EventStart(later, NOW) == calendar.start(EVENT)


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ("POSTPONED", "SCHEDULED"),
        ("CANCELLED", "SCHEDULED"),
        ("ABANDONED", "ABANDONED"),
        ("AWARDED", "AWARDED"),
    ],
)
def test_the_calendar_has_a_game_with_a_new_start_as_the_projections_have_it(
    workspace: Workspace, clock: ManualClock, status: EventStatus, then: EventStatus
) -> None:
    """On again, but for what was abandoned or awarded."""
    calendar, reporter = Calendar(workspace.log), EventReporter(workspace.log, workspace.clock)
    reporter.schedule_event(EVENT, "NBA", "nba", *TEAMS, TIP_OFF)
    clock.advance(timedelta(minutes=1))
    reporter.change_status(EVENT, status)

    clock.advance(timedelta(minutes=1))
    reporter.reschedule_event(EVENT, TIP_OFF + timedelta(days=1))

    assert EventStart(TIP_OFF + timedelta(days=1), status=then) == calendar.start(EVENT)


def _columns(workspace: Workspace) -> list[str]:
    with workspace.reader() as store:
        return [name for name, *_ in store.rows("DESCRIBE performance_rollups")]


def test_the_summary_of_nothing_says_so(workspace: Workspace) -> None:
    """No picks is no error: every key is there, counts are 0 and means None."""
    summary = GradingService(workspace).get_performance_summary("NBA")

    shown = ("cohort_key", "origin", "picks", "wins", "clv_n", "scored")
    assert tuple(summary[name] for name in shown) == ("NBA", "LIVE", 0, 0, 0, 0)
    means = ("win_rate", "roi", "total_units", "avg_clv", "avg_brier")
    assert {summary[name] for name in means} == {None}
    assert set(_columns(workspace)) == set(summary)


def test_every_setting_stands_in_the_docs() -> None:
    """By the name of its variable, with its default."""
    text = (DOCS / "settings.md").read_text("utf-8")

    for name, field in Settings.model_fields.items():
        assert f"| `ONRECORD_{name.upper()}` | `{field.default}` | {field.description} |" in text


def test_who_asks_for_grades_or_for_what_is_fresh_hears_how_far_it_is(workspace: Workspace) -> None:
    """Where nobody owns the projections, the caller catches up itself, which may take long."""
    told: list[tuple[int, int]] = []

    workspace.request_grades(None, None, progress=lambda done, left: told.append((done, left)))
    assert told
    told.clear()
    GradingService(workspace).grade_all_pending()
    workspace.log.append([make(EventScheduled)])
    with workspace.fresh_reader(lambda done, left: told.append((done, left))):
        assert told


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda s: s.grading_service.grade_all_pending(-1), "lookback_hours: Input should be greater than 0"),
        (
            lambda s: s.calibration_service.run_calibration_job(0),
            "training_days: Input should be greater than or equal",
        ),
        (lambda s: s.calibration_service.run_calibration_job(method="foo"), "method: Input should be 'isotonic'"),
        (lambda s: s.grading_service.get_performance_summary(start_date="2026"), "start_date: '2026' is no time"),
        (lambda s: s.grading_service.get_performance_summary(end_date=7), "end_date: 7 is no time"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named_in_one_line(
    services: Any, ask: Callable[[Any], object], told: str
) -> None:
    """And nothing goes on record."""
    with pytest.raises(ValueError, match=f"^{re.escape(told)}") as error:
        ask(services)

    assert "\n" not in str(error.value)
    assert not any(services.workspace().log.end().values())


def test_a_summary_takes_a_date_as_text(services: Any) -> None:
    """As it always did."""
    assert services.grading_service.get_performance_summary(start_date="2026-01-01")["picks"] == 0
