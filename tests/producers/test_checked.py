"""An argument of a wrong type is a ValueError that names it, whatever trips over it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from producers.event_reporter import EventReporter
from tests.producers.stage import EVENT, Stage

LEG = {"prediction_id": "a", "ticket_terms": {}}
WRONG: dict[str, Callable[[Any, EventReporter], object]] = {
    "^market_key: None is of type NoneType, not str$": lambda stage, _: stage.spread(market_key=None),
    "^selection: 1 is of type int, not str$": lambda stage, _: stage.spread(selection=1),
    "^captured_at: '2024-01-01' is of type str, not ": lambda stage, _: stage.spread(captured_at="2024-01-01"),
    "^captured_at: .* is of type date, not ": lambda stage, _: stage.spread(captured_at=date(2024, 1, 1)),
    "^line: nan is no number": lambda stage, _: stage.spread(line=float("nan")),
    "^line: 'abc' is no number": lambda stage, _: stage.spread(line="abc"),
    "^line: True is no number": lambda stage, _: stage.spread(line=True),
    "^players: None is of type NoneType, not ": lambda stage, _: stage.snapshots.capture_injury_snapshot(
        "Lakers", "NBA", "NBA", None, {}
    ),
    "^sim_run_id None is not on the log": lambda stage, _: stage.prediction(sim_run_id=None),
    "^snapshot 2 is not on the log": lambda stage, _: stage.runs.record_sim_run_inputs(
        stage.run(), further_snapshot_ids=[2]
    ),
    "^distribution_summary: .* is of type list, not ": lambda stage, _: stage.prediction(distribution_summary=[1]),
    "UNKNOWN_PREDICTION: prediction_id None": lambda stage, _: stage.publish(None),
    "^decision_reason_codes: None is of type NoneType, not ": lambda stage, _: stage.publish(
        stage.prediction(), decision_reason_codes=None
    ),
    "^idempotency_key: 2 is of type int, not ": lambda stage, _: stage.publish(stage.prediction(), idempotency_key=2),
    "^ticket_terms: .* is of type list, not ": lambda stage, _: stage.publishing.publish_prediction(
        stage.prediction(), "web", "public", [], [], is_official=True
    ),
    "BAD_LEGS: .* it is not 'a~1'$": lambda stage, _: stage.publishing.publish_parlay(
        ["a~1", "b~2"], "web", "public", is_official=True
    ),
    "^legs: None is of type NoneType, not ": lambda stage, _: stage.publishing.publish_parlay(
        None, "web", "public", is_official=True
    ),
    "^corrects: 7 is of type int, not str$": lambda _, events: events.correct_result(7, 1, 0),  # type: ignore[arg-type]
    "^event_id: ": lambda _, events: events.start_event(None),  # type: ignore[arg-type]
    "^periods: .* is of type list, not ": lambda _, events: events.record_result(
        EVENT,
        1,
        0,
        periods=[("q1", (1, 0))],  # type: ignore[arg-type]
    ),
    "^periods: q1 has 1: pass home's and away's": lambda _, events: events.record_result(
        EVENT,
        1,
        0,
        periods={"q1": 1},  # type: ignore[dict-item]
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_argument_of_a_wrong_type_is_named(stage: Stage, what: str) -> None:
    """Never what Python says where something inside trips over it."""
    with pytest.raises(ValueError, match=what) as refused:
        WRONG[what](stage, EventReporter(stage.log, stage.clock))

    assert len(str(refused.value).splitlines()) == 1


def test_what_is_no_fault_of_the_arguments_stays_what_it_is(stage: Stage) -> None:
    """A part of ours that is broken, and an argument too few."""

    class Broken(EventReporter):
        """Its clock is none."""

    with pytest.raises(AttributeError, match="now"):
        Broken(stage.log, None).start_event(EVENT)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="event_id"):
        EventReporter(stage.log, stage.clock).start_event()  # type: ignore[call-arg]
