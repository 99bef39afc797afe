"""The Faust worker: agents over the raw feeds, and the timetable. The only place that knows Faust.

What is stateless and scales by partition runs here; whatever it does twice has one effect, since its records' ids are
derived from what it read. A record is acknowledged once its effect is on the log. Nothing is raised out of an agent:
Faust would skip the record and commit past it.
"""

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faust
from faust.types import EventT

from consumers.timetable import Timetable
from consumers.watchdog import Standstill, Watchdog
from eventlog.kafka_cluster import Cluster, KafkaSettings
from eventlog.kafka_group import GroupWatcher
from eventlog.log import EventLog, Lane, LogError, Positions
from producers.raw_feeds import FEEDS, RawAnswer, RawFeeds

GROUP = "worker"
QUEUED_ANSWERS = 500
"""An agent that has so many waiting fetches no more."""
APPEND_ANSWERS = 200
SESSION_S = 10.0
LOOK_S = 5.0
METADATA_MS = 3000
LONGEST_PAUSE_S = 10.0
LARGEST_SKEW_S = 60.0
STUCK = 70
"""The exit code of a worker that stood still: whoever supervises it starts it again."""
log = logging.getLogger("onrecord.worker")


@dataclass
class Counts:
    """What a worker has done, for whoever watches it."""

    answers: int = 0
    records: int = 0
    outages: int = 0


