"""Topic `gradings`: the grader's decisions."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.record import Count, Finite, Payload, Record, Text, UtcDatetime, Version1

Units = Annotated[Decimal, Field(max_digits=28, decimal_places=12, allow_inf_nan=False)]


class GradePart(Payload):
    """A fraction of the stake, such as "1/2", with its own outcome."""

    stake: Text
    outcome: Text


class Grade(Payload):
    """How a pick ended.

    `unit_return` is profit per unit risked, rounded to 12 decimals; `unit_return_exact` the same as a fraction. `clv_*`
    are defined in docs/closing-line-value.md and null where they cannot be had; `margin_model` is what valued a moved
    line. `brier` and `log_loss` are of the raw probability, the `_calibrated` ones of the calibrated; null unless the
    outcome is a plain WIN or LOSS. `inputs` is a digest of the ids decided from. `revision` counts the grades of one
    pick: the highest is the current one.
    """

    publish_id: Text
    prediction_ids: tuple[str, ...]
    revision: Count
    outcome: Text
    summary: Literal["WIN", "LOSS", "PUSH", "VOID", "UNGRADEABLE"]
    parts: tuple[GradePart, ...] = ()
    unit_return: Units | None = None
    unit_return_exact: str | None = None
    reason: str | None = None
    rulebook: Text
    rulebook_version: Text
    decision_version: Text
    inputs: Text
    result_ids: tuple[str, ...] = ()
    start_ids: tuple[str, ...] = ()
    close_snapshot_id: str | None = None
    close_reason: str | None = None
    close_book: str | None = None
    close_at: UtcDatetime | None = None
    close_line: Finite | None = None
    close_price_decimal: Finite | None = None
    clv_price: Finite | None = None
    clv_probability: Finite | None = None
    clv_ev: Finite | None = None
    clv_points: Finite | None = None
    no_vig_method: str | None = None
    margin_model: str | None = None
    brier: Finite | None = None
    log_loss: Finite | None = None
    brier_calibrated: Finite | None = None
    log_loss_calibrated: Finite | None = None
    forced_by: str | None = None


class PredictionGraded(Record):
    """A pick was settled, or settled again from newer inputs."""

    topic: ClassVar[str] = "gradings"
    type: Literal["PredictionGraded"] = "PredictionGraded"
    schema_version: Version1 = 1
    data: Grade
