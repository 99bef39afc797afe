"""Predictions made public: what may be published, and what a publish is, so that the same one cannot happen twice.

A publish is one prediction (or one set of parlay legs) in one channel at one visibility. Asking for it again gives the
same publish_id and appends nothing; asking with other terms is refused, unless another `idempotency_key` says that it
is meant as another publish.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from eventlog.clock import Clock
from eventlog.log import EventLog
from producers.checked import build, check_market_line, found, tells_arguments
from producers.prices import Price, known_format, read_price
from schemas.events import OFF_FOR_GOOD, EventStatus
from schemas.ids import derived_id
from schemas.odds import OddsFormat, OddsSnapshot, OddsSnapshotCaptured, book_key
from schemas.predictions import Prediction, PredictionMade
from schemas.publishes import Parlay, ParlayLeg, ParlayPublished, PredictionPublished, Publish, TicketTerms

PRODUCER = "publishing_service"
TERMS: Final = ("line", "price", "book", "selection")

Refusal = Literal[
    "UNKNOWN_PREDICTION",
    "EVENT_STARTED",
    "EVENT_OVER",
    "RESULT_KNOWN",
    "TERMS_CONTRADICT_SNAPSHOT",
    "NO_SNAPSHOT",
    "BAD_TERMS",
    "BAD_LEGS",
    "CONFLICT",
]


class PublishRefusedError(ValueError):
    """A publish that must not happen; `code` says why in one word, the message what to do."""

    def __init__(self, code: Refusal, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class EventStart:
    """When an event starts as the calendar has it now, its actual start if it has begun, its status, and whether how it
    ended is on record.
    """

    starts_at: datetime
    started_at: datetime | None = None
    status: EventStatus = "SCHEDULED"
    has_ended: bool = False


Starts = Callable[[str], EventStart | None]
"""The start of an event_id; None for an event that the calendar does not know (yet)."""


@tells_arguments
@dataclass(frozen=True)
class PublishingService:
    """Publishes predictions; the only time that counts is the clock's, so that nothing can be backdated."""

    log: EventLog
    clock: Clock
    starts: Starts

    def publish_prediction(
        self,
        prediction_id: str,
        channel: str,
        visibility: str,
        decision_reason_codes: Sequence[str],
        ticket_terms: Mapping[str, Any],
        copy_template_id: str | None = None,
        *,
        is_official: bool,
        in_play: bool = False,
        idempotency_key: str | None = None,
        odds_format: str | None = None,
    ) -> str:
        """Publish a prediction at the terms offered to the reader.

        `ticket_terms` hold line, price, book and selection (free text). A price is American, decimal or fractional as
        its form tells (-110, 1.91, "10/11"), or as `odds_format` says. Only an official publish is graded.

        Returns:
            The publish_id; the same one when the same publish is asked for again.

        Raises:
            PublishRefusedError: the prediction is not on the log, the event has started (and in_play is not set) or
                will not be played, the terms contradict the snapshot that the prediction names, an official price has
                no snapshot behind it, or the same publish stands with other terms.
            ValueError: an argument is malformed.
        """
        prediction = self._prediction(prediction_id)
        data = build(
            Publish,
            prediction_id=prediction_id,
            channel=channel,
            visibility=visibility,
            decision_reason_codes=_codes(decision_reason_codes),
            ticket_terms=_terms(ticket_terms, odds_format),
            copy_template_id=copy_template_id,
            is_official=is_official,
            in_play=in_play,
        )
        identity = ("publish", prediction_id, data.channel, data.visibility, idempotency_key or "")
        publish = PredictionPublished(
            record_id=derived_id(prediction.occurred_at, *identity),
            event_id=prediction.event_id,
            occurred_at=self.clock.now(),
            producer=PRODUCER,
            correlation_id=prediction.correlation_id,
            causation_id=prediction.record_id,
            data=data,
        )
        return self._publish_once(publish, [(prediction, data.ticket_terms)])

    def publish_parlay(
        self,
        legs: Sequence[Mapping[str, Any]],
        channel: str,
        visibility: str,
        decision_reason_codes: Sequence[str] = (),
        copy_template_id: str | None = None,
        *,
        is_official: bool,
        in_play: bool = False,
        idempotency_key: str | None = None,
        odds_format: str | None = None,
    ) -> str:
        """Publish two or more predictions as one ticket: `legs` hold prediction_id and ticket_terms each.

        Legs may share an event, but not a market of it. Each leg is checked as a single publish is.

        Returns:
            The publish_id; the same one when the same ticket is asked for again, its legs in any order.

        Raises:
            PublishRefusedError: a leg could not be published alone, or two legs exclude or repeat each other.
            ValueError: an argument is malformed.
        """
        read = sorted((_leg(leg, odds_format) for leg in legs), key=lambda leg: leg.prediction_id)
        predictions = [self._prediction(leg.prediction_id) for leg in read]
        _check_legs(predictions)
        data = build(
            Parlay,
            legs=tuple(read),
            channel=channel,
            visibility=visibility,
            decision_reason_codes=_codes(decision_reason_codes),
            copy_template_id=copy_template_id,
            is_official=is_official,
            in_play=in_play,
        )
        ids = [leg.prediction_id for leg in read]
        identity = ("parlay", *ids, data.channel, data.visibility, idempotency_key or "")
        parlay = ParlayPublished(
            record_id=derived_id(max(prediction.occurred_at for prediction in predictions), *identity),
            occurred_at=self.clock.now(),
            producer=PRODUCER,
            data=data,
        )
        terms = [leg.ticket_terms for leg in read]
        return self._publish_once(parlay, list(zip(predictions, terms, strict=True)))

    def _publish_once(
        self, publish: PredictionPublished | ParlayPublished, legs: Sequence[tuple[PredictionMade, TicketTerms]]
    ) -> str:
        # First of all: a publish that is sent again, even after the start, is the one that stands.
        if self.log.find(publish.topic, publish.ref) is None:
            for prediction, terms in legs:
                self._check_start(prediction.event_id, publish)
                self._check_terms(prediction, terms, publish.data.is_official)
            self.log.append([publish])
        stands = found(self.log, type(publish), publish.ref, "the publish")
        if stands.data != publish.data:
            raise PublishRefusedError(
                "CONFLICT",
                f"{publish.ref} stands with other terms ({stands.data.model_dump_json()}): "
                "a publish is never changed; pass another idempotency_key if this is another publish",
            )
        return publish.ref

    def _prediction(self, prediction_id: str) -> PredictionMade:
        try:
            return found(self.log, PredictionMade, prediction_id, "prediction_id")
        except ValueError as error:
            raise PublishRefusedError("UNKNOWN_PREDICTION", str(error)) from error

    def _check_start(self, event_id: str, publish: PredictionPublished | ParlayPublished) -> None:
        start = self.starts(event_id)
        if start is None:
            return
        if start.status in OFF_FOR_GOOD:
            raise PublishRefusedError(
                "EVENT_OVER", f"event {event_id!r} is {start.status}: publish once it is on again"
            )
        if start.has_ended:
            raise PublishRefusedError(
                "RESULT_KNOWN", f"the result of event {event_id!r} is on record: nothing is left to pick"
            )
        began = start.started_at or start.starts_at
        if publish.occurred_at >= began and not publish.data.in_play:
            raise PublishRefusedError(
                "EVENT_STARTED",
                f"event {event_id!r} ({start.status}) started at {began.isoformat()} and it is "
                f"{publish.occurred_at.isoformat()}: pass in_play=True if the pick is meant for the running game",
            )

    def _check_terms(self, prediction: PredictionMade, terms: TicketTerms, is_official: bool) -> None:
        snapshot_id = prediction.data.market_snapshot_id_used
        if snapshot_id is not None:
            snapshot = found(self.log, OddsSnapshotCaptured, snapshot_id, "market_snapshot_id_used")
            _compare(terms, snapshot.data, prediction)
            return
        _check_line(terms, prediction.data)
        if is_official and terms.price is not None:
            raise PublishRefusedError(
                "NO_SNAPSHOT",
                f"prediction {prediction.ref} names no odds snapshot, so nothing backs the price {terms.price}: "
                "publish it without a price, or make the prediction on a captured snapshot",
            )


