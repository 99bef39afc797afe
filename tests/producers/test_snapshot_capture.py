"""Odds and injuries are put on record as they were seen, each with the raw payload that it came from."""

import csv
import gzip
import hashlib
import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from producers.snapshot_capture import SnapshotCapture
from schemas.injuries import InjurySnapshotCaptured
from schemas.odds import OddsSnapshotCaptured
from schemas.raw_payloads import RawPayloadCaptured
from schemas.rejections import InputRejected
from schemas.requests import Retention, RetentionApplied, RetentionRequested
from tests.producers.stage import EVENT, NOW, TEAMS, Stage, bookmaker, h2h

RAW = Path(__file__).parents[2].parent / "shared" / "data" / "odds_api_raw"
HOME, AWAY = TEAMS


def test_a_bookmaker_list_is_one_raw_payload_and_a_snapshot_an_outcome(stage: Stage) -> None:
    """Every outcome of every book becomes a snapshot; all name the one payload and share one capture."""
    given = [h2h("draftkings", (HOME, -140), (AWAY, 120)), h2h("fanduel", (AWAY, 125), (HOME, -145))]
    ids = stage.snapshots.capture_bulk_odds_snapshots(event_id=EVENT, bookmaker_data=given, provider="OddsAPI")
    (raw,) = stage.records(RawPayloadCaptured)
    snapshots = stage.records(OddsSnapshotCaptured)
    assert ids == [snapshot.ref for snapshot in snapshots]
    assert [(snapshot.data.book, snapshot.data.selection) for snapshot in snapshots] == [
        ("draftkings", "HOME"),
        ("draftkings", "AWAY"),
        ("fanduel", "AWAY"),
        ("fanduel", "HOME"),
    ]
    assert {(raw.ref, raw.ref)} == {(s.data.raw_payload_id, s.data.capture_id) for s in snapshots}
    assert given == json.loads(raw.data.content)
    assert hashlib.sha256(raw.data.content.encode()).hexdigest() == raw.data.sha256
    assert snapshots[2].data.raw_path == "/1/markets/0/outcomes/0"


def test_a_snapshot_is_live_and_of_the_time_of_capture(stage: Stage) -> None:
    """A live record is dated by the capture, by default now."""
    seen_at = NOW - timedelta(minutes=2)
    for captured_at in (None, seen_at):
        stage.snapshots.capture_bulk_odds_snapshots(EVENT, [h2h("a", (HOME, -140))], "OddsAPI", captured_at)
    first, second = stage.records(OddsSnapshotCaptured)
    assert (NOW, seen_at) == (first.occurred_at, second.occurred_at)
    assert ({"LIVE"}, {NOW}) == ({first.origin, second.origin}, {first.recorded_at, second.recorded_at})


def test_bad_outcomes_are_rejected_and_the_others_kept(stage: Stage) -> None:
    """Impossible prices and unknown names are on record with their reason; none is lost and none stops the rest."""
    prices: list[Any] = [-140, 0, None, float("nan"), 1.0]
    given = [*(h2h(f"book{n}", (HOME, price)) for n, price in enumerate(prices)), h2h("other", ("Lakers", -120))]
    ids = stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI")
    rejections = stage.records(InputRejected)
    assert (len(ids), len(rejections)) == (1, 5)
    assert [rejection.data.column for rejection in rejections] == ["price", "price", "price", "price", "name"]
    assert ({"CELL"}, {EVENT}) == ({r.data.kind for r in rejections}, {r.event_id for r in rejections})
    assert json.loads(rejections[-1].data.raw) == {"name": "Lakers", "price": -120}


def test_a_capture_that_is_sent_again_adds_nothing(stage: Stage) -> None:
    """The same payload of the same time gives the same ids, on the log once, rejections too."""
    given = [h2h("a", (HOME, -140), ("Lakers", 120))]
    first = stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI")
    before = stage.count()
    assert first == stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI")
    assert (before, 0) == (stage.count(), len(stage.log.conflicts()))


def test_the_same_prices_seen_later_are_another_capture(stage: Stage) -> None:
    """A market that did not move was seen twice, and both looks are on record."""
    given = [h2h("a", (HOME, -140))]
    first = stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI")
    stage.later(minutes=5)
    assert first != stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI")
    assert len({snapshot.data.capture_id for snapshot in stage.records(OddsSnapshotCaptured)}) == 2


def test_team_names_can_be_given_with_the_call(stage: Stage) -> None:
    """The provider's own names stand before the calendar's."""
    given = [h2h("a", ("LA Lakers", -140), ("Celtics", 120))]
    stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI", home_team="Celtics", away_team="LA Lakers")
    assert [snapshot.data.selection for snapshot in stage.records(OddsSnapshotCaptured)] == ["AWAY", "HOME"]


