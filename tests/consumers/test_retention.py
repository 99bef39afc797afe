"""Retention lets old odds go from the views, and never what counts."""

from schemas.requests import RetentionApplied, RetentionRequest, RetentionRequested
from tests.consumers.scene import START, Scene


def request(scene: Scene, days: int = 30, *, keep_closing_lines: bool = True) -> RetentionApplied:
    """Ask, let the owner answer, and give the answer; there must be exactly one."""
    data = RetentionRequest(retention_days=days, keep_closing_lines=keep_closing_lines, requested_by="ann")
    asked = RetentionRequested(occurred_at=scene.clock.at, producer="tests", data=data)
    scene.log.append([asked])
    scene.owner.run_once()
    scene.owner.run_once()
    [answer] = [one for one in scene.records(RetentionApplied) if one.causation_id == asked.record_id]
    return answer


def snapshots(scene: Scene) -> set[str]:
    """The ids that the view still shows."""
    return {snapshot_id for (snapshot_id,) in scene.rows("SELECT snapshot_id FROM odds_snapshots")}


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
