"""Alerts: what needs somebody, from how an owner stands; each is told when it begins, grows, and is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

AlertName = Literal["LAG", "DEAD_LETTERS", "STALE_ODDS", "CALIBRATION_ROLLED_BACK"]
ROLLED_BACK_FOR = timedelta(days=1)
"""So long a rollback is told as news."""


@dataclass(frozen=True)
class Limits:
    """From where on something is too much; 0 turns an alert off."""

    lag_s: float = 60.0
    stale_odds_s: float = 3600.0


@dataclass(frozen=True)
class Standing:
    """How an owner stands; `lag_s` is the age of the oldest record that it has not folded."""

    at: datetime
    lag_s: float
    dead_letters: int
    newest_odds_at: datetime | None
    rolled_back: str | None
    rolled_back_at: datetime | None


@dataclass(frozen=True)
class Alert:
    """`level` grows as it gets worse: then it is told again."""

    name: AlertName
    text: str
    level: int = 1


def alerts(standing: Standing, limits: Limits) -> Iterator[Alert]:
    """What is wrong now."""
    if limits.lag_s and standing.lag_s > limits.lag_s:
        yield Alert("LAG", f"the oldest record that is not folded is {standing.lag_s:.0f} s old")
    if standing.dead_letters:
        text = f"{standing.dead_letters} dead letters are open: onrecord dead-letters list"
        yield Alert("DEAD_LETTERS", text, standing.dead_letters)
    newest = standing.newest_odds_at
    if limits.stale_odds_s and newest is not None and (standing.at - newest).total_seconds() > limits.stale_odds_s:
        yield Alert("STALE_ODDS", f"no live odds since {newest:%Y-%m-%d %H:%M} UTC")
    told_at = standing.rolled_back_at
    if told_at is not None and standing.at - told_at < ROLLED_BACK_FOR:
        yield Alert("CALIBRATION_ROLLED_BACK", f"calibration {standing.rolled_back} was rolled back")


@dataclass
class Alarms:
    """Remembers what was told."""

    active: dict[str, Alert] = field(default_factory=dict)

    def news(self, found: Sequence[Alert]) -> list[str]:
        """A line for each alert that began or grew, and for each that is over."""
        before, self.active = self.active, {alert.name: alert for alert in found}
        grown = [alert for alert in found if alert.name not in before or alert.level > before[alert.name].level]
        over = [name for name in before if name not in self.active]
        return [*(f"ALERT {alert.name}: {alert.text}" for alert in grown), *(f"over: {name}" for name in over)]
