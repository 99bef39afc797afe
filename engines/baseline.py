"""The baseline forecaster: Elo and a score model per league, walk-forward, blind to what was not yet known.

Look-ahead is impossible by structure: each league has a clock that only goes forward. A result moves it to its
`known_at`, a forecast to its `issued_at`, and neither is taken with a time before the clock. So every forecast rests on
exactly the results known by its `issued_at`, whoever drives the engine. Fits change only when a result is observed:
asking for a forecast changes no other forecast.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from engines.elo import SCALE, Ratings
from engines.forecast import Forecast
from engines.games import Matchup, PlayedGame, SeenGames, UpcomingGame
from engines.goals import GoalModel
from engines.sports import LEAGUES, SportModel
from engines.totals import TotalRatings

MODEL_VERSION = "baseline-1.0.0"
FEATURE_SET_VERSION = "scores-1.0.0"
CONFIDENCE_GAMES = 20  # a rating of so many games counts as half known

_Turn = tuple[datetime, int, int, PlayedGame | UpcomingGame]  # when, results before forecasts, place, game


class LookAheadError(ValueError):
    """A forecast or result came out of the order in which things became known."""


class Baseline:
    """Forecasts games of several leagues from the results that it has observed.

    Drive it in the order in which things became known, results before forecasts of the same moment, or let
    `walk_forward` do so. A league seen for the first time starts from its sport's prior. The first result of a game
    counts; a correction that comes later is not taken back into the ratings. Awarded games must not be observed.
    """

    def __init__(self, leagues: Mapping[str, SportModel] = LEAGUES) -> None:
        self._models = dict(leagues)
        self._leagues: dict[str, _League] = {}

    def add_league(self, name: str, model: SportModel) -> None:
        """Forecast a league by a sport's model; one that has a model already keeps it."""
        self._models.setdefault(name, model)

    def observe(self, game: PlayedGame) -> None:
        """Learn from a result.

        Raises:
            LookAheadError: known before a result observed earlier, or not after a forecast issued already.
            ValueError: a league that has no model.
        """
        self._league(game.league).observe(game)

    def forecast(self, upcoming: UpcomingGame) -> Forecast:
        """Forecast a game from the results known by its `issued_at`.

        Raises:
            LookAheadError: a result observed earlier was not yet known when this forecast is issued.
            ValueError: a league that has no model.
        """
        return self._league(upcoming.league).forecast(upcoming)

    def _league(self, name: str) -> "_League":
        if name not in self._leagues:
            if name not in self._models:
                raise ValueError(
                    f"league {name!r} has no model: pass Baseline({{**LEAGUES, {name!r}: FOOTBALL}}) or so"
                )
            self._leagues[name] = _League(self._models[name])
        return self._leagues[name]


def walk_forward(
    played: Iterable[PlayedGame], upcoming: Iterable[UpcomingGame], baseline: Baseline
) -> Iterator[tuple[UpcomingGame, Forecast]]:
    """Every forecast, in the order of issue, made from what was known; the inputs may come in any order."""
    results: Iterator[_Turn] = ((game.known_at, 0, n, game) for n, game in enumerate(sorted(played, key=_known_order)))
    requests: Iterator[_Turn] = (
        (game.issued_at, 1, n, game) for n, game in enumerate(sorted(upcoming, key=_issue_order))
    )
    for _, _, _, game in heapq.merge(results, requests):
        if isinstance(game, PlayedGame):
            baseline.observe(game)
        else:
            yield game, baseline.forecast(game)


class _League:
    """One league's ratings, fit and clock."""

    def __init__(self, sport: SportModel) -> None:
        self._sport = sport
        self._ratings = Ratings(sport.elo)
        self._totals = TotalRatings(sport.totals)
        self._fit = sport.prior
        self._seen: deque[tuple[float, int, int, float]] = deque(maxlen=sport.window_games)
        self._refitted_at: datetime | None = None
        self._known_at: datetime | None = None
        self._issued_at: datetime | None = None

    def observe(self, game: PlayedGame) -> None:
        if self._known_at is not None and game.known_at < self._known_at:
            raise LookAheadError(_told(game, f"became known {game.known_at}, before {self._known_at} of the last one"))
        if self._issued_at is not None and game.known_at <= self._issued_at:
            raise LookAheadError(
                _told(game, f"was known by {game.known_at}, but a forecast of {self._issued_at} is out without it")
            )
        self._refit_if_due(game.known_at)
        x = self._ratings.difference(game.home, game.away, game.known_at) / SCALE
        expected = self._totals.expected(game.home, game.away, game.known_at)
        self._seen.append((x, game.home_score, game.away_score, expected))
        self._ratings.update(game)
        self._totals.update(game)
        self._known_at = game.known_at

    def forecast(self, game: UpcomingGame) -> Forecast:
        if self._known_at is not None and self._known_at > game.issued_at:
            raise LookAheadError(
                f"{game.home} v {game.away}: issued at {game.issued_at}, but a result known only at {self._known_at} "
                "has been observed; ask for forecasts in the order of issue"
            )
        self._issued_at = max(self._issued_at or game.issued_at, game.issued_at)
        home, away = (self._ratings.at(team, game.starts_at) for team in (game.home, game.away))
        pace = self._totals.pace(game.home, game.away, game.starts_at)
        matchup = Matchup((home.rating - away.rating) / SCALE, pace, self._totals.level)
        games = min(home.games, away.games)
        return Forecast(
            margin=self._fit.margin(matchup),
            total=self._fit.total(matchup),
            three_way=isinstance(self._fit, GoalModel),
            league=game.league,
            home=game.home,
            away=game.away,
            starts_at=game.starts_at,
            issued_at=game.issued_at,
            confidence_index=games / (games + CONFIDENCE_GAMES),
            model_version=MODEL_VERSION,
            feature_set_version=FEATURE_SET_VERSION,
        )

    def _refit_if_due(self, now: datetime) -> None:
        # On the first result of a new moment, from all earlier ones: so the order within a moment decides nothing.
        if self._known_at is None or self._known_at == now:
            return
        if self._refitted_at is None or now - self._refitted_at >= timedelta(days=self._sport.refit_days):
            self._fit = self._sport.prior.refitted(SeenGames(*np.array(self._seen).T))
            self._refitted_at = now


def _known_order(game: PlayedGame) -> tuple[datetime, str, str, str]:
    return game.known_at, game.league, game.home, game.away


def _issue_order(game: UpcomingGame) -> tuple[datetime, str, str, str]:
    return game.issued_at, game.league, game.home, game.away


def _told(game: PlayedGame, why: str) -> str:
    return f"{game.home} v {game.away}: {why}; observe results in the order in which they became known"
