"""What an engine is told: games that were played, and games to come."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PlayedGame:
    """A game that was really played; an awarded, abandoned or void one says nothing of strength and is not sent.

    `known_at` is when the result was on record (UTC-aware), scores are final: with overtime in US sports, after 90
    minutes and stoppage in football.

    Raises:
        ValueError: a naive time, a negative score, or a team that plays itself.
    """

    league: str
    known_at: datetime
    home: str
    away: str
    home_score: int
    away_score: int

    def __post_init__(self) -> None:
        require_aware(self.known_at, "known_at")
        require_two_teams(self.home, self.away)
        if min(self.home_score, self.away_score) < 0:
            raise ValueError(f"{self.home} v {self.away}: a score below 0 is not a result")

    @property
    def margin(self) -> int:
        """Home score less away score."""
        return self.home_score - self.away_score

    @property
    def total(self) -> int:
        """Both scores together."""
        return self.home_score + self.away_score


@dataclass(frozen=True, slots=True)
class UpcomingGame:
    """A game to be forecast at `issued_at`, before it starts at `starts_at` (both UTC-aware).

    Raises:
        ValueError: a naive time, a forecast issued after the start, or a team that plays itself.
    """

    league: str
    starts_at: datetime
    issued_at: datetime
    home: str
    away: str

    def __post_init__(self) -> None:
        require_aware(self.starts_at, "starts_at")
        require_aware(self.issued_at, "issued_at")
        require_two_teams(self.home, self.away)
        if self.issued_at > self.starts_at:
            raise ValueError(
                f"{self.home} v {self.away}: issued at {self.issued_at.isoformat()}, after the start; "
                "this engine forecasts before the start only"
            )


@dataclass(frozen=True, slots=True)
class Matchup:
    """What a score model is told of a game to come.

    `x`: rating difference, home less away, in units of 400 points. `level`: the league's mean total in points, `pace`:
    how far this pair's games lie above it.
    """

    x: float
    pace: float = 0.0
    level: float = 0.0


@dataclass(frozen=True, slots=True)
class SeenGames:
    """What a score model is fitted to, n games, each array of shape (n,).

    `x`: rating difference before the game in units of 400 points. `expected_total`: the total expected before it.
    """

    x: NDArray[np.float64]
    home: NDArray[np.float64]
    away: NDArray[np.float64]
    expected_total: NDArray[np.float64]


def require_aware(at: datetime, name: str) -> None:
    """Refuse a naive time, which two machines would read differently."""
    if at.utcoffset() is None:
        raise ValueError(f"{name} {at.isoformat()} has no time zone: pass a UTC-aware time")


def require_two_teams(home: str, away: str) -> None:
    """Refuse a team that plays itself."""
    if home == away:
        raise ValueError(f"{home!r} cannot play itself: home and away must differ")
