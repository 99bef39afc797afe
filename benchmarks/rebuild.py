"""Rebuild: log to all tables, beside its limits and a naive read model, in one run.

    .venv/bin/python -m benchmarks.rebuild --records 1000000

Prints records a second and ratios; quote the ratios. Each figure is the median of `--rounds`, the contenders in turn.
"""

import argparse
import json
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import adbc_driver_sqlite.dbapi as adbc
import duckdb

from benchmarks.stream import fill
from eventlog.sqlite import SqliteLog
from projections.catch_up import build
from schemas.registry import TOPICS

NAIVE_TABLES = """
CREATE TABLE odds (id TEXT PRIMARY KEY, event_id TEXT, book TEXT, market TEXT, selection TEXT, line REAL, price REAL);
CREATE TABLE predictions (id TEXT PRIMARY KEY, event_id TEXT, market TEXT, selection TEXT, p REAL);
CREATE TABLE other (id TEXT PRIMARY KEY, event_id TEXT, type TEXT, data TEXT);
"""
NAIVE = {
    "OddsSnapshotCaptured": (
        "INSERT OR IGNORE INTO odds VALUES (?, ?, ?, ?, ?, ?, ?)",
        lambda i, e, _t, d: (i, e, d["book"], d["market_key"], d["selection"], d["line"], d["price_decimal"]),
    ),
    "PredictionMade": (
        "INSERT OR IGNORE INTO predictions VALUES (?, ?, ?, ?, ?)",
        lambda i, e, _t, d: (i, e, d["market_key"], d["selection"], d["p_cover"]),
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.records, given.rounds)


def measure(folder: Path, records: int, rounds: int) -> None:
    """Fill a log, then time the contenders in turn."""
    path = folder / "log.sqlite"
    with SqliteLog(path) as log:
        fill(log, records)
    ready = _ready_parquet(path, folder)
    contenders: dict[str, Callable[[Path], None]] = {
        "ADBC scan of the log: the limit of the near end": lambda _: _scan(path),
        "ready Parquet into the same tables: the limit of the far end": lambda at: _load(ready, at),
        "rebuild": lambda at: _rebuild(path, at),
        "naive loop into a SQLite read model": lambda at: _naive(path, at),
    }
    rates = _rates(contenders, folder, records, rounds)
    print(f"{records:,} records, log {path.stat().st_size / records:.0f} bytes each, median of {rounds}")
    for name, rate in rates.items():
        print(f"  {rate / 1000:8.0f} thousand/s  {name}")
    scan, load, rebuilt, naive = rates.values()
    print(f"rebuild of the ADBC scan      {rebuilt / scan:.2f}  (at least 0.15, stretch 0.25)")
    print(f"rebuild of ready Parquet      {rebuilt / load:.2f}  (at least 0.20, stretch 0.35)")
    print(f"rebuild over the naive model  {rebuilt / naive:.1f}x (at least 1.8x, stretch 3x)")
    print(f"peak memory of this process   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _rates(contenders: dict[str, Callable[[Path], None]], folder: Path, records: int, rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for place, (name, run) in enumerate(contenders.items()):
            target = folder / f"{place}.{number}"
            began = time.perf_counter()
            run(target)
            times[name].append(time.perf_counter() - began)
            target.unlink(missing_ok=True)
    return {name: records / statistics.median(seconds) for name, seconds in times.items()}


def _scan(path: Path) -> None:
    with adbc.connect(str(path)) as connection, connection.cursor() as cursor:
        for topic in TOPICS:
            cursor.execute(f'SELECT record_id, type, event_id, occurred_at, recorded_at, origin, data FROM "{topic}"')
            cursor.fetch_arrow_table()


def _rebuild(path: Path, target: Path) -> None:
    with SqliteLog(path) as log:
        build(log, target)


def _ready_parquet(path: Path, folder: Path) -> Path:
    _rebuild(path, folder / "ready.duckdb")
    with duckdb.connect(str(folder / "ready.duckdb")) as connection:
        connection.execute(f"EXPORT DATABASE '{folder / 'ready'}' (FORMAT parquet)").fetchall()
    return folder / "ready"


def _load(ready: Path, target: Path) -> None:
    with duckdb.connect(str(target)) as connection:
        connection.execute("SET preserve_insertion_order = false").fetchall()
        for file in ready.glob("*.parquet"):
            connection.execute(f"CREATE TABLE \"{file.stem}\" AS FROM '{file}'").fetchall()


def _naive(path: Path, target: Path) -> None:
    source, model = sqlite3.connect(path), sqlite3.connect(target)
    model.executescript(NAIVE_TABLES)
    for topic in TOPICS:
        rows = source.execute(f'SELECT record_id, event_id, type, data FROM "{topic}" ORDER BY rowid')
        for record_id, event_id, kind, data in rows:
            if kind in NAIVE:
                sql, shape = NAIVE[kind]
                model.execute(sql, shape(record_id, event_id, kind, json.loads(data)))
            else:
                model.execute("INSERT OR IGNORE INTO other VALUES (?, ?, ?, ?)", (record_id, event_id, kind, data))
    model.commit()
    model.close()
    source.close()


if __name__ == "__main__":
    main()