def test_decimal_payloads_are_told_by_their_prices(stage: Stage) -> None:
    """A payload without negative prices and with prices below 100 is decimal; the text stays as it came."""
    stage.snapshots.capture_bulk_odds_snapshots(EVENT, [h2h("a", (HOME, 1.7), (AWAY, 151))], "OddsAPI")
    prices = [(s.data.odds_format, s.data.price, s.data.price_decimal) for s in stage.records(OddsSnapshotCaptured)]
    assert prices == [("decimal", "1.7", 1.7), ("decimal", "151", 151.0)]


@pytest.mark.parametrize(
    ("arguments", "what_to_do"),
    [
        ({"bookmaker_data": {"bookmakers": []}}, r"pass response\['bookmakers'\]"),
        ({"bookmaker_data": [{"id": "e1", "bookmakers": [h2h("a", (HOME, -110))]}]}, "a list of games: pass each"),
        ({"bookmaker_data": None}, r"pass response\['bookmakers'\]"),
        ({"bookmaker_data": [h2h("a", (HOME, -110), (AWAY, 1.91))]}, "odds_format"),
        ({"home_team": "Lakers"}, "both or neither"),
        ({"odds_format": "malay"}, "american, decimal, fractional"),
        ({"captured_at": datetime(2026, 1, 1)}, "aware"),  # noqa: DTZ001 - a naive time is the point
        ({"captured_at": NOW + timedelta(seconds=1)}, "future"),
        ({"event_id": "a~b"}, "event_id"),
        ({"provider": " "}, "provider"),
    ],
)
def test_a_wrong_call_is_an_error_and_leaves_nothing_behind(
    stage: Stage, arguments: dict[str, Any], what_to_do: str
) -> None:
    """What is wrong with the call as a whole is raised, with what to do, before anything is on record."""
    call = {"event_id": EVENT, "bookmaker_data": [h2h("a", (HOME, -110))], "provider": "OddsAPI"} | arguments
    with pytest.raises(ValueError, match=what_to_do):
        stage.snapshots.capture_bulk_odds_snapshots(**call)
    assert stage.count() == 0


def test_an_empty_list_is_on_record_as_seen(stage: Stage) -> None:
    """No book offered anything: the payload says so."""
    assert stage.snapshots.capture_bulk_odds_snapshots(EVENT, [], "OddsAPI") == []
    assert [raw.data.content for raw in stage.records(RawPayloadCaptured)] == ["[]"]


def test_a_text_that_no_record_takes_is_rejected(stage: Stage) -> None:
    """A book whose name cannot be written as UTF-8 costs its own prices only."""
    given = [h2h("\ud800", (HOME, -140)), h2h("a", (HOME, -140))]
    assert len(stage.snapshots.capture_bulk_odds_snapshots(EVENT, given, "OddsAPI")) == 1
    assert len(stage.records(InputRejected)) == 1


def test_one_price_is_captured_with_its_payload(stage: Stage) -> None:
    """A single capture is the price as it came, its exact decimal odds, and its raw payload."""
    ref = stage.spread(raw_payload='{"id": "abc"}')
    (snapshot,) = stage.records(OddsSnapshotCaptured)
    (raw,) = stage.records(RawPayloadCaptured)
    assert (ref, raw.ref) == (snapshot.ref, snapshot.data.raw_payload_id)
    assert (
        snapshot.data.odds_format,
        snapshot.data.price,
        snapshot.data.price_decimal,
    ) == ("american", "-110", 21 / 11)
    assert (raw.data.content, raw.data.content_type) == ('{"id": "abc"}', "application/json")


@pytest.mark.parametrize(
    ("payload", "content"),
    [
        (b'{"id": "\xc3\xa4"}', '{"id": "\u00e4"}'),
        (
            {"at": NOW, "price": Decimal("1.91"), "units": np.int64(2)},
            f'{{"at": "{NOW}", "price": "1.91", "units": 2}}',
        ),
        (MappingProxyType({"id": 7}), '{"id": 7}'),
    ],
    ids=["bytes", "values", "mapping"],
)
def test_a_payload_is_kept_as_text_or_json(stage: Stage, payload: Any, content: str) -> None:
    """Bytes are the text that they spell, and what parsed rows hold is written as JSON has it."""
    stage.spread(raw_payload=payload)
    (raw,) = stage.records(RawPayloadCaptured)
    assert (raw.data.content, raw.data.content_type) == (content, "application/json")


def test_both_sides_of_one_payload_are_one_capture(stage: Stage) -> None:
    """Two calls with the same payload and time share payload and capture, so that they can be a close together."""
    stage.spread(captured_at=NOW)
    stage.spread(captured_at=NOW, selection="AWAY", line=5.5)
    assert len(stage.records(RawPayloadCaptured)) == 1
    assert len({snapshot.data.capture_id for snapshot in stage.records(OddsSnapshotCaptured)}) == 1


