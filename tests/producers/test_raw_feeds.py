"""Whole answers of providers become snapshots, the same however often they are handled; nothing is lost."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from producers.publishing_service import EventStart
from producers.raw_feeds import INJURIES, LARGEST_BYTES, ODDS, RawAnswer, RawFeeds
from schemas.events import EventRescheduled, EventScheduled
from schemas.injuries import InjurySnapshotCaptured
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.rejections import InputRejected
from tests.producers.stage import NOW, TEAMS, TIP_OFF, bookmaker, h2h

HOME, AWAY = TEAMS
GAME_1 = "nba_2026-01-20_los-angeles-lakers_boston-celtics_1"
GAME_2 = GAME_1.removesuffix("1") + "2"
GAME_3 = GAME_1.removesuffix("1") + "3"


def game(starts_at: datetime = TIP_OFF, **more: Any) -> dict[str, Any]:
    """One game of an answer, with one book's prices."""
    return {
        "id": "abc",
        "sport_key": "basketball_nba",
        "commence_time": starts_at.isoformat(),
        "home_team": HOME,
        "away_team": AWAY,
        "bookmakers": [h2h("draftkings", (HOME, -140), (AWAY, 120))],
    } | more


def answer(payload: Any, feed: str = ODDS) -> RawAnswer:
    """What came from a provider just now."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return RawAnswer(feed, "the-odds-api", NOW, content)


def handled(payload: Any, feed: str = ODDS, calendar: Mapping[str, EventStart] | None = None) -> list[Record]:
    """Its records."""
    return RawFeeds((calendar or {}).get).records(answer(payload, feed))


def rejection(records: list[Record]) -> str:
    """Why the answer says nothing: there is its raw payload and one rejection."""
    raw, refused = records
    assert isinstance(raw, RawPayloadCaptured)
    assert isinstance(refused, InputRejected)
    assert refused.causation_id == raw.record_id
    return refused.data.reason


def test_an_answer_is_one_raw_payload_with_a_snapshot_an_outcome() -> None:
    """Each says where in the answer it stands; all are live."""
    raw, scheduled, *snapshots = handled([game(), game(TIP_OFF + timedelta(days=1))])[:4]

    assert isinstance(raw, RawPayloadCaptured)
    assert json.loads(raw.data.content) == [game(), game(TIP_OFF + timedelta(days=1))]
    assert isinstance(scheduled, EventScheduled)
    assert [s.data.raw_path for s in snapshots if isinstance(s, OddsSnapshotCaptured)] == [
        "/0/bookmakers/0/markets/0/outcomes/0",
        "/0/bookmakers/0/markets/0/outcomes/1",
    ]
    assert {(s.event_id, s.origin, s.occurred_at) for s in snapshots} == {(GAME_1, "LIVE", NOW)}


def test_an_answer_that_is_handled_twice_gives_the_same_records() -> None:
    """Byte for byte: what an agent does twice has one effect."""
    payload = [game(), {"id": "no game"}, game(bookmakers=[bookmaker("x", "h2h", ("Nobody", -110))])]

    assert handled(payload) == handled(payload)


def test_only_a_game_that_nobody_knows_is_scheduled() -> None:
    """The calendar may come from somebody else."""
    records = handled(game(), calendar={GAME_1: EventStart(TIP_OFF)})

    assert not [record for record in records if isinstance(record, EventScheduled | EventRescheduled)]


def test_answers_that_come_together_schedule_a_game_once() -> None:
    """The calendar knows of it only once they are on record."""
    records = RawFeeds(lambda _event: None).records_of([answer([game()]), answer([game(id="again")])])

    assert sum(isinstance(record, EventScheduled) for record in records) == 1
    assert sum(isinstance(record, OddsSnapshotCaptured) for record in records) == 4


@pytest.mark.parametrize(
    ("known", "moves"),
    [
        (EventStart(TIP_OFF - timedelta(hours=1)), 1),
        (EventStart(TIP_OFF - timedelta(hours=1), started_at=NOW), 0),
        (EventStart(NOW - timedelta(minutes=1)), 0),
    ],
    ids=["before it begins", "once it began", "when it should have begun"],
)
def test_a_new_start_is_told_before_the_game_begins(known: EventStart, moves: int) -> None:
    """Later a provider's time says nothing about the plan."""
    records = handled(game(), calendar={GAME_1: known})

    assert moves == sum(isinstance(record, EventRescheduled) for record in records)


def test_two_games_of_a_day_are_numbered_by_their_starts() -> None:
    """In whatever order the answer has them."""
    records = handled([game(TIP_OFF), game(TIP_OFF - timedelta(hours=4))])

    scheduled = {r.event_id: r.data.starts_at for r in records if isinstance(r, EventScheduled)}
    assert scheduled == {GAME_1: TIP_OFF - timedelta(hours=4), GAME_2: TIP_OFF}


