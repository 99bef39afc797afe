"""Settle a pick by a rulebook: from the status of the game to an outcome with its parts.

The definitions are in docs/settlement.md. Everything is exact; whatever no rule covers is UNGRADEABLE with a reason.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Final

from grading.market_rules import DECIDED_EARLY, MARKET_RULES, Bet, MarketRule, outright_rule, player_rule
from grading.markets import check_line, find_market, market_name, period_name, selection_name, shown, sport_name
from grading.outcomes import GradingError, Settlement, ungradeable, void
from grading.result import Result, Status
from grading.rulebook import STAND, VOID, Rulebook
from grading.scoreline import completed


@dataclass(frozen=True)
class Pick:
    """The terms of a pick; words in any case, an empty period is the full game.

    `line` is the line at pick (the selection's own, unless the rulebook's `line_refers_to` says home), None where
    the market has none. `odds` are decimal, above 1.
    """

    sport: str
    market: str
    period: str
    selection: str
    line: Fraction | None
    odds: Fraction


def settle(pick: Pick, result: Result, rulebook: Rulebook) -> Settlement:
    """What the pick came to; UNGRADEABLE with a reason, never an exception, for terms that make no sense."""
    try:
        settlement = _by_status(_bet(pick, rulebook), result, rulebook)
    except GradingError as error:
        settlement = ungradeable(str(error))
    return replace(settlement, rulebook=rulebook.label)


def _bet(pick: Pick, book: Rulebook) -> Bet:
    sport = sport_name(pick.sport)
    if sport != book.sport:
        raise GradingError(f"sport: rulebook {book.label} is for {book.sport}, not {sport}")
    market = market_name(pick.market)
    if market == "parlay":
        raise GradingError("market: a parlay is settled from its legs")
    if sport == "mixed":
        raise GradingError("sport: mixed is for parlays")
    kind = find_market(market)
    if sport == "golf" and kind is not None and kind.scored:
        # Strokes: the lower score wins, and no rule of the vocabulary says what a handicap on them means.
        raise GradingError(f"market: {market} compares scores, which golf does not settle by")
    return Bet(
        market=market,
        period=period_name(market, pick.period),
        selection=selection_name(market, pick.selection),
        line=check_line(market, _exact("line", pick.line)),
        odds=_odds(pick.odds),
    )


def _exact(column: str, value: object) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise GradingError(f"{column}: {shown(str(value))} is not an exact number")
    return Fraction(value)


def _odds(value: object) -> Fraction:
    odds = _exact("odds", value)
    if odds is None or odds <= 1:
        raise GradingError("odds: decimal odds must be above 1")
    return odds


def _by_status(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    status = _status(bet, result)
    changed = _voided_by_change(result, book)
    return void(changed) if changed else _STATUS_RULES[status](bet, result, book)


def _voided_by_change(result: Result, book: Rulebook) -> str | None:
    """Why the pick is on another game than the one played, whatever its status; None where it is not."""
    rules, limit = book.rules, book.rules.postponed_void_after_hours
    if result.venue_changed and rules.venue_change == VOID:
        return "result: venue_changed"
    if result.pitchers_changed and rules.listed_pitcher == VOID:
        return "result: pitchers_changed"
    # A limit of 0 voids what is POSTPONED, at once; it does not void a game that only starts late.
    if limit and result.start_delay_hours is not None and result.start_delay_hours > limit:
        return f"result: start_delay_hours is beyond {limit}"
    return None


def _status(bet: Bet, result: Result) -> Status:
    if result.status is not None:
        return result.status
    if outright_rule(bet.market):
        # `won` and `tied` are verdicts; a score or a statistic without a status may be one of a game in play.
        return Status.FINAL
    raise GradingError("result: status is missing")


def _played(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    rule = outright_rule(bet.market) or player_rule(bet.market) or MARKET_RULES[bet.market]
    return rule(bet, result, book)


def _postponed(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    delay, limit = result.start_delay_hours, book.rules.postponed_void_after_hours
    if delay is None:
        return void("result: status is POSTPONED")
    if delay > limit:
        return void(f"result: start_delay_hours is beyond {limit}")
    return _played(bet, result, book)


def _abandoned(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    if _official(result, book) or (book.rules.decided_markets_stand and _period_over(bet, result, book)):
        return _played(bet, result, book)
    undecided = void("result: status is ABANDONED, before the game was official or the market decided")
    early = DECIDED_EARLY.get(bet.market)
    if early is None or not book.rules.decided_markets_stand:
        return undecided
    return early(bet, result, book) or undecided


def _official(result: Result, book: Rulebook) -> bool:
    rules = book.rules
    return _reached(result.minutes_played, rules.official_after_minutes) or _reached(
        result.innings_played, rules.official_after_innings
    )


def _reached(played: Fraction | None, limit: Fraction | None) -> bool:
    return played is not None and limit is not None and played >= limit


def _period_over(bet: Bet, result: Result, book: Rulebook) -> bool:
    # An outright or a qualification has no period of its own that an abandoned game could have completed.
    return bet.market != "to_qualify" and not outright_rule(bet.market) and completed(bet.period, result, book)


def _retired(bet: Bet, result: Result, book: Rulebook) -> Settlement:
    if book.rules.retirement == VOID:
        return void("result: status is RETIRED")
    if bet.market == "moneyline" and result.qualified is not None:
        # Who retires loses, whatever the score was.
        return MARKET_RULES["to_qualify"](bet, result, book)
    return _played(bet, result, book)


def _unplayed(status: Status, bet: Bet, result: Result, book: Rulebook) -> Settlement:
    """CANCELLED, AWARDED or WALKOVER: the rulebook's [statuses] say VOID, or STAND on the score given."""
    if getattr(book.statuses, status.lower()) == STAND:
        return _played(bet, result, book)
    return void(f"result: status is {status}")


_STATUS_RULES: Final[dict[Status, MarketRule]] = {
    Status.FINAL: _played,
    Status.POSTPONED: _postponed,
    Status.ABANDONED: _abandoned,
    Status.RETIRED: _retired,
    Status.CANCELLED: partial(_unplayed, Status.CANCELLED),
    Status.AWARDED: partial(_unplayed, Status.AWARDED),
    Status.WALKOVER: partial(_unplayed, Status.WALKOVER),
}
