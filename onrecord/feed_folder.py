"""The embedded host's raw feeds: a file that is put into `feeds/<feed>` is handled, put on record and removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

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

    def prepare(self) -> None:
        """Make the folders."""
        for feed in FEEDS:
            (self.folder / feed).mkdir(parents=True, exist_ok=True)

    def take(self) -> int:
        """Handle the files that are there, the oldest first; gives how many that were."""
        taken = 0
        for path in list(self._waiting())[:FILES_A_TURN]:
            self.log.append(self.feeds.records(_answer(path)))
            path.unlink()  # it is on record: a crash before this handles it again, to no effect
            taken += 1
        return taken

    def _waiting(self) -> Iterator[Path]:
        for feed in FEEDS:
            here = (self.folder / feed).iterdir()
            files = [path for path in here if path.is_file() and not path.name.startswith(".")]
            yield from sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _answer(path: Path) -> RawAnswer:
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return RawAnswer(path.parent.name, path.name.partition(".")[0] or "unknown", written, path.read_bytes())
