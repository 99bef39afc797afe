"""How fast records reach the log: validated appends beside raw inserts of the same columns, in one run.

`python -m benchmarks.append [--held N] [--records N] [--rounds N] [--turn N] [--folder PATH]` prints a row for 1, 10,
100 and 1,000 records a transaction: thousand records a second and the ratios to raw, by all the time that they took,
and in brackets by the median transaction, in which SQLite's checkpoints (one in six transactions of 1,000) do not show.
The ways take turns of 40 transactions on end (`--turn`), each with a file of its own, lest one make the checkpoints of
another's writes. Raw is what SQLite does with columns that are there already: the same table and the same durability,
no validation, no look for duplicates. Each file holds N records before (default: none). With a folder the log that they
are copied from is kept there, and one that lies there is used.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa

from benchmarks import stream
from eventlog.columns import ROW, to_envelope, to_row
from eventlog.log import BATCH
from eventlog.sqlite import SqliteLog
from schemas.codec import Codec
from schemas.record import Record

SIZES = (1, 10, 100, 1000)
TARGETS = {"models": 0.35, "json": 0.5}
"""At least so much of raw at the largest size."""
START = datetime(2026, 1, 1, tzinfo=UTC)
Way = Callable[[list[Record]], Callable[[], object]]
"""Takes a transaction's records; what it returns is timed."""


def records(seed: int = 1, held: int = 0) -> Iterator[Record]:
    """The mixed stream of `benchmarks.stream` after those held, as upstream would hand it over: without stamps."""
    codec, rng = Codec(), random.Random(seed)
    # A thousand at a time: what is measured should not share its memory with 50,000 rows that wait for their turn.
    for first in count(held, 1000):
        kinds = enumerate(stream.draw_kinds(rng, 1000), first)
        for row in stream.to_batch(stream.row(number, kind) for number, kind in kinds).to_pylist():
            yield codec.decode({**to_envelope(row), "recorded_at": None})


def _columns(records: Iterable[Record]) -> dict[str, list[Any]]:
    rows = [(*to_row(record), START) for record in records]
    return dict(zip((*ROW, "recorded_at"), map(list, zip(*rows, strict=True)), strict=True))


class Raw:
    """The same tables in a file of their own, made when it is missing, filled by `executemany` and nothing else."""

    def __init__(self, path: Path) -> None:
        SqliteLog(path).close()
        self.connection = adbc.connect(str(path), autocommit=True)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._run(f"PRAGMA {pragma}")

    def way(self, batch: list[Record]) -> Callable[[], object]:
        """Inserts the columns of the batch, topic by topic, in one transaction."""
        topics = dict.fromkeys(record.topic for record in batch)
        columns = {topic: _columns(record for record in batch if record.topic == topic) for topic in topics}
        return lambda: self._insert(columns)

    def _insert(self, topics: dict[str, dict[str, list[Any]]]) -> None:
        self._run("BEGIN IMMEDIATE")
        for topic, columns in topics.items():
            arrays = {name: pa.array(values, BATCH.field(name).type) for name, values in columns.items()}
            for name in ("occurred_at", "recorded_at"):
                arrays[name] = arrays[name].cast(pa.int64())
            sql = f'INSERT INTO "{topic}" ({", ".join(arrays)}) VALUES ({", ".join("?" * len(arrays))})'
            with self.connection.cursor() as cursor:
                cursor.executemany(sql, pa.record_batch(arrays))
        self._run("COMMIT")

    def _run(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.fetchall()


def from_json(log: SqliteLog, batch: Sequence[Record]) -> Callable[[], object]:
    """Appends the batch given as JSON bytes."""
    lines = [record.model_dump_json().encode() for record in batch]
    return lambda: log.append_json(lines)


def timed(action: Callable[[], object]) -> float:
    """Seconds by the clock."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure(
    ways: dict[str, Way], source: Iterator[Record], size: int, rounds: int, turn: int
) -> dict[str, tuple[float, float]]:
    """Seconds of one transaction of each way, so many on end in a turn: the mean and the median of the rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for first in range(0, rounds, turn):
        for name, way in ways.items():
            actions = deque(way(list(islice(source, size))) for _ in range(min(turn, rounds - first)))
            while actions:
                seconds[name].append(timed(actions.popleft()))
    return {name: (statistics.mean(some), statistics.median(some)) for name, some in seconds.items()}


def row(size: int, taken: dict[str, tuple[float, float]]) -> str:
    """Rates by all time; ratios to raw by all time, and by the median in brackets."""
    rates = "".join(f"{size / mean / 1000:>10.1f}" for mean, _ in taken.values())
    mean, median = taken["raw"]
    ratios = "".join(f"{mean / taken[way][0]:>9.2f} ({median / taken[way][1]:.2f})" for way in ("models", "json"))
    least = ", ".join(f"{way} at least {target}" for way, target in TARGETS.items() if size == SIZES[-1])
    return f"{size:>8}{rates}{ratios}  {least}".rstrip()


def start(folder: Path, kept: Path, held: int) -> None:
    """Put each way's file there, with so many records; with none they are made when opened."""
    if held:
        for name in ("raw", "models", "json"):
            shutil.copy(stream.log_of(kept, held), folder / f"{name}.sqlite")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Validated appends beside raw inserts of the same columns")
    parser.add_argument("--held", type=int, default=0, help="records that are there before (default 0)")
    parser.add_argument("--records", type=int, default=200_000, help="about how many records a way and a size")
    parser.add_argument("--rounds", type=int, default=400, help="at most so many transactions a way and a size")
    parser.add_argument("--turn", type=int, default=40, help="transactions of one way on end (default 40)")
    parser.add_argument("--folder", type=Path, help="keep the log held here (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start(folder, options.folder or folder, options.held)
        measure_all(folder, options)


def measure_all(folder: Path, options: argparse.Namespace) -> None:
    """Print a row for each size."""
    source = records(held=options.held)
    with SqliteLog(folder / "models.sqlite") as models, SqliteLog(folder / "json.sqlite") as lines:
        raw = Raw(folder / "raw.sqlite")
        ways: dict[str, Way] = {
            "raw": raw.way,
            "models": lambda batch: lambda: models.append(batch),
            "json": lambda batch: from_json(lines, batch),
        }
        print(f"{options.held:,} records held")
        print("a commit   raw k/s models k/s json k/s   models/raw (median)   json/raw (median)")
        for size in SIZES:
            rounds = max(1, min(options.rounds, options.records // size))
            print(row(size, measure(ways, source, size, rounds, options.turn)), flush=True)
        raw.connection.close()


if __name__ == "__main__":
    main()
