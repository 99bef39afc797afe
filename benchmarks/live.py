"""How long from an append until its records are visible in the projections, with many rows held and with none.

`python -m benchmarks.live [--held N] [--rounds N] [--folder PATH]` prints milliseconds at p50 and p99 for batches of 1,
10, 100 and 1,000 mixed records, and the ratio held / none. The same batches go in turn to a log and a store that hold N
records and to empty ones. Batches of one age come after everything held; those of mixed ages are spread over its whole
time, so that they touch old keys. Each batch is appended durably (without validation), read back and folded; visible
means committed in the file that is queried. With a folder the log is kept there; it is copied before anything is added.
"""

import argparse
import gc
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from benchmarks.stream import draw_kinds, log_of, row, to_batch
from eventlog.sqlite import SqliteLog
from projections.catch_up import build, catch_up
from projections.store import Store

SIZES = (1, 10, 100, 1000)
TARGETS = {"one age": 1.3, "mixed ages": 3.0}


@dataclass(frozen=True)
class Side:
    """A log and the store that follows it."""

    log: SqliteLog
    store: Store

    def visible_ms(self, batch: pa.Table) -> float:
        """From before the append until the batch is folded."""
        began = time.perf_counter()
        self.log.append_batch(batch)
        catch_up(self.log, self.store)
        return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held", type=int, default=1_000_000, help="records held (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=100, help="batches of each kind and size (default 100)")
    parser.add_argument("--folder", type=Path, help="keep the log here (default: a temporary folder)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(log_of(given.folder or folder, given.held), folder / "held.sqlite")
        none, held = _side(folder / "none.sqlite"), _side(folder / "held.sqlite")
        print(f"{given.held:,} records held, {given.rounds} batches; ms from append to visible, p50 / p99")
        print(f"{'ages':>10} {'batch':>6} {'none held':>15} {'all held':>15} {'p50 held / none':>16}")
        numbers = Numbers(given.held)
        for ages in TARGETS:
            for size in SIZES:
                _compare(none, held, [numbers.batch(size, ages) for _ in range(given.rounds)], ages)


class Numbers:
    """Gives batches of records that no log holds yet."""

    def __init__(self, held: int) -> None:
        self._held = self._next = held
        self._rng = random.Random(2)

    def batch(self, size: int, ages: str) -> pa.Table:
        """So many mixed records."""
        return to_batch(self._rows(size, ages))

    def _rows(self, size: int, ages: str) -> Iterator[dict[str, object]]:
        for kind in draw_kinds(self._rng, size):
            moment = self._next if ages == "one age" else self._rng.randrange(self._held)
            yield row(self._next, kind, moment)
            self._next += 1


def _side(path: Path) -> Side:
    log = SqliteLog(path)
    store = path.with_suffix(".duckdb")
    build(log, store)
    return Side(log, Store(store, log_id=log.log_id))


def _compare(none: Side, held: Side, batches: list[pa.Table], ages: str) -> None:
    gc.collect()
    pairs = [(none.visible_ms(batch), held.visible_ms(batch)) for batch in batches]
    ours, theirs = zip(*pairs, strict=True)
    ratio = statistics.median(theirs) / statistics.median(ours)
    figures = f"{_percentiles(ours):>15} {_percentiles(theirs):>15} {ratio:>16.2f}"
    print(f"{ages:>10} {batches[0].num_rows:>6} {figures}  (at most {TARGETS[ages]})", flush=True)


def _percentiles(some: tuple[float, ...]) -> str:
    return f"{statistics.median(some):.1f} / {statistics.quantiles(some, n=100)[98]:.1f}"


if __name__ == "__main__":
    main()
