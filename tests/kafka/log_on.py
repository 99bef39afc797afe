"""A log with topics of its own on the Kafka of the run, and whoever else writes to them."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not said to be
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from eventlog.clock import Clock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from schemas.registry import TOPICS

GONE_S = 60


def fresh_settings(servers: str, partitions: int = 2, **more: Any) -> KafkaSettings:
    """Topics that nobody has used."""
    given = {"topic_prefix": f"{uuid.uuid4().hex[:12]}.", "timeout_s": 20.0, **more}
    return KafkaSettings(servers, partitions=partitions, **given)


@contextmanager
def fresh_log(servers: str, clock: Clock | None = None, partitions: int = 2, **more: Any) -> Iterator[KafkaLog]:
    """A log that has never been used; its topics go with the context."""
    settings = fresh_settings(servers, partitions, **more)
    log = KafkaLog(settings, clock)
    try:
        yield log
    finally:
        log.close()
        delete_topics(settings)


def delete_topics(*some: KafkaSettings, topics: Sequence[str] = TOPICS) -> None:
    """Leave no topics behind; returns when the brokers show them no more, which is later than they promise it."""
    names = {settings.topic_prefix + topic for settings in some for topic in topics}
    if not names:
        return
    admin = AdminClient({"bootstrap.servers": some[0].bootstrap_servers, **some[0].security})
    for future in admin.delete_topics(sorted(names), request_timeout=30).values():
        future.exception()
    deadline = time.monotonic() + GONE_S
    while names & admin.list_topics(timeout=30).topics.keys():
        assert time.monotonic() < deadline, "the topics are still there"
        time.sleep(0.05)


def set_topic(log: KafkaLog, topic: str, settings: Mapping[str, str]) -> None:
    """Change how a topic is kept; returns when the brokers say so."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, log.cluster.named(topic))
    admin = AdminClient({"bootstrap.servers": log.cluster.settings.bootstrap_servers})
    for name, value in settings.items():
        resource.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    for future in admin.incremental_alter_configs([resource], request_timeout=30).values():
        future.result()
    asked = ConfigResource(ConfigResource.Type.TOPIC, log.cluster.named(topic))
    deadline = time.monotonic() + GONE_S
    while True:
        [now] = [future.result() for future in admin.describe_configs([asked], request_timeout=30).values()]
        if all(now[name].value == value for name, value in settings.items()):
            return
        assert time.monotonic() < deadline, "the brokers do not take the settings"
        time.sleep(0.05)


class ForeignProducer:
    """Somebody else: writes any bytes under any key, with a client of its own."""

    def __init__(self, settings: KafkaSettings, **config: Any) -> None:
        self._prefix = settings.topic_prefix
        self.producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "partitioner": "murmur2_random",
                "message.max.bytes": 64 * 1024 * 1024,
                **settings.security,
                **config,
            }
        )

    def put(self, topic: str, value: bytes | None, key: str | None = "E1", partition: int = -1) -> None:
        """One message, durable when this returns."""
        failed: list[Any] = []
        self.producer.produce(
            self._prefix + topic, value, key, partition, on_delivery=lambda error, _: failed.append(error)
        )
        self.producer.flush()
        assert failed == [None]
