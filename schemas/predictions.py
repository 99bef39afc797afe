"""Topic `predictions`: what an engine believed in one run."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.markets import MarketKey, Selection
from schemas.record import EventId, Finite, Payload, Probability, Record, Text, Version1


class Prediction(Payload):
    """What an engine believed about one selection.

    `p_cover` is the raw P(win | no push), `p_cover_calibrated` the same through `calibration_version_applied`.
    `ev_units` is per unit risked; `edge_points` and `uncertainty` are in points of the market.
    """

    sim_run_id: Text
    market_key: MarketKey
    selection: Selection
    market_snapshot_id_used: str | None
    model_line: Finite | None = None
    p_cover: Probability
    p_cover_calibrated: Probability | None = None
    calibration_version_applied: str | None = None
    ev_units: Finite | None = None
    edge_points: Finite | None = None
    uncertainty: Finite | None = None
    distribution_summary: dict[str, Finite] = Field(default_factory=dict)
    rcl_gate_pass: bool | None = None
    recommendation_state: str | None = None
    tier: str | None = None
    confidence_index: Finite | None = None
    variance_bucket: str | None = None


class PredictionMade(Record):
    """An engine said how likely a selection is."""

    topic: ClassVar[str] = "predictions"
    type: Literal["PredictionMade"] = "PredictionMade"
    schema_version: Version1 = 1
    event_id: EventId
    data: Prediction
