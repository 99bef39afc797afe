"""The activation gate: a sequential test that a calibrated forecast beats the raw one, and the monitor that undoes it.

E = exp(cumulated log-loss gain of the challenger on picks issued after it was fitted, the mean over one event's picks
counting once). If raw forecasts are calibrated, E is a supermartingale whatever the challenger does, so it reaches 20
at any time with a probability of at most 1/20 (Ville), however often one looks. See docs/calibration.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy
from numpy.typing import NDArray

from calibration.calibrators import METHODS
from calibration.segments import MINIMUM_ROWS
from calibration.walk_forward import Centre, Forward, Picks, Schedule, walk_forward
from grading.bootstrap import RESAMPLES, event_sums, lower_bounds
from grading.scores import Floats, Integers, brier_terms, log_loss_terms

AUTO = ("platt", "temperature", "beta", "isotonic")
ECE_BINS = 10
FAR = 0.75
"""Below this share of the standard errors that a normal lower bound would ask for, the bootstrap is not run."""

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class GateConfig:
    """What activation asks for; alpha is 1 / evidence, per segment and per episode (see docs/calibration.md)."""

    schedule: Schedule = field(default_factory=Schedule)
    minimum: int = MINIMUM_ROWS
    evidence: float = 20.0
    level: float = 0.95
    resamples: int = RESAMPLES


@dataclass(frozen=True)
class Scores:
    """Pooled scores of one forecast on the out-of-time picks of a look."""

    ece: float
    brier: float
    log_loss: float


@dataclass(frozen=True)
class Look:
    """One look: what was on record, what it showed, and why it did or did not decide for the challenger.

    `n` counts settled picks, `out_of_time` those that were scored out of time; `brier_bound` and `log_loss_bound`
    are the one-sided lower bounds of the gains, None where an earlier criterion had failed already.
    """

    phase: str
    at: int
    n: int
    out_of_time: int
    method: str
    e: float
    max_e: float
    before: Scores
    after: Scores
    brier_bound: float | None
    log_loss_bound: float | None
    decides: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class GateRun:
    """A segment's whole history at the gate.

    served[i] is what pick i would have been served with: raw while the gate was shut. `open_since` is the time of the
    activation in force at the end, None if shut; `method` the one in force, or the leading one.
    """

    looks: tuple[Look, ...]
    forwards: Mapping[str, Forward]
    served: Floats
    open_since: int | None
    method: str

    @property
    def activates(self) -> bool:
        """Whether the gate is open at the end."""
        return self.open_since is not None

    @property
    def decisive(self) -> Look | None:
        """The look that the verdict rests on: the one that opened the gate if it is open, else the newest."""
        opened = (look for look in reversed(self.looks) if look.phase == "GATE" and look.decides)
        return next(opened, None) if self.activates else next(reversed(self.looks), None)

    @property
    def first_activation(self) -> Look | None:
        """The look that opened the gate first, if any did."""
        return next((look for look in self.looks if look.phase == "GATE" and look.decides), None)


def run_gate(
    rows: Picks,
    method: str,
    config: GateConfig | None = None,
    centres: Mapping[str, Centre] | None = None,
    rolled_back: Sequence[int] = (),
) -> GateRun:
    """Walk a segment through every look: shut until the test passes, then monitored with the roles exchanged.

    method: one of calibrators.METHODS, or "auto", which averages the E of all four and activates the leading one.
    rolled_back: times at which the segment was rolled back on record; an open gate shuts then, and starts anew.
    ValueError for an unknown method.
    """
    config = config or GateConfig()
    forwards = {
        name: walk_forward(rows, name, config.schedule, (centres or {}).get(name)) for name in methods_of(method)
    }
    course = _Course(rows, forwards, config, rolled_back)
    course.run()
    return GateRun(tuple(course.looks), forwards, course.served, course.open_since, course.method)


def methods_of(method: str) -> tuple[str, ...]:
    """Return the methods that a name stands for; ValueError for an unknown one."""
    if method == "auto":
        return AUTO
    if method not in METHODS:
        raise ValueError(f"unknown calibration method {method!r}; known: auto, {', '.join(METHODS)}")
    return (method,)


class _Course:
    """One segment's walk: alternates between testing the challengers and monitoring what was activated."""

    def __init__(
        self, rows: Picks, forwards: Mapping[str, Forward], config: GateConfig, rolled_back: Sequence[int]
    ) -> None:
        self.rows = rows
        self.rolled_back = sorted(rolled_back)
        self.forwards = forwards
        self.config = config
        self.any = next(iter(forwards.values()))
        self.looks: list[Look] = []
        self.served = rows.p.copy()
        self.open_since: int | None = None
        self.method = self.any.method

    def run(self) -> None:
        """Go through the looks, each phase from where the last one was decided."""
        since, next_look, phase = np.iinfo(np.int64).min, 0, "GATE"
        while next_look < self.any.n.size:
            overruled = self._overruled(phase, since)
            end = self._first_look_at(overruled)
            decided = self._phase(phase, since, next_look, end)
            if decided is not None:
                next_look, since = decided + 1, int(self.any.at[decided])
            elif overruled is not None:
                next_look, since = max(next_look, end), overruled
            else:
                return
            phase = self._switch(phase, since)

    def _overruled(self, phase: str, since: int) -> int | None:
        """When the episode was rolled back on record, if it was: only what is open can be."""
        later = (time for time in self.rolled_back if time > since)
        return next(later, None) if phase == "MONITOR" else None

    def _first_look_at(self, time: int | None) -> int:
        """The first look at or after a time; the number of looks where there is none."""
        return self.any.n.size if time is None else int(np.searchsorted(self.any.at, time, side="left"))

    def _switch(self, phase: str, since: int) -> str:
        if phase == "GATE":
            self.open_since, self.method = since, self.looks[-1].method
            later = self.rows.issued > since
            self.served[later] = self.forwards[self.method].q[later]
            return "MONITOR"
        later = self.rows.issued > since
        self.served[later] = self.rows.p[later]
        self.open_since = None
        return "GATE"

    def _phase(self, phase: str, since: int, first: int, end: int) -> int | None:
        """Test look by look from the first up to the end; return the look that decided for the challenger, if any."""
        chosen = (self.rows.issued > since) & (self.any.look >= 0)
        if phase == "GATE":
            tried = {name: forward.q for name, forward in self.forwards.items()}
            test = _Test(self.rows, chosen, self.rows.p, tried, self.any)
        else:
            test = Monitor(self.rows, chosen, self.served, {self.method: self.rows.p}, self.any, first)
        for k in range(first, end):
            look = test.look(k, phase, self.config)
            self.looks.append(look)
            if look.decides:
                return k
            if phase == "GATE":
                self.method = look.method
        return None


