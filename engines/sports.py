"""The settings of the baseline forecaster, one row a sport, and which sport a league plays."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engines.elo import EloConfig
from engines.goals import GoalModel, GoalRates
from engines.ordered_logit import OrderedLogit
from engines.points import PointModel
from engines.totals import TotalConfig


@dataclass(frozen=True, slots=True)
class SportModel:
    """How one sport is forecast: ratings, totals, the score model that every fit starts from, and when it is refitted.

    `window_games`: a refit looks at the last so many games of the league. `refit_days`: it happens with the first
    result that becomes known so long after the last refit.
    """

    sport: str
    elo: EloConfig
    totals: TotalConfig
    prior: GoalModel | PointModel
    window_games: int
    refit_days: float = 7.0


FOOTBALL = SportModel(
    sport="football",
    elo=EloConfig(k=14, margin_power=0.7, home_advantage=65, break_days=60, break_regress=0.1, newcomer_deficit=70),
    totals=TotalConfig(level=2.7, level_step=0.003, team_step=0.015, break_days=60),
    prior=GoalModel(OrderedLogit(slope=2.0, home=0.35, log_width=-0.6), GoalRates(home=0.42, away=0.17, slope=0.7)),
    window_games=1_140,
)
NFL = SportModel(
    sport="nfl",
    elo=EloConfig(k=12, margin_power=0.7, home_advantage=50, break_days=100, break_regress=0.33),
    totals=TotalConfig(level=44, level_step=0.005, team_step=0.03, break_days=100),
    prior=PointModel(home_points=2.3, slope=16, margin_sd=13.3, total_sd=13.5, most_points=100, ties=True),
    window_games=1_500,
)
NBA = SportModel(
    sport="nba",
    elo=EloConfig(k=6, margin_power=0.7, home_advantage=75, break_days=60, break_regress=0.25),
    totals=TotalConfig(level=205, level_step=0.01, team_step=0.04, break_days=60),
    prior=PointModel(home_points=2.8, slope=14, margin_sd=12.5, total_sd=18, most_points=100, ties=False),
    window_games=3_000,
)
MLB = SportModel(
    sport="mlb",
    elo=EloConfig(k=2, margin_power=0.7, home_advantage=24, break_days=100, break_regress=0.33),
    totals=TotalConfig(level=8.8, level_step=0.003, team_step=0.01, break_days=100),
    prior=PointModel(home_points=0.15, slope=4, margin_sd=4.3, total_sd=4.4, most_points=40, ties=False),
    window_games=3_000,
)
NHL = SportModel(
    sport="nhl",
    elo=EloConfig(k=3, margin_power=0.7, home_advantage=35, break_days=60, break_regress=0.3),
    totals=TotalConfig(level=6.0, level_step=0.003, team_step=0.01, break_days=60),
    prior=PointModel(home_points=0.25, slope=3.5, margin_sd=2.5, total_sd=None, most_points=25, ties=False),
    window_games=3_000,
)

SPORTS: Mapping[str, SportModel] = MappingProxyType(
    {"soccer": FOOTBALL, "nfl": NFL, "nba": NBA, "mlb": MLB, "nhl": NHL}
)
"""The model of each sport, for leagues that have no model of their own."""

_FOOTBALL_LEAGUES = (
    *("E0", "E1", "E2", "E3", "EC", "SC0", "SC1", "SC2", "SC3", "D1", "D2", "I1", "I2", "SP1", "SP2", "F1", "F2"),
    *("N1", "B1", "P1", "T1", "G1", "EPL"),
)

LEAGUES: Mapping[str, SportModel] = MappingProxyType(
    dict.fromkeys(_FOOTBALL_LEAGUES, FOOTBALL) | {"NFL": NFL, "NBA": NBA, "MLB": MLB, "NHL": NHL}
)
