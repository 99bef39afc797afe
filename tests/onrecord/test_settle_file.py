"""`onrecord settle`: a spreadsheet of picks in, the same with its settlement out."""

import csv
import io
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onrecord.csv_file import FileRefused, RowError
from onrecord.pick_cells import decimals
from onrecord.settle_file import RowSettler, settle_file
from tests.grading.test_rulebook import NFL, line_with

COLUMNS = ("sport", "market", "period", "selection", "line", "odds_format", "odds", "result", "rules", "legs")
FINAL = '{"status": "FINAL", "home": 24, "away": 20}'
SPREAD = dict(
    zip(COLUMNS, ("nfl", "spread", "full_game", "home", "-3.5", "american", "-110", FINAL, "", ""), strict=True)
)
LEG = '{"odds_format": "decimal", "odds": 2, "outcome": "WIN"}'
PARLAY = {**dict.fromkeys(COLUMNS, ""), "sport": "mixed", "market": "parlay", "legs": f"[{LEG}]"}
ANSWER = ("outcome", "unit_return", "unit_return_exact", "reason")


def written(tmp_path: Path, rows: list[dict[str, str]]) -> Path:
    """A spreadsheet with these rows."""
    path = tmp_path / "picks.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def settled(
    tmp_path: Path, rows: list[dict[str, str]], capsys: pytest.CaptureFixture[str], rulebook: str | None = None
) -> tuple[list[dict[str, str]], list[str]]:
    """The rows that come back and the lines on standard error."""
    settle_file(written(tmp_path, rows), rulebook, None)
    captured = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(captured.out, newline=""))), captured.err.splitlines()


def answer(row: dict[str, str]) -> tuple[str, ...]:
    """The added columns of one row; a bad one as (UNGRADEABLE, reason)."""
    try:
        given_back = RowSettler().grade(row)
    except RowError as error:
        return ("UNGRADEABLE", error.reason)
    return tuple(given_back[name] for name in ANSWER)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("WIN", "0.909090909091", "10/11", "")),
        ({"selection": "away", "line": "3.5"}, ("LOSS", "-1.000000000000", "-1", "")),
        ({"line": "-4"}, ("PUSH", "0.000000000000", "0", "")),
        ({"line": "-3.75"}, ("HALF_WIN", "0.454545454545", "5/11", "")),
        ({"odds_format": "Decimal", "odds": "3"}, ("WIN", "2.000000000000", "2", "")),
        ({"odds_format": "FRACTIONAL", "odds": "10/11"}, ("WIN", "0.909090909091", "10/11", "")),
        (
            {"sport": " NFL ", "market": "Spread", "selection": "HOME", "period": ""},
            ("WIN", "0.909090909091", "10/11", ""),
        ),
        ({"result": '{"STATUS": "final", "Home": 24, "AWAY": 20}'}, ("WIN", "0.909090909091", "10/11", "")),
        ({"rules": '{"LINE_REFERS_TO": "Home"}'}, ("WIN", "0.909090909091", "10/11", "")),
        ({"line": "", "market": "moneyline", "legs": "[]"}, ("WIN", "0.909090909091", "10/11", "")),
        (
            {"result": '{"status": "CANCELLED"}'},
            ("VOID", "0.000000000000", "0", "result: status is CANCELLED"),
        ),
    ],
)
def test_numbers_and_words(changes: dict[str, str], expected: tuple[str, ...]) -> None:
    """Twelve decimals and an exact fraction; words in any case; a reason only where VOID."""
    assert expected == answer({**SPREAD, **changes})


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([("american", "-110", "WIN"), ("american", -110, "WIN")], ("WIN", "2.644628099174", "320/121", "")),
        ([("decimal", 1.91, "win")], ("WIN", "0.910000000000", "91/100", "")),
        ([("decimal", "2", "WIN"), ("decimal", "2", "LOSS")], ("LOSS", "-1.000000000000", "-1", "")),
        ([("decimal", "2", "HALF_WIN")], ("PARTIAL", "0.500000000000", "1/2", "")),
        ([("decimal", "2", "HALF_LOSS"), ("decimal", "2", "PUSH")], ("PARTIAL", "-0.500000000000", "-1/2", "")),
        ([("decimal", "2", "PUSH"), ("decimal", "2", "VOID")], ("PUSH", "0.000000000000", "0", "")),
        ([("decimal", "2", "VOID")], ("VOID", "0.000000000000", "0", "legs: all are VOID")),
    ],
)
def test_parlays(legs: list[tuple[str, object, str]], expected: tuple[str, ...]) -> None:
    """From the legs; the row's own odds are ignored, even impossible ones."""
    cells = [{"odds_format": form, "odds": odds, "outcome": outcome} for form, odds, outcome in legs]
    row = {**PARLAY, "legs": json.dumps(cells), "odds_format": "american", "odds": "5"}
    assert expected == answer(row)


