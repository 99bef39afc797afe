"""A forecast: the distributions of margin and total, asked in the words of the betting markets."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engines.distribution import Chances, Distribution

VarianceBucket = Literal["LOW", "MEDIUM", "HIGH"]

LOW_ENTROPY = 0.85  # two outcomes: a favourite of 72 % or more
HIGH_ENTROPY = 0.97  # two outcomes: a favourite of 60 % or less

_SIDES: tuple[str, ...] = ("HOME", "AWAY")
_TOTAL_SIDES = ("OVER", "UNDER")
_TOTALS = ("TOTAL", "ASIAN_TOTAL")
_HANDICAPS = ("SPREAD", "ASIAN_HANDICAP")
_PERIODS = {True: ("", "FULL_GAME", "REGULATION"), False: ("", "FULL_GAME")}


@dataclass(frozen=True, slots=True)
class ScoreForecast:
    """What a model says of one game: `margin` is home less away, `total` both scores.

    `three_way`: a draw is an outcome of its own (football over 90 minutes). Markets are written as on record
    ("SPREAD", "SPREAD:FULL_GAME"), selections HOME, AWAY, DRAW, OVER, UNDER; a line is the selection's own.
    """

    margin: Distribution
    total: Distribution
    three_way: bool

    @property
    def expected_margin(self) -> float:
        """Expected home score less away score."""
        return self.margin.mean

    @property
    def margin_sd(self) -> float:
        """Standard deviation of the margin."""
        return self.margin.sd

    @property
    def expected_total(self) -> float:
        """Expected sum of both scores."""
        return self.total.mean

    @property
    def model_line(self) -> float:
        """The home side's fair spread: minus the expected margin."""
        return -self.margin.mean

    @property
    def probabilities(self) -> dict[str, float]:
        """Outcome probabilities, summing to 1: with a draw in football, else given that there is no tie."""
        home, draw, away = self.margin.against(0)
        if self.three_way:
            return {"HOME": home, "DRAW": draw, "AWAY": away}
        return {"HOME": home / (home + away), "AWAY": away / (home + away)}

    @property
    def variance_bucket(self) -> VarianceBucket:
        """How open the game is: entropy of the outcome over its maximum, LOW under 0.85, HIGH from 0.97 on."""
        chances = self.probabilities.values()
        entropy = -math.fsum(p * math.log(p) for p in chances if p > 0) / math.log(len(chances))
        if entropy < LOW_ENTROPY:
            return "LOW"
        return "HIGH" if entropy >= HIGH_ENTROPY else "MEDIUM"

    def p_win(self, market: str, selection: str, line: float | None = None) -> Chances:
        """Expected shares of the stake that win, push and lose.

        Raises:
            ValueError: a market, period, selection or line that this forecast does not cover.
        """
        market, selection = self._parse(market, selection)
        if market == "MONEYLINE_3WAY":
            return self._three_way(selection, line)
        if market in ("MONEYLINE", "DRAW_NO_BET"):
            return self._handicap(selection, _no_line(market, line) or 0.0)
        if line is None:
            raise ValueError(f"{market} needs a line")
        if market in _HANDICAPS:
            return self._handicap(selection, line)
        over, push, under = self.total.against(line)
        return Chances(over, push, under) if selection == "OVER" else Chances(under, push, over)

    def model_line_for(self, market: str, selection: str) -> float:
        """The model's fair line for the selection: its own signed spread, or the expected total."""
        return self._scale(market, selection).mean

    def distribution_summary(self, market: str = "SPREAD", selection: str = "HOME") -> dict[str, float]:
        """Mean, p10, p50 and p90 on the scale of `model_line_for`: points that the selection would have to be given."""
        return self._scale(market, selection).summary()

    def uncertainty(self, market: str, selection: str) -> float:
        """Standard deviation on the scale of `model_line_for`, in points."""
        return self._scale(market, selection).sd

    def edge_points(self, market: str, selection: str, line: float) -> float:
        """Points by which the line is better for the selection than the model's own; below 0 it is worse."""
        better = line - self.model_line_for(market, selection)
        return -better if selection.upper() == "OVER" else better

    def _parse(self, market: str, selection: str) -> tuple[str, str]:
        name, _, period = market.upper().partition(":")
        if name not in (*_TOTALS, *_HANDICAPS, "MONEYLINE", "DRAW_NO_BET", "MONEYLINE_3WAY"):
            raise ValueError(f"this engine does not price the market {market!r}")
        if period not in _PERIODS[self.three_way]:
            raise ValueError(f"this engine does not price the period {period!r}: it knows final scores only")
        if name == "MONEYLINE_3WAY" and not self.three_way:
            raise ValueError("a three-way moneyline is settled without overtime, this model's margins include it")
        known = _TOTAL_SIDES if name in _TOTALS else (*_SIDES, "DRAW") if name == "MONEYLINE_3WAY" else _SIDES
        if selection.upper() not in known:
            raise ValueError(f"{selection!r} is no selection of {name}: use one of {', '.join(known)}")
        return name, selection.upper()

    def _three_way(self, selection: str, line: float | None) -> Chances:
        _no_line("MONEYLINE_3WAY", line)
        p = self.probabilities
        return Chances(p[selection], 0.0, math.fsum(other for name, other in p.items() if name != selection))

    def _handicap(self, selection: str, line: float) -> Chances:
        own = self.margin if selection == "HOME" else self.margin.mirrored()
        return own.against(-line)

    def _scale(self, market: str, selection: str) -> Distribution:
        name, side = self._parse(market, selection)
        if name in _TOTALS:
            return self.total
        return self.margin if side == "AWAY" else self.margin.mirrored()


@dataclass(frozen=True, slots=True)
class Forecast(ScoreForecast):
    """A `ScoreForecast` of a named game, as issued at `issued_at` from results known by then.

    `confidence_index` in [0, 1): the share of the less known team's rating that rests on games seen, n / (n + 20),
    rather than on a prior.
    """

    league: str
    home: str
    away: str
    starts_at: datetime
    issued_at: datetime
    confidence_index: float
    model_version: str
    feature_set_version: str


def _no_line(market: str, line: float | None) -> float | None:
    if line not in (None, 0, 0.0):
        raise ValueError(f"{market} has no line, yet {line} was given")
    return line
