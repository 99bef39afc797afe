"""Injury snapshots become one report a team."""

from pathlib import Path

import pytest

from producers.importers import FileRefused, injuries
from schemas.injuries import InjurySnapshotCaptured
from tests.producers.replayed import counted, only, records_of, written

NBA = ",".join(injuries.NBA_REQUIRED)
EPL = ",".join(injuries.EPL_REQUIRED)
PLAYERS = ("# season=2026/27", "id,name,team,pos", "1,Saka,ARS,MID", "2,Haaland,MCI,FWD")


def epl(folder: Path, *rows: str) -> Path:
    written(folder, "epl_players_2026_08.csv", *PLAYERS)
    return written(folder, "epl_player_status_2026_08.csv", "# delta mode", EPL, *rows)


def test_a_team_that_a_whole_report_does_not_name_has_nobody_unfit(tmp_path: Path) -> None:
    """A player who recovers is simply missing from the next report."""
    first = ("Atlanta Hawks,Trae Young,PG,Jan 14,Day-To-Day,sore", "LA Clippers,Kawhi Leonard,SF,Jan 20,Out,")
    rows = (*(f"2025-01-12T01:20:50Z,{row}" for row in first), f"2025-01-13T01:20:50Z,{first[1]}")
    records = records_of(injuries.nba_moments(written(tmp_path, "nba.csv", NBA, *rows)))
    seen = [record.data for record in only(InjurySnapshotCaptured, records)]
    assert [(of.team, [player.player for player in of.players], of.complete) for of in seen] == [
        ("Atlanta Hawks", ["Trae Young"], True),
        ("Los Angeles Clippers", ["Kawhi Leonard"], True),
        ("Atlanta Hawks", [], True),
        ("Los Angeles Clippers", ["Kawhi Leonard"], True),
    ]


def test_reports_lead_back_to_the_whole_snapshot(tmp_path: Path) -> None:
    row = "2025-01-12T01:20:50Z,Atlanta Hawks,Trae Young,PG,Jan 14,Day-To-Day,sore"
    raw, report, _ = records_of(injuries.nba_moments(written(tmp_path, "nba.csv", NBA, row)))
    assert isinstance(report, InjurySnapshotCaptured)
    assert (report.data.raw_payload_id, raw.data.content) == (raw.ref, f"{NBA}\n{row}")


def test_only_the_first_snapshot_of_a_day_is_complete(tmp_path: Path) -> None:
    """The Premier League's file is delta coded: later ones hold only those who changed."""
    rows = (
        "2026-08-14T22:41:42+00:00,1,a,,",
        "2026-08-14T22:41:42+00:00,2,i,25,Groin injury",
        "2026-08-14T23:14:22+00:00,2,d,75,Groin injury",
        "2026-08-15T00:48:46+00:00,1,s,0,Suspended",
    )
    records = records_of(injuries.epl_moments(epl(tmp_path, *rows)))
    seen = [record.data for record in only(InjurySnapshotCaptured, records)]
    assert [(of.team, of.complete, of.players[0].status, of.players[0].chance_of_playing) for of in seen] == [
        ("Arsenal", True, "available", None),
        ("Manchester City", True, "injured", 0.25),
        ("Manchester City", False, "doubtful", 0.75),
        ("Arsenal", True, "suspended", 0),
    ]


@pytest.mark.parametrize("row", ["2026-08-14T22:41:42+00:00,9,a,,", "2026-08-14T22:41:42,1,a,,", "noon,1,a,,"])
def test_an_unknown_player_or_time_is_rejected(tmp_path: Path, row: str) -> None:
    file = injuries.epl_moments(epl(tmp_path, row, "2026-08-14T22:41:42+00:00,1,x,,", "2026-08-14T22:41:42Z,1,a,150,"))
    assert counted(file) == (3, 0, 3, 0)


def test_without_the_players_names_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "epl_player_status_2026_08.csv", EPL, "2026-08-14T22:41:42+00:00,1,a,,")
    with pytest.raises(FileRefused, match=r"needs epl_players_2026_08\.csv beside it"):
        injuries.epl_moments(path)
