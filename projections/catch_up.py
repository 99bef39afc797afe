"""Fold a log into a store until it has caught up, and rebuild a store from nothing."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.columns import known_at
from eventlog.log import EventLog, Positions, behind_by, lie_before, reached
from projections.generations import Generations
from projections.store import Store

BATCH_ROWS = 150_000
Progress = Callable[[int, int], None]
"""Called with how much is done (records folded, most often), and how much is left."""
Seen = Callable[[pa.Table], None]
"""Called with each batch once it is folded."""


def silent(_done: int, _left: int) -> None:
    """Progress that nobody looks at."""


def _ignored(_batch: pa.Table) -> None: ...


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: how much it folded, what it could not, and where the file is."""

    path: Path
    records: int
    dead_letters: int
    unknown: int


def batches(
    log: EventLog, held: Positions, target: Positions, rows: int = BATCH_ROWS
) -> Iterator[tuple[pa.Table, Positions]]:
    """The batches from `held` up to `target`. The first is read at once, and the next while one is folded."""
    if reached(held, target):
        return iter(())
    reader = ThreadPoolExecutor(1, "read-ahead")
    return _read_ahead(reader, reader.submit(log.read, held, rows), log, held, target, rows)


def _read_ahead(
    reader: ThreadPoolExecutor,
    first: Future[tuple[pa.Table, Positions]],
    log: EventLog,
    held: Positions,
    target: Positions,
    rows: int,
) -> Iterator[tuple[pa.Table, Positions]]:
    with reader:
        batch, after = first.result()
        while batch.num_rows or after != held:
            ahead = None if reached(after, target) else reader.submit(log.read, after, rows)
            yield batch, after
            if ahead is None:
                return
            held, (batch, after) = after, ahead.result()


def catch_up(
    log: EventLog, store: Store, progress: Progress = silent, rows: int = BATCH_ROWS, seen: Seen = _ignored
) -> int:
    """Fold everything that was on the log when the call began; returns how many records that was."""
    target = log.end()
    return _fold(log, store, batches(log, store.positions(), target, rows), target, progress, seen)


def _fold(
    log: EventLog,
    store: Store,
    incoming: Iterable[tuple[pa.Table, Positions]],
    target: Positions,
    progress: Progress,
    seen: Seen = _ignored,
) -> int:
    folded = 0
    for batch, after in incoming:
        store.fold(batch, after, may_repeat=log.may_repeat)
        seen(batch)
        folded += batch.num_rows
        progress(folded, behind_by(after, target))
    return folded


def rebuild(log: EventLog, generations: Generations, progress: Progress = silent) -> Rebuilt:
    """Fill the next generation from the log, prove that no record is in it twice, and switch to it."""
    path = generations.next()
    report = build(log, path, progress)
    generations.switch(path)
    return report


def build(
    log: EventLog,
    path: Path,
    progress: Progress = silent,
    until: datetime | None = None,
    target: Positions | None = None,
) -> Rebuilt:
    """Fold the log into a new file: only what was known by `until`, only what lies before `target`."""
    end = target or log.end()
    store = Store(path, log_id=log.log_id, rebuilding=True)
    try:
        # Not before the store is open: at that DuckDB hands back all free memory, also what a read is about to fill.
        incoming = batches(log, {}, end)
        store.create()
        if target is not None:
            incoming = (_not_behind(target, batch, after) for batch, after in incoming)
        if until is not None:
            incoming = ((_known_by(until, batch), after) for batch, after in incoming)
        records = _fold(log, store, incoming, end, progress)
        store.prove_unique()
        store.checkpoint()
        [(dead, unknown)] = store.rows(
            "SELECT count(*) FILTER (kind <> 'UNKNOWN'), count(*) FILTER (kind = 'UNKNOWN') FROM dead_letters"
        )
    finally:
        store.close()
    return Rebuilt(path, records, dead, unknown)


def _known_by(until: datetime, batch: pa.Table) -> pa.Table:
    known = known_at(batch)
    return batch.filter(pc.less_equal(known, pa.scalar(until, known.type)))


def _not_behind(target: Positions, batch: pa.Table, after: Positions) -> tuple[pa.Table, Positions]:
    """What of a batch lies before the target: the log went on behind it."""
    if reached(target, after):
        return batch, after
    return batch.filter(lie_before(target, batch)), {key: min(after.get(key, 0), target[key]) for key in target}
