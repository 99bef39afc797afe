"""The commands that stay, as a user starts and ends them."""

import signal
from pathlib import Path

from tests.onrecord.conftest import Run
from tests.onrecord.processes import eventually, running, start


def test_a_worker_without_kafka_is_told_what_to_do(run: Run) -> None:
    """There is nothing to share."""
    done = run("worker", check=False)

    assert done.error == (
        "error: workers share a log on Kafka: set ONRECORD_LOG=kafka; one process needs only `onrecord up`"
    )


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
