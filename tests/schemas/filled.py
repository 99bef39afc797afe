"""Records of any type: with every field set, nothing null and nothing empty; or with nothing but what is required."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from schemas.ids import hashed_id
from schemas.record import Record
from schemas.registry import type_name

AT = datetime(2026, 2, 28, 19, 30, 0, 250_000, tzinfo=UTC)
SAMPLES: dict[Any, tuple[Any, ...]] = {
    str: ("Ünïcode ☂ text", "SPREAD:FULL_GAME", "HOME"),
    float: (0.25, 1.75),
    int: (3,),
    bool: (True,),
    Decimal: (Decimal("-0.909090909091"),),
    Any: ({"deeper": [1, "text"]},),
    AwareDatetime: (AT,),
    datetime: (AT,),
}


def filled(kind: type[Record]) -> Record:
    """A valid record of a type; the same one each time."""
    envelope = {
        "record_id": hashed_id("filled", type_name(kind)),
        "event_id": "EPL-2026-02-28-ÖST-O'B-1",
        "occurred_at": AT - timedelta(hours=2),
        "recorded_at": None,
        "producer": "tests",
        "origin": "BACKFILL",
        "correlation_id": "correlated",
        "causation_id": hashed_id("cause", type_name(kind)),
    }
    data = kind.model_fields["data"].annotation
    return kind.model_validate({**envelope, "data": sample(data)})


def sparse(kind: type[Record]) -> Record:
    """A valid record of a type that leaves out what it may; its record_id is new each time."""
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    full = filled(kind).model_dump()
    payload = type(filled(kind).data)
    data = {name: full["data"][name] for name, field in payload.model_fields.items() if field.is_required()}
    return kind.model_validate({**{name: full[name] for name in required}, "data": data})


def sample(annotation: Any) -> Any:
    """The first value that fits, without a null anywhere."""
    return next(_samples(annotation))


def _samples(annotation: Any) -> Iterator[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield {name: _fitting(field) for name, field in annotation.model_fields.items()}
    elif annotation in SAMPLES:
        yield from SAMPLES[annotation]
    elif origin is Annotated:
        yield from _samples(arguments[0])
    elif origin is Literal:
        yield arguments[-1]
    elif origin in (Union, UnionType):
        yield from (value for form in arguments if form is not type(None) for value in _samples(form))
    elif origin is tuple:
        yield (sample(arguments[0]),) * 2
    elif origin is dict:
        yield {"a key": sample(arguments[1])}
    else:
        raise TypeError(f"no sample of {annotation!r} is known: add one to SAMPLES")


def _fitting(field: FieldInfo) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, Annotated[field.annotation, field]))
    for value in _samples(field.annotation):
        try:
            return adapter.dump_python(adapter.validate_python(value))
        except ValidationError:
            continue
    raise ValueError(f"no sample of {field!r} fits: add one to SAMPLES")
