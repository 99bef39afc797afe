"""Imports in any company: what is on record is learned from and stands, whichever call put it there."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from onrecord.forecasting import MIN_EV, Forecaster
from onrecord.history import Imported, import_history, read_files
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished
from tests.onrecord.season import season_text

MATCHES = 45
FORECASTS = (PredictionMade.topic, PredictionPublished.topic)


@pytest.fixture
def seasons(tmp_path: Path) -> tuple[Path, Path]:
    """Two SYNTHETIC seasons of one league, one after the other."""
    first, second = tmp_path / "E0_2122.csv", tmp_path / "E0_2223.csv"
    first.write_text(season_text(MATCHES), "utf-8", newline="")
    second.write_text(season_text(MATCHES, seed=2, first_day=date(2022, 8, 12)), "utf-8", newline="")
    return first, second


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty one."""
    with_nothing = Workspace(Settings(home=tmp_path / "home"))
    yield with_nothing
    with_nothing.close()


def imported(workspace: Workspace, *paths: Path) -> Imported:
    """The files in one call."""
    files, refused = read_files("football-data", paths)
    return import_history(workspace.log, files, refused, Forecaster(), lambda _done, _left: None)


def forecasts(workspace: Workspace) -> set[tuple[str, str]]:
    """Every prediction and pick by its id, with what it says."""
    batches = [workspace.log.read_topic(topic, {}, 100_000)[0] for topic in FORECASTS]
    return {(row["record_id"], row["data"]) for batch in batches for row in batch.to_pylist()}


def test_one_after_the_other_is_as_both_at_once(
    workspace: Workspace, seasons: tuple[Path, Path], tmp_path: Path
) -> None:
    """Given a season on record, when the next is imported, then it is forecast from what the first one taught."""
    for path in seasons:
        imported(workspace, path)
    together = Workspace(Settings(home=tmp_path / "together"))
    imported(together, *seasons)
    said = forecasts(together)
    together.close()

    assert said == forecasts(workspace)


@pytest.mark.parametrize("again", [[1], [0], [0, 1], [1, 0]])
def test_a_file_in_other_company_adds_nothing(
    workspace: Workspace, seasons: tuple[Path, Path], again: list[int]
) -> None:
    """Given both on record, when some are imported again, then nothing is new, and nothing contradicts the record."""
    imported(workspace, *seasons)

    assert imported(workspace, *(seasons[place] for place in again)).added == 0
    assert list(workspace.log.conflicts()) == []


def test_a_forecast_on_record_stands_when_more_is_known(workspace: Workspace, seasons: tuple[Path, Path]) -> None:
    """Given the second season forecast blind, when the first comes later, then no forecast of the second changes."""
    imported(workspace, seasons[1])
    before = forecasts(workspace)
    imported(workspace, *seasons)
    after = forecasts(workspace)

    assert before < after
    assert list(workspace.log.conflicts()) == []
    with workspace.reader() as store:
        picks = store.rows("SELECT event_id, market_key FROM picks")
        [(worst,)] = store.rows("SELECT min(ev_units) FROM picks JOIN predictions USING (prediction_id)")
    assert len(picks) == len(set(picks))
    assert worst >= MIN_EV


def test_a_mended_file_counts_when_it_comes_later(workspace: Workspace, seasons: tuple[Path, Path]) -> None:
    """Given results on record, when the file comes again with other scores, then those are the results."""
    imported(workspace, seasons[0])
    header, *lines = seasons[0].read_text("utf-8").splitlines()
    rows = [line.split(",") for line in lines]
    mended = [[*row[:5], "9", row[6], "H", *row[8:]] for row in rows]
    seasons[0].write_text("\n".join([header, *map(",".join, mended)]), "utf-8")
    imported(workspace, seasons[0])

    with workspace.reader() as store:
        assert store.rows("SELECT DISTINCT home FROM event_results") == [(9,)]
