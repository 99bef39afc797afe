"""`onrecord scores`: a spreadsheet of forecasts in, every score out."""

import json
import re
from pathlib import Path

import pytest

from grading.reliability import corp, expected_calibration_error, smooth_calibration_error, spiegelhalter
from grading.scores import brier, log_loss
from onrecord.csv_file import FileRefused
from onrecord.scores_file import scores_file
from tests.calibration.forecasters import outcomes

KEYS = (
    "n", "base_rate", "brier", "log_loss", "ece_equal_width_10", "ece_equal_mass_10", "smece", "corp",
    "spiegelhalter_z",
)  # fmt: skip


def written(tmp_path: Path, text: str) -> Path:
    """A spreadsheet with this text."""
    path = tmp_path / "forecasts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_score_is_the_librarys(tmp_path: Path) -> None:
    """The figures are those of grading.scores and grading.reliability, to the last digit."""
    p, y = outcomes(400, 1.5)
    found = scores_file(
        written(tmp_path, "p,y\n" + "\n".join(f"{a!r},{b:g}" for a, b in zip(p.tolist(), y.tolist(), strict=True)))
    )
    assert set(KEYS) <= set(found)
    assert (found["n"], found["left_out"], found["base_rate"]) == (400, 0, y.mean())
    assert (found["brier"], found["log_loss"]) == (brier(p, y), log_loss(p, y))
    assert found["ece_equal_width_10"] == expected_calibration_error(p, y)
    assert found["ece_equal_mass_10"] == expected_calibration_error(p, y, binning="mass")
    assert found["smece"] == smooth_calibration_error(p, y)
    assert found["spiegelhalter_z"] == spiegelhalter(p, y).z
    parts = corp(p, y)
    assert found["corp"] == {"mcb": parts.mcb, "dsc": parts.dsc, "unc": parts.unc}


def test_rows_without_an_outcome_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pushes and voids have no 0/1 outcome; how many there were is in the answer and on standard error."""
    found = scores_file(written(tmp_path, "P , Y,league\n0.2,0,NBA\n0.7,1,NBA\n0.6,.5,NBA\n0.4,,NBA\n"))
    assert (found["n"], found["left_out"]) == (2, 2)
    assert "2 rows without an outcome" in capsys.readouterr().err


@pytest.mark.parametrize("push", [".5", "0.5", "0.500", "5e-1", "", " "])
def test_a_push_is_known_however_it_is_written(tmp_path: Path, push: str) -> None:
    """Spreadsheets write .5 in many ways; none of them is a win, a loss or a fault."""
    assert scores_file(written(tmp_path, f"p,y\n0.2,0\n0.7,1.0\n0.6,{push}\n"))["left_out"] == 1


def test_times_that_cannot_be_read_do_not_concern_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are the gate's; scores have none, and say nothing."""
    assert scores_file(written(tmp_path, "p,y,time\n0.2,0,soon\n0.7,1,2026-01-01\n"))["n"] == 2
    assert capsys.readouterr().err == ""


def test_an_undefined_z_is_null_and_everything_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every p is a coin there is no z: null with a warning, never NaN."""
    found = scores_file(written(tmp_path, "p,y\n0.5,1\n0.5,1\n"))
    assert found["spiegelhalter_z"] is None
    assert found["base_rate"] == 1
    assert "undefined" in capsys.readouterr().err
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("p,y\nx,1\n", "p: 'x' is not a number"),
        ("p,y\nnan,1\n", r"p: must lie in \[0, 1\], not nan"),
        ("p,y\n1.2,1\n", "p: must lie in"),
        ("p,y\n,1\n", "p: '' is not a number"),
        ("p,y\n0_0,1\n", "p: '0_0' is not a number"),
        ("p,y\n0.4,nan\n", "y: must be 0, 1, .5 or empty, not 'nan'"),
        ("p,y\n0.4,2\n", "y: must be 0, 1, .5 or empty"),
        ("p,y\n0.4,win\n", "y: must be"),
        ("p,y\n0.4\n", "y: missing"),
    ],
)
def test_a_bad_row_refuses_the_file_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    """Scores of the rest would pass for scores of the whole: the line is named and nothing is scored."""
    with pytest.raises(FileRefused, match="1 rows can't be read"):
        scores_file(written(tmp_path, text))
    error = capsys.readouterr().err
    assert error.startswith("line 2: ")
    assert re.search(complaint, error)


@pytest.mark.parametrize(
    ("text", "complaint"), [("", "is empty"), ("p\n0.4\n", "no column y"), ("p,y\n", "no row has")]
)
def test_files_without_forecasts_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """An empty file, a missing column, no settled row."""
    with pytest.raises(FileRefused, match=complaint):
        scores_file(written(tmp_path, text))
