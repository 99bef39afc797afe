"""The store: owns a DuckDB file and folds batches of the log into it.

Rows and positions change in one transaction: delivery is at least once, the effect once. Which tables there are is in
the `.sql` files; the only SQL here is the store's own bookkeeping.
"""

import difflib
import hashlib
import inspect
import re
import threading
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from eventlog.log import EMPTY, Place, Positions, latest, lie_before, places
from eventlog.uninterrupted import uninterrupted
from projections import asking, dead_letters, repeats
from projections.dead_letters import dead_letter
from projections.decoding import decode, through_codec
from projections.errors import OutdatedStoreError, StoreError, StoreInUseError, has_no_room
from projections.sql_file import NamedQuery, Projection, load_projections, words
from projections.staging import staging_sql, unparsable_sql
from schemas.codec import Codec, UndecodableRecordError, Upcaster

MEMORY = ":memory:"
DUCKDB_VERSION = duckdb.__version__
_ATTACHED = "store"
_ROW_GROUP = 20_480
"""A sixth of DuckDB's own: a batch fills several, which are compressed while they are inserted, on both cores. It is
said at each opening, since the file does not keep it: else the next checkpoint makes all of them anew."""
_CHECKPOINT = "256MB"
"""DuckDB takes a thousand updates far apart for 16 MB, and made a checkpoint of nearly a second after each."""
_REBUILDING: dict[str, Any] = {"memory_limit": "224MiB", "max_vacuum_tasks": 0, "async_threads": 1}
"""Beyond its limit DuckDB uses the disk: batches (read ahead, folded, typed) lie beside it. Row groups that could be
one are left to a later checkpoint, which makes them anew. Threads for files elsewhere would only start and end."""
_REBUILT_AT_ONCE = "1TB"
"""One checkpoint at the end of a rebuild: nobody reads the file before it is whole."""
_BOOKKEEPING = """
CREATE TABLE IF NOT EXISTS positions (topic VARCHAR, "partition" INTEGER, "offset" BIGINT);
CREATE TABLE IF NOT EXISTS store_identity (log_id VARCHAR, fingerprint VARCHAR);
"""
_VIEW = re.compile(r"^CREATE VIEW (\w+) AS\b")
_ALIKE = """SELECT '{table}', '{column}' FROM "{table}" HAVING count(*) > count(DISTINCT hash("{column}"))"""
_MOVE = """
MERGE INTO positions AS held USING (VALUES {lanes}) AS moved (topic, "partition", "offset")
ON held.topic = moved.topic AND held."partition" = moved."partition"
WHEN MATCHED THEN UPDATE SET "offset" = moved."offset"
WHEN NOT MATCHED THEN INSERT VALUES (moved.topic, moved."partition", moved."offset")
"""
_IN_USE = (duckdb.ConnectionException, duckdb.ResourceInUseException)
# What a bad record can raise; anything else (a full disk, no memory) is the machine's fault and stops the fold.
_BAD_RECORD = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
    duckdb.ConstraintException,
    duckdb.TypeMismatchException,
    UnicodeDecodeError,  # DuckDB shortens what it says of a long record, be it in the middle of a character
)

# DuckDB's advice against what `Store.table` does on purpose.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result makes an extra copy", UserWarning)


