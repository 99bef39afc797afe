"""The real files through the command line, as a user imports them: `make test-real-data`."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(3600)]
DATA = Path(__file__).parents[3] / "shared" / "data"

OTHERS = {
    "nfl-archive": "nfl_odds/*.json",
    "nfelo": "nfl_odds/*.csv",
    "mlb": "mlb_odds/*.csv",
    "nba": "nba_odds/*.csv odds_snapshots/nba_results*.csv",
    "odds-snapshots": "odds_snapshots/n*.gz",
    "odds-api-csv": "odds_api_raw/*/*.csv*",
    "odds-api": "odds_api_raw/*.json",
    "injuries-nba": "injuries/nba*",
    "injuries-epl": "injuries/epl_player_status*",
    "forecasts-538": "forecasts_538/*_games.csv forecasts_538/club*.csv",
    "spi": "forecasts_538/spi_matches.csv.gz",
}
LOG_LOSS = {
    "BUNDESLIGA": (2447, 0.9808, 0.9798),
    "EPL": (3040, 0.9415, 0.9382),
    "LALIGA": (3036, 0.9695, 0.9666),
    "LIGUE1": (2857, 0.9858, 0.9833),
    "SERIEA": (3033, 0.9444, 0.9418),
    "SUPERLIG": (692, 0.9861, 0.9817),
}
"""The README of the data: matches, Pinnacle's no-vig 1X2 log loss, earlier and closing."""


