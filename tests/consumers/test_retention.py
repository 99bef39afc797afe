"""Retention lets old odds go from the views, and never what counts."""

from datetime import timedelta

import pytest

import consumers.retention
from consumers.owner import Owner
from consumers.retention import Retainer
from projections.store import Store
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished
from schemas.record import Record
from schemas.requests import RetentionApplied, RetentionRequest, RetentionRequested
from schemas.sim_runs import SimRunInputsRecorded, SimRunStarted
from tests.consumers.scene import MORNING, SPREAD, START, Scene, imported_start
from tests.records import make


def ask(scene: Scene, days: int = 30, *, keep_closing_lines: bool = True) -> RetentionRequested:
    """Put a request on record."""
    data = RetentionRequest(retention_days=days, keep_closing_lines=keep_closing_lines, requested_by="ann")
    asked = RetentionRequested(occurred_at=scene.clock.at, producer="tests", data=data)
    scene.log.append([asked])
    return asked


def request(scene: Scene, days: int = 30, *, keep_closing_lines: bool = True) -> RetentionApplied:
    """Ask, let the owner answer, and give the answer; there must be exactly one."""
    asked = ask(scene, days, keep_closing_lines=keep_closing_lines)
    scene.owner.run_once()
    scene.owner.run_once()
    [answer] = answers(scene, asked.record_id)
    return answer


def answers(scene: Scene, request_id: str) -> list[RetentionApplied]:
    """All records that answer one request, in the log's order."""
    return [one for one in scene.records(RetentionApplied) if one.causation_id == request_id]


def snapshots(scene: Scene) -> set[str]:
    """The ids that the view still shows."""
    return {snapshot_id for (snapshot_id,) in scene.rows("SELECT snapshot_id FROM odds_snapshots")}


def offenders(scene: Scene) -> int:
    """How many the audit finds, over all of its checks."""
    return sum(check["offenders"] for check in scene.store.query("audit").to_pylist())


def test_closes_and_cited_snapshots_stay_and_the_rest_goes(scene: Scene) -> None:
    """Three looks at one market: the first is the prediction's, the last is the close, the one between is neither."""
    scene.game()
    scene.pick()
    cited = snapshots(scene)
    scene.later(hours=1)
    between = scene.odds("1.80")
    scene.later(hours=1)
    close = scene.odds("1.85")
    scene.played(110, 100)
    scene.later(days=60)

    answer = request(scene)

    assert ({*cited, close}, 1) == (set(answer.data.kept), answer.data.removed)
    assert {*cited, close} == snapshots(scene)
    assert [(between,)] == scene.rows(
        "SELECT snapshot_id FROM odds_records ANTI JOIN odds_snapshots USING (snapshot_id)"
    )


def test_a_close_that_nobody_cites_goes_where_closes_are_not_kept(scene: Scene) -> None:
    """`keep_closing_lines=False` means it."""
    scene.game()
    close = scene.odds("1.85")
    scene.played(110, 100)
    scene.later(days=60)

    assert (0, {close}) == (request(scene).data.removed, snapshots(scene))
    assert (1, set()) == (request(scene, keep_closing_lines=False).data.removed, snapshots(scene))
    assert offenders(scene) == 0


def test_all_that_a_run_saw_stays(scene: Scene) -> None:
    """Its first snapshot and the further ones; what it did not see goes."""
    scene.game()
    seen = [scene.odds(price, capture_id=price) for price in ("1.80", "1.85", "1.90")]
    scene.odds("1.95", capture_id="1.95")
    run_id = scene.runs.create_sim_run("game", "scheduled", 1000, "m1", "f1", "d1", seed_policy="fixed")
    scene.runs.record_sim_run_inputs(run_id, seen[0], further_snapshot_ids=seen[1:])
    scene.later(days=60)

    answer = request(scene, keep_closing_lines=False)

    assert (answer.data.removed, {*seen}, {*seen}) == (1, {*answer.data.kept}, snapshots(scene))


def a_removal(scene: Scene) -> str:
    """A retention that removed a look and kept the close, a minute ago; gives the id of what it removed."""
    scene.game()
    removed = scene.odds("1.80")
    scene.later(hours=1)
    close = scene.odds("1.85")
    scene.played(110, 100)
    scene.later(days=60)
    request(scene)
    assert {close} == snapshots(scene)
    scene.later(minutes=1)
    return removed


def test_a_start_that_is_corrected_later_does_not_make_a_retention_wrong(scene: Scene) -> None:
    """What it removed is the close now; it was none when it was removed, and it is still there to be graded by."""
    removed = a_removal(scene)

    scene.events.start_event("game", started_at=MORNING + timedelta(minutes=30))

    assert [(removed,)] == scene.rows("SELECT snapshot_id FROM closing_lines")
    assert offenders(scene) == 0


def test_a_start_that_is_imported_later_does_not_make_a_retention_wrong(scene: Scene) -> None:
    """It is dated before the retention, but was put on record after it."""
    removed = a_removal(scene)

    scene.log.append([imported_start("game", START + timedelta(hours=1), MORNING + timedelta(minutes=30))])

    assert [(removed,)] == scene.rows("SELECT snapshot_id FROM closing_lines")
    assert offenders(scene) == 0


def test_what_is_gone_is_not_the_next_retentions_concern(scene: Scene) -> None:
    """It is the close since, and was when the second retention was asked for; the first one had removed it."""
    removed = a_removal(scene)
    scene.events.start_event("game", started_at=MORNING + timedelta(minutes=30))
    scene.later(days=30)

    request(scene)

    assert [(removed,)] == scene.rows("SELECT snapshot_id FROM closing_lines")
    assert offenders(scene) == 0


