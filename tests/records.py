"""Records for tests: one builder for every type, and histories in which records name each other, tie and contradict.

`make(EventStarted, at=MINUTE[3])` gives a valid record, whatever the test does not care about filled in.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from hypothesis import strategies as st

from schemas.calibrations import (
    CalibrationActivated,
    CalibrationRejected,
    CalibrationRolledBack,
    CalibrationTrained,
)
from schemas.events import (
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatusChanged,
    ResultCorrected,
    ResultRecorded,
)
from schemas.gradings import PredictionGraded
from schemas.ids import hashed_id, reference
from schemas.injuries import InjurySnapshotCaptured
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.publishes import ParlayPublished, PredictionPublished
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.registry import RECORD_TYPES, type_name
from schemas.rejections import FileImported, InputRejected
from schemas.requests import (
    CalibrationRequested,
    DeadLetterResolved,
    GradingCompleted,
    GradingRequested,
    RetentionApplied,
    RetentionRequested,
)
from schemas.sim_runs import SimRunCompleted, SimRunFailed, SimRunInputsRecorded, SimRunStarted

R = TypeVar("R", bound=Record)
Fields = dict[str, Any]

NOON = datetime(2024, 3, 31, 12, tzinfo=UTC)
MINUTE = tuple(NOON + timedelta(minutes=n) for n in range(9))
"""Few moments, so that records tie."""
EVENTS = ("EPL-2024-03-31-ARS-CHE-1", "EPL-2024-03-31-ÖST-O'B-1")


def _id(kind: type[Record], number: int) -> str:
    return hashed_id("tests", type_name(kind), str(number))


def ref(kind: type[Record], key: str = EVENTS[0], number: int = 0) -> str:
    """The reference of the record that `make(kind, key, number=number)` gives."""
    return reference(key, _id(kind, number))


_METRICS = {"n": 40, "base_rate": 0.5, "ece": 0.1, "ece_interval": [0.05, 0.2], "brier": 0.24}
_SEGMENT = {
    "segment": "EPL|SPREAD:FULL_GAME",
    "level": "league_market",
    "method": "isotonic",
    "params": {"x": [0.1, 0.9], "y": [0.2, 0.8]},
    "n": 40,
    "before": _METRICS,
    "after": _METRICS,
    "max_e": 21.5,
    "activates": True,
    "reasons": [],
}
_VERSION = {
    "calibration_version": "cal-1",
    "method": "isotonic",
    "training_days": 30,
    "training_rows": 40,
    "log_id": "log",
    "positions": ({"topic": "gradings", "partition": 0, "offset": 41},),
    "training_digest": "ab12",
    "activates": True,
    "trained": {"segments": [_SEGMENT], "overall_before": _METRICS, "overall_after": _METRICS},
}
_VERDICT = {"calibration_version": "cal-1", "segments": ("EPL|SPREAD:FULL_GAME",), "decided_by": "gate"}
_TERMS = {"line": -1.5, "odds_format": "decimal", "price": "1.91", "price_decimal": 1.91, "book": "pinnacle"}

DEFAULTS: Mapping[type[Record], Fields] = MappingProxyType(
    {
        RawPayloadCaptured: {"provider": "the_odds_api", "source": "/v4/odds", "content": "{}", "sha256": "44136f"},
        EventScheduled: {
            "league": "EPL",
            "sport": "soccer",
            "home": "Arsenal",
            "away": "Chelsea",
            "starts_at": MINUTE[4],
        },
        EventRescheduled: {"starts_at": MINUTE[6]},
        EventStatusChanged: {"status": "POSTPONED"},
        EventStarted: {"started_at": MINUTE[4]},
        ResultRecorded: {"home": 2, "away": 1, "periods": ({"period": "h1", "home": 1, "away": 0},)},
        ResultCorrected: {"home": 2, "away": 2, "corrects": ref(ResultRecorded)},
        OddsSnapshotCaptured: {
            "provider": "the_odds_api",
            "book": "pinnacle",
            "market_key": "SPREAD:FULL_GAME",
            "selection": "HOME",
            "line": -1.5,
            "odds_format": "decimal",
            "price": "1.91",
            "price_decimal": 1.91,
            "capture_id": "look-1",
            "raw_payload_id": ref(RawPayloadCaptured, "the_odds_api"),
        },
        InjurySnapshotCaptured: {
            "provider": "espn",
            "league": "EPL",
            "team": "Arsenal",
            "players": ({"player": "Saka", "status": "out"},),
            "raw_payload_id": ref(RawPayloadCaptured, "espn"),
        },
        SimRunStarted: {
            "trigger": "scheduled",
            "sim_count": 1000,
            "model_version": "elo-1",
            "feature_set_version": "f-1",
            "decision_policy_version": "d-1",
            "seed_policy": "fixed",
            "seed": 7,
        },
        SimRunInputsRecorded: {"sim_run_id": ref(SimRunStarted), "snapshot_id": ref(OddsSnapshotCaptured)},
        SimRunCompleted: {"sim_run_id": ref(SimRunStarted), "runtime_ms": 12},
        SimRunFailed: {"sim_run_id": ref(SimRunStarted), "error": "out of memory"},
        PredictionMade: {
            "sim_run_id": ref(SimRunStarted),
            "market_key": "SPREAD:FULL_GAME",
            "selection": "HOME",
            "market_snapshot_id_used": ref(OddsSnapshotCaptured),
            "p_cover": 0.55,
            "distribution_summary": {"mean": 1.1, "sd": 9.0},
        },
        PredictionPublished: {
            "prediction_id": ref(PredictionMade),
            "channel": "app",
            "visibility": "public",
            "ticket_terms": _TERMS,
            "is_official": True,
        },
        ParlayPublished: {
            "legs": tuple({"prediction_id": ref(PredictionMade, number=n), "ticket_terms": _TERMS} for n in range(2)),
            "channel": "app",
            "visibility": "public",
            "is_official": True,
        },
        GradingRequested: {"requested_by": "timetable", "lookback_hours": 24.0},
        GradingCompleted: {"graded": 1, "voided": 0, "pending": 2},
        CalibrationRequested: {"requested_by": "timetable"},
        RetentionRequested: {"retention_days": 30, "requested_by": "timetable"},
        RetentionApplied: {"cutoff": MINUTE[2], "removed": 1},
        DeadLetterResolved: {"dead_letter": "events/0/1", "action": "drop", "who": "ann", "why": "a test message"},
        PredictionGraded: {
            "publish_id": ref(PredictionPublished),
            "prediction_ids": (ref(PredictionMade),),
            "revision": 0,
            "outcome": "WIN",
            "summary": "WIN",
            "unit_return": "0.91",
            "rulebook": "soccer",
            "rulebook_version": "1",
            "decision_version": "1",
            "inputs": "00",
        },
        CalibrationTrained: _VERSION,
        CalibrationActivated: _VERDICT,
        CalibrationRejected: _VERDICT,
        CalibrationRolledBack: _VERDICT,
        InputRejected: {"source": "E0.csv", "location": "line 7", "kind": "ROW", "reason": "price 0", "raw": "a,0"},
        FileImported: {
            "source": "E0.csv",
            "sha256": "ab",
            "format": "football-data",
            "rows": 3,
            "accepted": 2,
            "rejected": 1,
            "rejected_cells": 0,
        },
    }
)


def make(
    kind: type[R],
    /,
    event_id: str | None = None,
    at: datetime = NOON,
    *,
    number: int = 0,
    origin: str = "LIVE",
    causation_id: str | None = None,
    **data: Any,
) -> R:
    """A valid record of a type, about the first of `EVENTS` where it needs an event; `number` makes its id another."""
    needs_event = kind.model_fields["event_id"].is_required()
    return kind.model_validate(
        {
            "record_id": _id(kind, number),
            "event_id": event_id or (EVENTS[0] if needs_event else None),
            "occurred_at": at,
            "origin": origin,
            "producer": "tests",
            "causation_id": causation_id,
            "data": {**DEFAULTS[kind], **data},
        }
    )


class _Chooser:
    """Draws what one record says; what it refers to mostly exists, and may be about the other event."""

    def __init__(self, draw: st.DrawFn, event_id: str, made: Sequence[Record]) -> None:
        self.draw, self.event_id, self.made = draw, event_id, made

    def one_of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def moment(self, first: int = 0, last: int = 8) -> datetime:
        return self.draw(st.sampled_from(MINUTE[first : last + 1]))

    def some(self, kind: type[Record]) -> str:
        known = [record.ref for record in self.made if isinstance(record, kind)]
        return str(self.one_of(*known, *known, *known, ref(kind, self.event_id, 999)))

    def cause(self, kind: type[Record]) -> str:
        return self.some(kind).rpartition("~")[2]


def _odds(choose: _Chooser) -> Fields:
    market, selections = choose.one_of(
        ("MONEYLINE_3WAY:REGULATION", ("HOME", "DRAW", "AWAY")), ("SPREAD:FULL_GAME", ("HOME", "AWAY"))
    )
    price = choose.one_of(1.1, 1.91, 2.05, 3.3, 7.7)
    return {
        "book": choose.one_of("pinnacle", "bet365"),
        "market_key": market,
        "selection": choose.one_of(*selections),
        "line": choose.one_of(-1.5, 0.0) if market.startswith("SPREAD") else None,
        "price": str(price),
        "price_decimal": price,
        "capture_id": choose.one_of("look-1", "look-2"),
        "label": choose.one_of(None, "earlier", "alternate"),
        "raw_payload_id": choose.some(RawPayloadCaptured),
    }


def _prediction(choose: _Chooser) -> Fields:
    return {
        "sim_run_id": choose.some(SimRunStarted),
        "selection": choose.one_of("HOME", "AWAY"),
        "market_snapshot_id_used": choose.one_of(None, choose.some(OddsSnapshotCaptured)),
        "p_cover": choose.one_of(0.1, 0.3, 0.55),
        "p_cover_calibrated": choose.one_of(None, 0.52),
        "calibration_version_applied": choose.one_of(None, "cal-1", "cal-2"),
        "tier": choose.one_of(None, "A"),
    }


def _publish(choose: _Chooser) -> Fields:
    return {
        "prediction_id": choose.some(PredictionMade),
        "channel": choose.one_of("app", "mail"),
        "ticket_terms": {**_TERMS, "line": choose.one_of(-1.5, 0.0), "book": choose.one_of("pinnacle", "bet365")},
        "is_official": choose.one_of(True, True, False),
        "in_play": choose.one_of(False, True),
    }


def _grade(choose: _Chooser) -> Fields:
    summary, unit_return = choose.one_of(("WIN", "0.91"), ("LOSS", "-1"), ("VOID", "0"), ("UNGRADEABLE", None))
    close = choose.one_of(None, choose.some(OddsSnapshotCaptured))
    return {
        "publish_id": choose.some(PredictionPublished),
        "prediction_ids": (choose.some(PredictionMade),),
        "revision": choose.one_of(0, 1, 2),
        "outcome": summary,
        "summary": summary,
        "unit_return": unit_return,
        "close_snapshot_id": close,
        "close_reason": None if close else choose.one_of("NO_CLOSE", "OTHER_LINE"),
        "clv_price": choose.one_of(None, 0.1, 0.2, 0.3),
        "brier": choose.one_of(None, 0.1, 0.2, 0.7),
        "brier_calibrated": choose.one_of(None, 0.1, 0.3),
        "inputs": choose.one_of("00", "01"),
        "result_ids": (choose.some(ResultRecorded),),
    }


def _verdict(choose: _Chooser) -> Fields:
    return {
        "calibration_version": choose.one_of("cal-1", "cal-2"),
        "segments": choose.one_of((), ("EPL|SPREAD:FULL_GAME",), ("EPL|SPREAD:FULL_GAME", "*|*")),
    }


def _result(choose: _Chooser) -> Fields:
    return {
        "status": choose.one_of("FINAL", "FINAL", "AWARDED"),
        "home": choose.one_of(0, 1, 3),
        "away": choose.one_of(0, 1),
        "raw_payload_id": choose.one_of(None, choose.some(RawPayloadCaptured)),
    }


VARIATIONS: Mapping[type[Record], Callable[[_Chooser], Fields]] = MappingProxyType(
    {
        RawPayloadCaptured: lambda choose: {"provider": choose.one_of("the_odds_api", "espn")},
        EventScheduled: lambda choose: {
            "starts_at": choose.moment(4),
            "home": choose.one_of("Arsenal", "Österreich", 'O"B', "A'B"),
            "start_assumed": choose.one_of(False, True),
        },
        EventRescheduled: lambda choose: {"starts_at": choose.moment(3), "reason": choose.one_of(None, "Regen\n☔")},
        EventStatusChanged: lambda choose: {"status": choose.one_of("POSTPONED", "SCHEDULED", "CANCELLED", "AWARDED")},
        EventStarted: lambda choose: {"started_at": choose.moment(3), "assumed": choose.one_of(False, True)},
        ResultRecorded: _result,
        ResultCorrected: lambda choose: {**_result(choose), "corrects": choose.some(ResultRecorded)},
        OddsSnapshotCaptured: _odds,
        InjurySnapshotCaptured: lambda choose: {"team": choose.one_of("Arsenal", "Chelsea")},
        SimRunStarted: lambda choose: {"model_version": choose.one_of("elo-1", "elo-2")},
        SimRunInputsRecorded: lambda choose: {
            "sim_run_id": choose.some(SimRunStarted),
            "snapshot_id": choose.some(OddsSnapshotCaptured),
            "injury_snapshot_id_home": choose.one_of(None, choose.some(InjurySnapshotCaptured)),
        },
        SimRunCompleted: lambda choose: {"sim_run_id": choose.some(SimRunStarted)},
        SimRunFailed: lambda choose: {"sim_run_id": choose.some(SimRunStarted)},
        PredictionMade: _prediction,
        PredictionPublished: _publish,
        ParlayPublished: lambda choose: {
            "legs": tuple(
                {"prediction_id": choose.some(PredictionMade), "ticket_terms": {**_TERMS, "line": line}}
                for line in (-1.5, 0.0)
            ),
        },
        GradingRequested: lambda choose: {
            "publish_id": choose.one_of(None, choose.some(PredictionPublished)),
            "force": choose.one_of(False, True),
        },
        GradingCompleted: lambda choose: {"pending": choose.one_of(0, 2)},
        CalibrationRequested: lambda choose: {"method": choose.one_of("auto", "platt")},
        RetentionRequested: lambda choose: {"retention_days": choose.one_of(1, 30)},
        RetentionApplied: lambda choose: {"cutoff": choose.moment(), "kept": (choose.some(OddsSnapshotCaptured),)},
        DeadLetterResolved: lambda choose: {"dead_letter": choose.one_of("events/0/1", "odds/0/1")},
        PredictionGraded: _grade,
        CalibrationTrained: lambda choose: {"calibration_version": choose.one_of("cal-1", "cal-2")},
        CalibrationActivated: _verdict,
        CalibrationRejected: _verdict,
        CalibrationRolledBack: _verdict,
        InputRejected: lambda choose: {"kind": choose.one_of("ROW", "CELL"), "column": choose.one_of(None, "B365H")},
        FileImported: lambda choose: {"source": choose.one_of("E0.csv", "D1.csv")},
    }
)
_ANSWERS: Mapping[type[Record], type[Record]] = MappingProxyType(
    {GradingCompleted: GradingRequested, RetentionApplied: RetentionRequested}
)
# A story that ends in a graded pick more often than not: chance alone hardly ever tells one.
_STORY: tuple[type[Record], ...] = (
    EventScheduled,
    OddsSnapshotCaptured,
    SimRunStarted,
    PredictionMade,
    PredictionPublished,
    PredictionGraded,
    PredictionMade,
    PredictionPublished,
    PredictionGraded,
    ParlayPublished,
)
# The minutes in which it happens; they overlap, so that what comes first may also come too late.
_MINUTES: Mapping[type[Record], tuple[int, int]] = MappingProxyType(
    {PredictionMade: (0, 3), PredictionPublished: (2, 5), ParlayPublished: (2, 5)}
)


@st.composite
def histories(
    draw: st.DrawFn, kinds: Sequence[type[Record]] = RECORD_TYPES, min_size: int = 0, max_size: int = 24
) -> tuple[Record, ...]:
    """Records of the given types about two events, in the order in which they were made; ids are unique."""
    size = draw(st.integers(min_size, max_size))
    story = [kind for kind in _STORY if kind in kinds]
    made: list[Record] = []
    for kind in story[:size]:
        made.append(_record(draw, kind, EVENTS[0], made))
    while len(made) < size:
        made.append(_record(draw, draw(st.sampled_from(list(kinds))), draw(st.sampled_from(EVENTS)), made))
    return tuple(made)


def _record(draw: st.DrawFn, kind: type[Record], event_id: str, made: Sequence[Record]) -> Record:
    choose = _Chooser(draw, event_id, made)
    return make(
        kind,
        event_id if kind.model_fields["event_id"].is_required() else None,
        choose.moment(*_MINUTES.get(kind, ())),
        number=len(made),
        origin=choose.one_of("LIVE", "BACKFILL"),
        causation_id=choose.cause(_ANSWERS[kind]) if kind in _ANSWERS else None,
        **VARIATIONS[kind](choose),
    )
