"""A trained version as plain JSON values: what goes on record, the same bytes for the same rows."""

import json

from calibration.calibrators import CalibrationMap
from calibration.gate import GateConfig, Look, Scores
from calibration.metrics import Metrics
from calibration.training import SegmentResult, TrainedVersion
from grading.bootstrap import Interval


def plain_version(trained: TrainedVersion) -> dict[str, object]:
    """Return everything of a version but the rows' served probabilities."""
    return {
        "version": trained.version,
        "method": trained.method,
        "training_days": trained.training_days,
        "config": plain_config(trained.config),
        "rolled_back": [
            {"at_us": overruled.at_us, "segment": str(overruled.segment) if overruled.segment else None}
            for overruled in trained.rolled_back
        ],
        "asked": dict(vars(trained.asked)),
        "digest": trained.digest,
        "segments": [plain_segment(result) for result in trained.segments],
        "overall_before": plain_metrics(trained.overall_before),
        "overall_after": plain_metrics(trained.overall_after),
    }


def plain_config(config: GateConfig) -> dict[str, object]:
    """Return what the gate asked for and when it looked."""
    asked = {name: value for name, value in vars(config).items() if name != "schedule"}
    return asked | {"schedule": dict(vars(config.schedule))}


def version_bytes(trained: TrainedVersion) -> bytes:
    """Return the version as canonical JSON: the same rows give the same bytes."""
    return json.dumps(plain_version(trained), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def plain_params(fitted: CalibrationMap) -> dict[str, list[float]]:
    """Return a map's parameters; isotonic ones exactly, Newton's to 12 digits."""
    exact = fitted.method == "isotonic"
    return {name: [v if exact else rounded(v) for v in values] for name, values in fitted.params.items()}


def plain_segment(result: SegmentResult) -> dict[str, object]:
    """Return a segment with its looks and its verdict in words."""
    return {
        "segment": str(result.segment),
        "level": result.segment.level,
        "method": result.map.method,
        "params": plain_params(result.map),
        "n": result.n,
        "window": dict(vars(result.window)),
        "parent": result.parent,
        "before": plain_metrics(result.before),
        "after": plain_metrics(result.after),
        "e": rounded(result.e),
        "max_e": rounded(result.max_e),
        "activates": result.activates,
        "active_since_us": result.active_since_us,
        "reasons": list(result.reasons),
        "looks": [plain_look(look) for look in result.looks],
    }


def plain_look(look: Look) -> dict[str, object]:
    """Return a look as plain values."""
    scores = {"before": plain_scores(look.before), "after": plain_scores(look.after)}
    others = {name: value for name, value in vars(look).items() if name not in scores}
    return {name: rounded(value) if isinstance(value, float) else value for name, value in others.items()} | scores


def plain_scores(scores: Scores) -> dict[str, float]:
    """Return pooled scores as plain numbers."""
    return {name: rounded(value) for name, value in vars(scores).items()}


def plain_metrics(metrics: Metrics) -> dict[str, object]:
    """Return metrics as plain JSON values: figure, and [low, high] beside it."""
    plain: dict[str, object] = {"n": metrics.n}
    for name in ("base_rate", "ece", "brier", "log_loss"):
        figure: Interval | None = getattr(metrics, name)
        plain[name] = None if figure is None else rounded(figure.estimate)
        plain[f"{name}_interval"] = [] if figure is None else [rounded(figure.low), rounded(figure.high)]
    return plain


def rounded(value: float) -> float:
    """Round to 12 significant digits: summation order differs in the last bits between machines."""
    return float(f"{value:.12g}")
