"""What an analyst sees in a copy does not depend on the time zone of his machine, which DuckDB takes by default."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from projections.asking import bind
from projections.published import publish_copy
from projections.sql_file import load_projections
from projections.store import Store
from schemas.calibrations import CalibrationActivated, CalibrationTrained
from schemas.registry import RECORD_TYPES
from schemas.requests import RetentionApplied
from tests.consumers.scene import Scene
from tests.records import EVENTS, NOON, make

MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)
ZONES = ("America/Los_Angeles", "Asia/Tokyo", "Pacific/Kiritimati")
GIVEN: dict[str, Any] = {
    "event_id": "late",
    "event_ids": ["late"],
    "segment": "EPL|SPREAD:FULL_GAME",
    "calibration_version": "cal-1",
    "since": NOON,
    "cutoff": MIDNIGHT,
    "decided_at": MIDNIGHT,
    "at_time": NOON,
}
Answers = dict[str, list[str]]


@pytest.fixture
def copy(store: Store, tmp_path: Path) -> Iterator[Path]:
    """A published copy: a record of every type, and graded picks of games on both sides of a month's end."""
    scene = Scene(store)
    scene.log.append([make(kind, at=NOON) for kind in RECORD_TYPES if kind is not RetentionApplied])
    # Old to the grades by 61 days of one zone and 62 of another.
    trained = MIDNIGHT - timedelta(days=61, hours=2)
    scene.log.append([make(kind, at=trained, number=1) for kind in (CalibrationTrained, CalibrationActivated)])
    scene.clock.at = MIDNIGHT - timedelta(hours=6)
    starts = {"late": MIDNIGHT - timedelta(minutes=10), "early": MIDNIGHT + timedelta(minutes=10)}
    legs = []
    for event_id, starts_at in starts.items():
        scene.game(event_id, starts_at=starts_at)
        legs.append(scene.leg(event_id=event_id))
        scene.publish(legs[-1]["prediction_id"], legs[-1]["ticket_terms"])
    scene.parlay(*legs)
    for event_id, starts_at in starts.items():
        scene.clock.at = starts_at
        scene.odds("1.80", event_id=event_id)
        scene.events.start_event(event_id)
    scene.later(hours=3)
    for event_id in starts:
        scene.events.record_result(event_id, 110, 100)
    scene.owner.run_once()
    publish_copy(store, tmp_path / "published.duckdb", scene.clock.at)
    yield tmp_path / "published.duckdb"
    scene.close()


def _in_utc(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return {name: _in_utc(part) for name, part in value.items()}
    return [_in_utc(part) for part in value] if isinstance(value, list | tuple) else value


def _seen_from(zone: str, path: Path) -> Answers:
    """The rows of every relation and of every named query; times as instants."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        names = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
        asked = {name: connection.execute(f'FROM "{name}"').fetchall() for (name,) in names}
        for query in (query for projection in load_projections() for query in projection.queries):
            given = {name: GIVEN.get(name, EVENTS[0]) for name in query.required}
            asked[f"query {query.name}"] = connection.execute(query.sql, bind(query, given) or None).fetchall()
        return {name: sorted(str(_in_utc(row)) for row in rows) for name, rows in asked.items()}


@pytest.mark.parametrize("zone", ZONES)
def test_every_view_and_query_shows_the_same_in_any_zone(copy: Path, zone: str) -> None:
    """A day and a month are UTC's, wherever the reader sits."""
    here, there = (_seen_from(place, copy) for place in ("UTC", zone))

    assert {name: (rows, there[name]) for name, rows in here.items() if rows != there[name]} == {}


def test_what_is_compared_has_rows(copy: Path) -> None:
    """Views that date something, and the months on both sides of midnight."""
    seen = _seen_from("UTC", copy)

    dated = (
        "graded_picks",
        "graded_parlays",
        "calibration_by_month",
        "calibration_drift",
        "query calibration_warnings",
    )
    assert [name for name in dated if not seen[name]] == []
    assert {"2026-01", "2026-02"} <= {row.split("'")[3] for row in seen["performance_rollups"] if "'month'" in row}
