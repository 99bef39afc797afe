"""What is killed: an import, or an owner, that tells over a pipe how far it is."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path

from consumers.owner import Decider
from eventlog.log import EventLog, Positions
from eventlog.sqlite import SqliteLog
from onrecord.forecasting import Forecaster
from onrecord.history import import_history, read_files
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from projections.store import Store
from schemas.record import Record

APPEND_RECORDS = 40
BATCH_ROWS = 60
"""Small, so that there is much to interrupt."""


class TellingLog(SqliteLog):
    """Tells which records it has acknowledged, once `append` has returned."""

    def __init__(self, path: Path, pipe: Connection) -> None:
        super().__init__(path)
        self._pipe = pipe

    def append(self, records: Iterable[Record]) -> Positions:
        given = list(records)
        positions = super().append(given)
        self._pipe.send(("acknowledged", [(record.topic, record.record_id) for record in given]))
        return positions


class TellingWorkspace(Workspace):
    """A workspace that tells when records are acknowledged, when a batch is folded, and when it begins to decide."""

    def __init__(self, home: Path, pipe: Connection) -> None:
        super().__init__(Settings(home=home, batch_rows=BATCH_ROWS))
        self._pipe = pipe

    @cached_property
    def log(self) -> EventLog:
        return TellingLog(self.settings.log_path, self._pipe)

    def deciders(self, store: Store) -> tuple[Decider, ...]:
        return (TellingDecider(self._pipe), *super().deciders(store))


class TellingDecider:
    """Decides nothing, and tells that it was asked: all the others are asked right after it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        self._pipe.send(("deciding", None))
        return []


def import_file(home: Path, path: Path, pipe: Connection) -> None:
    """Replay one file, forecast and all."""
    workspace = TellingWorkspace(home, pipe)
    files, refused = read_files("football-data", [path])
    import_history(workspace.log, files, refused, Forecaster(), lambda _done, _left: None, APPEND_RECORDS)
    workspace.close()
    pipe.send(("done", None))


def own(home: Path, pipe: Connection) -> None:
    """Fold what is on the log, and decide what is to be decided."""
    workspace = TellingWorkspace(home, pipe)
    with workspace.owner() as owner:
        workspace.turn(owner, lambda folded, _left: pipe.send(("folded", folded)))
    workspace.close()
    pipe.send(("done", None))