@dataclass
class FeedWorker:
    """Takes answers from Faust's streams, and puts what they say on the log.

    `instance` names this worker for good: one that comes back under its name gets its partitions back at once. Faust
    may keep files in `folder`.
    """

    settings: KafkaSettings
    log: EventLog
    feeds: RawFeeds
    timetable: Timetable
    instance: str
    folder: Path
    beat: Callable[[], object] = lambda: None
    counts: Counts = field(default_factory=Counts)
    positions: dict[Lane, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.settings, FEEDS)  # makes the topics that are missing
        self.group = f"{self.settings.topic_prefix}{GROUP}"
        self._queue: asyncio.Queue[EventT[bytes]] | None = None
        # One thread: appends stay in the order in which the answers came.
        self._working = ThreadPoolExecutor(1, "effects")
        self.app = self._app()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; exits with `STUCK` where the watchdog finds a partition standing still.

        Raises:
            SystemExit: at the end, as Faust does.
        """
        with GroupWatcher(self.cluster, self.group) as group:
            longest_write_s = self.settings.timeout_s
            looks = round((SESSION_S + longest_write_s) / LOOK_S) + 1
            watchdog = Watchdog(lambda: self._look(group), group.waits, _bite, Standstill(looks), LOOK_S)
            watchdog.start()
            try:
                worker = _Worker(self.app, loglevel="INFO", redirect_stdouts=False)
                worker.execute_from_commandline()
            finally:
                watchdog.stop()
                self._working.shutdown(wait=True, cancel_futures=True)

    def _app(self) -> faust.App:
        servers = self.settings.bootstrap_servers.split(",")
        app = faust.App(
            self.group,
            broker=[f"kafka://{server.strip()}" for server in servers],
            broker_credentials=_credentials(self.settings.security),
            store="memory://",
            datadir=self.folder / "faust",
            value_serializer="raw",
            key_serializer="raw",
            consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=f"{self.group}.{self.instance}",
            processing_guarantee="at_least_once",
            # With the default an agent that raised once kept a worker from ending nine minutes after SIGTERM.
            stream_wait_empty=False,
            broker_session_timeout=SESSION_S,
            broker_heartbeat_interval=2.0,
            broker_commit_interval=1.0,
            broker_max_poll_interval=max(300.0, 4 * self.settings.timeout_s),
            # aiokafka asks a partition's old leader for its start again and again, fetches nothing meanwhile, and only
            # learns of the new one when its metadata is that old; by default five minutes.
            consumer_metadata_max_age_ms=METADATA_MS,
            consumer_max_fetch_size=max(4 * 1024 * 1024, self.settings.max_record_bytes),
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
        )
        app.boot_strategy.enable_web = False  # the setting alone still starts it
        for feed in FEEDS:
            topic = app.topic(self.cluster.named(feed), key_type=bytes, value_type=bytes, allow_empty=True)
            app.agent(topic, name=f"normalise-{feed}")(self._take)
        app.task(self._work)
        app.crontab("* * * * *")(self._ask)
        return app

    async def _take(self, stream: Any) -> None:  # Faust's types know no `noack`
        async for event in stream.noack().events():
            await self._waiting().put(event)

    def _waiting(self) -> "asyncio.Queue[EventT[bytes]]":
        if self._queue is None:  # made inside of the running loop
            self._queue = asyncio.Queue(QUEUED_ANSWERS)
        return self._queue

    async def _work(self) -> None:
        await self._ask()  # what was missed while no worker ran
        queue = self._waiting()
        while True:
            events = [await queue.get()]
            while len(events) < APPEND_ANSWERS and not queue.empty():
                events.append(queue.get_nowait())
            await self._put_on_record([self._answer(event) for event in events])
            for event in events:
                event.ack()
                lane = self._lane(event.message.topic, event.message.partition)
                self.positions[lane] = max(self.positions.get(lane, 0), event.message.offset + 1)

    def _answer(self, event: "EventT[bytes]") -> RawAnswer:
        message = event.message
        headers = dict(message.headers or ())
        provider = bytes(headers.get("provider") or b"").decode(errors="replace") or "unknown"
        at = datetime.fromtimestamp(message.timestamp or time.time(), UTC)
        return RawAnswer(self._lane(message.topic, 0)[0], provider, at, bytes(message.value or b""))

    def _lane(self, topic: str, partition: int) -> Lane:
        return topic.removeprefix(self.settings.topic_prefix), partition

    async def _put_on_record(self, answers: Sequence[RawAnswer]) -> None:
        """Have the effect on the log, however long its brokers are away."""
        ahead_s = max((answer.captured_at - datetime.now(UTC)).total_seconds() for answer in answers)
        await asyncio.sleep(min(max(0.0, ahead_s), LARGEST_SKEW_S))  # no live record comes from the future
        loop, pause_s, told = asyncio.get_running_loop(), 0.25, False
        while True:
            try:
                await loop.run_in_executor(self._working, self._effect, answers)
            except LogError as error:
                if not told:
                    log.error("%s; trying again until it answers", error)  # noqa: TRY400 - the line says it all
                    self.counts.outages += 1
                told = True
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                return

    def _effect(self, answers: Sequence[RawAnswer]) -> None:
        records = self.feeds.records_of(answers)
        self.log.append(records)
        self.beat()
        self.counts.answers += len(answers)
        self.counts.records += len(records)

    async def _ask(self) -> None:
        """The timetable, once a minute; what could not be asked for now is due in a minute, too."""
        try:
            asked = await asyncio.get_running_loop().run_in_executor(self._working, self.timetable.ask)
        except LogError as error:
            log.error("the timetable waits: %s", error)  # noqa: TRY400 - the line says it all
            return
        self.beat()
        if asked:
            log.info("%d jobs asked for", asked)

    def _look(self, group: GroupWatcher) -> tuple[list[Lane], Positions, Positions]:
        ours = [self._lane(at.topic, at.partition) for at in self.app.consumer.assignment()]
        feeds = [lane for lane in ours if lane[0] in FEEDS]
        # After a restart the group's own offsets are all that is known of a partition that has moved nothing yet.
        committed = group.committed()
        return feeds, group.ends(), {lane: max(committed[lane], self.positions.get(lane, 0)) for lane in feeds}


def _bite(lanes: list[Lane]) -> None:
    named = ", ".join(f"{topic}/{partition}" for topic, partition in lanes)
    log.critical("%s: records wait and nothing moves; ending, so that a new worker takes over", named)
    logging.shutdown()
    os._exit(STUCK)  # a stuck event loop would not end for anything less


def _credentials(security: Mapping[str, Any]) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Faust's form of librdkafka's properties."""
    protocol = str(security.get("security.protocol", "PLAINTEXT")).upper()
    if protocol == "PLAINTEXT":
        return None
    context = ssl.create_default_context(cafile=security.get("ssl.ca.location")) if "SSL" in protocol else None
    if context is not None and (certificate := security.get("ssl.certificate.location")):
        context.load_cert_chain(certificate, security.get("ssl.key.location"), security.get("ssl.key.password"))
    if "SASL" not in protocol:
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=security.get("sasl.username"),
        password=security.get("sasl.password"),
        ssl_context=context,
        mechanism=security.get("sasl.mechanism"),
    )


class OncePerPause(logging.Filter):
    """Lets each message of a noisy library through once in so many seconds: an outage brings twenty a second."""

    def __init__(self, name: str, pause_s: float = 30.0) -> None:
        super().__init__(name)
        self._library, self._pause_s = name, pause_s
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may pass."""
        if not record.name.startswith(self._library):
            return True
        now = time.monotonic()
        due = now - self._last.get(str(record.msg), -self._pause_s) >= self._pause_s
        if due:
            self._last[str(record.msg)] = now
        return due


class _Worker(faust.Worker):
    """Faust's, with quieter libraries."""

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        """On the handlers, once Faust has made them: a filter on a logger does not hold for those below it."""
        super().on_setup_root_logger(logger, level)
        for handler in logger.handlers:
            for library in ("aiokafka", "eventlog.kafka"):
                handler.addFilter(OncePerPause(library))
