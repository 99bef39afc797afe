"""Of a log that may repeat records the first of each counts, however the others come."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections import repeats
from projections.digest import exact_digests
from projections.store import Store
from schemas.events import EventScheduled, EventStarted
from schemas.ids import derived_id
from schemas.odds import OddsSnapshotCaptured
from schemas.record import Record
from tests.projections.conftest import Then
from tests.projections.foreign import foreign
from tests.projections.laws import Placed, empty, to_table
from tests.records import EVENTS, NOON, histories, make

CONFLICTS = "SELECT topic, record_id, seen_at FROM conflicts ORDER BY ALL"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Store, Store]]:
    """Made once, emptied before each use."""
    plain, repeated = Store(), Store()
    yield plain, repeated
    plain.close()
    repeated.close()


def fold(store: Store, *batches: Sequence[Placed]) -> None:
    """Fold batches of a log that may repeat."""
    for batch in batches:
        ends = {(each.record.topic, each.partition): each.offset + 1 for each in batch}
        store.fold(to_table(batch), ends, may_repeat=True)


def placed(*records: Record, first: int = 0) -> list[Placed]:
    """Records of one partition, one behind the other."""
    return [Placed(record, 0, offset, NOON + timedelta(hours=offset)) for offset, record in enumerate(records, first)]


def test_a_record_that_lies_twice_in_a_batch_is_folded_once(store: Store, then: Then) -> None:
    """The one with the lower offset."""
    fold(store, placed(make(EventStarted), make(EventScheduled), make(EventStarted)))
    assert then("SELECT kind FROM event_changes ORDER BY 1") == [("SCHEDULED",), ("STARTED",)]
    assert then(CONFLICTS) == []


def test_a_record_that_comes_again_later_is_left_alone(store: Store, then: Then) -> None:
    """And what is new beside it is folded."""
    fold(store, placed(make(EventStarted)))
    fold(store, placed(make(EventStarted), make(EventScheduled), first=5))
    assert then("SELECT kind FROM event_changes ORDER BY 1") == [("SCHEDULED",), ("STARTED",)]
    assert store.positions() == {("events", 0): 7}


def test_an_id_is_of_one_topic(store: Store, then: Then) -> None:
    """The same record_id in two topics is two records."""
    other = make(OddsSnapshotCaptured).model_copy(update={"record_id": make(EventStarted).record_id})
    fold(store, placed(make(EventStarted), other))
    assert then("SELECT (SELECT count(*) FROM event_changes), (SELECT count(*) FROM odds_snapshots)") == [(1, 1)]


def test_of_two_contents_the_first_counts_and_the_other_is_a_conflict(store: Store, then: Then) -> None:
    """In one batch or later; however often it is sent it is one conflict, seen when it first came."""
    other = make(EventStarted, started_at=NOON + timedelta(minutes=9))
    fold(store, placed(make(EventStarted), other), placed(other, other, make(EventStarted), first=2))
    assert [(make(EventStarted).data.started_at,)] == then("SELECT started_at FROM events")
    assert [("events", other.record_id, NOON + timedelta(hours=1))] == then(CONFLICTS)


def test_a_dead_letter_that_is_sent_again_is_kept_once(store: Store, then: Then) -> None:
    """One that cannot be decoded, one that nobody knows, one that does not fold."""
    bad = [foreign("EventStarted", 1, started_at="soon"), foreign("CrowdCounted", 2), make(EventScheduled)]
    bad[2] = make(EventScheduled, game_number=2**70)
    fold(store, placed(*bad, *bad), placed(*bad, first=6))
    assert then('SELECT "offset" FROM dead_letters ORDER BY 1') == [(0,), (1,), (2,)]


def test_ids_of_all_times_are_known_again(store: Store, then: Then) -> None:
    """More runs of near ids than are looked up on their own, an old id beside new ones."""
    days = [NOON + timedelta(days=400 * n, minutes=m) for n in range(12) for m in range(3)]
    records = [
        make(EventStarted).model_copy(update={"record_id": derived_id(at, "x"), "event_id": EVENTS[0]}) for at in days
    ]
    fold(store, placed(*records), placed(*reversed(records), first=100))
    assert then("SELECT count(*) FROM event_changes") == [(36,)]


def test_large_batches_are_known_again(store: Store, then: Then, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those are looked up as one run."""
    monkeypatch.setattr(repeats, "_LOOKED_AT", 2)
    records = [make(EventStarted, number=number) for number in range(9)]
    fold(store, placed(*records), placed(*records, first=9))
    assert then("SELECT count(*) FROM event_changes") == [(9,)]


def test_without_doubt_nothing_is_remembered(store: Store, then: Then) -> None:
    """A log that refuses repeats needs no second memory of its ids."""
    store.fold(to_table(placed(make(EventStarted))), {("events", 0): 1})
    assert then("FROM seen_records") == []


@settings(max_examples=15)
@given(history=histories(max_size=12), data=st.data())
def test_repeats_change_no_table(pair: tuple[Store, Store], history: tuple[Record, ...], data: st.DataObject) -> None:
    """Any log, any of its records again at any later place, any cut: the tables are those of the log without them."""
    again = data.draw(st.lists(st.sampled_from(history), max_size=8)) if history else []
    log = placed(*history, *again)
    cut = data.draw(st.integers(0, len(log)))
    plain, repeated = pair
    empty(plain)
    empty(repeated)
    fold(repeated, log[:cut], log[cut:])
    plain.fold(to_table(log[: len(history)]), {})
    assert exact_digests(plain) == exact_digests(repeated)


def test_a_fold_that_fails_forgets_what_it_saw(store: Store, then: Then) -> None:
    """It is folded when it comes again: halved, the good records of a batch are the first of their ids still."""
    bad = make(EventScheduled, number=7, game_number=2**70)
    log = placed(make(EventScheduled), bad, make(EventStarted), make(EventStarted))
    fold(store, [replace(each, partition=1) for each in log])
    assert then("SELECT kind FROM event_changes ORDER BY 1") == [("SCHEDULED",), ("STARTED",)]
    assert then("SELECT kind FROM dead_letters") == [("UNFOLDABLE",)]
