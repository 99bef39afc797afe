"""The Kafka log keeps the contract on a real broker."""

import uuid
from collections.abc import Iterator
from functools import partial

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from eventlog.clock import Clock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from eventlog.kafka_values import to_stamp, to_value
from eventlog.log import EventLog
from schemas.record import Record
from schemas.registry import TOPICS
from tests.eventlog.contract import Opener
from tests.eventlog.shared_contract import SharedLogContract
from tests.records import NOON

pytestmark = pytest.mark.kafka


def settings_for(servers: str) -> KafkaSettings:
    """Topics of a log that has never been used."""
    return KafkaSettings(servers, topic_prefix=f"{uuid.uuid4().hex[:12]}.", partitions=2, timeout_s=20)


class TestKafka(SharedLogContract):
    """Topics of its own on the broker of the run."""

    @pytest.fixture(autouse=True)
    def _broker(self, kafka: str) -> Iterator[None]:
        self.servers, self.made = kafka, list[KafkaSettings]()
        yield
        admin = AdminClient({"bootstrap.servers": kafka})
        names = [settings.topic_prefix + topic for settings in self.made for topic in TOPICS]
        for future in admin.delete_topics(names, request_timeout=30).values() if names else ():
            future.exception()

    def settings(self) -> KafkaSettings:
        self.made.append(settings_for(self.servers))
        return self.made[-1]

    def new_log(self, clock: Clock) -> EventLog:
        return KafkaLog(self.settings(), clock)

    def new_opener(self) -> Opener:
        return partial(KafkaLog, self.settings())

    def append_behind_gap(self, log: EventLog, record: Record) -> None:
        """The marker of a transaction takes an offset."""
        settings = self.made[0]
        producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions()
        value = to_value(record, to_stamp(NOON))
        for end in (producer.abort_transaction, producer.commit_transaction):
            producer.begin_transaction()
            producer.produce(settings.topic_prefix + record.topic, value, record.key, partition=0)
            producer.flush()
            end()
