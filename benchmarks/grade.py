"""How long from a result until its grade is in the projections, among all that a folder holds.

`python -m benchmarks.grade HOME [--rounds N]` corrects the results of N graded picks, one after the other, in a copy of
HOME, as it is after `ONRECORD_HOME=HOME onrecord import football-data ../shared/data/football_odds/*.csv`. It prints
milliseconds at p50 and p99 from before the correction's append until the owner has nothing left to do.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from consumers.owner import Owner
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from producers.event_reporter import EventReporter

PICKS = """
SELECT publish_id, result_id, home, away, revision FROM graded_picks JOIN event_results USING (event_id)
WHERE home IS NOT NULL ORDER BY publish_id
"""
REVISION = "SELECT revision FROM grading WHERE publish_id = $publish_id"


class Pick(NamedTuple):
    """One that is graded."""

    publish_id: str
    result_id: str
    home: int
    away: int
    revision: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="a folder whose picks are graded")
    parser.add_argument("--rounds", type=int, default=50, help="corrections (default 50)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Workspace(Settings(home=shutil.copytree(given.home, Path(temporary) / "copy")))
        with workspace.owner() as owner:
            owner.run_once()
            reporter = EventReporter(workspace.log, workspace.clock)
            picks = [Pick(*row) for row in owner.store.rows(PICKS)]
            took = [_graded_ms(owner, reporter, pick) for pick in random.Random(2).sample(picks, given.rounds)]
        workspace.close()
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    print(
        f"{len(picks):,} picks held, {given.rounds} results; ms from append to graded, p50 / p99: {p50:.0f} / {p99:.0f}"
    )


def _graded_ms(owner: Owner, reporter: EventReporter, pick: Pick) -> float:
    """A correction's way to the pick's next grade."""
    began = time.perf_counter()
    reporter.correct_result(pick.result_id, pick.away, pick.home)
    owner.run_once()
    took = (time.perf_counter() - began) * 1000
    [(revision,)] = owner.store.rows(REVISION, {"publish_id": pick.publish_id})
    if revision != pick.revision + 1:
        raise RuntimeError(f"{pick.publish_id} was not graded again when its result was corrected")
    return took


if __name__ == "__main__":
    main()
