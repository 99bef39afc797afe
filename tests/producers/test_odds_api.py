"""Payloads of The Odds API v4 become quotes in our words, or refusals; nothing is dropped."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.odds_api import Game, Quote, Refusal, prices_by_market, read
from tests.producers.stage import TEAMS, bookmaker, h2h

GAME = Game("Los Angeles Lakers", "Boston Celtics", "basketball_nba")
MATCH = Game("Arsenal", "Chelsea", "soccer_epl")


def one(market: str, outcome: dict[str, Any], game: Game = GAME) -> Quote | Refusal:
    """What a market with this one outcome comes to."""
    (entry,) = read([bookmaker("fanduel", market, [outcome])], game, "american")
    return entry


def side_of(market: str, outcome: dict[str, Any], game: Game = GAME) -> tuple[str, str, float | None]:
    """Market key, selection and line of an outcome that becomes a quote."""
    entry = one(market, {"price": -110} | outcome, game)
    assert isinstance(entry, Quote), entry
    return entry.market_key, entry.selection, entry.line


@pytest.mark.parametrize(
    ("market", "outcome", "expected"),
    [
        ("h2h", {"name": "Boston Celtics"}, ("MONEYLINE:FULL_GAME", "AWAY", None)),
        ("h2h_h1", {"name": "Los Angeles Lakers"}, ("MONEYLINE:FIRST_HALF", "HOME", None)),
        ("h2h_3_way_q4", {"name": "Draw"}, ("MONEYLINE_3WAY:Q4", "DRAW", None)),
        ("spreads", {"name": "Boston Celtics", "point": 5.5}, ("SPREAD:FULL_GAME", "AWAY", 5.5)),
        ("spreads_q1", {"name": "Boston Celtics", "point": 0}, ("SPREAD:Q1", "AWAY", 0.0)),
        ("totals", {"name": "Over", "point": 220.5}, ("TOTAL:FULL_GAME", "OVER", 220.5)),
        ("totals_p2", {"name": "Under", "point": 1.5}, ("TOTAL:P2", "UNDER", 1.5)),
        ("totals_1st_1_innings", {"name": "Under", "point": 0.5}, ("TOTAL:I1", "UNDER", 0.5)),
        ("draw_no_bet", {"name": "Boston Celtics"}, ("DRAW_NO_BET:FULL_GAME", "AWAY", None)),
        ("btts", {"name": "Yes"}, ("BOTH_TEAMS_TO_SCORE:FULL_GAME", "YES", None)),
        ("double_chance", {"name": "Draw or Boston Celtics"}, ("DOUBLE_CHANCE:FULL_GAME", "X2", None)),
        (
            "team_totals_h2",
            {"name": "Over", "description": "Boston Celtics", "point": 55.5},
            ("TEAM_TOTAL:SECOND_HALF", "AWAY_OVER", 55.5),
        ),
        (
            "player_points",
            {"name": "Under", "description": "LeBron James", "point": 25.5},
            ("PLAYER_POINTS:FULL_GAME", "UNDER:LeBron James", 25.5),
        ),
        (
            "player_pass_yds_q1",
            {"name": "Over", "description": "P. Mahomes", "point": 60.5},
            ("PLAYER_PASS_YDS:Q1", "OVER:P. Mahomes", 60.5),
        ),
        (
            "batter_home_runs",
            {"name": "Over", "description": "Aaron Judge", "point": 0.5},
            ("PLAYER_BATTER_HOME_RUNS:FULL_GAME", "OVER:Aaron Judge", 0.5),
        ),
        (
            "player_anytime_td",
            {"name": "Yes", "description": "Isiah Pacheco"},
            ("PLAYER_ANYTIME_TD:FULL_GAME", "YES:Isiah Pacheco", None),
        ),
    ],
)
def test_an_outcome_is_named_in_our_words(
    market: str, outcome: dict[str, Any], expected: tuple[str, str, float | None]
) -> None:
    """Market, period, side and line come from the provider's key, name, description and point."""
    assert expected == side_of(market, outcome)


