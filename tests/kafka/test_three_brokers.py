"""Three brokers, all replicated, may lose one: who writes and who reads goes on, and nothing is lost or doubled."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from schemas.events import EventScheduled
from tests.kafka.broker import Broker, LocalCluster
from tests.kafka.test_project import Owners
from tests.kafka.test_worker import Stage, end, eventually
from tests.records import make

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

GAMES = "SELECT count(*) FROM events WHERE event_id LIKE 'game %'"


@dataclass
class Season:
    """Appends games one after another, in a thread of its own, and notes how long the slowest append took."""

    owners: Owners
    slowest_s: float = 0.0
    failed: list[BaseException] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """As long as the context."""
        thread = threading.Thread(target=self._append)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def goes_on(self) -> bool:
        """True; or else the error that ended it."""
        for error in self.failed:
            raise error
        return True

    def _append(self) -> None:
        while not self._over.wait(0.02):
            began = time.monotonic()
            number = self.owners.sent
            try:
                self.owners.log.append([make(EventScheduled, f"game {number}", number=number)])
            except Exception as error:  # a thread of its own: the test looks at it
                self.failed.append(error)
                return
            self.owners.sent += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)


def leader_of(cluster: LocalCluster, topic: str) -> Broker:
    """The broker that everybody asks about the first partition of a topic."""
    told = AdminClient({"bootstrap.servers": cluster.bootstrap_servers}).list_topics(topic, timeout=10)
    return cluster.brokers[told.topics[topic].partitions[0].leader - 1]


def in_sync(cluster: LocalCluster, topic: str) -> set[int]:
    """How many replicas its partitions have."""
    told = AdminClient({"bootstrap.servers": cluster.bootstrap_servers}).list_topics(topic, timeout=10)
    return {len(partition.isrs) for partition in told.topics[topic].partitions.values()}


def test_a_broker_of_three_is_lost_and_comes_back(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """SIGKILL for the leader of what is being written, while an owner and a worker run and a producer appends."""
    with LocalCluster(tmp_path / "cluster", brokers=3) as cluster, ExitStack() as held:
        stage = Stage(cluster.bootstrap_servers, held, tmp_path)
        owners = Owners(cluster.bootstrap_servers, tmp_path, held, stage.prefix)
        owner, worker, season = owners.start(), stage.start(), Season(owners)
        events = owners.log.cluster.named("events")
        with season.running():
            stage.send_games(300)
            stage.settles(30)
            eventually(lambda: owners.sent > 50)
            lost = leader_of(cluster, events)
            lost.kill()
            killed, before = time.monotonic(), owners.sent
            eventually(lambda: season.goes_on() and owners.sent > before + 10)
            writes_s = time.monotonic() - killed
            stage.send_games(300)
            stage.settles(600)
            worker_s = time.monotonic() - killed
            eventually(lambda: owners.published(GAMES) > before)
            owner_s = time.monotonic() - killed
            lost.start()
            full_s = eventually(lambda: in_sync(cluster, events) == {3})
            stage.send_games(100)
            stage.settles(700)
        visible_s = eventually(owners.has_all)

        assert season.failed == []
        assert (owner.poll(), worker.poll(), end(worker), end(owner)) == (None, None, 0, 0)
        assert stage.numbers() == list(range(700))
        assert len(stage.on_record("odds")) == 1400
        assert {f"game {n}" for n in range(owners.sent)} <= set(event_ids(owners))
        assert owners.published(GAMES) == owners.sent
        assert stage.log.conflicts() == []
        assert owners.differing() == []
        tell(
            f"a broker of three killed: appends again after {writes_s:.1f} s (slowest {season.slowest_s:.1f} s), "
            f"the worker after {worker_s:.1f} s, the owner's copy after {owner_s:.1f} s; "
            f"three in sync {full_s:.1f} s after its return; visible at the end after {visible_s:.1f} s; "
            f"{owners.sent} games, 700 answers: 0 lost, 0 doubled"
        )


def event_ids(owners: Owners) -> list[str]:
    """The events on the log, each as often as it is there."""
    batch, _ = owners.log.read_topic("events", {}, 1_000_000)
    return [str(event_id) for event_id in batch["event_id"].to_pylist()]
