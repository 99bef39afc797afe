"""Publishing: once, before the start, and at the terms that the prediction was made on."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from producers.publishing_service import EventStart, PublishRefusedError
from schemas.publishes import ParlayPublished, PredictionPublished
from tests.producers.stage import EVENT, NOW, TIP_OFF, Stage

TERMS = {"line": -5.5, "price": -110, "book": "draftkings", "selection": "Lakers -5.5"}


def refusal(stage: Stage, prediction_id: str, terms: dict[str, Any] | None = None, **other: Any) -> str:
    """The code with which a publish is refused; nothing is appended then."""
    before = stage.count()
    with pytest.raises(PublishRefusedError) as refused:
        stage.publish(prediction_id, terms, **other)
    assert before == stage.count()
    return refused.value.code


def test_a_publish_is_on_record_with_its_terms(stage: Stage) -> None:
    """The ticket as offered, channel, reasons and template come back as they went in, dated now."""
    prediction_id = stage.prediction()
    stage.later(minutes=10)
    publish_id = stage.publish(prediction_id, TERMS, copy_template_id="template_spread_edge_v1")
    (publish,) = stage.records(PredictionPublished)
    terms = publish.data.ticket_terms
    assert (publish_id, EVENT, NOW + timedelta(minutes=10)) == (publish.ref, publish.event_id, publish.occurred_at)
    assert (
        terms.line,
        terms.odds_format,
        terms.price,
        terms.price_decimal,
        terms.book,
        terms.selection,
    ) == (-5.5, "american", "-110", 21 / 11, "draftkings", "Lakers -5.5")
    assert (prediction_id, "telegram", "premium", ("EDGE",), "template_spread_edge_v1", True, False) == (
        publish.data.prediction_id,
        publish.data.channel,
        publish.data.visibility,
        publish.data.decision_reason_codes,
        publish.data.copy_template_id,
        publish.data.is_official,
        publish.data.in_play,
    )


def test_publishing_twice_gives_the_same_id_and_adds_nothing(stage: Stage) -> None:
    """The same publish sent again, later and even after the start, is the one that stands."""
    prediction_id = stage.prediction()
    first = stage.publish(prediction_id)
    before = stage.count()
    stage.later(days=2)
    assert first == stage.publish(prediction_id)
    assert (before, 0) == (stage.count(), len(stage.log.conflicts()))


def test_another_channel_visibility_or_key_is_another_publish(stage: Stage) -> None:
    """One prediction in several places is several publishes."""
    prediction_id = stage.prediction()
    publishes = [
        stage.publish(prediction_id),
        stage.publish(prediction_id, channel="web"),
        stage.publish(prediction_id, visibility="free"),
        stage.publish(prediction_id, idempotency_key="evening"),
    ]
    assert len(set(publishes)) == 4


@pytest.mark.parametrize("other", [{"is_official": False}, {"decision_reason_codes": []}, {"copy_template_id": "x"}])
def test_the_same_publish_with_other_content_is_a_conflict(stage: Stage, other: dict[str, Any]) -> None:
    """A publish is never changed; the second wording is refused, and says how to make it a publish of its own."""
    prediction_id = stage.prediction()
    stage.publish(prediction_id)
    assert refusal(stage, prediction_id, **other) == "CONFLICT"


def test_an_unknown_prediction_is_refused(stage: Stage) -> None:
    """Neither a made-up id nor that of another record can be published."""
    run_id = stage.run()
    assert [refusal(stage, wrong) for wrong in (run_id, "7", f"{EVENT}~{'0' * 36}")] == ["UNKNOWN_PREDICTION"] * 3


def test_a_publish_after_the_start_is_refused_unless_in_play(stage: Stage) -> None:
    """One microsecond before the start is in time, the start itself is not; in-play picks are marked."""
    prediction_id = stage.prediction()
    stage.clock.at = TIP_OFF
    assert refusal(stage, prediction_id) == "EVENT_STARTED"
    stage.publish(prediction_id, in_play=True)
    stage.clock.at = TIP_OFF - timedelta(microseconds=1)
    stage.publish(prediction_id, channel="web")
    assert [publish.data.in_play for publish in stage.records(PredictionPublished)] == [True, False]


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (EventStart(TIP_OFF, started_at=NOW - timedelta(minutes=1)), "EVENT_STARTED"),
        (EventStart(NOW - timedelta(hours=1), status="POSTPONED"), "EVENT_STARTED"),
        (EventStart(TIP_OFF, status="CANCELLED"), "EVENT_OVER"),
        (EventStart(TIP_OFF, status="ABANDONED"), "EVENT_OVER"),
        (EventStart(TIP_OFF, status="AWARDED"), "EVENT_OVER"),
        (EventStart(TIP_OFF, has_ended=True), "RESULT_KNOWN"),
        (EventStart(TIP_OFF, status="POSTPONED"), None),
        (None, None),
    ],
)
def test_the_start_that_counts_is_the_one_known_now(stage: Stage, start: EventStart | None, code: str | None) -> None:
    """The actual start goes before the scheduled one; what is called off is refused; an unknown event is not."""
    prediction_id = stage.prediction()
    stage.starts.clear()
    stage.starts.update({EVENT: start} if start else {})
    if code is None:
        assert stage.publish(prediction_id).startswith(f"{EVENT}~")
    else:
        assert code == refusal(stage, prediction_id)


@pytest.mark.parametrize(
    "change",
    [
        {"line": -4.5},
        {"line": 5.5},
        {"line": None},
        {"price": -105},
        {"price": 2.05},
        {"book": "fanduel"},
    ],
)
def test_terms_that_contradict_the_snapshot_are_refused(stage: Stage, change: dict[str, Any]) -> None:
    """Another line, price or book than the prediction was made on needs a prediction of its own."""
    prediction_id = stage.prediction()
    assert refusal(stage, prediction_id, TERMS | change) == "TERMS_CONTRADICT_SNAPSHOT"


@pytest.mark.parametrize(
    "change", [{"price": 1.91}, {"price": "10/11"}, {"price": None}, {"book": None}, {"book": "DraftKings"}]
)
def test_terms_that_say_the_snapshot_otherwise_are_accepted(stage: Stage, change: dict[str, Any]) -> None:
    """The same price in another format, or less said than the snapshot holds, contradicts nothing."""
    assert stage.publish(stage.prediction(), TERMS | change).startswith(f"{EVENT}~")


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        ({"odds": -110}, "unknown ticket terms odds; there are line, price, book, selection"),
        ({"price": 0}, "price 0"),
        ({"price": 150.0}, "odds_format"),
        ({"line": "five"}, "line"),
        ({"line": float("nan")}, "line"),
    ],
)
def test_malformed_terms_are_told(stage: Stage, terms: dict[str, Any], what: str) -> None:
    """What is wrong with a ticket is said by name."""
    with pytest.raises(PublishRefusedError, match=what) as refused:
        stage.publish(stage.prediction(), terms)
    assert refused.value.code == "BAD_TERMS"


@pytest.mark.parametrize(
    ("market_key", "selection", "line", "what"),
    [
        ("SPREAD:FULL_GAME", "HOME", None, "line: spread needs one"),
        ("SPREAD:FULL_GAME", "HOME", -5.3, "line: '-53/10' is not a multiple"),
        ("TOTAL:FULL_GAME", "OVER", None, "line: total needs one"),
        ("TOTAL:FULL_GAME", "OVER", -220.5, "line: '-441/2' is not a multiple"),
        ("TOTAL:FULL_GAME", "OVER", 1e6, "line: '1000000' is not"),
        ("MONEYLINE:FULL_GAME", "HOME", -5.5, "line: moneyline has no line"),
    ],
)
def test_a_forecast_is_published_at_a_line_that_can_be_settled(
    stage: Stage, market_key: str, selection: str, line: float | None, what: str
) -> None:
    """No snapshot says which, and without one the pick could only end UNGRADEABLE."""
    prediction_id = stage.prediction(market_key=market_key, selection=selection, market_snapshot_id_used=None)

    with pytest.raises(PublishRefusedError, match=what) as refused:
        stage.publish(prediction_id, {"line": line})
    assert refused.value.code == "BAD_TERMS"


@pytest.mark.parametrize(
    ("market_key", "selection", "line"),
    [
        ("SPREAD:FULL_GAME", "HOME", 0),
        ("TOTAL:FULL_GAME", "OVER", 220.5),
        ("MONEYLINE:FULL_GAME", "HOME", None),
        ("PLAYER_DOUBLE_DOUBLE:FULL_GAME", "YES:LeBron James", None),
    ],
)
def test_a_forecast_is_published_without_a_price(
    stage: Stage, market_key: str, selection: str, line: float | None
) -> None:
    """At the line of its market; 0 is one."""
    prediction_id = stage.prediction(market_key=market_key, selection=selection, market_snapshot_id_used=None)

    assert stage.publish(prediction_id, {"line": line}).startswith(f"{EVENT}~")


def test_a_price_that_nothing_backs_is_not_official(stage: Stage) -> None:
    """Without a snapshot a prediction is officially published as a forecast only, without a price."""
    prediction_id = stage.prediction(market_snapshot_id_used=None)
    assert refusal(stage, prediction_id, TERMS) == "NO_SNAPSHOT"
    stage.publish(prediction_id, {"line": -5.5, "selection": "Lakers"})
    stage.publish(prediction_id, TERMS, channel="web", is_official=False)
    assert [p.data.ticket_terms.price for p in stage.records(PredictionPublished)] == [None, "-110"]


def test_reason_codes_are_a_list(stage: Stage) -> None:
    """A text would come apart into letters."""
    with pytest.raises(ValueError, match="pass a list"):
        stage.publish(stage.prediction(), decision_reason_codes="EDGE")


def leg(prediction_id: str, **terms: Any) -> dict[str, Any]:
    """A parlay leg at the snapshot's terms."""
    return {"prediction_id": prediction_id, "ticket_terms": TERMS | terms}


