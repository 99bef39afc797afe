"""Faust workers on a real broker: what they read is on record once, whatever happens to them or to the broker."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer

from consumers.faust_app import STUCK
from eventlog.clock import ManualClock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import Cluster, KafkaSettings
from eventlog.kafka_group import GroupWatcher
from producers.raw_feeds import FEEDS, INJURIES, LARGEST_BYTES, ODDS
from schemas.events import EventScheduled
from tests.kafka.broker import LocalCluster
from tests.producers.test_raw_feeds import game
from tests.records import make

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
WAIT_S = 90.0


@dataclass
class Stage:
    """Topics of one test on a broker, with whatever workers it starts."""

    servers: str
    held: ExitStack
    folder: Path
    prefix: str = field(default_factory=lambda: f"{uuid.uuid4().hex[:12]}.")

    def __post_init__(self) -> None:
        self.settings = KafkaSettings(self.servers, self.prefix, partitions=3, timeout_s=20)
        self.cluster = Cluster(self.settings, FEEDS)
        self.log = self.held.enter_context(closing(KafkaLog(self.settings)))
        self.group = self.held.enter_context(GroupWatcher(self.cluster, f"{self.prefix}worker"))
        self.sent = 0

    def start(self, name: str = "one", module: str = "worker_process", *more: str) -> "subprocess.Popen[bytes]":
        """A worker; killed at the end."""
        given = (self.servers, self.prefix, name, str(self.folder), *more)
        command = [sys.executable, "-m", f"tests.kafka.{module}", *given]
        output = self.held.enter_context((self.folder / f"{name}.log").open("ab"))
        worker = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        self.held.callback(end, worker, signal.SIGKILL)
        return worker

    def said(self, name: str = "one") -> str:
        """What a worker told."""
        return (self.folder / f"{name}.log").read_text()

    def send(self, *payloads: bytes | None, feed: str = ODDS) -> None:
        """Answers of a provider."""
        # Idempotent: a broker that dies before it has answered must not make the producer repeat itself.
        producer = Producer({"bootstrap.servers": self.servers, "compression.type": "lz4", "enable.idempotence": True})
        failed: list[object] = []
        for payload in payloads:
            headers: list[tuple[str, str | bytes | None]] = [("provider", b"the-odds-api")]
            told = partial(_note, failed)
            producer.produce(self.prefix + feed, payload, str(self.sent), headers=headers, on_delivery=told)
            self.sent += 1
        assert (producer.flush(30), failed) == (0, [])

    def send_games(self, count: int) -> None:
        """Answers that can be read, each another one."""
        self.send(*(json.dumps([game(number=self.sent + n)]).encode() for n in range(count)))

    def on_record(self, topic: str) -> list[str]:
        """The different records of a topic; repeats are what a reader of a log leaves alone."""
        batch, _ = self.log.read_topic(topic, {}, 1_000_000)
        return sorted(set(batch["record_id"].to_pylist()))

    def numbers(self) -> list[int]:
        """Which answers are on record."""
        batch, _ = self.log.read_topic("raw_payloads", {}, 1_000_000)
        rows = {row["record_id"]: json.loads(json.loads(row["data"])["content"]) for row in batch.to_pylist()}
        return sorted(found[0]["number"] for found in rows.values())

    def all_committed(self) -> bool:
        """Whether the group has nothing left to do."""
        return self.group.committed() == self.group.ends()

    def settles(self, records: int) -> float:
        """Wait until so many answers are on record; gives the seconds that it took."""
        return eventually(lambda: len(self.on_record("raw_payloads")) >= records)


def _note(failed: list[object], error: object, _message: object) -> None:
    if error is not None:
        failed.append(error)


def end(worker: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM) -> int:
    """Send a signal and wait; gives the exit code."""
    if worker.poll() is None:
        worker.send_signal(how)
    return worker.wait(60)


def eventually(holds: Callable[[], bool]) -> float:
    """Wait for it; gives the seconds that it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < WAIT_S, "it did not happen"
        time.sleep(0.2)
    return time.monotonic() - began


@pytest.fixture
def stage(kafka: str, tmp_path: Path) -> Iterator[Stage]:
    """On the broker of the run."""
    with ExitStack() as held:
        yield Stage(kafka, held, tmp_path)


def test_answers_are_on_record_and_acknowledged_and_the_worker_ends_cleanly(stage: Stage) -> None:
    """Both feeds; SIGTERM ends it in seconds with code 0."""
    stage.send_games(50)
    stage.send(json.dumps({"league": "NBA", "team": "LA Lakers", "players": []}).encode(), feed=INJURIES)
    worker = stage.start()

    stage.settles(51)
    eventually(stage.all_committed)
    began = time.monotonic()

    assert end(worker) == 0
    assert time.monotonic() - began < 15
    assert len(stage.on_record("odds")) == 100
    assert len(stage.on_record("injuries")) == 1


