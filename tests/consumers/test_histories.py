"""Random histories, as services and importers may tell them, in which two owners look whenever they like.

Each has a store of its own; the one on the scene may decide on what the other has read and not decided yet.

Whatever was told, the last look must leave what the laws of the whole ask for. `HISTORIES=500 FIRST=40 pytest -m slow
tests/consumers/test_histories.py` plays more than the few that CI plays; a seed tells the same history again.
"""

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from consumers.grader import Grader
from consumers.owner import Owner
from consumers.retention import Retainer
from eventlog.clock import ManualClock
from eventlog.sqlite import SqliteLog
from producers.publishing_service import PublishRefusedError
from projections.digest import differences, exact_digests
from projections.store import Store
from schemas.events import EventScheduled, EventStarted, ResultRecorded
from schemas.gradings import PredictionGraded
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.publishes import ParlayPublished, PredictionPublished
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import type_name
from schemas.requests import (
    DeadLetterResolution,
    DeadLetterResolved,
    GradingCompleted,
    RetentionApplied,
    RetentionRequest,
    RetentionRequested,
)
from schemas.sim_runs import SimRunStarted
from tests.consumers.scene import SPREAD, R, Row, Scene
from tests.projections.foreign import foreign
from tests.records import make

FIRST, HISTORIES = int(os.environ.get("FIRST", "0")), int(os.environ.get("HISTORIES", "20"))
STEPS = int(os.environ.get("STEPS", "60"))
GAMES = {
    "celtics": ("nba", "NBA"),
    "lakers": ("nba", "NBA"),
    "arsenal": ("soccer", "EPL"),
    "chelsea": ("soccer", "EPL"),
    "yankees": ("mlb", "MLB"),
}
WINNER = {"nba": "MONEYLINE:FULL_GAME", "soccer": "MONEYLINE_3WAY:REGULATION", "mlb": "MONEYLINE:FULL_GAME"}
DECISIONS = pa.array(type_name(kind) for kind in (PredictionGraded, GradingCompleted, RetentionApplied))
LINE = -0.5
OFTEN, NOW_AND_THEN, SELDOM = 8, 3, 1
Weights = dict[Callable[["History", str], None], int]


