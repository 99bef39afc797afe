"""The grader settles what was officially published, once per state of its inputs."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from consumers.grader import Grader
from grading.clv import Terms, closing_line_value
from grading.margins import margin_model
from projections.catch_up import catch_up
from schemas.events import ResultRecorded
from schemas.gradings import PredictionGraded
from tests.consumers.scene import START, Scene, shown
from tests.records import make

TOTAL = "TOTAL:FULL_GAME"


@pytest.mark.parametrize(
    ("score", "outcome", "units"),
    [
        ((110, 100), "WIN", Decimal("0.91")),
        ((105, 100), "LOSS", Decimal(-1)),
    ],
)
def test_a_pick_wins_or_loses_at_its_own_line(
    scene: Scene, score: tuple[int, int], outcome: str, units: Decimal
) -> None:
    """Home at -5.5 and 1.91: profit per unit risked, one part, scored by its probability."""
    scene.game()
    publish_id = scene.pick()

    scene.played(*score)

    grade = scene.grade(publish_id)
    assert {"outcome": outcome, "summary": outcome, "unit_return": units} == shown(grade, "outcome summary unit_return")
    assert [{"stake": "1", "outcome": outcome}] == grade["parts"]
    assert pytest.approx(0.16 if outcome == "WIN" else 0.36) == grade["brier"]


@pytest.mark.parametrize(
    ("score", "expected"), [((105, 100), (0, 0, 0.79345)), ((110, 100), (1, 0.20655, 1))], ids=["lost", "won"]
)
def test_one_result_says_little_of_reliability(
    scene: Scene, score: tuple[int, int], expected: tuple[float, ...]
) -> None:
    """Wilson's interval of one of one, as Newcombe (1998) gives its formula: never of no width."""
    scene.game()
    publish_id = scene.pick()
    scene.played(*score)
    scene.grade(publish_id)

    [row] = scene.store.query("reliability").to_pylist()
    assert pytest.approx(expected, abs=1e-5) == (row["win_rate"], row["win_rate_low"], row["win_rate_high"])


def test_equal_to_the_line_is_a_push(scene: Scene) -> None:
    """A push returns the stake, is action, and is scored by nothing."""
    scene.game()
    publish_id = scene.pick(line=-5)

    scene.played(105, 100)

    grade = scene.grade(publish_id)
    assert shown(grade, "outcome unit_return brier") == {"outcome": "PUSH", "unit_return": 0, "brier": None}


def test_a_quarter_line_is_settled_in_halves(scene: Scene) -> None:
    """-0.75 won by one: half wins, half is a push; the exact fraction is kept beside the rounded return."""
    scene.game(sport="soccer", league="EPL")
    publish_id = scene.pick("2.10", "ASIAN_HANDICAP:REGULATION", line=-0.75)

    scene.played(2, 1)

    grade = scene.grade(publish_id)
    assert shown(grade, "outcome summary unit_return_exact log_loss") == {
        "outcome": "HALF_WIN",
        "summary": "WIN",
        "unit_return_exact": "11/20",
        "log_loss": None,
    }
    assert sorted((part["stake"], part["outcome"]) for part in grade["parts"]) == [("1/2", "PUSH"), ("1/2", "WIN")]


def test_an_exact_return_that_no_decimal_holds_is_kept_as_a_fraction(scene: Scene) -> None:
    """-110 pays 10/11."""
    scene.game()
    snapshot_id = scene.snapshots.capture_odds_snapshot(
        "game", "tests", "draftkings", TOTAL, "OVER", 210.5, price_american=-110, raw_payload={}
    )
    prediction_id = scene.prediction(TOTAL, "OVER", snapshot_id)
    publish_id = scene.publishing.publish_prediction(
        prediction_id, "web", "public", [], {"line": 210.5, "price": -110, "book": "draftkings"}, is_official=True
    )

    scene.played(120, 100)

    expected = {"unit_return": Decimal("0.909090909091"), "unit_return_exact": "10/11"}
    assert expected == shown(scene.grade(publish_id), "unit_return unit_return_exact")


