"""`onrecord calibrate --file`: one plain map for a spreadsheet, and the gate's word on it."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from calibration.calibrators import fit
from calibration.venn_abers import venn_abers_intervals
from onrecord.calibrate_file import calibrate_file
from onrecord.csv_file import FileRefused
from onrecord.scores_file import scores_file
from tests.calibration.forecasters import outcomes

NAMES = {"platt": ["slope", "intercept"], "temperature": ["T"], "beta": ["a", "b", "c"], "isotonic": ["x", "y"]}


def spreadsheet(tmp_path: Path, n: int, temperature: float = 2.0, times: Sequence[object] = ()) -> Path:
    """Forecasts of one forecaster, with times where they are given."""
    p, y = outcomes(n, temperature)
    rows = [f"{a!r},{b:g}" for a, b in zip(p.tolist(), y.tolist(), strict=True)]
    header = "p,y"
    if times:
        header, rows = "p,y,time", [f"{row},{time}" for row, time in zip(rows, times, strict=True)]
    path = tmp_path / "forecasts.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def answer(file: Path, method: str) -> Any:
    """The answer, as it comes back from JSON."""
    return json.loads(json.dumps(calibrate_file(file, method), allow_nan=False))


@pytest.mark.parametrize("method", list(NAMES))
def test_the_fit_is_plain_pooled_and_in_sample(tmp_path: Path, method: str) -> None:
    """No shrinkage, no clipping: the library's own fit of all rows; calibrated in input order."""
    found = answer(spreadsheet(tmp_path, 300), method)
    p, y = outcomes(300, 2.0)
    fitted = fit(method, p, y)
    assert list(found["params"]) == NAMES[method]
    assert found["calibrated"] == fitted(p).tolist()
    for name, values in fitted.params.items():
        assert found["params"][name] == (list(values) if method == "isotonic" else values[0])


def test_metrics_before_are_those_of_scores(tmp_path: Path) -> None:
    """Before and after carry every score; in sample the log loss cannot rise."""
    file = spreadsheet(tmp_path, 400)
    found, scored = answer(file, "platt"), scores_file(file)
    del scored["left_out"]
    assert found["before"] == scored
    assert list(found["after"]) == list(found["before"])
    assert found["after"]["log_loss"] < found["before"]["log_loss"]


def test_with_times_the_gate_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over-confident forecasts, one a day, any kind of time: activated, with the reason in words."""
    days = [f"{2000 + i // 336:04d}-{1 + i // 28 % 12:02d}-{1 + i % 28:02d}" for i in range(1_500)]
    found = [answer(spreadsheet(tmp_path, 1_500, 2.0, times), "platt")["gate"] for times in (days, range(1_500))]
    assert found[0] == found[1]
    assert found[0]["verdict"] == "ACTIVATE"
    assert found[0]["reason"].startswith("platt beats raw: E reached")
    assert capsys.readouterr().err == ""


def test_results_of_the_same_time_are_not_on_record_yet(tmp_path: Path) -> None:
    """On record means strictly earlier: with one time for all there is no out-of-time pick."""
    gate = answer(spreadsheet(tmp_path, 1_500, 3.0, ["2026-01-01"] * 1_500), "platt")["gate"]
    assert (gate["verdict"], gate["out_of_time"], gate["e"]) == ("REJECT", 0, 1)


def test_small_files_are_rejected_for_their_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A method asked for by name is fitted at any n, with a warning; the gate says LOW_SAMPLE."""
    found = answer(spreadsheet(tmp_path, 120, 2.0, range(120)), "isotonic")
    assert found["gate"]["verdict"] == "REJECT"
    assert "LOW_SAMPLE" in found["gate"]["reason"]
    assert "isotonic is fitted to 120 rows; below 1,000 it overfits" in capsys.readouterr().err


