"""Scores of US sports: a normal margin and a normal or Poisson total, read off at whole numbers.

Source: H. Stern, On the probability of winning a football game, The American Statistician 45 (1991).
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy

from engines.distribution import Distribution, FloatArray
from engines.games import Matchup, SeenGames


@dataclass(frozen=True, slots=True)
class PointModel:
    """Margin and total of a game in points.

    The margin is normal around `home_points + slope x` (x: rating difference / 400) with `margin_sd`, read off at whole
    numbers and multiplied by `lumps`, the learnt ratio of seen to expected games by absolute margin: games end on 3 and
    7 in the NFL and by one run in MLB more often than a normal knows. The total is normal with `total_sd`, or Poisson
    where that is None. `ties`: a final score can be level. `prior_games`: the games that the starting values count for.
    """

    home_points: float
    slope: float
    margin_sd: float
    total_sd: float | None
    most_points: int
    ties: bool
    prior_games: float = 100.0
    lumps: tuple[float, ...] = ()

    def refitted(self, seen: SeenGames) -> "PointModel":
        """This model as prior, refitted to the games seen."""
        margin = seen.home - seen.away
        fitted = self._with_line(seen.x, margin)
        if self.total_sd is not None:
            miss = seen.home + seen.away - seen.expected_total
            fitted = replace(fitted, total_sd=self._pooled_sd(self.total_sd, miss))
        return fitted._with_lumps(seen.x, margin)

    def margin(self, matchup: Matchup) -> Distribution:
        """Home score less away score."""
        mass = self._normal_mass(np.array([matchup.x]))[0]
        if self.lumps:
            mass = mass * np.array(self.lumps)[np.abs(self._margins())]
        return Distribution.of(-self.most_points, mass)

    def total(self, matchup: Matchup) -> Distribution:
        """Both scores together, around the league's level at the pair's own pace."""
        expected = max(matchup.level + matchup.pace, matchup.level / 10)
        values = np.arange(4 * self.most_points + 1)
        if self.total_sd is None:
            return Distribution.of(0, np.exp(values * np.log(expected) - expected - scipy.special.gammaln(values + 1)))
        edges = (np.append(values, values[-1] + 1) - 0.5 - expected) / self.total_sd
        return Distribution.of(0, np.diff(scipy.special.ndtr(edges)))

    def _with_line(self, x: FloatArray, margin: FloatArray) -> "PointModel":
        # Ridge towards the prior line: as if `prior_games` games at x = -1/4 and 1/4 had ended on it.
        weights = self.prior_games * np.array([[1.0, 0.0], [0.0, 1 / 16]])
        design = np.column_stack([np.ones_like(x), x])
        line = np.array([self.home_points, self.slope])
        home_points, slope = np.linalg.solve(design.T @ design + weights, design.T @ margin + weights @ line)
        sd = self._pooled_sd(self.margin_sd, margin - home_points - slope * x)
        return replace(self, home_points=float(home_points), slope=float(slope), margin_sd=sd)

    def _with_lumps(self, x: FloatArray, margin: FloatArray) -> "PointModel":
        size = self.most_points + 1
        by_margin = self._normal_mass(x).sum(axis=0)
        expected = np.bincount(np.abs(self._margins()), weights=by_margin, minlength=size)
        seen = np.bincount(np.abs(margin).astype(int).clip(max=self.most_points), minlength=size)
        shrink = self.prior_games / 10
        lumps = (seen + shrink) / (expected + shrink)
        if not self.ties:
            lumps[0] = 0.0
        return replace(self, lumps=tuple(lumps.tolist()))

    def _normal_mass(self, x: FloatArray) -> FloatArray:
        edges = np.append(self._margins(), self.most_points + 1) - 0.5
        # Bounded, so that some of the mass always lies in the table.
        centre = (self.home_points + self.slope * x).clip(-self.most_points, self.most_points)
        mass: FloatArray = np.diff(scipy.special.ndtr((edges - centre[:, None]) / self.margin_sd), axis=1)
        if not self.ties:
            mass[:, self.most_points] = 0.0
        return mass

    def _margins(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.arange(-self.most_points, self.most_points + 1)

    def _pooled_sd(self, prior_sd: float, misses: FloatArray) -> float:
        squares = self.prior_games * prior_sd**2 + float((misses**2).sum())
        return float(np.sqrt(squares / (self.prior_games + len(misses))))
