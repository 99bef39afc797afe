"""The lineage of a grade: what it was decided from, back to the raw payloads and versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from projections.errors import StoreError
from projections.store import Store


@dataclass(frozen=True)
class Node:
    """One thing in the lineage: what it is, its id, the facts worth reading, and what it rests on."""

    kind: str
    id: str
    facts: Mapping[str, Any]
    rests_on: list["Node"] = field(default_factory=list)


NOT_ON_RECORD: Mapping[str, Any] = {"is": "not on record"}
"""The facts of what is cited and nowhere to be found."""
_DRAWN_ABOVE: Mapping[str, Any] = {"is": "drawn above"}

# Columns that cite others, each with the kinds that its ids may be of.
_Cites = tuple[tuple[str, tuple[str, ...]], ...]

_SEEN_BY_A_RUN: _Cites = (
    ("snapshot_id", ("odds",)),
    ("further_snapshot_ids", ("odds",)),
    ("injury_snapshot_id_home", ("injuries",)),
    ("injury_snapshot_id_away", ("injuries",)),
)

# Kind to its table, its id column, the columns shown, and those that cite.
_KINDS: dict[str, tuple[str, str, tuple[str, ...], _Cites]] = {
    "grade": (
        "gradings",
        "grade_id",
        ("outcome", "unit_return", "reason", "clv_price", "clv_ev", "close_reason", "rulebook", "rulebook_version",
         "decision_version", "revision", "decided_at"),
        (("publish_id", ("publish", "parlay")), ("prediction_ids", ("prediction",)), ("result_ids", ("result",)),
         ("start_ids", ("change",)), ("close_snapshot_id", ("odds",))),
    ),
    "publish": (
        "publishes",
        "publish_id",
        ("channel", "is_official", "book", "line", "price", "published_at", "origin"),
        (("prediction_id", ("prediction",)),),
    ),
    "parlay": ("parlays", "publish_id", ("channel", "is_official", "legs", "published_at"), ()),
    "prediction": (
        "predictions",
        "prediction_id",
        ("market_key", "selection", "p_cover", "p_cover_calibrated", "calibration_version_applied", "predicted_at"),
        (("sim_run_id", ("run",)), ("market_snapshot_id_used", ("odds",)),
         ("calibration_version_applied", ("calibration version",))),
    ),
    "run": (
        "sim_runs",
        "sim_run_id",
        ("model_version", "feature_set_version", "decision_policy_version", "sim_count", "state"),
        (("calibration_version_applied", ("calibration version",)),),
    ),
    "run inputs": ("sim_run_inputs", "inputs_id", ("sim_run_id", "occurred_at"), _SEEN_BY_A_RUN),
    "calibration version": (
        "trained_versions",
        "calibration_version",
        ("method", "training_days", "training_rows", "training_digest", "trained_at"),
        (),
    ),
    "odds": (
        "odds_records",
        "snapshot_id",
        ("book", "market_key", "selection", "line", "price", "captured_at", "captured_at_assumed", "raw_path"),
        (("raw_payload_id", ("raw payload",)),),
    ),
    "injuries": (
        "injury_snapshots",
        "injury_snapshot_id",
        ("team", "captured_at"),
        (("raw_payload_id", ("raw payload",)),),
    ),
    "result": (
        "event_result_history",
        "result_id",
        ("status", "home", "away", "corrects", "occurred_at", "time_assumed"),
        (("raw_payload_id", ("raw payload",)), ("corrects", ("result",))),
    ),
    "change": ("event_changes", "change_id", ("kind", "status", "starts_at", "start_assumed", "home", "away"), ()),
    "raw payload": ("raw_payloads", "raw_payload_id", ("provider", "source", "sha256", "occurred_at"), ()),
}  # fmt: skip

# Kinds whose citations stand in rows of another table: that table, the column that names the citing one, and the order.
_FURTHER: dict[str, tuple[str, str, str, _Cites]] = {
    "run": (
        "sim_run_inputs",
        "sim_run_id",
        "inputs_id",
        _SEEN_BY_A_RUN,
    ),
    "parlay": ("parlay_legs", "publish_id", "leg", (("prediction_id", ("prediction",)),)),
}  # fmt: skip


def lineage(store: Store, identifier: str) -> Node:
    """The tree below an id: of a grade, or of what it was decided from; a publish_id shows its current grade.

    What is cited and not on record is a node that says so.

    Raises:
        StoreError: nothing on record has that id.
    """
    current = store.rows("SELECT grade_id FROM grading WHERE publish_id = $id", {"id": identifier})
    root = _Drawing(store).found(tuple(_KINDS), current[0][0] if current else identifier)
    if root is None:
        raise StoreError(
            f"nothing on record has the id {identifier!r}: pass a publish_id, or an id that a call returned"
        )
    return root


@dataclass(frozen=True)
class _Drawing:
    """A tree as it grows; what is cited again is not drawn again, so that a circle ends."""

    store: Store
    drawn: set[tuple[str, str]] = field(default_factory=set)

    def found(self, kinds: tuple[str, ...], identifier: str) -> Node | None:
        """What has the id, of the first kind that knows it."""
        return next(filter(None, (self._node(kind, identifier) for kind in kinds)), None)

    def _node(self, kind: str, identifier: str) -> Node | None:
        if (kind, identifier) in self.drawn:
            return Node(kind, identifier, _DRAWN_ABOVE)
        table, key, shown, cites = _KINDS[kind]
        rows = self._rows(table, key, identifier)
        if not rows:
            return None
        self.drawn.add((kind, identifier))
        facts = {name: rows[0][name] for name in shown if rows[0].get(name) is not None}
        return Node(kind, identifier, facts, [*self._cited(rows[0], cites), *self._further(kind, identifier)])

    def _further(self, kind: str, identifier: str) -> Iterator[Node]:
        if kind in _FURTHER:
            table, key, order, cites = _FURTHER[kind]
            for row in sorted(self._rows(table, key, identifier), key=lambda row: row[order]):
                yield from self._cited(row, cites)

    def _cited(self, row: Mapping[str, Any], cites: _Cites) -> Iterator[Node]:
        for column, kinds in cites:
            for id_ in _ids(row[column]):
                yield self.found(kinds, id_) or Node(kinds[0], id_, NOT_ON_RECORD)

    def _rows(self, table: str, key: str, identifier: str) -> list[dict[str, Any]]:
        found = self.store.table(f'SELECT * FROM {table} WHERE "{key}" = $id', {"id": identifier})  # noqa: S608
        return list(found.to_pylist())


def _ids(value: Any) -> Iterator[str]:
    yield from filter(None, value if isinstance(value, list) else [value])
