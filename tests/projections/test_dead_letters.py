"""A record that cannot be decoded or folded is kept aside, with its place and its reason, and nothing waits for it."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest

from eventlog.log import BATCH
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.digest import exact_digests
from projections.errors import StoreError
from projections.store import Store, fingerprint
from schemas.codec import Codec, Upcaster
from schemas.events import EventScheduled, EventStarted
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import RECORD_TYPES
from schemas.requests import DeadLetterResolved
from schemas.sim_runs import SimRunStarted
from tests.projections.conftest import Given, Then, When
from tests.projections.foreign import foreign
from tests.projections.laws import LAWS, Law, Placed, check, fold, only_declared, subjects, to_table, twins
from tests.records import EVENTS, NOON, make

LETTERS = 'SELECT kind, type, schema_version, event_id, topic, "partition", "offset" FROM dead_letters ORDER BY ALL'


def test_an_unknown_type_is_kept_and_counted(given: Given, when_folded: When, then: Then) -> None:
    """It is no error of anybody's: newer code may know it."""
    given(make(EventScheduled), foreign("CrowdCounted", 1, crowd=60_704))

    assert when_folded() == 2
    assert then(LETTERS) == [("UNKNOWN", "CrowdCounted", 1, "E1", "events", 0, 1)]
    assert [(EVENTS[0],)] == then("SELECT event_id FROM events")


def test_a_newer_version_is_kept_and_counted(given: Given, when_folded: When, then: Then) -> None:
    """A newer version is never read as if it were an old one."""
    given(foreign("EventStarted", 1, schema_version=2, started_at="2024-03-31T12:00:00Z", assumed=False))

    when_folded()

    assert then(LETTERS) == [("UNKNOWN", "EventStarted", 2, "E1", "events", 0, 0)]
    [(reason,)] = then("SELECT reason FROM dead_letters")
    assert reason == "EventStarted version 2 is not known to this code: upgrade it"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"started_at": "yesterday", "assumed": False},
        {"started_at": {"at": 12}, "assumed": False},
        {"started_at": None, "assumed": "perhaps"},
    ],
    ids=str,
)
def test_a_payload_that_is_none_is_set_aside(
    payload: dict[str, Any], given: Given, when_folded: When, then: Then
) -> None:
    """Whatever stands before and behind it is folded all the same."""
    given(make(EventScheduled), foreign("EventStarted", 1, **payload), make(EventStarted, number=2))

    when_folded()

    assert then(LETTERS) == [("UNDECODABLE", "EventStarted", 1, "E1", "events", 0, 1)]
    assert then("SELECT kind FROM event_changes ORDER BY kind") == [("SCHEDULED",), ("STARTED",)]


def test_the_raw_record_and_the_reason_are_kept(given: Given, when_folded: When, then: Then) -> None:
    """Whoever decides what becomes of it sees what came, and which field is wrong."""
    given(foreign("EventStarted", 1, started_at="yesterday"))

    when_folded()

    [(reason, raw)] = then("SELECT reason, raw FROM dead_letters")
    assert "started_at" in reason
    assert json.loads(raw)["data"] == '{"started_at":"yesterday"}'


@pytest.mark.parametrize(
    "data", [None, "", "{", "[]", "null", " null", "7", '{"started_at": NaN}', "[" * 100_000], ids=lambda d: repr(d)[:9]
)
@pytest.mark.parametrize("version", [1, 2])
def test_data_that_is_no_json_object_is_set_aside(data: str | None, version: int, store: Store, then: Then) -> None:
    """Under a current version, and under one that goes through the codec."""
    good = Placed(make(EventScheduled), 0, 1, NOON)
    bad = Placed(make(EventStarted, number=1), 0, 2, NOON).row | {"data": data, "schema_version": version}

    store.fold(pa.concat_tables([to_table([good]), pa.Table.from_pylist([bad], schema=BATCH)]), {("events", 0): 3})

    assert [(EVENTS[0], 1, 2)] == then('SELECT event_id, (SELECT count(*) FROM events), "offset" FROM dead_letters')
    assert store.positions() == {("events", 0): 3}


def test_numbers_beyond_64_bits_are_set_aside(given: Given, when_folded: When, then: Then) -> None:
    """JSON knows no bounds, a column does: the record waits where it can be seen."""
    given(make(SimRunStarted, number=1, seed=2**64), make(SimRunStarted, number=2, seed=2**63 - 1))

    when_folded()

    assert then("SELECT kind, type FROM dead_letters") == [("UNFOLDABLE", "SimRunStarted")]
    assert then("SELECT seed FROM sim_run_starts") == [(2**63 - 1,)]


