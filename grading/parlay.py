"""Picks that are paid together: parlays, round robins and teasers, from legs that are settled already."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import comb, prod
from typing import Final

from grading.markets import market_name, selection_name
from grading.outcomes import (
    LOST,
    PUSHED,
    WHOLE,
    GradingError,
    Outcome,
    Part,
    Settlement,
    straight,
    total_return,
    ungradeable,
    void,
)
from grading.rulebook import Rulebook, Teaser
from grading.settlement import Pick

# Far beyond any book's limit; each leg multiplies exact numbers, whose digits add up.
MOST_LEGS: Final = 100
MOST_PARLAYS: Final = 10_000

_HALVES: Final = {Outcome.HALF_WIN, Outcome.HALF_LOSS}
_SHARED: Final = {Outcome.DEAD_HEAT, Outcome.PARTIAL}


@dataclass(frozen=True)
class Leg:
    """A settled leg: decimal odds and outcome; `unit_return` is needed for DEAD_HEAT and PARTIAL only."""

    odds: Fraction
    outcome: Outcome
    unit_return: Fraction | None = None


# What a unit staked on the leg becomes, to be staked on the next one.
_MULTIPLIERS: Final[dict[Outcome, Callable[[Fraction], Fraction]]] = {
    Outcome.WIN: lambda odds: odds,
    Outcome.PUSH: lambda _: WHOLE,
    Outcome.VOID: lambda _: WHOLE,
    Outcome.HALF_WIN: lambda odds: (odds + 1) / 2,
    Outcome.HALF_LOSS: lambda _: Fraction(1, 2),
}


def settle_parlay(legs: Sequence[Leg]) -> Settlement:
    """One stake on all legs: a loss loses all, void and push legs drop out, a half leg makes it PARTIAL."""
    fault = _fault(legs)
    if fault:
        return ungradeable(fault)
    outcomes = {leg.outcome for leg in legs}
    if Outcome.LOSS in outcomes:
        return LOST
    if Outcome.UNGRADEABLE in outcomes:
        return ungradeable("legs: one is UNGRADEABLE")
    if outcomes == {Outcome.VOID}:
        return void("legs: all are VOID")
    if outcomes <= {Outcome.PUSH, Outcome.VOID}:
        return PUSHED
    gain = prod((_multiplier(leg) for leg in legs), start=WHOLE) - 1
    outcome = Outcome.PARTIAL if outcomes & (_HALVES | _SHARED) else Outcome.WIN
    return Settlement(outcome, (Part(WHOLE, outcome, gain),), gain)


def _fault(legs: Sequence[Leg]) -> str | None:
    if not 0 < len(legs) <= MOST_LEGS:
        return f"legs: {len(legs)} of them, 1 to {MOST_LEGS} can be settled"
    lost = any(leg.outcome is Outcome.LOSS for leg in legs)
    for number, leg in enumerate(legs, start=1):
        if leg.odds <= 1:
            return f"legs: the odds of leg {number} are not above 1"
        if leg.outcome in _SHARED and leg.unit_return is None and not lost:
            return f"legs: leg {number} is a {leg.outcome} without its unit return"
    return None


def _multiplier(leg: Leg) -> Fraction:
    if leg.outcome in _SHARED and leg.unit_return is not None:
        return 1 + leg.unit_return
    return _MULTIPLIERS[leg.outcome](leg.odds)


def settle_round_robin(legs: Sequence[Leg], size: int) -> Settlement:
    """The stake in equal parts on every parlay of `size` of the legs; PARTIAL where those differ."""
    if not 2 <= size <= len(legs) or comb(len(legs), size) > MOST_PARLAYS:
        return ungradeable(f"legs: {len(legs)} legs by {size} make no round robin of 1 to {MOST_PARLAYS} parlays")
    parlays = [settle_parlay(chosen) for chosen in combinations(legs, size)]
    for parlay in parlays:
        if parlay.outcome is Outcome.UNGRADEABLE:
            return parlay
    counts = Counter((parlay.outcome, parlay.unit_return or Fraction(0)) for parlay in parlays)
    parts = tuple(Part(Fraction(number, len(parlays)), outcome, gain) for (outcome, gain), number in counts.items())
    outcomes = {part.outcome for part in parts}
    summary = parts[0].outcome if len(outcomes) == 1 else Outcome.PARTIAL
    reason = "legs: all are VOID" if summary is Outcome.VOID else None
    return Settlement(summary, parts, total_return(parts), reason)


# Which way a teaser moves the selection's line.
_TEASED: Final = {"home": 1, "away": 1, "over": -1, "under": 1}


def teased(pick: Pick, points: Fraction, rulebook: Rulebook) -> Pick:
    """The pick, a spread or total, with its line moved in its favour by the teaser's points. Raises GradingError."""
    market = market_name(pick.market)
    if market not in ("spread", "total") or pick.line is None:
        raise GradingError("market: a teaser is made of spreads and totals with their lines")
    selection = selection_name(market, pick.selection)
    turned = selection == "away" and rulebook.rules.line_refers_to == "home"
    moved = pick.line + (-points if turned else points) * _TEASED[selection]
    return replace(pick, line=max(moved, Fraction(0)) if market == "total" else moved)


def settle_teaser(outcomes: Sequence[Outcome], card: Teaser) -> Settlement:
    """A teaser from the outcomes of its teased legs, paid by the card for as many legs as won.

    A loss loses all. Void legs drop out, and pushed ones unless the card says that ties lose; fewer than two legs
    left return the stake.
    """
    if not 2 <= len(outcomes) <= card.most_legs:
        return ungradeable(f"legs: the card has no price for {len(outcomes)} legs")
    kinds = set(outcomes)
    if not kinds <= {Outcome.WIN, Outcome.LOSS, Outcome.PUSH, Outcome.VOID}:
        return ungradeable("legs: a teaser's legs are WIN, LOSS, PUSH or VOID")
    if Outcome.LOSS in kinds or (Outcome.PUSH in kinds and card.ties == "LOSS"):
        return LOST
    if kinds == {Outcome.VOID}:
        return void("legs: all are VOID")
    won = sum(outcome is Outcome.WIN for outcome in outcomes)
    if won < 2:
        return PUSHED
    return straight(Outcome.WIN, card.price(won))
