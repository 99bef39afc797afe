"""The audit can fail: for each check an offender is planted, and exactly that check reports it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from eventlog.clock import ManualClock
from onrecord.checks import Verification, last_verification, verification_check
from onrecord.forecasting import Forecaster
from onrecord.history import import_history, read_files
from onrecord.wiring import Workspace
from projections.store import Store
from schemas.events import EventStarted, EventStatusChanged, ResultRecorded
from schemas.publishes import ParlayPublished, PredictionPublished
from schemas.record import Record
from tests.consumers.scene import MORNING, START, Row, Scene, imported_start
from tests.onrecord.season import season_file
from tests.records import make

NONE = dict.fromkeys(range(1, 10), 0)
WON = "publish_id = (SELECT publish_id FROM graded_picks WHERE summary = 'WIN')"
VOIDED = "publish_id = (SELECT publish_id FROM graded_picks WHERE summary = 'VOID')"

RETAINED = "INSERT INTO retention_parts VALUES ('part', 'retention', 'request', 1, 1, now(), true, 1, now());"


def _removed(which: str) -> str:
    """A retention that keeps every price but some."""
    kept = f"INSERT INTO retention_kept SELECT 'retention', snapshot_id FROM odds_records WHERE NOT ({which})"
    return f"{RETAINED} {kept}"


OFFENDERS = {
    "a grade whose publish was never official": (1, f"UPDATE publishes SET is_official = false WHERE {WON}"),
    "a grade of a publish that came too late": (
        1,
        f"UPDATE publishes SET published_at = published_at + INTERVAL 1 DAY WHERE {WON}",
    ),
    "a grade that cites a rerun's prediction": (
        2,
        f"UPDATE grading SET prediction_ids = ['game~a rerun'] WHERE {WON}",
    ),
    "a parlay's grade that cites a rerun's prediction": (
        2,
        "UPDATE grading SET prediction_ids = list_reverse(prediction_ids) WHERE close_reason = 'PARLAY'",
    ),
    "a price without its raw payload": (
        3,
        "DELETE FROM raw_payloads WHERE raw_payload_id = (SELECT min(raw_payload_id) FROM odds_records)",
    ),
    "an injury report without its raw payload": (
        3,
        "DELETE FROM raw_payloads WHERE raw_payload_id = (SELECT raw_payload_id FROM injury_snapshots)",
    ),
    "a priced pick that names no market snapshot": (
        4,
        "INSERT INTO predictions SELECT * REPLACE ('game~unpriced' AS prediction_id, NULL AS market_snapshot_id_used) "
        f"FROM predictions WHERE prediction_id = (SELECT prediction_id FROM publishes WHERE {WON}); "
        "INSERT INTO publishes SELECT * REPLACE ('game~more' AS publish_id, 'game~unpriced' AS prediction_id) "
        f"FROM publishes WHERE {WON}",
    ),
    "a grade without a close or a reason": (
        4,
        f"UPDATE grading SET close_snapshot_id = NULL, close_reason = NULL WHERE {WON}",
    ),
    "a close from after the start": (
        5,
        "UPDATE closing_lines SET captured_at = started_at + INTERVAL 1 SECOND "
        "WHERE snapshot_id = (SELECT min(snapshot_id) FROM closing_lines)",
    ),
    "a live price from the future": (
        5,
        "UPDATE odds_records SET recorded_at = captured_at - INTERVAL 1 HOUR "
        "WHERE snapshot_id = (SELECT min(snapshot_id) FROM odds_records)",
    ),
    "a live injury report from the future": (
        5,
        "UPDATE injury_snapshots SET captured_at = known_at + INTERVAL 1 HOUR",
    ),
    "a live prediction from the future": (
        5,
        "UPDATE predictions SET predicted_at = known_at + INTERVAL 1 HOUR "
        f"WHERE prediction_id = (SELECT prediction_id FROM publishes WHERE {WON})",
    ),
    "a live publish from the future": (
        5,
        f"UPDATE publishes SET occurred_at = published_at + INTERVAL 1 HOUR WHERE {WON}",
    ),
    "a live parlay from the future": (
        5,
        "UPDATE parlays SET occurred_at = published_at + INTERVAL 1 HOUR",
    ),
    "a live change of an event from the future": (
        5,
        "UPDATE event_changes SET occurred_at = known_at + INTERVAL 1 HOUR "
        "WHERE change_id = (SELECT min(change_id) FROM event_changes)",
    ),
    "a live result from the future": (
        5,
        "UPDATE event_result_history SET occurred_at = known_at + INTERVAL 1 HOUR",
    ),
    "a cancelled game that was won": (6, f"UPDATE grading SET outcome = 'WIN', summary = 'WIN' WHERE {VOIDED}"),
    "a parlay that is paid for its cancelled leg": (
        6,
        "UPDATE grading SET unit_return = 2.6 WHERE close_reason = 'PARLAY'",
    ),
    "a lost parlay whose games were all cancelled": (
        6,
        "UPDATE events SET status = 'CANCELLED'; DELETE FROM event_results; "
        f"UPDATE grading SET summary = 'VOID' WHERE {WON}; DELETE FROM gradings; "
        "UPDATE grading SET summary = 'LOSS', unit_return = -1 WHERE close_reason = 'PARLAY'",
    ),
    "a publish that is there twice": (7, f"INSERT INTO publishes FROM publishes WHERE {WON}"),
    "a prediction that is two picks": (
        7,
        "INSERT INTO predictions FROM predictions "
        f"WHERE prediction_id = (SELECT prediction_id FROM publishes WHERE {WON})",
    ),
    "a price in another month": (
        8,
        "UPDATE odds_records SET captured_month = DATE '2020-01-01' "
        "WHERE snapshot_id = (SELECT min(snapshot_id) FROM odds_records)",
    ),
    "a close that retention removed": (
        8,
        _removed("snapshot_id = (SELECT min(close_snapshot_id) FROM grading)"),
    ),
    "a run's price that retention removed": (
        8,
        _removed("snapshot_id = (SELECT snapshot_id FROM sim_run_inputs)"),
    ),
    "a run's further price that retention removed": (
        8,
        _removed("snapshot_id = (SELECT further_snapshot_ids[1] FROM sim_run_inputs)"),
    ),
    "a result that nobody told": (9, f"UPDATE gradings SET result_ids = ['game~nowhere'] WHERE {WON}"),
    "a run's injury report that nobody told": (9, "DELETE FROM injury_snapshots"),
    "a result whose raw payload nobody kept": (9, "UPDATE event_result_history SET raw_payload_id = 'nowhere'"),
    "a correction of a result that nobody told": (9, "UPDATE event_result_history SET corrects = 'game~nowhere'"),
    "a start that nobody told": (9, f"UPDATE gradings SET start_ids = ['game~nowhere'] WHERE {WON}"),
}
"""What is planted in a sound history: the check that must find it, and the statement that plants it."""


@pytest.fixture
def sound(store: Store) -> Iterator[Scene]:
    """A history with a win, a void, a parlay, injuries and retention's answer, in which nothing offends."""
    scene = Scene(store)
    scene.game()
    scene.game("off")
    scene.pick()
    scene.pick(event_id="off")
    scene.parlay(scene.leg("1.80", "MONEYLINE:FULL_GAME"), scene.leg("2.00", "MONEYLINE:FULL_GAME", event_id="off"))
    injuries = scene.snapshots.capture_injury_snapshot("Lakers", "NBA", "tests", [], {"report": 1})
    run_id = scene.runs.create_sim_run("game", "scheduled", 1000, "m1", "f1", "d1", seed_policy="fixed")
    first, further = scene.odds("1.90"), scene.odds("1.91", book="fanduel")
    scene.runs.record_sim_run_inputs(run_id, first, injuries, further_snapshot_ids=[further])
    scene.events.change_status("off", "CANCELLED")
    scene.clock.at = START - timedelta(minutes=1)
    scene.odds("1.85")
    scene.odds("1.86", book="fanduel")
    scene.played(110, 100)
    scene.owner.run_once()
    yield scene
    scene.close()


