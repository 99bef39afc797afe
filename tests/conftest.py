"""Fixtures that tests of several packages share."""

import signal
from collections.abc import Iterator

import pytest

from projections.store import Store


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap servers of a Kafka for the whole run; each test takes topics of its own, by a prefix."""
    from tests.kafka.choice import some_kafka  # not at the top: a run without Kafka needs none of its libraries

    with some_kafka(tmp_path_factory.mktemp("kafka")) as servers:
        yield servers


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    """The store that all scenes are played on: making one takes longer than a test."""
    one = Store()
    yield one
    one.close()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in a shell's background, which has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
