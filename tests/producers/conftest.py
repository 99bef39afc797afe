"""What the service tests share."""

from collections.abc import Iterator

import pytest

from tests.producers.stage import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A log in memory with the services on it."""
    with Stage() as stage:
        yield stage
