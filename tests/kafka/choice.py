"""Which Kafka the tests run on: one that is there, else a container, else a broker of our own from Maven's jars."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kafka.broker import LocalCluster

SERVERS = "KAFKA_BOOTSTRAP_SERVERS"
SOCKET = Path("/var/run/docker.sock")
IMAGE = "confluentinc/cp-kafka:7.9.1"


@contextmanager
def some_kafka(folder: Path) -> Iterator[str]:
    """The bootstrap servers of a Kafka without security, with one broker at least; ours lives as long as the context.

    Raises:
        NoKafkaError: none can be had; the message says what to install or set.
    """
    if servers := os.environ.get(SERVERS):
        yield servers
    elif _container_engine_answers():
        with _container() as servers:
            yield servers
    else:
        with LocalCluster(folder) as cluster:
            yield cluster.bootstrap_servers


def _container_engine_answers() -> bool:
    import docker

    if "DOCKER_HOST" not in os.environ and not SOCKET.exists():
        return False
    try:
        client = docker.from_env(timeout=5)
    except docker.errors.DockerException:
        return False
    client.close()
    return True


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer

    with KafkaContainer(IMAGE).with_kraft() as container:
        yield container.get_bootstrap_server()
