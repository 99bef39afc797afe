"""Copy a whole log to another, whatever their engines; a copy that was cut off goes on where it was."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.log import EventLog, LogError, Positions, behind_by, beyond, listed, mapped, reached
from projections.catch_up import Progress, silent
from projections.generations import replace_file

BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Copied:
    """How many records were appended, and how many that were none at all (foreign producers write such) stay behind."""

    records: int
    left: int


def copy_log(
    source: EventLog,
    target: EventLog,
    notes: Path,
    progress: Progress = silent,
    batch_rows: int = BATCH_ROWS,
) -> Copied:
    """Append to `target` what `source` holds now and `target` does not.

    Stamps are kept. `notes` remembers how far both logs were after each batch: what lies on the target behind that may
    be of the batch that was cut off, and is not sent again. Without notes the whole target is looked through, which
    takes about 60 bytes of memory a record; so it is where they tell of more than a log holds (an older copy of it).

    Raises:
        LogError: source and target are one log, or either fails; run it again then.
    """
    if source.log_id == target.log_id:
        raise LogError(f"both ends are log {source.log_id}: name two logs")
    held, known_until = _noted(notes, source, target)
    present = _ids_behind(target, known_until)
    end, copied, left = source.end(), 0, 0
    while not reached(held, end):
        batch, held = source.read(held, batch_rows)
        records = _records(batch)
        fresh = _without(records, present)
        if fresh.num_rows:
            target.append_batch(fresh)
        copied, left = copied + fresh.num_rows, left + batch.num_rows - records.num_rows
        _note(notes, source, target, held)
        progress(copied, behind_by(held, end))
    return Copied(copied, left)


def _noted(notes: Path, source: EventLog, target: EventLog) -> tuple[Positions, Positions]:
    """How far the source was read, and where the target's end was then; from the start where no note holds."""
    if not notes.exists():
        return {}, target.earliest()
    text = json.loads(notes.read_text("utf-8"))
    if [text["source"], text["target"]] != [source.log_id, target.log_id]:
        raise LogError(f"{notes} tells of a copy of other logs: move it away")
    read, written = mapped(text["read"]), mapped(text["written"])
    if beyond(read, source.end()) or beyond(written, target.end()):
        return {}, target.earliest()
    return read, written


def _note(notes: Path, source: EventLog, target: EventLog, held: Positions) -> None:
    ends = {"read": listed(held), "written": listed(target.end())}
    notes.parent.mkdir(parents=True, exist_ok=True)
    replace_file(notes, json.dumps({"source": source.log_id, "target": target.log_id, **ends}))


def _records(batch: pa.Table) -> pa.Table:
    return batch.filter(pc.and_(pc.is_null(batch["fault"]), pc.is_valid(batch["record_id"])))


def _ids_behind(log: EventLog, positions: Positions) -> pa.Array:
    """`topic/record_id` of every record from `positions` on."""
    found, end = [pa.array([], pa.string())], log.end()
    while not reached(positions, end):
        batch, positions = log.read(positions, BATCH_ROWS)
        found.append(_ids(batch))
    return pa.concat_arrays(found).drop_null()


def _ids(batch: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise(batch["topic"], batch["record_id"], "/").combine_chunks()


def _without(batch: pa.Table, present: pa.Array) -> pa.Table:
    return batch.filter(pc.invert(pc.is_in(_ids(batch), value_set=present)))