class History:
    """A scene on which one thing after another happens, drawn by a seed; what a service refuses does not.

    `other` owns a store of its own, and asks `meanwhile` before it decides.
    """

    def __init__(self, scene: Scene, seed: int, other: Owner, meanwhile: "Meanwhile") -> None:
        self.scene, self.rng, self.number = scene, Random(seed), 0
        self.other, self.meanwhile = other, meanwhile
        self.starts: dict[str, datetime] = {}
        self.results: list[tuple[str, str]] = []
        """Game and result, as they were told."""
        self.publishes: list[str] = []
        for game in GAMES:
            if self.rng.random() < 0.8:
                self.is_scheduled(game)

    def goes_on(self) -> None:
        """One more thing happens."""
        self.happens(self.rng.choice([*GAMES]), WEIGHTS | ELSEWHERE)

    def happens(self, game: str, weights: Weights) -> None:
        """Something of what may happen."""
        [step] = self.rng.choices([*weights], [*weights.values()])
        print(f"{self.scene.clock.at:%d %H:%M} {game} {step.__name__}")  # noqa: T201 - what led to a failure
        step(self, game)

    # What services tell

    def is_scheduled(self, game: str) -> None:
        """For the first time, or mended."""
        sport, league = GAMES[game]
        self.starts[game] = self.now() + timedelta(hours=self.rng.choice((6, 30, 60)))
        self.scene.game(game, sport, self.starts[game], league)

    def is_moved(self, game: str) -> None:
        """Earlier or later than it was planned."""
        by = timedelta(hours=self.rng.choice((-1, 2, 20, 60, 200)))
        self.starts[game] = self.starts.get(game, self.now()) + by
        self.scene.events.reschedule_event(game, self.starts[game])

    def changes_status(self, game: str) -> None:
        """Without a new date."""
        self.now()
        states: Any = ("POSTPONED", "POSTPONED", "CANCELLED", "ABANDONED", "AWARDED", "SCHEDULED")
        self.scene.events.change_status(game, self.rng.choice(states))

    def begins(self, game: str) -> None:
        """As planned, or now."""
        self.scene.clock.at = max(self.now(), self.starts.get(game, self.now()))
        self.scene.events.start_event(game)

    def ends(self, game: str) -> None:
        """With a score, or without."""
        self.scene.later(hours=3)
        self.results.append((game, self.scene.events.record_result(game, **self.result())))

    def is_corrected(self, _: str) -> None:
        """Mostly a result told of late; also one that was corrected before."""
        if self.results:
            self.now()
            game, corrects = self.rng.choice(self.results[-3:] if self.rng.random() < 0.7 else self.results)
            self.results.append((game, self.scene.events.correct_result(corrects, **self.result())))

    def is_on_again(self, _: str) -> None:
        """There was no result after all: the game is yet to be played, or begins."""
        if self.results:
            self.now()
            game, corrects = self.rng.choice(self.results[-3:])
            corrected = self.scene.events.correct_result(corrects, None, None, status="POSTPONED")
            self.results.append((game, corrected))
            self.rng.choice((self.is_moved, self.begins, self.is_looked_at))(game)

    def is_priced(self, game: str) -> None:
        """Both sides of a market, seen in one look."""
        self.now()
        market = self.market(game)
        for side in ("HOME", "AWAY"):
            self.scene.odds(self.price(), market, side, event_id=game, line=line_of(market))

    def is_picked(self, game: str) -> None:
        """A prediction on a price seen now is published, mostly as official."""
        self.now()
        leg = self.leg(game)
        official, in_play = self.rng.random() < 0.8, self.rng.random() < 0.3
        self.publish(lambda: self.scene.publish(*leg.values(), official=official, in_play=in_play))

    def is_published_again(self, _: str) -> None:
        """On another channel."""
        self.now()
        made = self.scene.records(PredictionPublished)
        if made:
            one = self.rng.choice(made).data
            terms = one.ticket_terms.model_dump(include={"line", "price", "book"})
            self.publish(lambda: self.scene.publish(one.prediction_id, terms, "app", in_play=one.in_play))

    def is_combined(self, game: str) -> None:
        """A parlay of two legs."""
        self.now()
        legs = [self.leg(game), self.leg(self.rng.choice([*GAMES]))]
        self.publish(lambda: self.scene.parlay(*legs))

    # What importers tell later, as it was then

    def was_scheduled(self, game: str) -> None:
        """An importer dates the calendar a week before the start."""
        sport, league = GAMES[game]
        starts_at = self.now() + timedelta(hours=self.rng.choice((-30, -3, 5, 60)))
        told = {"league": league, "sport": sport, "starts_at": starts_at, "start_assumed": self.rng.random() < 0.3}
        self.imported(EventScheduled, game, starts_at - timedelta(days=7), **told)

    def had_begun(self, game: str) -> None:
        """A start of then."""
        at = self.then()
        self.imported(EventStarted, game, at, started_at=at, assumed=self.rng.random() < 0.3)

    def had_ended(self, game: str) -> None:
        """A result of then."""
        at = self.then()
        result = self.imported(ResultRecorded, game, at, **self.result(), periods=())
        self.results.append((game, result.ref))

    def had_been_priced(self, game: str) -> None:
        """A price of then."""
        self.seen(game, self.then(), {**self.terms(game), "price": "1.80", "price_decimal": 1.8})

    def had_been_picked(self, game: str) -> None:
        """A price of then, a prediction on it and its publish."""
        at = self.then() - timedelta(hours=100)
        leg = self.predicted(game, at)
        self.publishes.append(self.imported(PredictionPublished, game, at + timedelta(minutes=5), **leg).ref)

    def had_been_combined(self, game: str) -> None:
        """A parlay of then."""
        at = self.then() - timedelta(hours=100)
        legs = [self.predicted(one, at) for one in (game, self.rng.choice([*GAMES]))]
        self.publishes.append(self.imported(ParlayPublished, None, at + timedelta(minutes=5), legs=legs).ref)

    def had_been_published(self, _: str) -> None:
        """Before a publish that is on record the same was published on another channel."""
        self.now()
        made = [*self.scene.records(PredictionPublished), *self.scene.records(ParlayPublished)]
        if made:
            one = self.rng.choice(made)
            at = one.occurred_at - timedelta(minutes=self.rng.choice((1, 4, 200)), microseconds=self.number)
            told = one.data.model_dump() | {"channel": "mail"}
            self.publishes.append(self.imported(type(one), one.event_id, at, **told).ref)

    # What nobody can read

    def is_garbled(self, game: str) -> None:
        """A foreign producer tells a start without its time: the event is held."""
        self.number += 1
        self.scene.log.append([foreign("EventStarted", self.number, event_id=game, assumed=False)])

    def is_let_go(self, _: str) -> None:
        """Somebody drops all that could not be read."""
        self.scene.owner.run_once()
        for letter in self.scene.store.query("dead_letters_open").to_pylist():
            what = DeadLetterResolution(dead_letter=letter["dead_letter"], action="drop", who="ann", why="a test")
            self.scene.log.append([DeadLetterResolved(occurred_at=self.now(), producer="tests", data=what)])

    # Time, and who asks

    def waits(self, _: str) -> None:
        """A minute, or up to forty days."""
        self.scene.later(minutes=self.rng.choice((1, 45, 45, 180, 180, 1440, 60000)))

    def is_looked_at(self, _: str) -> None:
        """The owner does all there is to do."""
        self.scene.owner.run_once()

    def is_looked_at_elsewhere(self, _: str) -> None:
        """The other owner does, which saw another part of the story."""
        self.other.run_once()

    def is_overtaken(self, game: str) -> None:
        """The other owner has read of a result: before it decides, more is told of the game, and decided here."""
        self.ends(game)
        self.meanwhile.happens = lambda: self.is_told_and_looked_at(game)
        self.other.run_once()

    def is_told_and_looked_at(self, game: str) -> None:
        """By the owner here."""
        for _ in range(self.rng.choice((0, 1, 3))):
            self.happens(game, WEIGHTS)
        self.scene.owner.run_once()

    def is_asked_for_grades(self, _: str) -> None:
        """Of one pick, or of all."""
        self.now()
        force = self.rng.random() < 0.3
        if self.publishes and self.rng.random() < 0.5:
            self.scene.ask(self.rng.choice(self.publishes), force=force)
        else:
            self.scene.ask(force=force, lookback_hours=self.rng.choice((None, 24, 1000)))

    def is_cleaned(self, _: str) -> None:
        """Old odds go from the views."""
        days, keep = self.rng.choice((1, 30)), self.rng.random() < 0.5
        request = RetentionRequest(retention_days=days, keep_closing_lines=keep, requested_by="ann")
        self.scene.log.append([RetentionRequested(occurred_at=self.now(), producer="tests", data=request)])

    # How it is told

    def now(self) -> datetime:
        """The next moment: no two things are told at one."""
        self.number += 1
        self.scene.later(seconds=1, microseconds=self.number)
        return self.scene.clock.at

    def then(self) -> datetime:
        """A moment that is over."""
        return self.now() - timedelta(hours=self.rng.choice((1, 4, 40, 200)))

    def result(self) -> Row:
        """Mostly a score."""
        if self.rng.random() < 0.8:
            return {"status": "FINAL", "home": self.rng.randint(0, 3), "away": self.rng.randint(0, 3)}
        status = self.rng.choice(("POSTPONED", "ABANDONED", "CANCELLED"))
        return {"status": status, "home": None, "away": None}

    def price(self) -> str:
        return self.rng.choice(("1.50", "1.91", "2.00", "3.40"))

    def market(self, game: str) -> str:
        return self.rng.choice((SPREAD, WINNER[GAMES[game][0]]))

    def leg(self, game: str) -> Row:
        market, side = self.market(game), self.rng.choice(("HOME", "AWAY"))
        return self.scene.leg(self.price(), market, side, event_id=game, line=line_of(market))

    def publish(self, act: Callable[[], str]) -> None:
        with suppress(PublishRefusedError):
            self.publishes.append(act())

    def terms(self, game: str) -> Row:
        price = self.price()
        return {
            "line": line_of(self.market(game)),
            "odds_format": "decimal",
            "price": price,
            "price_decimal": float(price),
            "book": "pinnacle",
        }

    def seen(self, game: str, at: datetime, terms: Row) -> OddsSnapshotCaptured:
        payload = self.imported(RawPayloadCaptured, None, at)
        market = SPREAD if terms["line"] else WINNER[GAMES[game][0]]
        side = {"market_key": market, "selection": self.rng.choice(("HOME", "AWAY"))}
        look = {"raw_payload_id": payload.ref, "capture_id": payload.ref}
        return self.imported(OddsSnapshotCaptured, game, at, **terms, **side, **look)

    def predicted(self, game: str, at: datetime) -> Row:
        """What a pick of then, or a parlay's leg, is made of."""
        terms = self.terms(game)
        seen = self.seen(game, at, terms)
        run = self.imported(SimRunStarted, game, at)
        prediction = {"sim_run_id": run.ref, "market_key": seen.data.market_key, "selection": seen.data.selection}
        made = self.imported(PredictionMade, game, at, market_snapshot_id_used=seen.ref, **prediction)
        return {"prediction_id": made.ref, "ticket_terms": terms}

    def imported(self, kind: type[R], event_id: str | None, at: datetime, **told: Any) -> R:
        self.number += 1
        record = make(kind, event_id, at, number=self.number, origin="BACKFILL", **told)
        self.scene.log.append([record])
        return record


