"""A worker's rate over raw feeds beside that of a bare Faust agent, in one run on one broker.

The agent only acknowledges; the worker puts three records an answer on the log first.

    KAFKA_BOOTSTRAP_SERVERS=... python -m benchmarks.feed_worker --answers 20000

Without the variable a broker is started, as the tests do.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Producer

from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import Cluster, KafkaSettings
from eventlog.kafka_group import GroupWatcher
from producers.raw_feeds import FEEDS, ODDS
from tests.kafka.choice import some_kafka
from tests.producers.test_raw_feeds import game

BARE = """
import sys
import faust
servers, topic, group = sys.argv[1:]
app = faust.App(
    group, broker=f"kafka://{servers}", value_serializer="raw", key_serializer="raw", topic_allow_declare=False,
    consumer_auto_offset_reset="earliest", stream_wait_empty=False, topic_disable_leader=True,
)
app.boot_strategy.enable_web = False
@app.agent(app.topic(topic, key_type=bytes, value_type=bytes))
async def read(stream):
    async for event in stream.noack().events():
        event.ack()
faust.Worker(app, loglevel="WARNING").execute_from_commandline()
"""


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, some_kafka(Path(folder) / "kafka") as servers:
        bare = _bare(servers, given.answers)
        ours, records = _ours(servers, given.answers, folder)
    print(f"bare Faust agent   {bare:10,.0f} answers/s")
    print(f"worker             {ours:10,.0f} answers/s, {records:,.0f} records/s")
    print(f"ratio              {ours / bare:10.2f}")


def _fed(servers: str, answers: int) -> KafkaSettings:
    settings = KafkaSettings(servers, f"{uuid.uuid4().hex[:12]}.", partitions=3)
    Cluster(settings, FEEDS)
    producer = Producer({"bootstrap.servers": servers, "compression.type": "lz4", "linger.ms": 20})
    for number in range(answers):
        producer.produce(settings.topic_prefix + ODDS, json.dumps([game(number=number)]).encode(), str(number))
        producer.poll(0)
    producer.flush(60)
    return settings


def _bare(servers: str, answers: int) -> float:
    settings = _fed(servers, answers)
    group = f"{settings.topic_prefix}bare"
    with GroupWatcher(Cluster(settings, FEEDS), group) as watcher:
        command = [sys.executable, "-c", BARE, servers, settings.topic_prefix + ODDS, group]
        return _rate(command, lambda: sum(watcher.committed().values()), answers)


def _ours(servers: str, answers: int, folder: str) -> tuple[float, float]:
    settings = _fed(servers, answers)
    with GroupWatcher(Cluster(settings, FEEDS), f"{settings.topic_prefix}worker") as watcher, KafkaLog(settings) as log:
        command = [sys.executable, "-m", "tests.kafka.worker_process", servers, settings.topic_prefix, "one", folder]
        rate = _rate(command, lambda: sum(watcher.committed().values()), answers)
        return rate, rate * sum(log.end().values()) / answers


def _rate(command: list[str], done: Callable[[], int], answers: int) -> float:
    """Answers a second between the first and the last commit that is seen."""
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        while not (first := done()):
            time.sleep(0.05)
        began = time.perf_counter()
        while done() < answers:
            time.sleep(0.05)
        return (answers - first) / (time.perf_counter() - began)
    finally:
        worker.terminate()
        worker.wait(60)


if __name__ == "__main__":
    main()
