"""Files are read as they come, or refused whole with one clear line; no row is lost, whatever stands in it."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.sqlite import SqliteLog
from producers.importers import IMPORTERS, FileRefused, football_data, moments_of, replay
from producers.importers.files import read_table
from producers.importers.times import TIMES, table_lines
from schemas.rejections import InputRejected
from tests.producers.replayed import only, records_of, written

GAME = "e1,basketball_nba,Charlotte Hornets,Dallas Mavericks,2026-03-04T00:10:00Z"
GOOD_ROW = b"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,10/08/2019,Leeds,Hull,1,0\n"


@dataclass(frozen=True)
class Sample:
    """A small good file of a format, and those that must lie beside it."""

    name: str
    lines: Sequence[str]
    beside: Mapping[str, str]


def _sample(name: str, *lines: str, **beside: str) -> Sample:
    return Sample(name, lines, {f"{key}.csv": text for key, text in beside.items()})


ARCHIVED = {
    "season": 2011,
    "date": 20110908.0,
    "home_team": "Packers",
    "away_team": "Saints",
    **{f"{side}_{quarter}Qtr": 7 for side in ("home", "away") for quarter in ("1st", "2nd", "3rd", "4th")},
    "home_final": 28,
    "away_final": 30,
    "home_close_ml": -250,
    "away_close_ml": 210,
    "home_open_spread": -4.5,
    "home_close_spread": -5.0,
    "open_over_under": 46.0,
    "close_over_under": 48.0,
}
ANSWER = {
    "id": "e1",
    "sport_key": "icehockey_nhl",
    "commence_time": "2024-03-26T23:08:38Z",
    "home_team": "Florida Panthers",
    "away_team": "Boston Bruins",
}
BOOK = {"key": "betmgm", "last_update": "2024-03-27T01:34:27Z", "markets": []}
SAMPLES = {
    "football-data": _sample(
        "E0.csv",
        "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,HTHG,HTAG,PSH,PSD,PSA,AHh,PAHH,PAHA",
        "E0,10/08/2019,12:30,West Ham,Man City,0,5,0,1,11.68,6.53,1.26,1.75,2.02,1.9",
    ),
    "nfl-archive": _sample("nfl.json", json.dumps([ARCHIVED])),
    "nfelo": _sample(
        "nfelo.csv",
        "game_id,home_line_open,home_line_open_price,away_line_open_price,home_line_close,home_line_close_price,"
        "away_line_close_price,total_line_open,under_price_open,over_price_open,total_line_close,under_price_close,"
        "over_price_close",
        "2009_01_TEN_PIT,-5.0,-110,-110,-6.5,-110,-105,36,-110,-110,35.5,-106,-104",
    ),
    "mlb": _sample(
        "mlb.csv",
        "date,game,away_name,home_name,away_score,home_score,away_open_ml,home_open_ml,away_close_ml,home_close_ml,"
        "away_run_line,home_run_line,away_run_line_odds,home_run_line_odds,open_ou_line,open_ou_odds,close_ou_line,"
        "close_ou_odds",
        "2014-03-22,1,Los Angeles Dodgers,Colorado Rockies,3,1,-170,150,-165,145,-1.5,1.5,-104,-116,6.5,-110,6.5,100",
    ),
    "nba": _sample(
        "nba.csv",
        "season,date,away,home,score_away,score_home,q1_away,q2_away,q3_away,q4_away,ot_away,q1_home,q2_home,q3_home,"
        "q4_home,ot_home,spread,total,moneyline_away,moneyline_home,h2_spread,h2_total",
        "2008,2007-10-30,por,sa,97,106,26,23,28,20,0,29,30,22,25,0,13,189.5,900,-1400,5,95",
    ),
    "odds-snapshots": _sample(
        "flat.csv",
        "event_id,sport_key,home_team,away_team,commence_time,bookmaker,market,outcome_name,price,point,snapshot_utc",
        f"{GAME},tab,spreads,Charlotte Hornets,1.14,-3.5,20260303_212706",
    ),
    "odds-api-csv": _sample(
        "scores.csv",
        "event_id,sport_key,home_team,away_team,commence_time,completed,last_update,score_name,score_value",
        f"{GAME},True,2026-03-04T09:40:53Z,Charlotte Hornets,101",
        f"{GAME},True,2026-03-04T09:40:53Z,Dallas Mavericks,99",
    ),
    "odds-api": _sample("odds.json", json.dumps([{**ANSWER, "bookmakers": [BOOK]}])),
    "injuries-nba": _sample(
        "nba.csv",
        "snapshot_at,team,player,position,estimated_return_date,status,comment",
        "2025-01-12T01:20:50Z,Atlanta Hawks,Trae Young,PG,Jan 14,Out,sore",
    ),
    "injuries-epl": _sample(
        "epl_player_status.csv",
        "snapshot_at,player_id,status,chance_of_playing_next_round,news",
        "2026-08-14T22:41:42+00:00,1,i,25,Groin injury",
        epl_players="# players\nid,name,team,pos\n1,Saka,ARS,MID\n",
    ),
    "forecasts-538": _sample(
        "mlb_games.csv",
        "season,date,team1,team2,dh,prob1,prob1_outcome,prob2,prob2_outcome",
        "2022,2022-07-23,Yankees,Mets,0,0.6,1,0.4,0",
    ),
    "spi": _sample(
        "spi.csv",
        "date,league,team1,team2,prob1,prob2,probtie,proj_score1,proj_score2,score1,score2",
        "2016-08-12,French Ligue 1,Bastia,Lyon,0.2,0.5,0.3,0.91,2.36,0,1",
    ),
}
WIDE = _sample(
    "wide.csv",
    "source_file,sport,game_id,commence_time,home_team,away_team,bookmaker,ml_home,ml_away,spread_home_odds,spread_home,"
    "spread_away_odds,spread_away,total_over_odds,total_line,total_under_odds,snapshot_taken_at_utc",
    "odds_x_open_y.csv,NHL,g1,2026-03-08T17:00:00Z,Boston Bruins,St Louis Blues,draftkings,-150,130,180,-1.5,-220,1.5,"
    "-105,5.5,-115,2026-03-08T05:11:29Z",
)
ALL = [*SAMPLES.items(), ("odds-snapshots", WIDE)]
WORDS = ["", " ", "~", "x" * 300, '"', '"a,b"', "é", "'", "\\", "null", "[", "{}"]
NUMBERS = ["0", "-1", "-0", "4.0", "0.5", "1e300", "1e999", "nan"]
TIMES_OF_DAY = ["0001-01-01", "9999-12-31T23:59:59+00:00", "01/01/01", "25:99", "19990101_000000", "99:99:99Z"]
NASTY = st.sampled_from([*WORDS, *NUMBERS, *TIMES_OF_DAY])
NO_TEXT: list[object] = [None, True, -5, 0.5, 1e300, [], {}, [None], {"key": []}]
NASTY_JSON: st.SearchStrategy[object] = st.one_of(NASTY, st.sampled_from(NO_TEXT))


def saved(folder: Path, sample: Sample) -> Path:
    for name, text in sample.beside.items():
        written(folder, name, text)
    return written(folder, sample.name, *sample.lines)


@pytest.mark.parametrize(("form", "sample"), ALL)
def test_a_good_file_of_each_format_is_read_and_goes_on_the_log_once(tmp_path: Path, form: str, sample: Sample) -> None:
    """An import run twice adds nothing, and no id stands for two contents."""
    file = IMPORTERS[form](saved(tmp_path, sample))
    assert (file.format, file.tally.rows, file.tally.rejected_cells) == (form, len(sample.lines[1:]) or 1, 0)
    assert file.tally.rejected == 0
    log = SqliteLog(":memory:")
    first = log.append(records_of(file))
    again = log.append(records_of(IMPORTERS[form](saved(tmp_path, sample))))
    assert (dict(first), list(log.conflicts())) == (dict(again), [])
    log.close()


def _spoiled_row(data: st.DataObject, sample: Sample) -> str:
    cells = sample.lines[-1].split(",")
    for place in data.draw(st.sets(st.integers(0, len(cells) - 1), min_size=1, max_size=3)):
        cells[place] = data.draw(NASTY)
    return ",".join(cells)


def _spoiled_object(data: st.DataObject, sample: Sample) -> str:
    (good,) = json.loads(sample.lines[-1])
    bad = dict(good)
    for key in data.draw(st.sets(st.sampled_from(sorted(good)), min_size=1, max_size=3)):
        bad[key] = data.draw(NASTY_JSON)
    return json.dumps([good, bad])


@pytest.mark.parametrize(("form", "sample"), ALL)
@settings(max_examples=60)
@given(data=st.data())
def test_no_cell_can_lose_a_row_or_break_the_import(data: st.DataObject, form: str, sample: Sample) -> None:
    """rows = accepted + rejected, every accepted row's records can be built, and whatever was rejected is told."""
    with TemporaryDirectory() as folder:
        spoiled = _spoiled_object(data, sample) if sample.name.endswith("json") else _spoiled_row(data, sample)
        bad = Sample(sample.name, [*sample.lines[:-1], spoiled], sample.beside)
        try:
            file = IMPORTERS[form](saved(Path(folder), bad))
        except FileRefused:
            return
    records = records_of(file)
    tally = file.tally
    rejected = [record.data.kind for record in only(InputRejected, records)]
    assert tally.rows == tally.accepted + tally.rejected
    assert (rejected.count("ROW"), rejected.count("CELL")) == (tally.rejected, tally.rejected_cells)


