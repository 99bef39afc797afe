"""The real files, counted to the last row: `make test-real-data`."""

from collections import Counter, defaultdict
from functools import cache
from math import log
from pathlib import Path

import pytest

from producers.importers import IMPORTERS, FileMoments, replay
from producers.importers.moments import Order
from schemas.events import EventStatusChanged, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.rejections import InputRejected
from tests.producers.replayed import only, records_of

pytestmark = pytest.mark.real_data
DATA = Path(__file__).parents[3] / "shared" / "data"

TALLIES = {
    ("football-data", "football_odds/*.csv"): (42, 15_155, 15_155, 0, 3),
    ("nfl-archive", "nfl_odds/*.json"): (1, 2_136, 2_127, 9, 184),
    ("nfelo", "nfl_odds/*.csv"): (1, 3_206, 3_206, 0, 0),
    ("mlb", "mlb_odds/*.csv"): (4, 9_856, 9_856, 0, 12),
    ("nba", "nba_odds/*.csv"): (1, 19_158, 19_158, 0, 1),
    ("nba", "odds_snapshots/nba_results*.csv"): (1, 426, 426, 0, 0),
    ("odds-snapshots", "odds_snapshots/nba_2026*"): (1, 21_468, 20_297, 1_171, 0),
    ("odds-snapshots", "odds_snapshots/nhl_2026*"): (1, 6_210, 6_101, 109, 0),
    ("odds-api-csv", "odds_api_raw/*/odds.csv.gz"): (3, 10_881, 10_420, 461, 0),
    ("odds-api-csv", "odds_api_raw/*/events.csv"): (3, 47, 47, 0, 0),
    ("odds-api-csv", "odds_api_raw/*/scores.csv"): (3, 141, 141, 0, 0),
    ("odds-api", "odds_api_raw/*.json"): (1, 28, 28, 0, 0),
    ("injuries-nba", "injuries/nba*"): (1, 5_352, 5_352, 0, 0),
    ("injuries-epl", "injuries/epl_player_status*"): (1, 22_208, 22_208, 0, 0),
    ("forecasts-538", "forecasts_538/nba_games.csv"): (1, 8_886, 8_886, 0, 0),
    ("forecasts-538", "forecasts_538/nfl_games.csv"): (1, 1_889, 1_889, 0, 0),
    ("forecasts-538", "forecasts_538/mlb_games.csv"): (1, 15_748, 15_748, 0, 0),
    ("forecasts-538", "forecasts_538/club_soccer_matches.csv"): (1, 10_289, 10_289, 0, 0),
    ("spi", "forecasts_538/spi_matches.csv.gz"): (1, 23_456, 23_456, 0, 0),
}
"""Format and files to the number of files, rows, accepted, rejected, and rejected cells."""

LOG_LOSS = {
    "BUNDESLIGA": (2_447, 0.9808, 0.9798),
    "EPL": (3_040, 0.9415, 0.9382),
    "LIGUE1": (2_857, 0.9858, 0.9833),
    "SERIEA": (3_033, 0.9444, 0.9418),
    "LALIGA": (3_036, 0.9695, 0.9666),
    "SUPERLIG": (692, 0.9861, 0.9817),
}
"""The data's own reference: matches, and Pinnacle's no-vig 1X2 log loss, earlier and closing."""


@cache
def imported(form: str, pattern: str) -> tuple[FileMoments, ...]:
    paths = sorted(DATA.glob(pattern))
    assert paths, f"no real data at {DATA / pattern}: put the data sets there, or leave out the tests marked real_data"
    return tuple(IMPORTERS[form](path) for path in paths)


@pytest.mark.parametrize(("form", "pattern"), TALLIES)
def test_no_row_of_the_real_files_is_lost(form: str, pattern: str) -> None:
    """rows = accepted + rejected in each file; bad cells are counted apart."""
    tallies = [file.tally for file in imported(form, pattern)]
    assert all(tally.rows == tally.accepted + tally.rejected for tally in tallies)
    fields = ("rows", "accepted", "rejected", "rejected_cells")
    assert (len(tallies), *(sum(getattr(tally, name) for tally in tallies) for name in fields)) == TALLIES[
        form, pattern
    ]


