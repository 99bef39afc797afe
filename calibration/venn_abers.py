"""Venn-Abers intervals: a pair of probabilities instead of one. Needs the extra `venn-abers`."""

import numpy as np
from numpy.typing import ArrayLike

from grading.scores import Floats, as_probabilities, checked


def venn_abers_intervals(p: ArrayLike, y: ArrayLike, asked: ArrayLike) -> tuple[Floats, Floats]:
    """Return lower and upper probability for each asked p, learned from the rows p, y by isotonic fits.

    The pair comes from adding the asked forecast once as a loss and once as a win; its width says how much the data
    know. Source: Vovk, Petej, Fedorova, NeurIPS 2015. ImportError where the extra is not installed.
    """
    try:
        from venn_abers import VennAbers
    except ImportError as error:
        raise ImportError("Venn-Abers intervals need the extra: pip install 'onrecord[venn-abers]'") from error
    probabilities, outcomes = checked(p, y)
    queried = as_probabilities(asked, "asked")
    model = VennAbers()
    model.fit(np.column_stack([1 - probabilities, probabilities]), outcomes.astype(np.int64))
    pair = model.predict_proba(np.column_stack([1 - queried, queried]))[1]
    return np.asarray(pair[:, 0], dtype=np.float64), np.asarray(pair[:, 1], dtype=np.float64)
