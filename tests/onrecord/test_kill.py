"""kill -9 at any moment of importing, projecting and grading loses nothing acknowledged, and doubles nothing."""

import multiprocessing
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onrecord.settings import Settings
from onrecord.wiring import Workspace
from projections.digest import differences
from schemas.registry import TOPICS
from tests.content import content_digests
from tests.onrecord.crash_worker import import_file, own
from tests.onrecord.season import season_file

pytestmark = pytest.mark.slow
ROUNDS = 51
MATCHES = 24
PHASES = ("import", "projecting", "grading")
AT_LEAST = 10
SEED = int(os.environ.get("ONRECORD_TEST_KILL_SEED", "20261121"))
# A kill hits so long after the message that a phase has begun; grading takes about as long as its phase.
LATEST_S = {"import": 0.02, "projecting": 0.05, "grading": 0.4}
BEGINS = {"import": "acknowledged", "projecting": "folded", "grading": "deciding"}
LAST_MESSAGE = {"import": 14, "projecting": 6, "grading": 1}
"""It hits after one of the first so many messages."""


@dataclass
class Crashes:
    """A folder in which processes are killed; `acknowledged` are the records whose append had returned."""

    home: Path
    rng: Random
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    killed: Counter[str] = field(default_factory=Counter)

    def run(self, work: Callable[..., None], *given: Path, phase: str | None = None) -> bool:
        """Do some work in a process of its own; with a phase, kill it there. Tells whether it was killed."""
        pipe, others = _FORKS.Pipe(duplex=False)
        process = _FORKS.Process(target=work, args=(self.home, *given, others))
        process.start()
        others.close()
        kinds, killed = self._kinds(pipe), False
        waits = self.rng.randint(1, LAST_MESSAGE[phase]) if phase else 0
        for kind in kinds:
            waits -= phase is not None and kind == BEGINS[phase]
            if phase and not waits and not killed:
                time.sleep(self.rng.uniform(0, LATEST_S[phase]))
                process.kill()
                killed = True
        process.join(60)
        killed = process.exitcode == -signal.SIGKILL  # the work may have ended before the signal came
        assert process.exitcode in ({0, -signal.SIGKILL} if phase else {0})
        self.killed.update({phase: killed} if phase else {})
        pipe.close()
        process.close()
        return killed

    def _kinds(self, pipe: Connection) -> Iterator[str]:
        """What the process tells, to its end."""
        while True:
            try:
                kind, said = pipe.recv()
            except (EOFError, ConnectionResetError):
                return
            if kind == "acknowledged":
                self.acknowledged.update(said)
            yield kind

    def check(self) -> None:
        """Every acknowledged record is on the log, and no record twice."""
        on_the_log = list(_ids(self.home / "log.sqlite"))
        assert len(on_the_log) == len(set(on_the_log))
        assert set() == self.acknowledged - set(on_the_log)


_FORKS = multiprocessing.get_context("forkserver")


def _ids(log: Path) -> Iterator[tuple[str, str]]:
    connection = sqlite3.connect(log)
    try:
        for topic in TOPICS:
            yield from ((topic, record_id) for (record_id,) in connection.execute(f'SELECT record_id FROM "{topic}"'))
    finally:
        connection.close()


def _digests(home: Path) -> dict[str, str]:
    """The content of the projections; a rebuild must give the same, and the audit find nothing."""
    workspace = Workspace(Settings(home=home))
    assert workspace.verify().differing == ()
    assert sum(check.offenders for check in workspace.audit()) == 0
    assert list(workspace.log.conflicts()) == []
    with workspace.reader() as store:
        digests = content_digests(store)
    workspace.close()
    return digests


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Show it at once, whether the test passes or fails."""
    with capsys.disabled():
        sys.stdout.write(text + "\n")


@pytest.mark.timeout(1200)
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After all rounds the content equals that of an undisturbed run, to the last row."""
    _FORKS.set_forkserver_preload([import_file.__module__])
    crashes, undisturbed = Crashes(tmp_path / "killed", Random(SEED)), Crashes(tmp_path / "undisturbed", Random(SEED))
    seasons: list[Path] = []
    tell(capsys, f"\nkill -9: seed {SEED}; ONRECORD_TEST_KILL_SEED sets another")
    while crashes.killed.total() < ROUNDS or min(crashes.killed[phase] for phase in PHASES) < AT_LEAST:
        seasons.append(season_file(tmp_path, f"X{len(seasons)}_2122.csv", MATCHES, seed=len(seasons)))
        for phase in PHASES:
            work: tuple[Any, ...] = (import_file, seasons[-1]) if phase == "import" else (own,)
            killed = crashes.run(*work, phase=phase)
            crashes.check()
            outcome = f"killed, round {crashes.killed.total()}" if killed else "ended before the kill, no round"
            tell(capsys, f"  {phase}: {outcome}; {len(crashes.acknowledged)} records acknowledged")
        crashes.run(import_file, seasons[-1])
    for season in seasons:
        undisturbed.run(import_file, season)
    for run in (crashes, undisturbed):
        run.run(own)
        run.check()

    assert differences(_digests(undisturbed.home), _digests(crashes.home)) == []
    assert set(_ids(undisturbed.home / "log.sqlite")) == set(_ids(crashes.home / "log.sqlite"))
