"""How each market is decided: one function per market, in one table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from grading.markets import parse_score
from grading.outcomes import (
    GradingError,
    Outcome,
    Settlement,
    dead_heat,
    split,
    straight,
    ungradeable,
    void,
)
from grading.result import Result, Score
from grading.rulebook import VOID, Rulebook
from grading.scoreline import deciding_score, period_score, shootout_winner


@dataclass(frozen=True)
class Bet:
    """A pick whose terms are checked: every word known and in lower case, the line right for the market."""

    market: str
    period: str
    selection: str
    line: Fraction | None
    odds: Fraction


MarketRule = Callable[[Bet, Result, Rulebook], Settlement]
_Judge = Callable[[Fraction], Outcome]

_DOUBLE_CHANCE: Final = {"1x": (1, 0), "12": (1, -1), "x2": (0, -1)}
_SIGN_OF: Final = {"home": 1, "draw": 0, "away": -1}
_QUARTER: Final = Fraction(1, 4)


def lines_of(line: Fraction) -> Sequence[Fraction]:
    """The lines that the stake is split on: a quarter line's two neighbours, else the line itself."""
    if (line * 2).denominator == 1:
        return (line,)
    return (line - _QUARTER, line + _QUARTER)


def _on_lines(bet: Bet, judge: _Judge) -> Settlement:
    """Each part of the stake judged on its own line."""
    return split([judge(line) for line in lines_of(_line(bet))], bet.odds)


def _line(bet: Bet) -> Fraction:
    assert bet.line is not None  # noqa: S101 - `check_line` saw to it, this tells the type checker
    return bet.line


def _yes_no(won: bool, bet: Bet) -> Settlement:
    return straight(Outcome.WIN if won else Outcome.LOSS, bet.odds)


def _sign(value: Fraction | int) -> int:
    return (value > 0) - (value < 0)


def _against(value: Fraction | int) -> Outcome:
    return {1: Outcome.WIN, 0: Outcome.PUSH, -1: Outcome.LOSS}[_sign(value)]


def _margin(bet: Bet, result: Result, book: Rulebook) -> int:
    """Home's points less away's."""
    score = deciding_score(bet.period, result, book)
    return score.home - score.away


def _own_margin(bet: Bet, result: Result, book: Rulebook) -> int:
    """The selected side's points less the other's."""
    margin = _margin(bet, result, book)
    return margin if bet.selection == "home" else -margin


