"""The vocabulary: which words there are and which of them go together."""

from fractions import Fraction

import pytest

from grading.markets import (
    INNINGS,
    MARKETS,
    PERIODS,
    QUARTERS,
    SPORTS,
    THIRDS,
    WHOLE_GAME_PERIODS,
    MarketKey,
    check_line,
    find_market,
    market_name,
    other_sides,
    parse_market_key,
    period_name,
    selection_name,
    sport_name,
)
from grading.outcomes import GradingError
from schemas import markets as words


@pytest.mark.parametrize("sport", SPORTS)
def test_every_sport_is_known_in_any_case(sport: str) -> None:
    """Words are case-insensitive and blanks around them are no part of them."""
    assert sport == sport_name(f" {sport.upper()} ")


def test_football_is_soccer() -> None:
    """One sport has one name; "football" is an alias."""
    assert sport_name("Football") == "soccer"


@pytest.mark.parametrize(
    "market",
    [
        "moneyline",
        "moneyline_3way",
        "draw_no_bet",
        "double_chance",
        "spread",
        "asian_handicap",
        "european_handicap_3way",
        "total",
        "asian_total",
        "team_total",
        "both_teams_to_score",
        "correct_score",
        "to_qualify",
        "player_points",
        "player_3pt_made",
        "outright",
        "group_winner",
        "top_5",
        "top_20",
        "parlay",
    ],
)
def test_every_market_is_known(market: str) -> None:
    """All markets of the interface, and the families player_<stat> and top_<n>."""
    assert market == market_name(market.upper())


@pytest.mark.parametrize("word", ["", "moneylines", "player_", "player__x", "top_", "top_0", "top_x", "top_-1"])
def test_an_unknown_market_is_refused(word: str) -> None:
    """Nothing is guessed from a word that is nearly one."""
    with pytest.raises(GradingError, match=r"^market: unknown word"):
        market_name(word)


def test_a_market_key_is_market_and_period() -> None:
    """ "SPREAD:FULL_GAME" is read in any case and written in upper case."""
    key = parse_market_key("spread:Full_Game")
    assert MarketKey("spread", "full_game") == key
    assert str(key) == "SPREAD:FULL_GAME"


@pytest.mark.parametrize(
    ("text", "column"),
    [("SPREAD", "market_key"), ("SPRED:FULL_GAME", "market"), ("SPREAD:Q5", "period"), ("OUTRIGHT:Q1", "period")],
)
def test_a_bad_market_key_is_refused(text: str, column: str) -> None:
    """The message begins with the part at fault."""
    with pytest.raises(GradingError, match=f"^{column}:"):
        parse_market_key(text)


def test_an_empty_period_is_the_full_game() -> None:
    """An empty cell means the full game, for every market."""
    assert period_name("total", " ") == "full_game"


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_is_known(period: str) -> None:
    """Whole game, halves, quarters, thirds, innings."""
    assert period == period_name("moneyline", period.upper())


def test_what_is_graded_is_what_records_can_say() -> None:
    """Markets, periods and selections are the same words on record and in grading."""
    selections = {word for market in MARKETS.values() for word in market.selections} | {"over", "under"}
    halves = ("first_half", "second_half")
    assert {word.lower() for word in words.MARKETS} == set(MARKETS)
    assert {word.lower() for word in words.SELECTIONS} == selections
    assert (*WHOLE_GAME_PERIODS, *halves, *QUARTERS, *THIRDS, *INNINGS) == PERIODS
    assert (len(QUARTERS), len(THIRDS), len(INNINGS)) == (4, 3, 9)


@pytest.mark.parametrize(
    "word", ["PLAYER_", "PLAYER__X", "PLAYER_3PT", "TOP_1", "TOP_09", "TOP_9999", "TOP_10000", "TOP_\u0661"]
)
def test_a_family_of_markets_is_one_on_record_and_in_grading(word: str) -> None:
    """player_<stat> and top_<n> have one spelling."""
    on_record = any(family.fullmatch(word) for family in words.MARKET_FAMILIES)
    assert on_record == (find_market(word.lower()) is not None)


def test_to_qualify_has_no_quarter() -> None:
    """A period that a market is not settled by is refused, not ignored."""
    with pytest.raises(GradingError, match=r"^period: to_qualify"):
        period_name("to_qualify", "q1")


@pytest.mark.parametrize(
    ("market", "word", "name"),
    [
        ("double_chance", "1X", "1x"),
        ("double_chance", "X2", "x2"),
        ("correct_score", " 2 - 01", "2-1"),
        ("team_total", "Home_Over", "home_over"),
        ("top_10", "PLAYER", "player"),
    ],
)
def test_selections_are_read_in_any_case(market: str, word: str, name: str) -> None:
    """A score is written one way only, so that equal ones compare equal."""
    assert name == selection_name(market, word)


@pytest.mark.parametrize(
    ("market", "word"),
    [("moneyline", "draw"), ("total", "home"), ("correct_score", "2:1"), ("correct_score", ""), ("outright", "yes")],
)
def test_a_selection_of_another_market_is_refused(market: str, word: str) -> None:
    """A two-way market has no draw, a total no side."""
    with pytest.raises(GradingError, match=r"^selection:"):
        selection_name(market, word)


@pytest.mark.parametrize(
    ("market", "selection", "others"),
    [
        ("spread", "away", ("home",)),
        ("moneyline_3way", "draw", ("home", "away")),
        ("european_handicap_3way", "home", ("draw", "away")),
        ("total", "over", ("under",)),
        ("team_total", "home_over", ("home_under",)),
        ("team_total", "away_under", ("away_over",)),
        ("both_teams_to_score", "no", ("yes",)),
        ("player_points", "over:lebron james", ("under:lebron james",)),
        ("player_anytime_td", "no:a:b", ("yes:a:b",)),
        ("double_chance", "1x", ()),
        ("correct_score", "2-1", ()),
        ("outright", "player:lebron james", ()),
        ("top_5", "player", ()),
    ],
)
def test_the_other_sides_are_those_that_win_where_one_does_not(
    market: str, selection: str, others: tuple[str, ...]
) -> None:
    """Of a team or a player they are that team's or player's; overlapping and open markets have none."""
    assert others == other_sides(market, selection)


@pytest.mark.parametrize(
    ("market", "line"),
    [
        ("spread", Fraction(3, 10)),
        ("spread", None),
        ("european_handicap_3way", Fraction(1, 2)),
        ("total", Fraction(-1)),
        ("total", Fraction(10**9)),
        ("moneyline", Fraction(1)),
    ],
)
def test_a_line_that_the_market_cannot_have_is_refused(market: str, line: Fraction | None) -> None:
    """Fractions other than quarters, negative totals, and lines where there is none."""
    with pytest.raises(GradingError, match=r"^line:"):
        check_line(market, line)


def test_zero_is_a_line() -> None:
    """0 is a number like any other; a market without a line has none even so."""
    assert check_line("spread", Fraction(0)) == Fraction(0)
    assert check_line("moneyline", Fraction(0)) is None
    assert find_market("top_3") is find_market("outright")
