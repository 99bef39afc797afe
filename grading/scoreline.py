"""The score of a period, from whatever the result states; and whether a stopped game completed it."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Final

from grading.markets import FULL_GAME, INNINGS, QUARTERS, REGULATION, THIRDS, WITH_EXTRA_TIME
from grading.outcomes import GradingError
from grading.result import Result, Score
from grading.rulebook import Rulebook

# Minutes of a quarter (third in hockey), to know which of them a stopped game completed.
_PERIOD_MINUTES: Final = {"nfl": 15, "ncaaf": 15, "nba": 12, "wnba": 10, "nhl": 20}


def period_score(period: str, result: Result, book: Rulebook) -> Score:
    """The points of the period, without any shootout. Raises GradingError where the result lacks them."""
    return _SCORES[period](result, book)


def deciding_score(period: str, result: Result, book: Rulebook) -> Score:
    """The points of the period, with one goal more for the winner of a shootout that counts in it."""
    score = period_score(period, result, book)
    if result.penalties is None or not _shootout_counts(period, book) or score.home != score.away:
        return score
    winner = shootout_winner(result.penalties)
    return Score(score.home + (winner == "home"), score.away + (winner == "away"))


def shootout_winner(penalties: Score) -> str:
    """The side that won a shootout. Raises GradingError for a level one."""
    if penalties.home == penalties.away:
        raise GradingError("result: penalties_home and penalties_away are level")
    return "home" if penalties.home > penalties.away else "away"


def completed(period: str, result: Result, book: Rulebook) -> bool:
    """Whether a game that was abandoned had completed the period."""
    return _COMPLETED[period](result, book)


def _shootout_counts(period: str, book: Rulebook) -> bool:
    if period == FULL_GAME:
        return book.rules.shootout_counts and _beyond_regulation(book)
    return period == WITH_EXTRA_TIME


def _beyond_regulation(book: Rulebook) -> bool:
    rules = book.rules
    return rules.extra_time_counts if book.sport == "soccer" else rules.overtime_counts


def _known(score: Score | None, names: str) -> Score:
    if score is None:
        raise GradingError(f"result: {names} are needed")
    return score


def _final(result: Result, _: Rulebook) -> Score:
    return _known(result.final, "home and away")


def _regulation(result: Result, book: Rulebook) -> Score:
    if result.regulation is not None:
        return result.regulation
    if result.extra_time:
        raise GradingError("result: regulation_home and regulation_away are needed after extra time")
    return _final(result, book)


def _full_game(result: Result, book: Rulebook) -> Score:
    return _final(result, book) if _beyond_regulation(book) else _regulation(result, book)


def _first_half(result: Result, _: Rulebook) -> Score:
    if result.h1 is not None:
        return result.h1
    q1, q2 = result.periods.get("q1"), result.periods.get("q2")
    if q1 is None or q2 is None:
        raise GradingError("result: h1_home and h1_away (or q1 and q2) are needed")
    return Score(q1.home + q2.home, q1.away + q2.away)


def _second_half(result: Result, book: Rulebook) -> Score:
    whole = _final if book.rules.second_half_includes_overtime else _regulation
    end, half = whole(result, book), _first_half(result, book)
    if end.home < half.home or end.away < half.away:
        raise GradingError("result: h1_home or h1_away is above the score at the end")
    return Score(end.home - half.home, end.away - half.away)


def _stated(period: str, result: Result, _: Rulebook) -> Score:
    return _known(result.periods.get(period), f"{period}_home and {period}_away")


def _never(_: Result, __: Rulebook) -> bool:
    return False


def _regulation_over(result: Result, _: Rulebook) -> bool:
    return result.extra_time


def _full_game_over(result: Result, book: Rulebook) -> bool:
    return not _beyond_regulation(book) and result.extra_time


def _second_half_over(result: Result, book: Rulebook) -> bool:
    return not book.rules.second_half_includes_overtime and result.extra_time


def _first_half_over(result: Result, book: Rulebook) -> bool:
    return result.h1 is not None or all(completed(quarter, result, book) for quarter in ("q1", "q2"))


def _timed_over(period: str, result: Result, book: Rulebook) -> bool:
    """A quarter or third is over when its score is there and the clock, where known, does not say otherwise."""
    minutes = _PERIOD_MINUTES.get(book.sport)
    return period in result.periods and _not_cut_short(result.minutes_played, minutes and minutes * _number(period))


def _inning_over(period: str, result: Result, _: Rulebook) -> bool:
    return period in result.periods and _not_cut_short(result.innings_played, _number(period))


def _number(period: str) -> int:
    """1 for q1, p1 or i1, and so on."""
    return int(period[1:])


def _not_cut_short(played: Fraction | None, needed: int | None) -> bool:
    return played is None or needed is None or played >= needed


_ScoreOf = Callable[[Result, Rulebook], Score]
_Test = Callable[[Result, Rulebook], bool]

_SCORES: Final[dict[str, _ScoreOf]] = {
    FULL_GAME: _full_game,
    REGULATION: _regulation,
    WITH_EXTRA_TIME: _final,
    "first_half": _first_half,
    "second_half": _second_half,
    **{period: partial(_stated, period) for period in (*QUARTERS, *THIRDS, *INNINGS)},
}
_COMPLETED: Final[dict[str, _Test]] = {
    FULL_GAME: _full_game_over,
    REGULATION: _regulation_over,
    WITH_EXTRA_TIME: _never,
    "first_half": _first_half_over,
    "second_half": _second_half_over,
    **{period: partial(_timed_over, period) for period in (*QUARTERS, *THIRDS)},
    **{period: partial(_inning_over, period) for period in INNINGS},
}
