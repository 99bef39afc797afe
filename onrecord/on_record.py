"""What the log holds when an import begins: games to learn from, and forecasts that stand."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from eventlog.columns import ENVELOPE, known_at, to_envelope
from eventlog.log import EMPTY, EventLog, whole_topic
from schemas.codec import Codec, UndecodableRecordError, UnknownRecordError
from schemas.events import EventRescheduled, EventScheduled, EventStatusChanged, ResultRecorded
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished
from schemas.record import Record
from schemas.registry import type_name
from schemas.sim_runs import SimRunStarted

_GAMES = [type_name(kind) for kind in (EventScheduled, EventRescheduled, EventStatusChanged, ResultRecorded)]
_MADE = (SimRunStarted.topic, PredictionMade.topic, PredictionPublished.topic)
_READ_ROWS = 50_000
_DECODE_ROWS = 1_000


class Predictions:
    """Those of a table, each decoded when it is asked for: to ask the log for one takes three times as long."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.select([*ENVELOPE, "data"])
        ids = table["record_id"].to_pylist()
        # The first one counts where a record lies on the log more than once.
        self._rows = {record_id: row for row, record_id in reversed([*enumerate(ids)])}
        self._codec = Codec()

    def get(self, record_id: str) -> PredictionMade | None:
        """The prediction with that id, if there is one."""
        row = self._rows.get(record_id)
        if row is None:
            return None
        found = self._codec.decode(to_envelope(self._table.slice(row, 1).to_pylist()[0]))
        return found if isinstance(found, PredictionMade) else None


class OnRecord:
    """The log as it was when this was made: what it tells of games, in the order in which that was known, and what one
    producer made of them, which is never made anew.
    """

    def __init__(self, log: EventLog, producer: str) -> None:
        made = {topic: held(log, topic, "producer", [producer]) for topic in _MADE}
        self._ids = {record_id for table in made.values() for record_id in table["record_id"].to_pylist()}
        self._predictions = Predictions(made[PredictionMade.topic])
        runs = made[SimRunStarted.topic]
        runs = runs.filter(pc.equal(runs["type"], type_name(SimRunStarted)))
        self._run_ids: dict[str, list[tuple[datetime, str]]] = {}
        columns = (runs[name].to_pylist() for name in ("event_id", "occurred_at", "record_id"))
        for event_id, at, record_id in zip(*columns, strict=True):
            self._run_ids.setdefault(event_id, []).append((at, record_id))
        self._told = _in_order(held(log, EventScheduled.topic, "type", _GAMES))
        self._next = next(self._told, None)

    def known_by(self, at: datetime) -> Iterator[Record]:
        """Schedules, new dates, changes of status and results that were known by then; each is given once."""
        while self._next is not None and self._next[0] <= at:
            yield self._next[1]
            self._next = next(self._told, None)

    def runs(self, event_id: str) -> Sequence[tuple[datetime, str]]:
        """When the producer's runs of an event were, and their record_ids."""
        return self._run_ids.get(event_id, ())

    def is_new(self, record: Record) -> bool:
        """Whether the producer has not put it on record yet."""
        return record.record_id not in self._ids

    def said(self, record_id: str) -> PredictionMade | None:
        """The producer's prediction with that id, if there is one."""
        return self._predictions.get(record_id)


def held(log: EventLog, topic: str, column: str, values: Sequence[str]) -> pa.Table:
    """All records of a topic that have one of the values there."""
    wanted = pa.array(values)
    batches = whole_topic(log, topic, _READ_ROWS)
    return pa.concat_tables([EMPTY, *(batch.filter(pc.is_in(batch[column], wanted)) for batch in batches)])


def _in_order(table: pa.Table) -> Iterator[tuple[datetime, Record]]:
    """Records beside the time at which each was known: upstream's own for history, else the log's stamp."""
    known = known_at(table)
    table = table.append_column("known_at", known)
    table = table.take(pc.sort_indices(known))
    codec = Codec()
    for start in range(0, table.num_rows, _DECODE_ROWS):
        for row in table.slice(start, _DECODE_ROWS).to_pylist():
            record = decoded(codec, row)
            if record is not None:
                yield row["known_at"], record


def decoded(codec: Codec, row: Mapping[str, Any]) -> Record | None:
    """The record in a row of a batch; none of a dead letter, which `doctor` tells of."""
    try:
        return codec.decode(to_envelope(row))
    except (UndecodableRecordError, UnknownRecordError):
        return None
