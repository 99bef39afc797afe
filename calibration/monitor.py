"""The monitor of what was really served: the gate's own test with raw and served exchanged, on what is on record."""

from dataclasses import replace

import numpy as np

from calibration.gate import GateConfig, Look, Monitor
from calibration.walk_forward import Forward, Picks, Schedule
from grading.scores import Floats

SCHEDULE = Schedule(first=100, every=100)
"""A map may do harm from its first pick on, so the monitor looks sooner than the gate."""


def watch(rows: Picks, served: Floats, since: int, method: str, config: GateConfig | None = None) -> tuple[Look, ...]:
    """Look by `SCHEDULE` whether raw beats what was served; the looks up to the one that decides.

    rows: a segment's settled picks that were issued after `since`, the time of its activation; served: their
    probabilities as served, shape (n,); method names the map in the reasons. What is asked for is what the gate asks
    for, but no least number of picks: harm is harm as soon as it is certain.
    """
    config = replace(config or GateConfig(), minimum=0)
    n = SCHEDULE.looks(rows.recorded)
    if not n.size:
        return ()
    # The activation itself is the look before the first one.
    at, seen = np.append(since, rows.recorded[n - 1]), np.append(0, n)
    everything = np.ones(len(rows), dtype=np.bool_)
    forward = Forward(method, at, seen, (), np.zeros(len(rows), dtype=np.intp), served)
    test = Monitor(rows, everything, served, {method: rows.p}, forward, 1)
    looks: list[Look] = []
    for k in range(1, at.size):
        looks.append(test.look(k, "MONITOR", config))
        if looks[-1].decides:
            break
    return tuple(looks)
