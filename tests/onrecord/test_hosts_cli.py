"""The commands that stay, as a user starts and ends them."""

import signal
from pathlib import Path

import pytest

from tests.onrecord.conftest import Run
from tests.onrecord.processes import eventually, running, start


def test_a_worker_without_kafka_is_told_what_to_do(run: Run) -> None:
    """There is nothing to share."""
    done = run("worker", check=False)

    assert done.error == (
        "error: workers share a log on Kafka: set ONRECORD_LOG=kafka; one process needs only `onrecord up`"
    )


@pytest.mark.parametrize(("replica", "does"), [("false", "owns"), ("true", "projects into")])
def test_up_says_whether_it_owns_the_folder_or_only_projects_into_it(home: Path, replica: str, does: str) -> None:
    """A replica decides nothing."""
    with running("up", replica=replica) as process:
        line = process.stderr.readline() if process.stderr else ""
        process.send_signal(signal.SIGTERM)

    assert line.startswith(f"process {process.pid} {does} {home}; ")


def test_project_stands_by_takes_over_and_ends_by_sigterm(home: Path) -> None:
    """On SQLite, too: the same loop."""
    with running("project") as owner:
        eventually((home / "published.duckdb").exists, owner)
        standby = start("project")
        owner.send_signal(signal.SIGTERM)
    line = standby.stderr.readline() if standby.stderr else ""
    standby.send_signal(signal.SIGTERM)
    _, err = standby.communicate(timeout=60)

    assert standby.returncode == 0, err
    assert "standing by" in line or " owns " in line
    assert (home / "heartbeat").exists()
