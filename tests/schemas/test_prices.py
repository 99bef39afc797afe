"""A record's price is told twice, as text and as decimal odds: both must be the same."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.odds import OddsSnapshotCaptured
from schemas.publishes import TicketTerms
from tests.records import make


def priced(odds_format: str | None, price: str | None, price_decimal: float | None) -> dict[str, Any]:
    """The three fields of a price."""
    return {"odds_format": odds_format, "price": price, "price_decimal": price_decimal}


@pytest.mark.parametrize(
    ("odds_format", "price", "price_decimal"),
    [
        ("american", "-110", 1.909090909),
        ("american", "-110", 1.9),
        ("american", "+150", 2.5),
        ("fractional", "10/11", 1.91),
        ("decimal", "1.91", 1.91),
        ("american", "EVEN", 2.0),
    ],
)
def test_a_price_that_agrees_is_taken(odds_format: str, price: str, price_decimal: float) -> None:
    """To the rounding of display."""
    said = priced(odds_format, price, price_decimal)

    assert TicketTerms(**said).price_decimal == price_decimal
    assert make(OddsSnapshotCaptured, **said).model_dump()["data"]["price_decimal"] == price_decimal


@pytest.mark.parametrize(
    ("odds_format", "price", "price_decimal"),
    [
        ("american", "-110", 10.0),
        ("american", "+150", 1.67),
        ("fractional", "10/11", 0.91 + 1.1),
        ("decimal", "10", 1.1),
    ],
)
def test_a_price_that_contradicts_its_decimal_odds_is_refused(
    odds_format: str, price: str, price_decimal: float
) -> None:
    """Nobody could say which of them a pick was paid at."""
    said = priced(odds_format, price, price_decimal)

    with pytest.raises(ValidationError, match="but price_decimal says"):
        TicketTerms(**said)
    with pytest.raises(ValidationError, match="but price_decimal says"):
        make(OddsSnapshotCaptured, **said)


@pytest.mark.parametrize(
    "said", [priced(None, "1.91", 1.91), priced("decimal", None, 1.91), priced("decimal", "1.91", None)], ids=str
)
def test_terms_tell_a_price_whole_or_not_at_all(said: dict[str, Any]) -> None:
    """A part of it can be neither compared nor graded."""
    with pytest.raises(ValidationError, match="go together"):
        TicketTerms(**said)