def test_the_second_game_stays_the_second_when_the_first_is_over() -> None:
    """It stands alone in the answer then; the calendar knows both."""
    known = {GAME_1: EventStart(TIP_OFF - timedelta(hours=4)), GAME_2: EventStart(TIP_OFF)}

    records = handled(game(), calendar=known)

    assert {r.event_id for r in records if isinstance(r, OddsSnapshotCaptured)} == {GAME_2}


def test_the_third_game_of_a_day_stays_the_third() -> None:
    """Alone in the answer, with all three on the calendar."""
    starts = {GAME_1: TIP_OFF - timedelta(hours=8), GAME_2: TIP_OFF - timedelta(hours=4), GAME_3: TIP_OFF}

    records = handled(game(), calendar={name: EventStart(at) for name, at in starts.items()})

    assert {r.event_id for r in records if isinstance(r, OddsSnapshotCaptured)} == {GAME_3}
    assert not [record for record in records if isinstance(record, EventScheduled | EventRescheduled)]


def test_the_games_that_are_left_of_a_day_keep_their_numbers() -> None:
    """The first of three is over: the second and the third are in the answer, and nothing has moved."""
    starts = {GAME_1: TIP_OFF - timedelta(hours=8), GAME_2: TIP_OFF - timedelta(hours=4), GAME_3: TIP_OFF}
    left = [game(commence_time=at.isoformat()) for at in (TIP_OFF, TIP_OFF - timedelta(hours=4, minutes=-5))]

    records = handled(left, calendar={name: EventStart(at) for name, at in starts.items()})

    assert {r.event_id for r in records if isinstance(r, OddsSnapshotCaptured)} == {GAME_2, GAME_3}
    assert [r.event_id for r in records if isinstance(r, EventScheduled | EventRescheduled)] == [GAME_2]


POISON = {
    "no JSON": (b"{", "JSONDecodeError: "),
    "nothing": (b"", "JSONDecodeError: "),
    "not UTF-8": (b"\xff\xfe", "not UTF-8 (invalid start byte); the content is its base64"),
    "a number": (b"7", "'int' object has no attribute 'get'"),
    "nested too deep": (b"[" * 100_000, "RecursionError: "),
    "no teams": (json.dumps([game(home_team=None)]).encode(), "home_team: missing or no text"),
    "a naive time": (json.dumps([game(commence_time="2026-01-21T00:30:00")]).encode(), "has no UTC offset"),
    "one team twice": (json.dumps([game(away_team=HOME)]).encode(), "cannot play itself"),
    "bookmakers that are none": (json.dumps([game(bookmakers=7)]).encode(), "bookmakers: no list"),
    "too much escaped": (b"\0" * 3_000_000, "the answer has 3000000 bytes, which takes a record of more than 16777216"),
    "a name too long to refuse": (
        json.dumps([game(bookmakers=[h2h("draftkings", ('"' * 3_900_000, -140), (AWAY, 120))])]).encode(),
        " bytes, which takes a record of more than 16777216",
    ),
    "too much": (b" " * (LARGEST_BYTES + 1), "the answer has 8000001 bytes, more than 8000000"),
}


@pytest.mark.parametrize("fault", POISON)
@pytest.mark.parametrize("feed", [ODDS, INJURIES])
def test_what_cannot_be_read_is_on_record_with_the_reason(feed: str, fault: str) -> None:
    """And raises nothing: the feed goes on."""
    content, reason = POISON[fault]

    said = rejection(handled(content, feed))

    assert feed == INJURIES or reason in said


def test_bytes_that_are_no_text_are_kept_too() -> None:
    """As base64: nothing is lost."""
    raw = handled(b"\xff\xfe")[0]

    assert isinstance(raw, RawPayloadCaptured)
    assert base64.b64decode(raw.data.content) == b"\xff\xfe"


def test_one_bad_game_does_not_cost_the_others() -> None:
    """It is refused with its place."""
    records = handled([{"id": "no game"}, game()])

    [refused] = [record for record in records if isinstance(record, InputRejected)]
    assert refused.data.location == "/0"
    assert sum(isinstance(record, OddsSnapshotCaptured) for record in records) == 2


def test_injury_reports_become_snapshots_one_a_team() -> None:
    """Teams get their one name; a player that is none refuses his report alone."""
    reports = [
        {"league": "NBA", "team": "LA Lakers", "players": [{"player": "A. Davis", "status": "out"}], "complete": False},
        {"league": "NBA", "team": HOME, "players": [{"player": "nobody"}]},
        {"league": "NBA", "players": []},
    ]

    raw, snapshot, *refused = handled(reports, INJURIES)

    assert isinstance(snapshot, InjurySnapshotCaptured)
    assert (snapshot.data.complete, snapshot.data.raw_payload_id, snapshot.data.raw_path) == (False, raw.ref, "/0")
    assert [one.data.location for one in refused] == ["/1", "/2"]
