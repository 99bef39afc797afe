"""Venn-Abers intervals, an option that needs its extra."""

import sys

import numpy as np
import pytest

from calibration.calibrators import fit
from calibration.venn_abers import venn_abers_intervals
from tests.calibration.forecasters import outcomes

ASKED = np.array([0.05, 0.3, 0.5, 0.7, 0.95])


@pytest.mark.oracle
def test_intervals_are_ordered_and_narrow_with_more_rows() -> None:
    """The pair brackets what isotonic says, and knows more from more rows."""
    widths = []
    for n in (200, 4_000):
        p, y = outcomes(n, 1.5, seed=n)
        low, high = venn_abers_intervals(p, y, ASKED)
        isotonic = fit("isotonic", p, y)(ASKED)
        assert ((low <= high) & (low >= 0) & (high <= 1)).all()
        assert ((isotonic >= low - 0.1) & (isotonic <= high + 0.1)).all()
        widths.append(float((high - low).mean()))
    assert widths[1] < widths[0]


@pytest.mark.oracle
def test_each_bound_is_an_isotonic_fit_with_the_asked_row_added() -> None:
    """By definition: once added as a loss, once as a win."""
    p, y = outcomes(60, 1.5, seed=3)
    low, high = venn_abers_intervals(p, y, ASKED)
    for i, asked in enumerate(ASKED):
        added = np.append(p, asked)
        assert low[i] == pytest.approx(fit("isotonic", added, np.append(y, 0.0))([asked])[0], abs=1e-9)
        assert high[i] == pytest.approx(fit("isotonic", added, np.append(y, 1.0))([asked])[0], abs=1e-9)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says which extra to install."""
    monkeypatch.setitem(sys.modules, "venn_abers", None)
    with pytest.raises(ImportError, match="venn-abers"):
        venn_abers_intervals([0.2, 0.8], [0, 1], [0.5])
