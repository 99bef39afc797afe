"""Commands that are told to stop, and what is asked beside an owner."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import duckdb
import pytest

from onrecord.settings import Settings
from onrecord.stopping import was_interrupted
from onrecord.wiring import Workspace
from projections.digest import differences
from schemas.events import EventScheduled
from tests.onrecord.conftest import Run, content
from tests.onrecord.processes import eventually, start, up
from tests.onrecord.season import season_file
from tests.records import make

pytestmark = pytest.mark.timeout(240)
STOPPED = "stopped: what was put on record stays; the same command goes on where it was"
COUNT = "SELECT count(*) AS n FROM events"


def records(home: Path) -> int:
    """How many are on the log now."""
    workspace = Workspace(Settings(home=home))
    try:
        return sum(workspace.log.end().values())
    finally:
        workspace.close()


def test_an_import_that_is_stopped_says_so_and_goes_on_later(spawn: Run, home: Path, tmp_path: Path) -> None:
    """Ctrl-C is one line and exit code 130; the same command again leaves nothing out."""
    seasons = [season_file(tmp_path, f"E{division}_2122.csv", 90, seed=division) for division in range(3)]
    process = start("import", "football-data", *seasons)
    eventually(lambda: home.exists() and records(home) > 0, process)

    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 130
    assert told.splitlines() == [STOPPED]
    spawn("import", "football-data", *seasons)
    assert json.loads(spawn("query", COUNT, "-f", "json").out) == [{"n": 270}]


def test_a_command_that_is_done_cannot_be_stopped() -> None:
    """Python's own end takes a while: a Ctrl-C there makes nothing undone, and says nothing of the kind."""
    late = "import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGINT)"
    command = "import sys; sys.argv = ['onrecord', '--version']; from onrecord.__main__ import main; main()"

    done = subprocess.run([sys.executable, "-c", f"{late}; {command}"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whenever_an_import_is_stopped_nothing_is_lost(
    spawn: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stop ends it with 130 and its line; in the end the content is that of an import that nobody disturbed."""
    seasons = [season_file(tmp_path, f"E{division}_2122.csv", 90, seed=division) for division in range(3)]
    rng, ends = Random(8), []
    for _ in range(25):
        process = start("import", "football-data", *seasons)
        time.sleep(rng.uniform(1, 3.5))
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
        # Interrupted in what it reads at its start, Python can end by the signal, which shells call 130 too.
        ends.append((130 if process.returncode == -signal.SIGINT else process.returncode, told))
    spawn("import", "football-data", *seasons)
    stopped = content(Workspace(Settings(home=home)))
    assert set(ends) <= {(130, STOPPED + "\n"), (0, "")}
    assert ends.count((130, STOPPED + "\n")) >= 3

    monkeypatch.setenv("ONRECORD_HOME", str(tmp_path / "undisturbed"))
    spawn("import", "football-data", *seasons)
    assert differences(content(Workspace(Settings(home=tmp_path / "undisturbed"))), stopped) == []


def test_what_was_imported_beside_an_owner_is_what_the_next_query_sees(spawn: Run, home: Path, tmp_path: Path) -> None:
    """`import` leaves everything caught up, the copy that others ask included; and the copy says its age."""
    with up(publish_every_s="1"):
        spawn("import", "football-data", season_file(tmp_path, matches=30))

        asked = spawn("query", COUNT, "-f", "json")

        assert json.loads(asked.out) == [{"n": 30}]
        assert "the owner's published copy" in asked.err
        assert spawn("audit").out.splitlines()[-1] == "audit: 0 offenders in 10 checks"
        assert "equal to a rebuild in all" in spawn("rebuild", "--verify").out


def test_a_verification_takes_no_time_and_no_file(run: Run) -> None:
    """It compares everything there is: what can't be honoured is refused."""
    assert "leave out --until" in run("rebuild", "--verify", "--until", "2024-01-01", check=False).error


def test_a_grade_of_an_unknown_pick_is_an_error(run: Run, workspace: Workspace) -> None:
    """Not a tally of nothing."""
    workspace.log.append([make(EventScheduled)])

    done = run("grade", "--publish-id", "zzz", check=False)

    assert (done.code, "zzz is no pick: unknown publish_id" in done.error) == (2, True)


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        RuntimeError("Query interrupted"),
        duckdb.InvalidInputException(
            "reading the schema of the object registered as 'incoming' failed: KeyboardInterrupt:"
        ),
    ],
)
def test_a_ctrl_c_is_known_in_whatever_words(error: BaseException) -> None:
    """Also beneath what failed because of it; what only quotes the word is an error like any other."""
    above = ValueError("no transaction is open")
    above.__context__ = error

    assert was_interrupted(error)
    assert was_interrupted(above)
    assert not was_interrupted(ValueError("'interrupted' is no league"))


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_no_fault(home: Path, closed: str) -> None:
    """What nobody wants to read is not written, least of all into a file that got the stream's number."""
    command = f"{sys.executable} -m onrecord status {closed}"

    ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)

    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert (home / "log.sqlite").read_bytes().startswith(b"SQLite format 3")