@pytest.mark.parametrize(
    ("arguments", "what_to_do"),
    [
        ({"selection": "Lakers"}, "never a team's name"),
        ({"selection": "Home"}, None),
        ({"selection": "OVER"}, "selection"),
        ({"market_key": "PLAYER_POINTS:FULL_GAME", "selection": "OVER"}, "names no player: write OVER:<player>"),
        ({"market_key": "PLAYER_POINTS:FULL_GAME", "selection": "OVER:LeBron James", "line": 25.5}, None),
        ({"market_key": "PARLAY:FULL_GAME"}, "publish_parlay"),
        ({"market_key": "SPREAD:P1:Q1"}, "MARKET:PERIOD"),
        ({"market_key": "TO_QUALIFY:SECOND_HALF"}, "not settled by 'SECOND_HALF'$"),
        ({"line": None}, "needs one"),
        ({"line": 0.0}, None),
        ({"market_key": "SPREAD"}, "MARKET:PERIOD"),
        ({"market_key": "SPREDA:FULL_GAME"}, "not a market"),
        ({"market_key": "MONEYLINE:FULL_GAME"}, "no line"),
        ({"price_decimal": 1.91}, "exactly one"),
        ({"price_american": None}, "exactly one"),
        ({"price_american": 50}, "american"),
        ({"price_american": None, "price_decimal": 1.0}, "decimal"),
        ({"price_american": None, "price_fractional": "10/11"}, None),
        ({"book": ""}, "book"),
        (
            {"raw_payload": object()},
            r"raw_payload .* it holds an object.*object.; pass response\.json\(\) or response\.text",
        ),
        ({"raw_payload": {"prices": [{1, 2}.__iter__]}}, "raw_payload .* it holds an object .method-wrapper"),
        ({"raw_payload": {"text": b"{}"}}, "raw_payload .* it holds an object .bytes"),
        ({"raw_payload": b"\xff"}, "raw_payload is bytes that are no UTF-8"),
    ],
)
def test_a_single_price_is_checked(stage: Stage, arguments: dict[str, Any], what_to_do: str | None) -> None:
    """Each wrong argument is told by name; what is right goes on record."""
    if what_to_do is None:
        assert stage.spread(**arguments).startswith(f"{EVENT}~")
        return
    with pytest.raises(ValueError, match=what_to_do):
        stage.spread(**arguments)
    assert stage.count() == 0


def test_an_injury_report_is_captured_per_team(stage: Stage) -> None:
    """The whole report of a team, keyed by the event if there is one, else by the team."""
    players = [{"player": "LeBron James", "status": "Out", "comment": "ankle"}]
    arguments: dict[str, Any] = {"team": HOME, "league": "NBA", "provider": "NBA", "players": players}
    for_event = stage.snapshots.capture_injury_snapshot(**arguments, raw_payload=players, event_id=EVENT)
    for_team = stage.snapshots.capture_injury_snapshot(**arguments, raw_payload=players)
    reports = stage.records(InjurySnapshotCaptured)
    assert [for_event, for_team] == [report.ref for report in reports]
    assert [report.key for report in reports] == [EVENT, HOME]
    assert tuple(getattr(reports[0].data.players[0], name) for name in ("player", "status", "comment")) == (
        "LeBron James",
        "Out",
        "ankle",
    )


@pytest.mark.parametrize("player", [{"name": "LeBron James", "status": "Out"}, {"player": "LeBron James"}, {}])
def test_an_injured_player_needs_name_and_status(stage: Stage, player: dict[str, Any]) -> None:
    """Unknown and missing fields are told; nothing is on record."""
    with pytest.raises(ValueError, match="players: "):
        stage.snapshots.capture_injury_snapshot(HOME, "NBA", "NBA", [player], raw_payload={})
    assert stage.count() == 0


def test_cleanup_is_asked_for_and_its_answer_awaited(stage: Stage) -> None:
    """The answer's count comes back."""
    asked: list[RetentionRequested] = []

    def owner(request: RetentionRequested, kind: type[RetentionApplied]) -> RetentionApplied:
        asked.append(request)
        data = Retention(cutoff=NOW - timedelta(days=90), removed=7)
        return kind(occurred_at=NOW, producer="owner", causation_id=request.record_id, data=data)

    service = SnapshotCapture(stage.log, stage.clock, ask=owner)
    assert service.cleanup_old_snapshots(retention_days=90, keep_closing_lines=True) == 7
    (request,) = asked
    assert (request.data.retention_days, request.data.keep_closing_lines) == (90, True)


