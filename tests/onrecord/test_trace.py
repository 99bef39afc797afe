"""A trace is whole: it holds every id that a grade rests on, and says of an id that dangles that it is missing."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

import pytest

from onrecord.trace import NOT_ON_RECORD, Node, lineage
from projections.store import Store
from schemas.calibrations import CalibrationTrained
from tests.consumers.scene import SPREAD, START, Scene
from tests.records import make

MONEYLINE = "MONEYLINE:FULL_GAME"
IDS = {
    "publish": ("publishes", "publish_id"),
    "prediction": ("predictions", "prediction_id"),
    "run": ("sim_run_starts", "sim_run_id"),
    "calibration version": ("trained_versions", "calibration_version"),
    "odds": ("odds_records", "snapshot_id"),
    "injuries": ("injury_snapshots", "injury_snapshot_id"),
    "result": ("event_result_history", "result_id"),
    "change": ("event_changes", "change_id"),
    "raw payload": ("raw_payloads", "raw_payload_id"),
}
"""Every kind that a grade rests on, with its table and its id."""


@pytest.fixture
def scene(store: Store) -> Iterator[Scene]:
    """A game on the calendar and a calibration version that was trained."""
    one = Scene(store)
    one.log.append([make(CalibrationTrained)])
    one.game()
    yield one
    one.close()


@pytest.fixture
def grade(scene: Scene) -> Node:
    """The lineage of one calibrated pick, whose run saw three prices and two reports, by a result corrected since."""
    seen = [scene.odds("1.91", book=book) for book in ("draftkings", "fanduel", "betmgm")]
    reports = [
        scene.snapshots.capture_injury_snapshot(team, "NBA", "tests", [], {team: 1}) for team in ("Lakers", "Celtics")
    ]
    run_id = scene.runs.create_sim_run("game", "scheduled", 1000, "m1", "f1", "d1", seed_policy="fixed")
    scene.runs.record_sim_run_inputs(run_id, seen[0], reports[0], reports[1], further_snapshot_ids=seen[1:])
    prediction_id = scene.runs.create_prediction(
        sim_run_id=run_id,
        event_id="game",
        market_key=SPREAD,
        selection="HOME",
        market_snapshot_id_used=seen[0],
        p_cover=0.6,
        p_cover_calibrated=0.55,
        calibration_version_applied="cal-1",
    )
    publish_id = scene.publish(prediction_id, {"price": "1.91", "book": "draftkings", "line": -5.5})
    scene.clock.at = START - timedelta(minutes=1)
    scene.odds("1.85")
    result_id = scene.played(110, 100)
    scene.grade(publish_id)
    scene.events.correct_result(result_id, 110, 107)
    scene.grade(publish_id)
    return lineage(scene.store, publish_id)


def nodes(tree: Node) -> Iterator[Node]:
    """All of a tree."""
    yield tree
    for below in tree.rests_on:
        yield from nodes(below)


def cited_by_anything(store: Store) -> set[str]:
    """Every id that any grade, prediction or run cites, by the audit's own list, with versions and raw payloads."""
    audit = (files("projections") / "sql" / "audit.sql").read_text("utf-8")
    cited = audit.partition("cited AS (\n")[2].partition("\n), ")[0]
    more = (
        "SELECT corrects FROM event_result_history UNION SELECT calibration_version_applied FROM predictions "
        "UNION SELECT publish_id FROM gradings UNION SELECT raw_payload_id FROM raw_payloads"
    )
    return {id_ for (id_,) in store.rows(f"SELECT id FROM ({cited}) UNION {more}") if id_ is not None}


def test_a_grades_tree_holds_every_id_that_it_rests_on(scene: Scene, grade: Node) -> None:
    """Given a history of one pick, then its tree has all that anything cites, of every kind, and nothing is missing."""
    cited = cited_by_anything(scene.store)

    assert cited - {node.id for node in nodes(grade)} == set()
    assert set(IDS) == {node.kind for node in nodes(grade)} - {"grade"}
    assert [node for node in nodes(grade) if node.facts == NOT_ON_RECORD] == []


@pytest.mark.parametrize("kind", IDS)
def test_an_id_that_dangles_is_drawn_as_not_on_record(scene: Scene, grade: Node, kind: str) -> None:
    """Given a thing that is gone, when the grade is traced, then it stands in the tree, and only it is missing."""
    table, column = IDS[kind]
    *_, gone = (node.id for node in nodes(grade) if node.kind == kind)

    scene.store.execute(f"DELETE FROM {table} WHERE {column} = '{gone}'")
    tree = lineage(scene.store, grade.id)

    assert {(node.kind, node.id) for node in nodes(tree) if node.facts == NOT_ON_RECORD} == {(kind, gone)}


def test_what_a_run_saw_has_an_id_of_its_own(scene: Scene, grade: Node) -> None:
    """Given the id that recording the inputs returned, then below it stand three prices and two reports."""
    [(inputs_id, run_id)] = scene.store.rows("SELECT inputs_id, sim_run_id FROM sim_run_inputs")

    tree = lineage(scene.store, inputs_id)

    assert ("run inputs", run_id) == (tree.kind, tree.facts["sim_run_id"])
    assert [node.kind for node in tree.rests_on] == ["odds"] * 3 + ["injuries"] * 2


def test_a_parlays_tree_holds_its_legs(scene: Scene) -> None:
    """Given a parlay that was graded, then below the grade stands the parlay, and below it both predictions."""
    legs = [scene.leg("1.80", MONEYLINE), scene.leg("2.00", MONEYLINE, event_id=scene.game("other"))]
    publish_id = scene.parlay(*legs)
    scene.played(110, 100)
    scene.played(110, 100, "other")
    scene.grade(publish_id)

    parlay, *_ = lineage(scene.store, publish_id).rests_on

    assert ("parlay", publish_id) == (parlay.kind, parlay.id)
    assert [leg["prediction_id"] for leg in legs] == [node.id for node in parlay.rests_on]


def test_a_correction_of_itself_ends(scene: Scene, grade: Node) -> None:
    """Given a result that names itself, when the grade is traced, then it is drawn and cited once more, no further."""
    [result] = [node for node in grade.rests_on if node.kind == "result"]

    scene.store.execute(f"UPDATE event_result_history SET corrects = result_id WHERE result_id = '{result.id}'")

    [again] = [node for node in lineage(scene.store, grade.id).rests_on if node.kind == "result"]
    assert [(result.id, {"is": "drawn above"}, [])] == [(node.id, node.facts, node.rests_on) for node in again.rests_on]
