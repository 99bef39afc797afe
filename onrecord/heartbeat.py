"""A heartbeat: a file that a process touches while it is well; `python -m onrecord.heartbeat FOLDER` looks at it."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

LONGEST_S = 180.0
"""A process that did not beat for so long is not well; the longest wait for brokers is a third of it."""


def heart(folder: Path) -> Callable[[], None]:
    """What a process that works in a folder calls at each turn."""
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / "heartbeat").touch


def is_well(folder: Path, now: float) -> bool:
    """Whether the process that works in the folder has beaten lately."""
    path = folder / "heartbeat"
    return path.exists() and now - path.stat().st_mtime < LONGEST_S


if __name__ == "__main__":
    sys.exit(0 if is_well(Path(sys.argv[1]), time.time()) else 1)
