"""Probabilities of whole numbers: margins and totals, and how a line splits them."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
NEGLIGIBLE = 1e-10  # keeps a forecast small: an NBA total has 401 values, of which about 200 matter


class Chances(NamedTuple):
    """Expected shares of the stake that win, push and lose; they sum to 1.

    On a quarter line they are the mean of the two neighbouring lines, so a half push counts half.
    """

    win: float
    push: float
    loss: float

    @property
    def p_cover(self) -> float:
        """P(win | no push); one half where a push is certain."""
        decided = self.win + self.loss
        return self.win / decided if decided > 0 else 0.5

    def expected_value(self, decimal_odds: float) -> float:
        """Expected profit per unit risked at these decimal odds (> 1)."""
        if not decimal_odds > 1:
            raise ValueError(f"decimal odds {decimal_odds} are no price: they must be above 1")
        return self.win * (decimal_odds - 1) - self.loss


@dataclass(frozen=True, slots=True)
class Distribution:
    """Probability of each whole number from `first` on; `mass` sums to 1."""

    first: int
    mass: tuple[float, ...]

    @classmethod
    def of(cls, first: int, weights: FloatArray) -> Self:
        """Scale non-negative weights, shape (n,), to probabilities; tails under 1e-10 at either end are cut off.

        Raises:
            ValueError: a weight that is negative or not finite, or none above 0.
        """
        total = float(weights.sum())
        if not (math.isfinite(total) and total > 0 and weights.min() >= 0):
            raise ValueError("weights must be finite, at least 0, and not all 0")
        held = np.flatnonzero(weights > NEGLIGIBLE * total)
        kept = weights[held[0] : held[-1] + 1]
        return cls(first + int(held[0]), tuple((kept / kept.sum()).tolist()))

    @property
    def mean(self) -> float:
        """Expected value."""
        return math.fsum(value * p for value, p in enumerate(self.mass, self.first))

    @property
    def sd(self) -> float:
        """Standard deviation."""
        mean = self.mean
        return math.sqrt(math.fsum((value - mean) ** 2 * p for value, p in enumerate(self.mass, self.first)))

    def against(self, line: float) -> Chances:
        """P(above), P(equal), P(below) the line: a multiple of 0.25, quarter lines as halves of their neighbours.

        Raises:
            ValueError: a line off the 0.25 grid.
        """
        quarters = float(line * 4)
        if not quarters.is_integer():
            raise ValueError(f"line {line} is not a multiple of 0.25")
        if quarters % 2:
            low, high = self.against(line - 0.25), self.against(line + 0.25)
            return Chances(*((a + b) / 2 for a, b in zip(low, high, strict=True)))
        start = min(max(0, math.ceil(line) - self.first), len(self.mass))
        stop = min(max(0, math.floor(line) + 1 - self.first), len(self.mass))
        return Chances(*(math.fsum(part) for part in (self.mass[stop:], self.mass[start:stop], self.mass[:start])))

    def quantile(self, p: float) -> float:
        """The value below which a share p in (0, 1) lies, each whole number spread evenly over value ± 1/2."""
        reached = 0.0
        for value, mass in enumerate(self.mass, self.first):
            if mass > 0 and reached + mass >= p:
                return value - 0.5 + (p - reached) / mass
            reached += mass
        return self.first + len(self.mass) - 0.5

    def mirrored(self) -> "Distribution":
        """The distribution of the negative."""
        return Distribution(-(self.first + len(self.mass) - 1), self.mass[::-1])

    def summary(self) -> dict[str, float]:
        """Mean and the 10th, 50th and 90th percentile."""
        return {"mean": self.mean, "p10": self.quantile(0.1), "p50": self.quantile(0.5), "p90": self.quantile(0.9)}
