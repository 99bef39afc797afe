"""The cluster behind the Kafka log: how to come in, its topics and their ends, and what its errors mean."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from threading import Lock
from typing import Any, TypeVar

from confluent_kafka import OFFSET_INVALID, IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, but not said to be
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

from eventlog.log import Lane, LogError, Positions

T = TypeVar("T")
COMING_IN_S = 15.0
"""How long the first connection may take: a wrong password or address shall not cost a minute."""
ANSWER_S = 10.0
_LATEST, _EARLIEST = OffsetSpec.latest(), OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LOGGER = logging.getLogger("eventlog.kafka")
# librdkafka tells each failed connection, several a second; a LogError tells the outage. Who wants all sets logging up.
_LOGGER.addHandler(logging.NullHandler())
_UNREACHABLE = (
    "no broker of {servers} answers: make sure that they run, that ONRECORD_KAFKA_BOOTSTRAP_SERVERS names them, and "
    "that ONRECORD_KAFKA_SECURITY_PROTOCOL is theirs"
)
_GONE = (
    "retention, or somebody, has removed them before they were read. Put them back from a copy of the log, or fold "
    "what is left with `onrecord rebuild`; and set retention.ms=-1 on the topic"
)
_ADVICE: Mapping[str, str] = {
    "_AUTHENTICATION": "the brokers refuse the name or the password: set ONRECORD_KAFKA_USERNAME and _PASSWORD, and "
    "the _SASL_MECHANISM that they want",
    "SASL_AUTHENTICATION_FAILED": "the brokers refuse the name or the password: set ONRECORD_KAFKA_USERNAME and "
    "_PASSWORD",
    "_SSL": "TLS failed: see that the certificates have not expired, that ONRECORD_KAFKA_CA_FILE is the authority of "
    "the brokers', and that theirs name the host",
    "TOPIC_AUTHORIZATION_FAILED": "this user may not: grant it CREATE, DESCRIBE, READ and WRITE on topics that begin "
    "with {prefix!r}",
    "CLUSTER_AUTHORIZATION_FAILED": "this user may not: grant it CREATE on topics that begin with {prefix!r}, or make "
    "them for it",
    "MSG_SIZE_TOO_LARGE": "a record is too large: raise ONRECORD_KAFKA_MAX_RECORD_BYTES and the max.message.bytes of "
    "the topic, or keep the payload elsewhere",
    "UNKNOWN_TOPIC_OR_PART": "a topic is missing: was it deleted? opening the log again makes it, empty",
    "_UNKNOWN_TOPIC": "a topic is missing: was it deleted? opening the log again makes it, empty",
    "_UNKNOWN_PARTITION": "a topic has other partitions than before: open the log again",
    "INVALID_REPLICATION_FACTOR": "there are fewer brokers than ONRECORD_KAFKA_REPLICATION asks for",
    "NOT_ENOUGH_REPLICAS": "too few replicas are in sync: bring the other brokers back",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": "too few replicas are in sync: bring the other brokers back",
    "_AUTO_OFFSET_RESET": f"records at the position asked for are gone: {_GONE}",
    "_TRANSPORT": _UNREACHABLE,
    "_ALL_BROKERS_DOWN": _UNREACHABLE,
    "_RESOLVE": _UNREACHABLE,
    "_NOENT": _UNREACHABLE,
    "LEADER_NOT_AVAILABLE": _UNREACHABLE,
    "_TIMED_OUT": _UNREACHABLE,
    "_MSG_TIMED_OUT": _UNREACHABLE,
    "REQUEST_TIMED_OUT": _UNREACHABLE,
}
_AWAY = {name for name, advice in _ADVICE.items() if advice is _UNREACHABLE}
_SYMPTOMS = _AWAY | {"_FATAL", "_PURGE_QUEUE"}
_BETWEEN_LEADERS = {
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_FOR_PARTITION",
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "OFFSET_NOT_AVAILABLE",  # a new leader that does not know yet how far the others are
    "REPLICA_NOT_AVAILABLE",
    "_NOENT",  # "no leaders found"
}
"""While a broker comes back."""
_HOPELESS = {"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "_SSL", "_FATAL"}
"""Waiting does not help."""

_KEEPING = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
"""A topic with these forgets nothing."""


@dataclass(frozen=True)
class KafkaSettings:
    """Where the cluster is, how to come in, and how topics are made that are not there yet."""

    bootstrap_servers: str
    topic_prefix: str = "onrecord."
    partitions: int = 6
    replication: int = -1
    """-1 is the brokers' own default."""
    max_record_bytes: int = 16 * 1024 * 1024
    timeout_s: float = 60.0
    """How long appends and reads wait for brokers that are away."""
    security: Mapping[str, str] = field(default_factory=dict)
    """librdkafka's properties for TLS and SASL."""


