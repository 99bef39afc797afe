"""Closing line value: four measures with their nulls and reasons, and the choice of the close."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.clv import (
    FALLBACK_BOOKS,
    Chances,
    Close,
    ClosingLineValue,
    Quote,
    Terms,
    choose_close,
    closing_line_value,
    points_gained,
)
from grading.margins import margin_model
from grading.no_vig import UnknownMethodError

START = datetime(2026, 3, 7, 0, 30, tzinfo=UTC)
ODDS = st.integers(101, 2000).map(lambda n: Fraction(n, 100))


def terms(line: float | str | None, odds: str) -> Terms:
    """A line and decimal odds."""
    return Terms(None if line is None else Fraction(line), Fraction(odds))


def test_an_equal_line_has_all_four_measures() -> None:
    """By hand, at -110 on both sides of the close: fair is one half."""
    value = closing_line_value("home", terms(-3, "2"), terms(-3, "21/11"), [Fraction(21, 11)])
    expected = ClosingLineValue(
        price=Fraction(1, 21),
        probability=Fraction(1, 42),
        fair_close=Fraction(1, 2),
        ev=Fraction(0),
        points=Fraction(0),
        beat_close="yes",
    )
    assert expected == value


def test_a_market_without_a_line_has_no_points() -> None:
    """Null, never 0; and nothing is wrong, so there is no reason."""
    value = closing_line_value("home", terms(None, "2.2"), terms(None, "2"), [Fraction(2)])
    assert (Fraction(1, 10), None, "yes", None) == (value.price, value.points, value.beat_close, value.reason)


def test_a_pick_at_the_close_loses_the_vig() -> None:
    """Its price is equal, its expected value is not 0."""
    value = closing_line_value("over", terms(44, "1.9"), terms(44, "1.9"), [Fraction("1.9")])
    assert ("equal", Fraction(-1, 20)) == (value.beat_close, value.ev)


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([], "other_odds_close: no other side's price, so none is fair"),
        (["2.2"], "other_odds_close: the book sum 0.954545 is below 1: an arbitrage"),
    ],
)
def test_without_a_fair_probability_the_price_still_counts(others: list[str], told: str) -> None:
    """Fair and expected value are null with the reason."""
    value = closing_line_value("home", terms(-3, "1.9"), terms(-3, "2"), [Fraction(price) for price in others])
    assert (Fraction(-1, 20), None, None, "no") == (value.price, value.fair_close, value.ev, value.beat_close)
    assert value.reason is not None
    assert value.reason.startswith(told)


def test_additive_below_zero_has_no_fair_probability() -> None:
    """The method can't serve this market; the reason says to use another."""
    close, others = terms(None, "1.6"), [Fraction("1.6"), Fraction(9)]
    value = closing_line_value("home", terms(None, "1.7"), close, others, "additive")
    assert value.fair_close is None
    assert value.reason is not None
    assert "use another method" in value.reason
    assert closing_line_value("home", terms(None, "1.7"), close, others, "power").fair_close is not None


def test_an_unknown_method_is_refused() -> None:
    """It is the caller's mistake, not the market's."""
    with pytest.raises(UnknownMethodError):
        closing_line_value("home", terms(None, "2"), terms(None, "2"), [Fraction(2)], "logarithmic")


@pytest.mark.parametrize(
    ("line_bet", "line_close", "told"),
    [
        (None, -3, "line_bet: is missing where the close has a line"),
        (-3, None, "line_close: is missing where the pick has a line"),
    ],
)
def test_a_line_on_one_side_only_can_not_be_compared(
    line_bet: float | None, line_close: float | None, told: str
) -> None:
    """All measures are null: 0 would be a line."""
    value = closing_line_value("home", terms(line_bet, "2"), terms(line_close, "2"), [Fraction("1.9")])
    assert ClosingLineValue(reason=told) == value