def test_a_pick_that_is_void_for_its_wait_after_a_retention_does_not_make_that_wrong(scene: Scene) -> None:
    """The grade cites the close that was removed, and is dated by the request that asked for it, months later."""
    market = "MONEYLINE_3WAY:REGULATION"
    scene.game(sport="soccer", league="EPL")
    publish_id = scene.pick("2.00", market)
    scene.later(hours=1)
    close = scene.odds("1.85", market)
    scene.events.change_status("game", "POSTPONED")
    scene.later(days=60)
    removed = request(scene, keep_closing_lines=False).data.removed
    scene.later(hours=1)

    scene.ask()

    grade = scene.grade(publish_id)
    assert (removed, grade["outcome"], grade["close_snapshot_id"]) == (1, "VOID", close)
    assert offenders(scene) == 0


def test_history_that_cites_later_what_is_gone_does_not_make_a_retention_wrong(scene: Scene) -> None:
    """A run, its prediction and its pick's grade are dated before the retention, but were put on record after it."""
    scene.game()
    gone = scene.odds("1.85")
    scene.played(110, 100)
    scene.later(days=60)
    assert request(scene, keep_closing_lines=False).data.removed == 1
    scene.later(days=1)

    run = make(SimRunStarted, "game", MORNING, origin="BACKFILL")
    inputs = make(SimRunInputsRecorded, "game", MORNING, origin="BACKFILL", sim_run_id=run.ref, snapshot_id=gone)
    made = make(
        PredictionMade,
        "game",
        MORNING,
        origin="BACKFILL",
        sim_run_id=run.ref,
        market_key=SPREAD,
        selection="HOME",
        market_snapshot_id_used=gone,
    )
    terms = {"line": -5.5, "odds_format": "decimal", "price": "1.85", "price_decimal": 1.85, "book": "draftkings"}
    published = make(
        PredictionPublished, "game", MORNING, origin="BACKFILL", prediction_id=made.ref, ticket_terms=terms
    )
    scene.log.append([run, inputs, made, published])

    grade = scene.grade(published.ref)
    assert (grade["outcome"], grade["close_snapshot_id"]) == ("WIN", gone)
    assert grade["decided_at"] < scene.clock.at - timedelta(days=50)
    assert snapshots(scene) == set()
    assert offenders(scene) == 0


def test_what_is_young_stays(scene: Scene) -> None:
    """The cutoff is so many days before the request."""
    scene.game()
    scene.odds("1.80")
    scene.later(hours=1)
    young = scene.odds("1.85")
    scene.clock.at = START
    scene.later(hours=14.5)  # the cutoff is half an hour after the first look

    answer = request(scene, days=1, keep_closing_lines=False)

    assert answer.data.removed == 1
    assert {young} == snapshots(scene)


def test_what_is_told_after_the_retention_is_shown_however_old_it_is(scene: Scene) -> None:
    """A replay of history after a retention is not swallowed by it."""
    scene.game()
    scene.odds("1.80")
    old = scene.clock.at
    scene.later(days=60)
    request(scene, keep_closing_lines=False)
    scene.later(days=1)

    late = scene.odds("1.70", captured_at=old)

    assert {late} == snapshots(scene)


def test_what_is_told_between_request_and_answer_is_not_counted(scene: Scene) -> None:
    """It stays in the views, so that the answer must not say that it went."""
    scene.game()
    scene.odds("1.80")
    old = scene.clock.at
    scene.later(days=60)
    asked = ask(scene, keep_closing_lines=False)
    scene.later(hours=1)
    late = scene.odds("1.70", captured_at=old)

    assert {late} == snapshots(scene)

    [answer] = answers(scene, asked.record_id)
    assert (answer.data.removed, scene.rows("SELECT count(*) FROM odds_removals")) == (1, [(1,)])


def three_closes(scene: Scene) -> set[str]:
    """Three books' closes of a game long past, which a retention keeps, after a look that it removes."""
    scene.game()
    scene.odds("1.70", book="a")
    scene.later(hours=1)
    closes = {scene.odds("1.80", book=book) for book in "abc"}
    scene.played(110, 100)
    scene.later(days=60)
    return closes


def decided(scene: Scene, store: Store) -> list[Record]:
    """What retention would put on record once all of the log is folded into a store."""
    Owner(scene.log, store, ()).run_once()
    return list(Retainer(store).decide(None))


def test_what_one_record_cannot_hold_comes_in_parts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bounded, none answered twice, and decided again from the same log they are the same records."""
    monkeypatch.setattr(consumers.retention, "KEPT_A_PART", 2)
    closes = three_closes(scene)
    asked = ask(scene)
    with scene.another_owner() as another:
        again = decided(scene, another.store)

    assert closes == snapshots(scene)

    parts = answers(scene, asked.record_id)
    assert [(part.data.part, part.data.parts, len(part.data.kept)) for part in parts] == [(1, 2, 2), (2, 2, 1)]
    assert {1} == {part.data.removed for part in parts}
    assert again == [part.model_copy(update={"recorded_at": None}) for part in parts]


def test_a_part_alone_removes_nothing_and_the_request_is_answered_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may die between two parts: then what the missing one keeps must not be gone."""
    monkeypatch.setattr(consumers.retention, "KEPT_A_PART", 2)
    closes = three_closes(scene)
    ask(scene)
    first, _second = decided(scene, scene.store)
    scene.log.append([first])
    Owner(scene.log, scene.store, ()).run_once()
    [(with_one_part,)] = scene.store.rows("SELECT count(*) FROM odds_snapshots")

    assert (4, closes) == (with_one_part, snapshots(scene))


def test_more_than_a_century_is_a_century(scene: Scene) -> None:
    """The schema sets no bound; the calendar does."""
    scene.game()
    scene.odds("1.91")

    assert request(scene, days=1_000_000).data.removed == 0
