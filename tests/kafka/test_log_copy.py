"""A log copied from SQLite to Kafka and back is the same log: equal tables, stamps kept, cut off or not."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from eventlog.clock import ManualClock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from eventlog.log import EventLog
from eventlog.sqlite import SqliteLog
from onrecord.forecasting import Forecaster
from onrecord.history import import_history, read_files
from onrecord.log_copy import copy_log
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from projections.catch_up import catch_up
from projections.digest import exact_digests
from projections.store import Store
from tests.kafka.test_worker import eventually
from tests.onrecord.season import season_file
from tests.producers.stage import NOW

pytestmark = pytest.mark.kafka


@pytest.fixture
def target(kafka: str) -> Iterator[KafkaLog]:
    """A log of its own on the broker, whose clock is elsewhere."""
    settings = KafkaSettings(kafka, f"{uuid.uuid4().hex[:12]}.", partitions=3, timeout_s=20)
    with closing(KafkaLog(settings, ManualClock(NOW + timedelta(days=9)))) as log:
        yield log


def digests(log: EventLog) -> dict[str, str]:
    """Of every table, in every column but the place in the log; from nothing."""
    store = Store()
    catch_up(log, store)
    store.execute('ALTER TABLE dead_letters DROP "partition"', 'ALTER TABLE dead_letters DROP "offset"')
    found = exact_digests(store)
    store.close()
    return found


def imported(home: Path) -> SqliteLog:
    """A season on record, forecast, published and graded."""
    workspace = Workspace(Settings(home=home))
    home.mkdir(exist_ok=True)
    read, refused = read_files("football-data", [season_file(home, matches=20)])
    done = import_history(workspace.log, read, refused, Forecaster(), lambda _now, _total: None)
    workspace.settle_down(done.positions)
    workspace.close()
    return SqliteLog(home / "log.sqlite")


def test_a_copy_to_kafka_and_back_has_the_same_tables(target: KafkaLog, tmp_path: Path) -> None:
    """Cut off on the way out, too: no record is sent twice."""
    source = imported(tmp_path / "home")
    seen: list[int] = []

    def cut(done: int, _left: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_log(source, target, tmp_path / "out.json", cut, batch_rows=100)
    out = copy_log(source, target, tmp_path / "out.json")
    back = SqliteLog(tmp_path / "back.sqlite")
    returned = copy_log(target, back, tmp_path / "back.json")

    size = sum(source.end().values())
    assert (size - seen[-1], 0, size, 0) == (out.records, out.left, returned.records, returned.left)
    assert sum(target.end().values()) == size
    first = digests(source)
    assert [first, first] == [digests(target), digests(back)]
    source.close()
    back.close()


def test_what_is_no_record_stays_behind_and_is_counted(target: KafkaLog, tmp_path: Path) -> None:
    """SQLite takes records only."""
    producer = Producer({"bootstrap.servers": target.cluster.settings.bootstrap_servers})
    for poison in (b"{", None, b"\xff"):
        producer.produce(target.cluster.named("events"), poison, "game")
    assert producer.flush(30) == 0
    eventually(lambda: sum(target.end().values()) == 3)

    with closing(SqliteLog(tmp_path / "back.sqlite")) as back:
        done = copy_log(target, back, tmp_path / "notes.json")

    assert (done.records, done.left) == (0, 3)
