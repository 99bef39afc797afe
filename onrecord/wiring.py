"""The one place where the parts meet: a workspace is a log, its projections, and whoever may change them."""

import getpass
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import calibration
import consumers
import grading
import schemas
from consumers.calibrator import Calibrator
from consumers.grader import Grader
from consumers.lease import Lease, OwnedElsewhereError, OwnerState, read_state, write_state
from consumers.owner import Decider, Owner
from consumers.retention import Retainer
from eventlog.clock import Clock, SystemClock
from eventlog.columns import to_envelope
from eventlog.log import EventLog, Lane, LogError, Positions, beyond, reached
from onrecord.checks import Check, Verification, last_verification, state, verification_check, verify
from onrecord.engine import open_log
from onrecord.settings import Settings
from producers.checked import build as build_checked
from projections.catch_up import Progress, Rebuilt, build, rebuild, silent
from projections.drafts import draft_folder
from projections.errors import OutdatedStoreError, StoreError, StoreInUseError
from projections.generations import Generations
from projections.published import publish_copy
from projections.store import Store
from schemas.codec import Codec
from schemas.record import Record
from schemas.registry import TOPICS
from schemas.requests import GradingCompleted, GradingRequest, GradingRequested, GradingTally

Say = Callable[[str], None]
T = TypeVar("T")
R = TypeVar("R", bound=Record)
BESIDE = "use `onrecord rebuild --verify` or `onrecord rebuild --until T --out F`, which work beside it"
"""What can be rebuilt while another process is the owner."""
TELL_EVERY_S = 1.0
"""How often an owner that catches up tells how far it is."""


def user_name() -> str:
    """Who runs this, for the record: a container's user need not have a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError: from Python 3.13 on
        return f"uid {os.getuid()}"


@cache
def _decision_code() -> str:
    """Changes with the code and the rules from which anything is decided."""
    folders = (Path(package.__path__[0]) for package in (calibration, consumers, grading, schemas))
    sources = sorted(file for folder in folders for file in folder.rglob("*") if file.suffix in {".py", ".toml"})
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()


class TimedOutError(Exception):
    """Nobody answered in time."""


class ReplicaError(Exception):
    """This folder is a replica's, which decides nothing."""


class UnwritableError(Exception):
    """This user cannot write to the folder; the message says what can be read all the same."""