def offenders(store: Store) -> dict[int, int]:
    """Each check's count."""
    return {row["check"]: row["offenders"] for row in store.query("audit").to_pylist()}


def test_a_sound_history_has_no_offender(sound: Scene) -> None:
    """And it holds what the checks are about: a win, a void, a parlay, a close that somebody cites."""
    assert offenders(sound.store) == NONE
    assert sound.rows("SELECT summary, count(*) FROM grading GROUP BY 1 ORDER BY 1") == [("VOID", 1), ("WIN", 2)]
    assert sound.rows("SELECT count(close_snapshot_id) FROM graded_picks WHERE summary = 'WIN'") == [(1,)]


@pytest.mark.parametrize("planted", OFFENDERS)
def test_exactly_the_check_that_is_meant_finds_the_offender(sound: Scene, planted: str) -> None:
    """One offender, one check; every check has at least one plant."""
    number, statement = OFFENDERS[planted]

    sound.store.execute(statement)

    assert NONE | {number: 1} == offenders(sound.store)


def test_a_start_that_is_told_after_the_grade_makes_no_offender(sound: Scene) -> None:
    """By then the pick and its parlay came too late: they leave every total, and the grades on record stay history."""
    sound.later(hours=1)
    sound.events.start_event("game", started_at=START - timedelta(days=1))
    sound.owner.run_once()

    assert sound.rows("SELECT DISTINCT invalid_because FROM judged_legs WHERE event_id = 'game'") == [("AFTER_START",)]
    assert sound.rows("SELECT summary FROM graded_picks UNION ALL SELECT summary FROM graded_parlays") == [("VOID",)]
    assert sound.rows("SELECT count(*) FROM grading") == [(3,)]
    assert offenders(sound.store) == NONE