def test_poison_is_on_record_with_its_reason_and_the_rest_flows(stage: Stage) -> None:
    """Bad JSON, bad UTF-8, a tombstone, nothing, too much: nothing ends the worker, nothing is skipped."""
    poison = [b"{", b"\xff\xfe", None, b"", b"7", b"[" * 100_000]
    stage.send_games(5)
    stage.send(*poison)
    stage.send_games(5)
    worker = stage.start()

    stage.settles(10 + len({*poison} - {None}))
    eventually(stage.all_committed)

    assert len(stage.on_record("odds")) == 20
    assert len(stage.on_record("rejections")) >= 5
    assert end(worker) == 0


def test_nothing_is_lost_or_doubled_by_kill_9(stage: Stage, tell: Callable[[str], None]) -> None:
    """Three rounds in the middle of work; the successor has the same name, and its partitions back at once."""
    for round_number in range(3):
        stage.send_games(2000)
        worker = stage.start()
        stage.settles(2000 * round_number + 50)
        end(worker, signal.SIGKILL)
    last = stage.start()
    stage.send_games(1)

    took_s = stage.settles(6001)
    eventually(stage.all_committed)

    assert stage.numbers() == list(range(6001))
    assert len(stage.on_record("odds")) == 12002
    assert stage.log.conflicts() == []
    assert end(last) == 0
    tell(f"works again {took_s:.1f} s after kill -9, its start included")


def test_a_worker_that_joins_and_one_that_dies_share_the_work(stage: Stage) -> None:
    """The second takes over what the first leaves."""
    stage.send_games(200)
    first = stage.start("one")
    stage.settles(20)
    second = stage.start("two")
    stage.send_games(300)
    stage.settles(500)
    end(first, signal.SIGKILL)
    stage.send_games(200)

    stage.settles(700)

    assert stage.numbers() == list(range(700))
    assert end(second) == 0


def test_a_frozen_worker_goes_on_when_it_thaws(stage: Stage) -> None:
    """Longer than its session: its partitions may be gone in between. Should Faust not find its way back, the watchdog
    ends it, and whoever supervises it starts it again.
    """
    stage.send_games(100)
    worker = stage.start()
    stage.settles(10)
    worker.send_signal(signal.SIGSTOP)
    stage.send_games(100)
    time.sleep(12)
    worker.send_signal(signal.SIGCONT)

    def settled() -> bool:
        nonlocal worker
        assert worker.poll() in {None, STUCK}, stage.said()
        if worker.poll() == STUCK:
            worker = stage.start()
        return len(stage.on_record("raw_payloads")) >= 200

    eventually(settled)

    assert stage.numbers() == list(range(200))
    assert end(worker) == 0


def test_jobs_that_were_missed_are_asked_for_once(stage: Stage) -> None:
    """By two workers: one record a job."""
    with closing(KafkaLog(stage.settings, ManualClock(datetime.now(UTC) - timedelta(days=30)))) as then:
        then.append([make(EventScheduled)])
    workers = [stage.start(name) for name in ("one", "two")]

    eventually(lambda: len(stage.on_record("requests")) == 2)
    assert [end(worker) for worker in workers] == [0, 0]

    batch, _ = stage.log.read_topic("requests", {}, 100)
    assert set(batch["type"].to_pylist()) == {"GradingRequested", "CalibrationRequested"}
    assert stage.log.conflicts() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_outage_of_the_broker_is_survived(tmp_path: Path, how: signal.Signals, tell: Callable[[str], None]) -> None:
    """What came before it, and what comes after it, is on record once."""
    with LocalCluster(tmp_path / "cluster") as cluster, ExitStack() as held:
        stage = Stage(cluster.bootstrap_servers, held, tmp_path)
        [broker] = cluster.brokers
        stage.send_games(300)
        worker = stage.start()
        stage.settles(30)
        broker.terminate() if how == signal.SIGTERM else broker.kill()
        time.sleep(8)
        broker.start()
        stage.send_games(100)

        took_s = stage.settles(400)

        assert stage.numbers() == list(range(400))
        assert end(worker) == 0
        assert stage.said().count("[ERROR]") < 20  # aiokafka alone says twenty a second
        tell(f"works again {took_s:.1f} s after {how.name}")


def test_what_is_too_much_for_a_record_does_not_stand_in_the_way(stage: Stage) -> None:
    """It stays on the feed; on record is that it came."""
    stage.send_games(1)
    producer = Producer({"bootstrap.servers": stage.servers, "message.max.bytes": 12_000_000})
    producer.produce(stage.prefix + ODDS, b" " * (LARGEST_BYTES + 1), "large")
    assert producer.flush(30) == 0
    stage.send_games(1)
    worker = stage.start()

    stage.settles(3)
    eventually(stage.all_committed)

    assert len(stage.on_record("rejections")) == 1
    assert end(worker) == 0
