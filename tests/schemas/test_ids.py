"""Ids sort by time, come out the same for the same identity, and are UUIDs that other tools can read."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import EventStarted
from schemas.ids import derived_id, hashed_id, reference, split_reference, spontaneous_id
from tests.records import NOON, make

PARTS = st.lists(st.text(max_size=8), min_size=1, max_size=4)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MADE = {
    "spontaneous": (spontaneous_id, 7),
    "derived": (lambda: derived_id(NOON, "a"), 8),
    "hashed": (lambda: hashed_id("a"), 8),
}


@pytest.mark.parametrize("name", MADE)
def test_an_id_is_a_uuid_of_its_version(name: str) -> None:
    """RFC 9562: version and variant bits, lower-case text."""
    new, version = MADE[name]
    parsed = uuid.UUID(new())
    assert (version, uuid.RFC_4122) == (parsed.version, parsed.variant)


def test_a_spontaneous_id_begins_with_its_time() -> None:
    """48 bits of milliseconds."""
    before = datetime.now(UTC)
    milliseconds = uuid.UUID(spontaneous_id()).int >> 80
    assert before - timedelta(seconds=1) <= datetime.fromtimestamp(milliseconds / 1000, UTC) <= datetime.now(UTC)


def test_spontaneous_ids_differ() -> None:
    """Within one millisecond, too."""
    assert len({spontaneous_id() for _ in range(10_000)}) == 10_000


@given(TIMES, PARTS)
def test_the_same_identity_gives_the_same_id(at: datetime, parts: list[str]) -> None:
    """However often it is made, wherever."""
    assert (derived_id(at, *parts), hashed_id(*parts)) == (derived_id(at, *parts), hashed_id(*parts))


@given(TIMES, PARTS, PARTS)
def test_another_identity_gives_another_id(at: datetime, parts: list[str], others: list[str]) -> None:
    """The cut between two parts belongs to the identity, too."""
    same = parts == others
    assert same == (derived_id(at, *parts) == derived_id(at, *others)) == (hashed_id(*parts) == hashed_id(*others))


def test_parts_are_told_apart_by_their_lengths() -> None:
    """("ab", "c") is not ("a", "bc")."""
    assert hashed_id("ab", "c") != hashed_id("a", "bc")


@given(TIMES, TIMES)
def test_derived_ids_sort_by_their_time(first: datetime, second: datetime) -> None:
    """So that a unique index grows at its end."""
    milliseconds = [at.replace(microsecond=at.microsecond // 1000 * 1000) for at in (first, second)]
    earlier, later = (derived_id(at, "a") for at in sorted(milliseconds))
    assert earlier <= later


def test_an_id_does_not_depend_on_the_zone_in_which_its_time_is_told() -> None:
    """The moment counts, not its name."""
    assert derived_id(NOON, "a") == derived_id(datetime.fromisoformat("2024-03-31T14:00:00+02:00"), "a")


def test_known_ids_stay_as_they_are() -> None:
    """What was derived years ago is derived the same today: or imports would double the log."""
    expected = ("018e9461-7a00-8acd-9e7a-bf1eac5b3012", "facdde7a-bf1e-8ad6-827f-d73721f7a97a")
    assert expected == (derived_id(NOON, "a", "b"), hashed_id("a", "b"))


def test_a_reference_is_cut_at_its_last_separator() -> None:
    """Key and record_id come back."""
    made = spontaneous_id()
    assert ("EPL-1", made) == split_reference(reference("EPL-1", made))


@pytest.mark.parametrize("text", ["", "abc", "~", f"~{hashed_id('a')}", hashed_id("a"), "EPL-1~short"])
def test_what_is_no_reference_is_refused_with_what_to_do(text: str) -> None:
    """The error names the text and what an id looks like."""
    with pytest.raises(ValueError, match="pass the id that the call returned"):
        split_reference(text)


@pytest.mark.parametrize("name", MADE)
def test_every_id_is_one_that_a_record_takes(name: str) -> None:
    """The envelope checks the form."""
    made = MADE[name][0]()
    assert made == EventStarted.model_validate({**make(EventStarted).model_dump(), "record_id": made}).record_id
