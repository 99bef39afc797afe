"""Laws of settlement, by Hypothesis."""

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grading.markets import MARKETS, PERIODS, US_SPORTS
from grading.outcomes import Outcome, Settlement
from grading.result import Result, Score, Status
from grading.rulebook import default_rulebook
from grading.settlement import Pick, settle

QUARTER = Fraction(1, 4)
goals = st.integers(0, 9)
scores = st.builds(Score, goals, goals)
quarter_steps = st.integers(-30, 30)
odds = st.fractions(min_value=Fraction(101, 100), max_value=50, max_denominator=1000)
sports = st.sampled_from([*US_SPORTS, "soccer", "tennis"])
handicaps = st.sampled_from(["spread", "asian_handicap"])
totals = st.sampled_from(["total", "asian_total"])
OTHER_SIDE = {
    "home": "away",
    "away": "home",
    "draw": "draw",
    "1x": "x2",
    "x2": "1x",
    "12": "12",
    "home_over": "away_over",
    "home_under": "away_under",
    "away_over": "home_over",
    "away_under": "home_under",
}


@st.composite
def results(draw: st.DrawFn) -> Result:
    """Any result, sensible or not."""
    optional = st.none() | scores
    amounts = st.none() | st.fractions(min_value=0, max_value=100, max_denominator=4)
    return Result(
        status=draw(st.sampled_from([None, *Status])),
        final=draw(optional),
        regulation=draw(optional),
        h1=draw(optional),
        periods=draw(st.dictionaries(st.sampled_from(PERIODS[5:]), scores, max_size=4)),
        penalties=draw(optional),
        extra_time=draw(st.booleans()),
        qualified=draw(st.sampled_from([None, "home", "away"])),
        minutes_played=draw(amounts),
        innings_played=draw(amounts),
        start_delay_hours=draw(amounts),
        venue_changed=draw(st.booleans()),
        stat=draw(amounts),
        player_played=draw(st.none() | st.booleans()),
        won=draw(st.none() | st.booleans()),
        tied=draw(st.none() | st.integers(1, 9)),
        places_available=draw(st.none() | st.integers(1, 9)),
    )


@st.composite
def picks(draw: st.DrawFn) -> Pick:
    """Any pick whose words exist; the line may or may not suit."""
    market = draw(st.sampled_from([*MARKETS, "player_points", "top_5"]))
    selection = draw(st.sampled_from([*OTHER_SIDE, "over", "under", "yes", "no", "player", "2-1"]))
    allowed = MARKETS[market].selections if market in MARKETS else ("over", "player")
    if draw(st.booleans()) and allowed:
        selection = draw(st.sampled_from(allowed))
    line = draw(st.none() | quarter_steps.map(lambda steps: steps * QUARTER))
    return Pick(draw(sports), market, draw(st.sampled_from(["", *PERIODS])), selection, line, draw(odds))


def turned(score: Score | None) -> Score | None:
    """The score with the sides exchanged."""
    return score and Score(score.away, score.home)


def mirrored(result: Result) -> Result:
    """The same game seen from the other side."""
    other = {"home": "away", "away": "home"}
    values = {
        **vars(result),
        "final": turned(result.final),
        "regulation": turned(result.regulation),
        "h1": turned(result.h1),
        "penalties": turned(result.penalties),
        "periods": {name: Score(score.away, score.home) for name, score in result.periods.items()},
        "qualified": other.get(result.qualified or ""),
    }
    return Result(**values)


def settled(
    sport: str, market: str, selection: str, line: Fraction | None, score: Score, price: Fraction
) -> Settlement:
    """A finished game's pick."""
    pick = Pick(sport, market, "", selection, line, price)
    return settle(pick, Result(status=Status.FINAL, final=score), default_rulebook(sport))


