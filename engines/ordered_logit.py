"""Ordered logit: probabilities of home win, draw and away win from a rating difference.

Source: P. McCullagh, Regression models for ordinal data, JRSS B 42 (1980).
"""

from dataclasses import astuple, dataclass

import numpy as np
import scipy

from engines.distribution import FloatArray


@dataclass(frozen=True, slots=True)
class OrderedLogit:
    """P(home) = s(slope x + home - width), P(away) = s(-slope x - home - width), s the logistic.

    x is the rating difference in units of 400 points, `home` the home advantage in logits. The width of the draw,
    exp(log_width), is kept as a logarithm so that the two thresholds cannot cross.
    """

    slope: float
    home: float
    log_width: float

    def probabilities(self, x: float) -> tuple[float, float, float]:
        """Probabilities of home win, draw and away win at rating difference x / 400; they sum to 1."""
        lean, width = self.slope * x + self.home, np.exp(self.log_width)
        home, away = float(scipy.special.expit(lean - width)), float(scipy.special.expit(-lean - width))
        return home, max(0.0, 1.0 - home - away), away


def fit(x: FloatArray, outcome: FloatArray, prior: OrderedLogit, prior_sd: float) -> OrderedLogit:
    """The parameters most probable after n games, under a normal prior of `prior_sd` around `prior`.

    Args:
        x: rating differences in units of 400 points, shape (n,); n may be 0, which gives the prior.
        outcome: 0 away win, 1 draw, 2 home win, shape (n,).

    Raises:
        ValueError: shapes that differ, or an outcome other than 0, 1, 2.
    """
    if x.shape != outcome.shape or not np.isin(outcome, (0, 1, 2)).all():
        raise ValueError("x and outcome need one shape, and outcomes are 0 (away), 1 (draw) or 2 (home)")
    centre = np.array(astuple(prior))
    lost, drawn, won = outcome == 0, outcome == 1, outcome == 2

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        lean, width = theta[0] * x + theta[1], np.exp(theta[2])
        home, away = scipy.special.expit(lean - width), scipy.special.expit(-lean - width)
        draw = (1 - home - away).clip(1e-12)
        slope_home, slope_away = home * (1 - home), away * (1 - away)
        by_lean = won * (1 - home) - lost * (1 - away) + drawn * (slope_away - slope_home) / draw
        by_width = drawn * (slope_home + slope_away) / draw - won * (1 - home) - lost * (1 - away)
        pull = (theta - centre) / prior_sd**2
        log_p = np.log(np.where(won, home, np.where(lost, away, draw)).clip(1e-300))
        slopes = np.array([(x * by_lean).sum(), by_lean.sum(), width * by_width.sum()])
        return float(0.5 * (pull * (theta - centre)).sum() - log_p.sum()), pull - slopes

    # Bounded, so that no line search can overflow the width. TNC and not L-BFGS-B, whose threaded BLAS on three
    # numbers took ten times as long on a busy machine.
    bounds = ((None, None), (None, None), (-4.0, 3.0))
    found = scipy.optimize.minimize(loss, centre, jac=True, method="TNC", bounds=bounds)
    return OrderedLogit(*(float(value) for value in found.x))