def test_nul_bytes_and_long_texts_are_no_fault(given: Given, when_folded: When, then: Then) -> None:
    """A megabyte, a NUL, a quote and a sign beyond the BMP come through as they are."""
    texts = ["x" * 2**20, "a\0b", 'O\'Brien "☔" 𝔘\\n']
    given(*(make(RawPayloadCaptured, number=n, content=text) for n, text in enumerate(texts)))

    when_folded()

    assert sorted(texts) == sorted(text for (text,) in then("SELECT content FROM raw_payloads"))
    assert then("FROM dead_letters") == []


def test_a_rebuild_gives_the_same_dead_letters(given: Given, log: SqliteLog, store: Store) -> None:
    """Found in batches of two as the log grew, or all at once from nothing."""
    for number in range(3):
        given(make(EventScheduled, number=number), foreign("EventStarted", number), foreign("CrowdCounted", number))
        catch_up(log, store, rows=2)
    rebuilt = Store()

    catch_up(log, rebuilt)

    assert len(rebuilt.rows("FROM dead_letters")) == 6
    assert exact_digests(store) == exact_digests(rebuilt)
    rebuilt.close()


STRAYS = (
    foreign("CrowdCounted", 1),
    foreign("EventStarted", 2, schema_version=2),
    foreign("EventStarted", 3, started_at="yesterday"),
    foreign("EventStarted", 4, event_id=EVENTS[0], started_at=NOON.isoformat()),  # the codec fills a default in
    foreign("EventRescheduled", 5, event_id=EVENTS[0], starts_at=NOON.isoformat(), because="a field too many"),
    foreign("EventScheduled", 6, event_id=EVENTS[1], league="EPL", home="A", away="B", starts_at=None, sport="soccer"),
    make(EventScheduled, number=900, game_number=2**70),
)


@pytest.mark.parametrize("law", [law for law in LAWS if law is not only_declared], ids=lambda law: law.__name__)
def test_dead_letters_obey_the_laws(law: Law) -> None:
    """Which records are set aside, and why, depends neither on cuts, nor on order, nor on what stands beside them."""
    with twins(next(subject for subject in subjects() if subject.name == "events")) as pair:
        check(law, pair, examples=5, strays=STRAYS)


def test_a_payload_that_lacks_a_default_is_completed(given: Given, when_folded: When, then: Then) -> None:
    """A foreign producer need not write defaults out; a good record beside a bad one is folded as it is."""
    given(foreign("EventStarted", 1, started_at=NOON.isoformat()), foreign("EventStarted", 2, started_at="yesterday"))

    when_folded()

    assert then("SELECT started_at, start_assumed FROM events") == [(NOON, False)]
    assert then("SELECT kind FROM dead_letters") == [("UNDECODABLE",)]


def test_a_dead_letter_that_comes_again_is_kept_once(store: Store, then: Then) -> None:
    """Its position moved in the transaction that kept it."""
    log = [Placed(foreign("EventStarted", n), 0, n, NOON) for n in range(3)]

    fold(store, [log, log, log[1:]])

    assert then('SELECT "offset" FROM dead_letters ORDER BY 1') == [(0,), (1,), (2,)]


def named(record: Record) -> str:
    """The name of a dead letter."""
    return f"{record.topic}/{record.record_id}"


def test_what_was_dropped_is_open_no_more(given: Given, when_folded: When, store: Store) -> None:
    """The rest is listed with the name that a decision gives it; all of them stay on the list of all."""
    dropped, kept = foreign("EventStarted", 1), foreign("EventStarted", 2)
    given(dropped, kept, make(DeadLetterResolved, dead_letter=named(dropped), action="drop"))

    when_folded()

    assert store.query("dead_letters_open")["dead_letter"].to_pylist() == [named(kept)]
    assert store.query("dead_letters_all").select(["dead_letter", "action", "who"]).to_pylist() == [
        {"dead_letter": name, "action": action, "who": who}
        for name, action, who in sorted([(named(dropped), "drop", "ann"), (named(kept), None, None)])
    ]


def test_a_retry_without_a_fix_changes_nothing(given: Given, when_folded: When, log: SqliteLog, store: Store) -> None:
    """It is still open, and a rebuild says the same."""
    bad = foreign("EventStarted", 1)
    given(bad)
    when_folded()
    given(make(DeadLetterResolved, dead_letter=named(bad), action="retry"))

    when_folded()

    assert store.query("dead_letters_open")["dead_letter"].to_pylist() == [named(bad)]
    assert same_as_a_rebuild(store, log)


