"""The reliability diagram of a version: one segment's out-of-time picks, before and after. Needs the extra `plot`."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from calibration.plain import plain_metrics
from calibration.segments import Segment, segment
from calibration.training import SegmentResult, TrainingRows
from consumers.calibrator import train_as_of
from grading.reliability import ReliabilityBin, expected_calibration_error, reliability_table
from grading.scores import Floats, brier, log_loss
from onrecord.calibration_service import UnknownVersionError
from projections.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
LEVEL = 0.95


@dataclass(frozen=True)
class Diagram:
    """What is drawn: out-of-time picks of one segment, raw p, calibrated q and 0/1 outcome y, all of shape (n,).

    `is_exact` says that the version on record was judged by the same figures.
    """

    segment: str
    version: str
    method: str
    activates: bool
    p: Floats
    q: Floats
    y: Floats
    is_exact: bool


def diagram(store: Store, league: str, market: str, version: str | None = None) -> Diagram:
    """Walk a version's picks forward again: the active version, or else the newest, unless one is named.

    Raises:
        UnknownVersionError: no such version.
        ValueError: no version, no settled pick of the league or market, or none out of time.
    """
    asked = _version(store, version)
    rows, trained = train_as_of(store, asked["trained_at"], asked["method"], asked["training_days"])
    wanted = _known_segment(rows, league, market)
    found = next(result for result in trained.segments if result.segment == wanted)
    if not found.forecasts.y.size:
        raise ValueError(f"{wanted} has {found.n} settled picks, none of them out of time: its first look needs 200")
    return Diagram(
        str(wanted),
        asked["calibration_version"],
        found.map.method,
        found.activates,
        found.forecasts.p,
        found.forecasts.q,
        found.forecasts.y,
        _is_on_record(store, asked["calibration_version"], found),
    )


def draw(shown: Diagram, file: Path) -> None:
    """Write the diagram as PNG or SVG, by the file's name; the same diagram gives the same SVG, byte for byte.

    Raises:
        ValueError: another kind of file, or matplotlib is not installed.
        OSError: the file can't be written.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"--out {file}: name a file that ends in {' or '.join(SUFFIXES)}")
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError("plots need matplotlib: pip install 'onrecord[plot]'") from error
    kind = file.suffix.lower().removeprefix(".")
    drawn = io.BytesIO()
    # The ids in an SVG are hashes; without a salt of ours they differ from run to run.
    with rc_context({"svg.hashsalt": "onrecord", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(figsize=(9, 6), layout="constrained")
        _compose(figure, shown)
        figure.savefig(drawn, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    file.write_bytes(drawn.getvalue())


def consistency_band(mean_p: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return where the observed rate of n calibrated forecasts lies with probability of at least `level`, binomially.

    Forecasts of one bin differ a little, which makes this slightly too wide; picks of one event hang together, which
    makes it too narrow. Source: Bröcker and Smith, Weather and Forecasting 2007.
    """

    low, high = (float(scipy.stats.binom.ppf(tail, n, mean_p)) / n for tail in ((1 - level) / 2, (1 + level) / 2))
    return low, high


def _version(store: Store, name: str | None) -> Mapping[str, Any]:
    versions = store.query("versions", {"calibration_version": name}).to_pylist()
    if not versions and name is not None:
        raise UnknownVersionError(name)
    if not versions:
        raise ValueError("no version is on record: `onrecord calibrate` trains one")
    return next((row for row in versions if row["activation_status"] == "ACTIVE"), versions[0])


def _known_segment(rows: TrainingRows, league: str, market: str) -> Segment:
    """The segment asked for; * is all leagues, or all markets."""
    wanted = segment(league, market)
    known = {segment(*names) for names in set(zip(rows.league, rows.market, strict=True))}
    known |= {segment("*", one.market) for one in known} | ({segment("*", "*")} if known else set())
    if wanted in known:
        return wanted
    if not known:
        raise ValueError("the version learned from no settled pick: see `onrecord summary` for those there are")
    markets = [one.market for one in sorted(known) if one.league == wanted.league]
    if markets:
        raise ValueError(f"{wanted.league} has no settled pick of market {market!r}: it has {', '.join(markets)}")
    leagues = sorted({one.league for one in known})
    raise ValueError(f"no settled pick is of league {league!r}: there are {', '.join(leagues)}")


def _is_on_record(store: Store, version: str, found: SegmentResult) -> bool:
    """Whether the version holds these very metrics: a start that moved, or another release, may have changed them."""
    held = store.query("judged_by", {"calibration_version": version, "segment": str(found.segment)}).to_pylist()
    metrics = [plain_metrics(found.before), plain_metrics(found.after)]
    return [metrics] == [[json.loads(told) for told in row.values()] for row in held]


def _compose(figure: "Figure", shown: Diagram) -> None:
    verdict = "gate open" if shown.activates else "gate shut: raw is served"
    changed = "" if shown.is_exact else "; not as it was trained, what it learned from has changed"
    figure.suptitle(f"{shown.segment}, {shown.version} ({shown.method}; {verdict}{changed}), {shown.y.size:,} picks")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=[3, 1])
    for column, (name, p) in enumerate((("before (raw)", shown.p), ("after (out of time)", shown.q))):
        _panel(axes[0, column], axes[1, column], name, p, shown.y)
    axes[0, 0].set_ylabel("share that won")
    axes[1, 0].set_ylabel("picks")
    axes[0, 1].legend(loc="upper left", frameon=False)


def _panel(above: "Axes", below: "Axes", name: str, p: Floats, y: Floats) -> None:
    table = reliability_table(p, y)
    bands = np.array([consistency_band(row.mean_p, row.n) for row in table])
    mean_p = [row.mean_p for row in table]
    above.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    above.vlines(mean_p, bands[:, 0], bands[:, 1], color="0.8", linewidth=6, label=f"{LEVEL:.0%} band if calibrated")
    above.plot(mean_p, [row.observed for row in table], "o-", color="C0", markersize=4, label="observed")
    scores = f"ECE {expected_calibration_error(p, y):.4f}, Brier {brier(p, y):.4f}, log loss {log_loss(p, y):.4f}"
    above.set_title(f"{name}\n{scores}", fontsize=9)
    above.set(xlim=(0, 1), ylim=(0, 1))
    _histogram(below, table)


def _histogram(below: "Axes", table: list[ReliabilityBin]) -> None:
    left = [row.lower_edge for row in table]
    below.bar(left, [row.n for row in table], width=0.1, align="edge", color="C0", edgecolor="white")
    below.set_xlabel("probability")
