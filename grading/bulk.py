"""Settlement of many picks at once with numpy: the same answers as `grading.settlement` on finished games.

Every market here compares one number with a threshold, so a pick is one row of a table: how home's score, away's
score, the lower of the two and the line add up, and which outcome each side of the threshold means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from grading.markets import LARGEST_LINE
from grading.outcomes import Outcome
from grading.quantity import LARGEST

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

OUTCOMES: Final = (
    Outcome.LOSS,
    Outcome.HALF_LOSS,
    Outcome.PUSH,
    Outcome.HALF_WIN,
    Outcome.WIN,
    Outcome.UNGRADEABLE,
)
_LOSS, _HALF_LOSS, _PUSH, _HALF_WIN, _WIN, _UNGRADEABLE = range(len(OUTCOMES))
_FACTORS: Final = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, np.nan])

# Outcomes for a value of two or more quarters below the threshold, one below, at it, one above, two or more above.
_HANDICAP: Final = (_LOSS, _HALF_LOSS, _PUSH, _HALF_WIN, _WIN)
_ABOVE: Final = (_LOSS, _LOSS, _LOSS, _WIN, _WIN)
_NOT_BELOW: Final = (_LOSS, _LOSS, _WIN, _WIN, _WIN)
_LEVEL: Final = (_LOSS, _LOSS, _WIN, _LOSS, _LOSS)
_UNEVEN: Final = (_WIN, _WIN, _LOSS, _WIN, _WIN)
_NOT_ABOVE: Final = (_WIN, _WIN, _WIN, _LOSS, _LOSS)


@dataclass(frozen=True)
class _Kind:
    """How a market's selection is decided: weights of home, away, the lower score and the line; outcomes by sign."""

    market: str
    selection: str
    weights: tuple[int, int, int, int]
    outcomes: tuple[int, ...]


_KINDS: Final = (
    _Kind("moneyline", "home", (1, -1, 0, 0), _HANDICAP),
    _Kind("moneyline", "away", (-1, 1, 0, 0), _HANDICAP),
    _Kind("moneyline_3way", "home", (1, -1, 0, 0), _ABOVE),
    _Kind("moneyline_3way", "draw", (1, -1, 0, 0), _LEVEL),
    _Kind("moneyline_3way", "away", (-1, 1, 0, 0), _ABOVE),
    _Kind("draw_no_bet", "home", (1, -1, 0, 0), _HANDICAP),
    _Kind("draw_no_bet", "away", (-1, 1, 0, 0), _HANDICAP),
    _Kind("double_chance", "1x", (1, -1, 0, 0), _NOT_BELOW),
    _Kind("double_chance", "12", (1, -1, 0, 0), _UNEVEN),
    _Kind("double_chance", "x2", (-1, 1, 0, 0), _NOT_BELOW),
    _Kind("spread", "home", (1, -1, 0, 1), _HANDICAP),
    _Kind("spread", "away", (-1, 1, 0, 1), _HANDICAP),
    _Kind("asian_handicap", "home", (1, -1, 0, 1), _HANDICAP),
    _Kind("asian_handicap", "away", (-1, 1, 0, 1), _HANDICAP),
    _Kind("total", "over", (1, 1, 0, -1), _HANDICAP),
    _Kind("total", "under", (-1, -1, 0, 1), _HANDICAP),
    _Kind("asian_total", "over", (1, 1, 0, -1), _HANDICAP),
    _Kind("asian_total", "under", (-1, -1, 0, 1), _HANDICAP),
    _Kind("team_total", "home_over", (1, 0, 0, -1), _HANDICAP),
    _Kind("team_total", "home_under", (-1, 0, 0, 1), _HANDICAP),
    _Kind("team_total", "away_over", (0, 1, 0, -1), _HANDICAP),
    _Kind("team_total", "away_under", (0, -1, 0, 1), _HANDICAP),
    _Kind("both_teams_to_score", "yes", (0, 0, 1, 0), _ABOVE),
    _Kind("both_teams_to_score", "no", (0, 0, 1, 0), _NOT_ABOVE),
)
_CODES: Final = {(kind.market, kind.selection): code for code, kind in enumerate(_KINDS)}
# One row more, for what is in no table: it is UNGRADEABLE whatever the score.
_WEIGHTS: Final = np.array([*(kind.weights for kind in _KINDS), (0, 0, 0, 0)], dtype=np.int64)
_TABLE: Final = np.array([*(kind.outcomes for kind in _KINDS), (_UNGRADEABLE,) * 5], dtype=np.int8)
_TIED: Final = np.array([kind.market == "moneyline" for kind in _KINDS] + [False])
_TOTAL: Final = np.array([kind.market.endswith("total") for kind in _KINDS] + [False])


