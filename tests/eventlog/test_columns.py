"""The payload as text: what the quick writer says is what Pydantic says, byte for byte."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError, field_serializer

from eventlog.columns import payload_json
from schemas.events import EventStarted, Start
from schemas.odds import OddsSnapshot, OddsSnapshotCaptured
from schemas.predictions import Prediction, PredictionMade
from schemas.publishes import PredictionPublished, Publish, TicketTerms
from schemas.record import Record
from schemas.registry import RECORD_TYPES
from schemas.sim_runs import SimRunStart, SimRunStarted
from tests.schemas.filled import filled, sparse

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False)
times = st.datetimes(timezones=st.timezones()).filter(lambda at: 1 < at.year < 9999)


@given(texts, st.integers(), numbers, st.booleans())
def test_plain_values_are_written_as_pydantic_writes_them(text: str, whole: int, number: float, certain: bool) -> None:
    """Whole numbers beyond 64 bits too, which the quick writer refuses."""
    changes = {"label": text, "raw_path": None, "line": number, "captured_at_assumed": certain}
    odds = OddsSnapshot.model_validate({**filled(OddsSnapshotCaptured).data.model_dump(), **changes})
    run = SimRunStart.model_validate({**filled(SimRunStarted).data.model_dump(), "sim_count": abs(whole) or 1})
    assert [payload_json(odds), payload_json(run)] == [odds.model_dump_json(), run.model_dump_json()]


@given(st.dictionaries(texts, numbers), times)
def test_mappings_and_times_are_written_as_pydantic_writes_them(summary: dict[str, float], at: datetime) -> None:
    """Whatever zone a time was told in."""
    changes = {"distribution_summary": summary}
    said = Prediction.model_validate({**filled(PredictionMade).data.model_dump(), **changes})
    start = Start.model_validate({**filled(EventStarted).data.model_dump(), "started_at": at})
    assert [payload_json(said), payload_json(start)] == [said.model_dump_json(), start.model_dump_json()]


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5+00:00", "2026-01-02T05:04:05+02:00"])
def test_a_time_read_from_json_is_written_as_pydantic_writes_it(text: str) -> None:
    """Pydantic's own UTC is another object than Python's."""
    read = Start.model_validate_json(f'{{"started_at":"{text}"}}')
    assert read.started_at == datetime.fromisoformat(text)
    assert payload_json(read) == read.model_dump_json()


class Terms(TicketTerms):
    """Ticket terms with a field more, where a publish wants ticket terms."""

    note: str = "x"


class Odds(OddsSnapshot):
    """Snapshots with a rule of their own for how they are written."""

    @field_serializer("price")
    def _loud(self, price: str) -> str:
        return f"{price}!"


def test_what_is_not_plain_is_left_to_pydantic() -> None:
    """Subclasses, within and on top, and copies that were given what their class does not name."""
    publish, odds = filled(PredictionPublished).data, filled(OddsSnapshotCaptured).data
    too_little: dict[str, Any] = {"book": "pinnacle"}
    assert isinstance(publish, Publish)
    terms = Terms.model_validate(publish.ticket_terms.model_dump())
    for payload in (
        publish.model_copy(update={"ticket_terms": terms}),
        Odds.model_validate(odds.model_dump()),
        odds.model_copy(update={"unknown": 1}),
        OddsSnapshot.model_construct(**too_little),
    ):
        assert payload_json(payload) == payload.model_dump_json()


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
