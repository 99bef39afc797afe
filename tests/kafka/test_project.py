"""The owner of a log on Kafka: stands by, takes over, survives its brokers, and loses nothing however it dies."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from consumers.lease import OwnerState, read_state
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from eventlog.log import reached
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from projections.catch_up import catch_up
from projections.digest import differences, exact_digests
from projections.store import Store
from schemas.events import EventScheduled
from schemas.requests import GradingRequest, GradingRequested
from tests.kafka.broker import LocalCluster
from tests.kafka.test_worker import end, eventually
from tests.producers.stage import NOW
from tests.records import make

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
PLACES = ('ALTER TABLE dead_letters DROP "partition"', 'ALTER TABLE dead_letters DROP "offset"')


@dataclass
class Owners:
    """Owners of one log in processes of their own, and what they tell."""

    servers: str
    folder: Path
    held: ExitStack
    prefix: str = field(default_factory=lambda: f"{uuid.uuid4().hex[:12]}.")

    def __post_init__(self) -> None:
        self.settings = KafkaSettings(self.servers, self.prefix, partitions=3, timeout_s=20)
        self.log = self.held.enter_context(closing(KafkaLog(self.settings)))
        self.sent = 0

    def start(self, *options: str, home: str = "home", name: str = "owner") -> "subprocess.Popen[bytes]":
        """`onrecord project`; killed at the end."""
        given = {
            "HOME": str(self.folder / home),
            "LOG": "kafka",
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "KAFKA_TIMEOUT_S": "3",
            "PUBLISH_EVERY_S": "0.5",
            "BATCH_ROWS": "100",
        }
        output = self.held.enter_context((self.folder / f"{name}.log").open("ab"))
        owner = subprocess.Popen(
            [sys.executable, "-m", "onrecord", "project", *options],
            env=os.environ | {f"ONRECORD_{key}": value for key, value in given.items()},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        self.held.callback(end, owner, signal.SIGKILL)
        return owner

    def said(self, name: str = "owner") -> str:
        """What an owner told."""
        return (self.folder / f"{name}.log").read_text()

    def send(self, count: int) -> None:
        """Games on the calendar."""
        self.log.append([make(EventScheduled, f"game {self.sent + n}", number=self.sent + n) for n in range(count)])
        self.sent += count

    def state(self, home: str = "home") -> OwnerState | None:
        """How far the owner says that it is."""
        folder = self.folder / home / "projections"
        return read_state(folder) if folder.exists() else None

    def has_all(self, home: str = "home") -> bool:
        """Whether the owner's copy has all that is on the log."""
        state = self.state(home)
        return state is not None and state.published is not None and reached(state.published, self.log.end())

    def published(self, sql: str, home: str = "home") -> Any:
        """One value of the owner's copy."""
        store = Store(Settings(home=self.folder / home).published, read_only=True)
        [(value,)] = store.rows(sql)
        store.close()
        return value

    def differing(self, home: str = "home") -> list[str]:
        """The tables in which the projections of a folder, whose owner has ended, differ from a rebuild."""
        path = Workspace(Settings(home=self.folder / home)).generations.current()
        assert path is not None
        live, rebuilt = Store(path), Store()
        catch_up(self.log, rebuilt)
        found = differences(exact_digests(live), exact_digests(rebuilt))
        live.close()
        rebuilt.close()
        return found


@pytest.fixture
def owners(kafka: str, tmp_path: Path) -> Iterator[Owners]:
    """On the broker of the run."""
    with ExitStack() as held:
        yield Owners(kafka, tmp_path, held)


def test_an_owner_projects_decides_and_ends_cleanly(owners: Owners) -> None:
    """SIGTERM; what it held equals a rebuild."""
    request = GradingRequested(occurred_at=NOW, producer="tests", data=GradingRequest(requested_by="ann"))
    owners.send(500)
    owners.log.append([request])
    owner = owners.start()

    eventually(owners.has_all)
    eventually(lambda: owners.published("SELECT count(*) FROM grading_answers") == 1)

    assert owners.published("SELECT count(*) FROM events") == 500
    assert end(owner) == 0
    assert owners.differing() == []


