"""Record classes as DuckDB types, and a batch as one typed relation per record type."""

import json
import types
import typing
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from schemas.record import Record
from schemas.registry import type_name

_SCALARS: dict[Any, str] = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    datetime: "TIMESTAMPTZ",
    AwareDatetime: "TIMESTAMPTZ",
    date: "DATE",
    Decimal: "DECIMAL(28,12)",
}
ENVELOPE_COLUMNS = (
    "record_id, coalesce(event_id, {key}) || '~' || record_id AS ref, event_id, occurred_at, recorded_at, "
    "CASE origin WHEN 'LIVE' THEN recorded_at ELSE occurred_at END AS known_at, origin, producer, correlation_id, "
    'causation_id, topic, "partition", "offset"'
)


def structure(model: type[BaseModel]) -> dict[str, Any]:
    """The payload's fields with their DuckDB types, in the form that `from_json_strict` takes."""
    return {name: _duckdb_type(field.annotation) for name, field in model.model_fields.items()}


def payload_class(record_type: type[Record]) -> type[BaseModel]:
    """The class of a record's `data`."""
    annotation = record_type.model_fields["data"].annotation
    if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
        raise TypeError(f"{record_type.__name__}.data must be a Payload class")
    return annotation


def staging_sql(record_type: type[Record]) -> str:
    """A SELECT over the relation `incoming` that gives the typed rows of one record type.

    Columns: the envelope, `ref` (the id that others know the record by), `known_at`, and the payload's fields.
    """
    fields = json.dumps(structure(payload_class(record_type)), separators=(",", ":"))
    key = f"data ->> '{record_type.keyed_by}'" if record_type.keyed_by else f"'{record_type.topic}'"
    return (
        f"SELECT {ENVELOPE_COLUMNS.format(key=key)}, unnest(from_json_strict(data, '{fields}')) "
        f"FROM incoming WHERE type = '{type_name(record_type)}'"
    )


def unparsable_sql(record_type: type[Record]) -> str:
    """A SELECT over `incoming` that gives topic, partition and offset of the payloads that `staging_sql` fails on."""
    fields = json.dumps(structure(payload_class(record_type)), separators=(",", ":"))
    return (
        f'SELECT topic, "partition", "offset" FROM incoming WHERE type = \'{type_name(record_type)}\' '
        f"AND TRY(from_json_strict(data, '{fields}')) IS NULL"
    )


def _duckdb_type(annotation: Any) -> Any:
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _duckdb_type(arguments[0])
    if origin is Literal:
        return "VARCHAR"
    if origin in {typing.Union, types.UnionType}:
        return _duckdb_type(next(argument for argument in arguments if argument is not type(None)))
    if origin is tuple:
        return [_duckdb_type(arguments[0])]
    if origin is dict:
        return "JSON"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return structure(annotation)
    raise TypeError(f"{annotation!r} has no DuckDB type: use text, numbers, times, tuples, mappings or payload classes")
