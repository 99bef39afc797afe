"""The market key `MARKET:PERIOD` and the selections, as words that every record uses.

`grading.markets` reads the same words in lower case and says which of them go together.
"""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from schemas.compatibility import WORDS

MARKETS = (
    "MONEYLINE",
    "MONEYLINE_3WAY",
    "DRAW_NO_BET",
    "DOUBLE_CHANCE",
    "SPREAD",
    "ASIAN_HANDICAP",
    "EUROPEAN_HANDICAP_3WAY",
    "TOTAL",
    "ASIAN_TOTAL",
    "TEAM_TOTAL",
    "BOTH_TEAMS_TO_SCORE",
    "CORRECT_SCORE",
    "TO_QUALIFY",
    "OUTRIGHT",
    "GROUP_WINNER",
    "PARLAY",
)
_ANY_CASE = re.ASCII | re.IGNORECASE
PLAYER_STAT = re.compile(r"PLAYER_[A-Z0-9][A-Z0-9_]*", _ANY_CASE)
TOP_N = re.compile(r"TOP_[1-9][0-9]{0,3}", _ANY_CASE)
MARKET_FAMILIES = (PLAYER_STAT, TOP_N)
PERIODS = (
    "FULL_GAME",
    "REGULATION",
    "INCLUDING_EXTRA_TIME_AND_PENALTIES",
    "FIRST_HALF",
    "SECOND_HALF",
    *(f"Q{n}" for n in range(1, 5)),
    *(f"P{n}" for n in range(1, 4)),
    *(f"I{n}" for n in range(1, 10)),
)
SELECTIONS = (
    "HOME",
    "AWAY",
    "DRAW",
    "OVER",
    "UNDER",
    "YES",
    "NO",
    "1X",
    "12",
    "X2",
    "HOME_OVER",
    "HOME_UNDER",
    "AWAY_OVER",
    "AWAY_UNDER",
    "PLAYER",
)
SUBJECT_WORDS = ("OVER", "UNDER", "YES", "NO", "PLAYER")
_SCORE = re.compile(r"[0-9]{1,3}-[0-9]{1,3}")
_SUBJECT = re.compile(rf"({'|'.join(SUBJECT_WORDS)}):.+")


def parse_market_key(text: str) -> tuple[str, str]:
    """Market and period of a key such as "SPREAD:FULL_GAME"; words are case-insensitive.

    Raises:
        ValueError: an unknown market or period.
    """
    market, colon, period = text.strip().upper().partition(":")
    if market not in MARKETS and not any(family.fullmatch(market) for family in MARKET_FAMILIES):
        raise ValueError(f"market key {text!r}: {market!r} is not a market; use one of {', '.join(MARKETS)}")
    if not colon or period not in PERIODS:
        raise ValueError(f"market key {text!r}: write MARKET:PERIOD with a period of {', '.join(PERIODS)}")
    return market, period


def _market_key(text: str) -> str:
    return ":".join(parse_market_key(text))


def _selection(text: str) -> str:
    word = text.strip().upper()
    if word in SELECTIONS or _SCORE.fullmatch(word):
        return word
    if _SUBJECT.fullmatch(word):  # a player's prop names the player: "OVER:LeBron James"
        return word.partition(":")[0] + ":" + text.strip().partition(":")[2].strip()
    raise ValueError(f"selection {text!r} is not one of {', '.join(SELECTIONS)}, a score such as 2-1, or OVER:<player>")


_KEPT = f"What is kept, as regular expressions in {WORDS}; any case is accepted, and words are kept in upper case."
# Told, not checked: a pattern would have to be whole, and could not say that a word was only added.
_MARKET_KEY_SCHEMA = {
    "type": "string",
    "description": f"MARKET:PERIOD. {_KEPT}",
    WORDS: {"market": [*MARKETS, *(family.pattern for family in MARKET_FAMILIES)], "period": [*PERIODS]},
}
_SELECTION_SCHEMA = {
    "type": "string",
    "description": f"{_KEPT} A player's name stays as it came.",
    WORDS: {"selection": [*SELECTIONS, _SCORE.pattern, *(f"{word}:.+" for word in SUBJECT_WORDS)]},
}
# A few words come again and again: remembering them halves what their check costs a snapshot.
MarketKey = Annotated[str, AfterValidator(lru_cache(1024)(_market_key)), WithJsonSchema(_MARKET_KEY_SCHEMA)]
Selection = Annotated[str, AfterValidator(lru_cache(4096)(_selection)), WithJsonSchema(_SELECTION_SCHEMA)]
