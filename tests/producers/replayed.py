"""What the importers' tests share: writing a file, and replaying it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from producers.importers import FileMoments, replay
from schemas.record import Record

Kind = TypeVar("Kind", bound=Record)


def written(folder: Path, name: str, *lines: str) -> Path:
    """A file of these lines."""
    path = folder / name
    path.write_bytes("\n".join(lines).encode())
    return path


def records_of(*files: FileMoments) -> list[Record]:
    """All records of the files, in the order of a replay; each has the time of its moment."""
    records = []
    for moment in replay(files):
        built = moment.build()
        assert {moment.at} == {record.occurred_at for record in built}
        records.extend(built)
    return records


def only(kind: type[Kind], records: Sequence[Record]) -> list[Kind]:
    """Those of one type."""
    return [record for record in records if isinstance(record, kind)]


def counted(file: FileMoments) -> tuple[int, int, int, int]:
    """Rows, accepted, rejected, rejected cells."""
    tally = file.tally
    return tally.rows, tally.accepted, tally.rejected, tally.rejected_cells
