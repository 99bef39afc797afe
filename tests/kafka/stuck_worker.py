"""A worker that gets stuck: `python -m tests.kafka.stuck_worker SERVERS PREFIX NAME FOLDER handler|loop`.

All of it is the product's; stuck is what a worker is given: a calendar that never answers, or a task that never gives
the event loop back.
"""

import asyncio
import sys
import time
from pathlib import Path

from consumers.faust_app import FeedWorker
from consumers.timetable import Timetable
from eventlog.clock import SystemClock
from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from onrecord.calendar import Calendar
from producers.publishing_service import EventStart
from producers.raw_feeds import RawFeeds

FOREVER_S = 3600.0
TIMEOUT_S = 5.0
"""The watchdog waits for a session and the longest write: the shorter this, the sooner it bites."""


def never(_event_id: str) -> EventStart | None:
    """When an event starts: a question that nobody answers."""
    time.sleep(FOREVER_S)
    return None


def main(servers: str, prefix: str, name: str, folder: str, how: str) -> None:
    """Work until the watchdog bites."""
    settings = KafkaSettings(servers, prefix, partitions=3, timeout_s=TIMEOUT_S)
    with KafkaLog(settings) as log:
        starts = never if how == "handler" else Calendar(log, 1.0).start
        timetable = Timetable(log, SystemClock(), retention_days=0)
        worker = FeedWorker(settings, log, RawFeeds(starts), timetable, name, Path(folder))

        async def hold() -> None:
            while not worker.counts.answers:
                await asyncio.sleep(0.1)
            time.sleep(FOREVER_S)

        if how == "loop":
            worker.app.task(hold)
        worker.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
