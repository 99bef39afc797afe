"""An import of history calibrates walk-forward: each week by what was known, on record, and the same when run again."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from calibration.training import train
from consumers.calibrator import training_rows
from eventlog.clock import ManualClock
from onrecord.history import Imported, import_history, read_files
from onrecord.settings import Settings
from onrecord.walk_forward import Weeks, walking
from onrecord.wiring import Workspace
from schemas.events import Result, ResultRecorded
from schemas.publishes import PredictionPublished
from tests.producers.stage import NOW
from tests.records import make

CLUBS = ("Celtics", "Lakers", "Bulls", "Knicks", "Heat", "Spurs", "Warriors", "Suns", "Jazz", "Magic")
GAMES = 1_000
HEADER = "season,date,team1,team2,prob1,prob1_outcome,prob2,prob2_outcome"


@dataclass(frozen=True)
class Season:
    """A workspace with a file of forecasts imported, and what the import said."""

    workspace: Workspace
    file: Path
    done: Imported

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the projections."""
        with self.workspace.reader() as store:
            return store.rows(sql)


def imported(workspace: Workspace, file: Path) -> Imported:
    """The file, imported and calibrated as the command line does it."""
    files, refused = read_files("forecasts-538", [file])
    with walking(workspace, files) as walk:
        done = import_history(workspace.log, files, refused, None, lambda _done, _total: None, 500, walk)
    workspace.settle_down(done.positions)
    return done


def season_file(folder: Path) -> Path:
    """SYNTHETIC overconfident forecasts, five games a day."""
    rng = np.random.default_rng(5)
    logit = rng.normal(0, 1.0, GAMES)
    won = rng.random(GAMES) < expit(logit / 2.2)
    path = folder / "nba_games.csv"
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER.split(","))
        for i, (p, y) in enumerate(zip(expit(logit).tolist(), won.tolist(), strict=True)):
            day, pair = date(2021, 1, 4) + timedelta(days=i // 5), i % 5
            writer.writerow((2021, day, CLUBS[pair], CLUBS[pair + 5], p, int(y), 1 - p, 1 - int(y)))
    return path


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    """One season, imported once."""
    folder = tmp_path_factory.mktemp("season")
    workspace = Workspace(Settings(home=folder / "home", answer_timeout_s=60, poll_s=0.02), ManualClock(NOW))
    file = season_file(folder)
    yield Season(workspace, file, imported(workspace, file))
    workspace.close()


def test_forecasts_carry_raw_and_calibrated_p_and_the_version_that_was_active_then(season: Season) -> None:
    """Given an overconfident season, then early forecasts are raw, late ones calibrated by the newest version."""
    told = season.rows(
        "SELECT predicted_at, p_cover, p_cover_calibrated, calibration_version_applied, calibration_version "
        "FROM predictions ASOF LEFT JOIN (SELECT decided_at, calibration_version FROM calibration_verdicts "
        "WHERE verdict = 'ACTIVATED') ON predicted_at >= decided_at ORDER BY predicted_at"
    )
    applied = [row[3] for row in told]

    assert len(told) == GAMES
    assert applied[0] is None
    assert applied[-1] is not None
    assert [row[4] for row in told] == applied
    assert all((row[2] is None) == (row[3] is None) for row in told)
    assert all(abs(row[2] - 0.5) < abs(row[1] - 0.5) for row in told[-100:])


def test_each_version_can_be_learned_again_from_what_was_known_then(season: Season) -> None:
    """Given the log as it is now, then the rows known by each version's time have the digest that it holds."""
    with season.workspace.reader() as store:
        held = store.rows("SELECT trained_at, training_digest, training_rows FROM trained_versions ORDER BY trained_at")
        for at, digest, rows in (held[0], held[len(held) // 2], held[-1]):
            known = training_rows(store.query("calibration_rows", {"before": at}))
            assert (digest, rows) == (train(known, "platt").digest, len(known.record_id))
            assert max(known.recorded_us) < at.timestamp() * 1_000_000


def test_served_beats_raw_once_the_gate_is_open(season: Season) -> None:
    """Given a forecaster with T = 2.2, then what was served scores better than raw, on record in the grades."""
    [(raw, served)] = season.rows(
        "SELECT avg(log_loss), avg(log_loss_calibrated) FROM grading WHERE log_loss_calibrated IS NOT NULL"
    )
    assert served < raw - 0.02


def test_importing_again_adds_nothing_and_says_nothing_else(season: Season) -> None:
    """Given the same file again, then no record is new, and none contradicts what is on record."""
    before = season.workspace.log.end()
    assert imported(season.workspace, season.file).added == 0
    assert (before, []) == (season.workspace.log.end(), list(season.workspace.log.conflicts()))


def test_an_import_cut_short_ends_as_one_that_was_not(season: Season, tmp_path: Path) -> None:
    """Given an import that died midway, when it is run again, then the forecasts are those of a whole one."""
    workspace = Workspace(Settings(home=tmp_path / "home", answer_timeout_s=60, poll_s=0.02), ManualClock(NOW))
    files, _ = read_files("forecasts-538", [season.file])
    with pytest.raises(InterruptedError), walking(workspace, files) as walk:
        import_history(workspace.log, files, [], None, _dies, 500, walk)
    imported(workspace, season.file)
    with workspace.reader() as store:
        again = store.rows("SELECT prediction_id, p_cover_calibrated FROM predictions ORDER BY ALL")
    workspace.close()

    assert season.rows("SELECT prediction_id, p_cover_calibrated FROM predictions ORDER BY ALL") == again


def _dies(done: int, left: int) -> None:
    if done > 0.7 * (done + left):
        raise InterruptedError


def test_a_week_asks_once_a_hundred_results_are_new() -> None:
    """Given 60 picks a week, then every other week asks, at its first moment, for what was known before it."""
    weeks, monday, asked = Weeks(), datetime(2024, 1, 1, tzinfo=UTC), list[datetime]()
    for week in range(5):
        at = monday + timedelta(weeks=week, hours=9)
        weeks.reach(at)
        if weeks.due is not None:
            asked.append(weeks.due)
            weeks.due = None
        for game in range(60):
            event = f"NBA-{week}-{game}-B-1"
            weeks.note([make(PredictionPublished, event, at, is_official=True)])
            weeks.note([make(ResultRecorded, event, at, **Result(home=1, away=0).model_dump())])

    assert [monday + timedelta(weeks=2), monday + timedelta(weeks=4)] == asked
