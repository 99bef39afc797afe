"""An owner that stays: it folds, decides, tells others how far it is and publishes copies, until it is told to stop.

`onrecord up` and `onrecord project` are this loop; a replica is one that decides nothing, in a folder of its own.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from consumers.lease import OwnedElsewhereError
from consumers.owner import Owner
from eventlog.log import LogError, Positions
from onrecord.stopping import pause
from onrecord.wiring import Say, Workspace

Stop = Callable[[], bool]
Beside = Callable[[], object]
"""What the loop does once a turn, beside folding and deciding."""
COMMAND_TAKES_S = 5.0
"""A command that asks the projections owns them until it is done, most often sooner than that."""
LOOKS_EVERY_S = 0.5
LONGEST_PAUSE_S = 10.0
_NUMBERS = re.compile(r"\d+")
"""Ports and milliseconds: they differ from try to try, and are no news."""


class _StoppedError(Exception):
    """Somebody said stop in the middle of a catch-up."""


@dataclass
class Outage:
    """A log that does not answer: each way of it said once, then tried again, ever more seldom."""

    say: Say
    _told: set[str] = field(default_factory=set)
    _pause_s: float = 0.25
    _since: float = 0.0

    def note(self, error: LogError, stop: Stop) -> None:
        """Say it where it is news, and wait before the next try."""
        if not self._told:
            self._since = time.monotonic()
        gist = _NUMBERS.sub("", str(error))
        if gist not in self._told:
            self.say(f"{error}; trying again until it answers")
        self._told.add(gist)
        pause(self._pause_s, stop)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def over(self) -> None:
        """It answers."""
        if self._told:
            self.say(f"the log answers again, after {time.monotonic() - self._since:.1f} s")
        self._told.clear()
        self._pause_s = 0.25


@dataclass
class Serving:
    """The loop over a workspace; `stop` is asked at each turn.

    `beside` is what it does besides, `watch` looks at it, `beat` is called as long as it is well. While another process
    is the owner a `standby` waits, and any other for a command to be done. An outage of the log is survived; any other
    error ends it.
    """

    workspace: Workspace
    stop: Stop
    say: Say = lambda _text: None
    beside: Sequence[Beside] = ()
    standby: bool = False
    watch: Callable[[Owner], object] = lambda _owner: None
    beat: Callable[[], object] = lambda: None
    _owner: Owner | None = None
    _published: Positions | None = None
    _published_at: float = 0.0
    _outage: Outage = field(init=False)

    def __post_init__(self) -> None:
        self._outage = Outage(self.say)

    def run(self) -> None:
        """Serve until told to stop.

        Raises:
            OwnedElsewhereError: another process stays the owner, and this is no standby.
        """
        with suppress(_StoppedError):
            self._run()

    def _run(self) -> None:
        waiting_since: float | None = None
        while not self.stop():
            self.beat()
            try:
                with self.workspace.owner(self._progress) as owner:
                    settings = self.workspace.settings
                    does = "projects into" if settings.replica else "owns"
                    self.say(f"process {os.getpid()} {does} {settings.home}; Ctrl-C ends it")
                    self._published = None
                    self.workspace.tell(owner.store.positions(), None)
                    self._owner, waiting_since = owner, None
                    self._serve(owner)
            except OwnedElsewhereError as error:
                if waiting_since is None:
                    waiting_since = time.monotonic()
                    if self.standby:
                        self.say(f"standing by: {error}")
                if not self.standby and time.monotonic() - waiting_since > COMMAND_TAKES_S:
                    raise
                pause(LOOKS_EVERY_S, self.stop)
            except LogError as error:  # met while the store was opened or rebuilt; the lease is free meanwhile
                self._outage.note(error, self.stop)

    def _serve(self, owner: Owner) -> None:
        while not self.stop():
            self.beat()
            try:
                for task in self.beside:
                    task()
                folded = self.workspace.turn(owner, self._progress, self._published)
                self.watch(owner)
            except LogError as error:
                self._outage.note(error, self.stop)
                continue
            self._outage.over()
            self._publish(owner)
            if not folded:
                pause(self.workspace.settings.poll_s, self.stop)

    def _publish(self, owner: Owner) -> None:
        positions = owner.store.positions()
        is_due = time.monotonic() - self._published_at >= self.workspace.settings.publish_every_s
        if self._published == positions or not (is_due or self._published is None):
            return
        self.workspace.publish(owner.store)
        self._published, self._published_at = dict(positions), time.monotonic()
        self.workspace.tell_at_rest(owner, self._published)

    def _progress(self, _folded: int, _left: int) -> None:
        # Between two transactions: a long catch-up ends here, and goes on here the next time.
        self.beat()
        if self.stop():
            raise _StoppedError
        if self._owner is not None:  # none while the store is made anew
            self.watch(self._owner)