class _Test:
    """Challengers against the incumbent on the chosen picks, at every look."""

    def __init__(
        self,
        rows: Picks,
        chosen: NDArray[np.bool_],
        incumbent: Floats,
        challengers: Mapping[str, Floats],
        forward: Forward,
    ) -> None:
        self.rows = rows.where(chosen)
        self.at, self.n = forward.at, forward.n
        self.seen = np.searchsorted(self.rows.recorded, self.at, side="right")
        self.incumbent = _Scored(self.rows, incumbent[chosen], self.seen)
        self.challengers = {name: _Scored(self.rows, q[chosen], self.seen) for name, q in challengers.items()}
        self.logs, self.log_e, self.log_max = self._evidence()

    def _evidence(self) -> tuple[Floats, Floats, Floats]:
        """Return ln E of each challenger, of their mean, and the mean's maximum so far, all at every look."""
        event_at, position = _event_order(self.rows)
        gains = [
            np.cumsum(_event_means(self.rows, self.incumbent.losses - scored.losses)[position])
            for scored in self.challengers.values()
        ]
        paths = np.stack(gains)
        mean = np.logaddexp.reduce(paths, axis=0) - math.log(len(gains))
        last_of_instant = np.diff(event_at, append=NEVER) > 0
        highest = np.maximum.accumulate(np.where(last_of_instant, mean, -np.inf)) if mean.size else mean
        known = np.searchsorted(event_at, self.at, side="right")
        with_start = np.concatenate([np.zeros((len(gains), 1)), paths], axis=1)
        highest = np.maximum(np.concatenate([[0.0], highest]), 0.0)
        return with_start[:, known], np.concatenate([[0.0], mean])[known], highest[known]

    def start(self, k: int) -> int | None:  # noqa: ARG002 - a monitor's depends on the look
        """The look that the pooled scores begin after; None for the very beginning."""
        return None

    def first_row(self, start: int | None) -> int:
        """The first of the chosen picks that came on record after a look."""
        return 0 if start is None else int(self.seen[start])

    def look(self, k: int, phase: str, config: GateConfig) -> Look:
        """Judge the leading challenger at look k; bounds are computed only where all else is met."""
        name, scored = list(self.challengers.items())[int(np.argmax(self.logs[:, k]))]
        start = self.start(k)
        before, after = self.incumbent.between(start, k), scored.between(start, k)
        max_e = _exp(self.log_max[k])
        reasons = _shortfalls(int(self.n[k]), max_e, before, after, config)
        reasons = reasons or self._far_from_certain(scored, k, config)
        bounds = None if reasons else self._bounds(scored, k, config)
        if bounds is not None:
            reasons = _bound_shortfalls(*bounds, config)
        return Look(
            phase=phase,
            at=int(self.at[k]),
            n=int(self.n[k]),
            out_of_time=int(self.seen[k]) - self.first_row(start),
            method=name,
            e=_exp(self.log_e[k]),
            max_e=max_e,
            before=before,
            after=after,
            brier_bound=bounds and bounds[0],
            log_loss_bound=bounds and bounds[1],
            decides=not reasons,
            reasons=tuple(reasons) or (_success(phase, name, max_e, config),),
        )

    def _far_from_certain(self, scored: "_Scored", k: int, config: GateConfig) -> list[str]:
        """Spare the bootstrap where the mean gain is so few standard errors above 0 that its bound cannot be."""
        gains = self._gains(scored, k)
        least = FAR * float(scipy.special.ndtri(config.level))
        sums = event_sums(gains - gains.mean(axis=0), self._events(k))
        errors = np.sqrt(np.square(sums).sum(axis=0)) / len(gains)
        return [
            f"the {name} gain is {mean / error:.2f} standard errors above 0, far from the {config.level:.0%} bound"
            for name, mean, error in zip(("Brier", "log-loss"), gains.mean(axis=0), errors, strict=True)
            if mean < least * error
        ]

    def _bounds(self, scored: "_Scored", k: int, config: GateConfig) -> tuple[float, float]:
        bounds = lower_bounds(self._gains(scored, k), self._events(k), config.level, config.resamples)
        return float(bounds[0]), float(bounds[1])

    def _gains(self, scored: "_Scored", k: int) -> Floats:
        """Brier and log-loss gain of every pick that look k counts, shape (picks, 2)."""
        counted = slice(self.first_row(self.start(k)), int(self.seen[k]))
        return np.column_stack([(mine - other)[counted] for mine, other in scored.against(self.incumbent)])

    def _events(self, k: int) -> Integers:
        return self.rows.event[self.first_row(self.start(k)) : int(self.seen[k])]


