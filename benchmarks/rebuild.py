"""Rebuild: log to all tables, beside its limits and a naive read model, in one run.

`python -m benchmarks.rebuild [--records N] [--rounds N] [--folder PATH]` prints thousand records a second and ratios,
by the clock and by processor time; quote the ratios. The contenders take turns, and each figure is the median of its
rounds. On a machine that has other work the clock tells more of that work than of ours; processor time does not, but
it credits nobody for using two cores. With a folder the logs are kept there, and those that lie there are used.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import adbc_driver_sqlite.dbapi as adbc
import duckdb

from benchmarks.naive import fill_read_model
from benchmarks.stream import log_of
from eventlog.sqlite import SqliteLog
from projections.catch_up import build
from schemas.registry import TOPICS


@dataclass(frozen=True)
class Cost:
    """What one run took, by the clock and of all processors together."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="records on the log (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each contender takes (default 3)")
    parser.add_argument("--folder", type=Path, help="keep the logs here (default: a temporary folder)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = log_of(given.folder or Path(folder), given.records)
        measure(log, Path(folder), given.records, given.rounds)


def measure(log: Path, folder: Path, records: int, rounds: int) -> None:
    """Time the contenders in turn, and print the table."""
    ready = _ready_parquet(log, folder)
    contenders: dict[str, Callable[[Path], None]] = {
        "ADBC scan of the log, all columns to Arrow: the limit of the near end": lambda _: scan(log),
        "ready Parquet into the same tables: the limit of the far end": lambda at: load(ready, at),
        "rebuild": lambda at: rebuild(log, at),
        "naive loop into a SQLite read model": lambda at: fill_read_model(log, at),
    }
    costs = _costs(contenders, folder, rounds)
    print(f"{records:,} records, {log.stat().st_size / records:.0f} bytes of log each, median of {rounds}")
    print("thousand records a second: by the clock, by processor time")
    for name, cost in costs.items():
        print(f"{records / cost.wall_s / 1000:>8.0f} {records / cost.cpu_s / 1000:>8.0f}  {name}")
    scanned, loaded, rebuilt, naive = costs.values()
    _print_ratio("rebuild of the ADBC scan", scanned, rebuilt, "at least 0.15, stretch 0.25")
    _print_ratio("rebuild of ready Parquet", loaded, rebuilt, "at least 0.20, stretch 0.35")
    _print_ratio("rebuild over the naive model", naive, rebuilt, "at least 1.8, stretch 3")


def _print_ratio(name: str, other: Cost, ours: Cost, target: str) -> None:
    by_clock, by_processor = other.wall_s / ours.wall_s, other.cpu_s / ours.cpu_s
    print(f"{name:<29} {by_clock:.2f} by the clock ({target}), {by_processor:.2f} by processor time", flush=True)


def _costs(contenders: dict[str, Callable[[Path], None]], folder: Path, rounds: int) -> dict[str, Cost]:
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            target = folder / "target"
            gc.collect()
            costs[name].append(_cost(partial(run, target)))
            target.unlink(missing_ok=True)
    return {
        name: Cost(statistics.median(one.wall_s for one in some), statistics.median(one.cpu_s for one in some))
        for name, some in costs.items()
    }


def _cost(action: Callable[[], None]) -> Cost:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    action()
    return Cost(time.perf_counter() - wall_s, time.process_time() - cpu_s)


def scan(log: Path) -> None:
    """Every column of every topic to Arrow, let go at once."""
    with adbc.connect(str(log)) as connection, connection.cursor() as cursor:
        for topic in TOPICS:
            cursor.execute(f'SELECT * FROM "{topic}"')
            for batch in cursor.fetch_record_batch():
                del batch


def rebuild(log: Path, target: Path) -> None:
    """Fold the whole log into a new file."""
    with SqliteLog(log) as opened:
        build(opened, target)


def load(ready: Path, target: Path) -> None:
    """Columns that are typed and folded already into a new file: nothing can be faster."""
    with duckdb.connect(str(target)) as connection:
        connection.execute("SET preserve_insertion_order = false").fetchall()
        for file in sorted(ready.glob("*.parquet")):
            connection.execute(f"CREATE TABLE \"{file.stem}\" AS FROM '{file}'").fetchall()


def _ready_parquet(log: Path, folder: Path) -> Path:
    rebuild(log, folder / "ready.duckdb")
    with duckdb.connect(str(folder / "ready.duckdb")) as connection:
        connection.execute(f"EXPORT DATABASE '{folder / 'ready'}' (FORMAT parquet)").fetchall()
    return folder / "ready"


if __name__ == "__main__":
    main()
