"""A worker that holds partitions and stands still ends itself, and the next one does its work."""

import time
from collections.abc import Callable

import pytest

from consumers.faust_app import STUCK
from tests.kafka.test_worker import Stage, end, stage

__all__ = ["stage"]  # the fixture
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


@pytest.mark.parametrize("how", ["handler", "loop"])
def test_a_stuck_worker_ends_and_nothing_is_lost(stage: Stage, how: str, tell: Callable[[str], None]) -> None:
    """Given a handler that never ends, or an event loop that is never free, while the worker's session lives on."""
    stage.send_games(50)
    began = time.monotonic()
    stuck = stage.start("one", "stuck_worker", how)
    if how == "loop":
        stage.settles(1)
        stage.send_games(50)

    code = stuck.wait(90)
    bitten_s = time.monotonic() - began
    successor = stage.start("one")
    stage.settles(stage.sent)
    all_s = time.monotonic() - began

    assert code == STUCK
    assert "records wait and nothing moves" in stage.said("one")
    assert stage.numbers() == list(range(stage.sent))
    assert len(stage.on_record("odds")) == 2 * stage.sent
    assert end(successor) == 0
    tell(f"stuck {how}: ended {bitten_s:.1f} s after its start, all on record {all_s:.1f} s after it")
