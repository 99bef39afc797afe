"""Walk-forward scores of the baseline forecaster on real games, beside Pinnacle's closing odds.

Run: python -m benchmarks.football_forecast [--data ../shared/data] [--league E0] [--no-us]
"""

import argparse
import csv
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.baseline import Baseline, walk_forward
from engines.forecast import Forecast
from engines.games import PlayedGame, UpcomingGame
from grading.scores import log_loss_multiclass, rps

RESAMPLES = 300
REFERENCE_SEASONS = ("1920", "2021", "2122", "2223")  # those that the published reference values are of
TUNING_SEASONS = ("1617", "1718", "1819")  # settings were chosen on these, all leagues together
US_TUNING_ENDS = {"NFL": 2016, "NBA": 2015, "MLB": 2016}

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Metric = Callable[[Floats, Integers], float]


@dataclass(frozen=True)
class Match:
    """One played game of the data, and the closing no-vig probabilities where the file has all three prices."""

    season: str
    played: PlayedGame
    upcoming: UpcomingGame
    close: tuple[float, float, float] | None = None

    @property
    def outcome(self) -> int:
        """0 home win, 1 draw, 2 away win."""
        return 1 - (self.played.margin > 0) + (self.played.margin < 0)


@dataclass(frozen=True)
class Scored:
    """A match with its forecast's probabilities of home win, draw and away win (or home and away)."""

    match: Match
    p: tuple[float, ...]
    p_over: float