@pytest.mark.parametrize(
    ("selection", "bet", "close", "expected"),
    [
        ("home", "-2.5", "-3", "0.5"),
        ("away", "3", "3.5", "-0.5"),
        ("under", "45", "44", "1"),
        ("over", "45", "44", "-1"),
        ("OVER:LeBron James", "24.5", "25.5", "1"),
        ("UNDER:LeBron James", "24.5", "25.5", "-1"),
        ("home_over", "20", "21.5", "1.5"),
        ("away_over", "20", "21.5", "1.5"),
        ("home_under", "20", "21.5", "-1.5"),
        ("home", "0", "-0.25", "0.25"),
        ("home", "0", "0", "0"),
    ],
)
def test_points_are_signed_for_the_pick(selection: str, bet: str, close: str, expected: str) -> None:
    """A handicap and an under want a higher number, an over a lower one."""
    assert Fraction(expected) == points_gained(selection, Fraction(bet), Fraction(close))


@pytest.mark.parametrize(("bet", "close"), [(None, Fraction(1)), (Fraction(1), None), (None, None)])
def test_no_line_has_no_points(bet: Fraction | None, close: Fraction | None) -> None:
    """Null, never 0."""
    assert points_gained("home", bet, close) is None


def test_a_draw_at_another_handicap_is_another_bet() -> None:
    """No line is better than another for a draw."""
    value = closing_line_value("draw", terms(-1, "4"), terms(-2, "4"), [Fraction(2), Fraction(2)])
    assert ClosingLineValue(reason="selection: no line is better than another for draw") == value


@pytest.mark.parametrize(
    ("line", "odds", "beat_close", "ev"),
    [
        (-2.5, "2", "yes", "0.1"),
        (-3.5, "2", "no", "-0.1"),
        (-2.5, "20/11", "equal", "0"),
        (-2.5, "1.5", "no", "-0.175"),
        (-3.5, "2.5", "yes", "0.125"),
    ],
)
def test_half_a_point_is_worth_the_push_probability(line: float, odds: str, beat_close: str, ev: str) -> None:
    """P = .1 and fair 1/2: better wins with .55, worse with .45. The verdict is the sign of the expected value."""
    close = terms(-3, "1.9")
    value = closing_line_value("home", terms(line, odds), close, [Fraction("1.9")], push_probability=Fraction(1, 10))
    assert (beat_close, Fraction(ev), None) == (value.beat_close, value.ev, value.reason)
    assert (value.price, value.probability, value.fair_close) == (None, None, None)


@pytest.mark.parametrize(
    ("bet", "close", "push", "told"),
    [
        (-2.5, -3, None, "extra: "),
        (-2, -3, Fraction(1, 10), "line_bet: "),
        (-2.75, -3, Fraction(1, 10), "line_bet: "),
        (-2.5, -3.5, Fraction(1, 10), "line_close: "),
        (-3, -3.5, Fraction(1, 10), "line_close: "),
    ],
)
def test_other_gaps_have_no_expected_value(bet: float, close: float, push: Fraction | None, told: str) -> None:
    """Points stay, the expected value is null with the reason."""
    value = closing_line_value("home", terms(bet, "1.9"), terms(close, "1.9"), [Fraction("1.9")], push_probability=push)
    assert (Fraction(bet) - Fraction(close), None) == (value.points, value.ev)
    assert value.reason is not None
    assert value.reason.startswith(told)


def test_a_moved_line_without_a_fair_probability_says_why() -> None:
    """Points and the verdict of number and price stay."""
    value = closing_line_value("home", terms(-2.5, "2"), terms(-3, "1.9"), push_probability=Fraction(1, 10))
    told = "other_odds_close: no other side's price, so none is fair"
    assert ClosingLineValue(points=Fraction(1, 2), beat_close="yes", reason=told) == value