def can_write(folder: Path) -> bool:
    """Whether this process may write to a folder: by the user as whom it acts, as the system sees it."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


class Workspace:
    """Everything in one folder: opens what a command needs, and lets one process at a time be the owner."""

    def __init__(self, settings: Settings, clock: Clock | None = None, say: Say = lambda _text: None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._say = say
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"ONRECORD_HOME: {settings.home} can't be a folder ({error.strerror}); name another"
            ) from error
        with self._writing():
            self.generations = Generations(settings.projections)

    @cached_property
    def log(self) -> EventLog:
        """The log."""
        if self.settings.log != "sqlite":
            return open_log(self.settings, self.clock)
        self._check_log_is_there()
        with self._writing():
            return open_log(self.settings, self.clock)

    def _check_log_is_there(self) -> None:
        """A log that is lost is not made anew: what was made from it is all that is left, and would go."""
        path, current = self.settings.log_path, self.generations.current()
        if current is not None and not (path.exists() and path.stat().st_size):
            raise LogError(
                f"{path} is missing or empty, and {current} was made from a log: put the log back (docs/log.md, "
                f'"Back it up"), or name another ONRECORD_HOME; to begin anew, move {current.parent} away'
            )

    def close(self) -> None:
        """Let go of the log, if it was opened."""
        if "log" in self.__dict__:
            self.log.close()

    def deciders(self, store: Store) -> tuple[Decider, ...]:
        """Whoever decides from the projections; nobody does from a replica's."""
        if self.settings.replica:
            return ()
        return (Grader(store), Retainer(store), Calibrator(store, self.log.log_id))

    def check_decides(self) -> None:
        """Refuse what a replica of a log in its own folder would wait for in vain; on Kafka an owner elsewhere answers.

        Raises:
            ReplicaError: this folder is a replica's.
        """
        if self.settings.replica and self.settings.log == "sqlite":
            raise ReplicaError(
                f"{self.settings.home} is a replica, which decides nothing: ask without ONRECORD_REPLICA"
            )

    def owner_state(self) -> OwnerState | None:
        """What the present owner tells; None where nobody is, or it has not told anything yet."""
        state = read_state(self.settings.projections)
        lease = Lease(self.settings.projections)
        return state if state is not None and lease.is_held() and lease.holder() == str(state.pid) else None

    @contextmanager
    def _lease(self, instead: str = "work beside it") -> Iterator[None]:
        lease = Lease(self.settings.projections, instead)
        with ExitStack() as held:
            with self._writing():
                held.enter_context(lease)
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """What is inside writes to the folder: an error of it is told as whoever may only read the folder needs it."""
        try:
            yield
        except (LogError, OSError) as error:
            folders = (self.settings.home, self.settings.projections)
            if all(can_write(folder) for folder in folders if folder.exists()):
                raise
            copy = self.settings.published
            there = "can be opened with DuckDB" if copy.exists() else "would be there if `onrecord up` had run"
            raise UnwritableError(
                f"{self.settings.home} is not writable for this user ({user_name()}): run this as one for whom it is; "
                f"the published copy {copy} {there}"
            ) from error

    @contextmanager
    def owner(self, progress: Progress = silent) -> Iterator[Owner]:
        """Own the projections: a store made or rebuilt where it must be, and the loop over it.

        Raises:
            OwnedElsewhereError: another process is the owner.
        """
        with self._lease():
            store = self._open_store(progress)
            try:
                yield Owner(
                    self.log, store, self.deciders(store), self.settings.batch_rows, at_rest=self._was_at_rest(store)
                )
            finally:
                store.close()

    @contextmanager
    def present(self) -> Iterator[Store | None]:
        """The projections as they lie there, however far behind, with the lease; None where there are none yet.

        Raises:
            OwnedElsewhereError: another process is the owner.
            StoreError: they are damaged, of other code, or ahead of the log.
        """
        with self._lease(), ExitStack() as held:
            path = self.generations.current()
            store = None if path is None else self._stored(path)
            if store is not None:
                held.callback(store.close)
            yield store

    @contextmanager
    def reader(self, progress: Progress = silent) -> Iterator[Store]:
        """Projections to query: caught up here where nobody owns them, else the owner's published copy.

        Raises:
            TimedOutError: there is an owner, and it neither published a copy nor went away.
        """
        with self._reader(lambda state: state.published is not None, progress) as store:
            yield store

    @contextmanager
    def fresh_reader(self, progress: Progress = silent) -> Iterator[Store]:
        """A reader that has seen everything on record now: where an owner is alive, once its copy has."""
        now = self.log.end()

        def has_seen_it(state: OwnerState) -> bool:
            return state.published is not None and reached(state.published, now)

        with self._reader(has_seen_it, progress) as store:
            yield store

    @contextmanager
    def _reader(self, is_enough: Callable[[OwnerState], bool], progress: Progress = silent) -> Iterator[Store]:
        with ExitStack() as held:
            what = "the owner to publish a copy"
            if owner := self._be_owner_or_wait(held, is_enough, what, progress):
                self.turn(owner, progress)
                owner.store.close()
            # Read-only for DuckDB too: no query, however it is worded, changes what it asks.
            store = Store(owner.store.path, read_only=True) if owner else self._published()
            held.callback(store.close)
            yield store

    def _published(self) -> Store:
        try:
            return Store(self.settings.published, read_only=True)
        except StoreInUseError:
            raise
        except StoreError as error:
            raise StoreError(
                f"{self.settings.published} cannot be read by this command: its owner may be of other code; end "
                "`onrecord up` and start it again"
            ) from error

    def settle_down(self, positions: Positions, progress: Progress = silent) -> None:
        """Leave projections and grades caught up to `positions`: as the owner, or by waiting for the one there is.

        Beside an owner its published copy is what others ask: that must have caught up, too.

        Raises:
            TimedOutError: the owner made no progress.
        """
        with ExitStack() as held:
            owner = self._be_owner_or_wait(
                held,
                lambda state: state.published is not None and reached(state.published, positions),
                "the owner to catch up and publish a copy",
                progress,
            )
            if owner is not None:
                self.turn(owner, progress)

    def _be_owner_or_wait(
        self, held: ExitStack, is_enough: Callable[[OwnerState], bool], what: str, progress: Progress
    ) -> Owner | None:
        """The owner, held until `held` closes; None once another process is, and what it tells is enough.

        Another owner may be `onrecord up`, or a command that will be done soon: then it is our turn.
        """

        def attempt() -> tuple[Owner | None] | None:
            try:
                return (held.enter_context(self.owner(progress)),)
            except OwnedElsewhereError:
                state = self.owner_state()
                return (None,) if state is not None and is_enough(state) else None

        return self._wait_for(attempt, what)[0]

    def _wait_for(self, attempt: Callable[[], T | None], what: str) -> T:
        """Try until there is an answer.

        Raises:
            TimedOutError: there was none within `answer_timeout_s` without any progress of an owner.
        """
        deadline, last = time.monotonic() + self.settings.answer_timeout_s, None
        while (answer := attempt()) is None:
            state = self.owner_state()
            if state is not None and state.positions != last:
                deadline, last = time.monotonic() + self.settings.answer_timeout_s, state.positions
            if time.monotonic() > deadline:
                raise TimedOutError(f"waited {self.settings.answer_timeout_s:.0f} s for {what}: see `onrecord status`")
            time.sleep(min(self.settings.poll_s, 0.1))
        return answer

    def turn(self, owner: Owner, progress: Progress = silent, published: Positions | None = None) -> int:
        """Fold and decide until nothing is left, and tell others how far that is; gives the records folded."""
        told_at = time.monotonic()

        def tell(folded: int, left: int) -> None:
            nonlocal told_at
            progress(folded, left)
            if time.monotonic() - told_at >= TELL_EVERY_S:
                self.tell(owner.store.positions(), published)
                told_at = time.monotonic()

        folded = owner.run_once(tell)
        self.tell_at_rest(owner, published)
        return folded

    def tell_at_rest(self, owner: Owner, published: Positions | None) -> None:
        """Let others see how far it is, and its next owner whether anything is left to decide from it."""
        self.tell(owner.store.positions(), published, self._decider(owner.store) if owner.at_rest else None)

    def tell(self, positions: Positions, published: Positions | None, at_rest: str | None = None) -> None:
        """Let others see how far the owner and its copy are."""
        write_state(self.settings.projections, OwnerState(positions, published, self.clock.now(), os.getpid(), at_rest))

    def _decider(self, store: Store) -> str | None:
        """Names what decides from a store here: its log, its SQL and our code; None where nothing does."""
        return f"{self.log.log_id} {store.fingerprint} {_decision_code()}" if self.deciders(store) else None

    def _was_at_rest(self, store: Store) -> bool:
        """Whether nothing was left to decide from it; to look at all of a long history again takes seconds."""
        told = read_state(self.settings.projections)
        return (
            told is not None
            and told.at_rest is not None
            and (told.at_rest, told.positions) == (self._decider(store), store.positions())
        )

    def publish(self, store: Store) -> datetime:
        """Write the published copy now."""
        at = self.clock.now()
        publish_copy(store, self.settings.published, at)
        return at

    def rebuild(self, progress: Progress = silent) -> Rebuilt:
        """Make the projections anew from the log.

        Raises:
            OwnedElsewhereError: another process is the owner.
        """
        with self._lease(BESIDE):
            return rebuild(self.log, self.generations, progress)

    def rebuild_into(
        self, out_file: Path | None, until: datetime | None = None, progress: Progress = silent
    ) -> Rebuilt:
        """Projections in a file of their own, which is there once it is whole: of all, or of what was known at a time.

        Raises:
            ValueError: no file to write to, one that exists, or one in a folder that does not.
        """
        target = _new(out_file)
        if not target.parent.is_dir():
            raise ValueError(f"{target}: there is no folder {target.parent}; make it first")
        at = until.replace(tzinfo=UTC) if until is not None and until.tzinfo is None else until
        with draft_folder(target.parent, target.name) as drafts:
            built = build(self.log, drafts / target.name, progress, until=at)
            return replace(built, path=_put(built.path, target))

    def verify(self, progress: Progress = silent) -> Verification:
        """Rebuild beside the projections, compare every table, and remember the outcome for the audit.

        Beside an owner it is the published copy that is compared, with a rebuild to its positions.
        """
        with self.reader(progress) as store:
            return self._verify(store, progress)

    def audit(self, progress: Progress = silent) -> list[Check]:
        """The ten checks. The tenth shows the last verification; one is made unless there is one at these positions."""
        with self.reader(progress) as store:
            checks = [Check(*row.values()) for row in store.query("audit").to_pylist()]
            of = state(self.generations.current(), store)
            done = last_verification(self.settings.projections, of) or self._verify(store, progress)
        return [*checks, verification_check(done, self.clock.now())]

    def newest(self, records: int, topic: str | None) -> Iterator[dict[str, object]]:
        """The newest records of one topic or of all, oldest first."""
        ends = {key: end for key, end in self.log.end().items() if topic in {None, key[0]}}
        if topic is not None and topic not in TOPICS:
            raise ValueError(f"there is no topic {topic!r}; there are {', '.join(TOPICS)}")
        first, rows = self.log.earliest(), list[dict[str, object]]()
        for name in {name for name, _ in ends}:
            # Each partition's newest; where offsets have gaps those are fewer.
            starts = {key: max(first[key], end - records) for key, end in ends.items() if key[0] == name}
            batch, _ = self.log.read_topic(name, starts, records * len(starts))
            rows += batch.to_pylist()
        yield from sorted(rows, key=lambda row: (row["recorded_at"], row["topic"], row["offset"]))[-records:]

    def request_grades(
        self,
        lookback_hours: float | None,
        publish_id: str | None,
        *,
        force: bool = False,
        why: str | None = None,
        progress: Progress = silent,
    ) -> GradingTally:
        """Ask for grades on record, and wait for the answer.

        Raises:
            ValueError: the lookback is no time.
            ReplicaError: nobody here would answer; nothing is on record.
            TimedOutError: no answer came.
        """
        request = GradingRequested(
            occurred_at=self.clock.now(),
            producer="onrecord",
            data=build_checked(
                GradingRequest,
                publish_id=publish_id,
                lookback_hours=lookback_hours,
                force=force,
                requested_by=user_name(),
                why=why,
            ),
        )
        return self.ask(request, GradingCompleted, progress).data

    def ask(self, request: Record, kind: type[R], progress: Progress = silent) -> R:
        """Put a request on record and wait for its answer, the record of that kind whose `causation_id` it is.

        Raises:
            ReplicaError: nobody here would answer; nothing is on record.
            TimedOutError: no answer came.
        """
        self.check_decides()
        self.log.append([request])
        positions: dict[Lane, int] = {}

        def attempt() -> R | None:
            batch, moved = self.log.read_topic(kind.topic, positions, 10_000)
            positions.update(moved)
            for row in batch.to_pylist():
                if row["causation_id"] == request.record_id:
                    answer = Codec().decode(to_envelope(row))
                    if isinstance(answer, kind):
                        return answer
            if not batch.num_rows:
                self._answer_in_the_owners_stead(progress)
            return None

        return self._wait_for(attempt, f"an answer to {request.ref}")

    def _answer_in_the_owners_stead(self, progress: Progress) -> None:
        try:
            with self.owner(progress) as owner:
                self.turn(owner, progress)
        except OwnedElsewhereError:
            return  # then the owner will answer

    def _verify(self, store: Store, progress: Progress) -> Verification:
        kept, of = self.settings.projections, state(self.generations.current(), store)
        with draft_folder(kept, "verification") as folder:
            return verify(self.log, store, of, folder / "rebuilt.duckdb", kept, self.clock.now(), progress)

    def _open_store(self, progress: Progress) -> Store:
        path = self.generations.current()
        if path is not None:
            try:
                return self._stored(path)
            except StoreInUseError:
                raise  # somebody looks into a sound file: it stays where it is
            except StoreError as error:
                self._say(f"{error}; rebuilding from the log")
                if not isinstance(error, OutdatedStoreError):
                    self._set_aside(path)
        return Store(rebuild(self.log, self.generations, progress).path, log_id=self.log.log_id)

    def _stored(self, path: Path) -> Store:
        """The store in a file.

        Raises:
            StoreError: it cannot be opened, or is ahead of the log: it would skip what comes there next.
        """
        store = Store(path, log_id=self.log.log_id)
        try:
            _check_not_ahead(store, self.log.end())
        except BaseException:
            store.close()
            raise
        return store

    def _set_aside(self, path: Path) -> None:
        """One is enough for whoever wants to look: each is as large as the projections."""
        newest = self.generations.set_aside(path)
        for older in newest.parent.glob("damaged.*"):
            if not older.name.startswith(newest.name):
                older.unlink()


def _new(path: Path | None) -> Path:
    if path is None:
        raise ValueError("rebuild --until makes a file of its own: name one that does not exist with --out")
    if path.exists():
        raise ValueError(f"{path} exists, and is not overwritten: name another file with --out")
    return path


def _put(draft: Path, target: Path) -> Path:
    """Give a file its place; the write-ahead log of one that is gone from there would keep it from being opened."""
    _new(target).with_name(f"{target.name}.wal").unlink(missing_ok=True)
    return draft.rename(target)


def _check_not_ahead(store: Store, end: Positions) -> None:
    for lane, offset in beyond(store.positions(), end).items():
        raise StoreError(
            f"{store.path} is ahead of the log ({lane[0]}/{lane[1]}: {offset} of {end.get(lane, 0)}), which is an "
            "older copy or was made again: `onrecord rebuild` makes it anew"
        )
