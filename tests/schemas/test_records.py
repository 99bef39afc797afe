"""What every record promises, whatever its type."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from schemas.events import EventStarted
from schemas.injuries import InjurySnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.publishes import ParlayPublished
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import BY_NAME, RECORD_TYPES, TOPICS, current_version, type_name
from tests.records import EVENTS, NOON, make
from tests.schemas.filled import filled, sparse

every_type = pytest.mark.parametrize("kind", RECORD_TYPES)


@every_type
def test_a_record_survives_json(kind: type[Record]) -> None:
    """What is written is what is read, with defaults and with every field set."""
    for record in (sparse(kind), filled(kind)):
        assert record == kind.model_validate_json(record.model_dump_json())


@every_type
def test_defaults_are_written_out(kind: type[Record]) -> None:
    """A reader that knows no defaults still finds every field."""
    written = json.loads(sparse(kind).data.model_dump_json())
    assert set(type(filled(kind).data).model_fields) == set(written)


@every_type
@pytest.mark.parametrize("place", ["envelope", "payload"])
def test_a_field_that_nobody_knows_is_refused(kind: type[Record], place: str) -> None:
    """A misspelt field is an error, not a silence."""
    fields = filled(kind).model_dump()
    (fields if place == "envelope" else fields["data"])["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        kind.model_validate(fields)


@every_type
def test_a_record_never_changes(kind: type[Record]) -> None:
    """Envelope and payload are frozen."""
    record = filled(kind)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, "producer", "other")  # noqa: B010  (a plain assignment is a type error, too)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record.data, next(iter(type(record.data).model_fields)), None)


@every_type
def test_a_naive_time_is_refused(kind: type[Record]) -> None:
    """A time without an offset could be any of 38 times."""
    with pytest.raises(ValidationError, match="timezone"):
        kind.model_validate({**filled(kind).model_dump(), "occurred_at": datetime(2024, 3, 31, 12)})  # noqa: DTZ001


def _times(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if "datetime" in repr(field.annotation).lower()]


@pytest.mark.parametrize("kind", [kind for kind in RECORD_TYPES if _times(type(filled(kind).data))])
def test_a_naive_time_in_a_payload_is_refused(kind: type[Record]) -> None:
    """The payload's own times are no exception."""
    for name in _times(type(filled(kind).data)):
        fields = filled(kind).model_dump()
        fields["data"][name] = "2024-03-31T12:00:00"
        with pytest.raises(ValidationError, match="timezone"):
            kind.model_validate(fields)


def test_a_time_with_another_offset_is_kept_as_utc() -> None:
    """Records compare and sort by UTC alone."""
    eastern = datetime(2024, 3, 31, 8, tzinfo=timezone(timedelta(hours=-4)))
    occurred_at = make(EventStarted, at=eastern).occurred_at
    assert (occurred_at, occurred_at.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_is_finite(number: float) -> None:
    """JSON has no word for what is not a number, so it could not be read back."""
    with pytest.raises(ValidationError, match="finite"):
        make(PredictionMade, p_cover=0.5, ev_units=number)
    with pytest.raises(ValidationError, match="finite"):
        make(PredictionMade, p_cover=0.5, distribution_summary={"mean": number})


@every_type
def test_no_payload_has_a_number_that_may_be_infinite(kind: type[Record]) -> None:
    """Every float of every payload refuses what JSON cannot say."""
    infinite = [place for place, value in _floats(filled(kind).model_dump()["data"], ())]
    for place in infinite:
        fields = filled(kind).model_dump()
        _put(fields["data"], place, float("inf"))
        with pytest.raises(ValidationError):
            kind.model_validate(fields)


def _floats(value: Any, place: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], float]]:
    if isinstance(value, float):
        return [(place, value)]
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _floats(inner, (*place, name))]
    if isinstance(value, tuple):
        return [found for number, inner in enumerate(value) for found in _floats(inner, (*place, number))]
    return []


def _put(value: Any, place: tuple[Any, ...], new: float) -> None:
    first, *rest = place
    if rest:
        value[first] = list(value[first]) if isinstance(value[first], tuple) else value[first]
        _put(value[first], tuple(rest), new)
    else:
        value[first] = new


@pytest.mark.parametrize("event_id", ["", " ", "EPL~1", "~", "x" * 201])
def test_an_event_id_has_no_separator_and_some_text(event_id: str) -> None:
    """References are cut at the separator, so that no event may hold it."""
    with pytest.raises(ValidationError):
        EventStarted.model_validate({**make(EventStarted).model_dump(), "event_id": event_id})


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (make(EventStarted), EVENTS[0]),
        (make(RawPayloadCaptured, provider="espn"), "espn"),
        (make(RawPayloadCaptured, event_id=EVENTS[1]), EVENTS[1]),
        (make(InjurySnapshotCaptured, team="Arsenal"), "Arsenal"),
        (make(ParlayPublished), "publishes"),
    ],
)
def test_the_key_is_the_event_else_the_payloads_else_the_topic(record: Record, key: str) -> None:
    """A record's key is never null, and its reference carries it."""
    assert (key, f"{key}~{record.record_id}") == (record.key, record.ref)


@every_type
def test_a_type_is_registered_under_the_literal_that_it_writes(kind: type[Record]) -> None:
    """The name on the wire is the field's, not the class's."""
    record = filled(kind)
    assert (kind, True) == (BY_NAME[record.type], record.topic in TOPICS)
    assert (record.type, record.schema_version) == (type_name(kind), current_version(kind))


@every_type
def test_another_types_name_is_refused(kind: type[Record]) -> None:
    """The literal type and version are part of the schema."""
    for wrong in ({"type": "Nothing"}, {"schema_version": 99}):
        with pytest.raises(ValidationError, match="Input should be"):
            kind.model_validate({**filled(kind).model_dump(), **wrong})


def test_topics_come_in_the_order_in_which_records_refer_to_each_other() -> None:
    """What others refer to comes first, so that a reader that is behind meets it first."""
    order = ["raw_payloads", "events", "odds", "injuries", "sim_runs", "predictions", "publishes", "gradings"]
    assert order == [topic for topic in TOPICS if topic in order]


@every_type
def test_types_are_such_as_a_table_can_hold(kind: type[Record]) -> None:
    """A union is of one type and null: a column has one type."""
    for field in type(filled(kind).data).model_fields.values():
        if get_origin(field.annotation) is UnionType:
            assert len([form for form in get_args(field.annotation) if form is not type(None)]) == 1