def test_sides_follow_the_names_not_the_order() -> None:
    """Home is the team that is named home, wherever it stands in the list, and however it is spaced or capitalised."""
    given = [h2h("a", ("Boston Celtics", 120), ("los angeles  LAKERS", -140))]
    assert [quote.selection for quote in read(given, GAME, "american") if isinstance(quote, Quote)] == ["AWAY", "HOME"]


def test_a_price_on_the_draw_makes_the_market_three_way() -> None:
    """With a draw on offer the market is three-way and settled on regulation time; without one it is not."""
    given = [h2h("a", ("Los Angeles Lakers", 150), ("Draw", 900), ("Boston Celtics", 120))]
    keys = {quote.market_key for quote in read(given, GAME, "american") if isinstance(quote, Quote)}
    assert {"MONEYLINE_3WAY:REGULATION"} == keys


def test_football_prices_are_those_of_regulation_time() -> None:
    """Football's handicaps are Asian, and its markets end with the 90 minutes."""
    spread = side_of("spreads", {"name": "Arsenal", "point": -0.75}, MATCH)
    assert spread == ("ASIAN_HANDICAP:REGULATION", "HOME", -0.75)
    assert side_of("totals", {"name": "Over", "point": 2.25}, MATCH) == ("TOTAL:REGULATION", "OVER", 2.25)


@pytest.mark.parametrize("market", ["alternate_spreads", "alternate_spreads_h1"])
def test_alternative_lines_are_labelled(market: str) -> None:
    """An alternative line is a price of the market, but never mistaken for its main line."""
    entry = one(market, {"name": "Boston Celtics", "point": 9.5, "price": -250})
    assert isinstance(entry, Quote)
    assert entry.label == "alternate"
    assert entry.market_key.startswith("SPREAD:")


def test_two_alternative_lines_of_one_selection_are_two_prices() -> None:
    """Only the same line twice is a contradiction."""
    outcomes = [{"name": "Boston Celtics", "point": point, "price": -250} for point in (9.5, 10.5)]
    entries = read([bookmaker("fanduel", "alternate_spreads", outcomes)], GAME, "american")
    assert [entry.line for entry in entries if isinstance(entry, Quote)] == [9.5, 10.5]


@pytest.mark.parametrize(
    ("market", "outcome", "column"),
    [
        ("h2h", {"name": "Lakers", "price": -110}, "name"),
        ("h2h", {"name": None, "price": -110}, "name"),
        ("h2h", {"name": "Boston Celtics", "price": 0}, "price"),
        ("h2h", {"name": "Boston Celtics", "price": None}, "price"),
        ("h2h", {"name": "Boston Celtics", "price": float("nan")}, "price"),
        ("h2h", {"name": "Boston Celtics", "price": float("inf")}, "price"),
        ("h2h", {"name": "Boston Celtics", "price": True}, "price"),
        ("h2h", {"name": "Boston Celtics", "price": 42}, "price"),
        ("h2h", {"name": "Boston Celtics"}, "price"),
        ("h2h_lay", {"name": "Boston Celtics", "price": -110}, "key"),
        ("h2h_lay_h1", {"name": "Boston Celtics", "price": -110}, "key"),
        (
            "player_points_lay_alternate",
            {"name": "Over", "description": "LeBron James", "price": -110, "point": 2},
            "key",
        ),
        ("player_points_lay", {"name": "Over", "description": "LeBron James", "price": -110, "point": 25.5}, "key"),
        ("h2h_1st_5_innings", {"name": "Boston Celtics", "price": -110}, "key"),
        ("alternate_totals_corners", {"name": "Over", "price": -110, "point": 9.5}, "key"),
        ("outrights", {"name": "Boston Celtics", "price": 450}, "key"),
        ("spreads", {"name": "Boston Celtics", "price": -110}, "point"),
        ("spreads", {"name": "Boston Celtics", "price": -110, "point": "5.5"}, "point"),
        ("spreads", {"name": "Boston Celtics", "price": -110, "point": 5.3}, "point"),
        ("totals", {"name": "Over", "price": -110, "point": -3}, "point"),
        ("totals", {"name": "Boston Celtics", "price": -110, "point": 3}, "name"),
        ("team_totals", {"name": "Over", "price": -110, "point": 3}, "name"),
        ("player_points", {"name": "Over", "price": -110, "point": 3}, "name"),
    ],
)
def test_what_cannot_be_a_quote_is_refused_with_its_column(market: str, outcome: dict[str, Any], column: str) -> None:
    """A refusal names the field at fault and keeps the outcome as it came."""
    entry = one(market, outcome)
    assert isinstance(entry, Refusal)
    assert column == entry.column
    assert entry.path == "/0/markets/0/outcomes/0"
    assert ('"name"' in entry.raw, bool(entry.reason)) == (True, True)