def test_an_earlier_start_that_is_imported_after_the_grade_makes_no_offender(sound: Scene) -> None:
    """It is dated before the grade, but a live pick heard of it after that."""
    sound.later(days=100)
    sound.log.append([imported_start("game", START + timedelta(hours=1), START - timedelta(days=1))])
    sound.owner.run_once()

    assert sound.rows("SELECT DISTINCT invalid_because FROM judged_legs WHERE event_id = 'game'") == [("AFTER_START",)]
    assert sound.rows("SELECT count(*) FROM grading") == [(3,)]
    assert offenders(sound.store) == NONE


def test_a_publish_that_gives_way_to_an_earlier_one_makes_no_offender(store: Store) -> None:
    """The earlier one was too late by a start that was told wrong: while that stood, the second was the pick."""
    scene = Scene(store)
    scene.game()
    scene.clock.at = START - timedelta(hours=1)
    leg = scene.leg()
    scene.publish(leg["prediction_id"], leg["ticket_terms"])
    scene.later(minutes=1)
    second = scene.publish(leg["prediction_id"], leg["ticket_terms"], "web", in_play=True)
    scene.played(110, 100)
    for at in (START - timedelta(hours=2), START):
        scene.later(minutes=5)
        scene.events.start_event("game", at)
        scene.owner.run_once()

    assert (second,) in scene.rows("SELECT publish_id FROM grading")
    assert (second,) not in scene.rows("SELECT publish_id FROM graded_picks")
    assert offenders(store) == NONE
    scene.close()


def test_a_publish_before_which_an_older_one_is_imported_makes_no_offender(store: Store) -> None:
    """The first publish of a prediction is its pick: the one that was graded is none any more."""
    scene = Scene(store)
    scene.game()
    leg = scene.leg()
    scene.later(hours=1)
    scene.publish(leg["prediction_id"], leg["ticket_terms"])
    scene.played(110, 100)
    scene.owner.run_once()
    [graded] = scene.records(PredictionPublished)
    scene.later(hours=1)

    data = graded.data.model_copy(update={"channel": "mail"})
    scene.log.append([make(PredictionPublished, "game", MORNING, origin="BACKFILL", **data.model_dump())])
    scene.owner.run_once()

    assert scene.rows("SELECT channel FROM picks") == [("mail",)]
    assert offenders(store) == NONE
    scene.close()


