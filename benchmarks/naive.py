"""What one writes first: a loop over the log that puts one record after another into a SQLite read model.

It does the work of the projections, no less: a typed table for each record type with all of its fields, and the tables
that keep one row per key (events, results, latest odds, closing lines, current grade). No validation, one transaction.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.stream import MIX
from projections.staging import payload_class
from schemas.registry import BY_NAME, TOPICS

FIELDS = {kind: tuple(payload_class(BY_NAME[kind]).model_fields) for kind in MIX}
ENVELOPE = ("id", "event_id", "occurred_at", "known_at", "origin")
ODDS_KEY = ("event_id", "book", "market_key", "selection")
CLOSE = (
    "line", "odds_format", "price", "price_decimal", "captured_at_assumed", "capture_id", "label", "known_at",
    "started_at",
)  # fmt: skip
LATEST = ("line", "price", "price_decimal", "origin")
Row = Mapping[str, Any]


def _create(name: str, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{column}"' for column in columns)
    return f'CREATE TABLE "{name}" ({listed}, PRIMARY KEY ({", ".join(key)})) WITHOUT ROWID'


def _insert(name: str, columns: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT OR IGNORE INTO "{name}" ({listed}) VALUES ({", ".join("?" * len(columns))})'


def _keep_newest(name: str, key: tuple[str, ...], rest: tuple[str, ...], newest: tuple[str, str], source: str) -> str:
    columns = ", ".join((*key, *newest, *rest))
    updates = ", ".join(f"{column} = excluded.{column}" for column in (*newest, *rest))
    first, second = newest
    return (
        f"INSERT INTO {name} ({columns}) {source} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates} "
        f"WHERE (excluded.{first}, excluded.{second}) > ({first}, {second})"
    )


def _values(columns: int) -> str:
    return f"SELECT {', '.join('?' * columns)} WHERE true"


TIME_AND_ID = ("captured_at", "snapshot_id")
TABLES = (
    *(_create(kind, (*ENVELOPE, *fields), ("id",)) for kind, fields in FIELDS.items()),
    _create("events", ("event_id", "starts_at", "change_id", "changed_at", "data"), ("event_id",)),
    _create("event_results", ("event_id", "occurred_at", "result_id", "data"), ("event_id",)),
    _create("latest_odds", (*ODDS_KEY, *TIME_AND_ID, *LATEST), ODDS_KEY),
    _create("closing_lines", (*ODDS_KEY, *TIME_AND_ID, *CLOSE), ODDS_KEY),
    _create("grading", ("publish_id", "revision", "grade_id", "data"), ("publish_id",)),
)
INSERTS = {kind: _insert(kind, (*ENVELOPE, *fields)) for kind, fields in FIELDS.items()}
EVENT = _keep_newest("events", ("event_id",), ("starts_at", "data"), ("changed_at", "change_id"), _values(5))
RESULT = _keep_newest("event_results", ("event_id",), ("data",), ("occurred_at", "result_id"), _values(4))
GRADE = _keep_newest("grading", ("publish_id",), ("data",), ("revision", "grade_id"), _values(4))
LATEST_ODDS = _keep_newest("latest_odds", ODDS_KEY, LATEST, TIME_AND_ID, _values(10))
CLOSING_LINE = _keep_newest(
    "closing_lines",
    ODDS_KEY,
    CLOSE,
    TIME_AND_ID,
    f"SELECT {', '.join('?' * 14)}, starts_at FROM events WHERE event_id = ? AND starts_at >= ?",
)


def fill_read_model(log: Path, target: Path) -> None:
    """Read the log, topic by topic, into a new read model."""
    source, model = sqlite3.connect(log), sqlite3.connect(target)
    for statement in TABLES:
        model.execute(statement)
    for topic in TOPICS:
        rows = source.execute(
            "SELECT record_id, event_id, occurred_at, recorded_at, origin, type, data "
            f'FROM "{topic}" WHERE number > 0 ORDER BY number'
        )
        for record_id, event_id, occurred_at, recorded_at, origin, kind, text in rows:
            data = json.loads(text)
            known_at = recorded_at if origin == "LIVE" else occurred_at
            ref = f"{event_id}~{record_id}"
            values = [_plain(data[field]) for field in FIELDS[kind]]
            model.execute(INSERTS[kind], (ref, event_id, occurred_at, known_at, origin, *values))
            if kind in KEYED:
                KEYED[kind](model, ref, event_id, occurred_at, data | {"known_at": known_at, "origin": origin}, text)
    model.commit()
    model.close()
    source.close()


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _event(model: sqlite3.Connection, ref: str, event_id: str, occurred_at: int, data: Row, text: str) -> None:
    starts_at = int(datetime.fromisoformat(data["starts_at"]).timestamp() * 1_000_000)
    model.execute(EVENT, (event_id, occurred_at, ref, starts_at, text))


def _result(model: sqlite3.Connection, ref: str, event_id: str, occurred_at: int, _data: Row, text: str) -> None:
    model.execute(RESULT, (event_id, occurred_at, ref, text))


def _odds(model: sqlite3.Connection, ref: str, event_id: str, occurred_at: int, data: Row, _text: str) -> None:
    if data["label"] == "alternate":
        return
    key = (event_id, data["book"], data["market_key"], data["selection"], occurred_at, ref)
    model.execute(LATEST_ODDS, (*key, *(data[name] for name in LATEST)))
    model.execute(CLOSING_LINE, (*key, *(data[name] for name in CLOSE[:-1]), event_id, occurred_at))


def _grade(model: sqlite3.Connection, ref: str, _event_id: str, _occurred_at: int, data: Row, text: str) -> None:
    model.execute(GRADE, (data["publish_id"], data["revision"], ref, text))


KEYED: dict[str, Callable[[sqlite3.Connection, str, str, int, Row, str], None]] = {
    "EventScheduled": _event,
    "ResultRecorded": _result,
    "OddsSnapshotCaptured": _odds,
    "PredictionGraded": _grade,
}
