"""The one table of what each source leaves unsaid about time, and of what is assumed; docs/importing.md shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from producers.event_identity import League

LONDON = ZoneInfo("Europe/London")
EASTERN = ZoneInfo("America/New_York")

COLLECTION_WEEKDAYS = (1, 4)  # Tuesday and Friday, Monday being 0: when football-data.co.uk says that it collects
COLLECTION_TIME = time(13)

NOON = time(12)
START_TIMES: Mapping[str, time] = MappingProxyType(
    {"soccer": time(15), "nfl": time(13), "nba": time(19), "mlb": time(19), "nhl": time(19)}
)
"""The local time of day, by sport, of a game that comes with a date alone: the same for every source."""


@dataclass(frozen=True, slots=True)
class SourceTimes:
    """What a source says of time, and what stands in for the rest; `assumes` names the fields that are in use.

    `zone`: what its dates and times of day are in; None is the league's own. `scheduled`, `opening`, `closing`: how
    long before the start it was on the calendar, and those prices were taken. `issued`: when on the day of the game a
    forecast came out. `result`: how long after the start the result was known.
    """

    zone: ZoneInfo | None
    says: str
    assumes: tuple[str, ...]
    scheduled: timedelta = timedelta(days=7)
    opening: timedelta = timedelta(hours=12)
    closing: timedelta = timedelta(minutes=1)
    issued: time = time(9)
    result: timedelta = timedelta(hours=3)

    def at(self, of: League, on: date, clock: time | None = None) -> datetime:
        """A date and time of day as UTC; without a time of day, the one that is assumed for the sport."""
        return datetime.combine(on, clock or START_TIMES.get(of.sport, NOON), self.zone or of.zone).astimezone(UTC)


_GAME = ("start", "scheduled", "closing", "result")

TIMES: Mapping[str, SourceTimes] = MappingProxyType(
    {
        "football-data": SourceTimes(
            LONDON,
            says="date; kick-off time from 2019/20 on; which prices are closing ones",
            assumes=("start", "scheduled", "earlier prices", "closing", "result"),
            result=timedelta(hours=2),
        ),
        "forecasts-538": SourceTimes(
            None,
            says="date",
            assumes=("start", "scheduled", "issued", "result"),
            result=timedelta(hours=12),
        ),
        "spi": SourceTimes(
            None,
            says="date",
            assumes=("start", "scheduled", "issued", "result"),
            result=timedelta(hours=12),
        ),
        "nfl-archive": SourceTimes(EASTERN, says="date; that the moneyline is the closing one", assumes=_GAME),
        "nfelo": SourceTimes(
            EASTERN,
            says="season and week; which lines are opening and closing ones",
            assumes=("date: the Sunday of the week", "start", "scheduled", "opening", "closing"),
            opening=timedelta(days=6),
        ),
        "mlb": SourceTimes(
            EASTERN,
            says="date; which moneylines are opening and closing ones",
            assumes=(
                "second game of a day: 4 hours after the first",
                "start",
                "scheduled",
                "opening",
                "closing",
                "result",
            ),
        ),
        "nba": SourceTimes(EASTERN, says="date", assumes=_GAME),
        "odds-snapshots": SourceTimes(EASTERN, says="start; snapshot time, UTC", assumes=()),
        "odds-api-csv": SourceTimes(None, says="start, snapshot time, time of the score, UTC", assumes=()),
        "odds-api": SourceTimes(
            None,
            says="start and the time of each book's update, UTC",
            assumes=("time of the pull: the newest update in it",),
        ),
        "injuries-nba": SourceTimes(EASTERN, says="snapshot time, UTC", assumes=()),
        "injuries-epl": SourceTimes(LONDON, says="snapshot time, UTC", assumes=()),
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
    yield "| format | zone of its dates | the source says | assumed |"
    yield "| --- | --- | --- | --- |"
    for name, times in TIMES.items():
        assumed = "; ".join(_said(times, word) for word in times.assumes) or "nothing"
        yield f"| `{name}` | {times.zone or 'the league’s own'} | {times.says} | {assumed} |"


def _said(times: SourceTimes, word: str) -> str:
    said = {
        "start": "start by sport",
        "issued": f"forecast issued at {times.issued:%H:%M}",
        "result": f"result {_in_words(times.result)} after the start",
        "scheduled": f"calendar {_in_words(times.scheduled)} before",
        "opening": f"opening prices {_in_words(times.opening)} before",
        "closing": f"closing prices {_in_words(times.closing)} before",
        "earlier prices": f"earlier prices on the Tuesday or Friday before at {COLLECTION_TIME:%H:%M}",
    }
    return said.get(word, word)


def _in_words(span: timedelta) -> str:
    units = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
    unit, size = next((unit, size) for unit, size in units if span >= size and not span % size)
    return f"{span // size} {unit}{'s' * (span != size)}"
