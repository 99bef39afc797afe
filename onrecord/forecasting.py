"""Walk-forward over a history: forecast each game when its first prices are seen, publish where there is an edge.

The engine learns a result when the replay reaches its time, whether the replay brings it or it is on record already. So
it cannot see ahead; the guard in `engines.baseline` refuses anything else. A game is forecast once: what is on record
stands, and is taken up where an import that was cut short goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from engines.baseline import FEATURE_SET_VERSION, MODEL_VERSION, Baseline
from engines.forecast import Forecast
from engines.games import PlayedGame, UpcomingGame
from engines.sports import SPORTS
from eventlog.log import EventLog
from onrecord.on_record import OnRecord
from schemas.events import (
    OFF_FOR_GOOD,
    EventRescheduled,
    EventScheduled,
    EventStatus,
    EventStatusChanged,
    ResultRecorded,
    Schedule,
)
from schemas.ids import derived_id
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import Prediction, PredictionMade
from schemas.publishes import PredictionPublished, Publish, TicketTerms
from schemas.record import Record
from schemas.sim_runs import (
    SimRunCompleted,
    SimRunCompletion,
    SimRunInputs,
    SimRunInputsRecorded,
    SimRunStart,
    SimRunStarted,
)

POLICY_VERSION = "edge-1"
PRODUCER = "baseline"
MIN_EV = 0.03
"""Published from this expected profit per unit on."""
MAX_PRICE = 8.0
"""Long shots are left alone: there the model's errors are larger than any edge."""
BOOKS = ("pinnacle", "bet365", "market_average")
"""Whose price is the reference, in this order; else the first book by name."""
MARKETS = ("MONEYLINE_3WAY", "MONEYLINE", "TOTAL", "ASIAN_HANDICAP", "SPREAD")
TIERS = ((0.10, "A"), (0.06, "B"), (MIN_EV, "C"))

_LINED = ("TOTAL", "ASIAN_HANDICAP", "SPREAD")
_START = SimRunStart(
    trigger="scheduled",
    sim_count=0,
    model_version=MODEL_VERSION,
    feature_set_version=FEATURE_SET_VERSION,
    decision_policy_version=POLICY_VERSION,
    seed_policy="none",
)

Serve = Callable[[PredictionMade, str], PredictionMade]
"""A prediction of a league, raw, to the same one as it is served: calibrated where a version is active."""
Predict = Callable[[str, OddsSnapshotCaptured], PredictionMade]
"""What a run, by its id, says of a price."""


def raw(prediction: PredictionMade, _league: str) -> PredictionMade:
    """Serve it as it is."""
    return prediction


