"""`onrecord settle` and `onrecord clv` as a shell sees them: data, complaints, exit code."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

PICKS = """\
sport,market,period,selection,line,odds_format,odds,result
nfl,spread,,home,-3.5,american,-110,"{""status"": ""FINAL"", ""home"": 24, ""away"": 20}"
nfl,spread,,nobody,-3.5,american,-110,"{""status"": ""FINAL"", ""home"": 24, ""away"": 20}"
nfl,total,,under,44,decimal,1.9,"{""status"": ""FINAL"", ""home"": 24, ""away"": 20}"
"""
CLOSES = """\
market,selection,odds_format,odds_bet,odds_close,other_odds_close
moneyline,home,decimal,2.1,2,[1.9]
moneyline,home,decimal,2.1,,[1.9]
"""


def onrecord(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One run of the command, in a process of its own."""
    command = [sys.executable, "-c", "from onrecord.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("command", "sheet", "column", "expected", "complaint"),
    [
        ("settle", PICKS, "unit_return_exact", ["10/11", "", "0"], "line 3: selection: "),
        ("clv", CLOSES, "price_clv", ["0.050000000000", ""], "line 3: odds_close: "),
    ],
)
def test_data_on_standard_output_bad_rows_on_standard_error_exit_code_0(
    command: str, sheet: str, column: str, expected: list[str], complaint: str
) -> None:
    """Nothing but the CSV goes to standard output; each bad row is one line elsewhere, and is no failure."""
    run = onrecord(command, "-", stdin=sheet)
    assert expected == [row[column] for row in csv.DictReader(io.StringIO(run.stdout))]
    assert (run.returncode, run.stderr.count("\n")) == (0, 1)
    assert run.stderr.startswith(complaint)


def test_out_and_rulebook(tmp_path: Path) -> None:
    """With --out standard output stays empty; --rulebook takes a packaged one by name."""
    (tmp_path / "picks.csv").write_text(PICKS)
    run = onrecord("settle", tmp_path / "picks.csv", "--rulebook", "nfl@1", "--out", tmp_path / "graded.csv")
    assert (run.returncode, run.stdout) == (0, "")
    assert (tmp_path / "graded.csv").read_text().splitlines()[1].endswith(",WIN,0.909090909091,10/11,")


@pytest.mark.parametrize("command", ["settle", "clv"])
def test_exit_code_2_where_the_file_itself_cannot_be_read(command: str, tmp_path: Path) -> None:
    """One line that names the file, and no data."""
    run = onrecord(command, tmp_path / "absent.csv")
    assert (run.returncode, run.stdout) == (2, "")
    assert f"error: {tmp_path / 'absent.csv'}: No such file or directory\n" == run.stderr


EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.mark.parametrize(
    ("command", "example", "column", "expected"),
    [
        ("settle", "picks.csv", "outcome", ["WIN", "HALF_WIN", "LOSS", "VOID"]),
        ("clv", "bets.csv", "beat_close", ["yes", "yes"]),
    ],
)
def test_the_examples_of_the_readme_are_what_the_commands_take(
    command: str, example: str, column: str, expected: list[str]
) -> None:
    """Whoever begins can paste the command, and copy the file."""
    run = onrecord(command, EXAMPLES / example)

    assert (run.returncode, run.stderr) == (0, "")
    assert [row[column] for row in csv.DictReader(io.StringIO(run.stdout))] == expected
