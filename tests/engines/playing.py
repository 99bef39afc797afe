"""Games for the engines' tests: a small synthetic season, and single games."""

from datetime import UTC, datetime, timedelta

import numpy as np

from engines.baseline import Baseline, walk_forward
from engines.forecast import Forecast
from engines.games import PlayedGame, UpcomingGame

KICK_OFF = datetime(2024, 8, 17, 14, tzinfo=UTC)
TEAMS = tuple("ABCDEFGH")


def day(n: float) -> datetime:
    return KICK_OFF + timedelta(days=n)


def played(n: float, home: str, away: str, score: tuple[int, int], league: str = "E0") -> PlayedGame:
    return PlayedGame(league, day(n) + timedelta(hours=2), home, away, *score)


def upcoming(n: float, home: str, away: str, league: str = "E0") -> UpcomingGame:
    return UpcomingGame(league, day(n), day(n) - timedelta(hours=1), home, away)


def season(rounds: int = 30, league: str = "E0", goals: float = 1.4) -> list[PlayedGame]:
    """A round a week, drawn with a fixed seed; the earlier the letter, the stronger the team."""
    rng = np.random.default_rng(7)
    games = []
    for week in range(rounds):
        order = rng.permutation(len(TEAMS))
        for home, away in zip(order[::2].tolist(), order[1::2].tolist(), strict=True):
            rates = goals * 1.1 ** np.array([away - home + 1, home - away])
            home_score, away_score = rng.poisson(rates).tolist()
            if league == "E0" or home_score != away_score:
                games.append(played(7.0 * week, TEAMS[home], TEAMS[away], (home_score, away_score), league))
    return games


def forecasts(games: list[PlayedGame]) -> list[Forecast]:
    """Each of the games forecast an hour before its start, walk-forward."""
    asked = [
        UpcomingGame(g.league, g.known_at - timedelta(hours=2), g.known_at - timedelta(hours=3), g.home, g.away)
        for g in games
    ]
    return [forecast for _, forecast in walk_forward(games, asked, Baseline())]


def after(games: list[PlayedGame], game: UpcomingGame) -> Forecast:
    """One forecast after the games, which are in the order in which they became known."""
    baseline = Baseline()
    for seen in games:
        baseline.observe(seen)
    return baseline.forecast(game)
