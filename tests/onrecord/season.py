"""SYNTHETIC season files in the layout of football-data.co.uk, so that the tests of the whole need no real data."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from random import Random

CLUBS = (
    "Arsenal",
    "Brentford",
    "Chelsea",
    "Everton",
    "Fulham",
    "Leeds",
    "Leicester",
    "Man City",
    "Southampton",
    "Wolves",
)
MATCHES_A_DAY = 3
BOOKS = {"B365": 1.06, "PS": 1.025}
"""Prefix to the sum of the inverse prices."""
HEADER = (
    "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HTR,HS,AS,HST,AST,B365H,B365D,B365A,PSH,PSD,PSA,"
    "B365CH,B365CD,B365CA,PSCH,PSCD,PSCA,P>2.5,P<2.5,PC>2.5,PC<2.5,AHh,PAHH,PAHA,AHCh,PCAHH,PCAHA"
)  # fmt: skip


def season_text(matches: int = 60, seed: int = 1, division: str = "E0", first_day: date = date(2021, 8, 13)) -> str:
    """A season of so many matches, three a day: header and rows."""
    rng, text = Random(seed), io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER.split(","))
    for number in range(matches):
        on = first_day + timedelta(days=number // MATCHES_A_DAY)
        if number % MATCHES_A_DAY == 0:
            clubs = rng.sample(CLUBS, len(CLUBS))
        writer.writerow((division, f"{on:%d/%m/%Y}", "15:00", *_match(clubs.pop(), clubs.pop(), rng)))
    return text.getvalue()


def season_file(folder: Path, name: str = "E0_2122.csv", matches: int = 60, seed: int = 1) -> Path:
    """The same as a file."""
    path = folder / name
    path.write_text(season_text(matches, seed, name.partition("_")[0]), encoding="utf-8", newline="")
    return path


def _match(home_club: str, away_club: str, rng: Random) -> list[str | int | float]:
    """What stands in a row from the home team on; the clubs' places in CLUBS are their strengths."""
    strength = (CLUBS.index(away_club) - CLUBS.index(home_club)) / 30
    home, away = (sum(rng.random() < share for _ in range(10)) for share in (0.16 + strength / 4, 0.13 - strength / 4))
    half_home, half_away = rng.randint(0, home), rng.randint(0, away)
    looks = (_fair(strength + rng.gauss(0, 0.03)), _fair(strength))
    odds = [round(1 / (p * margin), 2) for chances in looks for margin in BOOKS.values() for p in chances]
    totals = [round(1.95 + rng.uniform(-0.2, 0.2), 2) for _ in range(4)]
    line = round(-strength * 12) / 4
    goals: list[str | int] = [home, away, _letter(home, away), half_home, half_away, _letter(half_home, half_away)]
    return [home_club, away_club, *goals, *(12, 9, 5, 4), *odds, *totals, line, 1.95, 1.95, line, 1.93, 1.97]


def _fair(strength: float) -> tuple[float, float, float]:
    home = min(max(0.4 + strength, 0.08), 0.68)
    return home, 0.25, 0.75 - home


def _letter(home: int, away: int) -> str:
    return "H" if home > away else "A" if home < away else "D"
