"""How often the activation gate opens, by simulation. Run: python -m benchmarks.calibration_gate [--runs 400]

logit p ~ N(0, s), truth logit p / T, one pick a game, looks every 100 results, verdicts from 500 to 3,000.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from calibration.gate import GateConfig, run_gate
from calibration.walk_forward import Picks, Schedule, picks
from grading.reliability import clopper_pearson

PICKS = 3_000
SPREADS = (0.8, 0.5, 0.3, 0.15)
NULL_AT_MOST = 0.05
POWER_AT_LEAST = {(0.8, 2.0): 0.9, (0.5, 2.0): 0.9, (0.8, 1.5): 0.65, (0.5, 1.5): 0.65}
CONFIG = GateConfig(Schedule(growth=0))


@dataclass(frozen=True)
class Cell:
    """One forecaster of the table: how spread its forecasts are, and how over-confident."""

    spread: float
    temperature: float
    method: str
    runs: int


def simulated(spread: float, temperature: float, rng: np.random.Generator) -> Picks:
    """Return a forecaster's picks, each settled before the next is issued."""
    logit = rng.normal(0, spread, PICKS)
    won = rng.random(PICKS) < expit(logit / temperature)
    order = np.arange(PICKS)
    return picks(expit(logit), won.astype(np.float64), order, 2 * order, 2 * order + 1)


def activations(cell: Cell) -> tuple[int, list[int]]:
    """Return in how many runs the gate opened at any time, and after how many results."""
    opened = []
    for run in range(cell.runs):
        rng = np.random.default_rng([int(cell.spread * 100), int(cell.temperature * 10), run])
        look = run_gate(simulated(cell.spread, cell.temperature, rng), cell.method, CONFIG).first_activation
        if look is not None:
            opened.append(look.n)
    return len(opened), opened


def main() -> int:
    """Print the table; return 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--method", default="platt")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    cells = [Cell(s, t, asked.method, asked.runs) for s in SPREADS for t in (1.0, 1.5, 2.0)]
    print(f"method {asked.method}, {asked.runs} runs a cell: share of runs that activate at any time (95% interval)\n")
    print("| s | T | activated | interval | median n at activation | promise |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor(asked.processes) as pool:
        kept = [_line(cell, *result) for cell, result in zip(cells, pool.map(activations, cells), strict=True)]
    return 0 if all(kept) else 1


def _line(cell: Cell, opened: int, at: list[int]) -> bool:
    share = opened / cell.runs
    low, high = clopper_pearson(opened, cell.runs)
    if cell.temperature == 1:
        kept, promise = share <= NULL_AT_MOST, f"at most {NULL_AT_MOST}"
    else:
        least = POWER_AT_LEAST.get((cell.spread, cell.temperature))
        kept, promise = least is None or share >= least, "reported" if least is None else f"at least {least}"
    median = f"{np.median(at):.0f}" if at else ""
    verdict = "" if promise == "reported" else (" ok" if kept else " BROKEN")
    interval = f"{low:.3f} to {high:.3f}"
    print(
        f"| {cell.spread} | {cell.temperature} | {share:.3f} | {interval} | {median} | {promise}{verdict} |", flush=True
    )
    return kept


if __name__ == "__main__":
    sys.exit(main())
