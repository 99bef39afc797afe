"""Topic `publishes`: predictions made public. Only official ones count."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.odds import OddsFormat, PriceDecimal, check_price
from schemas.record import EventId, Finite, Payload, Record, Text, Version1


class TicketTerms(Payload):
    """The terms as offered to the reader; `selection` is free text, `price` the text as it came.

    A forecast published without a price has none of the three price fields: it is graded, but returns no units.
    """

    line: Finite | None = None
    odds_format: OddsFormat | None = None
    price: Text | None = None
    price_decimal: PriceDecimal | None = None
    book: Text | None = None
    selection: str | None = None

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if self.price is not None and self.odds_format is not None and self.price_decimal is not None:
            check_price(self.price, self.odds_format, self.price_decimal)
        elif any(told is not None for told in (self.price, self.odds_format, self.price_decimal)):
            raise ValueError("price, odds_format and price_decimal go together: give all three or none")
        return self


class Publish(Payload):
    prediction_id: Text
    channel: Text
    visibility: Text
    decision_reason_codes: tuple[str, ...] = ()
    ticket_terms: TicketTerms
    copy_template_id: str | None = None
    is_official: bool
    in_play: bool = False


class PredictionPublished(Record):
    """A prediction was shown to readers; the first official one makes it a pick."""

    topic: ClassVar[str] = "publishes"
    type: Literal["PredictionPublished"] = "PredictionPublished"
    schema_version: Version1 = 1
    event_id: EventId
    data: Publish


class ParlayLeg(Payload):
    prediction_id: Text
    ticket_terms: TicketTerms


class Parlay(Payload):
    legs: Annotated[tuple[ParlayLeg, ...], Field(min_length=2)]
    channel: Text
    visibility: Text
    decision_reason_codes: tuple[str, ...] = ()
    copy_template_id: str | None = None
    is_official: bool
    in_play: bool = False


class ParlayPublished(Record):
    """Several predictions were published as one ticket; it belongs to no single event."""

    topic: ClassVar[str] = "publishes"
    type: Literal["ParlayPublished"] = "ParlayPublished"
    schema_version: Version1 = 1
    data: Parlay
