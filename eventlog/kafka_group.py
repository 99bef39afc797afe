"""What a consumer group of others has left to do: ends and committed offsets, seen from outside of the group."""

from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from eventlog.kafka_cluster import ANSWER_S, Cluster
from eventlog.log import Lane, Positions


class GroupWatcher:
    """Looks at a group's offsets on the topics of a cluster, with a consumer of its own that never joins the group."""

    def __init__(self, cluster: Cluster, group: str) -> None:
        self._cluster = cluster
        self._consumer = Consumer(cluster.client_config(**{"group.id": group, "enable.auto.commit": False}))

    def ends(self) -> Positions:
        """The offsets behind the last record of every partition; LogError where no broker answers."""
        return self._cluster.ends(self._cluster.lanes(self._cluster.topics))

    def committed(self) -> Positions:
        """The group's committed offsets; the first offset held where it has committed none.

        Raises:
            LogError: no broker answers, or the group may not be looked at.
        """
        lanes = self._cluster.lanes(self._cluster.topics)
        asked = [TopicPartition(self._cluster.named(topic), partition) for topic, partition in lanes]
        try:
            told = self._consumer.committed(asked, timeout=ANSWER_S)
        except KafkaException as failed:
            raise self._cluster.error(failed.args[0], "asking for committed offsets") from failed
        starts = self._cluster.starts(lanes)
        return {lane: starts[lane] if at.offset < 0 else at.offset for lane, at in zip(lanes, told, strict=True)}

    def waits(self, lane: Lane, offset: int) -> bool:
        """Whether a record can be read from an offset on, and not only the marker of a transaction."""
        self._consumer.assign([TopicPartition(self._cluster.named(lane[0]), lane[1], offset)])
        try:
            message = self._consumer.poll(ANSWER_S)
        finally:
            self._consumer.unassign()
        return message is not None and message.error() is None

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
