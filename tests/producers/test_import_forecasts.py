"""FiveThirtyEight's files become runs, predictions, picks and outcomes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventlog.sqlite import SqliteLog
from producers.importers import FileRefused, football_data, forecasts
from projections.catch_up import catch_up
from projections.store import Store
from schemas.events import EventScheduled, ResultRecorded
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished
from schemas.record import Record
from schemas.sim_runs import SimRunStarted
from tests.producers.replayed import counted, only, records_of, written

US = "season,date,team1,team2,prob1,prob1_outcome,prob2,prob2_outcome"
NBA = "2022,2022-06-16,Celtics,Warriors,0.74,0,0.26,1"
NFL = "2021,2022-02-13,Bengals,Rams,0.315,0,0.685,1"
CLUBS = "season,league,date,team1,team2,prob1,prob1_outcome,probtie,probtie_outcome,prob2,prob2_outcome"
MATCH = "2016,Barclays Premier League,2016-08-13,Hull City,Leicester City,0.3458,1,0.2921,0,0.3621,0"
SPI = "date,league,team1,team2,prob1,prob2,probtie,proj_score1,proj_score2,score1,score2"


def games(folder: Path, header: str, *rows: str) -> list[Record]:
    return records_of(forecasts.games_moments(written(folder, "games.csv", header, *rows)))


def spi(folder: Path, *rows: str) -> list[Record]:
    return records_of(forecasts.spi_moments(written(folder, "spi_matches.csv", SPI, *rows)))


def test_a_forecast_is_a_run_a_prediction_and_a_pick_before_the_game(tmp_path: Path) -> None:
    records = games(tmp_path, US, NBA)
    issued, known = datetime(2022, 6, 16, 13, tzinfo=UTC), datetime(2022, 6, 17, 11, tzinfo=UTC)
    assert [(record.type, record.occurred_at) for record in records[1:]] == [
        ("RawPayloadCaptured", issued),
        ("SimRunStarted", issued),
        ("PredictionMade", issued),
        ("SimRunCompleted", issued),
        ("PredictionPublished", issued),
        ("ResultRecorded", known),
        ("FileImported", known),
    ]
    (scheduled,) = only(EventScheduled, records)
    assert scheduled.data.starts_at > issued
    assert scheduled.data.start_assumed


def test_the_pick_leads_back_to_its_prediction_its_run_and_its_row(tmp_path: Path) -> None:
    records = games(tmp_path, US, NBA)
    raw = records[1]
    (run,), (made,) = only(SimRunStarted, records), only(PredictionMade, records)
    (pick,) = only(PredictionPublished, records)
    assert (raw.ref, run.ref, made.ref) == (run.causation_id, made.data.sim_run_id, pick.data.prediction_id)
    assert (made.data.market_key, made.data.selection, made.data.p_cover) == ("MONEYLINE:FULL_GAME", "HOME", 0.74)
    assert pick.data.is_official
    assert pick.data.ticket_terms.price is None


@pytest.mark.parametrize(("row", "league"), [(NBA, "NBA"), (NFL, "NFL")])
def test_the_clubs_tell_the_league(tmp_path: Path, row: str, league: str) -> None:
    (scheduled,) = only(EventScheduled, games(tmp_path, US, row))
    assert scheduled.data.league == league


def test_clubs_of_no_known_league_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="names no club of NBA or NFL"):
        games(tmp_path, US, NBA.replace("Celtics", "Reds").replace("Warriors", "Mets"))


def test_the_second_game_of_a_double_header_is_another_event(tmp_path: Path) -> None:
    """MLB files number them from 0."""
    header = US.replace("team2", "team2,dh")
    rows = [f"2022,2022-07-23,Yankees,Mets,{dh},0.6,1,0.4,0" for dh in (0, 1)]
    events = [record.event_id for record in only(EventScheduled, games(tmp_path, header, *rows))]
    assert events == [f"mlb_2022-07-23_new-york-yankees_new-york-mets_{n}" for n in (1, 2)]


@pytest.mark.parametrize(
    ("outcomes", "winner"), [((1, 0), "home"), ((0, 1), "away"), ((0.5, 0.5), "draw")], ids=["home", "away", "tie"]
)
def test_an_outcome_names_a_winner_and_invents_no_score(
    tmp_path: Path, outcomes: tuple[float, float], winner: str
) -> None:
    row = "2021,2022-02-13,Bengals,Rams,0.315,{},0.685,{}".format(*outcomes)
    (result,) = only(ResultRecorded, games(tmp_path, US, row))
    assert (result.data.winner, result.data.home, result.data.away) == (winner, None, None)
    assert result.data.time_assumed


def test_a_club_match_has_three_predictions_and_one_pick(tmp_path: Path) -> None:
    records = games(tmp_path, CLUBS, MATCH)
    made = [record.data for record in only(PredictionMade, records)]
    assert {of.market_key for of in made} == {"MONEYLINE_3WAY:REGULATION"}
    assert {of.selection: of.p_cover for of in made} == {"HOME": 0.3458, "DRAW": 0.2921, "AWAY": 0.3621}
    (pick,) = only(PredictionPublished, records)
    assert (pick.event_id, pick.data.ticket_terms.selection) == ("epl_2016-08-13_hull_leicester_1", "Hull")


def test_a_match_that_cannot_be_drawn_is_about_who_goes_on(tmp_path: Path) -> None:
    """A level score of such a match went to penalties, of which the file says nothing."""
    league = "UEFA Champions League"
    won = f"2017-06-03,{league},Juventus,Real Madrid,0.44,0.56,0.0,1.2,1.3,1,4"
    level = f"2018-06-03,{league},Bari,Cittadella,0.44,0.56,0.0,1.2,1.3,2,2"
    records = spi(tmp_path, won, level)
    assert {record.data.market_key for record in only(PredictionMade, records)} == {
        "TO_QUALIFY:INCLUDING_EXTRA_TIME_AND_PENALTIES"
    }
    assert [record.data.qualified for record in only(ResultRecorded, records)] == ["away", None]


def test_an_spi_match_has_scores_or_is_still_to_be_played(tmp_path: Path) -> None:
    played = "2016-08-12,French Ligue 1,Bastia,Paris Saint-Germain,0.0463,0.838,0.1157,0.91,2.36,0,1"
    to_play = "2019-12-07,French Ligue 1,Lyon,Metz,0.6,0.2,0.2,,,,"
    records = spi(tmp_path, played, to_play)
    (result,) = only(ResultRecorded, records)
    assert (result.data.home, result.data.away, result.data.qualified) == (0, 1, None)
    assert only(PredictionMade, records)[0].data.distribution_summary == {"home_mean": 0.91, "away_mean": 2.36}
    assert len(only(PredictionPublished, records)) == 2


def test_names_in_broken_encoding_are_repaired(tmp_path: Path) -> None:
    row = MATCH.replace("Barclays Premier League", "Brasileiro SÃ©rie A").replace("Hull City", "Ceará")
    (scheduled,) = only(EventScheduled, games(tmp_path, CLUBS, row))
    assert (scheduled.data.league, scheduled.data.home) == ("BRASILEIRAO", "Ceará")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("0.74", "0.84", "sum to 1"),
        ("0.74", "0.75", "sum to 1"),
        ("0.74", "0.7415", "sum to 1"),
        ("0.74,0,0.26", "1.74,0,-0.74", "sum to 1"),
        ("0.74", "", "not a number"),
        (",0,0.26,1", ",1,0.26,1", "name no winner"),
        ("2022-06-16", "16/06/2022", "yyyy-mm-dd"),
        ("Warriors", "Celtics", "cannot play itself"),
    ],
)
def test_a_bad_row_is_rejected_whole(tmp_path: Path, old: str, new: str, reason: str) -> None:
    rows = (NBA.replace(old, new, 1), NBA.replace("2022-06-16", "2022-06-13"))
    file = forecasts.games_moments(written(tmp_path, "nba.csv", US, *rows))
    assert counted(file) == (2, 1, 1, 0)
    assert any(reason in str(record.data) for record in records_of(file) if record.type == "InputRejected")


def test_probabilities_that_were_rounded_are_accepted(tmp_path: Path) -> None:
    """They miss 1 by less than a thousandth."""
    (made,) = only(PredictionMade, games(tmp_path, US, NBA.replace("0.74", "0.7405")))
    assert made.data.p_cover == 0.7405


@pytest.mark.parametrize("together", [True, False])
def test_who_won_takes_no_score_away(tmp_path: Path, together: bool) -> None:
    """The season file tells 2-1 two hours after the start, the forecasts' file who won ten hours later."""
    season = written(
        tmp_path, "E0_1617.csv", "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR", "E0,13/08/16,Hull,Leicester,2,1,H"
    )
    files = [football_data.moments(season), forecasts.games_moments(written(tmp_path, "games.csv", CLUBS, MATCH))]
    calls = [files] if together else [[file] for file in files]
    log, store = SqliteLog(":memory:"), Store()
    for call in calls:
        log.append(records_of(*call))
        catch_up(log, store)

    assert store.rows("SELECT count(*), count(DISTINCT event_id) FROM event_result_history") == [(2, 1)]
    assert store.rows("SELECT home, away FROM event_results") == [(2, 1)]
    store.close()
    log.close()