@dataclass
class Forecaster:
    """Turns the records of a replay into the forecasts and picks that follow from them."""

    baseline: Baseline = field(default_factory=Baseline)
    _serve: Serve = raw
    _on_record: OnRecord | None = None
    _games: dict[str, Schedule] = field(default_factory=dict)
    _forecast: set[str] = field(default_factory=set)
    _status: dict[str, EventStatus] = field(default_factory=dict)
    _observed: set[str] = field(default_factory=set)

    def begin(self, log: EventLog, serve: Serve = raw) -> None:
        """Learn from what is on record at its time, and take up the forecasts that are; `serve` the others."""
        self._on_record, self._serve = OnRecord(log, PRODUCER), serve

    def follow(self, records: Sequence[Record]) -> list[Record]:
        """The records that a moment of the replay gives rise to; it must be handed every moment, in order."""
        odds = [record for record in records if isinstance(record, OddsSnapshotCaptured)]
        if self._on_record is not None and records:
            for record in self._on_record.known_by(records[0].occurred_at):
                self._learn(record)
        for record in records:
            self._learn(record)
        return self._forecast_game(odds) if odds else []

    def unsaid(self, made: Sequence[Record]) -> Iterator[Record]:
        """Those of them that are not on record."""
        return (record for record in made if self._on_record is None or self._on_record.is_new(record))

    def _learn(self, record: Record) -> None:
        if record.event_id in self._observed:
            return
        if isinstance(record, EventScheduled) and record.data.sport in SPORTS:
            self._games[record.event_id] = record.data
            self.baseline.add_league(record.data.league, SPORTS[record.data.sport])
        elif isinstance(record, EventStatusChanged):
            self._status[record.event_id] = record.data.status
        elif isinstance(record, EventRescheduled):
            self._reschedule(record)
        elif isinstance(record, ResultRecorded) and record.data.status == "FINAL":
            self._observe(record)

    def _reschedule(self, record: EventRescheduled) -> None:
        """On again, at its new start; an award stands until another status."""
        if (game := self._games.get(record.event_id)) is not None:
            self._games[record.event_id] = game.model_copy(update={"starts_at": record.data.starts_at})
        if self._status.get(record.event_id) != "AWARDED":
            self._status.pop(record.event_id, None)

    def _observe(self, record: ResultRecorded) -> None:
        game = self._games.pop(record.event_id, None)
        self._forecast.discard(record.event_id)
        home, away = record.data.home, record.data.away
        if game is None or home is None or away is None or self._status.get(record.event_id) in OFF_FOR_GOOD:
            return
        self._observed.add(record.event_id)
        self.baseline.observe(PlayedGame(game.league, _known_at(record), game.home, game.away, home, away))

    def _forecast_game(self, odds: Sequence[OddsSnapshotCaptured]) -> list[Record]:
        first = odds[0]
        event_id, at = first.event_id, first.occurred_at
        game = self._games.get(event_id)
        if game is None or event_id in self._forecast or at >= game.starts_at or self._was_forecast(event_id, at):
            return []
        self._forecast.add(event_id)
        forecast = self.baseline.forecast(UpcomingGame(game.league, game.starts_at, at, game.home, game.away))
        return list(_run(event_id, at, reference_prices(odds), partial(self._predict, forecast)))

    def _was_forecast(self, event_id: str, at: datetime) -> bool:
        """Whether a run of another time is on record."""
        runs = self._on_record.runs(event_id) if self._on_record is not None else ()
        own = [(when, ran) for when, ran in runs if ran == _envelope(event_id, when, "SimRunStarted")["record_id"]]
        return bool(own) and all(when != at for when, _ in own)

    def _predict(self, forecast: Forecast, sim_run_id: str, price: OddsSnapshotCaptured) -> PredictionMade:
        """As it is on record, or as it is served now, with what it is worth."""
        told = price.data
        envelope = _envelope(price.event_id, price.occurred_at, "PredictionMade", told.market_key, told.selection)
        said = None if self._on_record is None else self._on_record.said(envelope["record_id"])
        if said is not None:
            return said
        chances = forecast.p_win(told.market_key, told.selection, told.line)
        no_push = chances.win + chances.loss
        made = PredictionMade(**envelope, data=_prediction(sim_run_id, forecast, price, chances.win / no_push))
        return _valued(self._serve(made, forecast.league), (no_push, told.price_decimal))


def _known_at(record: Record) -> datetime:
    told = record.recorded_at if record.origin == "LIVE" else None
    return told or record.occurred_at


def reference_prices(odds: Sequence[OddsSnapshotCaptured]) -> list[OddsSnapshotCaptured]:
    """One price per market and selection: of the first book in `BOOKS` that has the market, else the first by name."""
    by_market: dict[str, dict[str, list[OddsSnapshotCaptured]]] = {}
    for record in odds:
        if record.data.market_key.partition(":")[0] in MARKETS:
            by_market.setdefault(record.data.market_key, {}).setdefault(record.data.book, []).append(record)
    chosen = []
    for books in by_market.values():
        name = next((book for book in BOOKS if book in books), min(books))
        chosen += books[name]
    return chosen


@dataclass(frozen=True)
class _Priced:
    """A prediction beside the price that it was made at."""

    prediction: PredictionMade
    price: OddsSnapshotCaptured


