"""The embedded host's raw feeds: a file that is put into `feeds/<feed>` is handled, put on record and removed."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from eventlog.clock import Clock
from eventlog.log import EventLog
from producers.raw_feeds import FEEDS, RawAnswer, RawFeeds

FILES_A_TURN = 200


@dataclass(frozen=True)
class FeedFolder:
    """`folder` holds one folder a feed; a file is named `<provider>.<anything>`, and one that begins with a dot waits.

    Write a file under a name with a dot, then rename it: a half of it must not be read. Its time is its last change.
    """

    folder: Path
    log: EventLog
    feeds: RawFeeds
    clock: Clock
    say: Callable[[str], None] = lambda _text: None
    _told: set[Path] = field(default_factory=set)

    def prepare(self) -> None:
        """Make the folders."""
        for feed in FEEDS:
            (self.folder / feed).mkdir(parents=True, exist_ok=True)

    def take(self) -> int:
        """Handle the files that are there, the oldest first; gives how many that were.

        One that cannot be read or removed stays, and is told once; so does one with a time to come that cannot be given
        another, until then. One that was withdrawn is gone.
        """
        taken = 0
        for path in self._waiting():
            taken += self._handle(path)
            if taken == FILES_A_TURN:
                break
        return taken

    def _handle(self, path: Path) -> bool:
        try:
            self.log.append(self.feeds.records(self._answer(path)))
            path.unlink()  # it is on record: a crash before this handles it again, to no effect
        except FileNotFoundError:
            return False
        except OSError as error:
            if path not in self._told:
                self._told.add(path)
                self.say(f"the feed {path} stays: {error.strerror}")
            return False
        return True

    def _waiting(self) -> Iterator[Path]:
        for feed in FEEDS:
            here = (self.folder / feed).iterdir()
            files = [path for path in here if path.is_file() and not path.name.startswith(".")]
            yield from sorted(files, key=lambda path: (_changed_ns(path), path.name))

    def _answer(self, path: Path) -> RawAnswer:
        name = os.fsencode(path.name).decode(errors="replace")  # a file may have one that is no UTF-8, no record may
        return RawAnswer(path.parent.name, name.partition(".")[0] or "unknown", self._written(path), path.read_bytes())

    def _written(self, path: Path) -> datetime:
        """When it was: a file from another machine may bear a time to come, and nothing is known before it is here.

        Then the file itself gets the time that it is: ids are made of it, and whoever handles it again must find it.
        """
        now_s = self.clock.now().timestamp()
        if path.stat().st_mtime > now_s:
            os.utime(path, (now_s, now_s))
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # it was withdrawn since it was listed
