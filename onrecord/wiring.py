"""The one place where the parts meet: a workspace is a log, its projections, and whoever may change them."""

import getpass
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from consumers.grader import Grader
from consumers.lease import Lease, OwnerState, read_state, write_state
from consumers.owner import Decider, Owner
from consumers.retention import Retainer
from eventlog.clock import Clock, SystemClock
from eventlog.columns import to_envelope
from eventlog.log import EventLog, Positions, reached
from eventlog.sqlite import SqliteLog
from onrecord.checks import Check, Verification, last_verification, verification_check, verify
from onrecord.settings import Settings
from projections.catch_up import Progress, Rebuilt, build, rebuild
from projections.generations import Generations
from projections.published import publish_copy
from projections.store import Store, StoreError
from schemas.codec import Codec
from schemas.record import Record
from schemas.registry import TOPICS
from schemas.requests import GradingCompleted, GradingRequest, GradingRequested, GradingTally

Say = Callable[[str], None]


def _silent(_folded: int, _left: int) -> None: ...


class TimedOutError(Exception):
    """Nobody answered in time."""


class Workspace:
    """Everything in one folder: opens what a command needs, and lets one process at a time be the owner."""

    def __init__(self, settings: Settings, clock: Clock | None = None, say: Say = lambda _text: None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._say = say
        settings.home.mkdir(parents=True, exist_ok=True)
        self.generations = Generations(settings.projections)

    @cached_property
    def log(self) -> EventLog:
        """The log."""
        return SqliteLog(self.settings.log_path, self.clock)

    def deciders(self, store: Store) -> tuple[Decider, ...]:
        """Whoever decides from the projections."""
        return (Grader(store), Retainer(store))

    def owner_is_alive(self) -> bool:
        """Whether some process owns the projections now."""
        return Lease(self.settings.projections).is_held()

    @contextmanager
    def owner(self, progress: Progress = _silent) -> Iterator[Owner]:
        """Own the projections: a store made or rebuilt where it must be, and the loop over it.

        Raises:
            OwnedElsewhereError: another process is the owner.
        """
        with Lease(self.settings.projections):
            store = self._open_store(progress)
            try:
                yield Owner(self.log, store, self.deciders(store), self.settings.batch_rows)
            finally:
                store.close()

    @contextmanager
    def reader(self, progress: Progress = _silent) -> Iterator[Store]:
        """Projections to query: caught up here where nobody owns them, else the owner's published copy."""
        if self.owner_is_alive():
            store = self._open_published()
            try:
                yield store
            finally:
                store.close()
            return
        with self.owner(progress) as owner:
            owner.run_once(progress)
            yield owner.store

    @contextmanager
    def fresh_reader(self) -> Iterator[Store]:
        """A reader that has seen everything on record now: where an owner is alive, once its copy has."""
        now = self.log.end()
        if self.owner_is_alive():
            self.wait_until(lambda state: reached(state.published, now), "the owner to publish a fresh copy")
        with self.reader() as store:
            yield store

    def settle_down(self, positions: Positions, progress: Progress = _silent) -> None:
        """Leave projections and grades caught up to `positions`: by waiting for the owner, or by being it."""
        if not self.owner_is_alive():
            with self.owner(progress) as owner:
                owner.run_once(progress)
            return
        self.wait_until(lambda state: reached(state.positions, positions), "the owner to catch up")

    def wait_until(self, done: Callable[[OwnerState], bool], what: str) -> None:
        """Wait for the owner's state.

        Raises:
            TimedOutError: it did not come about within `answer_timeout_s` without any progress of the owner.
        """
        deadline, last = time.monotonic() + self.settings.answer_timeout_s, None
        while (state := read_state(self.settings.projections)) is None or not done(state):
            if state is not None and state.positions != last:
                deadline, last = time.monotonic() + self.settings.answer_timeout_s, state.positions
            if time.monotonic() > deadline:
                raise TimedOutError(
                    f"waited {self.settings.answer_timeout_s:.0f} s for {what}: is `onrecord up` running?"
                )
            time.sleep(min(self.settings.poll_s, 0.1))

    def serve(self, stop: Callable[[], bool], progress: Progress = _silent) -> None:
        """Be the owner until told to stop: fold, decide, tell others how far, publish copies for analysts."""
        with self.owner(progress) as owner:
            published_at, published = 0.0, dict[tuple[str, int], int]()
            while not stop():
                folded = owner.run_once(progress)
                positions = owner.store.positions()
                due = time.monotonic() - published_at >= self.settings.publish_every_s
                if published != positions and due:
                    self.publish(owner.store)
                    published, published_at = dict(positions), time.monotonic()
                self.tell(positions, published)
                if not folded:
                    time.sleep(self.settings.poll_s)

    def tell(self, positions: Positions, published: Positions) -> None:
        """Let others see how far the owner and its copy are."""
        write_state(self.settings.projections, OwnerState(positions, published, self.clock.now()))

    def publish(self, store: Store) -> datetime:
        """Write the published copy now."""
        at = self.clock.now()
        publish_copy(store, self.settings.published, at)
        return at

    def rebuild(self, progress: Progress = _silent) -> Rebuilt:
        """Make the projections anew from the log."""
        with Lease(self.settings.projections):
            return rebuild(self.log, self.generations, progress)

    def rebuild_until(self, until: datetime, out_file: Path | None, progress: Progress = _silent) -> Rebuilt:
        """Projections of only what was known at a time, in a file of their own.

        Raises:
            ValueError: no file to write to, or one that exists.
        """
        if out_file is None or out_file.exists():
            raise ValueError("rebuild --until makes a file of its own: name one that does not exist with --out")
        at = until if until.tzinfo else until.replace(tzinfo=UTC)
        return build(self.log, out_file, progress, until=at)

    def verify(self, progress: Progress = _silent) -> Verification:
        """Rebuild beside the projections, compare every table, and remember the outcome for the audit."""
        with self.owner(progress) as owner:
            owner.run_once(progress)
            return self._verify(owner.store, progress)

    def audit(self, progress: Progress = _silent) -> list[Check]:
        """The ten checks. The tenth shows the last verification, which is made where there has been none."""
        served = self.owner_is_alive()
        with self.reader(progress) as store:
            checks = [Check(*row.values()) for row in store.query("audit").to_pylist()]
            done = last_verification(self.settings.projections)
            if done is None and not served:
                done = self._verify(store, progress)
        return [*checks, verification_check(done, self.clock.now())]

    def newest(self, records: int, topic: str | None) -> Iterator[dict[str, object]]:
        """The newest records of one topic or of all, oldest first."""
        ends = {key: end for key, end in self.log.end().items() if topic in {None, key[0]}}
        if topic is not None and topic not in TOPICS:
            raise ValueError(f"there is no topic {topic!r}; there are {', '.join(TOPICS)}")
        rows = []
        for (name, partition), end in ends.items():
            batch, _ = self.log.read_topic(name, {(name, partition): max(0, end - records)}, records)
            rows += batch.to_pylist()
        yield from sorted(rows, key=lambda row: (row["recorded_at"], row["topic"], row["offset"]))[-records:]

    def request_grades(
        self, lookback_hours: float | None, publish_id: str | None, *, force: bool = False, why: str | None = None
    ) -> GradingTally:
        """Ask for grades on record, and wait for the answer.

        Raises:
            TimedOutError: no answer came.
        """
        request = GradingRequested(
            occurred_at=self.clock.now(),
            producer="onrecord",
            data=GradingRequest(
                publish_id=publish_id,
                lookback_hours=lookback_hours,
                force=force,
                requested_by=getpass.getuser(),
                why=why,
            ),
        )
        answer = self.ask(request)
        if not isinstance(answer, GradingCompleted):
            raise TypeError(f"a {answer.type} answered a GradingRequested")
        return answer.data

    def ask(self, request: Record) -> Record:
        """Put a request on record and wait for the record whose `causation_id` it is."""
        self.log.append([request])
        return self.await_answer(request)

    def await_answer(self, request: Record) -> Record:
        """The answer to a request that is on record already: of the owner, or of this process in its stead.

        Raises:
            TimedOutError: no answer came.
        """
        if not self.owner_is_alive():
            with self.owner() as owner:
                owner.run_once()
        deadline, positions = time.monotonic() + self.settings.answer_timeout_s, dict[tuple[str, int], int]()
        while time.monotonic() < deadline:
            batch, moved = self.log.read_topic("requests", positions, 10_000)
            positions.update(moved)
            for row in batch.to_pylist():
                if row["causation_id"] == request.record_id:
                    return Codec().decode(to_envelope(row))
            if not batch.num_rows:
                time.sleep(self.settings.poll_s)
        raise TimedOutError(
            f"nobody answered {request.ref} in {self.settings.answer_timeout_s:.0f} s: `onrecord status`"
        )

    def _verify(self, store: Store, progress: Progress) -> Verification:
        with TemporaryDirectory(dir=self.settings.projections) as folder:
            return verify(
                self.log, store, Path(folder) / "rebuilt.duckdb", self.settings.projections, self.clock.now(), progress
            )

    def _open_store(self, progress: Progress) -> Store:
        path = self.generations.current()
        if path is not None:
            try:
                return Store(path, log_id=self.log.log_id)
            except StoreError as error:
                self._say(f"{error}; rebuilding from the log")
                self.generations.set_aside(path)
        return Store(rebuild(self.log, self.generations, progress).path, log_id=self.log.log_id)

    def _open_published(self) -> Store:
        self.wait_until(lambda state: bool(state.published), "the owner to publish its first copy")
        return Store(self.settings.published, read_only=True)