@pytest.mark.parametrize(("form", "pattern"), [of for of in TALLIES if of[0] != "football-data"])
def test_all_records_of_the_real_files_can_be_made_in_order_and_once(form: str, pattern: str) -> None:
    files = imported(form, pattern)
    times = [moment.at for moment in replay(files)]
    ids = Counter((record.topic, record.record_id) for record in records_of(*files))
    assert times == sorted(times)
    assert ids.most_common(1)[0][1] == 1


def test_football_replayed_gives_the_reference_figures() -> None:
    """And 29 awarded matches, three impossible prices, and no id twice."""
    prices: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    winners, ids, kinds = {}, set(), Counter[str]()
    for moment in replay(imported("football-data", "football_odds/*.csv")):
        for record in moment.build():
            ids.add((record.topic, record.record_id))
            kinds[record.type] += 1
            if isinstance(record, OddsSnapshotCaptured) and record.data.book == "pinnacle":
                if record.data.market_key == "MONEYLINE_3WAY:REGULATION":
                    prices[record.event_id, record.data.label or ""][record.data.selection] = record.data.price_decimal
            elif isinstance(record, ResultRecorded):
                winners[record.event_id] = _winner(record)
    assert (kinds["EventStatusChanged"], kinds["InputRejected"], len(ids)) == (29, 3, kinds.total())
    assert _log_losses(prices, winners) == LOG_LOSS


def _winner(result: ResultRecorded) -> str:
    home, away = result.data.home or 0, result.data.away or 0
    return "HOME" if home > away else "AWAY" if home < away else "DRAW"


def _log_losses(
    prices: dict[tuple[str, str], dict[str, float]], winners: dict[str, str]
) -> dict[str, tuple[int, float, float]]:
    losses: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for event, winner in winners.items():
        both = [prices.get((event, phase), {}) for phase in ("earlier", "closing")]
        if all(len(of) == 3 for of in both):
            earlier, closing = (log(sum(1 / price for price in of.values()) * of[winner]) for of in both)
            losses[event.partition("_")[0].upper()].append((earlier, closing))
    return {
        league: (len(of), *(round(sum(column) / len(of), 4) for column in zip(*of, strict=True)))
        for league, of in losses.items()
    }


def test_the_awarded_matches_are_those_of_the_two_clubs_that_stopped() -> None:
    changes = only(EventStatusChanged, records_of(*imported("football-data", "football_odds/T1_2223.csv")))
    assert {change.data.status for change in changes} == {"AWARDED"}
    assert sum("gaziantep" in change.event_id or "hatayspor" in change.event_id for change in changes) == 29


def test_the_swapped_pairs_of_the_nfl_archive_are_rejected_with_their_row() -> None:
    """180 closing pairs; of the 4 opening ones 3 are in rows of a club called 0, which are rejected whole."""
    said = [record.data for record in only(InputRejected, records_of(*imported("nfl-archive", "nfl_odds/*.json")))]
    columns = Counter(of.column for of in said)
    assert (columns["home_close_spread,close_over_under"], columns["home_open_spread,open_over_under"]) == (180, 1)
    assert (
        sum('"home_team": 0' in of.raw and '"home_open_spread": 0.0' in of.raw for of in said if of.kind == "ROW") >= 3
    )


def _events(form: str, pattern: str) -> set[str]:
    files = imported(form, pattern)
    moments = (moment for file in files for moment in file.moments if moment.order == Order.SCHEDULED)
    return {event for moment in moments for record in moment.build() if (event := record.event_id) is not None}


def test_sources_agree_on_who_plays_whom_and_when() -> None:
    """All NBA forecasts are of archived games; all but one event of the snapshots has its result."""
    archive = _events("nba", "nba_odds/*.csv")
    forecasts = _events("forecasts-538", "forecasts_538/nba_games.csv")
    results = _events("nba", "odds_snapshots/nba_results*.csv")
    snapshots = _events("odds-snapshots", "odds_snapshots/nba_2026*")
    assert (len(forecasts), len(forecasts & archive)) == (8_886, 8_886)
    assert (len(snapshots), len(snapshots & results)) == (406, 405)


def test_football_sources_agree_but_for_matches_that_were_moved() -> None:
    """The SPI file was written in April 2019: later matches stand in it under the dates then planned."""
    played = {event for event in _events("football-data", "football_odds/*.csv") if event.split("_")[1] < "2019-04-01"}
    forecast = _events("spi", "forecasts_538/spi_matches.csv.gz")
    assert (len(played), len(played & forecast)) == (5_082, 5_082)
