"""Season files of football-data.co.uk become records in the order in which they would have come."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from producers.importers import FileRefused, football_data
from schemas.events import EventScheduled, EventStarted, EventStatusChanged, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.rejections import FileImported, InputRejected
from tests.producers.replayed import records_of, written

MATCH = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HTR,HS,AS"
HEADER = f"{MATCH},PSH,PSD,PSA,B365>2.5,AHh,PAHH,PAHA,PSCH,PSCD,PSCA"
PLAYED = "E0,10/08/2019,12:30,West Ham,Man City,0,5,A,0,1,A,5,14,11.68,6.53,1.26,1.44,1.75,2.02,1.9,11.11,6.68,1.27"
TO_PLAY = "E0,17/08/2019,15:00,Norwich,Newcastle,,,,,,,,,2.5,3.4,2.9,,,,,,,"
AWARDED = "T1,25/02/2023,13:30,Umraniyespor,Gaziantep,3,0,H,,,,,,,,,,,,,,,"


def season_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    return written(folder, "E0_1920.csv", header, *rows)


def test_a_match_is_told_in_the_order_in_which_it_happened(tmp_path: Path) -> None:
    """Calendar, earlier prices, closing prices, start, result; then the file's tally."""
    records = records_of(football_data.moments(season_file(tmp_path, PLAYED)))
    assert [
        ("EventScheduled", datetime(2019, 8, 3, 11, 30, tzinfo=UTC), 1),
        ("RawPayloadCaptured", datetime(2019, 8, 9, 12, tzinfo=UTC), 1),
        ("OddsSnapshotCaptured", datetime(2019, 8, 9, 12, tzinfo=UTC), 6),
        ("OddsSnapshotCaptured", datetime(2019, 8, 10, 11, 29, tzinfo=UTC), 3),
        ("EventStarted", datetime(2019, 8, 10, 11, 30, tzinfo=UTC), 1),
        ("ResultRecorded", datetime(2019, 8, 10, 13, 30, tzinfo=UTC), 1),
        ("FileImported", datetime(2019, 8, 10, 13, 30, tzinfo=UTC), 1),
    ] == [(*of, n) for of, n in Counter((record.type, record.occurred_at) for record in records).items()]
    assert {"BACKFILL"} == {record.origin for record in records}


def test_prices_keep_their_text_their_line_and_their_row(tmp_path: Path) -> None:
    """The away side's Asian line is the home side's negative, and every price leads back to its row and column."""
    records = records_of(football_data.moments(season_file(tmp_path, PLAYED)))
    odds = [record.data for record in records if isinstance(record, OddsSnapshotCaptured)]
    (raw,) = [record for record in records if isinstance(record, RawPayloadCaptured)]
    assert [(o.book, o.market_key, o.selection, o.line, o.price, o.raw_path) for o in odds] == [
        ("pinnacle", "MONEYLINE_3WAY:REGULATION", "HOME", None, "11.68", "PSH"),
        ("pinnacle", "MONEYLINE_3WAY:REGULATION", "DRAW", None, "6.53", "PSD"),
        ("pinnacle", "MONEYLINE_3WAY:REGULATION", "AWAY", None, "1.26", "PSA"),
        ("bet365", "TOTAL:REGULATION", "OVER", 2.5, "1.44", "B365>2.5"),
        ("pinnacle", "ASIAN_HANDICAP:REGULATION", "HOME", 1.75, "2.02", "PAHH,AHh"),
        ("pinnacle", "ASIAN_HANDICAP:REGULATION", "AWAY", -1.75, "1.9", "PAHA,AHh"),
        ("pinnacle", "MONEYLINE_3WAY:REGULATION", "HOME", None, "11.11", "PSCH"),
        ("pinnacle", "MONEYLINE_3WAY:REGULATION", "DRAW", None, "6.68", "PSCD"),
        ("pinnacle", "MONEYLINE_3WAY:REGULATION", "AWAY", None, "1.27", "PSCA"),
    ]
    assert {raw.ref} == {o.raw_payload_id for o in odds}
    assert f"{HEADER}\n{PLAYED}" == raw.data.content


def test_one_look_at_the_market_is_one_capture(tmp_path: Path) -> None:
    """Earlier and closing prices of a match come from two looks, and both times are assumed."""
    records = records_of(football_data.moments(season_file(tmp_path, PLAYED)))
    odds = [record.data for record in records if isinstance(record, OddsSnapshotCaptured)]
    assert Counter(label for label, _ in {(o.label, o.capture_id) for o in odds}) == {"earlier": 1, "closing": 1}
    assert all(o.captured_at_assumed for o in odds)