@pytest.mark.parametrize(
    ("line", "odds", "expected"),
    [
        (-2.5, "2", "yes"),
        (-2.5, "1.9", "yes"),
        (-2.5, "1.8", None),
        (-3.5, "2", None),
        (-3.5, "1.9", "no"),
        (-3.5, "1.8", "no"),
    ],
)
def test_a_better_number_at_a_worse_price_has_no_verdict(line: float, odds: str, expected: str | None) -> None:
    """Where the expected value is unknown, number and price must not disagree."""
    assert expected == closing_line_value("home", terms(line, odds), terms(-3, "1.9")).beat_close


def test_a_margin_model_values_any_moved_line() -> None:
    """EV = win · (d - 1) - loss, from the chances that it gives for the fair closing probability."""
    asked = []

    def margin(fair: float) -> Chances:
        asked.append(fair)
        return Chances(0.7, 0.1, 0.2)

    value = closing_line_value("home", terms(-1, "1.5"), terms(-3, "1.9"), [Fraction("1.9")], margin=margin)
    assert asked == [0.5]
    assert pytest.approx(0.7 * 0.5 - 0.2, abs=1e-15) == value.ev
    assert None is value.reason


def test_a_margin_model_that_knows_nothing_leaves_the_push_probability() -> None:
    """None from the model is no answer; half a point from a whole close then has P."""
    value = closing_line_value(
        "home", terms(-2.5, "2"), terms(-3, "1.9"), [Fraction("1.9")], "shin", Fraction(1, 10), lambda _: None
    )
    assert pytest.approx(0.1, abs=1e-9) == float(value.ev or 0)


@given(st.sampled_from([-7, -3, 1, 10]), st.booleans(), ODDS, st.integers(2, 8).map(lambda n: Fraction(n, 10)))
@settings(max_examples=40, deadline=None)
def test_a_margin_model_agrees_with_its_own_push_probability(
    close_line: int, better: bool, odds: Fraction, fair: Fraction
) -> None:
    """Half a point from a whole close the model and P say the same, where P is the model's."""
    model = margin_model("nfl", "spread")
    assert model is not None
    push = Fraction(model.chances("home", close_line, close_line, float(fair)).push)
    bet = Terms(Fraction(close_line) + (1 if better else -1) * Fraction(1, 2), odds)
    close, others = Terms(Fraction(close_line), 1 / fair), [1 / (1 - fair)]

    def margin(p: float) -> Chances:
        assert bet.line is not None
        return model.chances("home", float(bet.line), close_line, p)

    by_model = closing_line_value("home", bet, close, others, margin=margin)
    by_push = closing_line_value("home", bet, close, others, push_probability=push)
    assert pytest.approx(float(by_push.ev or 0), abs=1e-8) == float(by_model.ev or 0)


@given(bet=ODDS, close=ODDS, other=ODDS)
@settings(deadline=None)
def test_price_and_probability_have_one_sign(bet: Fraction, close: Fraction, other: Fraction) -> None:
    """Both say whether the pick's odds were longer than the close's."""
    value = closing_line_value("home", Terms(None, bet), Terms(None, close), [other])
    assert value.price is not None
    assert value.probability is not None
    assert (value.price > 0, value.price < 0) == (value.probability > 0, value.probability < 0)


def quote(
    name: str, seconds: float = -60, book: str = "pinnacle", selection: str = "HOME", line: float | None = None
) -> Quote:
    """A price so many seconds after the start; the capture is named by book and time."""
    seen_at = START + timedelta(seconds=seconds)
    return Quote(name, book, selection, line, "1.91", "decimal", seen_at, f"{book}{seconds}")


def chosen(close: Close | None) -> str | None:
    """The snapshot that was chosen."""
    return None if close is None else close.quote.snapshot_id


def test_the_close_is_the_last_quote_of_the_own_book() -> None:
    """At the start is still before it; after it is not. Another book's later quote does not count."""
    quotes = [quote("early", -3600), quote("close", 0), quote("in play", 0.001), quote("theirs", 0, "bet365")]
    close = choose_close(quotes, "HOME", "pinnacle", START)
    assert close is not None
    assert (close.quote.snapshot_id, close.own_book) == ("close", True)