class Store:
    """Folds batches into a DuckDB file, which is made when it is missing.

    One for `rebuilding` writes no write-ahead log, which is a fifth faster, since its file is thrown away unless it is
    finished. It has no tables until `create` is called.

    Raises:
        StoreInUseError: another process holds the file.
        StoreError: the file is damaged, or was made by other code (see `fingerprint`).
        DuckDBError: there is no room for it.
    """

    def __init__(
        self,
        path: Path | str = MEMORY,
        *,
        log_id: str = "",
        codec: Codec | None = None,
        projections: Sequence[Projection] | None = None,
        read_only: bool = False,
        rebuilding: bool = False,
    ) -> None:
        self.path = str(path)
        self.codec = codec or Codec()
        self.projections = load_projections() if projections is None else tuple(projections)
        self.fingerprint = fingerprint(self.projections, self.codec)
        self._lock = threading.RLock()
        self._session = "SET TimeZone = 'UTC'" + ("" if read_only or self.path == MEMORY else f"; USE {_ATTACHED}")
        self._connection = self._open(read_only, rebuilding)
        self._log_id = log_id
        if read_only:
            self._check_identity()
        elif not rebuilding:
            self.create()
        self._staging = {name: staging_sql(kind) for name, kind in self.codec.types.items()}
        self._unparsable_sql = {name: unparsable_sql(kind) for name, kind in self.codec.types.items()}
        self._typing: dict[str, duckdb.DuckDBPyRelation] = {}
        self._empty: dict[str, pa.Table] = {}
        self._may_repeat = False
        self._connection.register("incoming", EMPTY)

    def create(self) -> None:
        """Make the tables and views where they are missing.

        Raises:
            StoreError: the file holds those of other code, or of another log.
        """
        with self._transaction():
            self._run(_BOOKKEEPING + dead_letters.TABLE + repeats.TABLE)
            if not self._run("FROM store_identity"):
                self._run("INSERT INTO store_identity VALUES (?, ?)", [self._log_id, self.fingerprint])
                for statement in (s for p in self.projections for s in (*p.tables, *map(_unbound, p.views))):
                    self._run(statement)
        self._check_identity()

    def fold(self, batch: pa.Table, after: Positions, *, may_repeat: bool = False) -> None:
        """Fold a batch, and move to the positions `after` it.

        What lies before the store's own positions was folded already: it is left out, and positions never go back. A
        record that cannot be folded is found by halving the batch, and set aside as a dead letter; nothing waits. What
        the batch says to try again is tried before it: if the process dies in between, the batch comes again. Of a log
        that `may_repeat` a record the first one counts.
        """
        with self._lock:
            self._may_repeat = may_repeat
            held = self.positions()
            unseen = _unseen(batch, held)
            for name in dead_letters.retried(unseen):
                self._retry(name)
            # Of many partitions few move: writing the others again would take longer than a small fold.
            moved = {lane: offset for lane, offset in latest(held, after).items() if held.get(lane) != offset}
            self._fold_or_mend(unseen, moved)

    def positions(self) -> Positions:
        """The next offset to fold, by topic and partition."""
        return {(topic, partition): offset for topic, partition, offset in self.rows("FROM positions")}

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query, read to the end."""
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(parameters) if parameters else None).fetchall()

    def table(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, begin: str | None = None, few: bool = False
    ) -> pa.Table:
        """All rows of a query as Arrow, in a transaction of its own where `begin` begins one.

        A relation is planned twice, and a statement's rows are copied: of `few` rows that takes less.
        """
        with self._cursor() as cursor:
            if begin is not None:
                cursor.execute(begin)
            given = dict(parameters) if parameters else None
            return (cursor.execute(sql, given) if few else cursor.sql(sql, params=given)).to_arrow_table()

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None, *, few: bool = False) -> pa.Table:
        """The rows of somebody's own SELECT as Arrow, read in a transaction that DuckDB lets write nothing.

        Raises:
            StoreError: more than one statement, one that would change something, one that has no such parameter, or one
                that DuckDB refuses.
        """
        with asking.in_our_words():
            asking.check(sql, parameters or {})
            return self.table(sql, parameters, begin=asking.READ_ONLY, few=few)

    def query(self, name: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The rows of a named query as Arrow.

        Raises:
            StoreError: no query has that name, or a parameter is unknown, missing, or not of its type.
        """
        query = self.named_queries().get(name)
        if query is None:
            raise StoreError(f"there is no query, table or view {name!r}{self._nearest(name)}")
        bound = asking.bind(query, parameters or {})
        self._check_values(query, parameters or {})
        return self.ask(query.sql, bound, few=True)

    def _check_values(self, query: NamedQuery, given: Mapping[str, Any]) -> None:
        """Refuse what cannot be cast: where no row comes so far, DuckDB does not look."""
        for name, text, kind in asking.typed(query, given):
            if self.rows(f"SELECT TRY_CAST($text AS {kind}) IS NULL", {"text": text}) == [(True,)]:
                raise StoreError(f"query {query.name}: {name}={text} is no {kind}")

    def named_queries(self) -> dict[str, NamedQuery]:
        """The queries of all projections by name."""
        return {query.name: query for projection in self.projections for query in projection.queries}

    def _nearest(self, name: str) -> str:
        found = difflib.get_close_matches(name.lower(), {*self.named_queries(), *self.relations()})
        likely = f", but {' and '.join(found)}" if found else ""
        return f'{likely}: `onrecord query` lists the queries, `onrecord query "SHOW TABLES"` the others'

    def execute(self, *statements: str) -> None:
        """Housekeeping statements that return nothing, each on its own."""
        with self._lock:
            for statement in statements:
                self._connection.execute(statement).fetchall()

    @property
    def catalog(self) -> str:
        """The name under which DuckDB knows this file."""
        [(name,)] = self.rows("SELECT current_database()")
        return f'"{name}"'

    def relations(self) -> list[str]:
        """The names of all tables and views, sorted."""
        return [
            name
            for (name,) in self.rows(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary "
                "UNION SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal "
                "AND NOT temporary ORDER BY 1"
            )
        ]

    def prove_unique(self) -> None:
        """Prove that no record was folded twice.

        Raises:
            StoreError: one was.
        """
        uniques = [unique for projection in self.projections for unique in projection.unique]
        # Other hashes, other values: the index, which costs six times as much, is asked only where two are alike.
        sql = " UNION ALL ".join(_ALIKE.format(table=table, column=column) for table, column in uniques)
        alike = self.rows(sql) if uniques else []
        for table, column in alike:
            try:
                self.execute(f'CREATE UNIQUE INDEX proof ON "{table}" ("{column}")', "DROP INDEX proof")
            except duckdb.ConstraintException as error:
                raise StoreError(f"{table} holds a record twice: {error}; please report this") from error

    def checkpoint(self) -> None:
        """Write everything into the file itself."""
        self.execute("CHECKPOINT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _open(self, read_only: bool, rebuilding: bool) -> duckdb.DuckDBPyConnection:
        try:
            settings = dict(_REBUILDING if rebuilding else {})
            if self.path != MEMORY:
                settings["temp_directory"] = str(Path(self.path).with_name(".tmp"))
            connection = duckdb.connect(self.path if read_only else MEMORY, read_only=read_only, config=settings)
            if not read_only and self.path != MEMORY:
                options = f"ROW_GROUP_SIZE {_ROW_GROUP}{', RECOVERY_MODE no_wal_writes' if rebuilding else ''}"
                connection.execute(f"ATTACH '{quoted(self.path)}' AS {_ATTACHED} ({options})")
            threshold = _REBUILT_AT_ONCE if rebuilding else _CHECKPOINT
            connection.execute(
                f"{self._session}; SET preserve_insertion_order = false; SET checkpoint_threshold = '{threshold}'"
            ).fetchall()
        except duckdb.Error as error:
            if isinstance(error, _IN_USE) or "lock on file" in str(error):
                raise StoreInUseError(f"{self.path} is in use: close it there, or ask its owner ({error})") from error
            if has_no_room(error):
                raise
            raise StoreError(
                f"{self.path} is damaged or no store ({error}): `onrecord rebuild` makes it anew from the log"
            ) from error
        return connection

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock, self._connection.cursor() as cursor:
            # Else a copy of many rows may lose the order that the query gave them.
            cursor.execute(f"{self._session}; SET SESSION preserve_insertion_order = true")
            yield cursor

    def _check_identity(self) -> None:
        try:
            [(stored_log, stored_fingerprint)] = self.rows("FROM store_identity")
        except duckdb.CatalogException as error:
            self._connection.close()
            raise StoreError(f"{self.path} is no store: `onrecord rebuild` makes one from the log") from error
        if stored_fingerprint != self.fingerprint or (self._log_id and stored_log != self._log_id):
            self._connection.close()
            raise OutdatedStoreError(
                f"{self.path} was made by other code or from another log: `onrecord rebuild` makes it anew"
            )

    def _fold_or_mend(self, batch: pa.Table, after: Positions) -> None:
        try:
            self._fold_once(batch, after)
        except _BAD_RECORD:
            self._fold_or_halve(batch, after, self._unparsable(batch))

    def _fold_or_halve(self, batch: pa.Table, after: Positions, unparsable: Collection[Place]) -> None:
        try:
            self._fold_once(batch, after, unparsable)
        except _BAD_RECORD as error:
            if batch.num_rows > 1:
                half = batch.num_rows // 2
                self._fold_or_halve(batch.slice(0, half), _positions_behind(batch.slice(0, half)), unparsable)
                self._fold_or_halve(batch.slice(half), after, unparsable)
            else:
                self._set_aside(batch, after, str(error))

    def _unparsable(self, batch: pa.Table) -> set[Place]:
        """The places of the payloads that do not have their type's fields: the codec must look at those one by one."""
        self._connection.register("incoming", batch)
        try:
            found = [row for name in self._unparsable_sql for row in self._run(self._unparsable_sql[name])]
        finally:
            self._connection.register("incoming", EMPTY)
        return {(topic, partition, offset) for topic, partition, offset in found}

    def _retry(self, name: str) -> None:
        """Fold a dead letter, or keep it with the reason that it has now."""
        for (raw,) in self._run(dead_letters.FIND, [name]):
            letter = dead_letters.as_batch(raw)
            [place] = places(letter)
            try:
                self._fold_once(letter, {}, {place}, released=place)
            except _BAD_RECORD as error:
                self._set_aside(letter, {}, str(error))

    def _fold_once(
        self, batch: pa.Table, after: Positions, unparsable: Collection[Place] = (), released: Place | None = None
    ) -> None:
        # To the last relation: DuckDB words a Ctrl-C that it meets while it registers one like a bad record.
        with self._lock, uninterrupted():
            present: set[str] = set()
            try:
                with self._transaction():
                    # A dead letter that is tried again was the first when it came.
                    first = repeats.firsts(self._connection, batch) if self._may_repeat and released is None else batch
                    ready, set_aside = through_codec(first, self.codec, unparsable)
                    present = set(pc.unique(ready["type"]).to_pylist())
                    folds = [(each.reads, fold) for each in self.projections for fold in each.folds_of(present)]
                    self._stage(ready, present, {name for reads, fold in folds for name in words(fold) & set(reads)})
                    for _, fold in folds:
                        self._run(fold)
                    if released is not None:
                        self._run(dead_letters.REMOVE, released)
                    for letter in set_aside:
                        self._run(dead_letters.INSERT, letter)
                    self._move_to(after)
            except BaseException:
                self._empty.clear()  # relations that were registered in the transaction have gone with it
                raise
            finally:
                self._unstage(present)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is inside, or nothing."""
        with uninterrupted():
            self._connection.begin()
            try:
                yield
                self._connection.commit()
            except BaseException:
                with suppress(duckdb.TransactionException):  # some errors end it by themselves
                    self._connection.rollback()
                raise

    def _stage(self, batch: pa.Table, present: set[str], reads: set[str]) -> None:
        """Each type that the folds read as a relation: its typed rows, or none."""
        for piece in _by_topic(batch):
            self._connection.register("incoming", piece)
            for name in pc.unique(piece["type"]).to_pylist():
                self._connection.register(name, self._typed(name))
        self._connection.register("incoming", EMPTY)
        for name in reads - present - self._empty.keys():
            # What has no rows is bound for its columns only, once for a store's life: a rebuild has a dozen of these.
            self._empty[name] = self._connection.sql(f"{self._staging[name]} LIMIT 0").to_arrow_table()
            self._connection.register(name, self._empty[name])

    def _unstage(self, present: Iterable[str]) -> None:
        for name in present:
            if name in self._empty:
                self._connection.register(name, self._empty[name])
            else:
                self._connection.unregister(name)

    def _typed(self, name: str) -> pa.Table:
        # Bound once: its query looks up what is incoming each time that it runs.
        if name not in self._typing:
            self._typing[name] = self._connection.sql(self._staging[name])
        return self._typing[name].to_arrow_table()

    def _run(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        # Read to the end: an open result makes the next statement fail.
        return self._connection.execute(sql, parameters).fetchall()

    def _move_to(self, after: Positions) -> None:
        if after:
            lanes = ", ".join(["(?, ?, ?)"] * len(after))
            self._run(_MOVE.format(lanes=lanes), [part for lane, offset in after.items() for part in (*lane, offset)])

    def _set_aside(self, batch: pa.Table, after: Positions, reason: str) -> None:
        [row] = batch.to_pylist()
        try:
            decode(row, self.codec)
            letter = dead_letter(row, "UNFOLDABLE", reason)
        except UndecodableRecordError as error:
            letter = dead_letter(row, "UNDECODABLE", str(error))
        with self._lock, self._transaction():
            if self._may_repeat and after:
                repeats.firsts(self._connection, batch)
            self._run(dead_letters.REMOVE, letter[1:4])
            self._run(dead_letters.INSERT, letter)
            self._move_to(after)


def quoted(path: Path | str) -> str:
    """A path as it stands between SQL's quotes."""
    return str(path).replace("'", "''")


def fingerprint(projections: Iterable[Projection], codec: Codec) -> str:
    """Changes when SQL, schemas, upcasters or DuckDB change: then the file is made anew from the log."""
    parts = [
        DUCKDB_VERSION,
        *(repr(projection) for projection in projections),
        *(f"{name} {codec.versions[name]} {staging_sql(kind)}" for name, kind in sorted(codec.types.items())),
        *(f"{step} {_source_of(upcaster)}" for step, upcaster in sorted(codec.upcasters.items(), key=itemgetter(0))),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _source_of(upcaster: Upcaster) -> str:
    """What an upcaster does: its source, or its name where there is none; what it calls is not looked into."""
    try:
        return inspect.getsource(upcaster)
    except (OSError, TypeError):
        return str(getattr(upcaster, "__qualname__", type(upcaster).__qualname__))


def _unbound(view: str) -> str:
    """The statement that makes a view which is bound when it is asked, as any is: else it would be twice."""
    return _VIEW.sub(r"CREATE VIEW \1 WITH (DEFER_BINDING) AS", view)


def _by_topic(batch: pa.Table) -> list[pa.Table]:
    """The batch cut where its topic changes: each type scans what is incoming, and rows of other topics cost it time.

    Where a type lies in more than one of the pieces it stays in one.
    """
    ends = pc.run_end_encode(batch["topic"].combine_chunks()).run_ends.to_pylist()
    pieces = [batch.slice(start, end - start) for start, end in pairwise([0, *ends])]
    types = [name for piece in pieces for name in pc.unique(piece["type"]).to_pylist()]
    return pieces if len(types) == len(set(types)) else [batch]


def _unseen(batch: pa.Table, held: Positions) -> pa.Table:
    """The rows that lie at or behind the positions held."""
    begins = batch.group_by(["topic", "partition"]).aggregate([("offset", "min")]).to_pylist()
    if all(begin["offset_min"] >= held.get((begin["topic"], begin["partition"]), 0) for begin in begins):
        return batch
    return batch.filter(pc.invert(lie_before(held, batch)))


def _positions_behind(batch: pa.Table) -> Positions:
    ends = batch.group_by(["topic", "partition"]).aggregate([("offset", "max")]).to_pylist()
    return {(end["topic"], end["partition"]): end["offset_max"] + 1 for end in ends}
