"""A pytest plugin for `make mutants`: what mutmut needs of pytest, and Hypothesis as a mutation run wants it.

A mutant is killed by one failing example, so nothing is shrunk or kept; the same examples come every time, so that
a survivor of one run is one of the next.
"""

import sys
from functools import _lru_cache_wrapper

import pytest
from hypothesis import HealthCheck, Phase, settings

# mutmut 3.7 reads a name that pytest 9 no longer sets.
if not hasattr(pytest.Item, "_nodeid"):
    pytest.Item._nodeid = property(lambda item: item.nodeid)  # type: ignore[attr-defined]

settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    # mutmut runs the suite several times in one process, on machines with other work.
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)
settings.load_profile("mutants")


def pytest_runtest_setup() -> None:
    """Forget what was computed before: a mutant is not seen where an answer of the unchanged code is remembered."""
    for name, module in list(sys.modules.items()):
        if name.startswith("grading."):
            for remembered in vars(module).values():
                if isinstance(remembered, _lru_cache_wrapper):
                    remembered.cache_clear()
