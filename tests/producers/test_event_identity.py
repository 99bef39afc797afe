"""One event_id for a game, whatever a source calls its league and its clubs."""

from datetime import UTC, date, datetime

import pytest

from producers.event_identity import event_id, knows_team, league, local_date, repaired, slug, team


@pytest.mark.parametrize(
    ("word", "home", "away"),
    [
        ("E0", "Man United", "Wolves"),
        ("Barclays Premier League", "Manchester United", "Wolverhampton"),
        ("soccer_epl", "Manchester United", "Wolverhampton Wanderers"),
        ("EPL", "man utd", "  WOLVES "),
    ],
)
def test_football_sources_agree_on_an_event(word: str, home: str, away: str) -> None:
    found = event_id(league(word), date(2018, 9, 22), home, away)
    assert found == "epl_2018-09-22_manchester-united_wolverhampton_1"


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("NFL", ["Packers", "GB", "Green Bay Packers"]),
        ("NFL", ["Redskins", "WAS", "Commanders", "Washington Football Team"]),
        ("NFL", ["SanDiego", "LAC", "Chargers", "San Diego Chargers"]),
        ("NBA", ["LA Clippers", "lac", "Los Angeles Clippers", "Clippers"]),
        ("MLB", ["Cleveland Indians", "Guardians", "CLE"]),
        ("NHL", ["Montréal Canadiens", "Montreal Canadiens"]),
        ("T1", ["Buyuksehyr", "Istanbul Basaksehir"]),
        ("SP1", ["Alaves", "Alavés", "AlavÃ©s"]),
    ],
)
def test_a_club_has_one_name(word: str, names: list[str]) -> None:
    assert len({team(league(word), name) for name in names}) == 1


def test_one_abbreviation_is_another_club_in_another_league() -> None:
    assert [team(league(word), "PHI") for word in ("NFL", "NBA", "MLB")] == [
        "Philadelphia Eagles",
        "Philadelphia 76ers",
        "Philadelphia Phillies",
    ]


def test_an_unknown_club_keeps_its_name() -> None:
    assert team(league("E2"), " Rotherham  United ") == "Rotherham United"
    assert not knows_team(league("NBA"), "Rotherham United")


def test_an_unknown_league_keeps_its_name_and_its_sport() -> None:
    assert (league("cricket_ipl").word, league("cricket_ipl").sport) == ("CRICKET_IPL", "cricket")
    assert league("X9", sport="soccer").sport == "soccer"


@pytest.mark.parametrize("nothing", ["", "  ", "-?-"])
def test_a_name_without_letters_names_nothing(nothing: str) -> None:
    with pytest.raises(ValueError, match="names no league"):
        league(nothing)
    with pytest.raises(ValueError, match="names no team"):
        team(league("EPL"), nothing)


def test_a_late_game_counts_on_its_own_day_at_home() -> None:
    """A tip-off at 19:10 in Charlotte is already the next day in UTC."""
    assert local_date(league("NBA"), datetime(2026, 3, 4, 0, 10, tzinfo=UTC)) == date(2026, 3, 3)


def test_the_second_game_of_a_day_is_another_event() -> None:
    ids = {event_id(league("MLB"), date(2014, 4, 2), "NYM", "WAS", number) for number in (1, 2)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("MÃ¡laga", "Málaga"),
        ("KarabÃ¼kspor", "Karabükspor"),
        ("Ã–stersunds FK", "Östersunds FK"),
        ("Ã\x81vila", "Ávila"),
        ("SÃO PAULO", "SÃO PAULO"),
        ("Köln", "Köln"),
    ],
)
def test_broken_encoding_is_repaired_and_whole_names_are_left(broken: str, right: str) -> None:
    assert repaired(broken) == right


def test_a_slug_has_no_accents_points_or_apostrophes() -> None:
    assert [slug(text) for text in ("Nott'm Forest", "St. Louis", "1. FC Nürnberg")] == [
        "nottm-forest",
        "st-louis",
        "1-fc-nurnberg",
    ]
