"""What the forecaster learns from: games that were played, and nothing else."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import pytest

from eventlog.clock import ManualClock
from eventlog.sqlite import SqliteLog
from onrecord.forecasting import Forecaster
from schemas.events import EventRescheduled, EventScheduled, EventStatusChanged, ResultRecorded
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished
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


def next_forecast(between: Sequence[Record] = (), forecaster: Forecaster | None = None) -> list[PredictionMade]:
    """What is said of the next game, after two that were played, with something between them."""
    forecaster, at = forecaster or Forecaster(), NOON + 4 * DAY
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


def changed(*told: str) -> list[Record]:
    """The 3-0, told to have ended after what happened to it before: each a status, or MOVED for a new date."""
    scheduled, result = game(BETWEEN, 2, (3, 0))
    changes: list[Record] = []
    for hours, word in enumerate(told, start=1):
        at = scheduled.occurred_at + timedelta(hours=hours)
        moved = make(EventRescheduled, BETWEEN, at, starts_at=result.occurred_at)
        changes.append(moved if word == "MOVED" else make(EventStatusChanged, BETWEEN, at, status=word))
    return [scheduled, *changes, result]


@pytest.mark.parametrize(
    "told",
    [
        ("POSTPONED",),
        ("POSTPONED", "MOVED"),
        ("CANCELLED", "MOVED"),
        ("ABANDONED", "MOVED"),
        ("CANCELLED", "SCHEDULED"),
        ("AWARDED", "SCHEDULED"),
    ],
)
def test_a_match_that_was_put_off_and_played_feeds_the_ratings(told: tuple[str, ...]) -> None:
    """Given the same 3-0 after a new date, or a word that it is on again, then it is learnt as any other."""
    assert next_forecast(game(BETWEEN, 2, (3, 0))) == next_forecast(changed(*told))


@pytest.mark.parametrize(
    "told", [("CANCELLED",), ("ABANDONED",), ("MOVED", "CANCELLED"), ("POSTPONED", "AWARDED"), ("AWARDED", "MOVED")]
)
def test_a_match_that_was_not_played_in_the_end_feeds_no_rating(told: tuple[str, ...]) -> None:
    """Given a score all the same, the next forecast is exactly the one without it; an award outlasts a new date."""
    assert next_forecast() == next_forecast(changed(*told))


def test_a_new_date_that_is_on_record_is_heard_of() -> None:
    """Given the game on record before the import, cancelled and moved, then its result is learnt at its time."""
    forecaster = Forecaster()
    with closing(SqliteLog(":memory:", ManualClock(NOON + 4 * DAY))) as log:
        log.append([record.model_copy(update={"origin": "BACKFILL"}) for record in changed("CANCELLED", "MOVED")])
        forecaster.begin(log)

        assert next_forecast(game(BETWEEN, 2, (3, 0))) == next_forecast(forecaster=forecaster)


@pytest.mark.parametrize(("hours", "said"), [(1, 1), (-2, 0)], ids=["put back", "brought forward"])
def test_a_game_is_forecast_until_its_new_start(hours: int, said: int) -> None:
    """Given a game moved before its first prices came, then they count by the start that it has now."""
    start = NOON + 5 * DAY
    moved = make(EventRescheduled, NEXT, NOON, starts_at=start + timedelta(hours=hours))
    first = make(EventScheduled, NEXT, NOON - DAY, starts_at=start)
    at = start if hours > 0 else start - timedelta(hours=1)
    price = make(OddsSnapshotCaptured, NEXT, at, market_key="MONEYLINE_3WAY:REGULATION", selection="HOME", line=None)
    forecaster = Forecaster()
    for records in (game(FIRST, 1, (1, 1)), [first, moved]):
        forecaster.follow(records)

    made = forecaster.follow([price])

    assert said == len([record for record in made if isinstance(record, PredictionMade)])


def test_a_played_match_feeds_the_ratings() -> None:
    """Given the same 3-0, but played, then the next forecast is another: the home side is likelier to win."""
    [without], [after] = next_forecast(), next_forecast(game(BETWEEN, 2, (3, 0)))

    assert without.data.p_cover < after.data.p_cover


def offer(
    selection: str, price: float, book: str = "pinnacle", early: timedelta = DAY, number: int = 0
) -> OddsSnapshotCaptured:
    """A price of the next game's winner, seen so long before its start."""
    return make(
        OddsSnapshotCaptured,
        NEXT,
        NOON + DAY - early,
        number=number,
        market_key="MONEYLINE_3WAY:REGULATION",
        selection=selection,
        line=None,
        price=str(price),
        price_decimal=price,
        book=book,
    )


def even(prediction: PredictionMade, _league: str) -> PredictionMade:
    """Serve one half, so that the price alone makes the edge: one of 2.1 has .05."""
    return prediction.model_copy(update={"data": prediction.data.model_copy(update={"p_cover_calibrated": 0.5})})


def published(*prices: OddsSnapshotCaptured) -> list[tuple[str, float | None]]:
    """The book and the price of what is published on a look at the next game."""
    forecaster = Forecaster()
    with closing(SqliteLog(":memory:")) as log:
        forecaster.begin(log, serve=even)
        made = forecaster.follow([make(EventScheduled, NEXT, NOON - DAY, starts_at=NOON + DAY), *prices])
    picks = [record.data.ticket_terms for record in made if isinstance(record, PredictionPublished)]
    return [(str(terms.book), terms.price_decimal) for terms in picks]


@pytest.mark.parametrize("prices", [(2.2, 2.4), (2.4, 2.2)], ids=str)
def test_of_two_edges_in_one_market_the_better_one_is_published(prices: tuple[float, float]) -> None:
    """Given an edge on home and on away, then one pick, whichever stands first."""
    home, away = prices

    assert published(offer("HOME", home), offer("AWAY", away, number=1)) == [("pinnacle", 2.4)]


@pytest.mark.parametrize(
    ("price", "picks"), [(2.058, 0), (2.062, 1), (8.0, 1), (8.01, 0)], ids=["EV .029", "EV .031", "8", "above 8"]
)
def test_an_edge_is_published_from_three_percent_on_and_at_no_long_shot(price: float, picks: int) -> None:
    """Given one half as the chance, then the price alone decides."""
    assert len(published(offer("HOME", price))) == picks


@pytest.mark.parametrize(
    ("books", "chosen"),
    [
        (("bet365", "pinnacle"), "pinnacle"),
        (("market_average", "bet365"), "bet365"),
        (("betway", "market_average"), "market_average"),
        (("william_hill", "betway"), "betway"),
    ],
    ids=str,
)
def test_the_price_is_that_of_the_first_book_in_the_order(books: tuple[str, str], chosen: str) -> None:
    """Given an edge at two books, then that of the first is published, better or not; of others the first by name."""
    looks = [offer("HOME", 2.2 + n / 10, book, number=n) for n, book in enumerate(books)]

    assert [book for book, _ in published(*looks)] == [chosen]


@pytest.mark.parametrize(("early", "picks"), [(timedelta(0), 0), (timedelta(microseconds=1), 1)])
def test_a_look_at_the_very_start_is_too_late(early: timedelta, picks: int) -> None:
    """Given a price at the start itself, then nothing is published on it; a moment before it is."""
    assert len(published(offer("HOME", 2.2, early=early))) == picks
