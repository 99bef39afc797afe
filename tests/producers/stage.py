"""What the service tests are played on: a log in memory, a clock that stands still, and the three services."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

from eventlog.clock import ManualClock
from eventlog.columns import to_envelope
from eventlog.sqlite import SqliteLog
from producers.publishing_service import EventStart, PublishingService
from producers.sim_run_tracker import SimRunTracker
from producers.snapshot_capture import SnapshotCapture
from schemas.codec import Codec
from schemas.record import Record

R = TypeVar("R", bound=Record)

EVENT = "nba_lakers_celtics_2026_01_20"
TEAMS = ("Los Angeles Lakers", "Boston Celtics")
NOW = datetime(2026, 1, 20, 18, tzinfo=UTC)
TIP_OFF = datetime(2026, 1, 21, 0, 30, tzinfo=UTC)


@dataclass
class Stage:
    """`path`: where the log lies, for tests with several processes."""

    path: str = ":memory:"
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    starts: dict[str, EventStart] = field(default_factory=lambda: {EVENT: EventStart(TIP_OFF)})

    def __post_init__(self) -> None:
        self.log = SqliteLog(self.path, clock=self.clock)
        self.snapshots = SnapshotCapture(self.log, self.clock, teams={EVENT: TEAMS}.get)
        self.runs = SimRunTracker(self.log, self.clock)
        self.publishing = PublishingService(self.log, self.clock, starts=self.starts.get)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.close()

    def records(self, kind: type[R]) -> list[R]:
        """All records of a kind, in the log's order."""
        batch, _ = self.log.read_topic(kind.topic, {}, 1_000_000)
        decoded = (Codec().decode(to_envelope(row)) for row in batch.to_pylist())
        return [record for record in decoded if isinstance(record, kind)]

    def count(self) -> int:
        """How many records are on the log."""
        batch, _ = self.log.read({}, 1_000_000)
        return int(batch.num_rows)

    def spread(self, **other: Any) -> str:
        """A captured price on the home side at -5.5; `other` replaces arguments."""
        arguments: dict[str, Any] = {
            "event_id": EVENT,
            "provider": "OddsAPI",
            "book": "draftkings",
            "market_key": "SPREAD:FULL_GAME",
            "selection": "HOME",
            "line": -5.5,
            "price_american": -110,
            "raw_payload": {"id": "abc"},
        }
        return self.snapshots.capture_odds_snapshot(**(arguments | other))

    def run(self, **other: Any) -> str:
        """A started simulation run."""
        arguments: dict[str, Any] = {
            "event_id": EVENT,
            "trigger": "user_click",
            "sim_count": 100_000,
            "model_version": "v2.1.0",
            "feature_set_version": "v1.5",
            "decision_policy_version": "v1.0",
            "seed_policy": "rolled",
        }
        return self.runs.create_sim_run(**(arguments | other))

    def prediction(self, **other: Any) -> str:
        """A prediction on the home side at -5.5, on a captured snapshot."""
        side = {"event_id": EVENT, "market_key": "SPREAD:FULL_GAME", "selection": "HOME", "p_cover": 0.62}
        arguments: dict[str, Any] = side | other
        if "sim_run_id" not in arguments:
            arguments["sim_run_id"] = self.run(event_id=arguments["event_id"])
        if "market_snapshot_id_used" not in arguments:
            arguments["market_snapshot_id_used"] = self.spread(
                **{name: arguments[name] for name in ("event_id", "market_key", "selection")}
            )
        return self.runs.create_prediction(**arguments)

    def publish(self, prediction_id: str, terms: dict[str, Any] | None = None, **other: Any) -> str:
        """An official publish to Telegram at the snapshot's terms."""
        arguments: dict[str, Any] = {
            "channel": "telegram",
            "visibility": "premium",
            "decision_reason_codes": ["EDGE"],
            "ticket_terms": {"line": -5.5, "price": -110, "book": "draftkings"} if terms is None else terms,
            "is_official": True,
        }
        return self.publishing.publish_prediction(prediction_id, **(arguments | other))

    def later(self, **by: float) -> None:
        """Move the clock."""
        self.clock.advance(timedelta(**by))


def h2h(book: str, *outcomes: tuple[str, Any]) -> dict[str, Any]:
    """One bookmaker with a head-to-head market."""
    return bookmaker(book, "h2h", ({"name": name, "price": price} for name, price in outcomes))


def bookmaker(book: str, market: str, outcomes: Iterable[Any]) -> dict[str, Any]:
    """One bookmaker with one market, as The Odds API v4 writes it."""
    return {"key": book, "title": book, "markets": [{"key": market, "outcomes": list(outcomes)}]}
