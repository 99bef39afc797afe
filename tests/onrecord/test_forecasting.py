"""What the forecaster learns from: games that were played, and nothing else."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from onrecord.forecasting import Forecaster
from schemas.events import EventScheduled, EventStatusChanged, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.record import Record
from tests.records import NOON, make

DAY = timedelta(days=1)
FIRST, BETWEEN, SECOND, NEXT = (f"EPL-2024-04-0{day}-ARS-CHE-1" for day in range(1, 5))
AWARDS = {
    "as the importer tells it": ("AWARDED", "AWARDED"),
    "by the event's status alone": ("AWARDED", "FINAL"),
    "by the result alone": (None, "AWARDED"),
}
"""How an award may be told: the event's status and the result's."""


def game(
    event_id: str, day: int, score: tuple[int, int], event_status: str | None = None, result_status: str = "FINAL"
) -> list[Record]:
    """A game's records: scheduled, its status where one is told, and how it ended."""
    at, (home, away) = NOON + day * DAY, score
    told = [make(EventStatusChanged, event_id, at, status=event_status)] if event_status else []
    result = make(ResultRecorded, event_id, at, status=result_status, home=home, away=away, periods=())
    return [make(EventScheduled, event_id, at - DAY / 2, starts_at=at), *told, result]


def next_forecast(between: Sequence[Record] = ()) -> list[PredictionMade]:
    """What is said of the next game, after two that were played, with something between them."""
    forecaster, at = Forecaster(), NOON + 4 * DAY
    for records in (game(FIRST, 1, (1, 1)), between, game(SECOND, 3, (0, 2))):
        forecaster.follow(records)
    price = make(OddsSnapshotCaptured, NEXT, at, market_key="MONEYLINE_3WAY:REGULATION", selection="HOME", line=None)
    made = forecaster.follow([make(EventScheduled, NEXT, at, starts_at=at + DAY), price])
    return [record for record in made if isinstance(record, PredictionMade)]


@pytest.mark.parametrize("award", AWARDS)
def test_an_awarded_match_feeds_no_rating(award: str) -> None:
    """Given an awarded 3-0 between two played games, then the next forecast is exactly the one without it."""
    [without] = next_forecast()

    assert [without] == next_forecast(game(BETWEEN, 2, (3, 0), *AWARDS[award]))


def test_a_played_match_feeds_the_ratings() -> None:
    """Given the same 3-0, but played, then the next forecast is another: the home side is likelier to win."""
    [without], [after] = next_forecast(), next_forecast(game(BETWEEN, 2, (3, 0)))

    assert without.data.p_cover < after.data.p_cover
