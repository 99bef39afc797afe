"""The calibration job without its I/O: settled official picks in, a version with maps, metrics and verdicts out.

Same rows, same bytes: rows are ordered by (recorded, record_id), resampling is seeded, figures are rounded to 12 digits
where they are written down.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from calibration.calibrators import IDENTITY, MINIMUM, CalibrationMap
from calibration.gate import GateConfig, GateRun, Look, methods_of, run_gate
from calibration.metrics import Metrics, compare
from calibration.segments import ALL, GLOBAL, CalibrationModel, Segment, SegmentModel, segment
from calibration.walk_forward import MICROSECONDS_A_DAY, Centre, Picks, Times, challenger, picks
from grading.scores import Floats, Integers

TRAINING_DAYS = 30
LONGEST_DAYS = 36_525
"""A hundred years: what asks for more, asks for that; its microseconds are a number that an array holds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TrainingRows:
    """Settled official picks, one entry each in every column: raw p, outcome, and the two times of anti-leak.

    p is P(win | no push) of home, over or yes (`segments.is_complement` says which picks to turn), y its 0/1 outcome;
    issued_us and recorded_us are microseconds since 1970: when the pick was issued and when its grade was on record.
    record_id must be unique.
    """

    record_id: Sequence[str]
    league: Sequence[str]
    market: Sequence[str]
    event_id: Sequence[str]
    p: Sequence[float] | Floats
    y: Sequence[float] | Floats
    issued_us: Sequence[int] | Times
    recorded_us: Sequence[int] | Times


@dataclass(frozen=True)
class Window:
    """The rows that a map was learned from: times of the first and last result on record, and their number."""

    since_us: int | None
    until_us: int | None
    rows: int


@dataclass(frozen=True, order=True)
class RolledBack:
    """That a segment stopped serving at a time, in microseconds since 1970, by a decision on record; None: all."""

    at_us: int
    segment: Segment | None

    def concerns(self, key: Segment) -> bool:
        """Whether it is about a segment."""
        return self.segment in (None, key)


@dataclass(frozen=True)
class OutOfTime:
    """A segment's out-of-time picks, in order of record: raw p, the same by the challenger of the time, outcome."""

    p: Floats
    q: Floats
    y: Floats


@dataclass(frozen=True)
class SegmentResult:
    """One segment of a version: its map, the window it was learned from, what it did out of time, and the verdict.

    n counts settled picks of the whole history, before and after are of the out-of-time picks only, raw and
    calibrated, and `forecasts` holds these; parent names the segment that the map was shrunk towards.
    """

    segment: Segment
    map: CalibrationMap
    n: int
    window: Window
    parent: str
    before: Metrics
    after: Metrics
    e: float
    max_e: float
    activates: bool
    active_since_us: int | None
    reasons: tuple[str, ...]
    looks: tuple[Look, ...]
    forecasts: OutOfTime = field(compare=False, repr=False)


@dataclass(frozen=True)
class TrainedVersion:
    """What a job learned. `asked` is the window of training_days, each segment's own window is what was used."""

    version: str
    method: str
    training_days: int
    config: GateConfig
    rolled_back: tuple[RolledBack, ...]
    asked: Window
    digest: str
    segments: tuple[SegmentResult, ...]
    overall_before: Metrics
    overall_after: Metrics
    served: Floats
    """Each row's probability as it would have been served, walked forward, in the order of (recorded, record_id)."""

    @property
    def activates(self) -> bool:
        """Whether any segment's gate is open."""
        return any(result.activates for result in self.segments)

    def model(self) -> CalibrationModel:
        """Return the maps as they serve probabilities."""
        models = {r.segment: SegmentModel(r.map, r.n, r.activates) for r in self.segments}
        return CalibrationModel(models, self.version, self.config.minimum)


