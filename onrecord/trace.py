"""The lineage of a grade: what it was decided from, back to the raw payloads and versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from projections.store import Store, StoreError


@dataclass(frozen=True)
class Node:
    """One thing in the lineage: what it is, its id, the facts worth reading, and what it rests on."""

    kind: str
    id: str
    facts: Mapping[str, Any]
    rests_on: list["Node"] = field(default_factory=list)


# Kind to its table, its id column, the columns shown, and the columns that cite others with the kind of what they cite.
_KINDS: dict[str, tuple[str, str, tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    "grade": (
        "gradings",
        "grade_id",
        ("outcome", "unit_return", "reason", "clv_price", "clv_ev", "close_reason", "rulebook", "rulebook_version",
         "decision_version", "revision", "decided_at"),
        (("publish_id", "publish"), ("publish_id", "parlay"), ("result_ids", "result"), ("start_ids", "change"),
         ("close_snapshot_id", "odds")),
    ),
    "publish": (
        "publishes",
        "publish_id",
        ("channel", "is_official", "book", "line", "price", "published_at", "origin"),
        (("prediction_id", "prediction"),),
    ),
    "parlay": ("parlays", "publish_id", ("channel", "is_official", "legs", "published_at"), ()),
    "prediction": (
        "predictions",
        "prediction_id",
        ("market_key", "selection", "p_cover", "p_cover_calibrated", "calibration_version_applied", "predicted_at"),
        (("sim_run_id", "run"), ("market_snapshot_id_used", "odds")),
    ),
    "run": (
        "sim_runs",
        "sim_run_id",
        ("model_version", "feature_set_version", "decision_policy_version", "sim_count", "state"),
        (),
    ),
    "odds": (
        "odds_records",
        "snapshot_id",
        ("book", "market_key", "selection", "line", "price", "captured_at", "captured_at_assumed", "raw_path"),
        (("raw_payload_id", "raw payload"),),
    ),
    "injuries": (
        "injury_snapshots",
        "injury_snapshot_id",
        ("team", "captured_at"),
        (("raw_payload_id", "raw payload"),),
    ),
    "result": (
        "event_result_history",
        "result_id",
        ("status", "home", "away", "corrects", "occurred_at", "time_assumed"),
        (("raw_payload_id", "raw payload"),),
    ),
    "change": ("event_changes", "change_id", ("kind", "status", "starts_at", "start_assumed", "home", "away"), ()),
    "raw payload": ("raw_payloads", "raw_payload_id", ("provider", "source", "sha256", "occurred_at"), ()),
}  # fmt: skip


def lineage(store: Store, identifier: str) -> Node:
    """The tree below an id: of a grade, or of what it was decided from; a publish_id shows its current grade.

    Raises:
        StoreError: nothing on record has that id.
    """
    current = store.rows("SELECT grade_id FROM grading WHERE publish_id = $id", {"id": identifier})
    wanted = current[0][0] if current else identifier
    for kind in _KINDS:
        if (node := _node(store, kind, wanted)) is not None:
            return node
    raise StoreError(f"nothing on record has the id {identifier!r}: pass a publish_id, or an id that a call returned")


def _node(store: Store, kind: str, identifier: str) -> Node | None:
    table, key, shown, cites = _KINDS[kind]
    rows = store.table(f'SELECT * FROM {table} WHERE "{key}" = $id', {"id": identifier}).to_pylist()  # noqa: S608
    if not rows:
        return None
    facts = {name: rows[0][name] for name in shown if rows[0].get(name) is not None}
    below = [node for column, cited in cites for id_ in _ids(rows[0][column]) if (node := _node(store, cited, id_))]
    if kind == "run":
        below += _inputs(store, identifier)
    elif kind == "parlay":
        below += _legs(store, identifier)
    return Node(kind, identifier, facts, below)


def _inputs(store: Store, sim_run_id: str) -> list[Node]:
    columns = "snapshot_id, injury_snapshot_id_home, injury_snapshot_id_away"
    rows = store.rows(f"SELECT {columns} FROM sim_run_inputs WHERE sim_run_id = $id", {"id": sim_run_id})  # noqa: S608
    kinds = ("odds", "injuries", "injuries")
    found = (_node(store, kind, id_) for row in rows for kind, id_ in zip(kinds, row, strict=True) if id_)
    return [node for node in found if node is not None]


def _legs(store: Store, publish_id: str) -> list[Node]:
    rows = store.rows("SELECT prediction_id FROM parlay_legs WHERE publish_id = $id ORDER BY leg", {"id": publish_id})
    found = (_node(store, "prediction", prediction_id) for (prediction_id,) in rows)
    return [node for node in found if node is not None]


def _ids(value: Any) -> Iterator[str]:
    yield from filter(None, value if isinstance(value, list) else [value])
