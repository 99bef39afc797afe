"""Bootstrap bounds by event: sums per game first, against a naive loop. Run: python -m benchmarks.bootstrap"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from grading.bootstrap import lower_bounds
from grading.scores import Floats, Integers

NAIVE_RESAMPLES = 3


def naive_means(columns: Floats, rows_of: list[Integers], rng: np.random.Generator) -> Floats:
    """Draw games and gather each drawn game's rows: what one writes first, row indices prepared and numpy used."""
    drawn = rng.integers(0, len(rows_of), len(rows_of))
    rows = np.concatenate([rows_of[game] for game in drawn])
    means: Floats = columns[rows].mean(axis=0)
    return means


def python_means(columns: list[list[tuple[float, float]]], rng: np.random.Generator) -> tuple[float, float]:
    """Do the same in plain Python, a loop over the drawn games' rows."""
    first = second = 0.0
    n = 0
    for game in rng.integers(0, len(columns), len(columns)).tolist():
        for a, b in columns[game]:
            first += a
            second += b
            n += 1
    return first / n, second / n


def main() -> None:
    """Print both times for one data set and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--games", type=int, default=250_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    events = rng.integers(0, asked.games, asked.rows)
    columns = rng.normal(0.001, 0.3, (asked.rows, 2))

    start = time.perf_counter()
    bounds = lower_bounds(columns, events, resamples=asked.resamples)
    ours = time.perf_counter() - start

    order = np.argsort(events, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(events, minlength=asked.games))[:-1])
    lists = [list(map(tuple, columns[rows].tolist())) for rows in rows_of]
    gathered = min(_seconds(lambda: naive_means(columns, rows_of, rng)) for _ in range(NAIVE_RESAMPLES))
    looped = min(_seconds(lambda: python_means(lists, rng)) for _ in range(NAIVE_RESAMPLES))

    print(f"{asked.rows:,} rows of two columns in {asked.games:,} games, {asked.resamples:,} resamples")
    print(f"lower bounds {bounds.round(6).tolist()}, event sums included: {ours:.2f} s")
    for name, seconds in (("numpy gather of each game's rows", gathered), ("plain Python loop", looped)):
        whole = seconds * asked.resamples
        print(
            f"naive, {name}: {seconds:.3f} s a resample (best of {NAIVE_RESAMPLES}, scaled to"
            f" {asked.resamples:,}: {whole:.0f} s), ratio {whole / ours:.0f}"
        )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
