"""The grader: settles picks from the current inputs, and puts each grade on record with the ids it was decided from."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

from pydantic import ValidationError

from consumers.closes import closing_values
from consumers.put_off import delay_fields, unplayed, waits_until
from grading.clv import exact_line
from grading.odds import OddsError, decimal_odds
from grading.outcomes import GradingError, Outcome, Settlement, ungradeable, void
from grading.parlay import Leg, settle_parlay
from grading.result import Result, parse_result
from grading.rulebook import Rulebook, default_rulebook
from grading.scores import brier, log_loss
from grading.settlement import Pick, settle
from projections.store import Store
from schemas.gradings import Grade, GradePart, PredictionGraded
from schemas.ids import derived_id
from schemas.record import Record
from schemas.requests import GradingCompleted, GradingTally

DECISION_VERSION = "grader-3"
PRODUCER = "grader"
# Markets that only ask who won, and so can be settled where a source tells no score.
_WHO_WON = {"MONEYLINE", "MONEYLINE_3WAY", "DRAW_NO_BET"}
_TELLING_SCORE = {"home": (1, 0), "away": (0, 1), "draw": (0, 0)}
_SUMMARY = {Outcome.WIN: "WIN", Outcome.LOSS: "LOSS", Outcome.PUSH: "PUSH", Outcome.VOID: "VOID"}
_COPIED = (
    "home", "away", "extra_time", "penalties_home", "penalties_away", "qualified", "minutes_played",
    "innings_played", "start_delay_hours", "venue_changed",
)  # fmt: skip
# A pick without a price is settled at a price that cancels out of its outcome; a parlay's may not (`_EXTREMES`).
_ANY_PRICE = Fraction(2)
_EXTREMES = [{"price": price, "odds_format": "decimal"} for price in ("1.000001", "1000000")]
MOST_UNITS = 1_000_000_000
"""Nobody pays a thousand times what the longest single price does; sums of a million such picks fit every column."""
# All that the data of a pick may raise. What is nobody's data (no memory, no disk) ends the owner.
_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_LOGGER = logging.getLogger("onrecord.grader")
# The grade says it in a line; who wants the trace sets logging up.
_LOGGER.addHandler(logging.NullHandler())
_UNREADABLE = {"close_reason": "UNREADABLE_CLOSE"}


class Grader:
    """Decides grades over a store; `rulebooks` replaces the packaged default of a sport."""

    def __init__(self, store: Store, rulebooks: Mapping[str, Rulebook] | None = None) -> None:
        self._store = store
        self._rulebooks = dict(rulebooks or {})

    def decide(self, event_ids: Collection[str] | None) -> Sequence[Record]:
        """Grades for all picks whose newest inputs no grade cites; where there are none, answers to requests."""
        touched = None if event_ids is None else sorted(event_ids)
        work = self._store.query("grading_work", {"event_ids": touched}).to_pylist()
        grades = [grade for row in work if (grade := self._grade(row)) is not None]
        parlays = groupby(self._parlay_legs(touched), key=itemgetter("publish_id"))
        grades += [grade for _, legs in parlays if (grade := self._grade_parlay(list(legs))) is not None]
        return grades or list(self._answers())

    def _parlay_legs(self, touched: list[str] | None) -> list[dict[str, Any]]:
        """Most events have no parlay: then whether there is one is all that is asked."""
        events = self._store.query("parlay_events", {"event_ids": touched})["event_id"].to_pylist()
        if not events:
            return []
        return list(self._store.query("parlay_work", {"event_ids": None if touched is None else events}).to_pylist())

    def _grade(self, row: Mapping[str, Any]) -> PredictionGraded | None:
        try:
            book = self._rulebook(row["sport"])
            settlement = _unknown_sport(row["sport"]) if book is None else _settle(row, book)
            settlement = settlement or _taken_back(row)
            return None if settlement is None else _graded(row, settlement, book)
        except _FAULTS as error:
            return _graded(row, _at_fault(error), None, _UNREADABLE)

    def _grade_parlay(self, legs: Sequence[Mapping[str, Any]]) -> PredictionGraded | None:
        """Legs first, each by the rulebook of its sport; None while one has to wait."""
        try:
            books = [self._rulebook(leg["sport"]) for leg in legs]
            parlay = _settle_legs(legs, books)
            if parlay is not None and _hangs_on_a_missing_price(legs, books):
                parlay = ungradeable("odds: a leg has no price, and whether the parlay won depends on it")
            parlay = parlay or _taken_back(legs[0])
            return None if parlay is None else _graded_parlay(legs, parlay, books)
        except _FAULTS as error:
            return _graded_parlay(legs, _at_fault(error), [None] * len(legs))

    def _rulebook(self, sport: str) -> Rulebook | None:
        try:
            return self._rulebooks.get(sport) or default_rulebook(sport)
        except (GradingError, KeyError):
            return None

    def _answers(self) -> Iterator[Record]:
        for request in self._store.query("unanswered_grading_requests").to_pylist():
            asked_at = request["requested_at"]
            given = {name: request[name] for name in ("since", "publish_id")}
            [tally] = self._store.query("grading_tally", given).to_pylist()
            yield GradingCompleted(
                record_id=derived_id(asked_at, "GradingCompleted", request["request_id"]),
                occurred_at=asked_at,
                producer=PRODUCER,
                causation_id=request["request_id"],
                data=GradingTally(**tally),
            )


def _unknown_sport(sport: str) -> Settlement:
    return ungradeable(f"sport: no rulebook is for {sport!r}; add one")


def _at_fault(error: Exception) -> Settlement:
    """One pick that cannot be graded stops no other; what no rule foresaw is on record as the grader's own fault."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return ungradeable(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}")
    if isinstance(error, GradingError | OddsError):
        return ungradeable(str(error))
    _LOGGER.error("a pick cannot be graded", exc_info=error)
    return ungradeable(f"grader: {type(error).__name__}: {error}; report it, and grade again with --force once mended")