def _check_line(terms: TicketTerms, predicted: Prediction) -> None:
    """That the terms offered have a line that can be settled, where no snapshot says which it is."""
    try:
        check_market_line(predicted.market_key, predicted.selection, terms.line)
    except ValueError as error:
        raise PublishRefusedError("BAD_TERMS", f"ticket_terms: {error}") from error


def _compare(terms: TicketTerms, seen: OddsSnapshot, prediction: PredictionMade) -> None:
    """That the terms offered are those of the snapshot: same selection, book, line and price."""
    side = (prediction.data.market_key, prediction.data.selection)
    faults = [
        (side != (seen.market_key, seen.selection), "selection", " ".join(side), f"{seen.market_key} {seen.selection}"),
        (terms.book is not None and book_key(terms.book) != book_key(seen.book), "book", terms.book, seen.book),
        (terms.line != seen.line, "line", terms.line, seen.line),
        (not _same_price(terms, seen), "price", terms.price, seen.price),
    ]
    for wrong, name, offered, snapshot_has in faults:
        if wrong:
            raise PublishRefusedError(
                "TERMS_CONTRADICT_SNAPSHOT",
                f"the terms say {name} {offered}, the snapshot that the prediction names says {snapshot_has}: "
                "publish the snapshot's terms, or capture the new odds and make a prediction on them",
            )


