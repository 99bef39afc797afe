"""Old versions are upcast at one choke point, step by step; the chain has no gaps."""

from typing import Any, ClassVar, Literal

import pytest

from eventlog.columns import to_envelope
from eventlog.sqlite import SqliteLog
from schemas.codec import Codec, UndecodableRecordError, Upcaster
from schemas.record import Payload, Record, Text
from tests.records import EVENTS, NOON


class Weather(Payload):
    """The third version: text became a number, and a unit was added."""

    celsius: float
    sky: str = "unknown"
    station: Text


class WeatherSeen(Record):
    """A type for tests alone, in its third version."""

    topic: ClassVar[str] = "events"
    type: Literal["WeatherSeen"] = "WeatherSeen"
    schema_version: Literal[3] = 3
    event_id: Text
    data: Weather


def number_for_text(data: dict[str, Any]) -> dict[str, Any]:
    """1 to 2."""
    return {**data, "celsius": float(data["celsius"].removesuffix(" C"))}


def with_station(data: dict[str, Any]) -> dict[str, Any]:
    """2 to 3."""
    return {**data, "station": "unnamed"}


CHAIN: dict[tuple[str, int], Upcaster] = {("WeatherSeen", 1): number_for_text, ("WeatherSeen", 2): with_station}
PAYLOADS = {
    1: {"celsius": "12.5 C", "sky": "clear"},
    2: {"celsius": 12.5, "sky": "clear"},
    3: {"celsius": 12.5, "sky": "clear", "station": "unnamed"},
}


def envelope(version: int, data: Any) -> dict[str, Any]:
    """A WeatherSeen as it was written then."""
    return {
        "record_id": f"00000000-0000-8000-8000-00000000000{version}",
        "type": "WeatherSeen",
        "schema_version": version,
        "event_id": EVENTS[0],
        "occurred_at": NOON.isoformat(),
        "producer": "tests",
        "data": data,
    }


@pytest.fixture
def codec() -> Codec:
    """With the whole chain."""
    return Codec([WeatherSeen], CHAIN)


@pytest.mark.parametrize("version", PAYLOADS)
def test_every_version_becomes_the_current_one(codec: Codec, version: int) -> None:
    """Each step sees the payload of its own version."""
    record = codec.decode(envelope(version, PAYLOADS[version]))
    assert (3, Weather(celsius=12.5, sky="clear", station="unnamed")) == (record.schema_version, record.data)


@pytest.mark.parametrize("version", PAYLOADS)
def test_a_log_hands_out_old_records_in_the_current_version(codec: Codec, version: int) -> None:
    """An append, a look-up and a replay all pass the choke point."""
    with SqliteLog(":memory:", codec=codec) as log:
        record = codec.decode(envelope(version, PAYLOADS[version]))
        log.append([record])
        batch, _ = log.read({}, 10)
        found = log.find("events", record.ref)
        assert found is not None
        assert [record.data] * 2 == [found.data, codec.decode(to_envelope(batch.to_pylist()[0])).data]


@pytest.mark.parametrize(
    "data",
    [None, [], "text", {}, {"celsius": "warm"}, {"celsius": 12.5}],
    ids=["null", "list", "text", "empty", "word", "type"],
)
def test_a_payload_that_an_upcaster_cannot_take_is_undecodable(codec: Codec, data: Any) -> None:
    """Whatever goes wrong inside an upcaster is the record's fault, and says of which type."""
    with pytest.raises(UndecodableRecordError, match=r"^WeatherSeen: "):
        codec.decode(envelope(1, data))


@pytest.mark.parametrize("missing", CHAIN)
def test_a_gap_in_the_chain_is_refused_at_load(missing: tuple[str, int]) -> None:
    """Not when the first old record comes along, years later."""
    with pytest.raises(ValueError, match=f"broken at .*{missing[1]}.*one upcaster for each old version"):
        Codec([WeatherSeen], {step: upcaster for step, upcaster in CHAIN.items() if step != missing})


@pytest.mark.parametrize("extra", [("WeatherSeen", 3), ("Nothing", 1)])
def test_an_upcaster_from_nowhere_is_refused_at_load(extra: tuple[str, int]) -> None:
    """It could never run: a typing error, or a version that was forgotten."""
    with pytest.raises(ValueError, match="chain is broken"):
        Codec([WeatherSeen], {**CHAIN, extra: with_station})
