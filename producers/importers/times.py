"""The one table of what each source leaves unsaid about time, and of what is assumed; docs/importing.md shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
EASTERN = ZoneInfo("America/New_York")

COLLECTION_WEEKDAYS = (1, 4)  # Tuesday and Friday, Monday being 0: when football-data.co.uk says that it collects
COLLECTION_TIME = time(13)


@dataclass(frozen=True, slots=True)
class SourceTimes:
    """What a source says of time, and what stands in for the rest; `assumes` names the fields that are in use.

    `zone`: what its dates and times of day are in. `start`: the time of day of a game that comes with a date alone.
    `scheduled`, `opening`, `closing`: how long before the start it was on the calendar, and those prices were taken.
    `issued`: when on the day of the game a forecast came out. `result`: how long after the start the result was known.
    """

    zone: ZoneInfo
    says: str
    assumes: tuple[str, ...]
    start: time = time(12)
    scheduled: timedelta = timedelta(days=7)
    opening: timedelta = timedelta(days=1)
    closing: timedelta = timedelta(minutes=1)
    issued: time = time(9)
    result: timedelta = timedelta(hours=3)

    def at(self, on: date, clock: time) -> datetime:
        """A local date and time of day as UTC."""
        return datetime.combine(on, clock, self.zone).astimezone(UTC)


TIMES: Mapping[str, SourceTimes] = MappingProxyType(
    {
        "football-data": SourceTimes(
            LONDON,
            says="date; time of the kick-off from 2019/20 on; which prices are closing ones",
            assumes=("start", "scheduled", "earlier prices", "closing", "result"),
            start=time(15),
            result=timedelta(hours=2),
        ),
    }
)


def collected_before(starts_at: datetime) -> datetime:
    """The last collection of football-data.co.uk before a start: Tuesdays and Fridays at 13:00 London time."""
    local = starts_at.astimezone(LONDON)
    days = (local.date() - timedelta(days=back) for back in range(8))
    collected = (datetime.combine(day, COLLECTION_TIME, LONDON) for day in days if day.weekday() in COLLECTION_WEEKDAYS)
    return next(at for at in collected if at < local).astimezone(UTC)


def table_lines() -> Iterator[str]:
    """The table in Markdown, a line a format."""
    yield "| format | zone | the source says | assumed |"
    yield "| --- | --- | --- | --- |"
    for name, times in TIMES.items():
        assumed = "; ".join(_said(times, word) for word in times.assumes) or "nothing"
        yield f"| `{name}` | {times.zone.key} | {times.says} | {assumed} |"


def _said(times: SourceTimes, word: str) -> str:
    if word == "earlier prices":
        return f"{word}: the Tuesday or Friday before, at {COLLECTION_TIME:%H:%M}"
    if word in ("start", "issued"):
        return f"{word} at {getattr(times, word):%H:%M}"
    where = "after" if word == "result" else "before"
    return f"{word} {_in_words(getattr(times, word))} {where} the start"


def _in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            return f"{minutes // size} {unit}{'s' * (minutes != size)}"
    raise AssertionError("a whole number of minutes is a whole number of minutes")
