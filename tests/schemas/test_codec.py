"""The codec: bytes become records, or an error of the right class that says what is wrong."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codec import Codec, UndecodableRecordError, UnknownRecordError
from schemas.events import EventStarted
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.record import Record
from schemas.registry import RECORD_TYPES
from tests.records import make
from tests.schemas.filled import filled

CODEC = Codec()


def wire(**changes: Any) -> bytes:
    """An EventStarted as JSON, with changes to its envelope; a change to `...` leaves the field out."""
    envelope = {**json.loads(make(EventStarted).model_dump_json()), **changes}
    return json.dumps({name: value for name, value in envelope.items() if value is not ...}).encode()


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_record_comes_back_from_its_bytes(kind: type[Record]) -> None:
    """Of every type, in any layout."""
    record = filled(kind)
    compact = record.model_dump_json().encode()
    spread = json.dumps(dict(reversed(json.loads(compact).items())), indent=2).encode()
    assert [record, record] == [CODEC.decode_bytes(compact), CODEC.decode_bytes(spread)]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not a JSON record"),
        (b"\xff\xfe{}", "not a JSON record: 'utf-8'"),
        (b'{"type":', "not a JSON record"),
        (b"[" * 100_000, "not a JSON record"),
        (b"9" * 5000, "not a JSON record"),
        (b"null", "a record is a JSON object, not a NoneType"),
        (b"[]", "a record is a JSON object, not a list"),
        (b"{}", "a record names its type"),
        (wire(type=...), "a record names its type"),
        (wire(schema_version=...), "a record names its type"),
        (wire(schema_version="1"), "a record names its type"),
        (wire(schema_version=True), "a record names its type"),
        (wire(schema_version=1.0), "a record names its type"),
        (wire(record_id=...), "EventStarted: record_id is missing"),
        (wire(record_id="7"), "EventStarted: record_id: String should match"),
        (wire(data=...), "EventStarted: data: Input should be an object"),
        (wire(data=None), "EventStarted: data: Input should be an object"),
        (wire(data={}), "EventStarted: data.started_at: Field required"),
        (wire(event_id=None), "EventStarted: event_id"),
        (wire(occurred_at="2024-03-31T12:00:00"), "EventStarted: occurred_at: Input should have timezone info"),
        (wire(data={"started_at": "2024-03-31T12:00:00"}), "data.started_at: Input should have timezone info"),
        (
            wire(occurred_at="0001-01-01T00:00:00+02:00"),
            "occurred_at: Value error, the time lies outside of the calendar",
        ),
        (wire(data={"started_at": "9999-12-31T23:59:59-02:00"}), "data.started_at: Value error, the time lies outside"),
        (wire(surprise=1), "EventStarted: surprise: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_record_is_refused_with_the_part_that_is_wrong(raw: bytes, message: str) -> None:
    """The message names the type and the path of the field, in any layout."""
    for layout in (raw, raw.replace(b": ", b":").replace(b", ", b",")):
        with pytest.raises(UndecodableRecordError) as refused:
            CODEC.decode_bytes(layout)
        assert message in str(refused.value)


@pytest.mark.parametrize("changes", [{"type": "Nothing"}, {"schema_version": 2}, {"schema_version": 0}])
def test_what_this_code_does_not_know_yet_is_another_error(changes: dict[str, Any]) -> None:
    """An unknown type and a newer version are kept for a newer code, not taken for damage."""
    with pytest.raises(UnknownRecordError, match="is not known to this code: upgrade it"):
        CODEC.decode_bytes(wire(**changes))


def test_a_message_shows_no_input() -> None:
    """What was refused may be private: an error names the field, not its value."""
    with pytest.raises(UndecodableRecordError) as refused:
        CODEC.decode_bytes(wire(data={"started_at": "secret words"}))
    assert "secret words" not in str(refused.value)


def test_a_payload_that_speaks_of_another_type_misleads_nobody() -> None:
    """The type is the envelope's, wherever in the bytes it stands."""
    envelope = json.loads(make(OddsSnapshotCaptured, label='"type":"EventStarted"').model_dump_json())
    data_first = {"data": envelope.pop("data"), **envelope}
    raw = json.dumps(data_first, separators=(",", ":")).encode()
    assert make(OddsSnapshotCaptured, label='"type":"EventStarted"') == CODEC.decode_bytes(raw)


@pytest.mark.parametrize("version", [True, 1.0])
@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_version_is_a_whole_number(kind: type[Record], version: object) -> None:
    """Of every type: what Python takes for 1 is not 1."""
    envelope = {**json.loads(filled(kind).model_dump_json()), "schema_version": version}
    with pytest.raises(UndecodableRecordError, match="a record names its type"):
        CODEC.decode_bytes(json.dumps(envelope).encode())
    with pytest.raises(ValidationError, match="Input should be a valid integer"):
        kind.model_validate(envelope)


def test_a_payload_that_speaks_of_a_version_misleads_nobody() -> None:
    """The version is the envelope's."""
    summary = {"schema_version": 1, "a": 2}
    raw = make(PredictionMade, distribution_summary=summary).model_dump_json().replace("1.0,", "1,")
    with pytest.raises(UndecodableRecordError, match="a record names its type"):
        CODEC.decode_bytes(raw.replace('"schema_version":1', '"schema_version":true', 1).encode())


def test_it_knows_what_it_can_read() -> None:
    """Current versions as they are; older ones through upcasters; nothing else."""
    known = [CODEC.knows(name, version) for name, version in (("EventStarted", 1), ("EventStarted", 2), ("Nothing", 1))]
    current = [CODEC.is_current("EventStarted", version) for version in (1, 2)]
    assert (known, current) == ([True, False, False], [True, False])


def test_a_codec_of_nothing_is_refused() -> None:
    """It would refuse every record."""
    with pytest.raises(ValueError, match="at least one record type"):
        Codec([])