def parlay(stage: Stage, *legs: dict[str, Any], **other: Any) -> str:
    """An official parlay to Telegram."""
    return stage.publishing.publish_parlay(legs, "telegram", "premium", **({"is_official": True} | other))


def test_a_parlay_is_one_publish_however_its_legs_are_ordered(stage: Stage) -> None:
    """The ticket belongs to no event; the same legs in another order are the same ticket."""
    one, other = leg(stage.prediction()), leg(stage.prediction(event_id="other"))
    publish_id = parlay(stage, one, other)
    stage.later(minutes=1)
    assert publish_id == parlay(stage, other, one)
    (publish,) = stage.records(ParlayPublished)
    assert (publish_id, None) == (publish.ref, publish.event_id)
    assert {one["prediction_id"], other["prediction_id"]} == {part.prediction_id for part in publish.data.legs}


def test_legs_may_share_an_event_but_not_a_market(stage: Stage) -> None:
    """Side and total of one game go together; the same prediction, or both sides, do not."""
    home, again = stage.prediction(), stage.prediction()
    total = stage.spread(market_key="TOTAL:FULL_GAME", selection="OVER", line=220.5)
    over = stage.prediction(market_key="TOTAL:FULL_GAME", selection="OVER", market_snapshot_id_used=total)
    assert parlay(stage, leg(home), leg(over, line=220.5))
    for legs in ((leg(home), leg(home)), (leg(home), leg(again)), (leg(home),), ()):
        with pytest.raises(PublishRefusedError, match="BAD_LEGS"):
            parlay(stage, *legs)