@dataclass(frozen=True)
class BulkSettlement:
    """Outcomes as indices into `OUTCOMES` (int8) and profit per unit risked (float64, NaN where UNGRADEABLE), (n,)."""

    outcomes: Codes
    unit_returns: Floats

    def counts(self) -> dict[Outcome, int]:
        """How many picks came to each outcome."""
        numbers = np.bincount(self.outcomes, minlength=len(OUTCOMES))
        return dict(zip(OUTCOMES, numbers.tolist(), strict=True))


def kind_codes(markets: Sequence[str], selections: Sequence[str]) -> Codes:
    """The code of each market with its selection, words in any case; what bulk settlement lacks gets its own code.

    Shapes: two sequences of n words give (n,) int8.
    """
    words: dict[tuple[str, str], int] = {}
    codes = np.empty(len(markets), dtype=np.int8)
    for row, pair in enumerate(zip(markets, selections, strict=True)):
        if pair not in words:
            words[pair] = _CODES.get((pair[0].strip().lower(), pair[1].strip().lower()), len(_KINDS))
        codes[row] = words[pair]
    return codes


def settle_many(
    kinds: Codes,
    lines: Floats,
    home: npt.NDArray[np.integer],
    away: npt.NDArray[np.integer],
    profits: Floats,
    *,
    two_way_tie: Outcome = Outcome.PUSH,
) -> BulkSettlement:
    """Settle n picks on the scores of their periods.

    All arrays are (n,): `kinds` from `kind_codes`; `lines` the selection's own, ignored where the market has none;
    `home` and `away` the points in the pick's period; `profits` decimal odds less 1, so that a whole win returns
    exactly this number and a half win exactly its half. UNGRADEABLE: unknown kinds, lines that are no multiple of
    0.25 or negative totals, negative scores, profits not above 0. Raises ValueError for shapes that differ or a
    `two_way_tie` other than PUSH and LOSS. Time and memory grow with n only.
    """
    if len({kinds.shape, lines.shape, home.shape, away.shape, profits.shape}) != 1:
        raise ValueError("kinds, lines, home, away and profits must have one shape")
    if two_way_tie not in (Outcome.PUSH, Outcome.LOSS):
        raise ValueError(f"two_way_tie is {two_way_tie}, not PUSH or LOSS")
    home, away = home.astype(np.int64), away.astype(np.int64)
    weights = _WEIGHTS[kinds]
    lined = weights[:, 3] != 0
    quarters, on_grid = _quarters(lines, lined)
    value = 4 * (weights[:, 0] * home + weights[:, 1] * away + weights[:, 2] * np.minimum(home, away))
    value += weights[:, 3] * quarters
    outcomes = _table(two_way_tie)[kinds, np.clip(value, -2, 2) + 2]
    sound = on_grid & ~(_TOTAL[kinds] & (quarters < 0)) & _sound(home, away, profits)
    outcomes = np.where(sound, outcomes, np.int8(_UNGRADEABLE)).astype(np.int8)
    return BulkSettlement(outcomes, _returns(outcomes, profits))


def _quarters(lines: Floats, lined: npt.NDArray[np.bool_]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The lines in quarters of a point, and which of them are on that grid."""
    used = np.where(lined, lines, 0.0)
    readable = np.abs(used) <= LARGEST_LINE
    scaled = np.where(readable, used, 0.0) * 4
    whole = np.rint(scaled)
    return whole.astype(np.int64), readable & (whole == scaled)


def _sound(home: npt.NDArray[np.integer], away: npt.NDArray[np.integer], profits: Floats) -> npt.NDArray[np.bool_]:
    scores: npt.NDArray[np.bool_] = (np.minimum(home, away) >= 0) & (np.maximum(home, away) <= LARGEST)
    prices: npt.NDArray[np.bool_] = (profits > 0) & np.isfinite(profits)
    return scores & prices


def _table(two_way_tie: Outcome) -> Codes:
    table = _TABLE.copy()
    table[_TIED, 2] = _PUSH if two_way_tie is Outcome.PUSH else _LOSS
    return table


def _returns(outcomes: Codes, profits: Floats) -> Floats:
    factors = _FACTORS[outcomes]
    # A loss costs the stake, or half of it; a win pays the price.
    return np.where(factors > 0, factors * profits, factors)
