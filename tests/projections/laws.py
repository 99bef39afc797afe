"""The laws that every projection obeys, as functions that raise `LawBrokenError`.

`check(law, pair)` lets Hypothesis look for a log that breaks one; the tests of real projections want none to be
found, those of planted faults want one. docs/projections.md says what each law is for.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eventlog.clock import ManualClock
from eventlog.columns import ROW, to_row
from eventlog.log import BATCH, EMPTY, Positions
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.digest import differences, exact_digests
from projections.sql_file import Projection, load_projections
from projections.staging import staging_sql
from projections.store import Store
from schemas.record import Record
from schemas.registry import BY_NAME, RECORD_TYPES
from tests.records import NOON, histories

PARTITIONS = 2
# Where the same set of records may lie elsewhere, the places that dead letters name differ, and nothing else.
_PLACES = {"partition", "offset", "raw"}


class LawBrokenError(AssertionError):
    """A law does not hold; the message shows the rows that differ."""


@dataclass(frozen=True)
class Placed:
    """A record at its place in a log."""

    record: Record
    partition: int
    offset: int
    recorded_at: datetime

    @property
    def row(self) -> dict[str, Any]:
        place = {"topic": self.record.topic, "partition": self.partition, "offset": self.offset}
        return {**place, **dict(zip(ROW, to_row(self.record), strict=True)), "recorded_at": self.recorded_at}


@dataclass(frozen=True)
class Subject:
    """A projection under test, and with it those that it uses, in fold order."""

    name: str
    projections: tuple[Projection, ...]
    store_class: type[Store] = Store

    @property
    def projection(self) -> Projection:
        return next(projection for projection in self.projections if projection.name == self.name)

    @property
    def kinds(self) -> tuple[type[Record], ...]:
        """The record types that it reads, or that those it uses read."""
        names = {name for projection in self.projections for name in projection.reads}
        return tuple(kind for name, kind in BY_NAME.items() if name in names)


def subjects() -> list[Subject]:
    """One for every `.sql` file that is found."""
    found = load_projections()
    return [Subject(projection.name, _with_uses(projection, found)) for projection in found]


def _with_uses(projection: Projection, found: Sequence[Projection]) -> tuple[Projection, ...]:
    needed, waiting = {projection.name}, list(projection.uses)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += next(other for other in found if other.name == name).uses
    return tuple(other for other in found if other.name in needed)


class Twins:
    """Two stores of one subject, emptied before each use: making one anew takes a tenth of a second."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.first, self.second = (subject.store_class(projections=subject.projections) for _ in range(2))
        self.made = _made_by(subject, self.first)

    def agree(self, leave_out: Iterable[str] = ()) -> None:
        """The two hold the same tables, and the subject's views show the same."""
        told = set(leave_out)
        for name in differences(exact_digests(self.first), exact_digests(self.second)):
            if shown := _differing(self.first, self.second, name, told):
                raise LawBrokenError(f"{self.subject.name}: table {name} differs\n{shown}")
        for name in self._views():
            if shown := _differing(self.first, self.second, name, told):
                raise LawBrokenError(f"{self.subject.name}: view {name} differs\n{shown}")

    def _views(self) -> list[str]:
        views = self.first.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary")
        return [name for (name,) in views if name in self.made[self.subject.name]]


def empty(store: Store) -> None:
    """Leave nothing in any table, positions included: as new, but for what it took to make it."""
    tables = store.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")
    store.execute(*(f'DELETE FROM "{table}"' for (table,) in tables if table != "store_identity"))


@contextmanager
def twins(subject: Subject) -> Iterator[Twins]:
    """Two stores, closed at the end."""
    pair = Twins(subject)
    try:
        yield pair
    finally:
        pair.first.close()
        pair.second.close()


def any_cut(pair: Twins, log: Sequence[Placed], rng: Random) -> None:
    """Any cut of a log into batches gives the same tables."""
    read = sorted(log, key=lambda placed: (placed.record.topic, placed.partition, placed.offset))
    fold(pair.first, [read])
    fold(pair.second, cut(read, rng))
    same_positions(pair)
    pair.agree()


def any_interleaving(pair: Twins, log: Sequence[Placed], rng: Random) -> None:
    """Any interleaving of topics and partitions gives the same tables; within a partition order is kept."""
    fold(pair.first, [log])
    fold(pair.second, cut(interleaved(log, rng), rng))
    same_positions(pair)
    pair.agree()


