"""What the calendar says: events scheduled, moved, started, ended, and results corrected."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from eventlog.clock import Clock
from eventlog.log import EventLog
from grading.markets import SPORTS, sport_name
from producers.checked import build, check_time, tells_arguments
from schemas.events import (
    Correction,
    EventRescheduled,
    EventScheduled,
    EventStarted,
    EventStatus,
    EventStatusChanged,
    PeriodScore,
    Reschedule,
    Result,
    ResultCorrected,
    ResultRecorded,
    ResultStatus,
    Schedule,
    Start,
    StatusChange,
)
from schemas.record import Record

PRODUCER = "event_reporter"
R = TypeVar("R", bound=Record)
T = TypeVar("T", bound=Result)
_TELLS = ("home", "away", "winner", "periods", "qualified", "player_stats")
_PART = re.compile("h[12]|q[1-4]|i[1-9][0-9]?|regulation")
"""Parts of a game, in which nobody scores more than in all of it; what else a score sheet has need not be one."""
_PERIOD = re.compile(f"{_PART.pattern}|p[1-9]|ot[0-9]?")
Periods = Mapping[str, tuple[int, int]]
"""Period, such as h1 or q4, to home's and away's points in it."""


@tells_arguments
@dataclass(frozen=True)
class EventReporter:
    """Puts on record what happens to events; each call returns the id of its record.

    A ValueError of any of them says which argument is wrong; nothing is on record then.
    """

    log: EventLog
    clock: Clock

    def schedule_event(
        self,
        event_id: str,
        league: str,
        sport: str,
        home: str,
        away: str,
        starts_at: datetime,
        *,
        season: str | None = None,
        game_number: int = 1,
    ) -> str:
        """A game is on the calendar. Picks on a sport without a rulebook cannot be graded: it warns of that."""
        try:
            sport_name(sport)
        except ValueError as error:
            message = f"{error}; no pick on {event_id!r} can be graded: write one of {', '.join(sorted(SPORTS))}"
            warnings.warn(message, stacklevel=3)
        data = build(
            Schedule,
            league=league,
            sport=sport,
            home=home,
            away=away,
            starts_at=starts_at,
            season=season,
            game_number=game_number,
        )
        return self._put(EventScheduled, event_id, data)

    def reschedule_event(self, event_id: str, starts_at: datetime, reason: str | None = None) -> str:
        """A game has a new start; a postponed one is on again."""
        return self._put(EventRescheduled, event_id, build(Reschedule, starts_at=starts_at, reason=reason))

    def change_status(self, event_id: str, status: EventStatus, reason: str | None = None) -> str:
        """A game was postponed, cancelled, abandoned or awarded, or is on again (SCHEDULED)."""
        return self._put(EventStatusChanged, event_id, build(StatusChange, status=status, reason=reason))

    def start_event(self, event_id: str, started_at: datetime | None = None) -> str:
        """A game began, now if no time is given; a time to come is refused: reschedule_event moves a start."""
        now = self.clock.now()
        at = now if started_at is None else check_time(started_at, now, "started_at")
        return self._put(EventStarted, event_id, build(Start, started_at=at))

    def record_result(
        self,
        event_id: str,
        home: int | None,
        away: int | None,
        *,
        status: ResultStatus = "FINAL",
        periods: Periods | None = None,
        **further: Any,
    ) -> str:
        """How a game ended; `further` are fields of `schemas.events.Result`.

        A FINAL result tells scores, or the winner, who qualified or players' statistics. What contradicts itself is
        refused: a winner who lost by the score, a period in which somebody scored more than in the game.
        """
        result = build(Result, status=status, home=home, away=away, periods=_periods(periods), **further)
        return self._put(ResultRecorded, event_id, _sound(result))

    def correct_result(
        self,
        corrects: str,
        home: int | None,
        away: int | None,
        *,
        reason: str | None = None,
        status: ResultStatus = "FINAL",
        periods: Periods | None = None,
        **further: Any,
    ) -> str:
        """A result replaces the one whose id is `corrects`; picks are graded again from it.

        Raises:
            ValueError: `corrects` is no result on the log, or a field is wrong.
        """
        old = self.log.find(ResultRecorded.topic, corrects)
        if not isinstance(old, ResultRecorded | ResultCorrected):
            raise ValueError(  # noqa: TRY004 - the id is wrong, not its type
                f"{corrects!r} is no result on record: pass the id that record_result returned"
            )
        correction = build(
            Correction,
            corrects=corrects,
            correction_reason=reason,
            status=status,
            home=home,
            away=away,
            periods=_periods(periods),
            **further,
        )
        return self._put(ResultCorrected, old.event_id, _sound(correction))

    def _put(self, kind: type[R], event_id: str, data: Any) -> str:
        record = build(kind, event_id=event_id, occurred_at=self.clock.now(), producer=PRODUCER, data=data)
        self.log.append([record])
        return record.ref


def _periods(periods: Periods | None) -> tuple[PeriodScore, ...]:
    return tuple(_period(name, points) for name, points in (periods or {}).items())


def _period(name: str, points: tuple[int, int]) -> PeriodScore:
    if not isinstance(points, list | tuple) or len(points) != 2:
        raise ValueError(f"periods: {name} has {points!r}: pass home's and away's points in it, such as (28, 30)")
    return build(PeriodScore, period=name, home=points[0], away=points[1])


def _sound(result: T) -> T:
    _check_told(result)
    _check_winner(result)
    for score in result.periods:
        _check_period(score, result)
    return result


def _check_told(result: Result) -> None:
    if result.status == "FINAL" and all(told in (None, ()) for told in (getattr(result, name) for name in _TELLS)):
        raise ValueError(f"a FINAL result tells how it ended: pass one of {', '.join(_TELLS)}, or another status")


def _check_winner(result: Result) -> None:
    """A level score may have a winner (a shootout); an awarded game is no FINAL one."""
    if result.status != "FINAL" or result.winner is None or result.home is None or result.away is None:
        return
    ahead = "home" if result.home > result.away else "away"
    if result.home != result.away and result.winner != ahead:
        raise ValueError(
            f"winner: {result.winner} contradicts the score {result.home}-{result.away}, by which picks are graded: "
            "who went through is qualified, a game that was given away has status AWARDED"
        )


def _check_period(score: PeriodScore, result: Result) -> None:
    period = score.period.lower()
    if not _PERIOD.fullmatch(period):
        message = f"no pick is graded by the period {score.period}: h1, q1 to q4, p1 to p3, i1 to i9 and regulation are"
        warnings.warn(message, stacklevel=5)
    for side, scored, final in (("home", score.home, result.home), ("away", score.away, result.away)):
        if _PART.fullmatch(period) and final is not None and scored > final:
            raise ValueError(f"periods: {side} scored {scored} in {score.period}, and {final} in the whole game")
