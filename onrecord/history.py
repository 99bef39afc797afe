"""Import history: replay files in time order as upstream would have sent them, with the forecasts that follow."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eventlog.log import EventLog, Positions, latest
from onrecord.forecasting import Forecaster
from onrecord.walk_forward import Walk
from producers.importers import IMPORTERS
from producers.importers.files import FileRefused
from producers.importers.moments import FileMoments, Tally, moments_of, replay
from schemas.record import Record

APPEND_RECORDS = 20_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Imported:
    """What an import did; `records` counts those handed to the log, `added` those that were new."""

    files: tuple[tuple[str, Tally], ...]
    refused: tuple[str, ...]
    records: int
    added: int
    positions: Positions


def read_files(format_name: str, paths: Sequence[Path]) -> tuple[list[FileMoments], list[str]]:
    """The files that can be read, and for each of the others a line that says why not and what to do.

    Raises:
        FileRefused: no importer has that name.
    """
    importer = IMPORTERS.get(format_name)
    if importer is None:
        raise FileRefused(f"there is no format {format_name!r}; there are {', '.join(sorted(IMPORTERS))}")
    files, refused = [], []
    for path in paths:
        try:
            files.append(importer(path))
        except FileRefused as error:
            refused.append(str(error))
    return files, refused


def import_history(
    log: EventLog,
    files: Sequence[FileMoments],
    refused: Sequence[str],
    forecaster: Forecaster | None,
    progress: Progress,
    append_records: int = APPEND_RECORDS,
    walk: Walk | None = None,
) -> Imported:
    """Put everything on record; run twice it adds nothing, cut short it goes on where it was.

    The forecaster learns from what is on record, too, and forecasts no game that it has forecast.

    With a `walk` the forecasts are calibrated by what was on record at their time; a forecaster must be made with its
    `serve`.
    """
    writer = _Writer(log, append_records)
    if walk is not None:
        walk.flush = writer.flush
    if forecaster is not None:
        forecaster.begin(log)
    before, total = log.end(), moments_of(files)
    for done, moment in enumerate(replay(files), 1):
        if walk is not None:
            walk.reach(moment.at)
        records: Sequence[Record] = moment.build()
        if walk is not None:
            records = walk.through(records)
        writer.take(records)
        if forecaster is not None:
            made = forecaster.follow(records)
            if walk is not None:
                walk.note(made)
            writer.take(forecaster.unsaid(made))
        progress(done, total)
    writer.flush()
    after = log.end()
    added = sum(offset - before.get(key, 0) for key, offset in after.items() if key in writer.positions)
    tallies = tuple((file.source, file.tally) for file in files)
    return Imported(tallies, tuple(refused), writer.count, added, writer.positions)


@dataclass
class _Writer:
    """Puts records on the log, so many at once."""

    log: EventLog
    size: int
    count: int = 0
    positions: Positions = field(default_factory=dict)
    _waiting: list[Record] = field(default_factory=list)

    def take(self, records: Iterable[Record]) -> None:
        """Hold records until there are enough."""
        self._waiting += records
        while len(self._waiting) >= self.size:
            self._append(self.size)

    def flush(self) -> None:
        """Put on the log whatever is held."""
        if self._waiting:
            self._append(len(self._waiting))

    def _append(self, size: int) -> None:
        some, self._waiting = self._waiting[:size], self._waiting[size:]
        self.positions = dict(latest(self.positions, self.log.append(some)))
        self.count += size
