"""A workspace of its own for each test, and the command line as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventlog.clock import ManualClock
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from tests.producers.stage import NOW

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test sets."""
    return ManualClock(NOW)


@pytest.fixture
def workspace(tmp_path: Path, clock: ManualClock) -> Iterator[Workspace]:
    """A workspace in an empty folder."""
    here = Workspace(Settings(home=tmp_path / "home", answer_timeout_s=30, poll_s=0.02, publish_every_s=0), clock)
    yield here
    here.log.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `onrecord` in a process of its own, over a folder of the test's."""

    def run_(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "onrecord", *words],
            env=os.environ | {"ONRECORD_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run_
