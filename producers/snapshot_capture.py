"""What providers said, put on record as it was seen: odds, injuries, and the raw payloads that both came from."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from eventlog.clock import Clock
from eventlog.log import EventLog
from grading.quantity import plain
from producers.checked import build, check_market_line, check_selection, check_time, tells_arguments
from producers.odds_api import Game, Quote, Refusal, prices_by_market, read
from producers.prices import Price, known_format, payload_format, read_price
from schemas.ids import derived_id
from schemas.injuries import InjurySnapshot, InjurySnapshotCaptured, PlayerStatus
from schemas.odds import OddsSnapshot, OddsSnapshotCaptured
from schemas.raw_payloads import RawPayload, RawPayloadCaptured
from schemas.record import Payload, Record
from schemas.rejections import InputRejected, Rejection
from schemas.requests import RetentionApplied, RetentionRequest, RetentionRequested

PRODUCER = "snapshot_capture"

R = TypeVar("R", bound=Record)

Teams = Callable[[str], tuple[str, str] | None]
"""Home and away of an event_id, as the calendar knows them; None for an event that it does not know."""

Ask = Callable[[RetentionRequested, type[RetentionApplied]], RetentionApplied]
"""Puts a request on record, and waits for the record of that kind whose causation_id it is."""


@tells_arguments
@dataclass(frozen=True)
class SnapshotCapture:
    """Captures odds and injury reports.

    The id of a snapshot is made of what was seen and when: a capture that is sent again adds nothing.
    """

    log: EventLog
    clock: Clock
    teams: Teams | None = None
    ask: Ask | None = None

    def capture_bulk_odds_snapshots(
        self,
        event_id: str,
        bookmaker_data: Sequence[Any],
        provider: str,
        captured_at: datetime | None = None,
        *,
        home_team: str | None = None,
        away_team: str | None = None,
        sport_key: str = "",
        odds_format: str | None = None,
        capture_id: str | None = None,
        source: str = "bookmakers",
    ) -> list[str]:
        """Put a whole `bookmakers` list of The Odds API v4 on record: one raw payload, one snapshot an outcome.

        Outcomes that cannot become a snapshot become an InputRejected each, so that none is lost. All snapshots share
        one capture_id, by default the raw payload's. `home_team` and `away_team` are the provider's names, by default
        those of the calendar. `sport_key` is the provider's: "soccer_epl" makes spreads Asian handicaps, and
        prices those of regulation time.

        Returns:
            The ids of the snapshots, in the payload's order.

        Raises:
            ValueError: the payload is no list or not of JSON, the odds format cannot be told, one team is named without
                the other, or captured_at is naive or in the future. Nothing is on record then.
        """
        if not isinstance(bookmaker_data, list | tuple):
            raise ValueError(  # noqa: TRY004 - callers get one kind of error
                f"bookmaker_data is a {type(bookmaker_data).__name__}, not a list: pass response['bookmakers']"
            )
        if any(isinstance(entry, Mapping) and "bookmakers" in entry for entry in bookmaker_data):
            raise ValueError("bookmaker_data is a list of games: pass each game's ['bookmakers'] with its own event_id")
        game = self._game(event_id, home_team, away_team, sport_key)
        chosen = known_format(odds_format) if odds_format else payload_format(prices_by_market(bookmaker_data))
        raw = captured_payload(event_id, provider, source, bookmaker_data, self._seen_at(captured_at))
        capture = capture_id or raw.ref
        seen = [seen_odds(entry, raw, capture) for entry in read(bookmaker_data, game, chosen)]
        self.log.append([raw, *seen])
        return [record.ref for record in seen if isinstance(record, OddsSnapshotCaptured)]

    def capture_odds_snapshot(
        self,
        event_id: str,
        provider: str,
        book: str,
        market_key: str,
        selection: str,
        line: float | None = None,
        price_american: int | str | None = None,
        price_decimal: float | str | Decimal | None = None,
        price_fractional: str | None = None,
        *,
        raw_payload: Any,
        captured_at: datetime | None = None,
        capture_id: str | None = None,
        raw_path: str | None = None,
        source: str = "odds",
    ) -> str:
        """Put one price on record, in exactly one odds format, with the payload that it came in.

        `line` is the selection's own signed handicap, or the total. The sides of one look at a market share a
        `capture_id`, so that they can be a close together; by default calls with the same payload and captured_at do.

        Returns:
            The snapshot's id.

        Raises:
            ValueError: says which argument is wrong, and what to pass.
        """
        price = _one_price(american=price_american, decimal=price_decimal, fractional=price_fractional)
        _check_side(market_key, selection)
        check_market_line(market_key, selection, line)
        raw = captured_payload(event_id, provider, source, raw_payload, self._seen_at(captured_at))
        data = build(
            OddsSnapshot,
            provider=provider,
            book=book,
            market_key=market_key,
            selection=selection,
            line=line,
            odds_format=price.odds_format,
            price=price.text,
            price_decimal=float(price.decimal),
            capture_id=capture_id or raw.ref,
            raw_payload_id=raw.ref,
            raw_path=raw_path,
        )
        snapshot = from_raw(OddsSnapshotCaptured, raw, data)
        self.log.append([raw, snapshot])
        return snapshot.ref

    def capture_injury_snapshot(
        self,
        team: str,
        league: str,
        provider: str,
        players: Iterable[Mapping[str, Any] | PlayerStatus],
        raw_payload: Any,
        event_id: str | None = None,
        *,
        complete: bool = True,
        captured_at: datetime | None = None,
        raw_path: str | None = None,
        source: str = "injuries",
    ) -> str:
        """Put one team's injury report on record.

        `players` hold player, status, and where known position, chance_of_playing (0 to 1), expected_return, comment.
        `complete`: whoever is missing from the report is fit; otherwise it holds only those who changed.

        Returns:
            The snapshot's id.

        Raises:
            ValueError: says which argument is wrong.
        """
        statuses = tuple(entry if isinstance(entry, PlayerStatus) else player_status(entry) for entry in players)
        raw = captured_payload(event_id, provider, source, raw_payload, self._seen_at(captured_at))
        data = build(
            InjurySnapshot,
            provider=provider,
            league=league,
            team=team,
            complete=complete,
            players=statuses,
            raw_payload_id=raw.ref,
            raw_path=raw_path,
        )
        snapshot = from_raw(InjurySnapshotCaptured, raw, data)
        self.log.append([raw, snapshot])
        return snapshot.ref

    def cleanup_old_snapshots(
        self, retention_days: int = 180, keep_closing_lines: bool = True, *, requested_by: str = PRODUCER
    ) -> int:
        """Ask the owner to take odds older than `retention_days` out of the views, and wait until it has.

        Snapshots that something cites stay in any case. The log itself loses nothing.

        Returns:
            How many snapshots were removed.

        Raises:
            ValueError: retention_days is below 1, or this service was made without `ask`.
        """
        if self.ask is None:
            raise ValueError("this snapshot service cannot ask for it: make it with `ask`, which waits for the answer")
        data = build(
            RetentionRequest,
            retention_days=retention_days,
            keep_closing_lines=keep_closing_lines,
            requested_by=requested_by,
        )
        request = RetentionRequested(occurred_at=self.clock.now(), producer=PRODUCER, data=data)
        return self.ask(request, RetentionApplied).data.removed

    def _seen_at(self, captured_at: datetime | None) -> datetime:
        now = self.clock.now()
        return now if captured_at is None else check_time(captured_at, now, "captured_at")

    def _game(self, event_id: str, home: str | None, away: str | None, sport_key: str) -> Game:
        if (home is None) != (away is None):
            raise ValueError("home_team and away_team go together: pass both or neither")
        if home is None and self.teams is not None:
            home, away = self.teams(event_id) or (None, None)
        return Game(home, away, sport_key)


def captured_payload(
    event_id: str | None, provider: str, source: str, payload: Any, at: datetime
) -> RawPayloadCaptured:
    """What a provider said, whole: text as it came, bytes as UTF-8, anything else as JSON.

    Raises:
        ValueError: it cannot be written as JSON, or is bytes of no text.
    """
    if isinstance(payload, bytes):
        payload = _as_text(payload)
    is_text = isinstance(payload, str)
    content = payload if is_text else _as_json(payload)
    digest = hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()
    data = build(
        RawPayload,
        provider=provider,
        source=source,
        content_type="text/plain" if is_text and not _is_json(content) else "application/json",
        content=content,
        sha256=digest,
    )
    return build(
        RawPayloadCaptured,
        record_id=derived_id(at, "raw_payload", event_id or "", provider, source, digest),
        event_id=event_id,
        occurred_at=at,
        producer=PRODUCER,
        data=data,
    )


def seen_odds(entry: Quote | Refusal, raw: RawPayloadCaptured, capture_id: str, event_id: str | None = None) -> Record:
    """A quote as a snapshot; a refusal, or a quote that the record itself refuses, as a rejection.

    `event_id` is for a payload that speaks of several events.
    """
    if isinstance(entry, Refusal):
        return rejected(entry, raw, event_id)
    try:
        data = build(
            OddsSnapshot,
            provider=raw.data.provider,
            capture_id=capture_id,
            raw_payload_id=raw.ref,
            raw_path=entry.path,
            book=entry.book,
            market_key=entry.market_key,
            selection=entry.selection,
            line=entry.line,
            label=entry.label,
            odds_format=entry.price.odds_format,
            price=entry.price.text,
            price_decimal=float(entry.price.decimal),
        )
        return from_raw(OddsSnapshotCaptured, raw, data, event_id)
    except ValueError as error:
        raw_quote = json.dumps(asdict(entry), default=str)
        return rejected(Refusal(entry.path, "outcomes", str(error), raw_quote), raw, event_id)


def rejected(refusal: Refusal, raw: RawPayloadCaptured, event_id: str | None = None) -> InputRejected:
    """What of a payload could not become a record."""
    data = Rejection(
        source=f"{raw.data.provider} {raw.data.source} {raw.ref}",
        location=refusal.path,
        kind="CELL",
        column=refusal.column,
        reason=refusal.reason,
        raw=refusal.raw,
    )
    return from_raw(InputRejected, raw, data, event_id)


def from_raw(kind: type[R], raw: RawPayloadCaptured, data: Payload, event_id: str | None = None) -> R:
    """A record of something seen in a raw payload, at its time; the same data gives the same id."""
    identity = (kind.__name__, raw.ref, data.model_dump_json())
    return build(
        kind,
        record_id=derived_id(raw.occurred_at, *identity),
        event_id=event_id or raw.event_id,
        occurred_at=raw.occurred_at,
        producer=PRODUCER,
        correlation_id=raw.record_id,
        causation_id=raw.record_id,
        data=data,
    )


def _one_price(**prices: object) -> Price:
    given = {odds_format: price for odds_format, price in prices.items() if price is not None}
    if len(given) != 1:
        names = ", ".join(f"price_{odds_format}" for odds_format in prices)
        raise ValueError(f"pass exactly one of {names}; {len(given)} are given")
    ((odds_format, price),) = given.items()
    return read_price(price, known_format(odds_format))


def _check_side(market_key: str, selection: str) -> None:
    try:
        check_selection(market_key, selection)
    except ValueError as error:
        if not str(error).startswith("selection:"):
            raise
        raise ValueError(f"{error}; a selection is a side such as HOME or OVER, never a team's name") from error


def player_status(entry: Mapping[str, Any]) -> PlayerStatus:
    """One player of a report; a wrong field is a ValueError."""
    try:
        return build(PlayerStatus, **entry)
    except (TypeError, ValueError) as error:
        raise ValueError(f"players: {entry!r}: {error}") from error


def _as_text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"raw_payload is bytes that are no UTF-8 ({error}): pass response.text") from error


def _as_json(payload: Any) -> str:
    try:
        return json.dumps(payload, default=_json_value)
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"raw_payload cannot be written as JSON: {error}; pass response.json() or response.text"
        ) from error


def _json_value(value: object) -> object:
    """What callers put into parsed JSON; the text of any other object would say nothing of what the provider said."""
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if (number := plain(value)) is not value:
        return number
    raise TypeError(f"it holds an object ({type(value).__name__})")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