def _moneyline(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    outcome = _against(_own_margin(bet, result, book))
    if outcome is Outcome.PUSH:
        outcome = Outcome(book.rules.two_way_tie)
    return straight(outcome, bet.odds)


def _moneyline_3way(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    return _yes_no(_sign(_margin(bet, result, book)) == _SIGN_OF[bet.selection], bet)


def _draw_no_bet(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    return straight(_against(_own_margin(bet, result, book)), bet.odds)


def _double_chance(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    return _yes_no(_sign(_margin(bet, result, book)) in _DOUBLE_CHANCE[bet.selection], bet)


def _handicap(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    margin = _own_margin(bet, result, book)
    turn = -1 if bet.selection == "away" and book.rules.line_refers_to == "home" else 1
    return _on_lines(bet, lambda line: _against(margin + turn * line))


def _handicap_3way(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    """Home's points with home's line against away's; the draw's line is home's in any case."""
    turn = -1 if bet.selection == "away" and book.rules.line_refers_to == "selection" else 1
    margin = _margin(bet, result, book) + turn * _line(bet)
    return _yes_no(_sign(margin) == _SIGN_OF[bet.selection], bet)


def _counted(bet: Bet, score: Score) -> int:
    """The points that an over or under is about: a team's, or both teams'."""
    return {"home": score.home, "away": score.away}.get(bet.selection.partition("_")[0], sum(score))


def _is_over(bet: Bet) -> bool:
    return bet.selection.endswith("over")


def _over_under(points: Fraction | int, bet: Bet) -> Settlement:
    side = 1 if _is_over(bet) else -1
    return _on_lines(bet, lambda line: _against(side * (points - line)))


def _total(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    return _over_under(_counted(bet, period_score(bet.period, result, book)), bet)


def _total_so_far(bet: Bet, result: Result, book: Rulebook) -> Settlement | None:
    """What is decided of a total when play stops: each part whose line is already passed."""
    score = _score_so_far(bet, result, book)
    if score is None:
        return None
    decided = Outcome.WIN if _is_over(bet) else Outcome.LOSS
    points = _counted(bet, score)
    parts = [decided if points > line else Outcome.VOID for line in lines_of(_line(bet))]
    return split(parts, bet.odds) if decided in parts else None


def _both_score(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    both = min(period_score(bet.period, result, book)) > 0
    return _yes_no(both == (bet.selection == "yes"), bet)


def _both_scored_already(bet: Bet, result: Result, book: Rulebook) -> Settlement | None:
    score = _score_so_far(bet, result, book)
    return _yes_no(bet.selection == "yes", bet) if score is not None and min(score) > 0 else None


def _score_so_far(bet: Bet, result: Result, book: Rulebook) -> Score | None:
    """The period's score when play stopped; None where the result does not say."""
    try:
        return period_score(bet.period, result, book)
    except GradingError:
        return None


def _correct_score(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    return _yes_no(period_score(bet.period, result, book) == parse_score(bet.selection), bet)


def _to_qualify(bet: Bet, result: Result, _: Rulebook) -> Settlement:
    """Who goes on: as stated, else the shootout's winner; a score may be one leg of two and does not tell."""
    if result.qualified is not None:
        return _yes_no(bet.selection == result.qualified, bet)
    if result.penalties is None:
        raise GradingError("result: qualified is needed")
    return _yes_no(bet.selection == shootout_winner(result.penalties), bet)


def _player(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    absent = result.player_played is False or result.seconds_played == 0
    if absent and book.rules.did_not_play == VOID:
        return void("result: the player did not play")
    corrected = result.corrected_stat if book.rules.corrections == "REGRADE" else None
    stat = result.stat if corrected is None else corrected
    if stat is None:
        raise GradingError("result: stat is needed")
    return _over_under(stat, bet)


def _outright(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    if result.tied is None:
        if result.won is None:
            return ungradeable("result: won (or tied with places_available) is needed")
        return _yes_no(result.won, bet)
    if result.places_available is None:
        # A wrong divisor turns a profit into a loss, so it is never assumed.
        return ungradeable("result: places_available is needed beside tied")
    if result.tied > result.places_available and book.rules.dead_heat:
        return dead_heat(result.places_available, result.tied, bet.odds)
    return _yes_no(True, bet)


def outright_rule(market: str) -> MarketRule | None:
    """The rule of outright, group_winner and top_<n>; None for any other market."""
    return _outright if market in ("outright", "group_winner") or market.startswith("top_") else None


def player_rule(market: str) -> MarketRule | None:
    """The rule of player_<stat>; None for any other market."""
    return _player if market.startswith("player_") else None


MARKET_RULES: Final[dict[str, MarketRule]] = {
    "moneyline": _moneyline,
    "moneyline_3way": _moneyline_3way,
    "draw_no_bet": _draw_no_bet,
    "double_chance": _double_chance,
    "spread": _handicap,
    "asian_handicap": _handicap,
    "european_handicap_3way": _handicap_3way,
    "total": _total,
    "asian_total": _total,
    "team_total": _total,
    "both_teams_to_score": _both_score,
    "correct_score": _correct_score,
    "to_qualify": _to_qualify,
}

# What may be decided before the end. None: not yet.
DECIDED_EARLY: Final[dict[str, Callable[[Bet, Result, Rulebook], Settlement | None]]] = {
    "total": _total_so_far,
    "asian_total": _total_so_far,
    "team_total": _total_so_far,
    "both_teams_to_score": _both_scored_already,
}