def main() -> None:
    """Print a table of scores for every league and season, then one line for each US league."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--league", help="one football league only, such as E0")
    parser.add_argument("--no-us", action="store_true", help="football only")
    asked = parser.parse_args()
    matches = list(football_matches(asked.data / "football_odds", asked.league))
    started = time.perf_counter()
    scored = score(matches)
    elapsed = time.perf_counter() - started
    print("95 % bootstrap intervals by match; Pinnacle closing (multiplicative) on the matches that have it")
    print(f"{'':16}{'n':>6}  {'RPS':24}{'log loss':24}{'over 2.5':>9}   {'n':>5} Pinnacle RPS, log loss / ours")
    for label, rows in groups(scored):
        print(report(label, rows))
    print(f"{len(matches):,} matches forecast in {elapsed:.1f} s, one process")
    if not asked.no_us:
        for league in US_TUNING_ENDS:
            print(us_report(league, list(us_games(asked.data, league))))


def score(matches: list[Match]) -> list[Scored]:
    """Forecast every match an hour before its start from the results known by then."""
    by_game = {match.upcoming: match for match in matches}
    if len(by_game) < len(matches):
        raise SystemExit("two rows of the data are one game: its time and teams do not tell them apart")
    steps = walk_forward((match.played for match in matches), by_game, Baseline())
    return [_scored(by_game[game], forecast) for game, forecast in steps]


def groups(scored: list[Scored]) -> Iterator[tuple[str, list[Scored]]]:
    """Each league and season, each league's reference seasons, and all leagues' seasons after the tuned ones."""
    leagues = sorted({row.match.played.league for row in scored})
    for league in leagues:
        rows = [row for row in scored if row.match.played.league == league]
        for season in sorted({row.match.season for row in rows}):
            yield f"{league} {season}", [row for row in rows if row.match.season == season]
        yield f"{league} 1920-2223", [row for row in rows if row.match.season in REFERENCE_SEASONS]
    yield "all, 1920 on", [row for row in scored if row.match.season not in TUNING_SEASONS]


def report(label: str, rows: list[Scored]) -> str:
    """One line: n, RPS, log loss and log loss of over 2.5 goals, then Pinnacle and ours on the matches it priced."""
    p, outcome = np.array([row.p for row in rows]), np.array([row.match.outcome for row in rows])
    over = np.array([row.match.played.total > 2.5 for row in rows])
    p_over = np.array([row.p_over for row in rows])
    over_loss = float(-np.log(np.where(over, p_over, 1 - p_over)).mean())
    line = f"{label:16}{len(rows):6,}  {interval(rps, p, outcome):24}{interval(log_loss_multiclass, p, outcome):24}"
    priced = [row for row in rows if row.match.close is not None]
    if not priced:
        return f"{line}{over_loss:9.4f}"
    close, ours = np.array([row.match.close for row in priced]), np.array([row.p for row in priced])
    came = np.array([row.match.outcome for row in priced])
    return (
        f"{line}{over_loss:9.4f}   {len(priced):5,} {rps(close, came):.4f} {log_loss_multiclass(close, came):.4f}"
        f" / {rps(ours, came):.4f} {log_loss_multiclass(ours, came):.4f}"
    )


def interval(metric: Metric, p: Floats, outcome: Integers) -> str:
    """The score with its 95 % bootstrap interval, matches drawn with a fixed seed."""
    rng = np.random.default_rng(1)
    draws = (rng.integers(0, len(p), len(p)) for _ in range(RESAMPLES))
    low, high = np.quantile([metric(p[rows], outcome[rows]) for rows in draws], [0.025, 0.975])
    return f"{metric(p, outcome):.4f} [{low:.4f}, {high:.4f}]"


def football_matches(folder: Path, league: str | None) -> Iterator[Match]:
    """Every match that was played, in file order; the 29 awarded Turkish ones were not, and feed no rating."""
    files = sorted(folder.glob(f"{league or '*'}_*.csv"))
    if not files:
        raise SystemExit(f"no football files in {folder}: pass the folder of the real data with --data")
    for path in files:
        code, season = path.stem.split("_")
        for row in csv.DictReader(io.StringIO(_text(path.read_bytes()))):
            if row.get("FTHG") and not awarded(row):
                yield _football_match(code, season, row)


def awarded(row: dict[str, str]) -> bool:
    """A 3-0 or 0-3 without a single shot on record was awarded, not played."""
    return not row["HS"] and {float(row["FTHG"]), float(row["FTAG"])} == {0.0, 3.0}


def us_games(data: Path, league: str) -> Iterator[Match]:
    """Every game with two different scores and teams; the sources give dates, so starts and results are assumed."""
    starts: Counter[tuple[str, datetime]] = Counter()
    for season, day, home, away, home_score, away_score in _US_ROWS[league](data):
        starts[home, day] += 1  # a double-header's second game follows four hours later
        start = day + timedelta(hours=14 + 4 * starts[home, day])
        yield _match(league, season, start, timedelta(hours=3.5), home, away, (int(home_score), int(away_score)))


def us_report(league: str, matches: list[Match]) -> str:
    """One line: log loss of the winner after the tuned seasons, beside always saying the share of home wins."""
    scored = [row for row in score(matches) if int(row.match.season) > US_TUNING_ENDS[league]]
    decided = [row for row in scored if row.match.played.margin]
    p, home_lost = np.array([row.p for row in decided]), np.array([row.match.outcome == 2 for row in decided])
    share = float(1 - home_lost.mean())
    flat = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    loss = interval(log_loss_multiclass, p, home_lost.astype(np.int64))
    return (
        f"{league} after {US_TUNING_ENDS[league]}: n {len(decided):,}, log loss {loss}, share of home wins {flat:.4f}"
    )


def _scored(match: Match, forecast: Forecast) -> Scored:
    over = forecast.p_win("TOTAL", "OVER", 2.5)
    return Scored(match, tuple(forecast.probabilities.values()), over.win)


def _football_match(league: str, season: str, row: dict[str, str]) -> Match:
    day = datetime.strptime(row["Date"], "%d/%m/%Y" if len(row["Date"]) == 10 else "%d/%m/%y").replace(tzinfo=UTC)
    # Before 2019/20 the files give no time; noon stands for it. A time is the UK's clock, which is near enough here.
    hours, minutes = (row.get("Time") or "12:00").split(":")
    start = day + timedelta(hours=int(hours), minutes=int(minutes))
    score = (int(float(row["FTHG"])), int(float(row["FTAG"])))
    match = _match(league, season, start, timedelta(hours=2), row["HomeTeam"], row["AwayTeam"], score)
    odds = [float(row.get(f"PSC{side}") or 0) for side in "HDA"]
    if min(odds) <= 1:
        return match
    home, draw, away = (1 / price / sum(1 / other for other in odds) for price in odds)
    return replace(match, close=(home, draw, away))


def _match(
    league: str, season: str, start: datetime, length: timedelta, home: str, away: str, score: tuple[int, int]
) -> Match:
    played = PlayedGame(league, start + length, home, away, *score)
    return Match(season, played, UpcomingGame(league, start, start - timedelta(hours=1), home, away))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252")


UsRow = tuple[str, datetime, str, str, float, float]  # season, day, home, away, home score, away score


def _nba(data: Path) -> Iterator[UsRow]:
    with (data / "nba_odds/nba_2008_2022.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["score_home"] != row["score_away"]:  # one row has a false 95-95
                day = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)
                yield row["season"], day, row["home"], row["away"], float(row["score_home"]), float(row["score_away"])


def _nfl(data: Path) -> Iterator[UsRow]:
    for row in json.loads((data / "nfl_odds/nfl_archive_2011_2018.json").read_text(encoding="utf-8")):
        home, away = str(row["home_team"]), str(row["away_team"])
        day = datetime.strptime(str(int(row["date"])), "%Y%m%d").replace(tzinfo=UTC)
        yield str(row["season"]), day, home, away, float(row["home_final"]), float(row["away_final"])


def _mlb(data: Path) -> Iterator[UsRow]:
    for path in sorted((data / "mlb_odds").glob("mlb_odds_*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                scores = row["home_score"], row["away_score"]
                if scores[0] != scores[1] and all(text.replace(".", "").isdigit() for text in scores):
                    day = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)
                    names = row["home_abbrev"], row["away_abbrev"]
                    yield path.stem[-4:], day, *names, float(scores[0]), float(scores[1])


_US_ROWS: dict[str, Callable[[Path], Iterator[UsRow]]] = {"NBA": _nba, "NFL": _nfl, "MLB": _mlb}


if __name__ == "__main__":
    main()
