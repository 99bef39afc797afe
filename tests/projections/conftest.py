"""Given records on a log, when the store has caught up, then its tables say."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eventlog.clock import ManualClock
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.store import Store
from schemas.record import Record
from tests.projections.laws import empty
from tests.records import NOON

Rows = list[tuple[Any, ...]]
Given = Callable[..., None]
When = Callable[[], int]
Then = Callable[[str], Rows]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon."""
    return ManualClock(NOON)


@pytest.fixture
def log(clock: ManualClock) -> Iterator[SqliteLog]:
    """An empty log."""
    source = SqliteLog(":memory:", clock)
    yield source
    source.close()


@pytest.fixture(scope="session")
def one_store() -> Iterator[Store]:
    """Made once: that takes a quarter of a second."""
    store = Store()
    yield store
    store.close()


@pytest.fixture
def store(one_store: Store) -> Store:
    """A store that has folded nothing."""
    empty(one_store)
    return one_store


@pytest.fixture
def given(log: SqliteLog) -> Given:
    """Put records on the log."""

    def put(*records: Record) -> None:
        log.append(records)

    return put


@pytest.fixture
def when_folded(log: SqliteLog, store: Store) -> When:
    """Let the store catch up; gives the number of records folded."""
    return lambda: catch_up(log, store)


@pytest.fixture
def then(store: Store) -> Then:
    """The rows of a query."""
    return lambda sql: store.rows(sql)