def _same_price(terms: TicketTerms, seen: OddsSnapshot) -> bool:
    if terms.price is None or terms.odds_format is None:
        return True
    offered: Price = read_price(terms.price, terms.odds_format)
    return offered.agrees_with(read_price(seen.price, seen.odds_format))


def _terms(given: Mapping[str, Any], odds_format: str | None) -> TicketTerms:
    try:
        unknown = sorted(set(given) - set(TERMS))
        if unknown:
            raise ValueError(f"unknown ticket terms {', '.join(unknown)}; there are {', '.join(TERMS)}")  # noqa: TRY301
        chosen: OddsFormat | None = known_format(odds_format) if odds_format else None
        price = None if given.get("price") is None else read_price(given["price"], chosen)
        return build(
            TicketTerms,
            line=given.get("line"),
            book=given.get("book"),
            selection=given.get("selection"),
            odds_format=price and price.odds_format,
            price=price and price.text,
            price_decimal=price and float(price.decimal),
        )
    except (TypeError, ValueError) as error:
        raise PublishRefusedError("BAD_TERMS", f"ticket_terms: {error}") from error


def _leg(given: Mapping[str, Any], odds_format: str | None) -> ParlayLeg:
    if not isinstance(given, Mapping):
        raise PublishRefusedError("BAD_LEGS", f"a leg holds prediction_id and ticket_terms, it is not {given!r}")
    if set(given) != {"prediction_id", "ticket_terms"}:
        raise PublishRefusedError("BAD_LEGS", f"a leg holds prediction_id and ticket_terms, not {sorted(given)}")
    terms = _terms(given["ticket_terms"], odds_format)
    return build(ParlayLeg, prediction_id=given["prediction_id"], ticket_terms=terms)


def _check_legs(predictions: Sequence[PredictionMade]) -> None:
    if len(predictions) < 2:
        raise PublishRefusedError("BAD_LEGS", "a parlay has two legs or more: use publish_prediction for one")
    markets = [_market_of(prediction) for prediction in predictions]
    for market in markets:
        if markets.count(market) > 1:
            raise PublishRefusedError(
                "BAD_LEGS", f"two legs are on {' '.join(market)}: they repeat or exclude each other; keep one"
            )


def _market_of(prediction: PredictionMade) -> tuple[str, str, str]:
    """Event, market, and the player or team that a prop or a team total is about."""
    selection = prediction.data.selection
    team = selection.partition("_")[0] if "_" in selection else ""
    return prediction.event_id, prediction.data.market_key, selection.partition(":")[2] or team


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ValueError(f"decision_reason_codes is the text {given!r}: pass a list")  # noqa: TRY004 - one kind of error
    return tuple(given)