class Faults:
    """What librdkafka tells by the way: a wrong password shows nowhere else."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: KafkaError | None = None
        self._hopeless: KafkaError | None = None

    def note(self, error: KafkaError) -> None:
        """To be given to a client as its `error_cb`."""
        with self._lock:
            self._newest = error
            if error.name() in _HOPELESS or error.fatal():
                self._hopeless = error

    def clear(self) -> None:
        """What was told is over: an answer has come."""
        with self._lock:
            self._newest = self._hopeless = None

    @property
    def worst(self) -> KafkaError | None:
        """The one that explains most."""
        return self._hopeless or self._newest

    @property
    def hopeless(self) -> KafkaError | None:
        """One that no waiting helps against."""
        return self._hopeless


class Cluster:
    """The topics of one log on one cluster; those that are missing are made.

    Raises:
        LogError: no way in, or the topics cannot be made.
    """

    def __init__(self, settings: KafkaSettings, topics: Iterable[str]) -> None:
        self.settings, self.topics = settings, tuple(topics)
        self.faults = Faults()
        self._admin = AdminClient(self.client_config())
        metadata = self._come_in()
        held = {name: len(topic.partitions) for name, topic in metadata.topics.items()}
        count = next((held[self.named(topic)] for topic in self.topics if self.named(topic) in held), 0)
        self._create([topic for topic in self.topics if self.named(topic) not in held], count or settings.partitions)
        described = self._described()
        self.partitions = {topic: len(described[self.named(topic)].partitions) for topic in self.topics}
        # If the first topic was deleted and made again it is another log: its positions mean nothing any more.
        made = described[self.named(self.topics[0])].topic_id
        self.log_id = f"{metadata.cluster_id}/{settings.topic_prefix}{made}"

    def client_config(self, **more: Any) -> dict[str, Any]:
        """What every client of this cluster is configured with."""
        return {
            "bootstrap.servers": self.settings.bootstrap_servers,
            "client.id": "onrecord",
            "error_cb": self.faults.note,
            "logger": _LOGGER,
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 1000,
            **self.settings.security,
            **more,
        }

    def named(self, topic: str) -> str:
        """The name that a topic of the log has on the cluster."""
        return self.settings.topic_prefix + topic

    def lanes(self, topics: Iterable[str]) -> list[Lane]:
        """Every topic and partition."""
        return [(topic, partition) for topic in topics for partition in range(self.partitions[topic])]

    def ends(self, lanes: Iterable[Lane], *, stable: bool = True) -> dict[Lane, int]:
        """The offsets behind the last record; `stable`: behind the last that no open transaction holds back."""
        level = IsolationLevel.READ_COMMITTED if stable else IsolationLevel.READ_UNCOMMITTED
        return self._offsets(dict.fromkeys(lanes, _LATEST), level)

    def starts(self, lanes: Iterable[Lane]) -> dict[Lane, int]:
        """The offsets of the first records that are still held."""
        return self._offsets(dict.fromkeys(lanes, _EARLIEST), IsolationLevel.READ_COMMITTED)

    def first_since(self, lane: Lane, milliseconds: int) -> int | None:
        """The offset of the first record that came at a time or later; None where there is none."""
        found = self._offsets({lane: OffsetSpec.for_timestamp(milliseconds)}, IsolationLevel.READ_COMMITTED)[lane]
        return None if found < 0 else found

    def forgetful(self) -> list[str]:
        """The topics that are set to forget records, each with the settings that make it so."""
        names = [ConfigResource(ConfigResource.Type.TOPIC, self.named(topic)) for topic in self.topics]
        described = self.retried(
            lambda: _results(self._admin.describe_configs(names, request_timeout=ANSWER_S)),
            "asking how its topics are set",
        )
        found = []
        for resource, config in described.items():
            wrong = [f"{name}={config[name].value}" for name, kept in _KEEPING.items() if config[name].value != kept]
            if wrong:
                found.append(f"{resource.name}: {', '.join(wrong)}")
        return sorted(found)

    def error(self, error: KafkaError | None, what: str) -> LogError:
        """An error of Kafka's in words that say what to do."""
        told = self.faults.worst
        # That something took too long is the symptom; what was told by the way is the reason.
        cause = told if told is not None and (error is None or error.name() in _SYMPTOMS) else error
        if cause is None:
            return LogError(f"the log on Kafka failed while {what}: {self._advice('_TIMED_OUT')}")
        return LogError(f"the log on Kafka failed while {what}: {self._advice(cause.name())} ({cause.str()})")

    def gone(self, lane: Lane, first: int, behind: int) -> LogError:
        """Records that somebody wants to read, and that the log holds no more."""
        topic, partition = lane
        return LogError(f"offsets {first} to {behind - 1} of {self.named(topic)}/{partition} are gone: {_GONE}")

    def retried(self, ask: Callable[[], T], what: str) -> T:
        """The answer to a question, asked again while brokers are away.

        Raises:
            LogError: no answer within `timeout_s`, or one that waiting does not change.
        """
        deadline = time.monotonic() + self.settings.timeout_s
        while True:
            try:
                return ask()
            except KafkaException as failed:
                error: KafkaError = failed.args[0]
                self._admin.poll(0)
                passing = error.retriable() or error.name() in _AWAY | _BETWEEN_LEADERS
                if not passing or self.faults.hopeless or time.monotonic() > deadline:
                    raise self.error(error, what) from failed
                if error.name() in _BETWEEN_LEADERS:
                    self._look_for_leaders()
                time.sleep(0.1)

    def _look_for_leaders(self) -> None:
        """The admin client keeps an old leader's epoch for minutes, unless it is made to ask."""
        with suppress(KafkaException):
            self._admin.list_topics(timeout=1)

    def _advice(self, name: str) -> str:
        text = _ADVICE.get(name, "see what Kafka says")
        return text.format(servers=self.settings.bootstrap_servers, prefix=self.settings.topic_prefix)

    def _come_in(self) -> Any:
        deadline = time.monotonic() + min(COMING_IN_S, self.settings.timeout_s)
        while True:
            try:
                return self._admin.list_topics(timeout=1)
            except KafkaException as failed:
                self._admin.poll(0)
                if self.faults.hopeless or time.monotonic() > deadline:
                    raise self.error(failed.args[0], "coming in") from failed

    def _create(self, topics: Iterable[str], partitions: int) -> None:
        config = {
            **_KEEPING,
            "max.message.bytes": str(self.settings.max_record_bytes),
            # The broker's clock: what a foreign producer puts on the log cannot be backdated.
            "message.timestamp.type": "LogAppendTime",
        }
        if self.settings.replication >= 3:
            config["min.insync.replicas"] = str(self.settings.replication - 1)
        new = [NewTopic(self.named(topic), partitions, self.settings.replication, config=config) for topic in topics]
        if not new:
            return
        for future in self._admin.create_topics(new, request_timeout=ANSWER_S * 3).values():
            try:
                future.result()
            except KafkaException as failed:
                if failed.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was first
                    raise self.error(failed.args[0], "making its topics") from failed

    def _described(self) -> dict[str, Any]:
        # Made a moment ago, a topic may not be known to every broker yet.
        names = TopicCollection([self.named(topic) for topic in self.topics])
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                described = _results(self._admin.describe_topics(names, request_timeout=ANSWER_S))
                if all(topic.partitions for topic in described.values()):
                    return described
            except KafkaException as failed:
                if failed.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART or time.monotonic() > deadline:
                    raise self.error(failed.args[0], "looking at its topics") from failed
            time.sleep(0.05)

    def _offsets(self, specs: Mapping[Lane, OffsetSpec], level: IsolationLevel) -> dict[Lane, int]:
        asked = {TopicPartition(self.named(topic), part): spec for (topic, part), spec in specs.items()}
        if not asked:
            return {}

        # The admin client waits, in a busy loop, for a leader that has died, and then gives an offset that is none, and
        # no error. So the first tries are short, and after each it looks for the new leader.
        patience_s = chain((1.0, 2.0, 4.0), repeat(ANSWER_S))

        def ask() -> Mapping[TopicPartition, Any]:
            found = _results(self._admin.list_offsets(asked, isolation_level=level, request_timeout=next(patience_s)))
            for at, info in found.items():
                if info.offset == OFFSET_INVALID:
                    raise KafkaException(_no_leader(at))
            return found

        found = self.retried(ask, "asking for its ends")
        self.faults.clear()
        begin = len(self.settings.topic_prefix)
        return {(at.topic[begin:], at.partition): int(info.offset) for at, info in found.items()}


def _no_leader(at: TopicPartition) -> KafkaError:
    return KafkaError(KafkaError.LEADER_NOT_AVAILABLE, f"{at.topic}/{at.partition}: its leader does not answer")


def _results(futures: Mapping[Any, Future[Any]]) -> dict[Any, Any]:
    return {key: future.result() for key, future in futures.items()}


def ordered(positions: Positions, topics: Iterable[str]) -> list[Lane]:
    """Topics and partitions in the order of the log's topics."""
    place = {topic: number for number, topic in enumerate(topics)}
    return sorted(positions, key=lambda lane: (place[lane[0]], lane[1]))
