"""Time as an object that is passed in, with a manual twin for tests and replays."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, UTC-aware."""

    def now(self) -> datetime:
        """The time."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The time that was set."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self.at += by