def _taken_back(row: Mapping[str, Any]) -> Settlement | None:
    """Where a result is awaited again, nothing stands that was decided before, and no more is decided yet."""
    stands = row["current_summary"] not in {None, "VOID"}
    return void("result: it is awaited again") if stands else None


def _settle_legs(legs: Sequence[Mapping[str, Any]], books: Sequence[Rulebook | None]) -> Settlement | None:
    settled = [
        _unknown_sport(leg["sport"]) if book is None else _settle(leg, book)
        for leg, book in zip(legs, books, strict=True)
    ]
    outcomes = [
        Leg(_leg_odds(leg, settlement), settlement.outcome, settlement.unit_return)
        for leg, settlement in zip(legs, settled, strict=True)
        if settlement is not None
    ]
    return _with_reasons(settle_parlay(outcomes), settled) if len(outcomes) == len(legs) else None


def _hangs_on_a_missing_price(legs: Sequence[Mapping[str, Any]], books: Sequence[Rulebook | None]) -> bool:
    """Whether the shortest and the longest price of the legs that have none lead to different summaries."""
    if all(leg["price"] is not None for leg in legs):
        return False
    tried = (
        _settle_legs([leg if leg["price"] is not None else {**leg, **price} for leg in legs], books)
        for price in _EXTREMES
    )
    return len({_summary(parlay) for parlay in tried if parlay is not None}) > 1


def _with_reasons(parlay: Settlement, legs: Sequence[Settlement | None]) -> Settlement:
    """A parlay that an UNGRADEABLE leg makes so, with that leg's reason."""
    if parlay.outcome is not Outcome.UNGRADEABLE:
        return parlay
    reasons = [leg.reason for leg in legs if leg is not None and leg.outcome is Outcome.UNGRADEABLE and leg.reason]
    return replace(parlay, reason="; ".join(dict.fromkeys(filter(None, (parlay.reason, *reasons)))))


def _settle(row: Mapping[str, Any], book: Rulebook) -> Settlement | None:
    """The settlement, or None where it has to wait: a game that was put off and may yet be played in time."""
    market, _, period = row["market_key"].partition(":")
    try:
        result = _result(row, market, book)
        if result is None:
            return None
        selection, line = row["selection"].partition(":")[0], exact_line(row["line"])
        return settle(Pick(row["sport"], market, period, selection, line, _odds(row)), result, book)
    except _FAULTS as error:
        return _at_fault(error)


def _odds(row: Mapping[str, Any]) -> Fraction:
    return _ANY_PRICE if row["price"] is None else decimal_odds(row["price"], row["odds_format"])


def _leg_odds(leg: Mapping[str, Any], settlement: Settlement) -> Fraction:
    """Of a leg whose price cannot be read the settlement says so."""
    return _ANY_PRICE if settlement.outcome is Outcome.UNGRADEABLE else _odds(leg)


def _result(row: Mapping[str, Any], market: str, book: Rulebook) -> Result | None:
    if row["result_id"] is None:
        return unplayed(row, book)
    given = {name: row[name] for name in _COPIED}
    given["status"] = row["result_status"]
    for score in row["periods"]:
        given[f"{score['period']}_home"], given[f"{score['period']}_away"] = score["home"], score["away"]
    if row["home"] is None and row["winner"] is not None and market in _WHO_WON:
        given["home"], given["away"] = _TELLING_SCORE[row["winner"]]
    return parse_result(given | delay_fields(row, book) | _player(row))


def _player(row: Mapping[str, Any]) -> dict[str, Any]:
    """The player's stat that a prop such as PLAYER_POINTS, OVER:<player> asks about."""
    market, player = row["market_key"].partition(":")[0], row["selection"].partition(":")[2]
    stat = market.removeprefix("PLAYER_")
    for told in row["player_stats"]:
        if player and told["player"].lower() == player.lower() and told["stat"].upper() == stat:
            return {"stat": told["value"], "player_played": told["played"]}
    return {}


