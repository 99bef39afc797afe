"""A workspace of its own for each test, and the command line as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from eventlog.clock import ManualClock
from onrecord.cli import main
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from tests.content import content_digests
from tests.producers.stage import NOW


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one clear line of a command that failed: it is all that stands on standard error."""
        assert self.code != 0, f"it went well: {self.out}"
        assert "Traceback" not in self.err
        [line] = self.err.splitlines()
        return line


Run = Callable[..., Done]


def hidden_writes(folder: Path) -> list[str]:
    """Statements that change something, in the clothes of one that reads."""
    return [
        "EXPLAIN ANALYZE UPDATE events SET home = 'changed'",
        "EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1",
        "explain /* é */ (ANALYZE, FORMAT json) DROP TABLE store_identity",
        f"EXPLAIN ANALYZE COPY (SELECT 42) TO '{folder / 'written.csv'}'",
        "EXPLAIN ANALYZE WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone",
        "WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone",
    ]


def content(workspace: Workspace) -> dict[str, str]:
    """The digests of all that is on record, with nothing refused."""
    assert list(workspace.log.conflicts()) == []
    with workspace.reader() as store:
        digests = content_digests(store)
    workspace.close()
    return digests


@contextmanager
def only_readable(folder: Path) -> Iterator[None]:
    """Nothing in a folder may be written meanwhile; root, whom modes do not stop, is somebody else for as long."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    user = os.geteuid()
    os.seteuid(user or 65533)
    try:
        yield
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test sets."""
    return ManualClock(NOW)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds all state of the test's commands; it is not there yet."""
    monkeypatch.setenv("ONRECORD_HOME", str(tmp_path / "home"))
    # Long enough to be no hindrance on a busy machine, short enough to fail before the test is killed.
    monkeypatch.setenv("ONRECORD_ANSWER_TIMEOUT_S", "60")
    monkeypatch.delenv("ONRECORD_DEBUG", raising=False)
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path, clock: ManualClock) -> Iterator[Workspace]:
    """A workspace in the folder."""
    here = Workspace(Settings(home=home, answer_timeout_s=30, poll_s=0.02, publish_every_s=0), clock)
    yield here
    here.close()


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `onrecord` in this process; `check=False` where it is meant to fail."""

    def run_(*words: object, check: bool = True) -> Done:
        monkeypatch.setattr(sys, "argv", ["onrecord", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        done = Done(code if isinstance(code, int) else int(code is not None), *capfd.readouterr())
        assert not check or done.code == 0, done.err
        return done

    return run_


@pytest.fixture
def spawn(home: Path) -> Run:
    """Run `onrecord` in a process of its own, as a user does."""

    def spawn_(*words: object, check: bool = True) -> Done:
        command = [sys.executable, "-m", "onrecord", *map(str, words)]
        ended = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=240, check=False)
        assert not check or ended.returncode == 0, ended.stderr
        return Done(ended.returncode, ended.stdout, ended.stderr)

    return spawn_