def train(
    rows: TrainingRows,
    method: str = "auto",
    training_days: int = TRAINING_DAYS,
    config: GateConfig | None = None,
    rolled_back: Sequence[RolledBack] = (),
) -> TrainedVersion:
    """Learn and judge every segment of the rows at every level. Pure; ValueError for bad rows or an unknown method.

    training_days is the least window of a map: it reaches back until 1,000 rows or the start. The gate counts every
    out-of-time pick of the whole history, and its challengers were learned from the same kind of window. An open gate
    starts anew where its segment was rolled back.
    """
    methods_of(method)
    if training_days < 1:
        raise ValueError(f"training_days must be at least 1, not {training_days}")
    config = config or GateConfig()
    window_days = min(training_days, LONGEST_DAYS)
    config = replace(config, schedule=replace(config.schedule, window_days=window_days))
    ordered, ids, keys = _ordered(rows)
    overruled = tuple(sorted(rolled_back, key=lambda r: (r.at_us, str(r.segment))))
    job = _Job(ordered, keys, method, config, overruled)
    job.run()
    served = job.served()
    overall = compare({"before": ordered.p, "after": served}, ordered.y, ordered.event, config.level, config.resamples)
    newest = int(ordered.recorded[-1]) if len(ordered) else 0
    return TrainedVersion(
        version=version_name(newest),
        method=method,
        training_days=training_days,
        config=config,
        rolled_back=overruled,
        asked=_asked(ordered, window_days),
        digest=digest(ordered, ids, keys, rows),
        segments=tuple(job.results[key] for key in sorted(job.results)),
        overall_before=overall["before"],
        overall_after=overall["after"],
        served=served,
    )


def version_name(newest_us: int) -> str:
    """Return v_YYYYMMDD_HHMMSS of the newest input, in UTC: never of the wall clock."""
    return (_EPOCH + timedelta(microseconds=newest_us)).strftime("v_%Y%m%d_%H%M%S")


def _ordered(rows: TrainingRows) -> tuple[Picks, list[str], list[Segment]]:
    ids = [str(record_id) for record_id in rows.record_id]
    if len(set(ids)) != len(ids):
        raise ValueError("record_id must be unique: a pick counts once")
    recorded = np.asarray(rows.recorded_us, dtype=np.int64)
    if {len(ids), recorded.size, len(rows.league), len(rows.market), len(rows.event_id)} != {len(ids)}:
        raise ValueError("every column must have the same number of rows")
    order = np.lexsort((np.array(ids, dtype=np.str_), recorded))
    known: dict[tuple[str, str], Segment] = {}
    keys = []
    for i in order.tolist():
        named = rows.league[i], rows.market[i]
        keys.append(known.get(named) or known.setdefault(named, segment(*named)))
    p, y, event, issued = (np.asarray(column)[order] for column in (rows.p, rows.y, rows.event_id, rows.issued_us))
    return picks(p, y, event, issued, recorded[order]), [ids[i] for i in order.tolist()], keys


def digest(ordered: Picks, ids: Sequence[str], keys: Sequence[Segment], rows: TrainingRows) -> str:
    """Return SHA-256 over the ordered rows: ids, segments, events, p, y and both times."""
    event_of = dict(zip(map(str, rows.record_id), map(str, rows.event_id), strict=True))
    sha = hashlib.sha256()
    for texts in (ids, map(str, keys), (event_of[record_id] for record_id in ids)):
        sha.update("\n".join(texts).encode() + b"\0")
    for column in (ordered.p.astype("<f8"), ordered.y.astype("<f8"), ordered.issued, ordered.recorded):
        sha.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    return sha.hexdigest()


def _asked(rows: Picks, days: int) -> Window:
    if not len(rows):
        return Window(None, None, 0)
    until = int(rows.recorded[-1])
    since = until - days * MICROSECONDS_A_DAY
    return Window(since, until, len(rows) - int(np.searchsorted(rows.recorded, since)))


