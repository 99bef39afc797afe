"""Out-of-time forecasts: each pick is scored by a challenger that learned only from what was on record before it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.calibrators import IDENTITY, MINIMUM, CalibrationMap, fit, gate_prior
from calibration.newton import FitError
from grading.scores import Floats, Integers, checked

Times = NDArray[np.int64]

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Picks:
    """Settled official picks in the order in which their results went on record.

    p, y: raw probability and 0/1 outcome; event: integer code of the game; issued, recorded: when the pick was issued
    and when its result was on record, integers of one unit (microseconds where a window is asked for).
    """

    p: Floats
    y: Floats
    event: Integers
    issued: Times
    recorded: Times

    def __len__(self) -> int:
        return self.p.size

    def where(self, chosen: NDArray[np.bool_]) -> "Picks":
        """The chosen picks, in the same order."""
        return Picks(self.p[chosen], self.y[chosen], self.event[chosen], self.issued[chosen], self.recorded[chosen])


def picks(p: ArrayLike, y: ArrayLike, event: ArrayLike, issued: ArrayLike, recorded: ArrayLike) -> Picks:
    """Check rows and order them by `recorded` (ties as given); ValueError where a result precedes its pick.

    An empty segment is allowed: it never gets a look.
    """
    times = np.asarray(issued, dtype=np.int64), np.asarray(recorded, dtype=np.int64)
    codes = np.unique(np.asarray(event), return_inverse=True)[1].astype(np.intp)
    if np.size(p) == 0 and np.size(y) == 0:
        nothing = np.empty(0)
        return Picks(nothing, nothing, codes, *times)
    probabilities, outcomes = checked(p, y)
    if {codes.size, times[0].size, times[1].size} != {probabilities.size}:
        raise ValueError("p, y, event, issued and recorded must have the same number of rows")
    if (times[1] < times[0]).any():
        row = int(np.flatnonzero(times[1] < times[0])[0])
        raise ValueError(f"the result at position {row} was on record before its pick was issued")
    order = np.argsort(times[1], kind="stable")
    return Picks(probabilities[order], outcomes[order], codes[order], times[0][order], times[1][order])


@dataclass(frozen=True)
class Schedule:
    """When challengers are refitted, and on what: looks by results on record, a window of at least so much.

    The first look comes at result `first`, the next `every` results or the share `growth` of them later, whichever is
    more. `window_days` None trains on everything; else on the last `window_days`, reaching back to `window_rows` rows.
    """

    first: int = 200
    every: int = 100
    growth: float = 0.05
    window_days: int | None = None
    window_rows: int = 1_000

    def looks(self, recorded: Times) -> Integers:
        """Return how many results are on record at each look; results of one instant are seen together."""
        ends = (
            np.flatnonzero(np.diff(recorded, append=recorded[-1:] + 1)) + 1 if recorded.size else np.empty(0, np.intp)
        )
        looks: list[int] = []
        due = self.first
        while due <= recorded.size:
            n = int(ends[np.searchsorted(ends, due)])
            looks.append(n)
            due = n + max(self.every, int(n * self.growth))
        return np.array(looks, dtype=np.intp)

    def window_start(self, recorded: Times, n: int) -> int:
        """Return the first row of the training window of a look at n results."""
        if self.window_days is None:
            return 0
        since = recorded[n - 1] - self.window_days * MICROSECONDS_A_DAY
        return min(int(np.searchsorted(recorded, since)), max(0, n - self.window_rows))


Centre = Callable[[int], tuple[float, ...] | None]
"""What a fit at a time is shrunk towards: the parent's parameters on record by then, or None for the identity."""


@dataclass(frozen=True)
class Forward:
    """One method walked forward: at[k] and maps[k] are look k's time and challenger, n[k] the results then on record.

    look[i] is the challenger that scores pick i, the newest one whose look came strictly before the pick was issued, -1
    where there was none; q[i] is its probability, raw p where there was none.
    """

    method: str
    at: Times
    n: Integers
    maps: tuple[CalibrationMap, ...]
    look: Integers
    q: Floats

    def centre(self, time: int) -> tuple[float, ...] | None:
        """Return the parameters of the newest challenger on record at a time, for a child segment to shrink to."""
        k = int(np.searchsorted(self.at, time, side="right")) - 1
        if k < 0 or self.maps[k].method != self.method or self.method == "isotonic":
            return None
        return self.maps[k].newton_parameters()


def walk_forward(rows: Picks, method: str, schedule: Schedule, centre: Centre | None = None) -> Forward:
    """Refit a challenger at every look and score each pick by the newest one on record before it was issued."""
    n = schedule.looks(rows.recorded)
    at = rows.recorded[n - 1]
    maps: list[CalibrationMap] = []
    for end, time in zip(n.tolist(), at.tolist(), strict=True):
        previous = maps[-1] if maps else IDENTITY
        start = schedule.window_start(rows.recorded, end)
        maps.append(challenger(rows.p[start:end], rows.y[start:end], method, previous, centre and centre(time)))
    look = np.searchsorted(at, rows.issued, side="left") - 1
    return Forward(method, at, n, tuple(maps), look, _scored(rows.p, look, maps))


def challenger(
    p: Floats, y: Floats, method: str, previous: CalibrationMap, centre: tuple[float, ...] | None
) -> CalibrationMap:
    """Return the gate's map of these rows: penalised towards the centre; the identity where nothing can be learned."""
    if p.size < MINIMUM[method] or p.min() == p.max() or y.min() == y.max():
        return IDENTITY
    start = previous.newton_parameters() if previous.method == method != "isotonic" else None
    try:
        return fit(method, p, y, prior=gate_prior(method, p, centre), start=start)
    except FitError:
        return IDENTITY


def _scored(p: Floats, look: Integers, maps: list[CalibrationMap]) -> Floats:
    q = p.copy()
    order = np.argsort(look, kind="stable")
    edges = np.searchsorted(look[order], np.arange(len(maps) + 1))
    for k, (start, end) in enumerate(pairwise(edges.tolist())):
        if end > start:
            q[order[start:end]] = maps[k].served(p[order[start:end]])
    return q
