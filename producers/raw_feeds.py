"""Raw feeds: whole answers of providers become snapshots, by one handler under every host.

Each id is made of what was read and when it was captured: an answer that is handled twice has one effect. Nothing is
raised and nothing is lost: what cannot be read is on record as a raw payload with an InputRejected.

odds-raw: an answer of The Odds API v4, a list of games or one game (`producers.odds_api` has the shape of its
bookmakers). injuries-raw: one report or a list of them, each with `league`, `team` and `players` (the fields of
`schemas.injuries.PlayerStatus`), and where known `complete`.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from types import MappingProxyType
from typing import Any

from producers import odds_api
from producers.checked import build
from producers.event_identity import League, event_id, league, local_date, opponents, team
from producers.prices import payload_format
from producers.publishing_service import EventStart, Starts
from producers.snapshot_capture import captured_payload, from_raw, player_status, rejected, seen_odds
from schemas.events import EventRescheduled, EventScheduled, Reschedule, Schedule
from schemas.injuries import InjurySnapshot, InjurySnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record

ODDS, INJURIES = "odds-raw", "injuries-raw"
FEEDS = (ODDS, INJURIES)
LARGEST_BYTES = 8_000_000
"""As a rule it fits into one record, escaped; what does not is left out, too."""
_LARGEST_RECORD = 16_777_216
_ENVELOPE_BYTES = 1_000
_MOST_A_BYTE = 16
"""More than a byte of an answer takes in a record, escaped twice and told twice."""
GAMES_A_DAY = 3
"""So many games of two teams on one day are told apart by their starts."""
_REQUIRED = ("sport_key", "commence_time", "home_team", "away_team")


@dataclass(frozen=True)
class RawAnswer:
    """What a provider answered, and when; `content` is as it came."""

    feed: str
    provider: str
    captured_at: datetime
    content: bytes


@dataclass(frozen=True)
class RawFeeds:
    """The handler; `starts` is the calendar, which tells two games of a day apart and knows which games are new.

    `largest_record`: so many bytes the log takes as one.
    """

    starts: Starts
    largest_record: int = _LARGEST_RECORD

    def records_of(self, answers: Iterable[RawAnswer]) -> list[Record]:
        """The records of several answers; a game that one of them schedules is known to the next."""
        found: list[Record] = []
        fresh: dict[str, EventStart] = {}
        together = replace(self, starts=lambda event: fresh.get(event) or self.starts(event))
        for answer in answers:
            said = together.records(answer)
            for record in said:
                if isinstance(record, EventScheduled | EventRescheduled):
                    fresh[record.event_id] = EventStart(record.data.starts_at)
            found += said
        return found

    def records(self, answer: RawAnswer) -> list[Record]:
        """The raw payload, and what it says, or why it says nothing."""
        answer = replace(answer, provider=answer.provider.strip() or "unknown")
        if len(answer.content) > LARGEST_BYTES:
            return _left_out(answer, f"more than {LARGEST_BYTES}")
        said = self._said(answer)
        if len(answer.content) * _MOST_A_BYTE > self.largest_record and not all(map(self._fits, said)):
            return _left_out(answer, f"which takes a record of more than {self.largest_record}")
        return said

    def _fits(self, record: Record) -> bool:
        return len(record.model_dump_json().encode()) + _ENVELOPE_BYTES <= self.largest_record

    def _said(self, answer: RawAnswer) -> list[Record]:
        try:
            text = answer.content.decode()
        except UnicodeDecodeError as error:
            content = base64.b64encode(answer.content).decode()
            raw = captured_payload(None, answer.provider, answer.feed, content, answer.captured_at)
            return [raw, _refused(raw, "", f"not UTF-8 ({error.reason}); the content is its base64")]
        raw = captured_payload(None, answer.provider, answer.feed, text, answer.captured_at)
        try:
            payload = json.loads(text)
            said = list(_READERS[answer.feed](self.starts, raw, payload if isinstance(payload, list) else [payload]))
        except Exception as error:
            return [raw, _refused(raw, "", f"{type(error).__name__}: {error}")]
        return [raw, *said]


def _left_out(answer: RawAnswer, why: str) -> list[Record]:
    size = f"{len(answer.content)} bytes, {why}"
    raw = captured_payload(None, answer.provider, answer.feed, f"left out: {size}", answer.captured_at)
    return [raw, _refused(raw, "", f"the answer has {size}: ask the provider for less at a time")]


def _refused(raw: RawPayloadCaptured, path: str, reason: str) -> Record:
    return rejected(odds_api.Refusal(path or "/", "payload", reason or "unreadable", ""), raw)


@dataclass(frozen=True)
class _Pairing:
    """One game of an answer, with its place in it."""

    place: int
    of: League
    home: str
    away: str
    starts_at: datetime

    def event_id(self, number: int) -> str:
        return event_id(self.of, local_date(self.of, self.starts_at), self.home, self.away, number)


def _odds(starts: Starts, raw: RawPayloadCaptured, games: Sequence[Any]) -> Iterator[Record]:
    readable: list[tuple[_Pairing, list[Any]]] = []
    for place, game in enumerate(games):
        try:
            readable.append((_pairing(place, game), _bookmakers(game)))
        except (AttributeError, ValueError) as error:
            yield _refused(raw, f"/{place}", str(error))
    if not readable:
        return
    markets = [market for _, bookmakers in readable for market in odds_api.prices_by_market(bookmakers)]
    odds_format = payload_format(markets) if markets else "decimal"
    numbers = _numbers(starts, [pairing for pairing, _ in readable])
    for pairing, bookmakers in readable:
        name = pairing.event_id(numbers[pairing.place])
        yield from _calendar(starts(name), raw, pairing, name, numbers[pairing.place])
        playing = odds_api.Game(pairing.home, pairing.away, games[pairing.place]["sport_key"])
        for entry in odds_api.read(bookmakers, playing, odds_format):
            whole = replace(entry, path=f"/{pairing.place}/bookmakers{entry.path}")
            yield seen_odds(whole, raw, raw.ref, name)


def _pairing(place: int, game: Mapping[str, Any]) -> _Pairing:
    said = {key: game.get(key) for key in _REQUIRED}
    if bad := [key for key, value in said.items() if not isinstance(value, str) or not value.strip()]:
        raise ValueError(f"{', '.join(bad)}: missing or no text")
    sport, commences, home, away = (str(value) for value in said.values())
    of, start = league(sport), datetime.fromisoformat(commences)
    if start.tzinfo is None:
        raise ValueError(f"commence_time {commences} has no UTC offset")
    opponents(of, home, away)
    return _Pairing(place, of, home, away, start)


def _bookmakers(game: Mapping[str, Any]) -> list[Any]:
    bookmakers = game.get("bookmakers", [])
    if not isinstance(bookmakers, list):
        raise ValueError("bookmakers: no list")  # noqa: TRY004 - callers get one kind of error
    return bookmakers


def _numbers(starts: Starts, pairings: Sequence[_Pairing]) -> dict[int, int]:
    """Which game of its day each is: in the order of their starts, those of the known ones that start nearest.

    A day's first game leaves the answer once it is over: the second is still the second.
    """
    days: defaultdict[str, list[_Pairing]] = defaultdict(list)
    for pairing in sorted(pairings, key=lambda pairing: pairing.starts_at):
        days[pairing.event_id(1)].append(pairing)
    return {
        pairing.place: number
        for games in days.values()
        for pairing, number in zip(games, _nearest(starts, games), strict=True)
    }


def _nearest(starts: Starts, games: Sequence[_Pairing]) -> Sequence[int]:
    known = {number: start for number in range(1, GAMES_A_DAY + 1) if (start := starts(games[0].event_id(number)))}
    if len(known) < len(games):
        return range(1, len(games) + 1)

    def away_by(numbers: Sequence[int]) -> timedelta:
        pairs = zip(numbers, games, strict=True)
        return sum((abs(known[number].starts_at - game.starts_at) for number, game in pairs), timedelta())

    return min(combinations(known, len(games)), key=away_by)


def _calendar(
    known: EventStart | None, raw: RawPayloadCaptured, pairing: _Pairing, name: str, number: int
) -> Iterator[Record]:
    """A game that nobody has scheduled yet, or that has moved before it began."""
    if known is None:
        schedule = build(
            Schedule,
            league=pairing.of.word,
            sport=pairing.of.sport,
            home=team(pairing.of, pairing.home),
            away=team(pairing.of, pairing.away),
            starts_at=pairing.starts_at,
            game_number=number,
        )
        yield from_raw(EventScheduled, raw, schedule, name)
    elif known.started_at is None and known.starts_at != pairing.starts_at and raw.occurred_at < known.starts_at:
        yield from_raw(EventRescheduled, raw, build(Reschedule, starts_at=pairing.starts_at), name)


def _injuries(_starts: Starts, raw: RawPayloadCaptured, reports: Sequence[Any]) -> Iterator[Record]:
    for place, report in enumerate(reports):
        try:
            yield from_raw(InjurySnapshotCaptured, raw, _report(raw, place, report))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield _refused(raw, f"/{place}", f"{type(error).__name__}: {error}")


def _report(raw: RawPayloadCaptured, place: int, report: Mapping[str, Any]) -> InjurySnapshot:
    of = league(str(report["league"]))
    return build(
        InjurySnapshot,
        provider=raw.data.provider,
        league=of.word,
        team=team(of, str(report["team"])),
        complete=report.get("complete", True),
        players=tuple(player_status(player) for player in report["players"]),
        raw_payload_id=raw.ref,
        raw_path=f"/{place}",
    )


_Reader = Callable[[Starts, RawPayloadCaptured, Sequence[Any]], Iterator[Record]]
_READERS: Mapping[str, _Reader] = MappingProxyType({ODDS: _odds, INJURIES: _injuries})