class _Job:
    """All segments of one training: parents before children, so that a child can shrink towards its parent."""

    def __init__(
        self,
        rows: Picks,
        keys: Sequence[Segment],
        method: str,
        config: GateConfig,
        rolled_back: Sequence[RolledBack],
    ) -> None:
        self.rows = rows
        self.rolled_back = rolled_back
        self.method = method
        self.config = config
        self.members = _members(keys)
        self.runs: dict[Segment, GateRun] = {}
        self.results: dict[Segment, SegmentResult] = {}

    def run(self) -> None:
        """Walk every segment, widest first."""
        for key in sorted(self.members, key=lambda s: (s.league != ALL, s.market != ALL, s)):
            parent = self._parent(key)
            chosen = self.members[key]
            own = self.rows.where(chosen)
            twin = next((k for k in _ancestors(key) if self._is_same(k, key)), None)
            self.runs[key] = self.runs[twin] if twin else self._gate(key, own, parent)
            self.results[key] = self._result(key, own, parent)

    def _is_same(self, one: Segment, other: Segment) -> bool:
        """Whether a gate would see the same of both: all rows of one are the other's, and so are its roll-backs."""
        if self._overruled(one) != self._overruled(other):
            return False
        return bool(self.members[one].sum() == self.members[other].sum())

    def _overruled(self, key: Segment) -> list[int]:
        return [rolled_back.at_us for rolled_back in self.rolled_back if rolled_back.concerns(key)]

    def _gate(self, key: Segment, own: Picks, parent: Segment | None) -> GateRun:
        return run_gate(own, self.method, self.config, self._centres(parent), self._overruled(key))

    def _parent(self, key: Segment) -> Segment | None:
        """The nearest level with more rows than the segment: shrinking towards one's own rows would be no shrinking."""
        size = int(self.members[key].sum())
        return next((above for above in _ancestors(key) if int(self.members[above].sum()) > size), None)

    def _centres(self, parent: Segment | None) -> Mapping[str, Centre]:
        if parent is None:
            return {}
        return {name: forward.centre for name, forward in self.runs[parent].forwards.items()}

    def _result(self, key: Segment, own: Picks, parent: Segment | None) -> SegmentResult:
        run = self.runs[key]
        forward = run.forwards[run.method]
        out = forward.look >= 0
        forecasts = OutOfTime(own.p[out], forward.q[out], own.y[out])
        scores = compare(
            {"before": forecasts.p, "after": forecasts.q},
            forecasts.y,
            own.event[out],
            self.config.level,
            self.config.resamples,
        )
        learned, window = self._final_map(own, run, parent)
        decisive = run.decisive
        return SegmentResult(
            segment=key,
            map=learned,
            n=len(own),
            window=window,
            parent=str(parent) if parent else "identity",
            before=scores["before"],
            after=scores["after"],
            e=decisive.e if decisive else 1.0,
            max_e=decisive.max_e if decisive else 1.0,
            activates=run.activates,
            active_since_us=run.open_since,
            reasons=_reasons(run, len(own), learned, self.config),
            looks=run.looks,
            forecasts=forecasts,
        )

    def _final_map(self, own: Picks, run: GateRun, parent: Segment | None) -> tuple[CalibrationMap, Window]:
        """Fit on what is on record now, as the next challenger would be."""
        if len(own) < self.config.schedule.first:
            return IDENTITY, Window(None, None, 0)
        start = self.config.schedule.window_start(own.recorded, len(own))
        until = int(own.recorded[-1])
        centre = self.runs[parent].forwards[run.method].centre(until) if parent else None
        learned = challenger(own.p[start:], own.y[start:], run.method, IDENTITY, centre)
        return learned, Window(int(own.recorded[start]), until, len(own) - start)

    def served(self) -> Floats:
        """Each row as the levels would have served it: the nearest with enough settled picks at its issue decides."""
        served = self.rows.p.copy()
        undecided = np.ones(len(self.rows), dtype=np.bool_)
        for level in ("league_market", "market", "global"):
            for key in (k for k in self.members if k.level == level):
                chosen = np.flatnonzero(self.members[key])
                own = self.rows.where(self.members[key])
                enough = np.searchsorted(own.recorded, own.issued, side="left") >= self.config.minimum
                decided = enough & undecided[chosen]
                served[chosen[decided]] = self.runs[key].served[decided]
                undecided[chosen[decided]] = False
        return served


def _members(keys: Sequence[Segment]) -> dict[Segment, NDArray[np.bool_]]:
    distinct = sorted(set(keys))
    place = {key: i for i, key in enumerate(distinct)}
    codes: Integers = np.array([place[key] for key in keys], dtype=np.intp)
    members = {key: codes == i for key, i in place.items()}
    for market in sorted({key.market for key in distinct}):
        members[Segment(ALL, market)] = np.isin(codes, [i for key, i in place.items() if key.market == market])
    if distinct:
        members[GLOBAL] = np.ones(len(keys), dtype=np.bool_)
    return members


def _ancestors(key: Segment) -> tuple[Segment, ...]:
    if key.level == "league_market":
        return (Segment(ALL, key.market), GLOBAL)
    return (GLOBAL,) if key.level == "market" else ()


def _reasons(run: GateRun, n: int, learned: CalibrationMap, config: GateConfig) -> tuple[str, ...]:
    """The verdict in words: what opened the gate that is open, or what kept it shut at the newest look."""
    if run.decisive is None:
        return (f"LOW_SAMPLE: {n} settled picks, {config.minimum} are needed",)
    too_few = learned.method == "identity" != run.method
    notes = (f"{run.method} needs {MINIMUM[run.method]:,} rows of both outcomes to learn from",) if too_few else ()
    return (*run.decisive.reasons, *notes)
