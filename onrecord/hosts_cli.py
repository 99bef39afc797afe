"""The commands that stay: everything in one process, or the owner, its replicas and the workers of a cluster."""

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
from onrecord.watching import Watching
from onrecord.wiring import Workspace
from producers.raw_feeds import RawFeeds


def up() -> None:
    """Run everything in this process: fold, grade, publish the analysts' copy, ask for jobs; until interrupted."""
    workspace = open_workspace()
    timetable = Timetable(workspace.log, workspace.clock, workspace.settings.retention_days)
    feeds = FeedFolder(workspace.settings.home / "feeds", workspace.log, RawFeeds(Calendar(workspace.log).start))
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


def _serve(workspace: Workspace, beside: Sequence[Beside] = (), *, standby: bool = False) -> None:
    watching, beat = Watching(workspace, say), heart(workspace.settings.home)
    opened.callback(watching.close)
    Serving(workspace, until_told(), say, beside, standby, watching.look, beat).run()