def only_the_set(pair: Twins, log: Sequence[Placed], rng: Random) -> None:
    """The same records at any other places of the log give the same tables: a fold depends on the set of records."""
    fold(pair.first, [log])
    fold(pair.second, cut(elsewhere(log, rng), rng))
    pair.agree(leave_out=_PLACES)


def redelivery(pair: Twins, log: Sequence[Placed], rng: Random) -> None:
    """What is delivered again changes nothing, be it a batch, or all from some earlier position on."""
    batches = cut(log, rng)
    fold(pair.first, batches)
    told = 0
    for batch in batches:
        told += len(batch)
        start, stop = sorted(rng.randrange(told + 1) for _ in range(2))
        fold(pair.second, [batch, log[start:stop]])
    fold(pair.second, [log])
    same_positions(pair)
    pair.agree()


def rebuild_is_live(pair: Twins, log: Sequence[Placed], rng: Random) -> None:
    """A store that followed a log as it grew equals one that is built from the log at its end."""
    clock = ManualClock(NOON)
    with SqliteLog(":memory:", clock) as source:  # closed even where Hypothesis gives a log up midway
        for batch in cut(log, rng):
            source.append([placed.record for placed in batch])
            clock.advance(timedelta(seconds=30))
            catch_up(source, pair.first, rows=rng.randrange(4, 20))
        catch_up(source, pair.second)
    same_positions(pair)
    pair.agree()


def only_declared(pair: Twins, log: Sequence[Placed], _rng: Random) -> None:
    """Only declared types and tables are read, and only the file's own tables are changed."""
    declared = {kind.model_fields["type"].default for kind in pair.subject.kinds}
    binds_alone(pair)
    fold(pair.first, [log])
    fold(pair.second, [[placed for placed in log if placed.record.type in declared]])
    pair.agree()


Law = Callable[[Twins, Sequence[Placed], Random], None]
LAWS: tuple[Law, ...] = (any_cut, any_interleaving, only_the_set, redelivery, rebuild_is_live, only_declared)


def check(law: Law, pair: Twins, examples: int = 6, *, repeatable: bool = False, strays: Sequence[Record] = ()) -> None:
    """Look for a log that breaks the law; some logs hold some of the `strays`, too.

    `repeatable` looks at the same logs each time, and reports without shrinking.

    Raises:
        LawBrokenError: there is one.
    """
    phases = {Phase.generate} if repeatable else set(Phase) - {Phase.explain}
    kinds = RECORD_TYPES if law is only_declared else pair.subject.kinds

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=repeatable,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    @given(logs(kinds, strays), st.randoms(use_true_random=False))
    def holds(log: tuple[Placed, ...], rng: Random) -> None:
        empty(pair.first)
        empty(pair.second)
        try:
            law(pair, log, rng)
        except duckdb.Error as error:
            raise LawBrokenError(f"{pair.subject.name}: {error}") from error

    holds()


@st.composite
def logs(
    draw: st.DrawFn,
    kinds: Sequence[type[Record]],
    strays: Sequence[Record] = (),
    min_size: int = 12,
    max_size: int = 30,
) -> tuple[Placed, ...]:
    """A log in the order in which its records arrived: keys have their partitions, offsets grow with gaps."""
    history = draw(histories(kinds, min_size, max_size)) if kinds else ()
    astray = draw(st.lists(st.sampled_from(list(strays)), unique_by=id)) if strays else []
    ends: Counter[tuple[str, int]] = Counter()
    log = []
    for record in draw(st.permutations([*history, *astray])):
        partition = zlib.crc32(record.key.encode()) % PARTITIONS
        ends[record.topic, partition] += draw(st.sampled_from((1, 1, 3)))
        delay = timedelta(minutes=draw(st.sampled_from((0, 1, 3))))
        log.append(Placed(record, partition, ends[record.topic, partition], record.occurred_at + delay))
    return tuple(log)


def cut(log: Sequence[Placed], rng: Random) -> list[Sequence[Placed]]:
    """The log in pieces, none of them empty."""
    places = sorted({0, len(log), *(rng.randrange(len(log) + 1) for _ in range(rng.randrange(1, 3)))})
    return [log[start:stop] for start, stop in pairwise(places)]