def _run(event_id: str, at: datetime, prices: Sequence[OddsSnapshotCaptured], predict: Predict) -> Iterator[Record]:
    if not prices:
        return
    run = SimRunStarted(**_envelope(event_id, at, "SimRunStarted"), data=_START)
    seen = SimRunInputs(
        sim_run_id=run.ref, snapshot_id=prices[0].ref, further_snapshot_ids=tuple(price.ref for price in prices[1:])
    )
    yield run
    yield SimRunInputsRecorded(**_envelope(event_id, at, "SimRunInputsRecorded"), data=seen)
    priced = [_Priced(predict(run.ref, price), price) for price in prices]
    yield from (one.prediction for one in priced)
    yield SimRunCompleted(**_envelope(event_id, at, "SimRunCompleted"), data=SimRunCompletion(sim_run_id=run.ref))
    yield from (_publish(one) for one in _edges(priced))


def _prediction(sim_run_id: str, forecast: Forecast, price: OddsSnapshotCaptured, p: float) -> Prediction:
    said = price.data
    line = said.market_key.partition(":")[0] in _LINED
    return Prediction(
        sim_run_id=sim_run_id,
        market_key=said.market_key,
        selection=said.selection,
        market_snapshot_id_used=price.ref,
        model_line=forecast.model_line_for(said.market_key, said.selection) if line else None,
        p_cover=p,
        edge_points=forecast.edge_points(said.market_key, said.selection, said.line)
        if line and said.line is not None
        else None,
        uncertainty=forecast.uncertainty(said.market_key, said.selection) if line else None,
        distribution_summary=forecast.distribution_summary(said.market_key, said.selection) if line else {},
        confidence_index=forecast.confidence_index,
        variance_bucket=forecast.variance_bucket,
    )


def _valued(prediction: PredictionMade, terms: tuple[float, float]) -> PredictionMade:
    """With what it is worth by the probability that is served."""
    told = prediction.data
    p = told.p_cover if told.p_cover_calibrated is None else told.p_cover_calibrated
    ev = terms[0] * (p * terms[1] - 1)
    worth = {"ev_units": ev, "recommendation_state": "EDGE" if ev >= MIN_EV else "NO_EDGE", "tier": _tier(ev)}
    return prediction.model_copy(update={"data": told.model_copy(update=worth)})


def _edges(priced: Sequence[_Priced]) -> Iterator[_Priced]:
    """The best selection of each market, where its edge is large enough."""
    best: dict[str, _Priced] = {}
    for one in priced:
        market = one.price.data.market_key
        if market not in best or _ev(one) > _ev(best[market]):
            best[market] = one
    return (one for one in best.values() if _ev(one) >= MIN_EV and one.price.data.price_decimal <= MAX_PRICE)


def _publish(one: _Priced) -> PredictionPublished:
    said = one.price.data
    terms = TicketTerms(
        line=said.line, odds_format=said.odds_format, price=said.price, price_decimal=said.price_decimal, book=said.book
    )
    identity = ("PredictionPublished", one.prediction.ref)
    return PredictionPublished(
        **_envelope(one.price.event_id, one.price.occurred_at, *identity),
        data=Publish(
            prediction_id=one.prediction.ref,
            channel="baseline",
            visibility="public",
            decision_reason_codes=("EDGE",),
            ticket_terms=terms,
            is_official=True,
        ),
    )


def _envelope(event_id: str, at: datetime, *identity: str) -> dict[str, Any]:
    record_id = derived_id(at, *identity, event_id, MODEL_VERSION, POLICY_VERSION)
    return {"record_id": record_id, "event_id": event_id, "occurred_at": at, "origin": "BACKFILL", "producer": PRODUCER}


def _ev(one: _Priced) -> float:
    return one.prediction.data.ev_units or 0.0


def _tier(ev: float) -> str | None:
    return next((tier for least, tier in TIERS if ev >= least), None)
