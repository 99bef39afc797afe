"""Which rows of a batch can be staged as they lie on the log, and what becomes of the others."""

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.columns import to_envelope
from eventlog.log import BATCH, Place, places
from projections.dead_letters import dead_letter
from schemas.codec import Codec, UndecodableRecordError, UnknownRecordError
from schemas.record import Record


def through_codec(
    batch: pa.Table, codec: Codec, unparsable: Collection[Place] = ()
) -> tuple[pa.Table, list[list[Any]]]:
    """The rows that can be staged: as they are, or upcast or completed by the codec; and the dead letters.

    The rows at the places that are `unparsable` do not have their type's fields.
    """
    ready = _is_ready(batch, codec, unparsable)
    if pc.all(ready, min_count=0).as_py():
        return batch, []
    rows, letters = [], []
    for row in batch.filter(pc.invert(ready)).to_pylist():
        try:
            record = decode(row, codec)
        except UnknownRecordError as error:
            letters.append(dead_letter(row, "UNKNOWN", str(error)))
        except UndecodableRecordError as error:
            letters.append(dead_letter(row, "UNDECODABLE", str(error)))
        else:
            rows.append({**row, "schema_version": record.schema_version, "data": record.data.model_dump_json()})
    return pa.concat_tables([batch.filter(ready), pa.Table.from_pylist(rows, schema=BATCH)]), letters


def _is_ready(batch: pa.Table, codec: Codec, unparsable: Collection[Place]) -> pa.ChunkedArray:
    """Whether each row can be staged as it is."""
    # JSON's null would be staged as a row of nulls, without an error: only objects are.
    ready = pc.fill_null(pc.starts_with(batch["data"], "{"), fill_value=False)
    ready = pc.and_(ready, pc.and_(pc.is_valid(batch["type"]), pc.is_valid(batch["schema_version"])))
    for pair in batch.group_by(["type", "schema_version"]).aggregate([]).to_pylist():
        if None not in pair.values() and not codec.is_current(pair["type"], pair["schema_version"]):
            same = [pc.equal(batch[name], pa.scalar(pair[name], batch[name].type)) for name in pair]
            ready = pc.and_not(ready, pc.fill_null(pc.and_(*same), fill_value=False))
    if unparsable:
        ready = pc.and_(ready, pa.array((place not in unparsable for place in places(batch)), pa.bool_()))
    return ready


def decode(row: Mapping[str, Any], codec: Codec) -> Record:
    """The record in a row of a batch.

    Raises:
        UndecodableRecordError: the row holds none.
        UnknownRecordError: a type or version that the codec does not know.
    """
    if row["fault"] is not None:
        raise UndecodableRecordError(row["fault"])
    try:
        envelope = to_envelope(row)
    except (TypeError, ValueError, RecursionError) as error:
        raise UndecodableRecordError(f"{row['type']}: data is no JSON: {error}") from error
    return codec.decode(envelope)
