"""Dead letters: records that could not be decoded or folded, kept with all that a second try needs."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.log import BATCH

TABLE = """
CREATE TABLE IF NOT EXISTS dead_letters (
    dead_letter VARCHAR, topic VARCHAR, "partition" INTEGER, "offset" BIGINT, kind VARCHAR, type VARCHAR,
    schema_version INTEGER, event_id VARCHAR, record_id VARCHAR, occurred_at TIMESTAMPTZ, reason VARCHAR, raw VARCHAR);
"""
INSERT = "INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
REMOVE = 'DELETE FROM dead_letters WHERE topic = ? AND "partition" = ? AND "offset" = ?'
FIND = "SELECT raw FROM dead_letters WHERE dead_letter = ?"


def dead_letter(row: Mapping[str, Any], kind: str, reason: str) -> list[Any]:
    """The columns of the table for one row of a batch.

    It is named by topic and record_id, which a copy of the log keeps; by its place where it has no record_id.
    """
    envelope = {name: row[name] for name in BATCH.names}
    if row["value"] is not None:  # any bytes come through JSON this way, and text stays readable
        envelope["value"] = row["value"].decode(errors="surrogateescape")
    place = [row["topic"], row["partition"], row["offset"]]
    raw = json.dumps(envelope, default=str)
    about = [row[name] for name in ("type", "schema_version", "event_id", "record_id", "occurred_at")]
    named = [row["topic"], row["record_id"]] if row["record_id"] else place
    return ["/".join(map(str, named)), *place, kind, *about, reason, raw]


def as_batch(raw: str) -> pa.Table:
    """What was kept as the batch of one that it came in."""
    row = json.loads(raw)
    for name in ("occurred_at", "recorded_at"):
        row[name] = None if row[name] is None else datetime.fromisoformat(row[name])
    if row["value"] is not None:
        row["value"] = row["value"].encode(errors="surrogateescape")
    return pa.Table.from_pylist([row], schema=BATCH)


def retried(batch: pa.Table) -> list[str]:
    """The names of the dead letters that a batch says to try again, each once."""
    decisions = batch.filter(pc.equal(batch["type"], "DeadLetterResolved"))["data"].to_pylist()
    return sorted({name for data in decisions if (name := _retried(data)) is not None})


def _retried(data: str | None) -> str | None:
    try:
        decision = json.loads(data or "")
        return str(decision["dead_letter"]) if decision["action"] == "retry" else None
    except (KeyError, TypeError, ValueError, RecursionError):
        return None  # a decision that cannot be read is a dead letter itself
