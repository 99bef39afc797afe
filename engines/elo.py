"""Elo ratings of the teams of one league, moved by the margin of victory.

Source: A. Elo, The Rating of Chessplayers (1978); the margin factor after L. M. Hvattum and H. Arntzen, Using ELO
ratings for match result prediction in association football, International Journal of Forecasting 26 (2010).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engines.games import PlayedGame

MEAN = 1500.0
SCALE = 400.0


@dataclass(frozen=True, slots=True)
class EloConfig:
    """How ratings move, in rating points and days.

    A win by m moves ratings by `k * (1 + m) ** margin_power` times the surprise. After `break_days` without a game (an
    off-season, which needs no season label) a rating keeps `1 - break_regress` of its distance from the mean. After
    `forget_days` the team counts as new. A team that joins a league on record for `forget_days` enters
    `newcomer_deficit` below the mean, as promoted teams do; before that everyone is new, and enters at the mean.
    """

    k: float
    margin_power: float
    home_advantage: float
    break_days: float
    break_regress: float
    newcomer_deficit: float = 0.0
    forget_days: float = 400.0


@dataclass(frozen=True, slots=True)
class TeamRating:
    """A team's rating, the number of games behind it, and when the last of them became known."""

    rating: float
    games: int
    last_known_at: datetime | None


class Ratings:
    """Every team's rating in one league; it changes only by `update`."""

    def __init__(self, config: EloConfig) -> None:
        self.config = config
        self._teams: dict[str, TeamRating] = {}
        self._since: datetime | None = None

    def at(self, team: str, when: datetime) -> TeamRating:
        """The team's rating at that time: regressed over a break, a prior where the team is unknown."""
        known = self._teams.get(team)
        if known is None or known.last_known_at is None:
            return self._newcomer(when)
        idle = when - known.last_known_at
        if idle >= timedelta(days=self.config.forget_days):
            return self._newcomer(when)
        if idle >= timedelta(days=self.config.break_days):
            return replace(known, rating=MEAN + (1 - self.config.break_regress) * (known.rating - MEAN))
        return known

    def difference(self, home: str, away: str, when: datetime) -> float:
        """Home rating less away rating, home advantage left out."""
        return self.at(home, when).rating - self.at(away, when).rating

    def expected_score(self, difference: float) -> float:
        """Expected share of a win for the home side, a draw counting half."""
        return float(1 / (1 + 10 ** (-(difference + self.config.home_advantage) / SCALE)))

    def update(self, game: PlayedGame) -> None:
        """Move both ratings, by the same amount in opposite directions."""
        home, away = self.at(game.home, game.known_at), self.at(game.away, game.known_at)
        score = (game.margin > 0) + 0.5 * (game.margin == 0)
        surprise = score - self.expected_score(home.rating - away.rating)
        step = self.config.k * (1 + abs(game.margin)) ** self.config.margin_power * surprise
        self._teams[game.home] = TeamRating(home.rating + step, home.games + 1, game.known_at)
        self._teams[game.away] = TeamRating(away.rating - step, away.games + 1, game.known_at)
        self._since = self._since or game.known_at

    def _newcomer(self, when: datetime) -> TeamRating:
        settled = self._since is not None and when - self._since >= timedelta(days=self.config.forget_days)
        return TeamRating(MEAN - settled * self.config.newcomer_deficit, 0, None)
