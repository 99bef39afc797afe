"""Drafts go, however their process ends, and never while it lives."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from projections.drafts import draft_folder
from tests.processes import until_it_says

DRAW = """
import sys, time
from pathlib import Path
from projections.drafts import draft_folder
with draft_folder(Path(sys.argv[1]), "plan") as folder:
    (folder / "half").touch()
    print("drawing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def drawing(tmp_path: Path) -> "subprocess.Popen[str]":
    """Another process amid a draft."""
    return until_it_says("drawing", DRAW, [tmp_path])


def test_a_draft_that_is_moved_away_is_all_that_is_left(tmp_path: Path) -> None:
    """It is whole then."""
    with draft_folder(tmp_path, "plan") as folder:
        (folder / "plan").touch()
        (folder / "scribble").touch()
        (folder / "plan").rename(tmp_path / "plan")

    assert [tmp_path / "plan"] == list(tmp_path.iterdir())


def test_a_draft_of_what_failed_goes(tmp_path: Path) -> None:
    """With all that lies in it."""
    with suppress(OSError), draft_folder(tmp_path, "plan") as folder:
        (folder / "half").touch()
        raise OSError("the disk is full")

    assert not list(tmp_path.iterdir())


def test_the_draft_of_a_killed_process_goes_when_the_next_begins(
    tmp_path: Path, drawing: "subprocess.Popen[str]"
) -> None:
    """Not before: while the process lives it stays; and a draft of another name is none of ours."""
    with draft_folder(tmp_path, "plan"), draft_folder(tmp_path, "other"):
        assert len(list(tmp_path.iterdir())) == 3
    drawing.kill()
    drawing.communicate()
    [left] = tmp_path.iterdir()

    with draft_folder(tmp_path, "other"):
        assert left.exists()
    with draft_folder(tmp_path, "plan"):
        assert not left.exists()
