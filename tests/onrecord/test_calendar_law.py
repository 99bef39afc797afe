"""What the publishing service refuses as over, the projections hold to be over, whatever is told of a game."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producers.publishing_service import PublishRefusedError
from projections.store import Store
from schemas.publishes import PredictionPublished
from tests.consumers.scene import START, Scene

Step = tuple[str, str]
STEPS = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(["SCHEDULED", "POSTPONED", "CANCELLED", "ABANDONED", "AWARDED"])),
    st.tuples(
        st.sampled_from(["result", "correction"]), st.sampled_from(["FINAL", "CANCELLED", "POSTPONED", "ABANDONED"])
    ),
    st.tuples(st.sampled_from(["scheduled", "rescheduled", "started"]), st.just("")),
)


@pytest.fixture(scope="module")
def one_store() -> Iterator[Store]:
    """Each scene leaves it empty."""
    store = Store()
    yield store
    store.close()


def tell(scene: Scene, what: str, status: str, results: list[str]) -> None:
    """One more word on the game; a correction without a result is one."""
    score = (2, 1) if status == "FINAL" else (None, None)
    if what == "status":
        scene.events.change_status("game", status)  # type: ignore[arg-type]
    elif what == "correction" and results:
        results.append(scene.events.correct_result(results[-1], *score, status=status))  # type: ignore[arg-type]
    elif what in {"result", "correction"}:
        results.append(scene.events.record_result("game", *score, status=status))  # type: ignore[arg-type]
    elif what == "started":
        scene.events.start_event("game")
    elif what == "scheduled":
        scene.game()
    else:
        scene.events.reschedule_event("game", START)


def ask(scene: Scene, pick: PredictionPublished, channel: str) -> str | None:
    """Why the service refuses the pick now; another producer puts it on record then."""
    data = pick.data.model_copy(update={"channel": channel, "in_play": True})
    try:
        scene.publishing.publish_prediction(
            data.prediction_id,
            channel,
            data.visibility,
            [],
            data.ticket_terms.model_dump(include={"line", "price", "book"}),
            is_official=True,
            in_play=True,
            odds_format="decimal",
        )
    except PublishRefusedError as refused:
        scene.log.append(
            [PredictionPublished(event_id="game", occurred_at=scene.clock.at, producer="tests", data=data)]
        )
        return refused.code
    return None


@settings(deadline=None, max_examples=40)
@example(story=[("result", "FINAL"), ("correction", "POSTPONED"), ("rescheduled", "")])
@example(story=[("result", "ABANDONED"), ("correction", "FINAL"), ("result", "ABANDONED")])
@example(story=[("status", "CANCELLED"), ("scheduled", ""), ("rescheduled", "")])
@example(story=[("result", "FINAL"), ("scheduled", "")])
@given(story=st.lists(STEPS, min_size=1, max_size=6))
def test_the_service_refuses_what_the_projections_hold_to_be_over(one_store: Store, story: list[Step]) -> None:
    """After every word, in-play, so that only the end of a game counts."""
    scene = Scene(one_store)
    scene.game()
    scene.pick()
    [pick] = scene.records(PredictionPublished)
    refused: list[str | None] = [None]
    results: list[str] = []
    for number, (what, status) in enumerate(story):
        scene.later(minutes=1)
        tell(scene, what, status, results)
        scene.later(minutes=1)
        refused.append(ask(scene, pick, f"channel {number}"))

    held = scene.rows("SELECT invalid_because FROM published_predictions ORDER BY published_at")
    scene.close()

    assert refused == [why for (why,) in held]
