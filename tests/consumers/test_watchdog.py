"""A worker that holds a partition and stands still while records wait is found out, and nobody else is."""

import threading

from consumers.watchdog import Standstill, Watchdog
from eventlog.log import Lane, LogError

LANE: Lane = ("odds-raw", 0)


def looked(*positions: int, end: int = 10, allowed: int = 3) -> list[list[Lane]]:
    """What each look says while our position goes this way."""
    still = Standstill(allowed)
    return [still.stuck([LANE], {LANE: end}, {LANE: at}) for at in positions]


def test_who_stands_still_while_records_wait_is_stuck() -> None:
    """At the third look after the first at which nothing had moved."""
    assert looked(4, 4, 4, 4) == [[], [], [], [LANE]]


def test_who_moves_is_not_stuck() -> None:
    """However slowly."""
    assert looked(1, 1, 2, 2, 3, 3, 4, 4) == [[]] * 8


def test_who_has_nothing_to_do_is_not_stuck() -> None:
    """At the end there is nothing to move for; what comes later is counted anew."""
    still = Standstill(2)
    for _ in range(5):
        assert still.stuck([LANE], {LANE: 10}, {LANE: 10}) == []

    assert [still.stuck([LANE], {LANE: 11}, {LANE: 10}) for _ in range(3)] == [[], [LANE], [LANE]]


def test_a_partition_that_was_away_begins_anew() -> None:
    """Another worker had it in between."""
    still = Standstill(2)
    still.stuck([LANE], {LANE: 9}, {LANE: 3})
    still.stuck([LANE], {LANE: 9}, {LANE: 3})
    still.stuck([], {LANE: 9}, {})

    assert still.stuck([LANE], {LANE: 9}, {LANE: 3}) == []


def test_the_watchdog_bites_who_is_stuck_and_survives_an_outage() -> None:
    """Brokers that are away prove nothing; a marker at the end of a partition is no record that waits."""
    bitten = threading.Event()
    looks: list[int] = []

    def look() -> tuple[list[Lane], dict[Lane, int], dict[Lane, int]]:
        looks.append(1)
        if len(looks) % 2:
            raise LogError("no broker answers")
        return [LANE, ("odds-raw", 1)], {LANE: 9, ("odds-raw", 1): 9}, {LANE: 3, ("odds-raw", 1): 8}

    found: list[list[Lane]] = []

    def bite(lanes: list[Lane]) -> None:
        found.append(lanes)
        bitten.set()

    watchdog = Watchdog(look, lambda lane, _at: lane == LANE, bite, Standstill(2), look_s=0.001)
    watchdog.start()

    assert bitten.wait(10)
    watchdog.stop()
    assert found[0] == [LANE]
