"""The stream that the benchmarks run on: synthetic records of eight types, mixed as a season mixes them, seeded.

Of 1,000 records 700 are odds, 80 predictions, 60 sim run starts, 60 sim run inputs, 40 publishes, 30 grades, 20 results
and 10 events. Payloads are complete (every field is written), as the append would store them.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from eventlog.log import BATCH, EventLog
from eventlog.sqlite import SqliteLog
from schemas.events import Result, Schedule
from schemas.gradings import Grade
from schemas.ids import derived_id
from schemas.odds import OddsSnapshot
from schemas.predictions import Prediction
from schemas.publishes import Publish, TicketTerms
from schemas.record import Payload
from schemas.registry import BY_NAME
from schemas.sim_runs import SimRunInputs, SimRunStart

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
MIX = {
    "EventScheduled": 10,
    "OddsSnapshotCaptured": 700,
    "SimRunStarted": 60,
    "SimRunInputsRecorded": 60,
    "PredictionMade": 80,
    "PredictionPublished": 40,
    "PredictionGraded": 30,
    "ResultRecorded": 20,
}
BOOKS = ("pinnacle", "bet365", "draftkings", "fanduel", "circa")
RECORDS_AN_EVENT = 100
CHUNK = 50_000


def log_of(folder: Path, records: int) -> Path:
    """A log of so many records in the folder: the one that is there, or a new one."""
    path = folder / f"log.{records}.sqlite"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"unfinished.{records}.sqlite"
        with SqliteLog(unfinished) as log:
            fill(log, records)
        unfinished.rename(path)
    return path


def fill(log: EventLog, records: int, seed: int = 1) -> None:
    """Put so many records on an empty log."""
    for batch in batches(records, seed):
        log.append_batch(batch)


def batches(records: int, seed: int = 1) -> Iterator[pa.Table]:
    """The stream as batches; `recorded_at` is set."""
    kinds = draw_kinds(random.Random(seed), records)
    for first in range(0, records, CHUNK):
        yield to_batch(row(first + place, kind) for place, kind in enumerate(kinds[first : first + CHUNK]))


def draw_kinds(rng: random.Random, records: int) -> list[str]:
    """The types of so many records."""
    return rng.choices(list(MIX), list(MIX.values()), k=records)


def to_batch(rows: Iterable[dict[str, object]]) -> pa.Table:
    """Rows as one batch."""
    return pa.Table.from_pylist(list(rows), schema=BATCH)


def row(number: int, kind: str, moment: int | None = None) -> dict[str, object]:
    """The record of that number, as it would have come at its own moment of the stream or at another one's."""
    moment = number if moment is None else moment
    at = FIRST + timedelta(milliseconds=moment * 40)
    event = f"bench_{moment // RECORDS_AN_EVENT:07d}"
    return {
        "topic": BY_NAME[kind].topic,
        "partition": 0,
        "offset": number,
        "record_id": derived_id(at, kind, str(number)),
        "type": kind,
        "schema_version": 1,
        "event_id": event,
        "occurred_at": at,
        "recorded_at": at,
        "origin": "LIVE",
        "producer": "benchmark",
        "data": _PAYLOADS[kind](number, event).model_dump_json(),
    }


def _ref(event: str, number: int) -> str:
    return f"{event}~00000000-0000-8000-8000-{number:012d}"


def _scheduled(number: int, _event: str) -> Payload:
    starts_at = FIRST + timedelta(days=1, milliseconds=number * 40)
    return Schedule(
        league="NBA", sport="nba", home=f"Home {number % 30}", away=f"Away {number % 29}", starts_at=starts_at
    )


def _odds(number: int, event: str) -> Payload:
    price = 1.5 + number % 150 / 100
    return OddsSnapshot(
        provider="benchmark",
        book=BOOKS[number % len(BOOKS)],
        market_key="SPREAD:FULL_GAME",
        selection="HOME" if number % 2 else "AWAY",
        line=number % 15 - 7.5,
        odds_format="decimal",
        price=f"{price:.2f}",
        price_decimal=price,
        capture_id=_ref(event, number),
        raw_payload_id=_ref(event, number),
    )


def _run(_number: int, _event: str) -> Payload:
    return SimRunStart(
        trigger="scheduled",
        sim_count=100_000,
        model_version="v2.1.0",
        feature_set_version="v1.5",
        decision_policy_version="v1.0",
        seed_policy="rolled",
    )


def _inputs(number: int, event: str) -> Payload:
    return SimRunInputs(sim_run_id=_ref(event, number), snapshot_id=_ref(event, number + 1))


def _prediction(number: int, event: str) -> Payload:
    return Prediction(
        sim_run_id=_ref(event, number),
        market_key="SPREAD:FULL_GAME",
        selection="HOME",
        market_snapshot_id_used=_ref(event, number),
        model_line=-4.8,
        p_cover=0.4 + number % 20 / 100,
        ev_units=0.02,
        edge_points=3.2,
        uncertainty=11.5,
        distribution_summary={"mean": -4.8, "p10": -8.2, "p50": -4.8, "p90": -1.4},
        recommendation_state="EDGE",
        tier="A",
        confidence_index=0.62,
        variance_bucket="MEDIUM",
    )


def _published(number: int, event: str) -> Payload:
    terms = TicketTerms(line=-5.5, odds_format="decimal", price="1.91", price_decimal=1.91, book="pinnacle")
    return Publish(
        prediction_id=_ref(event, number),
        channel="telegram",
        visibility="premium",
        ticket_terms=terms,
        is_official=True,
    )


def _graded(number: int, event: str) -> Payload:
    won = number % 2 == 0
    return Grade(
        publish_id=_ref(event, number),
        prediction_ids=(_ref(event, number),),
        revision=0,
        outcome="WIN" if won else "LOSS",
        summary="WIN" if won else "LOSS",
        unit_return=Decimal("0.91") if won else Decimal(-1),
        unit_return_exact="91/100" if won else "-1",
        rulebook="nba",
        rulebook_version="1",
        decision_version="benchmark",
        inputs=f"{number:032x}",
        close_reason="NO_CLOSE",
    )


def _result(number: int, _event: str) -> Payload:
    return Result(home=90 + number % 40, away=90 + number % 37)


_PAYLOADS: dict[str, Callable[[int, str], Payload]] = {
    "EventScheduled": _scheduled,
    "OddsSnapshotCaptured": _odds,
    "SimRunStarted": _run,
    "SimRunInputsRecorded": _inputs,
    "PredictionMade": _prediction,
    "PredictionPublished": _published,
    "PredictionGraded": _graded,
    "ResultRecorded": _result,
}