class Meanwhile:
    """A decider that never has anything to say: what happens while it is asked, who asks has not read."""

    happens: Callable[[], None] | None = None

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        """Nothing, once it has happened."""
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return ()


WEIGHTS: Weights = {
    History.is_picked: OFTEN,
    History.is_priced: NOW_AND_THEN,
    History.waits: NOW_AND_THEN,
    History.begins: NOW_AND_THEN,
    History.ends: NOW_AND_THEN,
    History.is_looked_at: SELDOM,
    History.is_scheduled: SELDOM,
    History.is_moved: SELDOM,
    History.changes_status: SELDOM,
    History.is_corrected: NOW_AND_THEN,
    History.is_on_again: NOW_AND_THEN,
    History.is_published_again: SELDOM,
    History.is_combined: NOW_AND_THEN,
    History.was_scheduled: SELDOM,
    History.had_begun: SELDOM,
    History.had_ended: SELDOM,
    History.had_been_priced: NOW_AND_THEN,
    History.had_been_picked: OFTEN,
    History.had_been_combined: SELDOM,
    History.had_been_published: SELDOM,
    History.is_garbled: SELDOM,
    History.is_let_go: SELDOM,
    History.is_asked_for_grades: NOW_AND_THEN,
    History.is_cleaned: SELDOM,
}
ELSEWHERE: Weights = {History.is_looked_at_elsewhere: SELDOM, History.is_overtaken: NOW_AND_THEN}

