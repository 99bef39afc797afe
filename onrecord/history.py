"""Import history: replay files in time order as upstream would have sent them, with the forecasts that follow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from eventlog.log import EventLog, Positions, latest
from onrecord.forecasting import Forecaster
from producers.importers import IMPORTERS
from producers.importers.files import FileRefused
from producers.importers.moments import FileMoments, Moment, Tally, moments_of, replay
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
) -> Imported:
    """Put everything on record; run twice it adds nothing, cut short it goes on where it was."""
    before, positions, count = log.end(), dict[tuple[str, int], int](), 0
    records = _records(replay(files), forecaster, moments_of(files), progress)
    while some := list(islice(records, append_records)):
        positions = dict(latest(positions, log.append(some)))
        count += len(some)
    added = sum(offset - before.get(key, 0) for key, offset in positions.items())
    tallies = tuple((file.source, file.tally) for file in files)
    return Imported(tallies, tuple(refused), count, added, positions)


def _records(
    moments: Iterator[Moment], forecaster: Forecaster | None, total: int, progress: Progress
) -> Iterator[Record]:
    for done, moment in enumerate(moments, 1):
        records = moment.build()
        yield from records
        if forecaster is not None:
            yield from forecaster.follow(records)
        progress(done, total)
