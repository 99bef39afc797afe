"""Import history: replay files in time order as upstream would have sent them, with the forecasts that follow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eventlog.log import EventLog, Positions, latest
from onrecord.forecasting import Forecaster, raw
from onrecord.walk_forward import ModelAt, Walk
from producers.importers import IMPORTERS
from producers.importers.files import FileRefused
from producers.importers.moments import FileMoments, Tally, moments_of, replay
from projections.catch_up import Progress
from schemas.record import Record

APPEND_RECORDS = 20_000


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
    model_at: ModelAt | None = None,
) -> Imported:
    """Put everything on record; run twice it adds nothing, cut short it goes on where it was.

    The forecaster learns from what is on record, too, and forecasts no game that it has forecast. With `model_at` the
    forecasts are calibrated by what was on record at their time.
    """
    writer = _Writer(log, append_records)
    walk = Walk(log, model_at, writer.flush) if model_at else None
    if forecaster is not None:
        forecaster.begin(log, walk.serve if walk else raw)
    before = log.end()
    writer.take(_told(files, forecaster, walk, progress))
    writer.flush()
    after = log.end()
    added = sum(offset - before.get(key, 0) for key, offset in after.items() if key in writer.positions)
    tallies = tuple((file.source, file.tally) for file in files)
    return Imported(tallies, tuple(refused), writer.count, added, writer.positions)


def _told(
    files: Sequence[FileMoments], forecaster: Forecaster | None, walk: Walk | None, progress: Progress
) -> Iterator[Record]:
    """Each moment's records, and those of the forecasts that follow from them."""
    total = moments_of(files)
    for done, moment in enumerate(replay(files), 1):
        records = walk.through(moment) if walk else moment.build()
        yield from records
        if forecaster is not None:
            made = forecaster.follow(records)
            if walk:
                walk.note(made)
            yield from forecaster.unsaid(made)
        progress(done, total - done)


@dataclass
class _Writer:
    """Puts records on the log, so many at once."""

    log: EventLog
    size: int
    count: int = 0
    positions: Positions = field(default_factory=dict)
    _waiting: list[Record] = field(default_factory=list)

    def take(self, records: Iterable[Record]) -> None:
        """Hold records until there are enough; a flush may come between any two."""
        for record in records:
            self._waiting.append(record)
            if len(self._waiting) == self.size:
                self.flush()

    def flush(self) -> None:
        """Put on the log whatever is held."""
        held, self._waiting = self._waiting, []
        if held:
            self.positions = dict(latest(self.positions, self.log.append(held)))
            self.count += len(held)