# What may stand in each column that is wrong, in a straight row; and in a parlay's legs.
WRONG = {
    "sport": ["", "curling", "nfl nba", "0", "mixed", "null", "n\ufb02"],
    "market": ["", "spreads", "SPREAD:FULL_GAME", "player_", "top_0", "0"],
    "period": ["q5", "half", "full game", "i10", "0", "1h"],
    "selection": ["", "draw", "over", "Chiefs", "home ground", "0", "1X"],
    "line": ["", "abc", "NaN", "inf", "-3.3", "1/2", "3,5", "1e3", "--3", "9" * 400, "0x10", "\u0663"],
    "odds_format": ["", "us", "dec", "american odds", "0"],
    "odds": ["", "0", "99", "-99", "abc", "NaN", "inf", "-", "1/2", "1e999", "9" * 5000],
    "result": [
        "",
        "{}",
        "null",
        "[]",
        "24-20",
        '{"home": 24, "away": 20}',
        '{"status": "FINAL"}',
        '{"status": "FINAL", "home": 24}',
        '{"status": "FINAL", "home": "24", "away": 20}',
        '{"status": "FINAL", "home": -1, "away": 20}',
        '{"status": "FINAL", "home": 24.5, "away": 20}',
        '{"status": "FINAL", "home": true, "away": 20}',
        '{"status": "FINAL", "home": NaN, "away": 20}',
        '{"status": "FINAL", "home": 1e400, "away": 20}',
        '{"status": "FINAL", "home": ' + "9" * 5000 + ', "away": 20}',
        '{"status": "POST", "home": 24, "away": 20}',
        '{"status": "FINAL", "home": 24, "away": 20, "home": 3}',
        '{"status": "FINAL", "home": 24, "away": 20',
        "[" * 100_000,
        '{"a":' * 20_000,
    ],
    "rules": [
        "null",
        "[]",
        "overtime",
        '{"overtime": true}',
        '{"overtime_counts": 1}',
        '{"overtime_counts": "true"}',
        '{"two_way_tie": "WIN"}',
        '{"grade_on": "closing_line"}',
        '{"official_after_minutes": -1}',
        '{"official_after_minutes": true}',
        '{"postponed_void_after_hours": Infinity}',
        '{"dead_heat": true, "Dead_Heat": false}',
        '{"dead_heat": null}',
        "{",
    ],
    "legs": ["x", "{}", f"[{LEG}]", "[1]", "[", "null"],
}
WRONG_LEGS = [
    "",
    "[]",
    "{}",
    "[1]",
    "[[]]",
    "null",
    "[{}]",
    f"[{LEG}",
    f"[{LEG}, null]",
    LEG,
    f"[{LEG.replace('2', 'true')}]",
    f"[{LEG.replace('2', '1')}]",
    f"[{LEG.replace('2', 'null')}]",
    f"[{LEG.replace('2', '[2]')}]",
    f"[{LEG.replace('decimal', 'dec')}]",
    f"[{LEG.replace('WIN', 'WON')}]",
    f"[{LEG.replace('WIN', 'UNGRADEABLE')}]",
    f"[{LEG.replace('WIN', 'DEAD_HEAT')}]",
    "[" + ",".join([LEG] * 101) + "]",
]


