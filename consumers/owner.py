"""The owner's loop: fold what is on the log, let the deciders decide, put that on the log too, and fold it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.log import EventLog, Positions, reached
from projections.catch_up import BATCH_ROWS, Progress, catch_up, silent
from projections.store import Store
from schemas.publishes import ParlayPublished
from schemas.record import Record
from schemas.registry import type_name
from schemas.requests import CalibrationRequested

# Above so many events it is cheaper to look at everything than to name them.
NAMED_EVENTS = 20_000
APPEND_ROWS = 10_000


class DecidedAgainError(Exception):
    """A decision was put on record, and the projections do not show it; the message says what to do."""


class Decider(Protocol):
    """Reads the projections and says what to put on record; asked again until it has nothing more to say."""

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        """New decisions; `event_ids` names the events that changed since it was last asked, None all of them."""
        ...


class Owner:
    """The one process that folds into a store and decides from it.

    Nothing is decided before everything is folded that was on the log when the owner began; a rebuild decides nothing.
    Where all was decided from the store as it is, it is `at_rest`, and only what comes then is looked at.
    """

    def __init__(
        self,
        log: EventLog,
        store: Store,
        deciders: Iterable[Decider],
        batch_rows: int = BATCH_ROWS,
        *,
        at_rest: bool = False,
    ) -> None:
        self.log = log
        self.store = store
        self._deciders = tuple(deciders)
        self._batch_rows = batch_rows
        self.at_rest = at_rest
        self._touched: set[str] | None = set() if at_rest else None
        self._said: Positions = {}

    def run_once(self, progress: Progress = silent) -> int:
        """Fold and decide until there is nothing left to do; gives the number of records folded.

        Raises:
            DecidedAgainError: what was decided is on the log, and is decided again.
        """
        folded, before = self._fold(progress), frozenset[str]()
        while not self.at_rest and self._has_read_its_own() and (decisions := self._decide()):
            before = _all_new(decisions, before)
            for some in batched_records(decisions):
                self._said = {**self._said, **self.log.append(some)}
            folded += self._fold(progress)
        if self._has_read_its_own():
            self._touched, self.at_rest = set(), True
        return folded

    def _has_read_its_own(self) -> bool:
        """A transaction of somebody else may hold it back for a while: nothing is decided before it is folded."""
        return reached(self.store.positions(), self._said)

    def _fold(self, progress: Progress) -> int:
        return catch_up(self.log, self.store, progress, self._batch_rows, self._touch)

    def _touch(self, batch: pa.Table) -> None:
        self.at_rest = False
        if self._touched is None:
            return
        self._touched.update(filter(None, pc.unique(batch["event_id"]).to_pylist()))
        if len(self._touched) > NAMED_EVENTS or _names_any_event(batch):
            self._touched = None

    def _decide(self) -> list[Record]:
        """What the first decider says that has anything to say: the next one decides from what that leads to."""
        said = (list(decider.decide(self._touched)) for decider in self._deciders)
        return next(filter(None, said), [])


def _all_new(decisions: Iterable[Record], before: frozenset[str]) -> frozenset[str]:
    """The ids of a round's decisions: none may be of the round `before`, for its decisions are folded."""
    ids = {decision.record_id: decision.ref for decision in decisions}
    if again := sorted(ids[one] for one in before & ids.keys()):
        raise DecidedAgainError(
            f"on the log, and not in the projections: {', '.join(again[:3])}; where `onrecord dead-letters list` "
            "says UNKNOWN newer code decided: upgrade; else `onrecord rebuild`"
        )
    return frozenset(ids)


def _names_any_event(batch: pa.Table) -> bool:
    """A request may, but one for a calibration is about what is graded already; a parlay names its events within."""
    kinds = batch.group_by(["topic", "type"]).aggregate([]).to_pylist()
    asked = {kind["type"] for kind in kinds if kind["topic"] == "requests"} - {type_name(CalibrationRequested)}
    return bool(asked) or {"topic": ParlayPublished.topic, "type": type_name(ParlayPublished)} in kinds


def batched_records(records: Iterable[Record], size: int = APPEND_ROWS) -> Iterator[list[Record]]:
    """Records in groups that one append takes well."""
    remaining = iter(records)
    while group := list(islice(remaining, size)):
        yield group
