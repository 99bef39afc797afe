"""Margin models: what a line away from the close is worth."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from grading import margins
from grading.margins import MarginError, MarginModel, chances, margin_model

SPREADS = {"nfl": 20, "nba": 25, "mlb": 4, "soccer": 4}
"""Sports with how far a closing spread may lie from 0."""
TOTALS = {"nfl": (30, 65), "nba": (170, 250), "mlb": (5, 14), "soccer": (2, 5)}
TOY = MarginModel("toy", "spread", -2, 1.5, np.array([1.0, 2.0, 0.5, 2.0, 1.0]))

FAIRS = st.floats(0.05, 0.95)
QUARTERS = st.integers(-6, 6).map(lambda n: n / 4)


def model(sport: str, kind: str) -> MarginModel:
    found = margin_model(sport, kind)
    assert found is not None
    return found


@st.composite
def closes(draw: st.DrawFn) -> tuple[MarginModel, str, float, float]:
    """A model, a selection, its closing line and the fair probability there."""
    sport = draw(st.sampled_from(sorted(SPREADS)))
    if draw(st.booleans()):
        most = SPREADS[sport]
        line = draw(st.integers(-4 * most, 4 * most)) / 4
        return model(sport, "spread"), draw(st.sampled_from(["home", "away"])), line, draw(FAIRS)
    low, high = TOTALS[sport]
    line = draw(st.integers(4 * low, 4 * high)) / 4
    return model(sport, "total"), draw(st.sampled_from(["over", "under"])), line, draw(FAIRS)


@given(closes())
@settings(deadline=None)
def test_at_the_close_a_model_says_what_the_close_says(close: tuple[MarginModel, str, float, float]) -> None:
    """Of the stake that is not returned, the fair share wins; and the shares sum to 1."""
    margin, selection, line, fair = close
    said = margin.chances(selection, line, line, fair)
    assert said.win / (said.win + said.loss) == pytest.approx(fair, abs=1e-10)
    assert said.win + said.push + said.loss == pytest.approx(1, abs=1e-12)
    assert min(said.win, said.loss) > 0
    assert said.push >= 0


@given(closes(), QUARTERS)
@settings(deadline=None)
def test_the_other_side_wins_what_this_one_loses(close: tuple[MarginModel, str, float, float], move: float) -> None:
    """Home at -3 is away at +3 turned round; over and under share their line."""
    margin, selection, line, fair = close
    other = {"home": "away", "away": "home", "over": "under", "under": "over"}[selection]
    turn = -1 if margin.kind == "spread" else 1
    said = margin.chances(selection, line + move, line, fair)
    mirrored = margin.chances(other, turn * (line + move), turn * line, 1 - fair)
    assert (mirrored.loss, mirrored.win) == pytest.approx((said.win, said.loss), abs=1e-9)


@given(closes(), QUARTERS)
@settings(deadline=None)
def test_a_better_line_wins_no_less_and_loses_no_more(
    close: tuple[MarginModel, str, float, float], move: float
) -> None:
    """More points for a spread or an under, fewer for an over."""
    margin, selection, line, fair = close
    step = -0.25 if selection == "over" else 0.25
    here = margin.chances(selection, line + move, line, fair)
    better = margin.chances(selection, line + move + step, line, fair)
    assert better.win >= here.win - 1e-12
    assert better.loss <= here.loss + 1e-12


@given(closes(), st.integers(-1, 3))
@settings(deadline=None)
def test_half_lines_never_push_and_quarter_lines_are_the_mean_of_their_neighbours(
    close: tuple[MarginModel, str, float, float], move: int
) -> None:
    """A quarter line is two bets of half the stake."""
    margin, selection, line, fair = close
    whole = int(line) + move
    at, quarter, half = (margin.chances(selection, whole + step, line, fair) for step in (0, 0.25, 0.5))
    assert half.push == pytest.approx(0, abs=1e-12)
    assert quarter.win == pytest.approx((at.win + half.win) / 2, abs=1e-12)
    assert quarter.loss == pytest.approx((at.loss + half.loss) / 2, abs=1e-12)


@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40), FAIRS), min_size=1, max_size=6))
@settings(deadline=None)
def test_many_at_once_are_each_alone(picks: list[tuple[int, int, float]]) -> None:
    """The vectorised answers do not depend on their neighbours."""
    lines, closing, fairs = (np.array(column) for column in zip(*picks, strict=True))
    nfl = model("nfl", "spread")
    win, loss = nfl.chances_many("away", lines / 4, closing / 4, fairs)
    alone = [nfl.chances("away", line / 4, close / 4, fair) for line, close, fair in picks]
    assert win == pytest.approx([said.win for said in alone], abs=1e-12)
    assert loss == pytest.approx([said.loss for said in alone], abs=1e-12)


@given(st.sampled_from([-1.5, -1, -0.75, -0.5, 0, 0.25, 0.5, 1]), FAIRS)
@settings(deadline=None)
def test_the_tilt_is_the_root_that_brent_finds(line: float, fair: float) -> None:
    """The defining formula, written out for five margins and solved by another method."""
    k, w = np.arange(-2, 3), TOY.weights

    def shares(tilt: float) -> tuple[float, float]:
        p = w * np.exp(-(k**2) / (2 * 1.5**2) + tilt * k)
        at = [line] if 2 * line == round(2 * line) else [line - 0.25, line + 0.25]
        win, loss = (sum(p[way * (k + each) > 0].sum() for each in at) / len(at) / p.sum() for way in (1, -1))
        return win, loss

    def off(tilt: float) -> float:
        win, loss = shares(tilt)
        return float(win / (win + loss) - fair)

    expected = shares(brentq(off, -20, 20, xtol=1e-14))
    said = TOY.chances("home", line, line, fair)
    assert (said.win, said.loss) == pytest.approx(expected, abs=1e-9)


def test_key_numbers_are_worth_more() -> None:
    """In the NFL about 8 games in 100 land on 3, 6 on 7 and 2 on 5, where the line is that number."""
    nfl = model("nfl", "spread")
    pushes = {number: nfl.chances("home", -number, -number, 0.5).push for number in (3, 5, 7)}
    assert pushes[3] > pushes[7] > pushes[5]
    assert pushes[3] == pytest.approx(0.08, abs=0.01)


@pytest.mark.parametrize("sport", ["nba", "mlb"])
def test_games_that_cannot_end_level_do_not_push_at_zero(sport: str) -> None:
    """Basketball and baseball are played until someone leads."""
    said = chances(sport, "spread", "home", 0.0, 0.0, 0.6)
    assert said is not None
    assert said.push == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("sport", "market", "period", "name"),
    [
        ("NFL", "SPREAD", "FULL_GAME", "nfl-spread@1"),
        ("football", "asian_handicap", "regulation", "soccer-spread@1"),
        ("soccer", "Asian_Total", "", "soccer-total@1"),
        ("nba", "total", "", "nba-total@1"),
        ("nba", "total", "regulation", None),
        ("nfl", "spread", "first_half", None),
        ("nfl", "moneyline", "", None),
        ("nhl", "spread", "", None),
        ("curling", "spread", "", None),
    ],
)
def test_each_sport_has_its_model_by_name(sport: str, market: str, period: str, name: str | None) -> None:
    """A grade records the name; whole games only, and none where no data was there to fit on."""
    found = margin_model(sport, market, period)
    assert name == (None if found is None else found.name)


def test_the_packaged_parameters_arrive_in_the_models() -> None:
    """Weights stand at their values, and are 1 beyond the table."""
    margins._packaged.cache_clear()
    told = tomllib.loads((Path(margins.__file__).with_name("margin_models.toml")).read_text(encoding="utf-8"))
    entry, nfl = told["nfl"]["spread"], model("nfl", "spread")
    expected = [entry["first"], entry["last"], entry["deviation"], "spread", f"nfl-spread@{told['version']}"]
    assert expected == [nfl.outcomes[0], nfl.outcomes[-1], nfl.deviation, nfl.kind, nfl.name]
    low, high = entry["weights_from"], entry["weights_from"] + len(entry["weights"])
    by_value = dict(zip(nfl.outcomes.tolist(), nfl.weights.tolist(), strict=True))
    assert entry["weights"] == [by_value[value] for value in range(low, high)]
    assert {1.0} == {weight for value, weight in by_value.items() if not low <= value < high}


def test_a_sport_without_a_model_has_no_chances() -> None:
    """None, not a guess."""
    assert chances("nhl", "spread", "home", -1.5, -1.5, 0.5) is None


@pytest.mark.parametrize(
    ("selection", "line", "close", "fair", "said"),
    [
        ("over", -3, -3, 0.5, "knows home and away"),
        ("home", -3.1, -3, 0.5, "multiple of 0.25"),
        ("home", -3, float("nan"), 0.5, "multiple of 0.25"),
        ("home", -300, -3, 0.5, "beyond -90 to 90"),
        ("home", -3, -3, 1.0, "strictly between 0 and 1"),
        ("home", -3, -3, float("nan"), "strictly between 0 and 1"),
    ],
)
def test_what_a_model_knows_nothing_of_is_refused(
    selection: str, line: float, close: float, fair: float, said: str
) -> None:
    """The message says which of the givens is at fault."""
    with pytest.raises(MarginError, match=said):
        model("nfl", "spread").chances(selection, line, close, fair)


@pytest.mark.real_data
def test_the_packaged_file_is_what_the_command_makes(tmp_path: Path) -> None:
    """Fitted on the real results, byte for byte; so nobody edited a number by hand."""
    root, made = Path(__file__).parents[2], tmp_path / "margin_models.toml"
    command = [sys.executable, "-m", "benchmarks.fit_margin_models", "--out", str(made)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    assert (root / "grading" / "margin_models.toml").read_text(encoding="utf-8") == made.read_text(encoding="utf-8")
