"""The commands that stay: everything in one process, or the owner, its replicas and the workers of a cluster."""

import socket
from collections.abc import Sequence
from typing import Annotated

import typer

from consumers.timetable import Timetable
from onrecord.calendar import Calendar
from onrecord.feed_folder import FeedFolder
from onrecord.heartbeat import heart
from onrecord.serving import Beside, Serving
from onrecord.settings import Settings
from onrecord.stopping import until_told
from onrecord.terminal import open_workspace, opened, say
from onrecord.watching import Watching, measure_worker
from onrecord.wiring import Workspace
from producers.raw_feeds import RawFeeds

CALENDAR_AGE_S = 1.0
"""A worker looks into the calendar for every game; so old may be what it sees."""


def up() -> None:
    """Run everything in this process: fold, grade, publish the analysts' copy, ask for jobs; until interrupted."""
    workspace = open_workspace()
    timetable = Timetable(workspace.log, workspace.clock, workspace.settings.retention_days)
    raw = RawFeeds(Calendar(workspace.log).start, workspace.settings.kafka_max_record_bytes)
    feeds = FeedFolder(workspace.settings.home / "feeds", workspace.log, raw, workspace.clock, say)
    feeds.prepare()
    _serve(workspace, [timetable.ask, feeds.take])


def project(
    replica: Annotated[
        bool, typer.Option("--replica", help="Only project and publish a copy, in a folder of its own; decide nothing.")
    ] = False,
) -> None:
    """Be the owner of a cluster's log: project, decide, publish copies; stands by while another process is."""
    settings = Settings()
    workspace = open_workspace(settings.model_copy(update={"replica": replica or settings.replica}))
    _serve(workspace, standby=True)


def worker(
    name: Annotated[
        str | None, typer.Option("--name", help="This worker's name for good, another for each; default: the host's.")
    ] = None,
) -> None:
    """Work on a cluster: turn raw feeds into snapshots, keep the timetable; as many beside each other as you like."""
    workspace = open_workspace()
    if workspace.settings.log != "kafka":
        raise ValueError("workers share a log on Kafka: set ONRECORD_LOG=kafka; one process needs only `onrecord up`")
    # Not at the top: who keeps the log in SQLite need not have Kafka's libraries.
    from consumers.faust_app import FeedWorker
    from eventlog.kafka import KafkaLog

    log = workspace.log
    if not isinstance(log, KafkaLog):
        raise TypeError(f"ONRECORD_LOG=kafka opened a {type(log).__name__}")
    at_work = FeedWorker(
        log.cluster.settings,
        log,
        RawFeeds(Calendar(log, CALENDAR_AGE_S).start, workspace.settings.kafka_max_record_bytes),
        Timetable(log, workspace.clock, workspace.settings.retention_days),
        name or socket.gethostname(),
        workspace.settings.home,
        heart(workspace.settings.home),
    )
    if port := workspace.settings.metrics_port:
        opened.callback(measure_worker(port, at_work.counts))
    at_work.run()


def _serve(workspace: Workspace, beside: Sequence[Beside] = (), *, standby: bool = False) -> None:
    watching, beat = Watching(workspace, say), heart(workspace.settings.home)
    opened.callback(watching.close)
    Serving(workspace, until_told(), say, beside, standby, watching.look, beat).run()
