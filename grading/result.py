"""A result as it was reported: scores by period, status, and what else settlement needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from grading.markets import INNINGS, QUARTERS, THIRDS, shown
from grading.outcomes import GradingError
from grading.quantity import count, duration, flag, quantity


class Status(StrEnum):
    """What became of a game. A score alone is never a result."""

    FINAL = "FINAL"
    CANCELLED = "CANCELLED"
    POSTPONED = "POSTPONED"
    ABANDONED = "ABANDONED"
    AWARDED = "AWARDED"
    WALKOVER = "WALKOVER"
    RETIRED = "RETIRED"


class Score(NamedTuple):
    """Home's and away's points."""

    home: int
    away: int


@dataclass(frozen=True)
class Result:
    """Everything that settlement can use; None (or an absent period) is unknown, never 0.

    `final` is the score that counts everything played but a shootout. `periods` holds q1-q4, p1-p3 and i1-i9.
    `pitchers_changed` says that a listed starting pitcher did not start.
    """

    status: Status | None = None
    final: Score | None = None
    regulation: Score | None = None
    h1: Score | None = None
    periods: Mapping[str, Score] = field(default_factory=dict)
    penalties: Score | None = None
    extra_time: bool = False
    qualified: str | None = None
    minutes_played: Fraction | None = None
    innings_played: Fraction | None = None
    start_delay_hours: Fraction | None = None
    venue_changed: bool = False
    pitchers_changed: bool = False
    stat: Fraction | None = None
    corrected_stat: Fraction | None = None
    player_played: bool | None = None
    seconds_played: Fraction | None = None
    won: bool | None = None
    tied: int | None = None
    places_available: int | None = None


def parse_result(given: Mapping[str, object]) -> Result:
    """A result from a JSON object with the keys of docs/settlement.md; keys in any case, null is absent.

    Unknown keys are ignored. A period with one side missing counts as absent (the last inning may have one side
    only). Raises GradingError for a known key with a value that can't be one, and for half of a pair of
    regulation, h1 or penalties.
    """
    values: dict[str, object] = {}
    for key, value in given.items():
        read = _KEYS.get(key.strip().lower())
        if read is not None and value is not None:
            values[key.strip().lower()] = _read(key, value, read)
    return Result(
        final=_pair(values, "home", "away"),
        periods={
            name: score
            for name in (*QUARTERS, *THIRDS, *INNINGS)
            if (score := _pair(values, f"{name}_home", f"{name}_away"))
        },
        regulation=_whole_pair(values, "regulation"),
        h1=_whole_pair(values, "h1"),
        penalties=_whole_pair(values, "penalties"),
        **{name: values[name] for name in _SINGLE if name in values},  # type: ignore[arg-type] # by _SINGLE's readers
    )


def _read(key: str, value: object, read: Callable[[object], object]) -> object:
    try:
        return read(value)
    except ValueError as error:
        raise GradingError(f"result: {key} {error}") from error


def _pair(values: Mapping[str, object], home: str, away: str) -> Score | None:
    home_points, away_points = values.get(home), values.get(away)
    if isinstance(home_points, int) and isinstance(away_points, int):
        return Score(home_points, away_points)
    return None


def _whole_pair(values: Mapping[str, object], name: str) -> Score | None:
    """A pair that another score would stand in for, so that half of it must not pass for none."""
    home, away = f"{name}_home", f"{name}_away"
    if (home in values) != (away in values):
        raise GradingError(f"result: {home} and {away} belong together")
    return _pair(values, home, away)


def _status(value: object) -> Status:
    word = value.strip().upper() if isinstance(value, str) else ""
    if word not in Status.__members__:
        raise ValueError(f"is not one of {', '.join(Status)}")
    return Status(word)


def _side(value: object) -> str:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("home", "away"):
        raise ValueError(f"is {shown(str(value))}, not home or away")
    return word


def _at_least_one(value: object) -> int:
    number = count(value)
    if number == 0:
        raise ValueError("is 0")
    return number


_SINGLE: Final[dict[str, Callable[[object], object]]] = {
    "status": _status,
    "extra_time": flag,
    "qualified": _side,
    "minutes_played": duration,
    "innings_played": duration,
    "start_delay_hours": duration,
    "venue_changed": flag,
    "pitchers_changed": flag,
    "stat": quantity,
    "corrected_stat": quantity,
    "player_played": flag,
    "seconds_played": duration,
    "won": flag,
    "tied": _at_least_one,
    "places_available": _at_least_one,
}
_SCORED: Final = ("regulation", "h1", "penalties", *QUARTERS, *THIRDS, *INNINGS)
_KEYS: Final[dict[str, Callable[[object], object]]] = {
    **_SINGLE,
    **dict.fromkeys(("home", "away"), count),
    **dict.fromkeys((f"{name}_{side}" for name in _SCORED for side in ("home", "away")), count),
}