def test_a_selection_named_twice_in_one_market_is_refused_once() -> None:
    """Two prices of one book for the same side and line: the first stands, the second is refused."""
    given = [h2h("a", ("Boston Celtics", 120), ("Boston Celtics", 130))]
    first, second = read(given, GAME, "american")
    assert isinstance(first, Quote)
    assert isinstance(second, Refusal)
    assert "twice" in second.reason


@pytest.mark.parametrize(
    ("entry", "column"),
    [
        ("not an object", "key"),
        ({"markets": []}, "key"),
        ({"key": "a"}, "markets"),
        ({"key": "a", "markets": [7]}, "outcomes"),
        ({"key": "a", "markets": [{"key": "h2h", "outcomes": ["x"]}]}, "outcomes"),
        ({"key": "a", "markets": [{"outcomes": [{"name": "Boston Celtics", "price": -110}]}]}, "key"),
    ],
)
def test_malformed_parts_are_one_refusal_each(entry: object, column: str) -> None:
    """A broken bookmaker, market or outcome does not stop the rest of the list."""
    refused, *rest = read([entry, h2h("b", ("Boston Celtics", 120))], GAME, "american")
    assert isinstance(refused, Refusal)
    assert column == refused.column
    assert [quote.book for quote in rest if isinstance(quote, Quote)] == ["b"]
    assert [price for market in prices_by_market([entry]) for price in market if price != -110] == []


def test_without_team_names_only_team_markets_are_refused() -> None:
    """Totals need no names; a side that cannot be told is refused, never guessed."""
    given = [h2h("a", ("Boston Celtics", 120)), bookmaker("a", "totals", [{"name": "Over", "price": -110, "point": 9}])]
    refused, total = read(given, Game(), "american")
    assert isinstance(refused, Refusal)
    assert "home_team" in refused.reason
    assert isinstance(total, Quote)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from([*TEAMS, "Draw", "Over", "Under", "Yes"]) | JUNK
OUTCOMES = st.fixed_dictionaries(
    {"name": NAMES, "price": st.sampled_from([-110, 120]) | JUNK},
    optional={"point": st.sampled_from([0, 5.5, -0.25]) | JUNK, "description": NAMES},
)
KEYS = st.sampled_from(["h2h", "spreads_h1", "alternate_totals", "team_totals", "player_points"]) | JUNK


@settings(max_examples=200)
@given(st.lists(st.tuples(KEYS, st.lists(OUTCOMES | JUNK, max_size=3)), max_size=3), st.lists(JUNK, max_size=2))
def test_whatever_comes_is_a_quote_or_a_refusal(markets: list[tuple[object, list[object]]], junk: list[object]) -> None:
    """No payload raises; each outcome of a well-formed market and each malformed bookmaker comes back exactly once."""
    bookmakers = [{"key": "a", "markets": [{"key": key, "outcomes": outcomes} for key, outcomes in markets]}, *junk]
    entries = list(read(bookmakers, GAME, "american"))
    assert len(entries) == sum(len(outcomes) for _, outcomes in markets) + len(junk)
    assert len({entry.path for entry in entries}) == len(entries)
