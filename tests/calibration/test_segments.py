"""Segments: which level serves a pick, the scalar arithmetic, and the sides of a market."""

import math

import numpy as np
import pytest

from calibration.calibrators import CalibrationMap, fit
from calibration.segments import (
    GLOBAL,
    CalibrationModel,
    Segment,
    SegmentModel,
    is_complement,
    levels,
    parse_segment,
    segment,
    served_one,
)
from tests.calibration.forecasters import outcomes

HALF = CalibrationMap("platt", {"slope": (0.5,), "intercept": (0.0,)}, 900)
FLAT = CalibrationMap("platt", {"slope": (0.0,), "intercept": (0.0,)}, 5_000)
NBA = segment("NBA", "SPREAD:FULL_GAME")
SPREAD = Segment("*", "SPREAD:FULL_GAME")


def model(**given: SegmentModel) -> CalibrationModel:
    named = {"nba": NBA, "spread": SPREAD, "all": GLOBAL}
    return CalibrationModel({named[name]: value for name, value in given.items()}, "v_20260101_000000")


def test_the_nearest_level_with_enough_picks_decides() -> None:
    """An active own map serves; a segment below 500 picks falls back to its market, then to all."""
    whole = model(nba=SegmentModel(HALF, 900, True), all=SegmentModel(FLAT, 5_000, True))
    small = model(nba=SegmentModel(HALF, 499, True), all=SegmentModel(FLAT, 5_000, True))
    assert whole.calibrate(0.8, "NBA", "SPREAD:FULL_GAME").level == "league_market"
    assert whole.calibrate(0.8, "NBA", "SPREAD:FULL_GAME").p == pytest.approx(2 / 3)
    assert small.calibrate(0.8, "NBA", "SPREAD:FULL_GAME").level == "global"
    assert small.calibrate(0.8, "NBA", "SPREAD:FULL_GAME").p == 0.5


def test_unknown_leagues_and_markets_fall_back() -> None:
    """A new league uses its market's map, a new market the global one; the level says so."""
    both = model(spread=SegmentModel(HALF, 600, True), all=SegmentModel(FLAT, 5_000, True))
    assert both.calibrate(0.8, "KBL", "SPREAD:FULL_GAME").level == "market"
    assert both.calibrate(0.8, "KBL", "TOTAL:Q1").level == "global"


def test_a_shut_gate_of_enough_picks_serves_raw() -> None:
    """A segment that was judged and rejected is not calibrated by its neighbours' map."""
    shut = model(nba=SegmentModel(HALF, 900, False), all=SegmentModel(FLAT, 5_000, True))
    answer = shut.calibrate(0.8, "NBA", "SPREAD:FULL_GAME")
    assert (answer.p, answer.level, answer.method) == (0.8, "league_market", "identity")


def test_with_no_level_at_all_the_identity_serves() -> None:
    """Nothing was learned: raw p at level identity."""
    answer = CalibrationModel({}).calibrate(0.62, "NBA", "SPREAD:FULL_GAME")
    assert (answer.p, answer.level, answer.version) == (0.62, "identity", None)


def test_two_sides_of_a_market_stay_complements() -> None:
    """Under is one minus over, whatever the map's intercept."""
    tilted = CalibrationMap("platt", {"slope": (0.7,), "intercept": (0.3,)}, 900)
    used = model(nba=SegmentModel(tilted, 900, True))
    over = used.calibrate(0.6, "NBA", "SPREAD:FULL_GAME").p
    under = used.calibrate(0.4, "NBA", "SPREAD:FULL_GAME", complement=True).p
    assert over + under == pytest.approx(1, abs=1e-15)


def test_a_map_applied_to_unpublished_predictions_is_marked_extrapolated() -> None:
    """It was learned from published picks; the identity extrapolates nothing."""
    used = model(nba=SegmentModel(HALF, 900, True))
    assert used.calibrate(0.6, "NBA", "SPREAD:FULL_GAME").extrapolated
    assert not used.calibrate(0.6, "NBA", "SPREAD:FULL_GAME", published=True).extrapolated
    assert not used.calibrate(0.6, "KBL", "TOTAL:Q1").extrapolated


@pytest.mark.parametrize("method", ["identity", "platt", "temperature", "beta", "isotonic"])
def test_one_probability_is_served_like_an_array(method: str) -> None:
    """The arithmetic without arrays agrees to rounding, ends included."""
    fitted = fit(method, *outcomes(1_500, 1.5))
    asked = np.array([0.0, 1e-300, 0.0123, 0.5, 0.77, 0.999999, 1.0])
    assert [served_one(fitted, p) for p in asked.tolist()] == pytest.approx(fitted.served(asked).tolist(), abs=1e-14)


def test_extreme_logits_do_not_overflow() -> None:
    """A steep map at the ends gives 0 and 1, not an error."""
    steep = CalibrationMap("platt", {"slope": (500.0,), "intercept": (0.0,)}, 900)
    assert [served_one(steep, 0.0), served_one(steep, 1.0)] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("raw", [math.nan, -0.01, 1.01, math.inf])
def test_impossible_probabilities_are_refused(raw: float) -> None:
    """NaN and anything outside [0, 1] is a clear error."""
    with pytest.raises(ValueError, match="must lie in"):
        CalibrationModel({}).calibrate(raw, "NBA", "SPREAD:FULL_GAME")


def test_segments_are_written_and_read() -> None:
    """LEAGUE|MARKET, whatever the case; nothing empty."""
    assert parse_segment("nba|spread:full_game") == NBA
    assert (str(NBA), str(SPREAD), str(GLOBAL)) == ("NBA|SPREAD:FULL_GAME", "*|SPREAD:FULL_GAME", "*|*")
    assert levels(NBA) == (NBA, SPREAD, GLOBAL)
    assert levels(GLOBAL) == (GLOBAL,)
    for bad in ("NBA", "|SPREAD", "NBA| "):
        with pytest.raises(ValueError, match="segment"):
            parse_segment(bad)


def test_only_the_other_side_of_two_way_markets_is_turned() -> None:
    """Away, under and no, a team's or a player's too, are learned as 1 - p; of three outcomes none is."""
    assert is_complement("MONEYLINE:FULL_GAME", "AWAY")
    assert is_complement("TOTAL:FULL_GAME", "under")
    assert is_complement("PLAYER_POINTS:FULL_GAME", "UNDER:LeBron James")
    assert is_complement("TEAM_TOTAL:FULL_GAME", "AWAY_UNDER")
    assert not is_complement("TEAM_TOTAL:FULL_GAME", "AWAY_OVER")
    assert not is_complement("TOTAL:FULL_GAME", "OVER")
    assert not is_complement("MONEYLINE_3WAY:REGULATION", "AWAY")
    assert not is_complement("MONEYLINE:REGULATION", "AWAY", two_way=False)