@pytest.mark.parametrize(
    ("price", "bin_from"), [("2.58", 0.29), ("2.57", 0.28), ("2.5799", 0.28), ("2.20", 0.1), ("1.86", -0.07), ("2", 0)]
)
def test_a_whole_per_cent_of_closing_line_value_is_in_its_own_bin(scene: Scene, price: str, bin_from: float) -> None:
    """To a double, a hundred times 0.29 is less than 29, and a hundred times -0.07 less than -7."""
    scene.game()
    scene.pick(price)
    scene.later(hours=1)
    scene.odds("2.00")

    scene.played(110, 100)
    scene.owner.run_once()

    bins = scene.store.query("clv_histogram").to_pylist()
    assert bins == [{"origin": "LIVE", "clv_from": bin_from, "picks": 1}]


def test_what_was_not_published_as_official_is_never_graded(scene: Scene) -> None:
    """Neither a prediction alone nor an unofficial publish counts."""
    scene.game()
    leg = scene.leg()
    publish_id = scene.publish(leg["prediction_id"], leg["ticket_terms"], official=False)

    scene.played(110, 100)

    assert scene.grades(publish_id) == []
    assert scene.ask(publish_id)["pending_because"] == "not published as official"


def test_a_publish_that_came_after_the_start_is_shown_and_never_graded(scene: Scene) -> None:
    """The start that the calendar had was wrong: what turns out invalid later says so."""
    scene.game()
    publish_id = scene.pick()
    scene.later(hours=1)
    scene.events.start_event("game", scene.clock.at - timedelta(hours=2))
    scene.events.record_result("game", 110, 100)

    assert scene.grades(publish_id) == []
    assert scene.ask(publish_id)["pending_because"] == "not a valid pick: AFTER_START"


def test_a_second_channel_is_a_second_publish_and_no_second_pick(scene: Scene) -> None:
    """The track record counts a prediction once, by its first official publish."""
    scene.game()
    leg = scene.leg()
    first = scene.publish(leg["prediction_id"], leg["ticket_terms"])
    scene.later(minutes=1)
    second = scene.publish(leg["prediction_id"], leg["ticket_terms"], channel="web")

    scene.played(110, 100)

    assert [len(scene.grades(publish_id)) for publish_id in (first, second)] == [1, 0]
    assert shown(scene.ask(), "graded voided pending") == {"graded": 1, "voided": 0, "pending": 0}


def test_the_grade_cites_all_that_it_was_decided_from(scene: Scene) -> None:
    """Prediction, result, start, close, rulebook and version of the code; decided when the newest input was known."""
    scene.game()
    publish_id = scene.pick()
    close_id = scene.odds("1.85")
    result_id = scene.played(110, 100)

    grade = scene.grade(publish_id)
    [(start_id,)] = scene.rows("SELECT start_id FROM events")
    assert ([result_id], [start_id], close_id) == (
        grade["result_ids"],
        grade["start_ids"],
        grade["close_snapshot_id"],
    )
    assert (grade["rulebook"], grade["rulebook_version"], grade["decision_version"]) == ("nba", "1", "grader-3")
    assert START + timedelta(hours=3) == grade["decided_at"]


def test_the_closing_line_value_is_of_the_last_price_before_the_start(scene: Scene) -> None:
    """A price from after the start is no close; all sides of the close come from one look."""
    scene.game()
    publish_id = scene.pick("2.00", "MONEYLINE:FULL_GAME")
    scene.later(hours=9)
    close_id = scene.odds("1.80", "MONEYLINE:FULL_GAME")
    scene.odds("2.00", "MONEYLINE:FULL_GAME", "AWAY")
    scene.played(110, 100)
    scene.odds("1.10", "MONEYLINE:FULL_GAME")

    grade = scene.grade(publish_id)
    assert (close_id, None, "multiplicative") == (
        grade["close_snapshot_id"],
        grade["close_reason"],
        grade["no_vig_method"],
    )
    fair = (1 / 1.8) / (1 / 1.8 + 1 / 2)
    assert pytest.approx((2 / 1.8 - 1, 1 / 1.8 - 1 / 2, 2 * fair - 1)) == (
        grade["clv_price"],
        grade["clv_probability"],
        grade["clv_ev"],
    )


