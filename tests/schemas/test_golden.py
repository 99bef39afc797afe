"""Every record that was ever written can still be read, and comes out the same live and in a replay."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from eventlog.columns import to_envelope
from eventlog.log import BATCH
from eventlog.sqlite import SqliteLog
from schemas.codec import Codec
from schemas.record import Record
from schemas.registry import BY_NAME, RECORD_TYPES
from tests.schemas.filled import AT
from tests.schemas.golden_files import FOLDER, expected_names

GOLDEN = sorted(FOLDER.glob("*.json"))
every_golden_file = pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)


def stored(raw: bytes) -> pa.Table:
    """The record as a log of its day holds it: the payload is text that nobody has upcast."""
    envelope: dict[str, Any] = json.loads(raw)
    times = {name: datetime.fromisoformat(envelope[name]) for name in ("occurred_at",)}
    place = {"topic": BY_NAME[envelope["type"]].topic, "partition": 0, "offset": 0, "recorded_at": AT}
    return pa.Table.from_pylist([{**envelope, **times, **place, "data": json.dumps(envelope["data"])}], schema=BATCH)


def live(raw: bytes) -> Record:
    """By way of the codec, as it comes from a producer."""
    return Codec().decode_bytes(raw)


def replayed(raw: bytes) -> Record:
    """By way of a log that has held it since its day."""
    with SqliteLog(":memory:") as log:
        log.append_batch(stored(raw))
        batch, _ = log.read({}, 10)
    return Codec().decode(to_envelope(batch.to_pylist()[0]))


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_every_type_and_version_has_a_golden_file(kind: type[Record]) -> None:
    """When this fails: `python -m tests.schemas.golden_files` writes what is missing."""
    assert [name for name in expected_names(kind) if not (FOLDER / name).exists()] == []


def test_no_golden_file_is_of_a_type_or_version_that_is_gone() -> None:
    """A type and a version stay readable for ever."""
    known = {name for kind in RECORD_TYPES for name in expected_names(kind)}
    assert set() == {path.name for path in GOLDEN} - known


@every_golden_file
def test_live_and_replay_give_the_same_bytes(path: Path) -> None:
    """The codec is the one choke point: the payload is the same, byte for byte, whichever way it came."""
    raw = path.read_bytes()
    assert live(raw).data.model_dump_json() == replayed(raw).data.model_dump_json()


@every_golden_file
def test_the_envelope_survives_the_replay(path: Path) -> None:
    """Everything but the stamp is as it was sent."""
    raw = path.read_bytes()
    assert live(raw) == replayed(raw).model_copy(update={"recorded_at": None})


@every_golden_file
def test_a_record_of_the_current_version_keeps_every_value(path: Path) -> None:
    """Fields that came later have their defaults; nothing that was written is changed. Old versions are upcast."""
    raw = json.loads(path.read_bytes())
    record = live(path.read_bytes())
    written = raw if raw["schema_version"] == record.schema_version else {"record_id": raw["record_id"]}
    assert written == _only(json.loads(record.model_dump_json()), written)


@every_golden_file
def test_an_append_of_the_bytes_stores_what_the_codec_gives(path: Path) -> None:
    """The log writes payloads of the current version, with every default."""
    raw = path.read_bytes()
    with SqliteLog(":memory:") as log:
        log.append_json([raw])
        batch, _ = log.read({}, 10)
    assert [live(raw).data.model_dump_json()] == batch["data"].to_pylist()


def _only(found: Any, wanted: Any) -> Any:
    """What is found, less the keys that are not wanted."""
    if isinstance(wanted, dict):
        return {name: _only(found[name], wanted[name]) for name in wanted if name in found}
    if isinstance(wanted, list):
        return [_only(one, other) for one, other in zip(found, wanted, strict=True)]
    return found
