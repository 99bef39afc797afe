"""`onrecord calibration plot`: what is drawn is what the version was judged by, and always the same."""

import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from onrecord.calibration_plot import consistency_band, diagram
from onrecord.calibration_service import CalibrationService
from onrecord.settings import Settings
from onrecord.wiring import Workspace, user_name
from schemas.events import EventStarted
from schemas.publishes import PredictionPublished
from tests.calibrated_picks import grade, picks
from tests.calibration.forecasters import outcomes
from tests.onrecord.conftest import Run
from tests.records import make

N = 700
SPRING = datetime(2023, 3, 1, 15, tzinfo=UTC)
SPREAD = ("NBA", "SPREAD:FULL_GAME")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with over-confident picks, graded, and one trained version."""
    home = tmp_path_factory.mktemp("calibrated") / "home"
    workspace = Workspace(Settings(home=home))
    p, y = outcomes(N, 3.0)
    workspace.log.append(picks(p, [None] * N, y.tolist(), SPRING, every=timedelta(hours=12)))
    CalibrationService(workspace).run_calibration_job(method="platt")
    workspace.close()
    return home


@pytest.fixture
def calibrated(template: Path, home: Path) -> Path:
    """A copy of it as this test's folder."""
    shutil.copytree(template, home)
    return home


def test_the_figures_drawn_are_those_on_record(
    run: Run, calibrated: Path, tmp_path: Path, workspace: Workspace
) -> None:
    """Before and after of the segment's out-of-time picks, as the version holds them."""
    file = tmp_path / "plot.svg"

    run("calibration", "plot", *SPREAD, "--out", file)

    drawn = file.read_text("utf-8")
    with workspace.reader() as store:
        [row] = store.rows("SELECT before, after FROM calibration_segments WHERE segment = 'NBA|SPREAD:FULL_GAME'")
        shown = diagram(store, *SPREAD)
    assert shown.is_exact
    assert "has changed" not in drawn
    for metrics in map(json.loads, row):
        assert f"ECE {metrics['ece']:.4f}, Brier {metrics['brier']:.4f}, log loss {metrics['log_loss']:.4f}" in drawn


def test_a_version_trained_after_a_roll_back_is_drawn_with_it(calibrated: Path) -> None:
    """Its gate was shut by then: the diagram says what the version says."""
    workspace = Workspace(Settings(home=calibrated))
    service = CalibrationService(workspace)
    [first] = service.calibration_versions_collection.find({})
    service.roll_back(first["calibration_version"], who="anna", why="a test")
    service.run_calibration_job(method="platt")

    with workspace.reader() as store:
        said = store.rows(
            "SELECT calibration_version, activates FROM calibration_segments WHERE segment = 'NBA|SPREAD:FULL_GAME'"
        )
        shown = [(version, diagram(store, *SPREAD, version).activates) for version, _ in said]
    assert shown == said
    workspace.close()
    assert {activates for _, activates in said} == {True, False}


def test_the_same_diagram_is_the_same_svg(run: Run, calibrated: Path, tmp_path: Path) -> None:
    """Byte for byte, with two reliability curves, their bands and two histograms; a PNG is one, too."""
    files = [tmp_path / name for name in ("one.svg", "two.svg", "three.PNG")]

    for file in files:
        run("calibration", "plot", "nba", "spread:full_game", "--out", file)

    first, second, picture = (file.read_bytes() for file in files)
    assert first == second
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    for word in (b"before (raw)", b"after (out of time)", b"95% band if calibrated", b"picks", b"probability"):
        assert word in first


def test_all_leagues_and_markets_are_asked_for_by_a_star(run: Run, calibrated: Path, tmp_path: Path) -> None:
    """The levels that segments fall back to have diagrams of their own; a version can be named."""
    [version] = run("query", "SELECT calibration_version FROM calibration_versions", "-f", "csv").out.splitlines()[1:]

    told = run("calibration", "plot", "*", "*", "--version", version, "--out", tmp_path / "all.svg").out

    assert told.startswith(f"{tmp_path / 'all.svg'}: *|* of {version}, ")


def test_a_grade_corrected_since_changes_no_diagram(
    run: Run, calibrated: Path, tmp_path: Path, workspace: Workspace
) -> None:
    """It shows what the version saw."""
    files = [tmp_path / "before.svg", tmp_path / "after.svg"]
    run("calibration", "plot", *SPREAD, "--out", files[0])
    p, y = outcomes(N, 3.0)
    last = f"NBA-{(N - 1) // 2}-A-B-1"
    publish = make(PredictionPublished, last, number=N - 1)
    corrected = grade(N - 1, publish, p[-1], None, 1 - y[-1], datetime.now(UTC) + timedelta(days=1), revision=1)
    workspace.log.append([corrected])

    run("calibration", "plot", *SPREAD, "--out", files[1])

    first, second = (file.read_bytes() for file in files)
    assert first == second
    wins = run("query", f"SELECT count(*) AS n FROM grading WHERE grade_id = '{corrected.ref}'", "-f", "csv").out
    assert wins == "n\n1\n"


