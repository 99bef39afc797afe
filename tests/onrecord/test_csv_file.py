"""CSV files as they come: every row comes back, and a file that can't be read is refused in one line."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from onrecord.csv_file import FileRefused, RowError, grade_rows

ADDED = ("outcome", "reason")


def doubled(row: Mapping[str, str]) -> Mapping[str, str]:
    """A grade for the tests: twice the number in `a`."""
    try:
        return {"outcome": str(2 * int(row["a"]))}
    except ValueError:
        raise RowError("a: is no number") from None


def written(tmp_path: Path, content: bytes) -> Path:
    """A file with this content."""
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    return path


def rows_of(text: str) -> list[list[str]]:
    """The cells of a CSV text."""
    return list(csv.reader(io.StringIO(text, newline="")))


def run(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[list[str]], list[str]]:
    """Rows on standard output and lines on standard error."""
    grade_rows(path, None, ADDED, doubled, ["a"], bad={"outcome": "BAD"})
    captured = capsys.readouterr()
    return rows_of(captured.out), captured.err.splitlines()


def test_rows_come_back_in_order_with_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All input columns are kept as they are; standard output holds data only."""
    rows, errors = run(written(tmp_path, b" A ,note\n3,x\n1,\n"), capsys)
    assert [[" A ", "note", *ADDED], ["3", "x", "6", ""], ["1", "", "2", ""]] == rows
    assert errors == []


@pytest.mark.parametrize(
    "content",
    ["a,é\n1,ü\n".encode(), "\ufeffa,é\r\n1,ü\r\n".encode(), "a,é\n1,ü\n".encode("cp1252"), "a,é\r1,ü\r".encode()],
    ids=["utf-8", "byte order mark, CRLF", "windows-1252", "old Mac"],
)
def test_encodings_and_line_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    """UTF-8 with or without a byte order mark, else Windows-1252."""
    rows, _ = run(written(tmp_path, content), capsys)
    assert [["a", "é", *ADDED], ["1", "ü", "2", ""]] == rows


def test_bad_rows_are_kept_and_named_with_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The physical line where the row starts, though a cell before it has a line break."""
    rows, errors = run(written(tmp_path, b'a,b\n1,"x\ny"\n\nfour,z\n2,z\n'), capsys)
    assert rows[1:] == [["1", "x\ny", "2", ""], ["four", "z", "BAD", "a: is no number"], ["2", "z", "4", ""]]
    assert errors == ["line 5: a: is no number"]


def test_missing_and_surplus_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A short row is filled with empty cells, surplus ones stand at its end; neither ends the run."""
    rows, errors = run(written(tmp_path, b"a,b,c\n1\n1,2,3,4,5\n1,2,3\n"), capsys)
    assert [row[:4] for row in rows[1:]] == [["1", "", "", "BAD"], ["1", "2", "3", "BAD"], ["1", "2", "3", "2"]]
    assert rows[2][5:] == ["4", "5"]
    assert errors[0] == "line 2: b: missing, the row has 1 cells and the header 3"
    assert errors[1] == "line 3: row: 5 cells where the header has 3 columns"


def test_a_broken_quotation_costs_one_line_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stray quotation mark does not swallow the rest of the file."""
    rows, errors = run(written(tmp_path, b'a,b\n1,"x\n2,y\n3,"z"w\n4,v\n'), capsys)
    assert [row[2] for row in rows[1:]] == ["BAD", "4", "BAD", "8"]
    assert [error.partition(":")[0] for error in errors] == ["line 2", "line 4"]
    assert rows[1][:2] == ["1", '"x']


def test_nul_bytes_and_carriage_returns_survive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A NUL makes a bad row; a lone carriage return inside quotes comes back as it was."""
    rows, errors = run(written(tmp_path, b'a,b\n1,\x00\n2,"x\ry"\n'), capsys)
    assert rows[1:] == [["1", "\0", "BAD", "b: holds a NUL byte"], ["2", "x\ry", "4", ""]]
    assert errors == ["line 2: b: holds a NUL byte"]


def test_long_cells_are_read(tmp_path: Path) -> None:
    """Beyond the csv module's own limit, which is put back afterwards."""
    before = csv.field_size_limit()
    out = tmp_path / "out.csv"
    grade_rows(written(tmp_path, b"a,b\n1," + b"x" * 200_000 + b"\n"), out, ADDED, doubled, ["a"])
    assert (True, before) == (out.read_text().endswith("x,2,\n"), csv.field_size_limit())


