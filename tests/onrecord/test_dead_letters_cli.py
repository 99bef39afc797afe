"""Dead letters at the command line: who decided what, and why, is on record."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from eventlog.log import BATCH
from eventlog.sqlite import SqliteLog
from tests.onrecord.conftest import Run
from tests.onrecord.test_wiring import KNOWN, row

NAME = "events/00000000-0000-7000-8000-000000000000"


@pytest.fixture
def log(home: Path) -> Path:
    """A log with a good record and one that cannot be read."""
    home.mkdir()
    path = home / "log.sqlite"
    with SqliteLog(path) as log:
        rows = [row("EventScheduled", data={"league": "EPL"}), row("EventScheduled", number=1, data=KNOWN)]
        log.append_batch(pa.Table.from_pylist(rows, schema=BATCH))
    return path


def decision(log: Path) -> dict[str, str]:
    """The one decision on record."""
    with SqliteLog(log) as read:
        [found] = read.read_topic("requests", {}, 10)[0].to_pylist()
    decided: dict[str, str] = json.loads(found["data"])
    return decided


def test_what_cannot_be_read_is_listed_and_shown_whole(run: Run, log: Path) -> None:
    """By its name or by its place."""
    assert NAME in run("dead-letters", "list").out

    shown = [json.loads(run("dead-letters", "show", name, "--json").out) for name in (NAME, "events/0/0")]

    assert shown[0] == shown[1]
    assert json.loads(shown[0]["raw"]["data"]) == {"league": "EPL"}
    assert "starts_at" in shown[0]["reason"]


def test_a_retry_says_that_it_did_not_help(run: Run, log: Path) -> None:
    """It is on record all the same, and the letter stays open."""
    done = run("dead-letters", "retry", NAME, "--why", "to see", "--who", "ann", check=False)

    assert (done.code, f"{NAME} still cannot be read: EventScheduled: " in done.out) == (1, True)
    assert decision(log) == {"dead_letter": NAME, "action": "retry", "who": "ann", "why": "to see"}
    assert NAME in run("dead-letters", "list").out


def test_a_drop_takes_it_off_the_list(run: Run, log: Path) -> None:
    """But not off the list of all; the audit and a rebuild agree."""
    run("dead-letters", "drop", "events/0/0", "--why", "a test", "--who", "ann")

    assert NAME not in run("dead-letters", "list").out
    assert NAME in run("dead-letters", "list", "--all").out
    assert decision(log) == {"dead_letter": NAME, "action": "drop", "who": "ann", "why": "a test"}
    assert "equal to a rebuild" in run("rebuild", "--verify").out


@pytest.mark.parametrize("action", ["retry", "drop"])
def test_a_replica_decides_about_none(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """What it would answer holds for its own copy, not for the owner's; nothing goes on record."""
    monkeypatch.setenv("ONRECORD_REPLICA", "true")

    done = run("dead-letters", action, NAME, "--why", "a test", check=False)

    assert done.error.endswith("which decides nothing: ask without ONRECORD_REPLICA")
    assert run("log", "tail", "--topic", "requests").out == ""


def test_there_is_no_deciding_about_what_is_none(run: Run, log: Path) -> None:
    """Nothing goes on record then."""
    done = run("dead-letters", "drop", "events/0/1", "--why", "a slip", check=False)

    assert "there is no dead letter 'events/0/1': `onrecord dead-letters list --all`" in done.error
    assert run("log", "tail", "--topic", "requests").out == ""


@pytest.mark.parametrize(("topic", "kind"), [("gradings", "PredictionGraded"), ("calibrations", "CalibrationTrained")])
def test_a_decision_of_newer_code_is_not_dropped(run: Run, home: Path, topic: str, kind: str) -> None:
    """Made again without it, it would have the same id, and the owner would end."""
    home.mkdir()
    with SqliteLog(home / "log.sqlite") as log:
        newer = {**row(kind, version=2), "topic": topic}
        log.append_batch(pa.Table.from_pylist([newer], schema=BATCH))

    done = run("dead-letters", "drop", f"{topic}/0/0", "--why", "in the way", check=False)

    assert "a decision of newer code" in done.error
    assert done.error.endswith("upgrade, then `onrecord dead-letters retry`")
    assert run("log", "tail", "--topic", "requests").out == ""
