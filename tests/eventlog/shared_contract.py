"""The part of the log's contract that needs a log which several handles and processes can open."""

import random
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import chain
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from eventlog.log import EventLog, reached
from schemas.ids import hashed_id
from schemas.record import Record
from tests.eventlog import processes
from tests.eventlog.contract import LogContract, Opener, by_id, drained, records_in, started

SPAWN = get_context("spawn")
WAIT_S = 120
Handle = Callable[[], EventLog]
ROOT = Path(__file__).parents[2]


class SharedLogContract(LogContract):
    """What holds for a log that outlives the object."""

    @abstractmethod
    def new_opener(self) -> Opener:
        """What opens one log that has never been used, again and again, in any process."""

    @abstractmethod
    def append_behind_gap(self, log: EventLog, record: Record) -> None:
        """Append a record so that offsets between it and the one before are missing."""

    @pytest.fixture
    def opener(self) -> Opener:
        """Opens the same log each time, in any process."""
        return self.new_opener()

    @pytest.fixture
    def handle(self, opener: Opener) -> Iterator[Handle]:
        """Opens the same log each time, here; closed at the end."""
        with ExitStack() as stack:
            yield lambda: stack.enter_context(closing(opener()))

    @pytest.fixture
    def begin(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SpawnProcess]]:
        """Starts a process; those that are left at the end are killed."""
        monkeypatch.syspath_prepend(ROOT)  # a spawned process takes over the path, and imports this package by it
        running: list[SpawnProcess] = []

        def start(work: Callable[..., None], *arguments: Any) -> SpawnProcess:
            process = SPAWN.Process(target=work, args=arguments)
            process.start()
            running.append(process)
            for end in arguments:
                if isinstance(end, Connection):
                    end.close()  # so that its other end hears when the process is gone
            return process

        yield start
        for process in running:
            process.kill()
            process.join(WAIT_S)

    def test_what_was_appended_is_there_for_the_next_handle(self, handle: Callable[[], EventLog]) -> None:
        """Durable when the append returns; the log keeps its id."""
        first = handle()
        first.append([started(1), started(1, producer="other")])
        first.close()
        second = handle()
        assert ([started(1)], first.log_id, 1) == (records_in(drained(second)), second.log_id, len(second.conflicts()))

    def test_a_handle_sees_what_another_appends(self, handle: Handle) -> None:
        """At once, and knows its record_ids."""
        writer, reader = handle(), handle()
        assert drained(reader) == []
        target = writer.append([started(1)])
        assert reached(reader.end(), target)
        reader.append([started(1)])
        assert [started(1)] == records_in(drained(reader)) == records_in(drained(writer))

    def test_offsets_may_have_gaps(self, handle: Handle) -> None:
        """Readers go over them, whatever their limit, and reach the end."""
        log = handle()
        log.append([started(1), started(2)])
        self.append_behind_gap(log, started(3))
        log.append([started(4)])
        for limit in (1, 2, 3, 100):
            assert by_id([started(n) for n in (1, 2, 3, 4)]) == by_id(records_in(drained(log, limit)))

    def test_processes_may_open_a_new_log_at_once(
        self, opener: Opener, handle: Handle, begin: Callable[..., SpawnProcess]
    ) -> None:
        """One of them makes it; all see the same one."""
        pipes = [SPAWN.Pipe(duplex=False) for _ in range(4)]
        started_processes = [begin(processes.open_and_tell, opener, answer) for _, answer in pipes]
        ids = {_receive(ear) for ear, _ in pipes}
        _finish(started_processes)
        log = handle()
        assert ({log.log_id}, 1) == (ids, len(drained(log)))

    def test_processes_may_append_and_read_at_once(
        self, opener: Opener, handle: Handle, begin: Callable[..., SpawnProcess]
    ) -> None:
        """Nothing is lost, nothing doubled, and a reader beside them sees growing offsets without a hole."""
        writers, batches, size = 3, 20, 10
        ear, answer = SPAWN.Pipe(duplex=False)
        follower = begin(processes.follow, opener, writers * batches * size + 1, answer)
        writing = [begin(processes.write, opener, writer, batches, size) for writer in range(writers)]
        seen = _receive(ear)
        _finish([*writing, follower])
        for places in seen.values():
            assert sorted(places) == places
        expected = {r.record_id for w in range(writers) for r in processes.records(w, 0, batches * size)}
        ids = [record_id for places in seen.values() for _, record_id in places]
        assert Counter({*expected, started(999_999_999).record_id}) == Counter(ids)
        log = handle()
        assert sorted(ids) == sorted(row["record_id"] for row in drained(log))
        assert log.conflicts() == []

    def test_a_writer_that_is_killed_loses_nothing_that_was_acknowledged(
        self, opener: Opener, handle: Handle, begin: Callable[..., SpawnProcess]
    ) -> None:
        """Each acknowledged record is there, once; the next writer goes on as if nothing had been."""
        rng = random.Random(hashed_id("kill"))
        acknowledged: list[str] = []
        for writer in range(4):
            ear, answer = SPAWN.Pipe(duplex=False)
            process = begin(processes.write_until_killed, opener, writer, answer)
            acknowledged += _receive(ear)
            time.sleep(rng.uniform(0, 0.3))
            process.kill()
            process.join(WAIT_S)
            acknowledged += chain.from_iterable(_rest(ear))
        log = handle()
        count = Counter(row["record_id"] for row in drained(log))
        assert ({1}, set()) == (set(count.values()), set(acknowledged) - set(count))
        log.append([started(999_999_999)])
        assert started(999_999_999) in records_in(drained(log))


def _receive(ear: Any) -> Any:
    assert ear.poll(WAIT_S), "a process has not answered"
    return ear.recv()


def _rest(ear: Any) -> Iterator[list[str]]:
    # The last message may have been cut short by the kill.
    try:
        while True:
            yield ear.recv()
    except (EOFError, OSError):
        ear.close()


def _finish(some: list[SpawnProcess]) -> None:
    for process in some:
        process.join(WAIT_S)
    assert [0] * len(some) == [process.exitcode for process in some]