def test_a_parlay_before_which_an_older_one_is_imported_makes_no_offender(store: Store) -> None:
    """Of the same legs, too, the first is the one that counts."""
    scene = Scene(store)
    legs = [scene.leg(event_id=scene.game(name)) for name in ("first", "second")]
    scene.later(hours=1)
    graded = scene.parlay(*legs)
    for name in ("first", "second"):
        scene.played(110, 100, name)
    assert scene.grade(graded)["outcome"] == "WIN"
    [told] = scene.records(ParlayPublished)
    scene.later(hours=1)

    data = told.data.model_copy(update={"channel": "mail"})
    scene.log.append([make(ParlayPublished, at=MORNING, origin="BACKFILL", **data.model_dump())])
    scene.owner.run_once()

    assert (graded,) not in scene.rows("SELECT publish_id FROM parlay_picks")
    assert offenders(store) == NONE
    scene.close()


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        (EventStarted, {}, "AFTER_START"),
        (EventStatusChanged, {"status": "CANCELLED"}, "EVENT_OVER"),
        (ResultRecorded, {"home": 1, "away": 0}, "RESULT_KNOWN"),
    ],
)
def test_history_that_comes_after_its_grades_makes_no_offender(
    workspace: Workspace, clock: ManualClock, tmp_path: Path, kind: type[Record], said: Row, reason: str
) -> None:
    """Another source dates something before a pick that was graded: the pick leaves every total, as a live one does."""
    files, refused = read_files("football-data", [season_file(tmp_path, matches=60)])
    import_history(workspace.log, files, refused, Forecaster(), lambda _done, _left: None)
    workspace.settle_down(workspace.log.end())
    with workspace.reader() as store:
        [(event_id, published_at)] = store.rows("SELECT event_id, published_at FROM graded_picks LIMIT 1")
    before = published_at - timedelta(hours=1)
    told = said or {"started_at": before}

    clock.advance(timedelta(days=1))
    workspace.log.append([make(kind, event_id, before, origin="BACKFILL", **told)])
    workspace.settle_down(workspace.log.end())

    with workspace.reader() as store:
        judged = "SELECT DISTINCT invalid_because FROM judged_legs SEMI JOIN grading USING (publish_id)"
        assert store.rows(f"{judged} WHERE event_id = $event_id", {"event_id": event_id}) == [(reason,)]
        assert offenders(store) == NONE


def test_every_check_has_a_plant() -> None:
    """The tenth is below."""
    assert set(NONE) == {number for number, _ in OFFENDERS.values()}


def test_projections_that_differ_from_a_rebuild_are_the_tenth_checks_offender(
    workspace: Workspace, tmp_path: Path
) -> None:
    """A row that was changed behind everybody's back: only the verification can see it, and names the table."""
    files, refused = read_files("football-data", [season_file(tmp_path, matches=3)])
    import_history(workspace.log, files, refused, None, lambda _done, _left: None)
    workspace.settle_down(workspace.log.end())
    assert [check.offenders for check in workspace.audit()] == [0] * 10

    with workspace.owner() as owner:
        owner.store.execute("UPDATE latest_odds SET price_decimal = price_decimal + 1 WHERE book = 'bet365'")
    done = workspace.verify()

    assert done.differing == ("latest_odds",)
    checks = workspace.audit()
    assert {check.number: check.offenders for check in checks} == NONE | {10: 1}
    assert checks[-1].example == "latest_odds"


def test_an_audit_verifies_again_what_was_folded_since(workspace: Workspace, tmp_path: Path) -> None:
    """A verification of other positions, or of another file, says nothing of these."""
    workspace.settle_down(workspace.log.end())
    assert workspace.audit()[-1].offenders == 0
    files, refused = read_files("football-data", [season_file(tmp_path, matches=3)])
    import_history(workspace.log, files, refused, None, lambda _done, _left: None)
    workspace.settle_down(workspace.log.end())
    with workspace.owner() as owner:
        owner.store.execute("UPDATE latest_odds SET price_decimal = price_decimal + 1 WHERE book = 'bet365'")

    changed = workspace.audit()[-1]
    workspace.rebuild()
    rebuilt = workspace.audit()[-1]

    assert [(changed.offenders, changed.example), rebuilt.offenders] == [(1, "latest_odds"), 0]


def test_the_tenth_check_says_how_old_it_is() -> None:
    """What was verified long ago is not what is there now."""
    check = verification_check(Verification(START, 30, (), "of"), START + timedelta(hours=3))

    assert (check.offenders, check.says.partition("(")[2].rstrip(")")) == (0, "verified 3:00:00 ago, 30 tables")


@pytest.mark.parametrize("text", ["", "[]", '{"of": "of"}', '{"of": "of", "at": "", "tables": 1, "differing": []}'])
def test_a_verification_that_cannot_be_read_was_not_made(tmp_path: Path, text: str) -> None:
    """The audit makes another."""
    (tmp_path / "verification.json").write_text(text)
    assert last_verification(tmp_path, "of") is None
