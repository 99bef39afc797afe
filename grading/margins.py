"""Margin models: what a line is worth away from the close, by sport, fitted on real results.

The final margin (or total) k has probability proportional to w(k) · exp(-k² / 2s² + t·k): a discretised normal whose
weights w lift the key numbers, such as 3 and 7 in the NFL. The tilt t is set so that at the closing line the model
agrees with the fair closing probability; so a model only says how the chances move with the line. Parameters lie in
`margin_models.toml`, made by `python -m benchmarks.fit_margin_models`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grading.clv import Chances
from grading.markets import FULL_GAME, REGULATION, sport_name
from grading.outcomes import GradingError

Floats = NDArray[np.float64]
_KIND_OF: Final = {"spread": "spread", "asian_handicap": "spread", "total": "total", "asian_total": "total"}
_SIDES: Final = {"spread": {"home": 1, "away": -1}, "total": {"over": 1, "under": -1}}
_LARGEST_ROUNDS: Final = 100
_SOLVED: Final = 1e-12


class MarginError(ValueError):
    """A line or a probability that a model can say nothing about; the message says why."""


@dataclass(frozen=True, eq=False)
class MarginModel:
    """The final margin (home less away, `kind` spread) or the final total of one sport.

    `weights` are the w(k) for k = first, first + 1, ..., shape (outcomes,); a weight of 0 never happens.
    """

    name: str
    kind: str
    first: int
    deviation: float
    weights: Floats

    @cached_property
    def outcomes(self) -> Floats:
        """The margins or totals that the model knows, shape (outcomes,)."""
        return np.arange(self.first, self.first + len(self.weights), dtype=np.float64)

    @cached_property
    def _log_base(self) -> Floats:
        with np.errstate(divide="ignore"):
            logs: Floats = np.log(self.weights) - self.outcomes**2 / (2 * self.deviation**2)
        return logs

    def chances(self, selection: str, line: float, close_line: float, fair_close: float) -> Chances:
        """Shares of the stake that win, push and lose at `line`, given the fair probability of the closing line.

        Lines are the selection's own (home, away, over or under), in quarters at the finest; `fair_close` is the
        probability to win given no push, of a quarter line the winning share of the stake that is not returned.
        Raises MarginError for another selection, a line between quarters or beyond the model, a probability of 0 or 1.
        """
        win, loss = _chances(self, selection, line, close_line, fair_close)
        return Chances(win, max(0.0, 1 - win - loss), loss)

    def chances_many(
        self, selection: str, lines: ArrayLike, close_lines: ArrayLike, fair_closes: ArrayLike
    ) -> tuple[Floats, Floats]:
        """The shares that win and that lose for n picks on the same selection; all arrays are (n,).

        Raises MarginError as `chances` does, for the first pick at fault.
        """
        side = self._side(selection)
        fair = np.asarray(fair_closes, dtype=np.float64)
        if not ((fair > 0) & (fair < 1)).all():
            raise MarginError("a fair probability lies strictly between 0 and 1")
        odds_on = np.log(fair / (1 - fair))
        p = self._tilted(side, np.asarray(close_lines, dtype=np.float64), odds_on)
        win, loss = self._shares(side, np.asarray(lines, dtype=np.float64))
        return (p * win).sum(axis=1), (p * loss).sum(axis=1)

    def probabilities(self, close_lines: ArrayLike, fair_closes: ArrayLike) -> Floats:
        """The whole distribution for n games, from home's (or the over's) side: shape (n, outcomes)."""
        fair = np.asarray(fair_closes, dtype=np.float64)
        return self._tilted(1, np.asarray(close_lines, dtype=np.float64), np.log(fair / (1 - fair)))

    def _side(self, selection: str) -> int:
        side = _SIDES[self.kind].get(selection.strip().lower())
        if side is None:
            raise MarginError(f"{self.name} knows {' and '.join(_SIDES[self.kind])}, not {selection!r}")
        return side

    def _handicap(self, side: int, lines: Floats) -> Floats:
        """What is added to the side's outcome: positive is a win, 0 a push."""
        return lines if self.kind == "spread" else -side * lines

    def _shares(self, side: int, lines: Floats) -> tuple[Floats, Floats]:
        """The shares of the stake that win and lose at each line for each outcome: two of shape (lines, outcomes)."""
        if not (np.isfinite(lines) & (lines * 4 == np.rint(lines * 4))).all():
            raise MarginError("a line is a multiple of 0.25")
        # A quarter line is half a stake on each of its neighbours; any other is two halves on itself.
        apart = np.where(lines * 2 == np.rint(lines * 2), 0.0, 0.25)
        handicap = self._handicap(side, lines)
        signs = [np.sign(side * self.outcomes + (handicap + step)[:, None]) for step in (-apart, apart)]
        win, loss = (sum(sign == way for sign in signs) / 2 for way in (1, -1))
        if not (win.any(axis=1) & loss.any(axis=1)).all():
            raise MarginError(f"{self.name}: a line beyond {self.outcomes[0]:g} to {self.outcomes[-1]:g}")
        return win, loss

    def _tilted(self, side: int, close_lines: Floats, odds_on: Floats) -> Floats:
        """Probabilities whose shares that win and lose at the close stand in the ratio exp(odds_on): Newton, bracketed.

        The ratio grows with the tilt, whose derivative is the mean outcome of the winners less that of the losers.
        """
        win, loss = self._shares(side, close_lines)
        towards = side * self.outcomes
        tilt = -self._handicap(side, close_lines) / self.deviation**2  # puts the middle of the bell at the line
        low, high = np.full(len(tilt), -np.inf), np.full(len(tilt), np.inf)
        for _ in range(_LARGEST_ROUNDS):
            p = _normalised(self._log_base + tilt[:, None] * towards)
            won, lost = p * win, p * loss
            won_sum, lost_sum = won.sum(axis=1), lost.sum(axis=1)
            off = np.log(won_sum / lost_sum) - odds_on
            unsolved = np.abs(off) > _SOLVED
            if not unsolved.any():
                break
            # Winners lie a point or more above losers, so that the derivative is 1 at least and the root within `off`.
            reach = np.abs(off) + _SOLVED
            low, high = (
                np.where(off < 0, tilt, np.maximum(low, tilt - reach)),
                np.where(off > 0, tilt, np.minimum(high, tilt + reach)),
            )
            newton = tilt - off / (won @ towards / won_sum - lost @ towards / lost_sum)
            following = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
            tilt = np.where(unsolved, following, tilt)
        return p