@dataclass(frozen=True)
class Home:
    """A folder, and the command line over it in processes of its own."""

    folder: Path

    def run(self, *words: object, check: bool = True) -> str:
        """What a command shows."""
        done = subprocess.run(
            [sys.executable, "-m", "onrecord", *map(str, words)],
            env=os.environ | {"ONRECORD_HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query, or of a named one."""
        return list(json.loads(self.run("query", sql, "--format", "json")))


def files(*patterns: str) -> list[Path]:
    """The data files."""
    found = [path for pattern in patterns for path in sorted(DATA.glob(pattern))]
    assert found, f"no real data at {DATA}: put the data sets there, or leave out the tests marked real_data"
    return found


@pytest.fixture(scope="module")
def football(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The 42 season files, imported once with the forecasts and grades that follow from them."""
    home = Home(tmp_path_factory.mktemp("football"))
    home.run("import", "football-data", *files("football_odds/*.csv"))
    return home


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """All other files, format after format, in one folder; what calibration does is seen elsewhere."""
    home = Home(tmp_path_factory.mktemp("others"))
    for form, patterns in OTHERS.items():
        home.run("import", "--no-calibrate", form, *files(*patterns.split()))
    return home


def test_every_football_row_is_accepted_and_bad_cells_are_counted(football: Home) -> None:
    """42 files, 15,155 matches, three impossible prices with their raw rows."""
    sums = 'count(*) AS files, sum("rows")::INT AS n, sum(accepted)::INT AS accepted, sum(rejected_cells)::INT AS cells'
    [tally] = football.rows(f"SELECT {sums} FROM imported_files")
    rejected = football.rows('SELECT "column", raw FROM rejections ORDER BY "column"')

    assert tally == {"files": 42, "n": 15_155, "accepted": 15_155, "cells": 3}
    assert [row["column"] for row in rejected] == ["AvgC>2.5", "B365C<2.5", "B365C>2.5"]
    assert all("Newcastle,Man City" in row["raw"] or "FC Koln,RB Leipzig" in row["raw"] for row in rejected)


def test_the_no_vig_log_loss_is_that_of_the_data_readme(football: Home) -> None:
    """From the projections alone, by one named query, to four places, for all six leagues."""
    found = {
        row["league"]: (row["n"], round(row["log_loss_earlier"], 4), round(row["log_loss_closing"], 4))
        for row in football.rows("no_vig_log_loss")
    }

    assert found == LOG_LOSS


def test_awarded_matches_are_recorded_as_awarded_and_feed_nothing(football: Home) -> None:
    """29 of two clubs that stopped; no odds, so no forecast, no pick."""
    awarded = football.rows("SELECT event_id, league FROM events WHERE status = 'AWARDED'")
    picks = football.rows("SELECT * FROM picks JOIN events USING (event_id) WHERE status = 'AWARDED'")

    assert (29, {"SUPERLIG"}, []) == (len(awarded), {row["league"] for row in awarded}, picks)


def test_the_picks_are_all_graded_and_the_audit_finds_nothing(football: Home) -> None:
    """Nothing is pending after an import."""
    assert re.fullmatch(r"graded \d{5}, voided \d+, pending 0\n", football.run("grade"))
    assert football.run("audit").splitlines()[-1] == "audit: 0 offenders in 10 checks"


def test_every_close_has_its_provenance_and_lies_before_the_start(football: Home) -> None:
    """A time that the source does not state is marked as assumed."""
    [row] = football.rows(
        "SELECT count(*) AS closes, count(*) FILTER (captured_at > started_at) AS late, "
        "count(*) FILTER (NOT captured_at_assumed) AS stated FROM closing_lines"
    )

    assert (row["closes"] > 500_000, row["late"], row["stated"]) == (True, 0, 0)


def test_importing_again_adds_nothing(football: Home) -> None:
    """Not a record."""
    before = football.run("log", "stats")

    assert ", 0 of them new" in football.run("import", "football-data", *files("football_odds/T1_*.csv"))
    assert before == football.run("log", "stats")


def test_no_row_of_any_other_file_is_lost(others: Home) -> None:
    """rows = accepted + rejected in each, and each rejection is on record with its raw row."""
    tallies = others.rows('SELECT source, "rows" AS n, accepted, rejected, rejected_cells FROM imported_files')
    kinds = {row["kind"]: row["n"] for row in others.rows("SELECT kind, count(*) AS n FROM rejections GROUP BY 1")}

    assert len(files(*" ".join(OTHERS.values()).split())) == len(tallies)
    assert [tally for tally in tallies if tally["n"] != tally["accepted"] + tally["rejected"]] == []
    assert sum(tally["rejected"] for tally in tallies) == kinds["ROW"]
    assert sum(tally["rejected_cells"] for tally in tallies) == kinds["CELL"]
    assert others.rows("SELECT * FROM rejections WHERE raw = '' OR reason = ''") == []


def test_the_swapped_pairs_of_the_nfl_archive_are_rejected_with_their_row(others: Home) -> None:
    """180 closing pairs; of the 4 opening ones 3 are in rows of a club called 0, which are rejected whole."""
    found = others.rows("SELECT \"column\", count(*) AS n FROM rejections WHERE source LIKE 'nfl_archive%' GROUP BY 1")
    by_column = {row["column"]: row["n"] for row in found}
    whole = others.rows(
        "SELECT * FROM rejections WHERE source LIKE 'nfl_archive%' AND kind = 'ROW' "
        "AND raw LIKE '%\"home_team\": 0%' AND raw LIKE '%\"home_open_spread\": 0.0%'"
    )

    assert (by_column["home_close_spread,close_over_under"], by_column["home_open_spread,open_over_under"]) == (180, 1)
    assert len(whole) >= 3


@pytest.mark.parametrize(("league", "in_play"), [("NBA", 355), ("NHL", 1352)])
def test_no_price_from_after_the_start_is_a_close(others: Home, league: str, in_play: int) -> None:
    """They are on record, every one, and are no close.

    Of the 398 NBA rows of the data's README 42 are lay prices and one is a price of 1; the 236 NHL rows hold up to six
    prices each; other files hold more of them. Some know the same games with starts that they only assume: those must
    not let a price in.
    """
    [row] = others.rows(
        f"""
        WITH after AS (
            SELECT snapshot_id, source FROM odds_records JOIN events USING (event_id)
            JOIN (SELECT raw_payload_id, source FROM raw_payloads) USING (raw_payload_id)
            WHERE league = '{league}' AND captured_at > coalesce(started_at, starts_at)
        )
        SELECT (SELECT count(*) FROM after WHERE source LIKE 'odds-snapshots:%') AS late,
               (SELECT count(*) FROM closing_lines SEMI JOIN after USING (snapshot_id)) AS closes
        """
    )

    assert (row["late"], row["closes"]) == (in_play, 0)


def test_the_audit_finds_nothing_in_all_of_them_together(others: Home) -> None:
    """Ten checks over every format."""
    assert others.run("audit").splitlines()[-1] == "audit: 0 offenders in 10 checks"