def test_of_two_quotes_at_once_the_higher_id_is_the_close() -> None:
    """The choice does not depend on the order in which they come."""
    quotes = [quote("a"), quote("c"), quote("b")]
    assert [chosen(choose_close(each, "HOME", "pinnacle", START)) for each in (quotes, quotes[::-1])] == ["c", "c"]


def test_a_fallback_book_stands_in_and_is_marked() -> None:
    """In the stated order of books, however late each one's price; its own book's after the start is none."""
    quotes = [quote("after", 60, "draftkings"), quote("late", -1, "bet365"), quote("sharp", -600, "pinnacle")]
    close = choose_close(quotes, "HOME", "draftkings", START)
    assert close is not None
    assert (close.quote.snapshot_id, close.own_book) == ("sharp", False)
    assert chosen(choose_close(quotes, "HOME", "draftkings", START, ["bet365", "pinnacle"])) == "late"
    assert chosen(choose_close(quotes, "HOME", None, START)) == "sharp"


SHARPEST_FIRST = ("pinnacle", "circa", "betfair_ex_eu", "betfair_ex_uk", "bet365", "draftkings", "fanduel")


@pytest.mark.parametrize("missing", range(7))
def test_the_sharpest_book_that_has_a_quote_stands_in(missing: int) -> None:
    """Given quotes of all books but the first few, the next in the order is the close, wherever it stands."""
    quotes = [quote(book, book=book) for book in SHARPEST_FIRST[missing:]]
    closes = [choose_close(each, "HOME", "corner shop", START) for each in (quotes, quotes[::-1])]
    assert [chosen(close) for close in closes] == [SHARPEST_FIRST[missing]] * 2


def test_without_a_quote_of_a_known_book_there_is_no_close() -> None:
    """Not of this selection, not before the start, or of no book in the order."""
    unknown = quote("unknown", book="corner shop")
    assert "corner shop" not in FALLBACK_BOOKS
    for quotes in ([], [quote("other", selection="AWAY")], [quote("late", 1)], [unknown]):
        assert choose_close(quotes, "HOME", "draftkings", START) is None
    assert chosen(choose_close([unknown], "HOME", "corner shop", START)) == "unknown"


def test_all_sides_of_a_close_are_of_one_capture() -> None:
    """The other side's later quote, its quote at another book and its quote at another line are none of it."""
    quotes = [
        quote("home", -60, line=-3),
        quote("away", -60, selection="AWAY", line=3),
        quote("draw", -60, selection="DRAW", line=3),  # of home +3
        quote("later", -30, selection="AWAY", line=3),
        quote("theirs", -60, "bet365", "AWAY", 3),
    ]
    close = choose_close(quotes, "HOME", "pinnacle", START)
    assert close is not None
    assert {side: other.snapshot_id for side, other in close.others.items()} == {"AWAY": "away"}


def test_the_sides_of_a_market_without_a_line_have_none() -> None:
    """A side with a line belongs to another market."""
    quotes = [
        quote("home"),
        quote("away", selection="AWAY"),
        quote("draw", selection="DRAW", line=0),
    ]
    close = choose_close(quotes, "HOME", "pinnacle", START)
    assert close is not None
    assert {side: other.snapshot_id for side, other in close.others.items()} == {"AWAY": "away"}


def test_a_quote_keeps_its_price_as_it_came() -> None:
    """Its terms are exact: -110 is 21/11, and 0.1 is a tenth."""
    american = Quote("id", "book", "HOME", 0.1, "-110", "american", START, "look")
    assert Terms(Fraction(1, 10), Fraction(21, 11)) == american.terms
    assert Terms(None, Fraction("1.91")) == quote("id").terms
