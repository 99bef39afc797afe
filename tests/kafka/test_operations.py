"""What people do with a log on Kafka: decide about dead letters, look at the lag, come in by SCRAM and TLS."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import Cluster, KafkaSettings
from onrecord.dead_letters_cli import resolve
from onrecord.doctor import findings
from onrecord.settings import Settings
from onrecord.watching import seconds_behind
from onrecord.wiring import Workspace
from producers.raw_feeds import FEEDS, ODDS
from schemas.events import EventScheduled
from tests.kafka.broker import LocalCluster, Security
from tests.kafka.certificates import make_certificates
from tests.kafka.log_on import set_topic
from tests.kafka.test_worker import end, eventually
from tests.producers.test_raw_feeds import game
from tests.records import make

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


@pytest.fixture
def given(kafka: str, tmp_path: Path) -> Mapping[str, str]:
    """The environment of a log of its own."""
    return {
        "ONRECORD_HOME": str(tmp_path / "home"),
        "ONRECORD_LOG": "kafka",
        "ONRECORD_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "ONRECORD_KAFKA_TOPIC_PREFIX": f"{uuid.uuid4().hex[:12]}.",
        "ONRECORD_KAFKA_PARTITIONS": "2",
    }


@pytest.fixture
def workspace(given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace over that log."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with closing(Workspace(Settings())) as workspace:
        yield workspace


def poison(given: Mapping[str, str], key: str, *values: bytes | None) -> None:
    """What a foreign producer may put on the topic of the calendar."""
    producer = Producer({"bootstrap.servers": given["ONRECORD_KAFKA_BOOTSTRAP_SERVERS"]})
    for value in values:
        producer.produce(given["ONRECORD_KAFKA_TOPIC_PREFIX"] + "events", value, key)
    assert producer.flush(30) == 0


def test_what_is_no_record_holds_its_event_until_somebody_decides(
    workspace: Workspace, given: Mapping[str, str]
) -> None:
    """A retry does not make it one; a drop lets its event go on. A rebuild says the same."""
    workspace.log.append([make(EventScheduled, "game")])
    poison(given, "game", b"\xff{", None)
    with workspace.fresh_reader() as store:
        letters = store.query("dead_letters_open").to_pylist()
        held = store.rows("FROM held_events")
    names = [letter["dead_letter"] for letter in letters]

    retried = [resolve(workspace, name, "retry", "ann", "to see") for name in names]
    for name in names:
        resolve(workspace, name, "drop", "ann", "a test")

    assert (len(names), held) == (2, [("game",)])
    assert [letter is not None for letter in retried] == [True, True]
    with workspace.fresh_reader() as store:
        assert (store.query("dead_letters_open").num_rows, store.rows("FROM held_events")) == (0, [])
        assert store.query("dead_letters_all").num_rows == 2
    assert workspace.verify().differing == ()


def test_the_lag_is_told_by_topic_and_partition(workspace: Workspace) -> None:
    """From our own positions, with nobody alive who folds."""
    with workspace.owner():
        workspace.log.append([make(EventScheduled, f"game {n}", number=n) for n in range(40)])
        now = workspace.clock.now().timestamp()
        assert 0 <= seconds_behind(workspace.log, {}, workspace.log.end(), now + 100) - 100 < 60
    shown = subprocess.run(
        [sys.executable, "-m", "onrecord", "status"], capture_output=True, text=True, check=True, env=os.environ
    ).stdout

    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "│ events" in line]
    assert [row[1] for row in cells] == ["0", "1"]
    assert sum(int(row[3]) for row in cells) == 40


def test_the_doctor_names_a_topic_that_forgets(workspace: Workspace) -> None:
    """A day's retention, set by somebody; the others are as they were made."""
    log = workspace.log
    assert isinstance(log, KafkaLog)
    assert [finding for finding in findings(workspace) if finding.subject == "topic"] == []

    set_topic(log, "odds", {"retention.ms": "86400000"})

    [named] = [finding for finding in findings(workspace) if finding.subject == "topic"]
    assert named.is_fault
    assert named.state.startswith(f"{log.cluster.named('odds')}: retention.ms=86400000: it forgets records")


def test_a_topic_that_was_made_again_is_noticed_by_its_end(
    workspace: Workspace, given: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The log's id is the first topic's, and stays; projections that are ahead of the other one are made anew."""
    workspace.settle_down(workspace.log.append([make(EventScheduled, "game", number=n) for n in range(3)]))
    topic, before = given["ONRECORD_KAFKA_TOPIC_PREFIX"] + "events", workspace.log.log_id
    workspace.close()
    admin = AdminClient({"bootstrap.servers": given["ONRECORD_KAFKA_BOOTSTRAP_SERVERS"]})
    admin.delete_topics([topic])[topic].result()
    eventually(lambda: topic not in admin.list_topics(timeout=10).topics)

    with closing(Workspace(Settings(), say=print)) as again:
        again.log.append([make(EventScheduled, "another game")])
        with again.fresh_reader() as store:
            found = store.rows("SELECT event_id FROM events")
        assert before == again.log.log_id

    assert found == [("another game",)]
    assert "is ahead of the log (events/" in capsys.readouterr().out


def test_a_worker_comes_in_by_scram_and_tls(tmp_path: Path) -> None:
    """`onrecord worker` with the settings of the log: its consumer speaks another library's words for them."""
    security = Security(make_certificates(tmp_path / "certificates"))
    with LocalCluster(tmp_path / "cluster", security=security) as cluster:
        settings = KafkaSettings(cluster.bootstrap_servers, "secured.", partitions=1, security=cluster.client)
        Cluster(settings, FEEDS)
        producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, **cluster.client})
        producer.produce(f"secured.{ODDS}", json.dumps([game()]).encode())
        assert producer.flush(30) == 0
        given = {
            "HOME": str(tmp_path / "home"),
            "LOG": "kafka",
            "KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": "secured.",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_USERNAME": "admin",
            "KAFKA_PASSWORD": security.users["admin"],
            "KAFKA_CA_FILE": str(security.certificates.authority),
        }
        with (tmp_path / "worker.log").open("wb") as output, KafkaLog(settings) as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "onrecord", "worker", "--name", "one"],
                env=os.environ | {f"ONRECORD_{key}": value for key, value in given.items()},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                eventually(lambda: log.end()["odds", 0] == 2)
                assert end(worker) == 0
            finally:
                end(worker, signal.SIGKILL)
