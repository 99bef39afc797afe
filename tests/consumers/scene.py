"""What the deciders' tests are played on: the services that upstream calls, a log, a store, and the owner over them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from consumers.grader import Grader
from consumers.owner import Decider, Owner
from consumers.retention import Retainer
from eventlog.clock import ManualClock
from eventlog.columns import to_envelope
from eventlog.sqlite import SqliteLog
from onrecord.calendar import Calendar
from producers.event_reporter import EventReporter
from producers.publishing_service import PublishingService
from producers.sim_run_tracker import SimRunTracker
from producers.snapshot_capture import SnapshotCapture
from projections.store import Store
from schemas.codec import Codec
from schemas.events import EventStarted, Start
from schemas.odds import OddsSnapshot, OddsSnapshotCaptured
from schemas.publishes import PredictionPublished, Publish, TicketTerms
from schemas.record import Record
from schemas.requests import GradingCompleted, GradingRequest, GradingRequested

R = TypeVar("R", bound=Record)

MORNING = datetime(2026, 1, 20, 9, tzinfo=UTC)
START = datetime(2026, 1, 20, 19, tzinfo=UTC)
SPREAD = "SPREAD:FULL_GAME"
Row = dict[str, Any]


@dataclass
class Scene:
    """One log, one store, one clock; a test says what happens and looks at the grades."""

    store: Store
    clock: ManualClock = field(default_factory=lambda: ManualClock(MORNING))

    def __post_init__(self) -> None:
        self.log = SqliteLog(":memory:", self.clock)
        calendar = Calendar(self.log)
        self.events = EventReporter(self.log, self.clock)
        self.snapshots = SnapshotCapture(self.log, self.clock, calendar.teams)
        self.runs = SimRunTracker(self.log, self.clock)
        self.publishing = PublishingService(self.log, self.clock, calendar.start)
        self.owner = Owner(self.log, self.store, (Grader(self.store), Retainer(self.store)))

    def close(self) -> None:
        """Let go of the log, and leave the store empty."""
        self.log.close()
        tables = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND table_name <> 'store_identity'"
        self.store.execute(*(f'DELETE FROM "{name}"' for (name,) in self.store.rows(tables)))

    @contextmanager
    def another_owner(self, *first: Decider) -> Iterator[Owner]:
        """An owner of the same log over a store of its own, which has folded nothing yet; it asks `first` first."""
        store = Store(log_id=self.log.log_id)
        try:
            yield Owner(self.log, store, (*first, Grader(store), Retainer(store)))
        finally:
            store.close()

    def later(self, **by: float) -> None:
        """Move the clock."""
        self.clock.advance(timedelta(**by))

    def game(self, event_id: str = "game", sport: str = "nba", starts_at: datetime = START, league: str = "NBA") -> str:
        """A game on the calendar."""
        self.events.schedule_event(event_id, league, sport, "Lakers", "Celtics", starts_at)
        return event_id

    def odds(self, price: str, market_key: str = SPREAD, selection: str = "HOME", **more: Any) -> str:
        """A decimal price of one selection, seen now; `more` replaces event_id, book, line and capture_id."""
        line = -5.5 if market_key.startswith("SPREAD") else None
        given = {"event_id": "game", "book": "draftkings", "line": line, "capture_id": f"look {self.clock.at}"} | more
        return self.snapshots.capture_odds_snapshot(
            provider="tests",
            market_key=market_key,
            selection=selection,
            price_decimal=price,
            raw_payload={"price": price, "look": given["capture_id"]},
            **given,
        )

    def run(self, event_id: str = "game", sim_count: int = 1000, seed: int | None = None) -> str:
        """A started simulation run."""
        return self.runs.create_sim_run(
            event_id, "scheduled", sim_count, "m1", "f1", "d1", seed_policy="fixed", seed=seed
        )

    def prediction(
        self,
        market_key: str = SPREAD,
        selection: str = "HOME",
        snapshot_id: str | None = None,
        p_cover: float = 0.6,
        event_id: str = "game",
    ) -> str:
        """What a run of its own believes."""
        run_id = self.run(event_id)
        return self.runs.create_prediction(
            sim_run_id=run_id,
            event_id=event_id,
            market_key=market_key,
            selection=selection,
            market_snapshot_id_used=snapshot_id,
            p_cover=p_cover,
        )

    def publish(
        self, prediction_id: str, terms: Row, channel: str = "telegram", *, official: bool = True, in_play: bool = False
    ) -> str:
        """A publish at decimal terms."""
        return self.publishing.publish_prediction(
            prediction_id,
            channel,
            "premium",
            ["EDGE"],
            terms,
            is_official=official,
            odds_format="decimal",
            in_play=in_play,
        )

    def leg(self, price: str = "1.91", market_key: str = SPREAD, selection: str = "HOME", **more: Any) -> Row:
        """A prediction on a price seen now, with its terms: what a pick, or a parlay's leg, is made of."""
        snapshot_id = self.odds(price, market_key, selection, **more)
        seen = self.log.find("odds", snapshot_id)
        assert seen is not None
        terms = {"price": price, "book": "draftkings"} | {"line": seen.model_dump()["data"]["line"]}
        event_id = more.get("event_id", "game")
        return {
            "prediction_id": self.prediction(market_key, selection, snapshot_id, event_id=event_id),
            "ticket_terms": terms,
        }

    def pick(self, price: str = "1.91", market_key: str = SPREAD, selection: str = "HOME", **more: Any) -> str:
        """An official publish of a prediction on a price seen now; gives its publish_id."""
        leg = self.leg(price, market_key, selection, **more)
        return self.publish(leg["prediction_id"], leg["ticket_terms"])

    def foreign_odds(self, **told: Any) -> OddsSnapshotCaptured:
        """A snapshot of the game with something that our services refuse, as another producer may write it."""
        seen = self.log.find("odds", self.odds("1.91", capture_id="readable"))
        assert isinstance(seen, OddsSnapshotCaptured)
        data = OddsSnapshot(**seen.data.model_dump() | told)
        snapshot = OddsSnapshotCaptured(event_id="game", occurred_at=self.clock.at, producer="tests", data=data)
        self.log.append([snapshot])
        return snapshot

    def unreadable_pick(self, price: str = "abc", line: float = -5.5) -> str:
        """An official publish whose price, and its snapshot's, may be a text that is no number; gives its id."""
        snapshot = self.foreign_odds(price=price, line=line)
        terms = snapshot.data.model_dump(include={*TicketTerms.model_fields} - {"selection"})
        publish = Publish(
            prediction_id=self.prediction(snapshot_id=snapshot.ref),
            ticket_terms=TicketTerms(**terms),
            channel="telegram",
            visibility="premium",
            is_official=True,
        )
        published = PredictionPublished(event_id="game", occurred_at=self.clock.at, producer="tests", data=publish)
        self.log.append([published])
        return published.ref

    def parlay(self, *legs: Row) -> str:
        """An official parlay."""
        return self.publishing.publish_parlay(legs, "telegram", "premium", is_official=True, odds_format="decimal")

    def played(self, home: int | None, away: int | None, event_id: str = "game", **more: Any) -> str:
        """The game began on time, and its result is told three hours later; gives the result's id."""
        self.clock.at = max(self.clock.at, START)
        self.events.start_event(event_id)
        self.later(hours=3)
        return self.events.record_result(event_id, home, away, **more)

    def ask(self, publish_id: str | None = None, *, force: bool = False, lookback_hours: float | None = None) -> Row:
        """Ask for grades, and let the owner answer; gives the tally."""
        request = GradingRequested(
            occurred_at=self.clock.at,
            producer="tests",
            data=GradingRequest(
                publish_id=publish_id, lookback_hours=lookback_hours, force=force, requested_by="ann", why="a test"
            ),
        )
        self.log.append([request])
        self.owner.run_once()
        [answer] = [one for one in self.records(GradingCompleted) if one.causation_id == request.record_id]
        return answer.data.model_dump()

    def grades(self, publish_id: str) -> list[Row]:
        """Every grade of a pick, the current one first, once the owner has done all there is to do."""
        self.owner.run_once()
        return list(self.store.query("grades_of", {"publish_id": publish_id}).to_pylist())

    def grade(self, publish_id: str) -> Row:
        """The current grade of a pick; it must have one."""
        current, *_ = self.grades(publish_id)
        return current

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the projections, caught up."""
        self.owner.run_once()
        return self.store.rows(sql)

    def records(self, kind: type[R]) -> list[R]:
        """All records of a kind on the log."""
        batch, _ = self.log.read_topic(kind.topic, {}, 1_000_000)
        decoded = (Codec().decode(to_envelope(row)) for row in batch.to_pylist())
        return [record for record in decoded if isinstance(record, kind)]

    def size(self) -> int:
        """How many records are on the log."""
        return sum(self.log.end().values())


def imported_start(event_id: str, at: datetime, started_at: datetime) -> EventStarted:
    """A start as history tells it, dated by its own time and not by when it is put on record."""
    data = Start(started_at=started_at)
    return EventStarted(event_id=event_id, occurred_at=at, origin="BACKFILL", producer="tests", data=data)


def shown(grade: Row, names: Sequence[str] | str) -> Row:
    """Some columns of a grade."""
    wanted: Iterable[str] = names.split() if isinstance(names, str) else names
    return {name: grade[name] for name in wanted}
