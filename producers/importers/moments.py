"""Files as moments: what upstream would have sent, and when; the records are built only when their moment comes."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial

from producers.importers.files import Row, TextFile
from producers.importers.games import Game
from schemas.ids import hashed_id
from schemas.record import Record
from schemas.rejections import FileImported, FileTally, InputRejected, Rejection

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""When a rejection happened in a file that tells no time at all."""


class Order(IntEnum):
    """What comes first among moments of one instant."""

    SCHEDULED = 0
    INJURIES = 1
    ODDS = 2
    FORECAST = 3
    STATUS = 4
    STARTED = 5
    RESULT = 6
    REJECTION = 7
    TALLY = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant of a file; `build` gives its records, the same ones however often it is called."""

    at: datetime
    order: int
    build: Callable[[], list[Record]]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a file's rows; `left_out` counts cells that no record has a place for, by reason."""

    rows: int
    accepted: int
    rejected: int
    rejected_cells: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileMoments:
    """A file, ready to be replayed; `moments` are sorted by time and end with the file's tally."""

    source: str
    format: str
    moments: list[Moment]
    tally: Tally


@dataclass(frozen=True, slots=True)
class Fault:
    """Cells of a row that cannot be used, and why."""

    columns: str
    reason: str


class Reading:
    """What is found while a file is read: moments, rejections and counts.

    Rejections and the tally are identified by the file's content, its name without folder, and the place: the same file
    in another folder is the same import.
    """

    def __init__(self, file: TextFile, format_name: str) -> None:
        self.file = file
        self.format = format_name
        self.producer = f"import:{format_name}"
        self.left_out: Counter[str] = Counter()
        self._moments: list[Moment] = []
        self._rejections: list[tuple[datetime | None, str | None, Rejection]] = []
        self._rejected_rows: set[int] = set()

    def add(self, at: datetime, order: Order, build: Callable[[], list[Record]]) -> None:
        """Something happened at `at`."""
        self._moments.append(Moment(at, order, build))

    def reject_row(self, row: Row, reason: object) -> None:
        """Nothing of the row is used."""
        self._rejected_rows.add(row.number)
        said = Rejection(
            source=self.file.name, location=row.place, kind="ROW", reason=" ".join(str(reason).split()), raw=row.raw
        )
        self._rejections.append((None, None, said))

    def reject_cells(self, row: Row, fault: Fault, of: Game) -> None:
        """The cell, or the cells that are wrong together, of a row whose rest is used."""
        cells, reason = fault.columns, fault.reason
        said = Rejection(
            source=self.file.name, location=row.place, kind="CELL", column=cells, reason=reason, raw=row.raw
        )
        self._rejections.append((of.starts_at, of.event_id, said))

    def finish(self, rows: int) -> FileMoments:
        """The file's moments, when all its rows have been seen."""
        rejected = len(self._rejected_rows)
        cells = sum(rejection.kind == "CELL" for _, _, rejection in self._rejections)
        tally = Tally(rows, rows - rejected, rejected, cells, dict(self.left_out))
        first = min((moment.at for moment in self._moments), default=UNKNOWN_TIME)
        self._moments.extend(
            Moment(at or first, Order.REJECTION, partial(self._rejected, at or first, event_id, rejection))
            for at, event_id, rejection in self._rejections
        )
        last = max((moment.at for moment in self._moments), default=UNKNOWN_TIME)
        self._moments.append(Moment(last, Order.TALLY, partial(self._counted, last, tally)))
        self._moments.sort(key=_when)
        return FileMoments(self.file.name, self.format, self._moments, tally)

    def _rejected(self, at: datetime, event_id: str | None, said: Rejection) -> list[Record]:
        place = (said.location, said.column or "", said.reason)
        identity = (self.producer, self.file.sha256, self.file.name, *place)
        return [
            InputRejected(
                record_id=hashed_id("rejected", *identity),
                event_id=event_id,
                occurred_at=at,
                origin="BACKFILL",
                producer=self.producer,
                data=said,
            )
        ]

    def _counted(self, at: datetime, tally: Tally) -> list[Record]:
        file = self.file
        data = FileTally(
            source=file.name,
            sha256=file.sha256,
            format=self.format,
            rows=tally.rows,
            accepted=tally.accepted,
            rejected=tally.rejected,
            rejected_cells=tally.rejected_cells,
        )
        return [
            FileImported(
                record_id=hashed_id("imported", self.producer, file.sha256, file.name),
                occurred_at=at,
                origin="BACKFILL",
                producer=self.producer,
                data=data,
            )
        ]


def replay(files: Iterable[FileMoments]) -> Iterator[Moment]:
    """All moments of all files in the order in which they happened; ties go by kind, then by the order of `files`."""
    return heapq.merge(*(file.moments for file in files), key=_when)


def moments_of(files: Sequence[FileMoments]) -> int:
    """How many moments a replay has, for a progress bar."""
    return sum(len(file.moments) for file in files)


def _when(moment: Moment) -> tuple[datetime, int]:
    return moment.at, moment.order
