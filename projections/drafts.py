"""Drafts: what is not whole yet lies in a folder of its own beside its place, which goes however its process ends."""

import fcntl
import glob
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_LOCK = "draft.lock"


@contextmanager
def draft_folder(beside: Path, name: str) -> Iterator[Path]:
    """An empty folder in the folder `beside`, for drafts of `name`; it is removed in the end.

    Those that killed processes left go first; one that is in use stays, as its lock tells.
    """
    for lock in beside.glob(f".{glob.escape(name)}.*/{_LOCK}"):
        _remove_unless_in_use(lock)
    with TemporaryDirectory(prefix=f".{name}.", dir=beside) as folder, _making(Path(folder)).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _making(Path(folder)).rename(Path(folder) / _LOCK)
        yield Path(folder)


def _making(folder: Path) -> Path:
    """The lock until it is held: nobody looks for it under this name."""
    return folder / f"{_LOCK}.making"


def _remove_unless_in_use(lock: Path) -> None:
    try:
        with lock.open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent)
    except (BlockingIOError, FileNotFoundError):
        return  # it is in use, or somebody else has removed it
