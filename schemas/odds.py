"""Topic `odds`: market snapshots, immutable, each naming its raw payload."""

from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.markets import MarketKey, Selection
from schemas.record import EventId, Finite, Payload, Record, Text, Version1

OddsFormat = Literal["american", "decimal", "fractional"]
PriceDecimal = Annotated[float, Field(gt=1, allow_inf_nan=False)]


# A price may be told rounded: 10/11 as 1.91, or as 1.90.
_ROUNDING = 0.01 + 1e-9


@lru_cache(maxsize=4096)
def check_price(price: str, odds_format: OddsFormat, price_decimal: float) -> None:
    """That a price's text and its decimal odds agree; a text that is no plain number is left to the grader.

    Raises:
        ValueError: they differ by more than rounding.
    """
    try:
        paid = _decimal(price.strip(), odds_format)
    except (ValueError, ZeroDivisionError):
        return
    if abs(paid - price_decimal) > _ROUNDING:
        raise ValueError(
            f"price {price!r} in {odds_format} odds pays {paid:.6g}, but price_decimal says {price_decimal}"
        )


def _decimal(price: str, odds_format: OddsFormat) -> float:
    if odds_format == "decimal":
        return float(price)
    if odds_format == "fractional":
        won, _, staked = price.partition("/")
        return 1 + float(won) / float(staked or 1)
    american = float(price)
    return 1 + (american / 100 if american > 0 else 100 / -american)


def book_key(name: str) -> str:
    """What two spellings of one book have in common; the macro of the same name says so in SQL."""
    return name.strip().lower()


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

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        check_price(self.price, self.odds_format, self.price_decimal)
        return self


class OddsSnapshotCaptured(Record):
    """A price was seen."""

    topic: ClassVar[str] = "odds"
    type: Literal["OddsSnapshotCaptured"] = "OddsSnapshotCaptured"
    schema_version: Version1 = 1
    event_id: EventId
    data: OddsSnapshot