def malformed() -> list[tuple[str, dict[str, str]]]:
    """Rows with one column wrong, and that column's name."""
    straight = [(column, {**SPREAD, column: cell}) for column, cells in WRONG.items() for cell in cells]
    return [*straight, *(("legs", {**PARLAY, "legs": cell}) for cell in WRONG_LEGS)]


def test_a_hundred_malformed_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is UNGRADEABLE with a reason that begins with its column and is named by its line; the rest is graded."""
    bad = malformed()
    rows = [row for _, wrong in bad for row in (wrong, SPREAD)]
    given_back, errors = settled(tmp_path, rows, capsys)
    assert len(bad) >= 100
    assert [SPREAD["sport"], "WIN", "10/11", ""] * len(bad) == [
        cell
        for row in given_back[1::2]
        for cell in (row["sport"], row["outcome"], row["unit_return_exact"], row["reason"])
    ]
    for number, ((column, wrong), row, error) in enumerate(zip(bad, given_back[::2], errors, strict=True)):
        assert (row["outcome"], row["unit_return"], row["unit_return_exact"]) == ("UNGRADEABLE", "", "")
        assert row["reason"].partition(":")[0] == column, (wrong[column][:40], row["reason"])
        assert error.startswith(f"line {2 + 2 * number}: ")
        assert wrong == {name: row[name] for name in COLUMNS}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
RESULT_KEYS = st.sampled_from(
    [
        "home",
        "away",
        "status",
        "regulation_home",
        "regulation_away",
        "h1_home",
        "h1_away",
        "q1_home",
        "minutes_played",
        "innings_played",
        "start_delay_hours",
        "extra_time",
        "penalties_home",
        "penalties_away",
        "qualified",
        "venue_changed",
        "stat",
        "corrected_stat",
        "player_played",
        "seconds_played",
        "won",
        "tied",
        "places_available",
    ]
)
RULE_KEYS = st.sampled_from(["overtime_counts", "two_way_tie", "grade_on", "official_after_minutes", "retirement", "x"])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(RESULT_KEYS, json_values | st.integers(0, 5), max_size=8),
    st.dictionaries(RULE_KEYS, json_values, max_size=2),
    json_values,
    st.sampled_from(["spread", "total", "moneyline", "player_points", "outright", "to_qualify", "parlay", "top_3"]),
)
def test_any_json_is_answered(result: dict[str, object], rules: dict[str, object], legs: object, market: str) -> None:
    """Random values under known keys: an outcome or a reason with its column, never an exception."""
    selection = {"total": "over", "player_points": "over", "outright": "player", "top_3": "player"}.get(market, "home")
    line = "3" if market in ("spread", "total", "player_points") else ""
    cells = {"result": json.dumps({"status": "FINAL", **result}), "rules": json.dumps(rules), "legs": json.dumps(legs)}
    row = {**SPREAD, **cells, "market": market, "selection": selection, "line": line}
    outcome, *rest = answer(row)
    assert outcome in ("WIN", "LOSS", "PUSH", "VOID", "HALF_WIN", "HALF_LOSS", "DEAD_HEAT", "PARTIAL", "UNGRADEABLE")
    if outcome == "UNGRADEABLE":
        assert rest[0].partition(":")[0] in ("result", "rules", "legs")


@settings(max_examples=200)
@given(st.lists(st.text(max_size=12), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_text_is_answered(cells: list[str]) -> None:
    """Random cells: a reason, never an exception."""
    assert answer(dict(zip(COLUMNS, cells, strict=True)))[0] == "UNGRADEABLE"


@given(st.fractions())
def test_decimals_round_half_to_even(value: Fraction) -> None:
    """Twelve decimals, the nearest, with no negative zero."""
    text = decimals(value)
    assert abs(Fraction(text) - value) <= Fraction(1, 2 * 10**12)
    assert len(text.partition(".")[2]) == 12
    assert not text.startswith("-0.000000000000")


def test_optional_columns_may_be_absent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without period, line, rules and legs they count as empty."""
    path = tmp_path / "short.csv"
    path.write_text(
        'sport,market,selection,odds_format,odds,result\nnfl,moneyline,home,decimal,2,"{""status"":""FINAL"",""home"":1,""away"":0}"\n'
    )
    settle_file(path, None, None)
    assert capsys.readouterr().out.splitlines()[1].rpartition('}",')[2] == "WIN,1.000000000000,1,"


