"""On a full disk nothing is cut short or called damaged; what to do is said, with the file's name."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from onrecord.whole_file import whole_file
from producers.importers.files import FileRefused
from projections.errors import DuckDBError
from projections.store import Store
from tests.onrecord.conftest import Run

MANY = "SELECT i, 'some text to fill the file ' || i AS t FROM range(200_000) AS r(i)"
ADVICE = "; free some space (or raise the limit), then run this again: what was on record is all there"


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file may be larger meanwhile, which fails where a full disk would."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "txt"])
def test_an_output_without_room_is_named_and_what_was_there_stays(run: Run, tmp_path: Path, ending: str) -> None:
    """A file cut short would be taken for the whole."""
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / f"big.{ending}"
    target.write_text("the one before")
    run("init")

    sql = MANY if ending != "txt" else f"SELECT string_agg(t, '') AS t FROM ({MANY} LIMIT 40_000)"
    with files_up_to(1 << 20):
        error = run("query", sql, "--out", target, check=False).error

    assert error == f"error: {target}: can't be written, File too large{ADVICE}"
    assert ([target], "the one before") == (list(folder.iterdir()), target.read_text())


def test_a_file_is_there_once_it_is_whole(tmp_path: Path) -> None:
    """With the mode of the one before, through a link, and not at all where its writer fails."""
    (tmp_path / "real").write_text("before")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with suppress(KeyError), whole_file(tmp_path / "link") as raw:
        raw.write(b"half")
        raise KeyError

    with whole_file(tmp_path / "link") as raw:
        assert (tmp_path / "real").read_text() == "before"
        raw.write(b"after")

    assert ((tmp_path / "real").read_text(), (tmp_path / "real").stat().st_mode & 0o777) == ("after", 0o640)
    assert {tmp_path / "real", tmp_path / "link"} == set(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """By the name that was asked for, not a draft's."""
    target = tmp_path / "nowhere" / "x.csv"

    with pytest.raises(FileRefused) as refused, whole_file(target):
        pass

    assert f"{target}: can't be written, No such file or directory" == str(refused.value)


def test_a_store_without_room_is_not_called_damaged(tmp_path: Path) -> None:
    """Nor would making it anew help, nor may it be set aside."""
    with files_up_to(4096), pytest.raises(DuckDBError, match="File too large"):
        Store(tmp_path / "new.duckdb", rebuilding=True)


def test_standard_output_without_room_says_what_to_do(home: Path) -> None:
    """Its errors have no file's name."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "onrecord", "query", "SELECT 1", "-f", "csv"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert f"error: what this command writes (standard output?): No space left on device{ADVICE}" in ended.stderr
    assert "Traceback" not in ended.stderr
