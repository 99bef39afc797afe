"""What a settled pick came to: an outcome, its parts, and the profit per unit risked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

WHOLE = Fraction(1)


class GradingError(ValueError):
    """A pick, result or rule that can't be graded; the message begins with the column at fault."""


class Outcome(StrEnum):
    """The summary of a settlement; its parts are the truth."""

    WIN = "WIN"
    LOSS = "LOSS"
    PUSH = "PUSH"
    VOID = "VOID"
    HALF_WIN = "HALF_WIN"
    HALF_LOSS = "HALF_LOSS"
    DEAD_HEAT = "DEAD_HEAT"
    PARTIAL = "PARTIAL"
    UNGRADEABLE = "UNGRADEABLE"


@dataclass(frozen=True)
class Part:
    """A fraction of the stake with its own outcome; `unit_return` is per unit of this part."""

    fraction: Fraction
    outcome: Outcome
    unit_return: Fraction


@dataclass(frozen=True)
class Settlement:
    """An outcome with its parts, whose fractions sum to 1 (an UNGRADEABLE pick has none).

    `unit_return` is the profit per unit risked, None where UNGRADEABLE. `reason` is given where UNGRADEABLE or
    VOID. `rulebook` names the rulebook and version that settled it, None for a parlay of settled legs.
    """

    outcome: Outcome
    parts: tuple[Part, ...]
    unit_return: Fraction | None
    reason: str | None = None
    rulebook: str | None = None


# What the outcomes of the parts make together. VOID beside WIN: half of an abandoned total was decided.
_SUMMARY = {
    frozenset({Outcome.WIN, Outcome.PUSH}): Outcome.HALF_WIN,
    frozenset({Outcome.WIN, Outcome.VOID}): Outcome.HALF_WIN,
    frozenset({Outcome.LOSS, Outcome.PUSH}): Outcome.HALF_LOSS,
    frozenset({Outcome.LOSS, Outcome.VOID}): Outcome.HALF_LOSS,
}


def ungradeable(reason: str) -> Settlement:
    """No grade, and why."""
    return Settlement(Outcome.UNGRADEABLE, (), None, reason)


def void(reason: str) -> Settlement:
    """No action: the stake comes back, and why."""
    return Settlement(Outcome.VOID, (Part(WHOLE, Outcome.VOID, Fraction(0)),), Fraction(0), reason)


def straight(outcome: Outcome, odds: Fraction) -> Settlement:
    """The whole stake with one outcome: WIN, LOSS or PUSH."""
    return split([outcome], odds)


def split(outcomes: Sequence[Outcome], odds: Fraction) -> Settlement:
    """The stake in equal parts, one for each outcome (WIN, LOSS, PUSH, or VOID beside another)."""
    share = Fraction(1, len(outcomes))
    parts = tuple(Part(share, outcome, _profit(outcome, odds)) for outcome in outcomes)
    kinds = frozenset(outcomes)
    summary = outcomes[0] if len(kinds) == 1 else _SUMMARY[kinds]
    return Settlement(summary, parts, total_return(parts))


def dead_heat(places: int, tied: int, odds: Fraction) -> Settlement:
    """The stake shared by `tied` competitors for fewer `places`: a winning part and a losing part."""
    won = Fraction(places, tied)
    parts = (
        Part(won, Outcome.WIN, _profit(Outcome.WIN, odds)),
        Part(1 - won, Outcome.LOSS, _profit(Outcome.LOSS, odds)),
    )
    return Settlement(Outcome.DEAD_HEAT, parts, total_return(parts))


def total_return(parts: Sequence[Part]) -> Fraction:
    """Profit per unit of the whole stake."""
    return sum((part.fraction * part.unit_return for part in parts), Fraction(0))


def _profit(outcome: Outcome, odds: Fraction) -> Fraction:
    return {Outcome.WIN: odds - 1, Outcome.LOSS: Fraction(-1)}.get(outcome, Fraction(0))


# A stake lost, and one returned by ties, whatever the price was.
LOST: Final = straight(Outcome.LOSS, WHOLE)
PUSHED: Final = straight(Outcome.PUSH, WHOLE)