def test_a_pick_of_the_running_game_has_no_closing_line_value(scene: Scene) -> None:
    """6.00 when behind is no better than 1.50 before the start: graded, and no part of averages and coverage."""
    scene.game()
    before = scene.pick("1.60", "MONEYLINE:FULL_GAME")
    scene.later(hours=1)
    scene.odds("1.50", "MONEYLINE:FULL_GAME")
    scene.clock.at = START
    scene.events.start_event("game")
    scene.later(hours=1)
    leg = scene.leg("6.00", "MONEYLINE:FULL_GAME")
    running = scene.publish(leg["prediction_id"], leg["ticket_terms"], in_play=True)
    scene.later(hours=2)
    scene.events.record_result("game", 110, 100)

    expected = {"unit_return": 5, "clv_price": None, "close_snapshot_id": None, "close_reason": "IN_PLAY"}
    assert expected == shown(scene.grade(running), list(expected))
    assert pytest.approx(1.6 / 1.5 - 1) == scene.grade(before)["clv_price"]
    performance = "SELECT picks, clv_n, beat_close_rate FROM performance_rollups WHERE cohort = 'all'"
    assert scene.rows(performance) == [(2, 1, 1)]
    assert scene.rows("SELECT picks, with_clv FROM clv_coverage") == [(1, 1)]
    [check] = [row for row in scene.store.query("audit").to_pylist() if row["check"] == 4]
    assert check["offenders"] == 0


def test_a_ticket_that_names_no_book_is_of_the_book_of_its_snapshot(scene: Scene) -> None:
    """Its price was seen there, so that no other book's close stands in."""
    scene.game()
    leg = scene.leg("2.00", "MONEYLINE:FULL_GAME")
    publish_id = scene.publish(leg["prediction_id"], {"price": "2.00"})
    scene.later(hours=1)
    scene.odds("1.80", "MONEYLINE:FULL_GAME")
    scene.odds("1.70", "MONEYLINE:FULL_GAME", book="pinnacle")
    scene.played(110, 100)

    expected = {"close_book": "draftkings", "close_reason": None, "clv_price": pytest.approx(2 / 1.8 - 1)}
    assert expected == shown(scene.grade(publish_id), list(expected))


def test_a_book_is_one_cohort_however_tickets_write_it(scene: Scene) -> None:
    """Spelled as the odds spell it; only what has neither price nor book is filed under no price."""
    scene.game()
    for told in ({"book": "draftkings"}, {"book": " DraftKings"}, {}):
        leg = scene.leg("2.00", "MONEYLINE:FULL_GAME")
        scene.publish(leg["prediction_id"], {"price": "2.00", **told})
    scene.publish(scene.prediction("MONEYLINE:FULL_GAME", snapshot_id=scene.odds("2.00", "MONEYLINE:FULL_GAME")), {})
    scene.game("other")
    legs = [scene.leg(), scene.leg("2.00", event_id="other")]
    del legs[0]["ticket_terms"]["book"]
    legs[1]["ticket_terms"]["book"] = "DRAFTKINGS"
    scene.parlay(*legs)
    scene.played(110, 100)
    scene.played(110, 100, "other")

    books = "SELECT cohort_key, picks FROM performance_rollups WHERE cohort = 'book' ORDER BY ALL"
    assert scene.rows(books) == [("draftkings", 4), ("no price", 1)]


def test_the_own_book_is_found_however_the_ticket_writes_it(scene: Scene) -> None:
    """The publishing service takes DraftKings for draftkings; so does the close."""
    scene.game()
    leg = scene.leg("2.00", "MONEYLINE:FULL_GAME")
    publish_id = scene.publish(leg["prediction_id"], {"price": "2.00", "book": "DraftKings"})
    scene.later(hours=1)
    scene.odds("1.80", "MONEYLINE:FULL_GAME")
    scene.played(110, 100)

    assert shown(scene.grade(publish_id), "close_book close_reason") == {
        "close_book": "draftkings",
        "close_reason": None,
    }


