"""Simulated forecasters: rows as the log would give them, each settled before the next is issued."""

import numpy as np
from scipy.special import expit

from calibration.training import TrainingRows
from calibration.walk_forward import MICROSECONDS_A_DAY, Picks, picks
from grading.scores import Floats


def outcomes(n: int, temperature: float = 1.0, spread: float = 0.8, seed: int = 0) -> tuple[Floats, Floats]:
    """p with logit ~ N(0, spread), and outcomes whose true logit is that divided by the temperature."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, spread, n)
    return expit(logit), (rng.random(n) < expit(logit / temperature)).astype(np.float64)


def season(n: int, temperature: float = 1.0, spread: float = 0.8, seed: int = 0) -> Picks:
    """One pick a game, issued at 2i and settled at 2i + 1."""
    order = np.arange(n)
    return picks(*outcomes(n, temperature, spread, seed), order, 2 * order, 2 * order + 1)


def training_rows(
    n: int, temperature: float = 2.0, league: str = "NBA", market: str = "SPREAD:FULL_GAME", seed: int = 0
) -> TrainingRows:
    """n games of one league and market, one every hour, each settled half an hour after its pick."""
    p, y = outcomes(n, temperature, seed=seed)
    names = [f"{league}-{market}-{i:06d}" for i in range(n)]
    issued = np.arange(n, dtype=np.int64) * (MICROSECONDS_A_DAY // 24)
    half_an_hour = MICROSECONDS_A_DAY // 48
    return TrainingRows(names, [league] * n, [market] * n, names, p, y, issued, issued + half_an_hour)


def joined(*parts: TrainingRows) -> TrainingRows:
    """The rows of several segments as one history."""
    columns = [[value for part in parts for value in getattr(part, name)] for name in vars(parts[0])]
    return TrainingRows(*columns)
