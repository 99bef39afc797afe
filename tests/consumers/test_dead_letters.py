"""A record that cannot be read holds up its own event, and nothing else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from eventlog.log import BATCH
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.store import Store
from schemas.requests import DeadLetterResolution, DeadLetterResolved
from tests.calibrated_picks import HOUR, picks
from tests.consumers.scene import Scene


def corrupt_start(log: SqliteLog, event_id: str, at: datetime) -> None:
    """What a foreign producer may put on the log: an EventStarted without a time."""
    row = {
        "record_id": "00000000-0000-7000-8000-000000000000",
        "type": "EventStarted",
        "schema_version": 1,
        "event_id": event_id,
        "occurred_at": at,
        "recorded_at": at,
        "origin": "LIVE",
        "producer": "foreign",
        "data": json.dumps({"assumed": False}),
    }
    blank = dict.fromkeys(BATCH.names) | {"topic": "events", "partition": 0, "offset": 0}
    log.append_batch(pa.Table.from_pylist([blank | row], schema=BATCH))


def test_an_event_with_a_dead_letter_is_not_decided_and_others_are(scene: Scene) -> None:
    """What was lost might have changed the grade."""
    for event_id in ("whole", "broken"):
        scene.game(event_id)
    whole, broken = (scene.pick(event_id=event_id) for event_id in ("whole", "broken"))
    corrupt_start(scene.log, "broken", scene.clock.at)
    scene.played(110, 100, "whole")
    scene.played(110, 100, "broken")

    assert (scene.grades(broken), scene.grade(whole)["outcome"]) == ([], "WIN")
    assert scene.store.query("dead_letters_open").num_rows == 1


LONG: dict[str, Callable[[Scene, int], str]] = {
    "home": lambda scene, number: scene.events.record_result("game", number, 100),
    "penalties_away": lambda scene, number: scene.events.record_result(
        "game", 1, 1, penalties_home=4, penalties_away=number
    ),
    "away": lambda scene, number: scene.events.record_result(
        "game", None, None, winner="away", periods={"q1": (1, number)}
    ),
    "seed": lambda scene, number: scene.run(seed=number),
    "sim_count": lambda scene, number: scene.run(sim_count=number),
    "runtime_ms": lambda scene, number: scene.runs.complete_sim_run(scene.run(), number),
    "game_number": lambda scene, number: scene.events.schedule_event(
        "game", "NBA", "nba", "Lakers", "Celtics", scene.clock.at, game_number=number
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_whole_number_that_no_projection_takes_is_refused_at_the_call(scene: Scene, name: str) -> None:
    """The log would take it, and the event wait for ever: the longest that passes is folded."""
    with pytest.raises(ValueError, match=f"^{name}: .* more than 64 bits"):
        LONG[name](scene, 2**63)
    LONG[name](scene, 2**63 - 1)

    scene.owner.run_once()

    assert scene.store.query("dead_letters_open").num_rows == 0


def test_once_the_letter_is_dropped_the_event_is_decided(scene: Scene) -> None:
    """Somebody said that nothing is lost by it; who and why are on record."""
    scene.game()
    publish_id = scene.pick()
    corrupt_start(scene.log, "game", scene.clock.at)
    scene.played(110, 100)
    assert scene.grades(publish_id) == []
    [letter] = scene.store.query("dead_letters_open").to_pylist()
    decision = DeadLetterResolution(dead_letter=letter["dead_letter"], action="drop", who="ann", why="sent twice")

    scene.log.append([DeadLetterResolved(occurred_at=scene.clock.at, producer="tests", data=decision)])

    assert scene.grade(publish_id)["outcome"] == "WIN"


def test_no_calibration_learns_from_an_event_with_a_dead_letter() -> None:
    """Given four settled picks of two games, when one game is held, its two neither train nor are watched."""
    at = datetime(2024, 1, 1, 12, tzinfo=UTC)
    with SqliteLog(":memory:") as log:
        log.append(picks(np.array([0.6] * 4), [0.55] * 4, [1.0, 0.0, 1.0, 1.0], at))
        before = counted(log)
        corrupt_start(log, "NBA-0-A-B-1", at + HOUR)

        assert (before, counted(log)) == ((4, 4), (2, 2))


def counted(log: SqliteLog) -> tuple[int, int]:
    """How many picks the calibrator trains on, and how many its monitor looks at."""
    store = Store()
    catch_up(log, store)
    trained = store.query("calibration_rows").num_rows
    watched = store.query("served_rows", {"since": datetime(2000, 1, 1, tzinfo=UTC)}).num_rows
    store.close()
    return trained, watched
