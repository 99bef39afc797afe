"""Timestamped odds become looks at the market, with the calendar that the pulls tell."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from producers.importers import FileMoments, FileRefused, odds_json, odds_rows
from schemas.events import EventRescheduled, EventScheduled, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.rejections import InputRejected
from tests.producers.replayed import counted, only, records_of, written

FLAT = ",".join(odds_rows.FLAT)
WIDE = ",".join(odds_rows.WIDE)
API = ",".join(odds_rows.API_ODDS)
SCORES = ",".join(odds_rows.API_SCORES)
HOME, AWAY = "Charlotte Hornets", "Dallas Mavericks"
GAME = f"e1,basketball_nba,{HOME},{AWAY},2026-03-04T00:10:00Z"
NHL_GAME = "odds_2026-03-08_close_20260308T0511Z.csv,NHL,g1,2026-03-08T17:00:00Z,Boston Bruins,St Louis Blues"
NHL_ROW = f"{NHL_GAME},draftkings,-150,130,180,-1.5,-220,1.5,-105,5.5,-115,2026-03-08T05:11:29Z"


def flat(folder: Path, *prices: str, game: str = GAME) -> FileMoments:
    return odds_rows.snapshot_moments(written(folder, "nba.csv", FLAT, *(f"{game},{price}" for price in prices)))


def wide(folder: Path, *rows: str) -> FileMoments:
    return odds_rows.snapshot_moments(written(folder, "nhl.csv", WIDE, *rows))


def prices(file: FileMoments) -> list[tuple[str, str, str, float | None, str]]:
    odds = [record.data for record in only(OddsSnapshotCaptured, records_of(file))]
    return [(of.book, of.market_key, of.selection, of.line, of.price) for of in odds]


def test_all_prices_of_a_game_in_one_pull_are_one_capture(tmp_path: Path) -> None:
    rows = (
        f"tab,h2h,{HOME},1.14,,20260303_212706",
        f"tab,h2h,{AWAY},6.15,,20260303_212706",
        f"neds,spreads,{AWAY},1.91,11.5,20260303_212706",
    )
    file = flat(tmp_path, *rows)
    (raw,) = only(RawPayloadCaptured, records_of(file))
    odds = only(OddsSnapshotCaptured, records_of(file))
    assert prices(file) == [
        ("tab", "MONEYLINE:FULL_GAME", "HOME", None, "1.14"),
        ("tab", "MONEYLINE:FULL_GAME", "AWAY", None, "6.15"),
        ("neds", "SPREAD:FULL_GAME", "AWAY", 11.5, "1.91"),
    ]
    assert {(of.data.capture_id, of.data.captured_at_assumed, of.occurred_at) for of in odds} == {
        (raw.ref, False, datetime(2026, 3, 3, 21, 27, 6, tzinfo=UTC))
    }
    assert raw.data.content == "\n".join((FLAT, *(f"{GAME},{row}" for row in rows)))


def test_a_game_is_one_event_under_its_us_date_also_when_its_start_moves(tmp_path: Path) -> None:
    """The Odds API moves the start to when the game really began."""
    moved = GAME.replace("T00:10", "T00:14")
    row = f"tab,h2h,{HOME},1.14,,20260303_"
    path = written(tmp_path, "nba.csv", FLAT, f"{GAME},{row}212706", f"{moved},{row}222706", f"{moved},{row}232706")
    records = records_of(odds_rows.snapshot_moments(path))
    (scheduled,), (change,) = only(EventScheduled, records), only(EventRescheduled, records)
    assert {record.event_id for record in records if record.event_id} == {
        "nba_2026-03-03_charlotte-hornets_dallas-mavericks_1"
    }
    assert (scheduled.data.starts_at.minute, change.data.starts_at.minute, change.occurred_at.hour) == (10, 14, 22)


def test_two_games_of_a_pair_on_a_day_are_numbered_by_their_starts(tmp_path: Path) -> None:
    row = f"tab,h2h,{HOME},1.14,,20260301_212706"
    late = GAME.replace("e1", "e0").replace("T00:10", "T03:10")
    path = written(tmp_path, "nba.csv", FLAT, f"{late},{row}", f"{GAME},{row}")
    scheduled = only(EventScheduled, records_of(odds_rows.snapshot_moments(path)))
    assert {record.data.game_number: record.data.starts_at.hour for record in scheduled} == {1: 0, 2: 3}


def test_prices_from_after_the_start_come_as_they_are(tmp_path: Path) -> None:
    """Whether a price is a close is for the projection to say."""
    (odds,) = only(OddsSnapshotCaptured, records_of(flat(tmp_path, f"tab,h2h,{HOME},1.01,,20260304_021500")))
    assert odds.occurred_at > datetime(2026, 3, 4, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"betfair_ex_au,h2h_lay,{HOME},1.2,,20260303_212706", "lay prices"),
        (f"tab,h2h,{HOME},1.0,,20260303_212706", "above 1"),
        (f"tab,h2h,{HOME},,,20260303_212706", "price"),
        (f"tab,h2h,{HOME},1.14,,", "no time"),
        (f"tab,h2h,{HOME},1.14,,yesterday", "not a time"),
        ("tab,h2h,Nobody,1.14,,20260303_212706", "neither"),
        (f"tab,spreads,{HOME},1.14,x,20260303_212706", "not a number"),
        (f",h2h,{HOME},1.14,,20260303_212706", "no key"),
        (f"tab,first_basket,{HOME},1.14,,20260303_212706", "not known"),
    ],
)
def test_a_price_that_cannot_be_used_is_a_rejected_row(tmp_path: Path, row: str, reason: str) -> None:
    """A row of a flat table is one price."""
    file = flat(tmp_path, row, f"tab,h2h,{AWAY},6.15,,20260303_212706")
    (rejection,) = [record.data for record in only(InputRejected, records_of(file))]
    assert counted(file) == (2, 1, 1, 0)
    assert reason in rejection.reason
    assert rejection.raw == f"{GAME},{row}"


def test_a_price_that_comes_twice_in_a_pull_counts_once(tmp_path: Path) -> None:
    row = f"tab,h2h,{HOME},1.14,,20260303_212706"
    assert counted(flat(tmp_path, row, row)) == (2, 1, 1, 0)


def test_a_wide_row_has_three_markets_of_a_book(tmp_path: Path) -> None:
    file = wide(tmp_path, NHL_ROW)
    assert prices(file) == [
        ("draftkings", "MONEYLINE:FULL_GAME", "HOME", None, "-150"),
        ("draftkings", "MONEYLINE:FULL_GAME", "AWAY", None, "130"),
        ("draftkings", "SPREAD:FULL_GAME", "HOME", -1.5, "180"),
        ("draftkings", "SPREAD:FULL_GAME", "AWAY", 1.5, "-220"),
        ("draftkings", "TOTAL:FULL_GAME", "OVER", 5.5, "-105"),
        ("draftkings", "TOTAL:FULL_GAME", "UNDER", 5.5, "-115"),
    ]
    (odds, *_) = only(OddsSnapshotCaptured, records_of(file))
    assert (odds.data.label, odds.event_id) == ("close", "nhl_2026-03-08_boston-bruins_st-louis-blues_1")


def test_a_wide_row_without_its_time_or_with_a_book_again_is_rejected(tmp_path: Path) -> None:
    timeless = NHL_ROW.rpartition(",")[0] + ","
    assert counted(wide(tmp_path, timeless, NHL_ROW, NHL_ROW.replace("130", "135"))) == (3, 1, 2, 0)


def test_a_bad_cell_of_a_wide_row_costs_itself_alone(tmp_path: Path) -> None:
    """A price without its line, or between -100 and 100, is none."""
    row = NHL_ROW.replace(",-150,", ",-15,").replace(",5.5,", ",,")
    file = wide(tmp_path, row, NHL_ROW.replace("g1,2026-03-08", "g2,2026-03-09").replace("NHL", "NBA"))
    assert counted(file) == (2, 2, 0, 3)
    columns = {record.data.column for record in only(InputRejected, records_of(file))}
    assert columns == {"ml_home", "total_over_odds", "total_under_odds"}
    assert {record.data.league for record in only(EventScheduled, records_of(file))} == {"NHL", "NBA"}


def test_a_flattened_pull_is_read_as_its_kind(tmp_path: Path) -> None:
    """Odds, events and scores of a pull are three tables of one format; football's handicaps are Asian."""
    game = "e1,soccer_epl,Brentford,Fulham,2026-04-18T11:30:00Z"
    row = f"{game},onexbet,spreads,Brentford,1.93,-0.25,2026-04-16T19:00:22.965965+00:00"
    odds = odds_rows.api_moments(written(tmp_path, "odds.csv", API, row))
    assert prices(odds) == [("onexbet", "ASIAN_HANDICAP:REGULATION", "HOME", -0.25, "1.93")]
    header = ",".join(odds_rows.API_EVENTS)
    events = odds_rows.api_moments(written(tmp_path, "events.csv", header, f"{game},2026-04-16T19:00:20.938382+00:00"))
    types = [record.type for record in records_of(events)]
    assert types == ["EventScheduled", "RawPayloadCaptured", "FileImported"]


