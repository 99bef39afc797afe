"""A SYNTHETIC season, played through every stage by the calls that upstream services use. No game in it is real."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import scipy

from engines.monte_carlo import PointsGame, Simulation, simulate
from eventlog.clock import ManualClock
from eventlog.log import EventLog
from onrecord.calendar import Calendar
from onrecord.engine import open_log
from onrecord.wiring import Workspace
from producers.event_reporter import EventReporter
from producers.publishing_service import PublishingService
from producers.sim_run_tracker import SimRunTracker
from producers.snapshot_capture import SnapshotCapture
from projections.catch_up import Progress
from schemas.events import EventStatus

LEAGUE = "SYNTHETIC"
VERSION = "synthetic-1"
_NAMES = ("Anchors", "Beacons", "Comets", "Drifters", "Embers", "Foxes", "Gales", "Herons", "Icebergs", "Jesters")
TEAMS = tuple(f"Synthetic {name}" for name in _NAMES)
FIRST_DAY = datetime(2025, 10, 1, tzinfo=UTC)
DAYS = 90
GAMES_A_DAY = 3
SIMULATIONS = 4000
MARGIN_SD, TOTAL, TOTAL_SD, HOME_ADVANTAGE = 11.0, 221.0, 17.0, 2.5
MIN_EV = 0.02
BOOKS = {"synthetic_sharp": 0.02, "synthetic_soft": 0.05}
"""Each book's margin."""
_UNPLAYED: Mapping[int, EventStatus] = {40: "POSTPONED", 90: "CANCELLED"}
"""The first game with a pick from each of these numbers on is not played."""
_CORRECTED = (61, 151)
"""The result of the first game with a pick from each of these numbers on is told wrongly at first."""


@dataclass(frozen=True)
class Game:
    """A game of the season; `expected` is the home side's true expected margin, which nobody in it knows."""

    number: int
    event_id: str
    home: str
    away: str
    starts_at: datetime
    expected: float


@dataclass(frozen=True)
class Offer:
    """The home side's spread at the sharp book."""

    snapshot_id: str
    line: float
    price: float
    book: str

    @property
    def terms(self) -> dict[str, Any]:
        """As a ticket states them."""
        return {"line": self.line, "price": self.price, "book": self.book}