def interleaved(log: Sequence[Placed], rng: Random) -> list[Placed]:
    """Topics and partitions in another interleaving, each in its own order."""
    lanes: dict[tuple[str, int], list[Placed]] = {}
    for placed in log:
        lanes.setdefault((placed.record.topic, placed.partition), []).append(placed)
    turns = [lane for lane, held in lanes.items() for _ in held]
    rng.shuffle(turns)
    waiting = {lane: iter(held) for lane, held in lanes.items()}
    return [next(waiting[lane]) for lane in turns]


def elsewhere(log: Sequence[Placed], rng: Random) -> list[Placed]:
    """The same records in another order, in other partitions, at other offsets."""
    shuffled = list(log)
    rng.shuffle(shuffled)
    return [replace(placed, partition=rng.randrange(PARTITIONS), offset=n) for n, placed in enumerate(shuffled, 1)]


def to_table(placed: Iterable[Placed]) -> pa.Table:
    """A batch as the log would give it."""
    return pa.Table.from_pylist([one.row for one in placed], schema=BATCH)


def behind(batch: Iterable[Placed]) -> Positions:
    """The positions behind a batch; only those of its own partitions."""
    ends: dict[tuple[str, int], int] = {}
    for placed in batch:
        lane = placed.record.topic, placed.partition
        ends[lane] = max(ends.get(lane, 0), placed.offset + 1)
    return ends


def fold(store: Store, batches: Iterable[Sequence[Placed]]) -> None:
    """Fold batches one after another."""
    for batch in batches:
        store.fold(to_table(batch), behind(batch))


def same_positions(pair: Twins) -> None:
    """Both stores have come equally far; a partition that is not named is at its start."""
    here, there = ({k: at for k, at in store.positions().items() if at} for store in (pair.first, pair.second))
    if here != there:
        raise LawBrokenError(f"{pair.subject.name}: positions {here} are not {there}")


def binds_alone(pair: Twins) -> None:
    """Every statement binds where there is nothing but the declared types and tables.

    What the file uses is there to be read only: as views, which no statement can change, and the macros of its folds.
    """
    projection, connection = pair.subject.projection, duckdb.connect()
    connection.register("incoming", EMPTY)
    for name in projection.reads:
        connection.register(name, connection.sql(staging_sql(BY_NAME[name])).to_arrow_table())
    connection.unregister("incoming")
    for name in (made for used in projection.uses for made in pair.made[used]):
        connection.register(name, pair.first.table(f'FROM "{name}" LIMIT 0'))
    if "dead_letters" in {projection.name, *projection.uses}:  # the store's own table
        connection.register("dead_letters", pair.first.table("FROM dead_letters LIMIT 0"))
    shared = [sql for used in pair.subject.projections if used.name in projection.uses for sql in used.tables]
    try:
        for statement in (*filter(_is_macro, shared), *projection.tables, *projection.views):
            connection.execute(statement)
        for statement in projection.folds:
            connection.execute(f"EXPLAIN {statement}")
        for query in projection.queries:
            connection.execute(f"PREPARE bound AS {query.sql}")
    except duckdb.Error as error:
        raise LawBrokenError(f"{projection.name}.sql reads or changes what it does not declare: {error}") from error
    finally:
        connection.close()


def _is_macro(statement: str) -> bool:
    words = [line for line in statement.splitlines() if not line.startswith("--")]
    return words[0].startswith("CREATE MACRO")


def _made_by(subject: Subject, store: Store) -> dict[str, set[str]]:
    """The tables and views that each projection makes."""
    made: dict[str, set[str]] = {}
    known = {"dead_letters"}
    with duckdb.connect() as connection:
        connection.register("dead_letters", store.table("FROM dead_letters LIMIT 0"))
        for projection in subject.projections:
            for statement in (*projection.tables, *projection.views):
                connection.execute(statement)
            now = {
                name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
            }
            made[projection.name], known = now - known, now
    return made


def _differing(first: Store, second: Store, name: str, leave_out: set[str]) -> str:
    """The rows that only one of the two has, a few of each; empty where there are none."""
    here, there = (_rows(store, name, leave_out) for store in (first, second))
    lines = [f"  only first:  {row}" for row in list((here - there).elements())[:5]]
    return "\n".join([*lines, *(f"  only second: {row}" for row in list((there - here).elements())[:5])])


def _rows(store: Store, name: str, leave_out: set[str]) -> Counter[str]:
    table = store.table(f'FROM "{name}"')
    kept = [column for column in table.column_names if column not in leave_out]
    return Counter(str(row) for row in table.select(kept).to_pylist())
