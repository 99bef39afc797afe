"""Ready-wired producers and services over the workspace of the environment's settings, for upstream code to import.

    from onrecord.services import event_service, snapshot_service, sim_run_tracker, publishing_service

Each name is made when it is first asked for, so that importing this module opens nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from onrecord.calendar import Calendar
from onrecord.calibration_service import CalibrationService
from onrecord.grading_service import GradingService
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from producers.event_reporter import EventReporter
from producers.publishing_service import PublishingService
from producers.sim_run_tracker import SimRunTracker
from producers.snapshot_capture import SnapshotCapture


@cache
def workspace() -> Workspace:
    """The workspace of ONRECORD_HOME."""
    return Workspace(Settings())


@cache
def _calendar() -> Calendar:
    return Calendar(workspace().log)


def _snapshot_service() -> SnapshotCapture:
    here = workspace()
    return SnapshotCapture(here.log, here.clock, _calendar().teams, here.ask)


_SERVICES: dict[str, Callable[[], Any]] = {
    "event_service": lambda: EventReporter(workspace().log, workspace().clock),
    "snapshot_service": _snapshot_service,
    "sim_run_tracker": lambda: SimRunTracker(workspace().log, workspace().clock),
    "publishing_service": lambda: PublishingService(workspace().log, workspace().clock, _calendar().start),
    "grading_service": lambda: GradingService(workspace()),
    "calibration_service": lambda: CalibrationService(workspace()),
}


def __getattr__(name: str) -> Any:
    if name not in _SERVICES:
        raise AttributeError(f"onrecord.services has no {name!r}; it has {', '.join(sorted(_SERVICES))}")
    service = globals()[name] = _SERVICES[name]()
    return service
