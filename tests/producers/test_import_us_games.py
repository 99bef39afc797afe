"""The NFL, MLB and NBA files become calendars, prices and results."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from producers.importers import FileMoments, FileRefused, mlb, nba, nfl
from schemas.events import EventScheduled, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.rejections import InputRejected
from tests.producers.replayed import counted, only, records_of, written

ARCHIVED = {
    "season": 2011,
    "date": 20110908.0,
    "home_team": "Packers",
    "away_team": "Saints",
    "home_1stQtr": "21",
    "home_2ndQtr": "7",
    "home_3rdQtr": "7",
    "home_4thQtr": "7",
    "home_final": "42",
    "away_1stQtr": 7,
    "away_2ndQtr": 10,
    "away_3rdQtr": 7,
    "away_4thQtr": 10,
    "away_final": 34,
    "home_close_ml": -250,
    "away_close_ml": 210,
    "home_open_spread": -4.5,
    "home_close_spread": -5.0,
    "open_over_under": 46.0,
    "close_over_under": 48.0,
}
NFELO = ",".join(nfl.NFELO_REQUIRED)
MLB = ",".join(mlb.REQUIRED)
NBA = ",".join(nba.REQUIRED)
MLB_GAME = (
    "2014-03-22,1,Los Angeles Dodgers,Arizona Diamondbacks,3.0,1.0,-170,150,-165,145,"
    "-1.5,1.5,-104,-116,6.5,-110,6.5,100"
)
NBA_GAME = "2008,2007-10-30,por,sa,97,106,900,-1400,26,23,28,20,0,29,30,22,25,0,13,189.5,5,95"


def archive(folder: Path, *changes: Mapping[str, object]) -> FileMoments:
    games = [json.dumps({**ARCHIVED, **change}) for change in changes]
    return nfl.archive_moments(written(folder, "archive.json", "[", ",\n".join(games), "]"))


def prices(file: FileMoments) -> list[tuple[str | None, str, str, float | None, str]]:
    odds = [record.data for record in only(OddsSnapshotCaptured, records_of(file))]
    return [(of.label, of.market_key, of.selection, of.line, of.price) for of in odds]


def reasons(file: FileMoments) -> list[tuple[str, str | None, str]]:
    return [(of.data.kind, of.data.column, of.data.reason) for of in only(InputRejected, records_of(file))]


def test_an_archived_game_has_closing_moneylines_quarters_and_its_own_text(tmp_path: Path) -> None:
    file = archive(tmp_path, {})
    records = records_of(file)
    (result,), (raw,) = only(ResultRecorded, records), only(RawPayloadCaptured, records)
    assert result.event_id == "nfl_2011-09-08_green-bay-packers_new-orleans-saints_1"
    assert [(of.period, of.home, of.away) for of in result.data.periods][-1] == ("q4", 7, 10)
    assert prices(file) == [
        ("closing", "MONEYLINE:FULL_GAME", "HOME", None, "-250"),
        ("closing", "MONEYLINE:FULL_GAME", "AWAY", None, "210"),
    ]
    assert json.loads(raw.data.content) == ARCHIVED
    assert file.tally.left_out == {"lines without a price": 4}


def test_points_beyond_the_quarters_are_overtime(tmp_path: Path) -> None:
    (result,) = only(ResultRecorded, records_of(archive(tmp_path, {"home_final": 45})))
    last = result.data.periods[-1]
    assert (last.period, last.home, last.away, result.data.extra_time) == ("ot", 3, 0, True)


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({"home_close_spread": -48.0, "close_over_under": 5.0}, "home_close_spread,close_over_under"),
        ({"home_open_spread": 0.0, "open_over_under": 13.5}, "home_open_spread,open_over_under"),
        ({"home_close_ml": 0}, "home_close_ml"),
        ({"home_1stQtr": 60}, "quarters"),
        ({"home_1stQtr": -3}, "quarters"),
    ],
)
def test_a_bad_cell_of_the_archive_costs_itself_alone(tmp_path: Path, change: dict[str, object], columns: str) -> None:
    """A swapped spread and total are rejected together."""
    file = archive(tmp_path, change)
    assert counted(file) == (1, 1, 0, 1)
    assert [(kind, column) for kind, column, _ in reasons(file)] == [("CELL", columns)]
    assert len(only(ResultRecorded, records_of(file))) == 1


@pytest.mark.parametrize(
    "change",
    [{"home_team": 0}, {"away_team": "NewYork"}, {"season": 2017, "home_team": "LosAngeles"}, {"date": 20111308.0}],
)
def test_an_archived_game_of_nobody_knows_whom_is_rejected(tmp_path: Path, change: dict[str, object]) -> None:
    """A city with two clubs names neither."""
    file = archive(tmp_path, change, {})
    assert counted(file) == (2, 1, 1, 0)


def test_relocated_clubs_are_the_clubs_of_today(tmp_path: Path) -> None:
    """Los Angeles had but the Rams in 2016."""
    old = {"home_team": "SanDiego", "away_team": "Oakland"}
    new = {"home_team": "St.Louis", "away_team": "Chargers", "date": "20111009"}
    rams = {"season": 2016, "home_team": "LosAngeles", "date": "20161009"}
    scheduled = only(EventScheduled, records_of(archive(tmp_path, old, new, rams)))
    assert [(of.data.home, of.data.away) for of in scheduled] == [
        ("Los Angeles Chargers", "Las Vegas Raiders"),
        ("Los Angeles Rams", "Los Angeles Chargers"),
        ("Los Angeles Rams", "New Orleans Saints"),
    ]


@pytest.mark.parametrize("text", ['{"season": 2011}', '[{"season": 2011}]', '[{"season": 20', "[1, 2]", "[NaN]"])
def test_json_of_another_layout_or_broken_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefused, match=r"archive\.json: is"):
        nfl.archive_moments(written(tmp_path, "archive.json", text))


def test_a_line_of_nfelo_with_a_price_is_odds_of_both_sides(tmp_path: Path) -> None:
    row = "2009_01_TEN_PIT,-5.0,,,-6.5,-110.0,-105.0,,,,35.5,-104.0,-106.0"
    file = nfl.nfelo_moments(written(tmp_path, "nfelo.csv", NFELO, row))
    assert prices(file) == [
        ("closing", "SPREAD:FULL_GAME", "HOME", -6.5, "-110.0"),
        ("closing", "SPREAD:FULL_GAME", "AWAY", 6.5, "-105.0"),
        ("closing", "TOTAL:FULL_GAME", "OVER", 35.5, "-104.0"),
        ("closing", "TOTAL:FULL_GAME", "UNDER", 35.5, "-106.0"),
    ]
    assert file.tally.left_out == {"lines without a price": 1}


def test_a_game_of_nfelo_is_known_by_its_week(tmp_path: Path) -> None:
    """The file tells no date, so that its event is not that of the other files."""
    row = "2020_21_KC_TB,3,,,3,-110,-110,,,,56,-110,-110"
    file = nfl.nfelo_moments(
        written(tmp_path, "nfelo.csv", NFELO, row, row.replace("_21_", "_22_"), "2020,x" + "," * 11)
    )
    (scheduled,) = only(EventScheduled, records_of(file))
    assert scheduled.event_id == "nfl_2020-week-21_tampa-bay-buccaneers_kansas-city-chiefs_1"
    assert scheduled.data.starts_at == datetime(2021, 2, 7, 18, tzinfo=UTC)
    assert counted(file) == (3, 1, 2, 0)


@pytest.mark.parametrize(
    ("season", "week", "day"),
    [
        (2009, 1, date(2009, 9, 13)),
        (2015, 17, date(2016, 1, 3)),
        (2018, 20, date(2019, 1, 20)),
        (2019, 21, date(2020, 2, 2)),
    ],
)
def test_the_sunday_of_a_week_is_that_of_the_calendar(season: int, week: int, day: date) -> None:
    assert nfl.sunday_of(season, week) == day


def test_a_baseball_game_has_opening_and_closing_prices_and_its_run_line(tmp_path: Path) -> None:
    file = mlb.moments(written(tmp_path, "mlb.csv", MLB, MLB_GAME))
    assert prices(file) == [
        ("opening", "MONEYLINE:FULL_GAME", "HOME", None, "150"),
        ("opening", "MONEYLINE:FULL_GAME", "AWAY", None, "-170"),
        ("closing", "MONEYLINE:FULL_GAME", "HOME", None, "145"),
        ("closing", "MONEYLINE:FULL_GAME", "AWAY", None, "-165"),
        ("closing", "SPREAD:FULL_GAME", "HOME", 1.5, "-116"),
        ("closing", "SPREAD:FULL_GAME", "AWAY", -1.5, "-104"),
    ]
    assert file.tally.left_out == {"totals whose price has no side": 2}


def test_a_double_header_is_two_games_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    later, earlier = MLB_GAME.replace(",1,", ",10,", 1), MLB_GAME.replace(",1,", ",9,", 1)
    records = records_of(mlb.moments(written(tmp_path, "mlb.csv", MLB, later, earlier)))
    first, second = only(EventScheduled, records)
    assert (first.data.game_number, second.data.game_number) == (1, 2)
    assert (second.data.starts_at - first.data.starts_at).total_seconds() == 4 * 3600
    raws = {record.event_id: record.data.content for record in only(RawPayloadCaptured, records)}
    assert raws[first.event_id].endswith(earlier)


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [(",3.0,1.0,", ",3.0,3.0,", "home_score,away_score"), (",-1.5,1.5,", ",-1.5,-1.5,", "home_run_line,away_run_line")],
)
def test_a_level_score_or_an_impossible_run_line_costs_itself_alone(
    tmp_path: Path, old: str, new: str, column: str
) -> None:
    file = mlb.moments(written(tmp_path, "mlb.csv", MLB, MLB_GAME.replace(old, new)))
    assert counted(file) == (1, 1, 0, 1)
    assert [of for _, of, _ in reasons(file)] == [column]


def test_a_basketball_game_has_moneylines_and_quarters(tmp_path: Path) -> None:
    """A spread or a total without a price is no odds, and no price is invented for it."""
    file = nba.moments(written(tmp_path, "nba.csv", NBA, NBA_GAME))
    (result,) = only(ResultRecorded, records_of(file))
    assert result.event_id == "nba_2007-10-30_san-antonio-spurs_portland-trail-blazers_1"
    assert [of.period for of in result.data.periods] == ["q1", "q2", "q3", "q4"]
    assert [price for *_, price in prices(file)] == ["-1400", "900"]
    assert file.tally.left_out == {"lines without a price": 4}


def test_a_level_basketball_score_is_false(tmp_path: Path) -> None:
    level = NBA_GAME.replace(",97,106,", ",95,95,")
    file = nba.moments(written(tmp_path, "nba.csv", NBA, level))
    assert counted(file) == (1, 1, 0, 1)
    assert not only(ResultRecorded, records_of(file))


def test_quarters_that_do_not_add_up_leave_the_score(tmp_path: Path) -> None:
    file = nba.moments(written(tmp_path, "nba.csv", NBA, NBA_GAME.replace(",26,23,", ",25,23,")))
    (result,) = only(ResultRecorded, records_of(file))
    assert (counted(file), result.data.home, result.data.periods) == ((1, 1, 0, 1), 106, ())