def test_nothing_is_lost_or_doubled_by_kill_9(owners: Owners, tell: Callable[[str], None]) -> None:
    """Five rounds in the middle of catching up; each goes on where the file was left."""
    for round_number in range(5):
        owners.send(400)
        owner = owners.start()
        if round_number:
            before = owners.state()
            eventually(lambda before=before: (state := owners.state()) is not None and state != before)  # type: ignore[misc]
        else:
            eventually(lambda: owners.state() is not None)
        end(owner, signal.SIGKILL)
    last = owners.start()

    took_s = eventually(owners.has_all)

    assert owners.published("SELECT count(*) FROM events") == 2000
    assert end(last) == 0
    assert owners.differing() == []
    tell(f"works again {took_s:.1f} s after kill -9, its start included")


def test_a_standby_takes_over_from_a_killed_owner(owners: Owners, tell: Callable[[str], None]) -> None:
    """Two owners on one file: one works, the other waits, and says so."""
    owners.send(10)
    first = owners.start(name="first")
    eventually(owners.has_all)
    standby = owners.start(name="second")
    eventually(lambda: "standing by" in owners.said("second"))
    end(first, signal.SIGKILL)
    owners.send(10)

    took_s = eventually(owners.has_all)

    assert owners.published("SELECT count(*) FROM events") == 20
    assert end(standby) == 0
    assert owners.differing() == []
    tell(f"taken over in {took_s:.1f} s")


def test_a_replica_projects_and_decides_nothing(owners: Owners) -> None:
    """In a folder of its own, beside no owner at all."""
    request = GradingRequested(occurred_at=NOW, producer="tests", data=GradingRequest(requested_by="ann"))
    owners.send(20)
    owners.log.append([request])
    replica = owners.start("--replica", home="replica")

    eventually(lambda: owners.has_all("replica"))
    time.sleep(1)

    assert owners.published("SELECT count(*) FROM events", "replica") == 20
    assert end(replica) == 0
    assert sum(end for (topic, _), end in owners.log.end().items() if topic == "requests") == 1


@pytest.mark.parametrize("damage", ["deleted", "damaged"])
def test_a_lost_file_is_made_anew(owners: Owners, damage: str) -> None:
    """From the log, by the next owner."""
    owners.send(300)
    owner = owners.start()
    eventually(owners.has_all)
    end(owner, signal.SIGKILL)
    path = Workspace(Settings(home=owners.folder / "home")).generations.current()
    assert path is not None
    path.unlink() if damage == "deleted" else path.write_bytes(b"no database" * 1000)
    owners.send(1)
    next_owner = owners.start()

    eventually(owners.has_all)

    assert owners.published("SELECT count(*) FROM events") == 301
    assert end(next_owner) == 0
    assert owners.differing() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_outage_of_the_broker_is_survived_and_told_once(
    tmp_path: Path, how: signal.Signals, tell: Callable[[str], None]
) -> None:
    """Longer than the log waits by itself; the same process goes on."""
    with LocalCluster(tmp_path / "cluster") as cluster, ExitStack() as held:
        owners = Owners(cluster.bootstrap_servers, tmp_path, held)
        [broker] = cluster.brokers
        owners.send(50)
        owner = owners.start()
        eventually(owners.has_all)
        broker.terminate() if how == signal.SIGTERM else broker.kill()
        time.sleep(15)
        broker.start()
        owners.send(50)

        took_s = eventually(owners.has_all)

        assert owners.published("SELECT count(*) FROM events") == 100
        assert owner.poll() is None
        assert end(owner) == 0
        assert owners.differing() == []
        assert owners.said().count("the log answers again") == 1
        assert "FAIL [" not in owners.said()
        tell(f"works again {took_s:.1f} s after {how.name}")