def test_a_pick_whose_market_nobody_looked_at_again_counts_in_no_average(scene: Scene) -> None:
    """Its close is its own snapshot: the grade cites it, and the coverage stands beside the mean of the other."""
    scene.game()
    scene.game("unseen")
    seen_again = scene.pick("2.00", "MONEYLINE:FULL_GAME")
    unseen = scene.pick("2.00", "MONEYLINE:FULL_GAME", event_id="unseen")
    scene.later(hours=1)
    scene.odds("1.80", "MONEYLINE:FULL_GAME")
    scene.played(110, 100)
    scene.played(110, 100, "unseen")

    expected = {"close_reason": "NO_LATER_PRICE", "close_price_decimal": 2, "clv_price": None, "clv_probability": None}
    grade = scene.grade(unseen)
    assert expected == shown(grade, list(expected))
    assert scene.rows(f"SELECT market_snapshot_id_used FROM graded_picks WHERE publish_id = '{unseen}'") == [
        (grade["close_snapshot_id"],)
    ]
    assert scene.grade(seen_again)["close_reason"] is None
    [overall] = scene.store.query("performance").to_pylist()
    assert (2, 1, pytest.approx(2 / 1.8 - 1), 1) == tuple(
        overall[name] for name in ("picks", "clv_n", "avg_clv", "beat_close_rate")
    )
    assert scene.rows("SELECT picks, with_clv, most_common_reason FROM clv_coverage") == [(2, 1, "NO_LATER_PRICE")]


@pytest.mark.parametrize(
    ("line", "price", "other", "verdict"),
    [
        (-5.5, "1.80", None, "yes"),
        (-5.5, "1.91", None, "equal"),
        (-5.5, "2.00", "1.50", "no"),
        (-7.0, "1.91", None, "yes"),
        (-4.0, "2.00", None, "no"),
        (-7.0, "2.10", None, None),
        (-7.0, "1.95", "1.87", "yes"),
        (-5.0, "1.70", "2.20", "yes"),
        (-4.0, "1.80", "2.02", "no"),
    ],
)
def test_whether_a_pick_beat_the_close_is_told_as_for_a_spreadsheet(
    scene: Scene, line: float, price: str, other: str | None, verdict: str | None
) -> None:
    """-5.5 at 1.91: by the price at the same line, by a model where all sides are known, else where both agree."""
    scene.game()
    publish_id = scene.pick()
    scene.later(hours=1)
    scene.odds(price, line=line)
    if other is not None:
        scene.odds(other, selection="AWAY", line=-line)

    scene.played(110, 100)

    model = margin_model("nba", "spread")
    told = closing_line_value(
        "HOME",
        Terms(Fraction(-11, 2), Fraction("1.91")),
        Terms(Fraction(line), Fraction(price)),
        [] if other is None else [Fraction(other)],
        margin=lambda fair: None if model is None else model.chances("home", -5.5, line, fair),
    )
    assert scene.grade(publish_id)["close_line"] == line
    assert scene.rows("SELECT beat_close FROM graded_picks") == [(told.beat_close,)] == [(verdict,)]
    performance = "SELECT beat_close_n, beat_close_rate FROM performance_rollups WHERE cohort = 'all'"
    assert scene.rows(performance) == [(verdict is not None, None if verdict is None else verdict == "yes")]


def test_a_moved_line_is_worth_points_and_no_price(scene: Scene) -> None:
    """-5.5 against a close of -7: a point and a half better; the prices are of different bets."""
    scene.game()
    publish_id = scene.pick()
    scene.later(hours=1)
    scene.odds("1.91", line=-7)

    scene.played(110, 100)

    assert shown(scene.grade(publish_id), "clv_points clv_price close_line") == {
        "clv_points": 1.5,
        "clv_price": None,
        "close_line": -7.0,
    }


def test_a_forecast_without_a_price_is_graded_without_units(scene: Scene) -> None:
    """It wins or loses and is scored; it returns nothing, and has no closing line value."""
    scene.game()
    publish_id = scene.publish(scene.prediction("MONEYLINE:FULL_GAME", p_cover=0.7), {})

    scene.played(110, 100)

    expected = {"outcome": "WIN", "unit_return": None, "clv_price": None, "close_reason": "NO_PRICE_ON_THE_TICKET"}
    grade = scene.grade(publish_id)
    assert expected == shown(grade, list(expected))
    assert pytest.approx(0.09) == grade["brier"]