_CITES_ANOTHER_RESULT = """
SELECT publish_id, outcome, result_ids, result_id, status FROM graded_picks JOIN event_results USING (event_id)
WHERE result_ids <> [result_id] AND outcome <> 'VOID'
UNION ALL
SELECT publish_id, outcome, result_ids, NULL, NULL FROM grading SEMI JOIN parlay_picks USING (publish_id)
WHERE NOT list_has_all((SELECT list(result_id) FROM event_results), result_ids) AND outcome <> 'VOID'
"""


def line_of(market: str) -> float | None:
    """The spread's."""
    return LINE if market == SPREAD else None


def current(store: Store) -> dict[str, Any]:
    """What the grade of each pick says that still is one."""
    rows = store.rows(
        "SELECT publish_id, outcome, unit_return_exact, clv_price, close_snapshot_id, result_ids, reason FROM grading "
        "SEMI JOIN (SELECT publish_id FROM picks UNION SELECT publish_id FROM parlay_picks) USING (publish_id)"
    )
    return {publish_id: said for publish_id, *said in rows}


def decided_at_the_end(scene: Scene) -> dict[str, Any]:
    """What an owner decides that looks once, when all is told."""
    batch, _ = scene.log.read({}, 1_000_000)
    told = batch.filter(pc.invert(pc.is_in(batch["type"], DECISIONS)))
    with SqliteLog(":memory:", ManualClock(scene.clock.at)) as log:
        log.append_batch(told)
        store = Store(log_id=log.log_id)
        try:
            Owner(log, store, (Grader(store), Retainer(store))).run_once()
            return current(store)
        finally:
            store.close()


def check(scene: Scene, beside: Owner) -> None:
    """The laws of the whole; `beside` looked as well, and looks first."""
    beside.run_once()
    scene.owner.run_once()
    size, now = scene.size(), current(scene.store)
    assert [row for row in scene.store.query("audit").to_pylist() if row["offenders"]] == []
    assert scene.store.rows(_CITES_ANOTHER_RESULT) == []
    with scene.another_owner() as fresh:
        for other in (beside, fresh):
            other.run_once()
            assert size == scene.size(), "another owner decides what was decided"
            assert differences(exact_digests(scene.store), exact_digests(other.store)) == []
    late = decided_at_the_end(scene)
    # A game that was off when it was looked at, and is on again: its picks stay void while its result is awaited.
    assert {one: grade for one, grade in now.items() if one in late or grade[0] != "VOID"} == late


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_whatever_is_told_and_whenever_it_is_looked_at(scene: Scene, seed: int) -> None:
    """No offender, nothing left to decide, the same for every owner and however often it looked."""
    meanwhile = Meanwhile()
    with scene.another_owner(meanwhile) as other:
        history = History(scene, seed, other, meanwhile)
        for _ in range(STEPS):
            history.goes_on()
        history.is_let_go("")
        check(scene, other)
