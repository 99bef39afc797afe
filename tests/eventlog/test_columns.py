"""The payload as text: what the quick writer says is what Pydantic says, byte for byte."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, ValidationError

from eventlog.columns import payload_json
from schemas.record import Finite, Payload, Record, UtcDatetime
from schemas.registry import RECORD_TYPES
from tests.schemas.filled import filled, sparse


class Inner(Payload):
    """A payload within one."""

    text: str
    exact: Decimal


class Anything(Payload):
    """Every kind of value that a payload may hold."""

    text: str | None
    number: Finite
    whole: int
    certain: bool
    exact: Decimal
    at: UtcDatetime
    many: tuple[Inner, ...]
    by_name: dict[str, Finite]


class Open(Payload):
    """A payload that takes fields that it does not name."""

    model_config = ConfigDict(extra="allow")
    named: Any


class Within(Payload):
    """A payload that holds any other."""

    inner: Any


texts = st.text(st.characters(exclude_categories=["Cs"]))
decimals = st.decimals(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, text=texts, exact=decimals)
payloads = st.builds(
    Anything,
    text=st.none() | texts,
    number=st.floats(allow_nan=False, allow_infinity=False),
    whole=st.integers(),
    certain=st.booleans(),
    exact=decimals,
    at=st.datetimes(timezones=st.timezones()),
    many=st.lists(inners, max_size=3).map(tuple),
    by_name=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)


@given(payloads)
def test_any_values_are_written_as_pydantic_writes_them(payload: Anything) -> None:
    """Whole numbers beyond 64 bits too, which the quick writer refuses."""
    assert payload_json(payload) == payload.model_dump_json()


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5+00:00", "2026-01-02T05:04:05+02:00"])
def test_a_time_read_from_json_is_written_as_pydantic_writes_it(text: str) -> None:
    """Pydantic's own UTC is another object than Python's."""
    fields = f'"number":1.5,"whole":1,"certain":true,"exact":"1.10","many":[],"by_name":{{}},"at":"{text}"'
    read = Anything.model_validate_json(f'{{"text":null,{fields}}}')
    assert read.at == datetime.fromisoformat(text)
    assert payload_json(read) == read.model_dump_json()


def test_what_a_payload_does_not_name_is_written_too() -> None:
    """A class of somebody's own may allow it, on top or within."""
    for inner in (Open.model_validate({"named": 1, "unnamed": 2}), Inner(text="", exact=Decimal(1))):
        whole = Open.model_validate({"named": inner, "unnamed": inner})
        assert payload_json(whole) == whole.model_dump_json()
        assert payload_json(Within(inner=inner)) == Within(inner=inner).model_dump_json()


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_records_of_every_type_are_written_as_pydantic_writes_them(kind: type[Record]) -> None:
    """With every field set, and with nothing but what is required."""
    assert [payload_json(made(kind).data) for made in (filled, sparse)] == [
        made(kind).data.model_dump_json() for made in (filled, sparse)
    ]


@pytest.mark.parametrize("kind", RECORD_TYPES)
@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_no_type_takes_a_number_that_json_does_not_know(kind: type[Record], number: float) -> None:
    """It would be written as null: what is refused cannot be lost."""
    whole = filled(kind).model_dump()
    for broken in _with_each_float(whole["data"], number):
        with pytest.raises(ValidationError):
            kind.model_validate({**whole, "data": broken})


def _with_each_float(value: Any, number: float) -> Iterator[Any]:
    """The value as often as it holds a float, each time with another one replaced."""
    if isinstance(value, float):
        yield number
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from ({**value, key: changed} for changed in _with_each_float(inner, number))
    elif isinstance(value, tuple | list):
        for place, inner in enumerate(value):
            yield from ((*value[:place], changed, *value[place + 1 :]) for changed in _with_each_float(inner, number))