class Monitor(_Test):
    """Raw against what was served, begun anew at every look.

    A map that helped for years has gathered so much evidence against raw that one test from the activation on would
    not see for years that it does harm now. So a test begins at every look i after it, with 1/((i+1)(i+2)) of the
    stake; the shares sum to 1, so the mixture is as safe as one test. Scores are pooled since the best beginning.
    """

    def __init__(
        self,
        rows: Picks,
        chosen: NDArray[np.bool_],
        incumbent: Floats,
        challengers: Mapping[str, Floats],
        forward: Forward,
        first: int,
    ) -> None:
        super().__init__(rows, chosen, incumbent, challengers, forward)
        # The beginning of the first test is the activation itself, the look before the first one here.
        self.origin = first - 1
        self.log_e = np.array([self._mixture(k) for k in range(self.at.size)])
        self.log_max = np.maximum.accumulate(np.maximum(self.log_e, 0))

    def _mixture(self, k: int) -> float:
        begun = np.arange(max(k - self.origin, 0))
        shares = -np.log((begun + 1.0) * (begun + 2.0))
        gains = self.logs[0, k] - self.logs[0, self.origin + begun]
        waiting = -math.log(begun.size + 1.0)
        return float(np.logaddexp.reduce(np.append(shares + gains, waiting)))

    def start(self, k: int) -> int | None:
        """The look that raw's evidence is greatest since."""
        begun = np.arange(self.origin, max(k, self.origin + 1))
        return int(begun[np.argmin(self.logs[0, begun])])