def test_picks_that_turned_out_invalid_since_are_told(
    run: Run, calibrated: Path, tmp_path: Path, workspace: Workspace
) -> None:
    """A game began before a pick on it: then what is drawn is not all that the version learned from."""
    workspace.log.append([make(EventStarted, f"NBA-{(N - 1) // 2}-A-B-1", started_at=SPRING)])

    run("calibration", "plot", *SPREAD, "--out", tmp_path / "plot.svg")

    assert "what it learned from has changed" in (tmp_path / "plot.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("XFL", SPREAD[1], "--out", "x.svg"), "no settled pick is of league 'XFL': there are *, NBA"),
        (("NBA", "TOTAL", "--out", "x.svg"), "NBA has no settled pick of market 'TOTAL': it has SPREAD:FULL_GAME"),
        ((*SPREAD, "--version", "v_1", "--out", "x.svg"), "no version 'v_1' is on record: `onrecord calibration list`"),
        ((*SPREAD, "--out", "x.jpeg"), "--out x.jpeg: name a file that ends in .png or .svg"),
        (("", "TOTAL", "--out", "x.svg"), "a segment needs a league and a market"),
    ],
    ids=["league", "market", "version", "suffix", "empty"],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    run: Run, calibrated: Path, words: Sequence[str], message: str
) -> None:
    """Exit code 2, and no file."""
    done = run("calibration", "plot", *words, check=False)

    assert (done.code, done.error.startswith(f"error: {message}")) == (2, True)


def test_without_matplotlib_it_says_what_to_install(
    run: Run, calibrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    done = run("calibration", "plot", *SPREAD, "--out", tmp_path / "plot.png", check=False)

    assert done.error == "error: plots need matplotlib: pip install 'onrecord[plot]'"


def test_without_a_version_or_out_of_time_picks_there_is_nothing_to_draw(run: Run, workspace: Workspace) -> None:
    """And what is missing is said."""
    words = ("calibration", "plot", *SPREAD, "--out", "x.svg")
    assert run(*words, check=False).error == "error: no version is on record: `onrecord calibrate` trains one"
    p, y = outcomes(60, 1.0)
    workspace.log.append(picks(p, [None] * 60, y.tolist(), SPRING))
    workspace.close()
    run("calibrate", "--method", "platt")

    assert run(*words, check=False).error.startswith("error: NBA|SPREAD:FULL_GAME has 60 settled picks, none of them")


def test_the_band_holds_what_calibrated_forecasts_show() -> None:
    """At least 95 in 100 of simulated bins; a bin of one pick may show anything."""
    rng = np.random.default_rng(5)
    p = rng.uniform(0.3, 0.4, 80)
    low, high = consistency_band(float(p.mean()), p.size)
    observed = (rng.random((4_000, p.size)) < p).mean(axis=1)

    assert ((observed >= low) & (observed <= high)).mean() > 0.95
    assert (low < p.mean() < high, high - low < 0.23) == (True, True)
    assert consistency_band(0.5, 1) == (0, 1)


def test_summary_shows_the_active_version_and_what_is_wrong_with_it(
    run: Run, calibrated: Path, workspace: Workspace
) -> None:
    """In one line: what serves, the gravest warning, how many more there are; or that raw is served."""
    [version] = run("query", "SELECT calibration_version FROM calibration_versions", "-f", "csv").out.splitlines()[1:]
    activated = run("calibration", "activate", version, "--why", "to see").out.splitlines()
    serving = run("summary").out.splitlines()
    rolled_back = run("calibration", "rollback", version, "--why", "seen").out.splitlines()

    shut = run("summary").out.splitlines()

    assert activated == [f"{version} is ACTIVE, by {user_name()}", serving[1]]
    assert rolled_back == [f"{version} is ROLLED_BACK, by {user_name()}", shut[1]]
    assert serving[1].startswith(f"calibration: {version} is active; DRIFT BACKFILL *|*: Brier 0.")
    assert serving[1].endswith("; 2 more: `onrecord query calibration_warnings`")
    assert shut[1] == "calibration: no version is active, raw probabilities are served"
