"""Market keys and selections are parsed, checked and written one way."""

import re
from itertools import product

import pytest
from pydantic import ValidationError

from schemas.compatibility import WORDS
from schemas.export import json_schema
from schemas.markets import MARKETS, PERIODS, parse_market_key
from schemas.odds import OddsSnapshotCaptured
from tests.records import make


def test_every_market_and_period_is_a_key() -> None:
    """MARKET:PERIOD, of the words listed."""
    for market, period in product(MARKETS, PERIODS):
        assert (market, period) == parse_market_key(f"{market}:{period}")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("spread:full_game", "SPREAD:FULL_GAME"),
        (" Total:Q1 ", "TOTAL:Q1"),
        ("PLAYER_POINTS:FULL_GAME", "PLAYER_POINTS:FULL_GAME"),
        ("TOP_5:FULL_GAME", "TOP_5:FULL_GAME"),
    ],
)
def test_a_market_key_is_kept_in_one_spelling(written: str, kept: str) -> None:
    """Case and blanks at the ends do not make another market."""
    assert kept == make(OddsSnapshotCaptured, market_key=written).data.market_key


@pytest.mark.parametrize("key", ["", "SPREAD", "SPREAD:", ":FULL_GAME", "SPREAD:Q9", "SPREADS:Q1", "TOP_0:Q1", "A:B:C"])
def test_what_is_no_market_key_is_refused_with_the_words_that_are(key: str) -> None:
    """The error lists what could have been meant."""
    with pytest.raises(ValidationError, match=r"use one of MONEYLINE|a period of FULL_GAME"):
        make(OddsSnapshotCaptured, market_key=key)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("home", "HOME"),
        (" 1x ", "1X"),
        ("2-1", "2-1"),
        ("over:LeBron James ", "OVER:LeBron James"),
        ("player: Zoë O'Neil", "PLAYER:Zoë O'Neil"),
    ],
)
def test_a_selection_is_kept_in_one_spelling(written: str, kept: str) -> None:
    """Words in capitals; a player's name as it came."""
    assert kept == make(OddsSnapshotCaptured, selection=written).data.selection


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        *(("market_key", key) for key in ("SPREAD:FULL_GAME", "PLAYER_POINTS:Q1", "TOP_5:I9")),
        *(("selection", word) for word in ("1X", "2-1", "OVER:LeBron James")),
    ],
)
def test_the_exported_words_describe_what_is_kept(field: str, kept: str) -> None:
    """Each part of the text is one of its list of regular expressions."""
    words = json_schema(OddsSnapshotCaptured)["$defs"]["OddsSnapshot"]["properties"][field][WORDS]
    assert re.fullmatch(":".join(f"(?:{'|'.join(some)})" for some in words.values()), kept)


@pytest.mark.parametrize("selection", ["", "HOMES", "OVER:", "2:1", "1000-1", "\u0662-\u0661"])
def test_what_is_no_selection_is_refused(selection: str) -> None:
    """The error says what is one."""
    with pytest.raises(ValidationError, match="is not one of HOME"):
        make(OddsSnapshotCaptured, selection=selection)


@pytest.mark.parametrize("price", [1.0, 0.0, 0.42, -2.0])
def test_decimal_odds_lie_above_one(price: float) -> None:
    """At 1 or below nothing could be won."""
    with pytest.raises(ValidationError, match="greater than 1"):
        make(OddsSnapshotCaptured, price_decimal=price)
