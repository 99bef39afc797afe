"""The Python blocks of docs/analysts.md, over a folder that holds something."""

import re
from pathlib import Path

import pytest

from tests.onrecord.conftest import Run
from tests.onrecord.processes import ended, start, up
from tests.onrecord.season import season_file

DOC = Path(__file__).parents[2] / "docs" / "analysts.md"


def blocks() -> list[str]:
    """The Python of the document."""
    return re.findall(r"```python[^\n]*\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)


# DuckDB's own call of pandas.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.drop")
def test_the_blocks_run_where_the_document_says(
    tmp_path: Path, spawn: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Given a season on record in the default folder, an owner that published it, and Parquet beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONRECORD_HOME", "onrecord-data")
    with up(publish_every_s="0.1"):
        ended(start("import", "--no-calibrate", "football-data", season_file(tmp_path, matches=20)))
    spawn("parquet")

    names: dict[str, object] = {}
    for block in blocks():
        exec(block, names)  # noqa: S102 - our own document

    assert len(blocks()) == 3
    assert len(names["picks"]) == len(names["graded"]) > 0  # type: ignore[arg-type]
    assert set(names["odds"]["book"]) == {"pinnacle"}  # type: ignore[index]
    assert "published_at" in capfd.readouterr().out