@settings(max_examples=300)
@given(picks(), results())
def test_whatever_comes_in_the_parts_sum_to_one(pick: Pick, result: Result) -> None:
    """Or there are none, and a reason; the return is that of the parts; nothing ever raises."""
    answer = settle(pick, result, default_rulebook(pick.sport))
    if answer.outcome is Outcome.UNGRADEABLE:
        assert (answer.parts, answer.unit_return, bool(answer.reason)) == ((), None, True)
    else:
        assert sum(part.fraction for part in answer.parts) == 1
        assert answer.unit_return == sum(part.fraction * part.unit_return for part in answer.parts)
        assert (answer.outcome is Outcome.VOID) == bool(answer.reason)
        assert answer.unit_return is not None
        assert -1 <= answer.unit_return <= pick.odds - 1


@settings(max_examples=300)
@given(picks(), results())
def test_home_and_away_are_mirror_images(pick: Pick, result: Result) -> None:
    """With sides exchanged in pick and result the answer is the same."""
    assume(pick.selection in OTHER_SIDE and (pick.market, pick.selection) != ("european_handicap_3way", "draw"))
    book = default_rulebook(pick.sport)
    mirror = Pick(pick.sport, pick.market, pick.period, OTHER_SIDE[pick.selection], pick.line, pick.odds)
    here, there = settle(pick, result, book), settle(mirror, mirrored(result), book)
    assert (here.outcome, here.unit_return) == (there.outcome, there.unit_return)


@given(scores, st.integers(-9, 9), odds)
def test_a_three_way_draw_is_mirrored_with_its_line(score: Score, line: int, price: Fraction) -> None:
    """The draw's line is home's, so it changes its sign."""
    here = settled("soccer", "european_handicap_3way", "draw", Fraction(line), score, price)
    there = settled("soccer", "european_handicap_3way", "draw", Fraction(-line), Score(score.away, score.home), price)
    assert here.outcome == there.outcome


@given(sports, handicaps, st.sampled_from(["home", "away"]), quarter_steps, scores, odds)
def test_the_other_side_of_a_handicap_comes_to_the_opposite(
    sport: str, market: str, selection: str, steps: int, score: Score, price: Fraction
) -> None:
    """What one side wins the other loses, half for half, push for push."""
    opposite = {"WIN": "LOSS", "LOSS": "WIN", "HALF_WIN": "HALF_LOSS", "HALF_LOSS": "HALF_WIN", "PUSH": "PUSH"}
    line = steps * QUARTER
    one = settled(sport, market, selection, line, score, price)
    other = settled(sport, market, OTHER_SIDE[selection], -line, score, price)
    assert opposite[one.outcome] == other.outcome


@given(sports, handicaps | totals, st.integers(0, 40), scores, odds)
def test_half_lines_never_push(sport: str, market: str, points: int, score: Score, price: Fraction) -> None:
    """There are no half goals."""
    selection = "over" if market.endswith("total") else "home"
    answer = settled(sport, market, selection, points + Fraction(1, 2), score, price)
    assert answer.outcome in (Outcome.WIN, Outcome.LOSS)


@given(sports, handicaps | totals, st.integers(0, 60), st.booleans(), scores, odds)
def test_a_quarter_line_is_the_mean_of_its_neighbours(
    sport: str, market: str, halves: int, first: bool, score: Score, price: Fraction
) -> None:
    """Half the stake on each of the two."""
    sides = ("over", "under") if market.endswith("total") else ("home", "away")
    low = Fraction(halves, 2)
    below, middle, above = (
        settled(sport, market, sides[first], line, score, price).unit_return
        for line in (low, low + QUARTER, low + 2 * QUARTER)
    )
    assert below is not None
    assert above is not None
    assert middle == (below + above) / 2


@given(sports, scores, odds)
def test_draw_no_bet_is_handicap_zero(sport: str, score: Score, price: Fraction) -> None:
    """Two names of one bet."""
    one, other = (
        settled(sport, m, "home", line, score, price) for m, line in (("draw_no_bet", None), ("spread", Fraction(0)))
    )
    assert (one.outcome, one.parts) == (other.outcome, other.parts)