def _graded(
    row: Mapping[str, Any],
    settlement: Settlement,
    book: Rulebook | None,
    closing: Mapping[str, Any] | None = None,
) -> PredictionGraded:
    rulebook = ("none", "0") if book is None else (book.name, str(book.version))
    values = {**_scores(row, settlement), **(closing_values(row) if closing is None else closing)}
    return _record([row], settlement, [book], rulebook, row["event_id"], rulebook_version=rulebook[1], **values)


def _graded_parlay(
    legs: Sequence[Mapping[str, Any]], settlement: Settlement, books: Sequence[Rulebook | None]
) -> PredictionGraded:
    rulebooks = ", ".join(dict.fromkeys(f"{book.name}@{book.version}" for book in books if book is not None)) or "none"
    return _record(legs, settlement, books, (rulebooks,), rulebook_version="per leg", close_reason="PARLAY")


def _record(
    legs: Sequence[Mapping[str, Any]],
    settlement: Settlement,
    books: Sequence[Rulebook | None],
    rulebook: tuple[str, ...],
    event_id: str | None = None,
    **values: Any,
) -> PredictionGraded:
    """The grade of a pick, or of a parlay's legs; `rulebook`, its name first, is part of its identity."""
    first, decided_at = legs[0], max(map(_decided_at, legs, books))
    revision = 0 if first["current_revision"] is None else first["current_revision"] + 1
    # Of its revision: where two owners raced, what is on record and came out behind another is said once more.
    identity = (first["publish_id"], first["inputs"], *rulebook, DECISION_VERSION, str(revision))
    results = dict.fromkeys(leg["result_id"] for leg in legs if leg["result_id"] is not None)
    starts = dict.fromkeys(start_id for leg in legs for start_id in _start_ids(leg))
    return PredictionGraded(
        record_id=derived_id(decided_at, "PredictionGraded", *identity),
        event_id=event_id,
        occurred_at=decided_at,
        origin=first["origin"],
        producer=PRODUCER,
        causation_id=first["forced_by"],
        data=Grade(
            publish_id=first["publish_id"],
            prediction_ids=tuple(leg["prediction_id"] for leg in legs),
            revision=revision,
            rulebook=rulebook[0],
            decision_version=DECISION_VERSION,
            inputs=first["inputs"],
            result_ids=tuple(results),
            start_ids=tuple(starts),
            forced_by=first["forced_by"],
            **_outcome(settlement, has_price=all(leg["price"] is not None for leg in legs)),
            **values,
        ),
    )


def _start_ids(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The start and the status; where the game was put off, also the pick's plan and the word that put it off."""
    told = (row[name] for name in ("start_id", "status_id", "plan_id", "put_off_id"))
    return tuple(dict.fromkeys(change_id for change_id in told if change_id is not None))


def _decided_at(row: Mapping[str, Any], book: Rulebook | None) -> datetime:
    """When the newest input was known, or who asked found a wait to be over; never the wall clock."""
    closes = [close["known_at"] for close in row["closes"] or ()]
    asked = row["asked_at"] if book is not None and waits_until(row, book) is not None else None
    told = (row["published_at"], row["result_known_at"], row["events_known_at"], row["forced_at"], asked, *closes)
    newest: datetime = max(time for time in told if time is not None)
    return newest


def _outcome(settled: Settlement, *, has_price: bool) -> dict[str, Any]:
    settlement = _counted(settled) if has_price else settled
    units = settlement.unit_return if has_price else None
    return {
        "outcome": settlement.outcome.value,
        "summary": _summary(settlement),
        "parts": tuple(GradePart(stake=str(p.fraction), outcome=p.outcome.value) for p in settlement.parts),
        "unit_return": None if units is None else _rounded(units),
        "unit_return_exact": None if units is None else str(units),
        "reason": settlement.reason,
    }


def _counted(settlement: Settlement) -> Settlement:
    """The settlement, if what it pays can be added up."""
    if settlement.unit_return is None or settlement.unit_return <= MOST_UNITS:
        return settlement
    return ungradeable(f"odds: they pay more than {MOST_UNITS:,} for one, which is more than is counted")


def _summary(settlement: Settlement) -> str:
    """The four labels; an outcome in parts goes by what it returned."""
    if settlement.outcome in _SUMMARY or settlement.unit_return is None:
        return _SUMMARY.get(settlement.outcome, "UNGRADEABLE")
    return "WIN" if settlement.unit_return > 0 else "LOSS" if settlement.unit_return < 0 else "PUSH"


def _rounded(value: Fraction) -> Decimal:
    return Decimal(round(value * 10**12)).scaleb(-12)


def _scores(row: Mapping[str, Any], settlement: Settlement) -> dict[str, float]:
    """Brier and log loss of a plain win or loss, raw and calibrated; nothing for pushes, voids and halves."""
    if settlement.outcome not in {Outcome.WIN, Outcome.LOSS}:
        return {}
    y = [settlement.outcome == Outcome.WIN]
    found = {}
    for ending, p in (("", row["p_cover"]), ("_calibrated", row["p_cover_calibrated"])):
        if p is not None:
            found[f"brier{ending}"], found[f"log_loss{ending}"] = brier([p], y), log_loss([p], y)
    return found
