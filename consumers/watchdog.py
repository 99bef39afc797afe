"""The watchdog: a worker that holds a partition and stands still while records wait is stuck, and must end.

It runs in a thread of its own with a connection of its own, so that neither a blocked event loop nor a consumer that no
longer fetches can keep it quiet.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from eventlog.log import Lane, LogError, Positions


@dataclass
class Standstill:
    """Counts how many looks in a row a partition that is ours has records waiting and does not move.

    Looks are counted, not seconds: a process that was frozen for a minute was not stuck for a minute.
    """

    allowed_looks: int
    _last: dict[Lane, int] = field(default_factory=dict)
    _looks: dict[Lane, int] = field(default_factory=dict)

    def stuck(self, ours: Collection[Lane], ends: Positions, positions: Positions) -> list[Lane]:
        """The partitions that stood still too long; one that is not ours any more begins anew."""
        for lane in set(self._looks) - set(ours):
            del self._looks[lane]
        for lane in ours:
            at = positions.get(lane, 0)
            waits = at < ends.get(lane, 0)
            still = waits and self._last.get(lane) == at
            self._looks[lane] = self._looks.get(lane, 0) + 1 if still else 0
            self._last[lane] = at
        return sorted(lane for lane, looks in self._looks.items() if looks >= self.allowed_looks)


@dataclass
class Watchdog:
    """Looks every `look_s`; calls `bite` with the partitions that stand still. Brokers that are away prove nothing.

    `look` gives what is ours, the ends, and how far we are. `waits` says whether a record can be read from a position
    on: offsets alone do not tell, since the marker of a transaction takes one too.
    """

    look: Callable[[], tuple[Collection[Lane], Positions, Positions]]
    waits: Callable[[Lane, int], bool]
    bite: Callable[[list[Lane]], None]
    standstill: Standstill
    look_s: float
    _told: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._told.set()

    def _watch(self) -> None:
        while not self._told.wait(self.look_s):
            try:
                ours, ends, positions = self.look()
                still = self.standstill.stuck(ours, ends, positions)
                stuck = [lane for lane in still if self.waits(lane, positions.get(lane, 0))]
            except LogError:
                continue
            if stuck:
                self.bite(stuck)
