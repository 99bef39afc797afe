"""Expected totals: a league's level and how far each team's games lie above it, learnt game by game."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engines.games import PlayedGame


@dataclass(frozen=True, slots=True)
class TotalConfig:
    """`level` is the starting league mean in points; each game moves it by `level_step` of its surprise, and each of
    the two teams' own deviation by `team_step`. Over a break of `break_days` a deviation keeps `break_keep` of itself.
    """

    level: float
    level_step: float
    team_step: float
    break_days: float
    break_keep: float = 0.5


class TotalRatings:
    """The total of a game, expected from the league's level and both teams' deviations; only `update` changes it."""

    def __init__(self, config: TotalConfig) -> None:
        self.config = config
        self.level = config.level
        self._teams: dict[str, tuple[float, datetime]] = {}

    def pace(self, home: str, away: str, when: datetime) -> float:
        """Points by which this pair's games lie above the league's level."""
        return self._deviation(home, when) + self._deviation(away, when)

    def expected(self, home: str, away: str, when: datetime) -> float:
        """Expected total in points, never below a tenth of the league's level."""
        return max(self.level + self.pace(home, away, when), self.level / 10)

    def update(self, game: PlayedGame) -> None:
        """Move the level and both teams towards the total that was seen."""
        surprise = game.total - self.expected(game.home, game.away, game.known_at)
        for team in (game.home, game.away):
            moved = self._deviation(team, game.known_at) + self.config.team_step * surprise
            self._teams[team] = (moved, game.known_at)
        self.level += self.config.level_step * surprise

    def _deviation(self, team: str, when: datetime) -> float:
        deviation, last = self._teams.get(team, (0.0, when))
        idle = when - last >= timedelta(days=self.config.break_days)
        return deviation * self.config.break_keep if idle else deviation