def score(team: str, points: str, completed: str = "True") -> str:
    return f"{GAME},{completed},2026-03-04T09:40:53Z,{team},{points}"


def test_only_a_completed_game_has_a_result(tmp_path: Path) -> None:
    """A score of a game in play is none."""
    ended = odds_rows.api_moments(written(tmp_path, "scores.csv", SCORES, score(AWAY, "99"), score(HOME, "101")))
    (result,) = only(ResultRecorded, records_of(ended))
    assert (result.data.home, result.data.away, result.occurred_at.hour) == (101, 99, 9)
    going = (score(team, "50", "False") for team in (HOME, AWAY))
    playing = odds_rows.api_moments(written(tmp_path, "scores.csv", SCORES, *going))
    assert (counted(playing), only(ResultRecorded, records_of(playing))) == ((2, 2, 0, 0), [])


def test_a_completed_game_with_one_score_is_rejected(tmp_path: Path) -> None:
    file = odds_rows.api_moments(written(tmp_path, "scores.csv", SCORES, score(HOME, "101")))
    assert counted(file) == (1, 0, 1, 0)


@pytest.mark.parametrize("header", ["a,b", FLAT.replace("point,", ""), WIDE.replace("ml_home,", "")])
def test_a_table_of_another_layout_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(FileRefused, match="expected"):
        odds_rows.snapshot_moments(written(tmp_path, "odds.csv", header, "1,2"))


