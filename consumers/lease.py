"""The lease on the DuckDB file: one owner at a time. The kernel lets go of it when its holder dies, however it dies."""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from eventlog.log import Positions, listed, mapped
from projections.generations import replace_file

# Whoever looks whether there is an owner holds a shared lock for an instant: an owner that begins then tries again.
_TRIES_S = (0.0, *(0.01,) * 20)


class OwnedElsewhereError(Exception):
    """Another process is the owner; the message says which."""


class Lease:
    """A lock file in the projections' folder; `with Lease(folder):` holds it.

    `instead` is what can be done while another process does, for the message.
    """

    def __init__(self, folder: Path, instead: str = "work beside it") -> None:
        self.path = folder / "owner.lock"
        self._instead = instead
        self._handle: IO[str] | None = None

    def __enter__(self) -> "Lease":
        if not self.take():
            raise OwnedElsewhereError(f"process {self.holder()} owns {self.path.parent}; stop it, or {self._instead}")
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self) -> bool:
        """Take the lease if nobody holds it."""
        handle = self.path.open("a+", encoding="utf-8")
        if not any(_locked(handle, fcntl.LOCK_EX, after_s) for after_s in _TRIES_S):
            handle.close()
            return False
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def is_held(self) -> bool:
        """Whether some process holds it now; whoever looks is in nobody's way but for an instant."""
        if not self.path.exists():
            return False
        with self.path.open(encoding="utf-8") as handle:
            return not _locked(handle, fcntl.LOCK_SH)

    def holder(self) -> str:
        """The process id of the holder, as it wrote it."""
        return self.path.read_text("utf-8").strip() or "unknown"


def _locked(handle: IO[str], kind: int, after_s: float = 0) -> bool:
    time.sleep(after_s)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True)
class OwnerState:
    """What an owner tells others: how far it has folded, how far its published copy has (None: it has made none).

    `pid` is the owner's, so that what a dead one told is not taken for the word of its successor. `at_rest` names what
    decided, of which log, once that has nothing more to say at these positions.
    """

    positions: Positions
    published: Positions | None
    at: datetime
    pid: int
    at_rest: str | None = None


def write_state(folder: Path, state: OwnerState) -> None:
    """Tell others how far the owner is."""
    published = None if state.published is None else listed(state.published)
    text = {
        "positions": listed(state.positions),
        "published": published,
        "at": state.at.isoformat(),
        "pid": state.pid,
        "at_rest": state.at_rest,
    }
    replace_file(folder / "owner.json", json.dumps(text))


def read_state(folder: Path) -> OwnerState | None:
    """What an owner told last, or None where none ever did, or it cannot be read: the next one tells it anew."""
    path = folder / "owner.json"
    if not path.exists():
        return None
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        text = json.loads(path.read_text("utf-8"))
        published = None if text["published"] is None else mapped(text["published"])
        at = datetime.fromisoformat(text["at"])
        return OwnerState(mapped(text["positions"]), published, at, text.get("pid", 0), text.get("at_rest"))
    return None