class Starts(EventStarted):
    """EventStarted in a second version."""

    schema_version: Literal[2] = 2  # type: ignore[assignment] # the version after the one that it inherits


def reading(upcaster: Upcaster) -> Codec:
    """A codec that calls `upcaster` to read the first version; which one it is does not show in the fingerprint."""
    return through(lambda data: upcaster(data))


def through(upcaster: Upcaster) -> Codec:
    """A codec whose upcaster it is."""
    types = [Starts if kind is EventStarted else kind for kind in RECORD_TYPES]
    return Codec(types, {("EventStarted", 1): upcaster})


def broken(_data: dict[str, Any]) -> dict[str, Any]:
    """An upcaster with a fault."""
    raise KeyError("started_at")


def fixed(data: dict[str, Any]) -> dict[str, Any]:
    """What it should have been."""
    return data


def test_a_retry_after_a_fix_folds_the_record(given: Given, log: SqliteLog, tmp_path: Path) -> None:
    """The letter is gone, its record is in the tables, and a rebuild gives the same."""
    late = make(EventStarted)
    given(make(EventScheduled), late)
    before = Store(tmp_path / "kept.duckdb", codec=reading(broken))
    catch_up(log, before)
    assert before.query("dead_letters_open")["dead_letter"].to_pylist() == [named(late)]
    before.close()
    given(make(DeadLetterResolved, dead_letter=named(late), action="retry"))
    after, rebuilt = Store(tmp_path / "kept.duckdb", codec=reading(fixed)), Store(codec=reading(fixed))

    for store in (after, rebuilt):
        catch_up(log, store)

    assert after.rows("SELECT kind FROM event_changes ORDER BY 1") == [("SCHEDULED",), ("STARTED",)]
    assert after.rows("FROM dead_letters") == []
    assert exact_digests(rebuilt) == exact_digests(after)
    rebuilt.close()
    after.close()


def test_a_retry_that_fails_in_another_way_tells_the_new_reason(given: Given, log: SqliteLog, tmp_path: Path) -> None:
    """As a rebuild by the same code would."""

    def worse(_data: dict[str, Any]) -> dict[str, Any]:
        raise LookupError("another fault")

    late = make(EventStarted)
    given(late)
    before = Store(tmp_path / "kept.duckdb", codec=reading(broken))
    catch_up(log, before)
    before.close()
    given(make(DeadLetterResolved, dead_letter=named(late), action="retry"))
    after = Store(tmp_path / "kept.duckdb", codec=reading(worse))

    catch_up(log, after)

    assert after.rows("SELECT reason FROM dead_letters") == [("EventStarted: LookupError: another fault",)]
    after.close()


def test_a_mended_upcaster_is_other_code(tmp_path: Path) -> None:
    """What it made before may be wrong: a rebuild reads it anew, without a retry."""
    Store(tmp_path / "kept.duckdb", codec=through(broken)).close()
    Store(tmp_path / "kept.duckdb", codec=through(broken)).close()

    with pytest.raises(StoreError, match="made by other code"):
        Store(tmp_path / "kept.duckdb", codec=through(fixed))


def test_an_upcaster_without_source_goes_by_its_name() -> None:
    """It can be used, and every process gives it the same fingerprint."""
    codecs = [through(upcaster) for upcaster in (dict, dict, partial(fixed))]

    first, again, other = (fingerprint([], codec) for codec in codecs)

    assert first == again != other


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)], ids=str)
def test_decisions_do_not_depend_on_when_they_are_read(order: tuple[int, ...], store: Store, then: Then) -> None:
    """Before the letter, after it, or in another order: the last word by its own time counts."""
    bad = foreign("EventStarted", 1)
    decided = [
        make(DeadLetterResolved, at=NOON + timedelta(minutes=n), number=n, dead_letter=named(bad), action=action)
        for n, action in enumerate(("retry", "drop"))
    ]
    placed = [Placed(record, lane, 0, NOON) for lane, record in enumerate([bad, *decided])]

    for number in order:
        fold(store, [[placed[number]]])

    assert store.query("dead_letters_open").num_rows == 0
    assert then("SELECT action FROM dead_letter_decisions") == [("drop",)]
    assert then("FROM held_events") == []


def same_as_a_rebuild(store: Store, log: SqliteLog) -> bool:
    """Whether a store that folds the log anew holds the same."""
    rebuilt = Store()
    catch_up(log, rebuilt)
    same = exact_digests(store) == exact_digests(rebuilt)
    rebuilt.close()
    return same