@pytest.mark.parametrize("column", ["sport", "market", "selection", "odds_format", "odds", "result"])
def test_a_file_without_a_needed_column_is_refused(tmp_path: Path, column: str) -> None:
    """In one line that names it."""
    path = tmp_path / "short.csv"
    path.write_text(",".join(name for name in COLUMNS if name != column) + "\n")
    with pytest.raises(FileRefused, match=f"has no column {column}$"):
        settle_file(path, None, None)


@pytest.mark.parametrize("name", ANSWER)
def test_an_input_column_named_like_an_answer_is_refused(tmp_path: Path, name: str) -> None:
    """It would be lost in the output."""
    path = tmp_path / "again.csv"
    path.write_text(",".join((*COLUMNS, name)) + "\n")
    with pytest.raises(FileRefused, match=f"rename {name}$"):
        settle_file(path, None, None)


class TestRulebook:
    """--rulebook: a file of one's own or a packaged one."""

    def test_ones_own_serves_its_sport(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Rows of other sports get their default."""
        book = tmp_path / "house.toml"
        book.write_text(NFL.replace('two_way_tie = "PUSH"', 'two_way_tie = "LOSS"'))
        tie = {"market": "moneyline", "line": "", "result": '{"status": "FINAL", "home": 1, "away": 1}'}
        rows = [{**SPREAD, **tie}, {**SPREAD, **tie, "sport": "nba"}]
        given_back, _ = settled(tmp_path, rows, capsys, str(book))
        assert [row["outcome"] for row in given_back] == ["LOSS", "PUSH"]

    @pytest.mark.parametrize("name", ["nfl", "NFL@1"])
    def test_a_packaged_one_by_name(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
        """With or without its version."""
        given_back, _ = settled(tmp_path, [SPREAD], capsys, name)
        assert given_back[0]["outcome"] == "WIN"

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (
                NFL.replace("dead_heat = true", "dead_heat = 3"),
                f"line {line_with(NFL, 'dead_heat')}: dead_heat is not true or false",
            ),
            ("x = \xff", "line 1: "),
            (None, "No such file or directory"),
        ],
    )
    def test_a_bad_one_is_refused_with_its_line(self, tmp_path: Path, content: str | None, problem: str) -> None:
        """Before any row is read."""
        book = tmp_path / "house.toml"
        if content is not None:
            book.write_text(content, encoding="utf-8")
        with pytest.raises(FileRefused, match=problem):
            settle_file(written(tmp_path, [SPREAD]), str(book), None)

    def test_an_unknown_name_and_no_text_are_refused(self, tmp_path: Path) -> None:
        """With what there is."""
        with pytest.raises(FileRefused, match="no rulebook 'curling'; there are golf@1"):
            settle_file(written(tmp_path, [SPREAD]), "curling", None)
        book = tmp_path / "house.toml"
        book.write_bytes(b"\xff\xfe")
        with pytest.raises(FileRefused, match="is not UTF-8 text"):
            settle_file(written(tmp_path, [SPREAD]), str(book), None)