def test_a_push_without_a_price_is_in_no_return(scene: Scene) -> None:
    """Nor is a void: nothing was staked, so there is no ROI, and none of a priced pick beside them is diluted."""
    scene.game()
    scene.game("off")
    scene.game("priced")
    scene.pick(event_id="priced")
    push = scene.publish(scene.prediction("DRAW_NO_BET:FULL_GAME"), {})
    void = scene.publish(scene.prediction("DRAW_NO_BET:FULL_GAME", event_id="off"), {})
    scene.events.change_status("off", "CANCELLED")
    scene.played(100, 100)

    told = "outcome unit_return unit_return_exact"
    for publish_id, outcome in ((push, "PUSH"), (void, "VOID")):
        expected = {"outcome": outcome, "unit_return": None, "unit_return_exact": None}
        assert expected == shown(scene.grade(publish_id), told)
    returns = (
        "SELECT picks, pushes, voids, priced, total_units, roi, events FROM performance_rollups WHERE cohort = 'all'"
    )
    assert scene.rows(returns) == [(2, 1, 1, 0, None, None, 0)]

    scene.played(110, 100, "priced")

    assert scene.rows(returns) == [(3, 1, 1, 1, Decimal("0.91"), pytest.approx(0.91), 1)]


def test_a_result_that_tells_only_the_winner_settles_who_won(scene: Scene) -> None:
    """No score is invented: a moneyline is settled, a spread of the same game is UNGRADEABLE with its reason."""
    scene.game()
    who_won = scene.publish(scene.prediction("MONEYLINE:FULL_GAME", "AWAY"), {})
    by_how_much = scene.pick()

    scene.played(None, None, winner="away")

    assert scene.grade(who_won)["outcome"] == "WIN"
    grade = scene.grade(by_how_much)
    assert (grade["outcome"], grade["unit_return"]) == ("UNGRADEABLE", None)
    assert grade["reason"]


def test_a_price_that_cannot_be_read_stops_no_other_pick(scene: Scene) -> None:
    """What another producer wrote: UNGRADEABLE, with the reason that the price has."""
    scene.game()
    scene.game("other")
    unreadable, sound = scene.unreadable_pick(), scene.pick(event_id="other")

    scene.played(110, 100)
    scene.played(110, 100, "other")

    grade = scene.grade(unreadable)
    assert (grade["outcome"], grade["reason"]) == ("UNGRADEABLE", "odds: 'abc' is not a number")
    assert scene.grade(sound)["outcome"] == "WIN"
    assert scene.rows("SELECT wins, ungradeable FROM performance_rollups WHERE cohort = 'all'") == [(1, 1)]


def test_a_pick_that_the_grader_fails_on_is_ungradeable_and_stops_no_other(scene: Scene) -> None:
    """Lines that are further apart than a float reaches: on record and counted, with what to do about it."""
    scene.game()
    scene.game("other")
    faulty, sound = scene.unreadable_pick("1.91", line=-1e308), scene.pick(event_id="other")
    scene.later(hours=1)
    scene.foreign_odds(line=1e308)

    scene.played(110, 100)
    scene.played(110, 100, "other")

    expected = {"outcome": "UNGRADEABLE", "unit_return": None, "rulebook": "none", "close_reason": "UNREADABLE_CLOSE"}
    grade = scene.grade(faulty)
    assert expected == shown(grade, list(expected))
    assert grade["reason"].startswith("grader: OverflowError: ")
    assert grade["reason"].endswith("; report it, and grade again with --force once mended")
    assert scene.grade(sound)["outcome"] == "WIN"
    assert scene.rows("SELECT wins, ungradeable FROM performance_rollups WHERE cohort = 'all'") == [(1, 1)]


def test_a_sport_without_a_rulebook_is_ungradeable_and_says_what_to_do(scene: Scene) -> None:
    """No rule is no guess; the pick stays counted, and who schedules the event hears of it at once."""
    with pytest.warns(UserWarning, match="'curling'; no pick on 'game' can be graded: write one of golf, mixed, mlb"):
        scene.game(sport="curling")
    publish_id = scene.pick()

    scene.played(7, 5)

    grade = scene.grade(publish_id)
    assert (grade["outcome"], grade["reason"]) == ("UNGRADEABLE", "sport: no rulebook is for 'curling'; add one")
    assert scene.rows("SELECT ungradeable, wins, losses FROM performance_rollups WHERE cohort = 'all'") == [(1, 0, 0)]


