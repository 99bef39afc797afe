"""The intervals beside units and win rates take the picks of one event together: by hand, and against the bootstrap."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from math import sqrt
from typing import Any

import numpy as np
import pytest

from grading import bootstrap
from projections.store import Store
from schemas.events import EventScheduled
from schemas.gradings import PredictionGraded
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished, TicketTerms
from schemas.record import Record
from tests.calibrated_picks import HOUR
from tests.projections.conftest import Given, When
from tests.records import NOON, make


def _games(returns: Sequence[Sequence[float]], at: datetime = NOON, p: float = 0.55) -> list[Record]:
    """A game for every sequence, with a graded pick at p for every unit return in it."""
    records: list[Record] = []
    numbers = count()
    for game, units in enumerate(returns):
        event = f"NBA-{game}-A-B-1"
        records.append(make(EventScheduled, event, at - 2 * HOUR, number=game, origin="BACKFILL", starts_at=at))
        for unit_return in units:
            records += _pick(event, next(numbers), unit_return, at, p)
    return records


def _pick(event: str, number: int, unit_return: float, at: datetime, p: float) -> list[Record]:
    before: dict[str, Any] = {"number": number, "origin": "BACKFILL"}
    made = make(PredictionMade, event, at - 2 * HOUR, market_snapshot_id_used=None, p_cover=p, **before)
    terms = TicketTerms(selection="home")  # no snapshot was used, so that there is no price
    publish = make(PredictionPublished, event, at - HOUR, prediction_id=made.ref, ticket_terms=terms, **before)
    said = "VOID" if unit_return == 0 else "WIN" if unit_return > 0 else "LOSS"
    score = 0.2 if unit_return else None
    grade: dict[str, Any] = {"outcome": said, "summary": said, "unit_return": str(unit_return)}
    return [made, publish, make(PredictionGraded, event, at, publish_id=publish.ref, brier=score, **grade, **before)]


def test_the_margin_of_a_return_takes_the_picks_of_one_event_together(
    given: Given, when_folded: When, store: Store
) -> None:
    """Units 2, -1 and 0 of 2, 1 and 2 picks: ROI 1/5, residuals 8/5, -6/5 and -2/5; a void is no pick of them."""
    given(*_games([[1, 1], [-1, 0], [1, -1]]))

    when_folded()

    [row] = store.query("performance").to_pylist()
    margin = 1.96 * sqrt(3 / 2 * (64 + 36 + 4) / 25) / 5
    assert (row["roi"], row["roi_margin_95"]) == (pytest.approx(0.2), pytest.approx(margin, rel=1e-12))
    assert (row["picks"], row["priced"], row["events"]) == (6, 5, 3)


@pytest.mark.parametrize("returns", [[[-1, 1]], [[0.91], [0.91, 0.91]]], ids=["one event", "all alike"])
def test_where_nothing_is_known_of_the_spread_there_is_no_margin(
    returns: list[list[float]], given: Given, when_folded: When, store: Store
) -> None:
    """Never one of no width."""
    given(*_games(returns))

    when_folded()

    [row] = store.query("performance").to_pylist()
    assert (row["events"], row["roi_margin_95"]) == (len(returns), None)


def test_the_margin_agrees_with_the_bootstrap_by_event(given: Given, when_folded: When, store: Store) -> None:
    """Three like picks on each of 300 games: where picks were independent it would be 1.7 times narrower."""
    won = np.random.default_rng(7).random(300) < 0.5
    returns = np.repeat(np.where(won, 0.91, -1.0), 3)
    given(*_games(returns.reshape(300, 3).tolist()))

    when_folded()

    [row] = store.query("performance").to_pylist()
    interval = bootstrap.roi(returns, np.repeat(np.arange(300), 3), resamples=20_000).roi
    assert pytest.approx((interval.high - interval.low) / 2, rel=0.03) == row["roi_margin_95"]


def test_reliability_counts_like_picks_of_one_event_as_fewer(given: Given, when_folded: When, store: Store) -> None:
    """Two events of one pick and two of two: worth 36 / 10 picks, of which half won."""
    given(*_games([[1], [-1], [1, 1], [-1, -1]]))

    when_folded()

    [row] = store.query("reliability").to_pylist()
    pull = 1.96**2 / 3.6
    reach = sqrt(pull / 4 + pull**2 / 4) / (1 + pull)
    assert (row["n"], row["events"]) == (6, 4)
    assert (row["win_rate_low"], row["win_rate_high"]) == pytest.approx((0.5 - reach, 0.5 + reach))


@pytest.mark.parametrize(("p", "held"), [(0.0, 1), (0.1, 1), (0.6, 6), (0.61, 7), (1.0, 10)])
def test_a_bin_of_reliability_holds_its_upper_end(
    p: float, held: int, given: Given, when_folded: When, store: Store
) -> None:
    """As the bins of the calibration error do: .6 lies in the sixth of ten; the first holds 0, too."""
    given(*_games([[1]], p=p))

    when_folded()

    assert store.query("reliability")["bin"].to_pylist() == [held]


@pytest.mark.parametrize(("p", "bins", "held"), [(0.28, 25, 7), (0.14, 50, 7), (0.07, 100, 7), (0.55, 100, 55)])
def test_an_upper_end_is_that_of_the_number_as_it_is_written(
    p: float, bins: int, held: int, given: Given, when_folded: When, store: Store
) -> None:
    """.28 times 25 is 7, though not in floats."""
    given(*_games([[1]], p=p))

    when_folded()

    assert store.query("reliability", {"bins": bins})["bin"].to_pylist() == [held]