@pytest.mark.parametrize("form", IMPORTERS)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (gzip.compress(GOOD_ROW)[:-9], "gzip data is damaged or cut off"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is binary"),
        ("Div,Date".encode("utf-16"), "is UTF-16"),
        (b"\x81\x8d", "neither UTF-8 nor Windows-1252"),
        (b"season,team\n2019,x\n", "is"),
    ],
)
def test_a_file_of_something_else_is_refused_in_one_line(
    tmp_path: Path, form: str, content: bytes, reason: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=rf"{path}: .*{reason}") as refused:
        IMPORTERS[form](path)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(FileRefused, match=str(path)):
            football_data.moments(path)


def test_a_gzipped_file_is_the_same_import_as_the_plain_one(tmp_path: Path) -> None:
    (tmp_path / "E0.csv").write_bytes(GOOD_ROW)
    (tmp_path / "E0.csv.gz").write_bytes(gzip.compress(GOOD_ROW))
    plain, packed = (records_of(football_data.moments(tmp_path / name)) for name in ("E0.csv", "E0.csv.gz"))
    assert plain == packed


def test_an_open_quotation_costs_its_own_row_alone(tmp_path: Path) -> None:
    """It does not swallow the rest of the file."""
    table = read_table(written(tmp_path, "a.csv", "a,b", '1,"x', "2,y", '3,"two', 'lines"', "4,z"), "test", ("a", "b"))
    assert [(row.number, row.cells, row.fault is None) for row in table.rows] == [
        (1, ('1,"x',), False),
        (2, ("2", "y"), True),
        (3, ("3", "two\nlines"), True),
        (4, ("4", "z"), True),
    ]
    assert table.rows[2].raw == '3,"two\nlines"'


def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="more than one column named b"):
        read_table(written(tmp_path, "a.csv", "a,b,b", "1,2,3"), "test", ("a",))


def test_files_are_replayed_together_in_time_order(tmp_path: Path) -> None:
    """Whatever the order in which they are named."""
    later = written(tmp_path, "later.csv", GOOD_ROW.decode())
    earlier = written(tmp_path, "earlier.csv", GOOD_ROW.decode().replace("2019", "2018"))
    files = [football_data.moments(later), football_data.moments(earlier)]
    times = [moment.at for moment in replay(files)]
    assert times == sorted(times)
    assert len(times) == moments_of(files)


def test_the_documented_table_of_times_is_the_one_in_force() -> None:
    """And every format stands in it."""
    document = Path(__file__).parents[2].joinpath("docs", "importing.md").read_text("utf-8")
    assert "\n".join(table_lines()) in document
    assert set(TIMES) == set(IMPORTERS)