def test_a_sport_that_was_mended_is_a_reason_to_grade_again(scene: Scene) -> None:
    """By the rulebook of the new one, though nothing else is new."""
    with pytest.warns(UserWarning, match="unknown word 'basketball'"):
        scene.game(sport="basketball")
    publish_id = scene.pick()
    scene.played(110, 100)
    assert scene.grade(publish_id)["outcome"] == "UNGRADEABLE"
    scene.later(minutes=5)

    scene.game(sport="nba")

    assert shown(scene.grade(publish_id), "outcome revision") == {"outcome": "WIN", "revision": 1}


def test_an_event_that_nobody_scheduled_waits_for_its_schedule_and_stops_no_other_pick(scene: Scene) -> None:
    """Its sport is not known, so no rulebook is its own; once it is scheduled, it is graded."""
    scene.game("scheduled")
    unscheduled, sound = scene.pick(event_id="unscheduled"), scene.pick(event_id="scheduled")
    for event_id in ("unscheduled", "scheduled"):
        scene.played(110, 100, event_id)

    assert scene.grades(unscheduled) == []
    assert scene.grade(sound)["outcome"] == "WIN"
    answer = scene.ask(unscheduled)
    why = "nobody scheduled the event, so its sport is not known: schedule it"
    assert (answer["pending"], answer["pending_because"]) == (1, why)

    scene.game("unscheduled")

    assert scene.grade(unscheduled)["outcome"] == "WIN"


@pytest.mark.parametrize(
    ("selection", "played", "expected"),
    [
        ("OVER:LeBron James", True, "WIN"),
        ("UNDER:lebron james", True, "LOSS"),
        ("OVER:LeBron James", False, "VOID"),
        ("OVER:Jayson Tatum", True, "UNGRADEABLE"),
    ],
)
def test_a_players_prop_is_settled_by_that_players_stat(
    scene: Scene, selection: str, played: bool, expected: str
) -> None:
    """The player's name in any case; who did not play makes no action; who is not told of is no guess."""
    scene.game()
    publish_id = scene.pick("1.91", "PLAYER_POINTS:FULL_GAME", selection, line=25.5)

    told = {"player": "LeBron James", "stat": "points", "value": 31 if played else 0, "played": played}
    scene.played(110, 100, player_stats=(told,))

    assert expected == scene.grade(publish_id)["outcome"]


def test_nothing_is_decided_twice(scene: Scene) -> None:
    """An owner that looks again, or another one over a store made anew, adds no record."""
    scene.game()
    publish_id = scene.pick()
    scene.played(110, 100)
    scene.ask()
    before = scene.size()

    scene.owner.run_once()
    with scene.another_owner() as other:
        other.run_once()

    assert before == scene.size()
    assert len(scene.grades(publish_id)) == 1


def test_a_grade_has_the_same_id_whoever_decides_it(scene: Scene) -> None:
    """A decision's id is made of its inputs: two owners that do not see each other put one grade on record."""
    scene.game()
    scene.pick()
    scene.played(110, 100)

    with scene.another_owner() as other:
        catch_up(scene.log, other.store)
        scene.owner.run_once()
        scene.log.append(Grader(other.store).decide(None))

    assert len(scene.records(PredictionGraded)) == 1
    assert scene.log.conflicts() == []


def test_of_two_owners_that_race_the_one_that_read_less_has_not_the_last_word(scene: Scene) -> None:
    """Both make the first revision, and the tie goes to a result that was told late: the newest is graded once more."""
    scene.game()
    scene.pick()
    scene.clock.at = START + timedelta(hours=10)
    scene.log.append([make(ResultRecorded, "game", START + timedelta(hours=3), home=100, away=110, periods=())])

    with scene.another_owner() as other:
        catch_up(scene.log, other.store)
        newer = make(
            ResultRecorded,
            "game",
            START + timedelta(hours=4),
            number=1,
            origin="BACKFILL",
            home=110,
            away=100,
            periods=(),
        )
        scene.log.append([newer])
        scene.owner.run_once()
        scene.log.append(Grader(other.store).decide(None))

    assert scene.rows("SELECT revision, outcome FROM gradings ORDER BY revision DESC, grade_id DESC") == [
        (1, "WIN"),
        (0, "LOSS"),
        (0, "WIN"),
    ]
    assert scene.log.conflicts() == []