@pytest.mark.parametrize(("kick_off", "collected"), [("13:00", (2019, 8, 6)), ("13:01", (2019, 8, 9))])
def test_earlier_prices_are_always_from_before_the_start(
    tmp_path: Path, kick_off: str, collected: tuple[int, int, int]
) -> None:
    """At 13:00 on a Friday they are collected: of a match that begins just then, they are Tuesday's."""
    row = PLAYED.replace("10/08/2019,12:30", f"09/08/2019,{kick_off}")
    records = records_of(football_data.moments(season_file(tmp_path, row)))
    earlier = [o for o in records if isinstance(o, OddsSnapshotCaptured) and o.data.label == "earlier"]
    assert {o.occurred_at for o in earlier} == {datetime(*collected, 12, tzinfo=UTC)}


def test_the_result_has_both_scores_and_says_that_its_time_is_assumed(tmp_path: Path) -> None:
    records = records_of(football_data.moments(season_file(tmp_path, PLAYED)))
    (result,) = [record.data for record in records if isinstance(record, ResultRecorded)]
    (half,) = result.periods
    assert (result.status, result.home, result.away, half.period, half.home, half.away) == ("FINAL", 0, 5, "h1", 0, 1)
    assert result.time_assumed


def test_clubs_go_by_one_name_and_leagues_by_one_word(tmp_path: Path) -> None:
    records = records_of(football_data.moments(season_file(tmp_path, PLAYED)))
    (scheduled,) = [record for record in records if isinstance(record, EventScheduled)]
    assert scheduled.event_id == "epl_2019-08-10_west-ham_manchester-city_1"
    said = scheduled.data
    assert (said.league, said.sport, said.home, said.away) == ("EPL", "soccer", "West Ham", "Manchester City")
    assert (said.season, said.start_assumed) == ("2019-2020", False)


def test_a_match_still_to_be_played_has_prices_and_no_result(tmp_path: Path) -> None:
    file = football_data.moments(season_file(tmp_path, TO_PLAY))
    assert Counter(record.type for record in records_of(file)) == {
        "EventScheduled": 1,
        "RawPayloadCaptured": 1,
        "OddsSnapshotCaptured": 3,
        "FileImported": 1,
    }
    assert (file.tally.rows, file.tally.accepted, file.tally.rejected) == (1, 1, 0)


def test_a_bare_fixture_still_keeps_its_row(tmp_path: Path) -> None:
    fixture = "E0,17/08/2019,15:00,Norwich,Newcastle" + "," * 18
    records = records_of(football_data.moments(season_file(tmp_path, fixture)))
    assert [record.type for record in records] == ["RawPayloadCaptured", "EventScheduled", "FileImported"]


def test_an_awarded_match_never_starts(tmp_path: Path) -> None:
    """A 3-0 or 0-3 without half time, shots and odds was decided at a desk."""
    records = records_of(football_data.moments(season_file(tmp_path, AWARDED)))
    (change,) = [record.data for record in records if isinstance(record, EventStatusChanged)]
    (result,) = [record.data for record in records if isinstance(record, ResultRecorded)]
    assert (change.status, result.status, result.home, result.away) == ("AWARDED", "AWARDED", 3, 0)
    assert not [record for record in records if isinstance(record, EventStarted)]


