"""Picks of replayed history, two to a game if nothing else is said, with the grades that a calibrator learns from."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from grading.scores import Floats, brier, log_loss
from schemas.events import EventScheduled
from schemas.gradings import PredictionGraded
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished, TicketTerms
from schemas.record import Record
from tests.records import make

HOUR = timedelta(hours=1)
VERSION = "v_20240501_000000"
"""What the calibrated ones say that they went through."""


def picks(
    p: Floats,
    served: Sequence[float | None],
    y: Sequence[float | None],
    at: datetime,
    first: int = 0,
    every: timedelta = timedelta(),
    league: str = "NBA",
    to_a_game: int = 2,
) -> list[Record]:
    """A pick per row: raw p, p as calibrated if it was, 1 or 0 if there is a grade; game upon game from a time on."""
    rows = zip(p.tolist(), served, y, strict=True)
    return [
        record
        for i, row in enumerate(rows)
        for record in _pick(first + i, *row, at + i // to_a_game * every, league, to_a_game)
    ]


def _pick(
    number: int, p: float, served: float | None, won: float | None, at: datetime, league: str, to_a_game: int
) -> Iterator[Record]:
    event = f"{league}-{number // to_a_game}-A-B-1"
    if number % to_a_game == 0:
        yield make(EventScheduled, event, at - 2 * HOUR, number=number, origin="BACKFILL", league=league, starts_at=at)
    prediction = make(
        PredictionMade,
        event,
        at - 2 * HOUR,
        number=number,
        origin="BACKFILL",
        market_snapshot_id_used=None,
        p_cover=p,
        p_cover_calibrated=served,
        calibration_version_applied=None if served is None else VERSION,
    )
    yield prediction
    publish = make(
        PredictionPublished,
        event,
        at - HOUR,
        number=number,
        origin="BACKFILL",
        prediction_id=prediction.ref,
        ticket_terms=TicketTerms(selection="home"),  # no snapshot was used, so that there is no price
    )
    yield publish
    if won is not None:
        yield grade(number, publish, p, served, won, at + HOUR)


def grade(
    number: int,
    publish: PredictionPublished,
    p: float,
    served: float | None,
    won: float,
    at: datetime,
    revision: int = 0,
) -> PredictionGraded:
    """The grade of the pick with this number that won or lost; a revision corrects it."""
    scores: dict[str, Any] = {"brier": brier([p], [won]), "log_loss": log_loss([p], [won])}
    if served is not None:
        scores |= {"brier_calibrated": brier([served], [won]), "log_loss_calibrated": log_loss([served], [won])}
    said = "WIN" if won else "LOSS"
    return make(
        PredictionGraded,
        publish.event_id,
        at,
        number=number + 1_000_000 * revision,
        origin="BACKFILL",
        publish_id=publish.ref,
        outcome=said,
        summary=said,
        revision=revision,
        **scores,
    )
