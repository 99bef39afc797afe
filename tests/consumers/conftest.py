"""A scene for each test."""

from collections.abc import Iterator

import pytest

from projections.store import Store
from tests.consumers.scene import Scene


@pytest.fixture
def scene(store: Store) -> Iterator[Scene]:
    """An empty log and store at nine in the morning."""
    one = Scene(store)
    yield one
    one.close()
