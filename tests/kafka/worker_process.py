"""A worker in a process of its own: `python -m tests.kafka.worker_process SERVERS PREFIX NAME FOLDER`."""

import sys
from pathlib import Path

from consumers.faust_app import FeedWorker
from consumers.timetable import Timetable
from eventlog.clock import SystemClock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from onrecord.calendar import Calendar
from producers.raw_feeds import RawFeeds


def main(servers: str, prefix: str, name: str, folder: str) -> None:
    """Work until SIGTERM."""
    settings = KafkaSettings(servers, prefix, partitions=3, timeout_s=20)
    with KafkaLog(settings) as log:
        timetable = Timetable(log, SystemClock(), retention_days=0)
        FeedWorker(settings, log, RawFeeds(Calendar(log, 1.0).start), timetable, name, Path(folder)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
