"""The brokers that other tests rely on do what their names say."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.broker import LocalCluster, NoKafkaError, fetch_jars

pytestmark = pytest.mark.kafka


def test_a_broker_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    """After SIGTERM and after SIGKILL."""
    with LocalCluster(tmp_path / "cluster") as cluster:
        [broker] = cluster.brokers
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": "0"})
        before = admin.list_topics(timeout=10).cluster_id
        for end in (broker.terminate, broker.kill):
            end()
            assert not broker.is_running()
            broker.start()
            assert before == admin.list_topics(timeout=10).cluster_id
    assert not (tmp_path / "cluster").exists()


def test_three_brokers_are_one_cluster(tmp_path: Path) -> None:
    """Two of them go on without the third."""
    with LocalCluster(tmp_path / "cluster", brokers=3) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": "0"})
        assert len(admin.list_topics(timeout=10).brokers) == 3
        cluster.brokers[0].kill()
        cluster.brokers[1].await_ready()


def test_a_machine_without_java_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Kafka was asked for, its absence is a failure."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoKafkaError, match="install Java 17, or set KAFKA_BOOTSTRAP_SERVERS"):
        fetch_jars()