class Season:
    """A season played through the services that upstream calls, over one log and one clock that is set by hand."""

    def __init__(self, log: EventLog, clock: ManualClock, rng: np.random.Generator) -> None:
        self.clock, self.rng = clock, rng
        calendar = Calendar(log)
        self.events = EventReporter(log, clock)
        self.snapshots = SnapshotCapture(log, clock, calendar.teams)
        self.runs = SimRunTracker(log, clock)
        self.publishing = PublishingService(log, clock, calendar.start)
        self.strength = dict(zip(TEAMS, rng.normal(0, 5, len(TEAMS)), strict=True))
        self._unplayed, self._corrected = list(_UNPLAYED), list(_CORRECTED)
        self._to_correct: list[tuple[str, int, int]] = []

    @property
    def has_a_wrong_result(self) -> bool:
        """Whether a result is on record that will be corrected the next morning."""
        return bool(self._to_correct)

    def play(self, day: int) -> None:
        """One day: in the morning all games are priced, predicted and published, in the evening they are played."""
        self._correct()
        games = [self._game(day, slot) for slot in range(GAMES_A_DAY)]
        picks = {game.number: pick for game in games if (pick := self._morning(game)) is not None}
        if len(picks) > 1:
            legs = list(picks.values())[:2]
            self.publishing.publish_parlay(legs, "synthetic", "public", is_official=True, odds_format="decimal")
        for game in games:
            self._evening(game, game.number in picks)

    def _correct(self) -> None:
        while self._to_correct:
            result_id, home, away = self._to_correct.pop()
            self.events.correct_result(result_id, home, away, reason="synthetic: a point was counted twice")

    def _game(self, day: int, slot: int) -> Game:
        number = day * GAMES_A_DAY + slot
        starts_at = FIRST_DAY + timedelta(days=day, hours=15 + 3 * slot)
        home, away = (TEAMS[place] for place in self.rng.choice(len(TEAMS), 2, replace=False))
        expected = HOME_ADVANTAGE + self.strength[home] - self.strength[away]
        return Game(number, f"synthetic_{starts_at:%Y-%m-%d}_{number}", home, away, starts_at, expected)

    def _morning(self, game: Game) -> dict[str, Any] | None:
        self.clock.at = max(self.clock.at, game.starts_at.replace(hour=8))
        self.events.schedule_event(
            game.event_id, LEAGUE, "nba", game.home, game.away, game.starts_at, season="synthetic"
        )
        # The first price is off by what nobody knew yet; the close is nearly right.
        offer = self._capture(game, self.rng.normal(0, 1.5))
        self.clock.advance(timedelta(minutes=20))
        return self._predict(game, offer, self._report_injuries(game))

    def _evening(self, game: Game, picked: bool) -> None:
        self.clock.at = game.starts_at - timedelta(minutes=5)
        self._capture(game, self.rng.normal(0, 0.4))
        self.clock.at = game.starts_at
        if picked and _is_next(self._unplayed, game):
            self.events.change_status(game.event_id, _UNPLAYED[self._unplayed.pop(0)], "synthetic")
            return
        self.events.start_event(game.event_id)
        self.clock.advance(timedelta(hours=2, minutes=20))
        scores = PointsGame(game.expected, MARGIN_SD, TOTAL, TOTAL_SD).draw(self.rng, 1)
        home, away = (int(points[0]) for points in scores)
        wrong = picked and _is_next(self._corrected, game)
        result_id = self.events.record_result(game.event_id, home + wrong, away)
        if wrong:
            self._corrected.pop(0)
            self._to_correct.append((result_id, home, away))

    def _capture(self, game: Game, error: float) -> Offer:
        margin = game.expected + error
        line = -round(margin * 2) / 2
        bookmakers = [_bookmaker(book, vig, game, margin, line) for book, vig in BOOKS.items()]
        ids = self.snapshots.capture_bulk_odds_snapshots(game.event_id, bookmakers, provider="synthetic")
        price = bookmakers[0]["markets"][0]["outcomes"][0]["price"]
        return Offer(ids[0], line, price, next(iter(BOOKS)))

    def _report_injuries(self, game: Game) -> str:
        out = [{"player": f"Synthetic player {self.rng.integers(12)}", "status": "Out"}]
        return self.snapshots.capture_injury_snapshot(game.home, LEAGUE, "synthetic", out, out, event_id=game.event_id)

    def _predict(self, game: Game, offer: Offer, injuries: str) -> dict[str, Any] | None:
        """Simulate, put the prediction on record, publish it where it has an edge; gives the pick as a parlay's leg."""
        seed = int(self.rng.integers(1 << 31))
        run_id = self.runs.create_sim_run(
            event_id=game.event_id,
            trigger="scheduled",
            sim_count=SIMULATIONS,
            model_version=VERSION,
            feature_set_version=VERSION,
            decision_policy_version=VERSION,
            seed_policy="fixed",
            seed=seed,
        )
        self.runs.record_sim_run_inputs(run_id, offer.snapshot_id, injury_snapshot_id_home=injuries)
        began = time.perf_counter()
        believed = game.expected + self.rng.normal(0, 2.0)
        simulation = simulate(PointsGame(believed, MARGIN_SD, TOTAL, TOTAL_SD), SIMULATIONS, seed)
        prediction_id = self._record(game, offer, run_id, simulation)
        self.runs.complete_sim_run(run_id, runtime_ms=round((time.perf_counter() - began) * 1000))
        if _ev(simulation, offer) < MIN_EV:
            return None
        self.publishing.publish_prediction(
            prediction_id, "synthetic", "public", ["EDGE"], offer.terms, is_official=True, odds_format="decimal"
        )
        return {"prediction_id": prediction_id, "ticket_terms": offer.terms}

    def _record(self, game: Game, offer: Offer, run_id: str, simulation: Simulation) -> str:
        ev = _ev(simulation, offer)
        p_cover = simulation.p_win("SPREAD", "HOME", offer.line).p_cover
        return self.runs.create_prediction(
            sim_run_id=run_id,
            event_id=game.event_id,
            market_key="SPREAD:FULL_GAME",
            selection="HOME",
            market_snapshot_id_used=offer.snapshot_id,
            model_line=simulation.model_line,
            p_cover=p_cover,
            ev_units=ev,
            edge_points=simulation.edge_points("SPREAD", "HOME", offer.line),
            uncertainty=simulation.uncertainty("SPREAD", "HOME"),
            distribution_summary=simulation.distribution_summary("SPREAD", "HOME"),
            recommendation_state="EDGE" if ev >= MIN_EV else "NO_EDGE",
            tier="A" if ev >= 2 * MIN_EV else "B",
            confidence_index=p_cover,
            variance_bucket=simulation.variance_bucket,
        )


def play_season(workspace: Workspace, seed: int, progress: Progress) -> None:
    """Play the season unless the folder holds one already, and leave it graded."""
    if not any(workspace.log.end().values()):
        clock = ManualClock(FIRST_DAY)
        log = open_log(workspace.settings, clock)
        try:
            season = Season(log, clock, np.random.default_rng(seed))
            for day in range(DAYS):
                season.play(day)
                if season.has_a_wrong_result:  # graded as told, so that its correction makes a grade that supersedes
                    workspace.settle_down(workspace.log.end())
                progress(day + 1, DAYS - day - 1)
        finally:
            log.close()
    workspace.settle_down(workspace.log.end())


def _is_next(numbers: list[int], game: Game) -> bool:
    return bool(numbers) and game.number >= numbers[0]


def _ev(simulation: Simulation, offer: Offer) -> float:
    chances = simulation.p_win("SPREAD", "HOME", offer.line)
    return chances.win * (offer.price - 1) - chances.loss


def _bookmaker(book: str, vig: float, game: Game, margin: float, line: float) -> dict[str, Any]:
    even = round(2 / (1 + vig), 3)
    p_home = float(scipy.special.ndtr(margin / MARGIN_SD))
    money = (round(max(1.01, 1 / (p * (1 + vig))), 3) for p in (p_home, 1 - p_home))
    names = (game.home, game.away)
    sides = [{"name": name, "price": even, "point": point} for name, point in zip(names, (line, -line), strict=True)]
    totals = [{"name": name, "price": even, "point": TOTAL + 0.5} for name in ("Over", "Under")]
    winners = [{"name": name, "price": price} for name, price in zip(names, money, strict=True)]
    markets = {"spreads": sides, "h2h": winners, "totals": totals}
    return {"key": book, "title": book, "markets": [{"key": k, "outcomes": o} for k, o in markets.items()]}
