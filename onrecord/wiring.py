"""The one place where the parts meet: a workspace is a log, its projections, and whoever may change them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from consumers.grader import Grader
from consumers.lease import Lease, OwnerState, read_state, write_state
from consumers.owner import Decider, Owner
from consumers.retention import Retainer
from eventlog.clock import Clock, SystemClock
from eventlog.log import EventLog, Positions, reached
from eventlog.sqlite import SqliteLog
from onrecord.settings import Settings
from projections.catch_up import Progress, Rebuilt, rebuild
from projections.generations import Generations
from projections.published import publish_copy
from projections.store import Store, StoreError

Say = Callable[[str], None]


def _silent(_folded: int, _left: int) -> None: ...


class NotInitialisedError(Exception):
    """There is no workspace where one was expected."""


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
