"""A scene for each test."""

from collections.abc import Iterator

import pytest

from tests.consumers.scene import Scene


@pytest.fixture
def scene() -> Iterator[Scene]:
    """An empty log at nine in the morning."""
    one = Scene()
    yield one
    one.close()