def test_reasons_on_standard_error_are_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reason that quotes a line break or an escape does not break the list, nor does half a surrogate."""

    def grade(row: Mapping[str, str]) -> Mapping[str, str]:
        raise RowError("a: \x1b[2J\n\ud800", {"outcome": row["a"]})

    grade_rows(written(tmp_path, b"a\n7\n"), None, ADDED, grade, ["a"])
    captured = capsys.readouterr()
    assert rows_of(captured.out)[1][1] == "7"
    assert len(captured.err.splitlines()) == 1
    assert "\x1b" not in captured.err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x1f\x8b\x08\x00garbage\x00\n", "is "),
        (b"a,\x00b\n1,2\n", "is not a CSV file"),
        ("a\n1\n".encode("utf-16"), "is UTF-16"),
        (b"a,b\n\x81\x8d\xff\n", "is neither UTF-8 nor Windows-1252"),
        (b"b,c\n1,2\n", "has no column a"),
        (b"a;b\n1;2\n", "its columns are separated by semicolons: save it with commas"),
        (b"a\tb\n1\t2\n", "its columns are separated by tabs: save it with commas"),
        (b"a,b,A \n1,2,3\n", "has more than one column named a"),
        (b"a,Outcome\n1,2\n", "has columns that the answer adds, rename outcome"),
        (b'"a,b\n1,2\n', "is not a CSV file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, problem: str
) -> None:
    """With its name and what is wrong, in one line, and nothing on standard output."""
    path = written(tmp_path, content)
    with pytest.raises(FileRefused) as caught:
        run(path, capsys)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert capsys.readouterr().out == ""


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """By the system's own reason."""
    for path, problem in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(FileRefused, match=problem):
            grade_rows(path, None, ADDED, doubled, ["a"])


def test_two_nameless_columns_are_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spreadsheets end their lines with them; an optional column is absent from the mapping."""
    rows, _ = run(written(tmp_path, b"a,,\n1,,\n"), capsys)
    assert rows[1] == ["1", "", "", "2", ""]


class TestOut:
    """The answer in a file."""

    def test_it_appears_whole(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """And standard output stays empty."""
        out = tmp_path / "out.csv"
        grade_rows(written(tmp_path, b"a\n4\n"), out, ADDED, doubled, ["a"])
        assert out.read_text() == "a,outcome,reason\n4,8,\n"
        assert ("", {"in.csv", "out.csv"}) == (capsys.readouterr().out, {path.name for path in tmp_path.iterdir()})

    def test_or_not_at_all(self, tmp_path: Path) -> None:
        """A failure on the way leaves the old file alone and no half one behind."""
        out = tmp_path / "out.csv"
        out.write_text("old")

        def broken(_: Mapping[str, str]) -> Mapping[str, str]:
            raise RuntimeError("a fault of our own")

        with pytest.raises(RuntimeError):
            grade_rows(written(tmp_path, b"a\n4\n"), out, ADDED, broken, ["a"])
        assert ("old", {"in.csv", "out.csv"}) == (out.read_text(), {path.name for path in tmp_path.iterdir()})

    def test_never_over_the_input(self, tmp_path: Path) -> None:
        """Under whatever name."""
        path = written(tmp_path, b"a\n4\n")
        link = tmp_path / "link.csv"
        link.symlink_to(path)
        for out in (path, link):
            with pytest.raises(FileRefused, match="is the input itself"):
                grade_rows(path, out, ADDED, doubled, ["a"])
        assert path.read_bytes() == b"a\n4\n"

    def test_an_unwritable_place_is_refused(self, tmp_path: Path) -> None:
        """A folder that is not there, and a folder itself."""
        path = written(tmp_path, b"a\n4\n")
        for out in (tmp_path / "none" / "out.csv", tmp_path):
            with pytest.raises(FileRefused, match="can't be written"):
                grade_rows(path, out, ADDED, doubled, ["a"])

    def test_a_device_is_written_to(self, tmp_path: Path) -> None:
        """Never replaced by a file."""
        grade_rows(written(tmp_path, b"a\n4\n"), Path(os.devnull), ADDED, doubled, ["a"])
        assert Path(os.devnull).is_char_device()


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\n5\n")))
    rows, _ = run(Path("-"), capsys)
    assert rows[1] == ["5", "10", ""]
