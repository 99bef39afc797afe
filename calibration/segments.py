"""Segments, league × market, and which level's map serves a pick: its own, its market's, the global one, or none."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from calibration.calibrators import EPS, IDENTITY, CalibrationMap

ALL = "*"
MINIMUM_ROWS = 500

COMPLEMENTED = frozenset({"AWAY", "UNDER", "NO", "HOME_UNDER", "AWAY_UNDER"})


@dataclass(frozen=True, order=True)
class Segment:
    """A league × market; "*" stands for all leagues or all markets. Written LEAGUE|MARKET, in capitals."""

    league: str
    market: str

    @property
    def level(self) -> str:
        """league_market, market or global."""
        if self.league != ALL:
            return "league_market"
        return "global" if self.market == ALL else "market"

    def __str__(self) -> str:
        return f"{self.league}|{self.market}"


GLOBAL = Segment(ALL, ALL)


def segment(league: str, market: str) -> Segment:
    """Return the segment of a league and market key, whatever their case; ValueError where one is empty."""
    if not league.strip() or not market.strip():
        raise ValueError(f"a segment needs a league and a market, not {league!r} and {market!r}")
    return Segment(league.strip().upper(), market.strip().upper())


def parse_segment(text: str) -> Segment:
    """Return the segment that was written LEAGUE|MARKET; ValueError for anything else."""
    league, bar, market = text.partition("|")
    if not bar:
        raise ValueError(f"a segment is written LEAGUE|MARKET, not {text!r}")
    return segment(league, market)


def levels(own: Segment) -> tuple[Segment, ...]:
    """Return a segment and those that it falls back to, nearest first."""
    chain = (own, Segment(ALL, own.market), GLOBAL)
    return tuple(dict.fromkeys(chain))


def is_complement(market: str, selection: str, two_way: bool = True) -> bool:
    """Whether a two-way pick is the side whose probability is learned as 1 - p of home, over or yes.

    A player's prop goes by its word, so that UNDER:<player> is the complement of OVER:<player>. With three outcomes the
    away side is not the complement of home: pass two_way=False, and nothing is turned.
    """
    three_way = "3WAY" in market.upper().replace("-", "").replace("_", "")
    return two_way and not three_way and selection.partition(":")[0].strip().upper() in COMPLEMENTED


@dataclass(frozen=True)
class SegmentModel:
    """A segment's map, how many settled picks it stands on, and whether the gate (or a person) has activated it."""

    map: CalibrationMap
    n: int
    active: bool


@dataclass(frozen=True)
class Calibrated:
    """A calibrated probability and where it comes from.

    level: league_market, market, global, or identity where no level has enough settled picks. `extrapolated` marks a
    map applied to a prediction that was never published: it was learned from published picks only.
    """

    p: float
    level: str
    segment: str
    method: str
    version: str | None
    extrapolated: bool


@dataclass(frozen=True)
class CalibrationModel:
    """The maps of a version, looked up in memory: a dictionary and a little arithmetic, microseconds a call."""

    segments: Mapping[Segment, SegmentModel]
    version: str | None = None
    minimum: int = MINIMUM_ROWS

    def calibrate(
        self, raw: float, league: str, market: str, complement: bool = False, published: bool = False
    ) -> Calibrated:
        """Return the probability as served: the nearest level with enough settled picks decides, active or not.

        An unknown league falls back to its market, an unknown market to the global map, and where no level has
        enough picks raw p comes back at level "identity". ValueError for NaN or p outside [0, 1].
        """
        if not 0 <= raw <= 1:
            raise ValueError(f"a probability must lie in [0, 1], not {raw!r}")
        own = segment(league, market)
        decides = self._deciding(own)
        if decides is None:
            return Calibrated(raw, "identity", str(own), "identity", self.version, extrapolated=False)
        model = self.segments[decides]
        return self._answer(raw, decides, model.map if model.active else IDENTITY, complement, published)

    def serving(self, league: str, market: str) -> str | None:
        """The segment that decides about a league and market; None where raw p is served for want of picks."""
        decides = self._deciding(segment(league, market))
        return None if decides is None else str(decides)

    def _deciding(self, own: Segment) -> Segment | None:
        for candidate in levels(own):
            model = self.segments.get(candidate)
            if model is not None and model.n >= self.minimum:
                return candidate
        return None

    def _answer(self, raw: float, at: Segment, used: CalibrationMap, complement: bool, published: bool) -> Calibrated:
        p = 1 - served_one(used, 1 - raw) if complement else served_one(used, raw)
        extrapolated = not published and used.method != "identity"
        return Calibrated(p, at.level, str(at), used.method, self.version, extrapolated)


def served_one(used: CalibrationMap, p: float) -> float:
    """Return `used.served` of one probability without arrays, which cost more than the arithmetic."""
    if used.method == "identity":
        return p
    if used.method == "isotonic":
        e = min(0.5, 1 / math.sqrt(used.n + 2))
        return min(max(_interpolated(used.params["x"], used.params["y"], p), e), 1 - e)
    clipped = min(max(p, EPS), 1 - EPS)
    log_p, log_rest = math.log(clipped), math.log1p(-clipped)
    first, *others = used.newton_parameters()
    if used.method == "beta":
        return _expit(first * log_p - others[0] * log_rest + others[1])
    return _expit(first * (log_p - log_rest) + (others[0] if others else 0.0))


def _expit(z: float) -> float:
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    grown = math.exp(max(z, -745.0))
    return grown / (1 + grown)


def _interpolated(x: tuple[float, ...], y: tuple[float, ...], p: float) -> float:
    right = bisect_right(x, p)
    if right == 0:
        return y[0]
    if right == len(x):
        return y[-1]
    share = (p - x[right - 1]) / (x[right] - x[right - 1])
    return y[right - 1] + share * (y[right] - y[right - 1])
