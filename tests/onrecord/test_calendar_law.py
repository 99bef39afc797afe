"""What the publishing service refuses as over, the projections hold to be over, whatever is told of a game."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onrecord.calendar import Calendar
from producers.publishing_service import PublishRefusedError
from projections.store import Store
from schemas.events import (
    Correction,
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatus,
    EventStatusChanged,
    Reschedule,
    Result,
    ResultCorrected,
    ResultRecorded,
    ResultStatus,
    Schedule,
    Start,
    StatusChange,
)
from schemas.publishes import PredictionPublished
from schemas.record import Record
from tests.consumers.scene import MORNING, START, Scene

Step = tuple[str, str]
STEPS = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(get_args(EventStatus))),
    st.tuples(
        st.sampled_from(["result", "correction", "correction of the first", "who won"]),
        st.sampled_from(get_args(ResultStatus)),
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
    elif what == "correction of the first" and results:
        results.append(scene.events.correct_result(results[0], *score, status=status))  # type: ignore[arg-type]
    elif what == "who won":
        said = {"winner": "home", "time_assumed": True}
        results.append(scene.events.record_result("game", None, None, status=status, **said))  # type: ignore[arg-type]
    elif what in {"result", "correction", "correction of the first"}:
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


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@example(story=[("result", "FINAL"), ("correction", "POSTPONED"), ("rescheduled", "")])
@example(story=[("result", "ABANDONED"), ("correction", "FINAL"), ("result", "ABANDONED")])
@example(story=[("result", "FINAL"), ("correction", "POSTPONED"), ("rescheduled", ""), ("result", "FINAL")])
@example(story=[("result", "FINAL"), ("correction", "ABANDONED"), ("correction", "POSTPONED")])
@example(story=[("result", "ABANDONED"), ("who won", "FINAL")])
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


def change(what: str, hours: int, told: int, *, assumed: bool = False) -> Record:
    """What is told of the game at an hour after the morning: a start so many hours off the plan, or a status."""
    said = {"event_id": "game", "occurred_at": MORNING + timedelta(hours=told), "producer": "tests"}
    at = START + timedelta(hours=hours)
    if what == "scheduled":
        teams = {"league": "NBA", "sport": "nba", "home": "Lakers", "away": "Celtics"}
        return EventScheduled(**said, data=Schedule(**teams, starts_at=at, start_assumed=assumed))
    if what == "rescheduled":
        return EventRescheduled(**said, data=Reschedule(starts_at=at, start_assumed=assumed))
    if what == "started":
        return EventStarted(**said, data=Start(started_at=at, assumed=assumed))
    return EventStatusChanged(**said, data=StatusChange(status=what))


CHANGES = st.builds(
    change,
    st.sampled_from(["scheduled", "rescheduled", "started", "POSTPONED", "CANCELLED", "AWARDED"]),
    st.integers(-3, 3),
    st.integers(0, 5),
    assumed=st.booleans(),
)


def result(status: str, told: int, *, corrects: str | None, scored: bool, assumed: bool) -> Record:
    """Told at an hour after the morning; `corrects` None is a first word, else it names one."""
    score = {"home": 2, "away": 1} if scored else {"winner": "home"}
    said = {"status": status, "time_assumed": assumed} | score
    about = {"event_id": "game", "occurred_at": MORNING + timedelta(hours=told), "producer": "tests"}
    if corrects is None:
        return ResultRecorded(**about, data=Result(**said))
    return ResultCorrected(**about, data=Correction(**said, corrects=corrects))


@st.composite
def results(draw: st.DrawFn) -> list[Record]:
    """Of any times, each a first word or a correction of one before it, in whatever order they arrive."""
    told = list[Record]()
    for _ in range(draw(st.integers(1, 6))):
        corrects = draw(st.sampled_from([None, *(record.ref for record in told)]))
        status = draw(st.sampled_from(["FINAL", "POSTPONED", "POSTPONED", "ABANDONED"]))
        scored, assumed = draw(st.booleans()), draw(st.booleans())
        told.append(result(status, draw(st.integers(0, 5)), corrects=corrects, scored=scored, assumed=assumed))
    return draw(st.permutations(told))


def is_only_who_won(record: Record) -> bool:
    """At a time that its source assumes."""
    said = record.data
    return bool(said.time_assumed and said.home is None and said.status == "FINAL")


def gives_way(standing: Record, last: Record) -> bool:
    """A correction stands, unless it says that there is no result; who won alone stands for no score."""
    if isinstance(standing, ResultCorrected):
        return bool(standing.data.status == "POSTPONED")
    return is_only_who_won(standing) or not is_only_who_won(last)


def told_at(minute: int, **more: Any) -> Record:
    """A stated, scored FINAL, unless `more` says otherwise."""
    said = {"status": "FINAL", "corrects": None, "scored": True, "assumed": False} | more
    return result(told=minute, **said)


SCORED, ONLY_WHO_WON = told_at(9), told_at(9, scored=False, assumed=True)
FIRST = told_at(0)
CORRECTED = told_at(1, corrects=FIRST.ref)
WITHDRAWN = told_at(1, corrects=FIRST.ref, status="POSTPONED", scored=False)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@example(told=[FIRST], last=ONLY_WHO_WON)
@example(told=[FIRST, told_at(1, corrects=FIRST.ref, status="POSTPONED", scored=False)], last=SCORED)
@example(told=[FIRST, CORRECTED, told_at(2, corrects=CORRECTED.ref, status="POSTPONED")], last=SCORED)
@example(told=[FIRST, WITHDRAWN, told_at(1, corrects=WITHDRAWN.ref)], last=SCORED)
@given(told=results(), last=st.sampled_from([SCORED, ONLY_WHO_WON]))
def test_of_the_results_one_counts_for_both_and_gives_way_to_a_later_one_that_tells_no_less(
    one_store: Store, told: list[Record], last: Record
) -> None:
    """What was corrected never counts; what is told last does, but for a correction, and but for less than a score."""
    scene = Scene(one_store)
    calendar, counted = Calendar(scene.log), list[str]()
    scene.log.append([change("scheduled", 0, told=0)])
    for more in (told, [last]):
        scene.log.append(more)
        start = calendar.start("game")
        [(result_id, status)] = scene.rows("SELECT result_id, status FROM event_results")
        counted.append(result_id)
        assert start is not None
        assert start.has_ended == (status == "FINAL")
    scene.close()

    [standing] = [record for record in told if record.ref == counted[0]]
    assert standing.ref not in {record.data.corrects for record in told if isinstance(record, ResultCorrected)}
    assert (last if gives_way(standing, last) else standing).ref == counted[1]


@settings(deadline=None, max_examples=60)
@example(told=[change("rescheduled", 3, told=2), change("scheduled", 0, told=1)])
@example(told=[change("scheduled", -3, told=2, assumed=True)])
@example(told=[change("rescheduled", 1, told=2), change("started", 1, told=1)])
@given(told=st.lists(CHANGES, max_size=6))
def test_the_start_is_that_of_the_projections_in_whatever_order_it_is_told(
    one_store: Store, told: list[Record]
) -> None:
    """Assumed or stated, older or newer than what is on record."""
    scene = Scene(one_store)
    scene.log.append([change("scheduled", 0, told=0), *told])

    start = Calendar(scene.log).start("game")
    [(starts_at, started_at, status)] = scene.rows("SELECT starts_at, started_at, status FROM events")
    scene.close()

    assert start is not None
    assert (start.starts_at, start.started_at, start.status) == (starts_at, started_at, status)


def test_who_asks_while_another_thread_reads_waits_for_what_it_reads(one_store: Store) -> None:
    """Else there would be no start to check against."""
    scene = Scene(one_store)
    scene.log.append([change("scheduled", 0, told=0)])
    reads, goes_on = threading.Event(), threading.Event()

    class SlowLog(type(scene.log)):  # type: ignore[misc]
        """Waits before it gives what it has read."""

        def read_topic(self, *asked: object) -> object:
            read = scene.log.read_topic(*asked)  # type: ignore[arg-type]
            reads.set()
            goes_on.wait(10)
            return read

    with SlowLog(":memory:") as log:
        calendar, found = Calendar(log), list[object]()
        asking = [threading.Thread(target=lambda: found.append(calendar.start("game"))) for _ in range(2)]
        asking[0].start()
        reads.wait(10)
        asking[1].start()
        asking[1].join(0.2)
        goes_on.set()
        for thread in asking:
            thread.join()
    scene.close()

    assert len(found) == 2
    assert None not in found