def margin_model(sport: str, market: str, period: str = FULL_GAME) -> MarginModel | None:
    """The default model of a sport's market, words in any case; None where there is none, as for part of a game."""
    kind = _KIND_OF.get(market.strip().lower())
    whole = period.strip().lower() or FULL_GAME
    try:
        name = sport_name(sport)
    except GradingError:
        return None
    if kind is None or whole not in ((FULL_GAME, REGULATION) if name == "soccer" else (FULL_GAME,)):
        return None
    return _packaged().get((name, kind))


def chances(
    sport: str, market: str, selection: str, line: float, close_line: float, fair_close: float
) -> Chances | None:
    """`MarginModel.chances` by the default model of the sport; None where there is no model. Raises MarginError."""
    model = margin_model(sport, market)
    return None if model is None else model.chances(selection, line, close_line, fair_close)


@lru_cache(maxsize=65_536)  # all picks on one close ask the same
def _chances(
    model: MarginModel, selection: str, line: float, close_line: float, fair_close: float
) -> tuple[float, float]:
    win, loss = model.chances_many(selection, [line], [close_line], [fair_close])
    return float(win[0]), float(loss[0])


def _normalised(logs: Floats) -> Floats:
    p: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


@cache
def _packaged() -> Mapping[tuple[str, str], MarginModel]:
    text = resources.files("grading").joinpath("margin_models.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    version = told.pop("version")
    return {
        (sport, kind): _model(f"{sport}-{kind}@{version}", kind, entry)
        for sport, kinds in told.items()
        for kind, entry in kinds.items()
    }


def _model(name: str, kind: str, entry: Mapping[str, Any]) -> MarginModel:
    first, last = entry["first"], entry["last"]
    weights = np.ones(last - first + 1)
    start = entry["weights_from"] - first
    weights[start : start + len(entry["weights"])] = entry["weights"]
    return MarginModel(name, kind, first, entry["deviation"], weights)
