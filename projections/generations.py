"""Generations of the DuckDB file: `projections.<n>.duckdb`, and `CURRENT`, which names the one in use.

A rebuild fills the next generation and switches; nothing is ever renamed over an open file (that lost commits: tested).
"""

import os
import re
from pathlib import Path

_NAME = re.compile(r"projections\.(\d+)\.duckdb")
_NUMBERED = re.compile(r"(?:projections|damaged)\.(\d+)\.duckdb")


class Generations:
    """The generations in one folder, which is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def current(self) -> Path | None:
        """The file in use, or None where there is none."""
        pointer = self.folder / "CURRENT"
        if not pointer.exists():
            return None
        path = self.folder / pointer.read_text("utf-8").strip()
        return path if _NAME.fullmatch(path.name) and path.exists() else None

    def next(self) -> Path:
        """A file name that no generation in the folder has had, damaged ones included."""
        numbers = [int(match[1]) for path in self.folder.iterdir() if (match := _NUMBERED.match(path.name))]
        return self.folder / f"projections.{max(numbers, default=0) + 1}.duckdb"

    def switch(self, path: Path) -> None:
        """Make `path` the file in use, atomically, and remove those that nobody needs."""
        replace_file(self.folder / "CURRENT", path.name)
        for old in self.folder.iterdir():
            # Readers that still hold an old file open keep it: unlinking takes only the name away.
            if _NAME.match(old.name) and not old.name.startswith(path.name):
                old.unlink()

    def set_aside(self, path: Path) -> Path:
        """Rename a damaged file and its write-ahead log, for whoever wants to look, and give its new name."""
        for part in (path, path.with_name(path.name + ".wal")):
            if part.exists():
                part.rename(part.with_name(part.name.replace("projections.", "damaged.", 1)))
        return path.with_name(path.name.replace("projections.", "damaged.", 1))


def replace_file(path: Path, text: str) -> None:
    """Put `text` into `path` so that a reader sees either the old or the new content."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)
