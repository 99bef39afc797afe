"""What other processes do to a log in tests; each function is the whole work of one process."""

from collections.abc import Callable
from multiprocessing.connection import Connection

from eventlog.log import EventLog
from schemas.events import EventStarted
from tests.records import EVENTS, make


def records(writer: int, first: int, count: int) -> list[EventStarted]:
    """What a writer appends: its own records, of both events in turn."""
    return [make(EventStarted, EVENTS[n % 2], number=writer * 1_000_000 + n) for n in range(first, first + count)]


def write(opener: Callable[[], EventLog], writer: int, batches: int, size: int) -> None:
    """Append batches of the writer's own, each time beside the same record that all writers send."""
    log = opener()
    for number in range(batches):
        log.append([*records(writer, number * size, size), make(EventStarted, number=999_999_999)])
    log.close()


def follow(opener: Callable[[], EventLog], wanted: int, answer: Connection) -> None:
    """Read until so many records have come; send the ids of each partition in the order in which they came.

    Where a record may lie on the log more than once, only its first is taken, as every reader does.
    """
    log, positions, taken = opener(), dict[tuple[str, int], int](), set[str]()
    seen: dict[tuple[str, int], list[tuple[int, str]]] = {}
    while sum(map(len, seen.values())) < wanted:
        batch, moved = log.read(positions, 50)
        positions = dict(moved)
        for row in batch.select(["topic", "partition", "offset", "record_id"]).to_pylist():
            if log.may_repeat and row["record_id"] in taken:
                continue
            taken.add(row["record_id"])
            seen.setdefault((row["topic"], row["partition"]), []).append((row["offset"], row["record_id"]))
    answer.send(seen)
    log.close()


def write_until_killed(opener: Callable[[], EventLog], writer: int, answer: Connection) -> None:
    """Append small batches without end, and tell of each once it is acknowledged."""
    log, number = opener(), 0
    while True:
        batch = records(writer, number, 5)
        log.append(batch)
        answer.send([record.record_id for record in batch])
        number += 5


def open_and_tell(opener: Callable[[], EventLog], answer: Connection) -> None:
    """Open the log, which may not be there yet, append once, and send its id."""
    log = opener()
    log.append(records(7, 0, 1))
    answer.send(log.log_id)
    log.close()
