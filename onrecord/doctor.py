"""What may be wrong with a workspace, found before it hurts."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from consumers.lease import OwnedElsewhereError
from eventlog.log import LogError, behind_by
from eventlog.sqlite_connection import LEAST_SQLITE_VERSION, sqlite_version
from onrecord.engine import forgetful_topics
from onrecord.settings import PREFIX, Settings
from onrecord.wiring import UnwritableError, Workspace, can_write
from projections.errors import StoreError, StoreInUseError
from projections.store import DUCKDB_VERSION, Store

LEAST_FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do where it is a fault; a warning is none, and may become one."""

    subject: str
    state: str
    is_fault: bool = False
    is_warning: bool = False


def findings(workspace: Workspace) -> Iterator[Finding]:
    """Every look, faults and all."""
    yield Finding("onrecord", version("onrecord"))
    yield Finding("python", sys.version.split()[0])
    yield Finding("duckdb", DUCKDB_VERSION)
    yield of_sqlite(sqlite_version())
    home = workspace.settings.home
    free = shutil.disk_usage(home).free
    yield Finding("disk", f"{free / 1e9:.1f} GB free at {home}", free < LEAST_FREE_BYTES)
    writable = can_write(home)
    yield Finding("folder", f"{home} {'can' if writable else 'cannot'} be written", not writable)
    yield from of_settings(os.environ)
    yield from _log(workspace)
    yield from _projections(workspace)


def of_sqlite(version: tuple[int, ...]) -> Finding:
    """Whether several may write to the log at once with that SQLite."""
    told = ".".join(map(str, version))
    if version >= LEAST_SQLITE_VERSION:
        return Finding("sqlite", told)
    return Finding(
        "sqlite", f"{told}: two that write at once may damage the log; install adbc-driver-sqlite 1.12 or newer", True
    )


def of_settings(variables: Iterable[str]) -> Iterator[Finding]:
    """The variables that look like settings, and are none: whoever set them means something."""
    for name in sorted(variables):
        setting = name.upper().removeprefix(PREFIX).lower()
        if name.upper().startswith(PREFIX) and setting not in Settings.model_fields:
            yield Finding("settings", f"{name} is none, and does nothing: see docs/settings.md", is_warning=True)


def _log(workspace: Workspace) -> Iterator[Finding]:
    try:
        end = workspace.log.end()
        refused = len(workspace.log.conflicts())
        forgetful = forgetful_topics(workspace.log, workspace.settings)
    except (LogError, UnwritableError) as error:
        yield Finding("log", str(error), is_fault=True)
        return
    count = sum(end.values())
    yield Finding("log", f"{workspace.log.log_id}, about {count} records")
    for topic in forgetful:
        yield Finding("topic", f"{topic}: it forgets records; set it as docs/cluster.md says", is_fault=True)
    if refused:
        yield Finding(
            "conflicts", f"{refused} appends came with a known id and other content: `onrecord log stats`", True
        )


def _projections(workspace: Workspace) -> Iterator[Finding]:
    try:
        with workspace.present() as store:
            found = list(_of_store(workspace, store))
    except OwnedElsewhereError:
        found = [Finding("owner", "alive; `onrecord status` shows its lag")]
    except (StoreInUseError, UnwritableError) as error:
        found = [Finding("projections", str(error), is_fault=True)]
    except StoreError as error:
        found = [Finding("projections", f"{error}; the next command rebuilds them", is_fault=True)]
    yield from found


def _of_store(workspace: Workspace, store: Store | None) -> Iterator[Finding]:
    if store is None:
        yield Finding("projections", "none yet; the next command makes them from the log")
        return
    path, lag = Path(store.path), behind_by(store.positions(), workspace.log.end())
    state = f"{lag} records behind; the next command catches up" if lag else "up to date"
    yield Finding("projections", f"{path.name}, {state}")
    if letters := store.query("dead_letters_open").num_rows:
        yield Finding("dead letters", f"{letters} are open: `onrecord dead-letters list`", is_fault=True)
