"""Football scores: Poisson goals from a rating difference, made to agree with an ordered logit on home, draw, away.

Source: M. J. Maher, Modelling association football scores, Statistica Neerlandica 36 (1982).
"""

from dataclasses import astuple, dataclass

import numpy as np
import scipy

from engines import ordered_logit
from engines.distribution import Distribution, FloatArray
from engines.games import Matchup, SeenGames
from engines.ordered_logit import OrderedLogit

MOST_GOALS = 20
LEAST_GOALS = 0.2
_GOALS = np.arange(MOST_GOALS + 1)
_LONGEST_LOG_RATE = 2.5  # 12 goals: no rating difference may make the rate leave the table


@dataclass(frozen=True, slots=True)
class GoalRates:
    """Expected goals at rating difference x / 400: home exp(home + slope x), away exp(away - slope x)."""

    home: float
    away: float
    slope: float

    def at(self, x: float) -> tuple[float, float]:
        """Expected home and away goals."""
        return _rate(self.home + self.slope * x), _rate(self.away - self.slope * x)


@dataclass(frozen=True, slots=True)
class GoalModel:
    """Outcome and goals of a football match; both parts are fitted to the same games."""

    outcome: OrderedLogit
    rates: GoalRates
    prior_sd: float = 0.1

    def refitted(self, seen: SeenGames) -> "GoalModel":
        """This model as prior, refitted to the games seen."""
        results = np.sign(seen.home - seen.away) + 1
        outcome = ordered_logit.fit(seen.x, results, self.outcome, self.prior_sd)
        return GoalModel(outcome, fit_rates(seen, self.rates, self.prior_sd), self.prior_sd)

    def margin(self, matchup: Matchup) -> Distribution:
        """Home goals less away goals: a Skellam shape inside home win, draw and away win, the logit between them.

        So a handicap of -1/2 is worth exactly a home win of the 1X2.
        """
        home, away = self.rates.at(matchup.x)
        shape = np.convolve(poisson_mass(home), poisson_mass(away)[::-1])
        p_home, p_draw, p_away = self.outcome.probabilities(matchup.x)
        lost, won = shape[:MOST_GOALS], shape[MOST_GOALS + 1 :]
        blocks = (lost * (p_away / lost.sum()), np.array([p_draw]), won * (p_home / won.sum()))
        return Distribution.of(-MOST_GOALS, np.concatenate(blocks))

    def total(self, matchup: Matchup) -> Distribution:
        """Goals of both sides: Poisson, at the pair's own pace."""
        return Distribution.of(0, poisson_mass(max(sum(self.rates.at(matchup.x)) + matchup.pace, LEAST_GOALS)))


def fit_rates(seen: SeenGames, prior: GoalRates, prior_sd: float) -> GoalRates:
    """Poisson regression of both sides' goals on x, under a normal prior of `prior_sd` around `prior`; n may be 0."""
    centre = np.array(astuple(prior))
    x, home, away = seen.x, seen.home, seen.away

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        log_home, log_away = theta[0] + theta[2] * x, theta[1] - theta[2] * x
        over_home, over_away = np.exp(log_home) - home, np.exp(log_away) - away
        pull = (theta - centre) / prior_sd**2
        likelihood = (np.exp(log_home) - home * log_home + np.exp(log_away) - away * log_away).sum()
        slopes = np.array([over_home.sum(), over_away.sum(), (x * (over_home - over_away)).sum()])
        return float(likelihood + 0.5 * (pull * (theta - centre)).sum()), pull + slopes

    found = scipy.optimize.minimize(loss, centre, jac=True, method="TNC", bounds=((-3.0, 3.0),) * 3)
    return GoalRates(*(float(value) for value in found.x))


def poisson_mass(rate: float) -> FloatArray:
    """Poisson probabilities of 0 to 20 goals, shape (21,); the tail beyond is left out."""
    mass: FloatArray = np.exp(_GOALS * np.log(rate) - rate - scipy.special.gammaln(_GOALS + 1))
    return mass


def _rate(log_rate: float) -> float:
    return float(np.exp(np.clip(log_rate, -_LONGEST_LOG_RATE, _LONGEST_LOG_RATE)))