def answer(*outcomes: dict[str, object], **changes: object) -> dict[str, object]:
    market = {"key": "h2h", "outcomes": list(outcomes)}
    book = {"key": "betmgm", "last_update": "2024-03-27T01:34:27Z", "markets": [market]}
    game = {"id": "e1", "sport_key": "icehockey_nhl", "commence_time": "2024-03-26T23:08:38Z"}
    return {**game, "home_team": "Florida Panthers", "away_team": "Boston Bruins", "bookmakers": [book], **changes}


def test_a_raw_answer_keeps_each_game_whole_and_says_that_its_time_is_assumed(tmp_path: Path) -> None:
    """The answer does not say when it was given; the newest update in it does."""
    game = answer({"name": "Boston Bruins", "price": -2000}, {"name": "Florida Panthers", "price": 850})
    file = odds_json.moments(written(tmp_path, "odds.json", json.dumps([game])))
    records = records_of(file)
    (raw,) = only(RawPayloadCaptured, records)
    odds = only(OddsSnapshotCaptured, records)
    assert json.loads(raw.data.content) == game
    assert [(of.data.selection, of.data.price, of.data.odds_format) for of in odds] == [
        ("AWAY", "-2000", "american"),
        ("HOME", "850", "american"),
    ]
    assert odds[0].data.raw_path == "/bookmakers/0/markets/0/outcomes/0"
    assert {(of.occurred_at, of.data.captured_at_assumed) for of in odds} == {
        (datetime(2024, 3, 27, 1, 34, 27, tzinfo=UTC), True)
    }


def test_a_bad_outcome_is_a_rejected_cell_and_a_bad_game_a_rejected_row(tmp_path: Path) -> None:
    outcomes = ({"name": "Boston Bruins", "price": -20}, {"name": "Florida Panthers", "price": -110})
    games = [answer(*outcomes), answer(*outcomes, id="e2", home_team=None), answer(id="e3", bookmakers=[])]
    file = odds_json.moments(written(tmp_path, "odds.json", json.dumps(games)))
    assert counted(file) == (3, 2, 1, 1)
    assert len(only(EventScheduled, records_of(file))) == 2


@pytest.mark.parametrize(
    ("game", "reason"),
    [
        (answer(bookmakers=[]), "no last_update"),
        (answer({"name": "Boston Bruins", "price": -150}, {"name": "Florida Panthers", "price": 1.5}), "odds_format"),
    ],
)
def test_an_answer_that_cannot_be_dated_or_read_is_refused(
    tmp_path: Path, game: dict[str, object], reason: str
) -> None:
    with pytest.raises(FileRefused, match=reason):
        odds_json.moments(written(tmp_path, "odds.json", json.dumps([game])))
