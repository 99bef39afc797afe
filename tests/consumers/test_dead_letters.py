"""A record that cannot be read holds up its own event, and nothing else."""

import json

import pyarrow as pa

from eventlog.log import BATCH
from schemas.requests import DeadLetterResolution, DeadLetterResolved
from tests.consumers.scene import Scene


def corrupt_start(scene: Scene, event_id: str) -> None:
    """What a foreign producer may put on the log: an EventStarted without a time."""
    row = {
        "record_id": "00000000-0000-7000-8000-000000000000",
        "type": "EventStarted",
        "schema_version": 1,
        "event_id": event_id,
        "occurred_at": scene.clock.at,
        "recorded_at": scene.clock.at,
        "origin": "LIVE",
        "producer": "foreign",
        "data": json.dumps({"assumed": False}),
    }
    blank = dict.fromkeys(BATCH.names) | {"topic": "events", "partition": 0, "offset": 0}
    scene.log.append_batch(pa.Table.from_pylist([blank | row], schema=BATCH))


def test_an_event_with_a_dead_letter_is_not_decided_and_others_are(scene: Scene) -> None:
    """What was lost might have changed the grade."""
    for event_id in ("whole", "broken"):
        scene.game(event_id)
    whole, broken = (scene.pick(event_id=event_id) for event_id in ("whole", "broken"))
    corrupt_start(scene, "broken")
    scene.played(110, 100, "whole")
    scene.played(110, 100, "broken")

    assert (scene.grades(broken), scene.grade(whole)["outcome"]) == ([], "WIN")
    assert scene.store.query("dead_letters_open").num_rows == 1


def test_once_the_letter_is_dropped_the_event_is_decided(scene: Scene) -> None:
    """Somebody said that nothing is lost by it; who and why are on record."""
    scene.game()
    publish_id = scene.pick()
    corrupt_start(scene, "game")
    scene.played(110, 100)
    assert scene.grades(publish_id) == []
    [letter] = scene.store.query("dead_letters_open").to_pylist()
    decision = DeadLetterResolution(dead_letter=letter["dead_letter"], action="drop", who="ann", why="sent twice")

    scene.log.append([DeadLetterResolved(occurred_at=scene.clock.at, producer="tests", data=decision)])

    assert scene.grade(publish_id)["outcome"] == "WIN"
