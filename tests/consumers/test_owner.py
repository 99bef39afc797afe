"""The owner folds everything that is on the log before it lets anybody decide."""

from collections.abc import Collection, Sequence
from contextlib import closing
from typing import ClassVar

import pytest

from consumers.grader import Grader
from consumers.owner import DecidedAgainError, Owner, batched_records
from eventlog.log import LogError, Positions
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.store import Store
from schemas.gradings import PredictionGraded
from schemas.record import Record
from schemas.requests import GradingRequest, GradingRequested
from tests.consumers.scene import Scene
from tests.projections.foreign import ForeignRecord
from tests.records import NOON


class Watching:
    """Decides nothing, and remembers how far the store was, and what it was told had changed, at each question."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.folded: list[int] = []
        self.told: list[set[str] | None] = []

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        self.folded.append(sum(self.store.positions().values()))
        self.told.append(None if event_ids is None else set(event_ids))
        return []


class Stumbling(Watching):
    """Meets an outage of the log at the first question."""

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        super().decide(event_ids)
        if len(self.told) == 1:
            raise LogError("the log is away")
        return []


def test_nobody_decides_before_all_is_folded(scene: Scene) -> None:
    """However small the batches are."""
    scene.game()
    scene.pick()
    watching = Watching(scene.store)

    Owner(scene.log, scene.store, [watching], batch_rows=1).run_once()

    assert [scene.size()] == watching.folded


def test_a_result_and_its_correction_in_one_go_are_one_grade(scene: Scene) -> None:
    """An owner that was away decides from the newest state, not from each state on the way."""
    scene.game()
    publish_id = scene.pick()
    result_id = scene.played(110, 100)
    scene.events.correct_result(result_id, 100, 110)

    assert [grade["outcome"] for grade in scene.grades(publish_id)] == ["LOSS"]


def test_deciders_are_asked_until_they_have_nothing_more_to_say(scene: Scene) -> None:
    """What they decide is folded before they are asked again; one run leaves nothing open."""
    scene.game()
    scene.pick()
    scene.played(110, 100)

    scene.owner.run_once()

    assert scene.owner.run_once() == 0
    assert scene.store.rows("SELECT count(*) FROM grading")[0][0] == 1


def test_after_the_first_run_only_events_that_changed_are_named(scene: Scene) -> None:
    """First all of them; then those of the new records; a request may name any, so it means all."""
    scene.game()
    watching = Watching(scene.store)
    owner = Owner(scene.log, scene.store, [watching])
    owner.run_once()
    scene.game("another")
    owner.run_once()
    scene.ask()
    owner = Owner(scene.log, scene.store, [watching])
    owner.run_once()

    assert [None, {"another"}, None] == watching.told


@pytest.mark.parametrize("at_rest", [False, True])
def test_at_rest_nobody_is_asked_before_something_new_comes(scene: Scene, at_rest: bool) -> None:
    """Deciders know no clock: from the same records they have nothing more to say, in this process or in the next."""
    scene.game()
    watching = Watching(scene.store)
    Owner(scene.log, scene.store, []).run_once()
    owner = Owner(scene.log, scene.store, [watching], at_rest=at_rest)
    owner.run_once()
    owner.run_once()
    scene.game("another")
    owner.run_once()

    assert ([] if at_rest else [None]) + [{"another"}] == watching.told


def test_what_an_outage_cut_short_is_decided_though_nothing_new_comes(scene: Scene) -> None:
    """The records are folded; what they touch is still to be looked at."""
    watching = Stumbling(scene.store)
    owner = Owner(scene.log, scene.store, [watching], at_rest=True)
    scene.game()

    with pytest.raises(LogError):
        owner.run_once()
    owner.run_once()
    owner.run_once()

    assert [{"game"}, {"game"}] == watching.told


class HeldBack(SqliteLog):
    """As Kafka shows a log while a transaction of somebody else is open: what lies behind that waits."""

    shown: Positions | None = None

    def end(self) -> Positions:
        return super().end() if self.shown is None else self.shown


def test_nothing_is_decided_again_while_somebody_holds_the_decision_back() -> None:
    """It is on record, and not to be read yet; when it is, all is decided."""
    with HeldBack(":memory:") as log, closing(Store(log_id=log.log_id)) as store:
        request = GradingRequest(lookback_hours=1, requested_by="tests")
        log.append([GradingRequested(occurred_at=NOON, producer="tests", data=request)])
        owner = Owner(log, store, [Grader(store)])
        log.shown = log.end()

        folded = [owner.run_once() for _ in range(3)]
        log.shown = None
        folded += [owner.run_once() for _ in range(2)]

        assert folded == [1, 0, 0, 1, 0]


def test_a_rebuild_decides_nothing(scene: Scene) -> None:
    """Only the owner decides; whoever merely folds adds no record."""
    scene.game()
    scene.pick()
    scene.played(110, 100)

    with scene.another_owner() as other:
        Owner(scene.log, other.store, []).run_once()

    assert scene.records(PredictionGraded) == []


def test_more_events_than_can_be_named_are_all_events(scene: Scene) -> None:
    """Above a limit everything is looked at; the grades are the same."""
    grader = Grader(scene.store)
    for number in range(3):
        scene.game(f"game {number}")
        scene.pick(event_id=f"game {number}")
    for number in range(3):
        scene.played(110, 100, f"game {number}")
    Owner(scene.log, scene.store, []).run_once()

    named = grader.decide([f"game {number}" for number in range(3)])

    assert [grade.record_id for grade in grader.decide(None)] == [grade.record_id for grade in named]
    assert [len(group) for group in batched_records(named, 2)] == [2, 1]


class NewerRecord(ForeignRecord):
    """A decision of this code under a version that it does not know."""

    topic: ClassVar[str] = "gradings"


def newer_code_decides(scene: Scene) -> None:
    """It decides the same, and writes that in a way of its own."""
    with scene.another_owner() as other:
        catch_up(scene.log, other.store)
        decided = [record.model_dump(mode="json") for record in Grader(other.store).decide(None)]
    scene.log.append([NewerRecord.model_validate({**record, "schema_version": 2}) for record in decided])


def test_an_event_that_newer_code_graded_waits_for_it(scene: Scene) -> None:
    """A deploy was rolled back: the others get their grades."""
    scene.game()
    scene.game("other")
    publish_id, other_id = scene.pick(), scene.pick(event_id="other")
    scene.played(110, 100)
    newer_code_decides(scene)
    scene.played(110, 100, "other")

    assert scene.grades(publish_id) == []
    assert [grade["outcome"] for grade in scene.grades(other_id)] == ["WIN"]


def test_a_decision_that_cannot_be_read_back_ends_the_loop(scene: Scene) -> None:
    """A parlay's grade holds no event: its id would be decided for ever."""
    for event_id in ("game", "other"):
        scene.game(event_id)
    publish_id = scene.parlay(scene.leg(), scene.leg(event_id="other"))
    for event_id in ("game", "other"):
        scene.played(110, 100, event_id)
    newer_code_decides(scene)
    before = scene.size()

    with pytest.raises(DecidedAgainError, match="upgrade; else `onrecord rebuild`"):
        scene.grades(publish_id)

    assert before == scene.size()
