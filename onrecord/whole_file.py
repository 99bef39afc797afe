"""A file that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from producers.importers.files import FileRefused
from projections.drafts import draft_folder


@contextmanager
def whole_file(out: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `out` when all went well, and vanishes otherwise.

    Raises:
        FileRefused: it can't be written; what lay there is as it was.
    """
    if out.exists() and not out.is_file():
        # A device or a pipe is written to; a file renamed over it would replace it.
        with _reported(out), out.open("wb") as raw:
            yield raw
    else:
        with _reported(out):
            target = out.resolve()
            with draft_folder(target.parent, target.name) as drafts:
                yield from _replacing(target, drafts / target.name)


def _replacing(target: Path, draft: Path) -> Iterator[BinaryIO]:
    with draft.open("wb") as raw:
        if target.exists():
            shutil.copymode(target, draft)
        yield raw
    draft.replace(target)


@contextmanager
def _reported(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileRefused(f"{out}: can't be written, {error.strerror or error}") from error
