"""Who watches an owner learns how far it is, what needs somebody, and whether it is well."""

import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pyarrow as pa

from eventlog.clock import ManualClock
from eventlog.log import BATCH
from onrecord.heartbeat import LONGEST_S, heart, is_well
from onrecord.settings import Settings
from onrecord.watching import Watching, seconds_behind
from onrecord.wiring import Workspace
from tests.onrecord.test_wiring import game, row


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_lag_in_seconds_is_the_age_of_the_oldest_record_that_is_not_folded(
    workspace: Workspace, clock: ManualClock
) -> None:
    """Of all topics; nothing behind is no lag."""
    workspace.log.append([game()])
    clock.advance(timedelta(seconds=30))
    workspace.log.append([game(1)])
    end, now = workspace.log.end(), clock.now().timestamp()

    assert [seconds_behind(workspace.log, at, end, now) for at in ({}, {("events", 0): 1}, end)] == [30.0, 0.0, 0.0]


def test_alerts_are_said_and_measured(home: Path, clock: ManualClock) -> None:
    """A dead letter that came is told once, and Prometheus sees it."""
    port, said = free_port(), list[str]()
    workspace = Workspace(Settings(home=home, metrics_port=port), clock)
    workspace.log.append_batch(pa.Table.from_pylist([row("EventScheduled", data={"league": "EPL"})], schema=BATCH))
    watching = Watching(workspace, said.append)

    with workspace.owner() as owner:
        workspace.turn(owner)
        watching.look(owner)
        watching.look(owner)
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        shown = answer.read().decode()

    assert said == ["ALERT DEAD_LETTERS: 1 dead letters are open: onrecord dead-letters list"]
    for line in (
        "onrecord_dead_letters_open 1.0",
        'onrecord_alert{name="DEAD_LETTERS"} 1.0',
        'onrecord_alert{name="LAG"} 0.0',
        'onrecord_lag_records{partition="0",topic="events"} 0.0',
        'onrecord_folded_offset{partition="0",topic="events"} 1.0',
    ):
        assert line in shown.splitlines()
    watching.close()
    workspace.close()


def test_a_heart_that_beats_is_well_and_one_that_stopped_is_not(tmp_path: Path) -> None:
    """One that never beat is not, either."""
    folder = tmp_path / "home"
    command = [sys.executable, "-m", "onrecord.heartbeat", str(folder)]
    assert subprocess.run(command, check=False).returncode == 1
    heart(folder)()
    beaten_at = (folder / "heartbeat").stat().st_mtime

    assert subprocess.run(command, check=False).returncode == 0
    assert [is_well(folder, beaten_at + LONGEST_S + by) for by in (-1, 1)] == [True, False]