def test_without_times_the_gate_is_not_run_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In-sample metrics alone prove nothing."""
    found = answer(spreadsheet(tmp_path, 300), "auto")
    assert (found["gate"]["verdict"], found["method"]) == ("NOT_RUN", "platt")
    assert "in sample only" in capsys.readouterr().err


def test_times_of_mixed_kinds_are_not_guessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A word, or a gap, among the times: the gate is not run, and the cell is named."""
    times = [*[f"2026-01-{1 + i % 28:02d}" for i in range(299)], "soon"]
    assert answer(spreadsheet(tmp_path, 300, 2.0, times), "platt")["gate"]["verdict"] == "NOT_RUN"
    assert "'soon'" in capsys.readouterr().err


def test_auto_fits_the_method_that_leads(tmp_path: Path) -> None:
    """The gate's leader is what is fitted, by name."""
    found = answer(spreadsheet(tmp_path, 1_200, 2.0, range(1_200)), "auto")
    assert found["method"] in NAMES
    assert list(found["params"]) == NAMES[found["method"]]


def test_rows_without_an_outcome_are_calibrated_but_not_learned_from(tmp_path: Path) -> None:
    """The flat list keeps every input row in its place."""
    file = tmp_path / "forecasts.csv"
    file.write_text("p,y\n0.2,0\n0.6,\n0.4,1\n0.7,0\n0.8,1\n", encoding="utf-8")
    found = answer(file, "platt")
    learned = fit("platt", [0.2, 0.4, 0.7, 0.8], [0, 1, 0, 1])
    assert (found["n"], found["left_out"], len(found["calibrated"])) == (4, 1, 5)
    assert found["calibrated"] == learned([0.2, 0.6, 0.4, 0.7, 0.8]).tolist()


def test_separable_rows_say_that_a_ridge_was_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Finite parameters, and the reason why."""
    file = tmp_path / "forecasts.csv"
    file.write_text("p,y\n0.2,0\n0.4,0\n0.7,1\n0.8,1\n", encoding="utf-8")
    assert answer(file, "platt")["ridge"] is True
    assert "separable" in capsys.readouterr().err


@pytest.mark.oracle
def test_venn_abers_intervals_stand_beside_the_map(tmp_path: Path) -> None:
    """For every input row, in input order; the rest of the answer is as without them."""
    file = spreadsheet(tmp_path, 300)
    plain = answer(file, "isotonic")
    found = json.loads(json.dumps(calibrate_file(file, "isotonic", venn_abers=True), allow_nan=False))
    intervals = found.pop("venn_abers")
    p, y = outcomes(300, 2.0)
    lower, upper = venn_abers_intervals(p, y, p)
    assert (intervals, found) == ({"lower": lower.tolist(), "upper": upper.tolist()}, plain)
    assert all(low < high for low, high in zip(intervals["lower"], intervals["upper"], strict=True))


def test_intervals_without_their_package_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, nothing half done."""
    monkeypatch.setitem(sys.modules, "venn_abers", None)
    with pytest.raises(FileRefused, match=r"pip install 'onrecord\[venn-abers\]'"):
        calibrate_file(spreadsheet(tmp_path, 300), "platt", venn_abers=True)


def test_the_gates_figures_are_json_however_strong_the_evidence(tmp_path: Path) -> None:
    """E of thousands of absurd picks that come at once would be e to the thousands: `answer` refuses infinity."""
    gate = answer(spreadsheet(tmp_path, 16_000, 60.0, [0] * 1_000 + [1] * 15_000), "platt")["gate"]
    assert gate["verdict"] == "ACTIVATE"
    assert gate["log_loss_bound"] * gate["out_of_time"] > math.log(sys.float_info.max)


@pytest.mark.parametrize(
    ("text", "method", "complaint"),
    [
        ("p,y\n0.2,1\n0.6,1\n", "platt", "one class only"),
        ("p,y\n0.6,0\n0.6,1\n", "beta", "constant p"),
        ("p,y\n0.2,0\n0.6,1\n", "isotone", "unknown calibration method"),
        ("p,y\n0.2,0\n1.6,1\n", "platt", "can't be read"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(tmp_path: Path, text: str, method: str, complaint: str) -> None:
    """One class, constant p, a typing error, a bad row."""
    file = tmp_path / "forecasts.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileRefused, match=complaint):
        calibrate_file(file, method)