def test_cleanup_needs_somebody_to_wait_for(stage: Stage) -> None:
    """A service without `ask` says so."""
    with pytest.raises(ValueError, match="make it with `ask`"):
        stage.snapshots.cleanup_old_snapshots()


@pytest.mark.real_data
def test_nothing_of_a_real_payload_is_lost(stage: Stage) -> None:
    """28 games, 190 bookmaker entries, 380 prices: snapshots + rejections = outcomes, and here nothing is bad."""
    games = real_games()
    ids = [ref for game in games for ref in capture(stage, game)]
    outcomes = [(game, outcome) for game in games for outcome in outcomes_of(game)]
    snapshots = stage.records(OddsSnapshotCaptured)
    assert (len(games), sum(len(game["bookmakers"]) for game in games), len(outcomes)) == (28, 190, 380)
    assert (len(stage.records(RawPayloadCaptured)), len(set(ids)), len(stage.records(InputRejected))) == (28, 380, 0)
    sides = ["HOME" if outcome["name"] == game["home_team"] else "AWAY" for game, outcome in outcomes]
    assert [(s.data.selection, s.data.price) for s in snapshots] == [
        (side, str(outcome["price"])) for side, (_, outcome) in zip(sides, outcomes, strict=True)
    ]
    assert {(s.data.market_key, s.data.odds_format) for s in snapshots} == {("MONEYLINE:FULL_GAME", "american")}


@pytest.mark.real_data
def test_a_real_payload_with_planted_faults_accounts_for_each(stage: Stage) -> None:
    """Every seventh price made impossible and a lay market added: the sum still holds."""
    game = max(real_games(), key=lambda game: len(game["bookmakers"]))
    outcomes = outcomes_of(game)
    for outcome in outcomes[::7]:
        outcome["price"] = 0
    game["bookmakers"].append(bookmaker("betfair", "h2h_lay", outcomes[:2]))
    rejected = len(outcomes[::7]) + 2
    assert (len(outcomes) + 2 - rejected, rejected) == (len(capture(stage, game)), len(stage.records(InputRejected)))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("sport", "rows", "lay", "impossible"),
    [("basketball_nba", 2452, 80, 0), ("baseball_mlb", 3332, 116, 1), ("soccer_epl", 5097, 264, 0)],
)
def test_flattened_real_pulls_account_for_every_row(
    stage: Stage, sport: str, rows: int, lay: int, impossible: int
) -> None:
    """The pulls of 2026-04-16 put back into the provider's shape: refused are lay prices, and one price of 1.0."""
    games = pulled_games(sport)
    ids = [ref for game in games for ref in capture(stage, game)]
    refused = Counter(rejection.data.column for rejection in stage.records(InputRejected))
    assert rows == sum(len(outcomes_of(game)) for game in games)
    assert (len(ids), refused["key"], refused["price"]) == (rows - lay - impossible, lay, impossible)
    assert {snapshot.data.odds_format for snapshot in stage.records(OddsSnapshotCaptured)} == {"decimal"}


def real_games() -> list[dict[str, Any]]:
    """The raw v4 answer of 2024-03-27."""
    path = RAW / "odds_v4_2024_03_27.json"
    assert path.exists(), f"{path} is absent: the real data belongs in ../shared/data beside the project"
    games: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return games


def pulled_games(sport: str) -> list[dict[str, Any]]:
    """A flattened pull as games with their bookmakers, one bookmaker entry a row's book and market."""
    path = RAW / sport / "odds.csv.gz"
    assert path.exists(), f"{path} is absent: the real data belongs in ../shared/data beside the project"
    games: dict[str, dict[str, Any]] = {}
    markets: dict[tuple[str, str, str], dict[str, Any]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            game = games.setdefault(row["event_id"], {"id": row["event_id"], "bookmakers": [], **row})
            key = (row["event_id"], row["bookmaker_key"], row["market"])
            if key not in markets:
                markets[key] = bookmaker(row["bookmaker_key"], row["market"], [])
                game["bookmakers"].append(markets[key])
            point = {"point": float(row["point"])} if row["point"] else {}
            markets[key]["markets"][0]["outcomes"].append(
                {"name": row["outcome_name"], "price": float(row["price"]), **point}
            )
    return list(games.values())


def outcomes_of(game: dict[str, Any]) -> list[dict[str, Any]]:
    """The outcomes of all books, in the list's order."""
    return [outcome for b in game["bookmakers"] for market in b["markets"] for outcome in market["outcomes"]]


def capture(stage: Stage, game: dict[str, Any]) -> list[str]:
    """Capture a game as upstream does, with what the answer says beside the bookmakers."""
    return stage.snapshots.capture_bulk_odds_snapshots(
        game["id"],
        game["bookmakers"],
        "OddsAPI",
        home_team=game["home_team"],
        away_team=game["away_team"],
        sport_key=game["sport_key"],
    )
