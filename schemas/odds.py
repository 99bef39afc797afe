"""Topic `odds`: market snapshots, immutable, each naming its raw payload."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.markets import MarketKey, Selection
from schemas.record import EventId, Finite, Payload, Record, Text

OddsFormat = Literal["american", "decimal", "fractional"]
PriceDecimal = Annotated[float, Field(gt=1, allow_inf_nan=False)]


class OddsSnapshot(Payload):
    """One price of one book for one selection.

    `price` is the text as it came, `price_decimal` the same as decimal odds. `line` is the selection's own signed
    handicap, or the total. `capture_id` names the look at the market that all sides of a close must come from.
    """

    provider: Text
    book: Text
    market_key: MarketKey
    selection: Selection
    line: Finite | None = None
    odds_format: OddsFormat
    price: Text
    price_decimal: PriceDecimal
    capture_id: Text
    captured_at_assumed: bool = False
    label: str | None = None
    raw_payload_id: Text
    raw_path: str | None = None


class OddsSnapshotCaptured(Record):
    """A price was seen."""

    topic: ClassVar[str] = "odds"
    type: Literal["OddsSnapshotCaptured"] = "OddsSnapshotCaptured"
    schema_version: Literal[1] = 1
    event_id: EventId
    data: OddsSnapshot