def test_props_on_two_players_are_two_markets(stage: Stage) -> None:
    """Points of two players of one game can be on one ticket."""
    legs = []
    for player in ("LeBron James", "Jayson Tatum"):
        side = {"market_key": "PLAYER_POINTS:FULL_GAME", "selection": f"OVER:{player}"}
        prediction_id = stage.prediction(**side, market_snapshot_id_used=stage.spread(**side, line=25.5))
        legs.append(leg(prediction_id, line=25.5))
    assert parlay(stage, *legs)


def test_each_leg_is_checked_as_a_single_publish_is(stage: Stage) -> None:
    """Unknown prediction, contradicting terms, a started event, an unknown field of a leg: the ticket is refused."""
    good, other = leg(stage.prediction()), leg(stage.prediction(event_id="other"))
    stage.starts["started"] = EventStart(NOW)
    started = leg(stage.prediction(event_id="started"))
    codes = []
    for wrong in (
        leg("7"),
        other | {"ticket_terms": TERMS | {"line": 3.5}},
        started,
        other | {"stake": 1},
        other | {"ticket_terms": {"odds": 3}},
    ):
        with pytest.raises(PublishRefusedError) as refused:
            parlay(stage, good, wrong)
        codes.append(refused.value.code)
    assert codes == ["UNKNOWN_PREDICTION", "TERMS_CONTRADICT_SNAPSHOT", "EVENT_STARTED", "BAD_LEGS", "BAD_TERMS"]
    assert stage.records(ParlayPublished) == []


PUBLISH_MANY = """
import sys
from tests.producers.stage import Stage
with Stage(path=sys.argv[1]) as stage:
    sys.stdin.readline()
    print(*[stage.publish(prediction) for prediction in sys.argv[2:]])
"""


def test_two_processes_that_publish_at_once_publish_once(tmp_path: Path) -> None:
    """Whoever is first, both get the same ids and the log holds each publish once."""
    with Stage(path=str(tmp_path / "log.sqlite")) as stage:
        predictions = [stage.prediction() for _ in range(10)]
        command = [sys.executable, "-c", PUBLISH_MANY, stage.path, *predictions]
        root = Path(__file__).parents[2]
        processes = [
            subprocess.Popen(command, cwd=root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        first, second = (process.communicate(timeout=60)[0].split() for process in processes)
        assert first == second == [publish.ref for publish in stage.records(PredictionPublished)]
        assert len(first) == 10