class _Scored:
    """A forecast's scores on the chosen picks, and their pooled means at every look by running sums."""

    def __init__(self, rows: Picks, q: Floats, seen: Integers) -> None:
        self.seen = seen
        empty = q.size == 0
        self.losses = q if empty else log_loss_terms(q, rows.y)
        self.briers = q if empty else brier_terms(q, rows.y)
        self.loss_sums = _sums_at(self.losses, seen)
        self.brier_sums = _sums_at(self.briers, seen)
        self.gap_sums = _gap_sums(q, rows.y, seen)

    def against(self, incumbent: "_Scored") -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """The incumbent's and the own terms, of the Brier score and of the log loss."""
        return (incumbent.briers, self.briers), (incumbent.losses, self.losses)

    def between(self, start: int | None, k: int) -> Scores:
        """The pooled scores of what came on record after one look and by another; 0 where there is nothing yet."""
        n = int(self.seen[k]) - (0 if start is None else int(self.seen[start]))
        gaps, brier, loss = (
            sums[k] - (0.0 if start is None else sums[start])
            for sums in (self.gap_sums, self.brier_sums, self.loss_sums)
        )
        scale = max(n, 1)
        return Scores(float(np.abs(gaps).sum()) / scale, float(brier) / scale, float(loss) / scale)


def _sums_at(values: Floats, seen: Integers) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])[seen]


def _gap_sums(q: Floats, y: Floats, seen: Integers) -> Floats:
    """Return each equal-width bin's sum of y - q at every look, shape (looks, bins)."""
    edges = np.linspace(0, 1, ECE_BINS + 1)[1:-1]
    chunk = np.searchsorted(seen, np.arange(q.size), side="right")
    cell = chunk * ECE_BINS + np.searchsorted(edges, q, side="left")
    size = (seen.size + 1) * ECE_BINS
    sums = np.asarray(np.bincount(cell, y - q, minlength=size), dtype=np.float64)
    cumulated: Floats = np.cumsum(sums.reshape(-1, ECE_BINS), axis=0)[: seen.size]
    return cumulated


def _event_order(rows: Picks) -> tuple[NDArray[np.int64], Integers]:
    """Return when each event was last added to, in rising order, and the events in that order.

    An event counts once, when the last of its results in hand is on record.
    """
    last = np.full(int(rows.event.max()) + 1 if len(rows) else 0, -1, dtype=np.intp)
    last[rows.event] = np.arange(len(rows))
    present = np.flatnonzero(last >= 0)
    order = present[np.argsort(last[present], kind="stable")]
    return rows.recorded[last[order]], order


def _event_means(rows: Picks, gains: Floats) -> Floats:
    sums = np.asarray(np.bincount(rows.event, gains), dtype=np.float64)
    means: Floats = sums / np.maximum(np.bincount(rows.event), 1)
    return means


def _exp(log: float) -> float:
    """E itself, kept finite for the record."""
    return math.exp(min(log, 700.0))


def _shortfalls(n: int, max_e: float, before: Scores, after: Scores, config: GateConfig) -> list[str]:
    reasons = []
    if n < config.minimum:
        reasons.append(f"LOW_SAMPLE: {n} settled picks, {config.minimum} are needed")
    if max_e < config.evidence:
        reasons.append(f"E reached {max_e:.3g}, {config.evidence:g} is needed")
    if not after.ece < before.ece:
        reasons.append(f"out-of-time ECE {after.ece:.5f} is not below {before.ece:.5f}")
    if not after.brier < before.brier:
        reasons.append(f"out-of-time Brier {after.brier:.6f} is not below {before.brier:.6f}")
    return reasons


def _bound_shortfalls(brier: float, log_loss: float, config: GateConfig) -> list[str]:
    return [
        f"the {config.level:.0%} lower bound of the {name} gain, {bound:.6f}, is not above 0"
        for name, bound in (("Brier", brier), ("log-loss", log_loss))
        if not bound > 0
    ]


def _success(phase: str, name: str, max_e: float, config: GateConfig) -> str:
    what = f"{name} beats raw" if phase == "GATE" else f"raw beats {name}: rolled back"
    return f"{what}: E reached {max_e:.3g} of {config.evidence:g}; ECE, Brier and both lower bounds agree"