@pytest.mark.parametrize("bad", ["0", "0.42", "1.0", "-3", "x", "nan", "inf"])
def test_an_impossible_price_is_a_rejected_cell_and_the_rest_is_used(tmp_path: Path, bad: str) -> None:
    row = PLAYED.replace("6.53", bad)
    file = football_data.moments(season_file(tmp_path, row))
    (rejection,) = [record.data for record in records_of(file) if isinstance(record, InputRejected)]
    assert ("CELL", "PSD", "row 1", row) == (rejection.kind, rejection.column, rejection.location, rejection.raw)
    assert (file.tally.rows, file.tally.accepted, file.tally.rejected, file.tally.rejected_cells) == (1, 1, 0, 1)
    assert sum(record.type == "OddsSnapshotCaptured" for record in records_of(file)) == 8


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("West Ham", "", "names no team"),
        ("10/08/2019", "", "Date"),
        ("10/08/2019", "31/02/2019", "Date"),
        ("10/08/2019", "2019-08-10", "Date"),
        (",0,5,", ",zero,5,", "FTHG,FTAG"),
        (",0,5,", ",,5,", "FTHG,FTAG"),
        (",0,5,", ",0.5,5,", "FTHG,FTAG"),
        (",5,A,", ",5,H,", "FTR"),
        ("Man City", "West Ham", "cannot play itself"),
        ("E0,", ",", "names no league"),
        (",1.27", "", "22 cells"),
        (",1.27", ",1.27,9", "24 cells"),
        ("Man City", '"Man City', "broken quotation"),
    ],
)
def test_a_bad_row_is_rejected_whole_and_the_next_is_read(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """A rejection keeps the row as it came, and says what is wrong with it."""
    bad = PLAYED.replace(old, new, 1)
    file = football_data.moments(season_file(tmp_path, bad, TO_PLAY))
    (rejection,) = [record.data for record in records_of(file) if isinstance(record, InputRejected)]
    assert ("ROW", "row 1", bad) == (rejection.kind, rejection.location, rejection.raw)
    assert reason in rejection.reason
    assert (file.tally.rows, file.tally.accepted, file.tally.rejected, file.tally.rejected_cells) == (2, 1, 1, 0)


def test_a_match_that_comes_twice_counts_once(tmp_path: Path) -> None:
    file = football_data.moments(season_file(tmp_path, PLAYED, PLAYED.replace("11.68", "11.70")))
    assert (file.tally.rows, file.tally.accepted, file.tally.rejected) == (2, 1, 1)


@pytest.mark.parametrize(("old", "new"), [("12:30", "noon"), (",0,1,A", ",1,1,A")])
def test_a_bad_time_or_half_time_costs_that_cell_alone(tmp_path: Path, old: str, new: str) -> None:
    file = football_data.moments(season_file(tmp_path, PLAYED.replace(old, new, 1)))
    assert (file.tally.accepted, file.tally.rejected, file.tally.rejected_cells) == (1, 0, 1)


def test_a_start_that_the_source_does_not_tell_is_marked_as_assumed(tmp_path: Path) -> None:
    """Files up to 2018/19 have dates of two-digit years and no times."""
    row = PLAYED.replace("10/08/2019,12:30", "10/08/19")
    file = football_data.moments(season_file(tmp_path, row, header=HEADER.replace("Time,", "")))
    (scheduled,) = [record.data for record in records_of(file) if isinstance(record, EventScheduled)]
    assert (datetime(2019, 8, 10, 14, tzinfo=UTC), True) == (scheduled.starts_at, scheduled.start_assumed)


def test_the_old_columns_of_the_market_are_read() -> None:
    header = ["BbAvH", "BbMx>2.5", "BbAHh", "BbAvAHH", "BbAvAHA", "PSCH", "LBD", "HC", "Bb1X2"]
    columns = [(column.path, column.book, column.selection) for column in football_data.price_columns(header)]
    assert columns == [
        ("BbAvH", "market_average", "HOME"),
        ("BbMx>2.5", "market_max", "OVER"),
        ("BbAvAHH,BbAHh", "market_average", "HOME"),
        ("BbAvAHA,BbAHh", "market_average", "AWAY"),
        ("PSCH", "pinnacle", "HOME"),
        ("LBD", "ladbrokes", "DRAW"),
    ]


def test_the_same_file_elsewhere_gives_the_same_records(tmp_path: Path) -> None:
    """So that an import run twice adds nothing, wherever the file lies."""
    (tmp_path / "copy").mkdir()
    first = records_of(football_data.moments(season_file(tmp_path, PLAYED, "E0,bad", AWARDED)))
    again = records_of(football_data.moments(season_file(tmp_path / "copy", PLAYED, "E0,bad", AWARDED)))
    assert first == again
    assert len(first) == len({(record.topic, record.record_id) for record in first})


def test_windows_files_with_floats_are_read(tmp_path: Path) -> None:
    """Byte order mark, Windows-1252, CRLF, "4.0" for 4, blank lines and lines of commas at the end."""
    row = PLAYED.replace(",0,5,", ",0.0,5.0,").replace("West Ham", "Köln")
    path = tmp_path / "D1.csv"
    path.write_bytes("\r\n".join((HEADER, row, "", "," * 22, "")).encode("cp1252"))
    (scheduled, *_, tally) = records_of(football_data.moments(path))
    assert isinstance(scheduled, EventScheduled)
    assert isinstance(tally, FileImported)
    assert (scheduled.data.home, tally.data.rows, tally.data.rejected) == ("Köln", 1, 0)
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\n{PLAYED}".encode())
    assert football_data.moments(path).tally.accepted == 1
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\n{row}".encode("cp1252"))
    (marked, *_) = records_of(football_data.moments(path))
    assert isinstance(marked, EventScheduled)
    assert marked.data.home == "Köln"


def test_another_layout_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    path = season_file(tmp_path, "2019,x", header="season,team")
    with pytest.raises(FileRefused, match=r"no column Div, Date.*expected Div, Date, HomeTeam.*found season, team"):
        football_data.moments(path)
