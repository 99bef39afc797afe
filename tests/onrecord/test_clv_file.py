"""`onrecord clv`: a spreadsheet of picks in, the same with its closing line value out."""

import csv
import io
from pathlib import Path

import pytest

from onrecord.clv_file import ADDED, clv_file, clv_row
from onrecord.csv_file import FileRefused, RowError

COLUMNS = (
    "market", "selection", "line_bet", "odds_format", "odds_bet", "line_close", "odds_close", "other_odds_close",
    "devig", "extra",
)  # fmt: skip
SPREAD = dict(zip(COLUMNS, ("spread", "home", "-3", "american", "-105", "-3", "-115", "[-105]", "", ""), strict=True))
MONEYLINE = {**SPREAD, "market": "moneyline", "line_bet": "", "line_close": ""}
NUMBERS = ADDED[:5]
EMPTY = dict.fromkeys(ADDED[:6], "")
LANDING = '{"push_probability_at_close_line": 0.1}'


def answer(row: dict[str, str], **changes: str) -> dict[str, str]:
    """The added columns of one row with changes."""
    return dict(clv_row({**row, **changes}))


def refusal(row: dict[str, str], **changes: str) -> str:
    """Why a row with changes has no measure at all."""
    with pytest.raises(RowError) as refused:
        answer(row, **changes)
    assert refused.value.values == {}
    return refused.value.reason


def written(tmp_path: Path, rows: list[dict[str, str]]) -> Path:
    """A spreadsheet with these rows."""
    path = tmp_path / "picks.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("note", *COLUMNS))
        writer.writeheader()
        writer.writerows({"note": f"row {number}", **row} for number, row in enumerate(rows, start=1))
    return path


def valued(
    tmp_path: Path, rows: list[dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> tuple[list[dict[str, str]], list[str]]:
    """The rows that come back on standard output and the lines on standard error."""
    clv_file(written(tmp_path, rows), None)
    captured = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(captured.out, newline=""))), captured.err.splitlines()


def test_equal_lines_have_all_measures() -> None:
    """Twelve decimals; points 0; the multiplicative default."""
    expected = {
        "price_clv": "0.044296788483",  # 205/105 / (215/115) - 1
        "implied_prob_delta": "0.022688598979",  # 115/215 - 105/205
        "fair_close_prob": "0.510834236186",  # 115/215 / (115/215 + 105/205)
        "novig_ev": "-0.002656967446",
        "line_clv_points": "0.000000000000",
        "beat_close": "yes",
        "reason": "",
    }
    assert expected == answer(SPREAD)


def test_the_measures_are_the_defined_ones() -> None:
    """Decimal prices whose measures can be worked out by hand."""
    row = {**MONEYLINE, "odds_format": "decimal", "odds_bet": "2.2", "odds_close": "2", "other_odds_close": "[1.6]"}
    fair = 0.5 / 1.125
    expected = [2.2 / 2 - 1, 1 / 2 - 1 / 2.2, fair, 2.2 * fair - 1]
    found = answer(row)
    assert pytest.approx(expected, abs=1e-12) == [float(found[name]) for name in NUMBERS[:4]]
    assert (found["line_clv_points"], found["beat_close"], found["reason"]) == ("", "yes", "")


@pytest.mark.parametrize(
    ("devig", "fair"),
    [
        ("", "0.372025955"),
        ("multiplicative", "0.372025955"),
        ("Additive", "0.373335321"),
        ("power", "0.372984404"),
        ("SHIN", "0.372994060"),
        ("odds_ratio", "0.372428651"),
    ],
)
def test_devig_names_the_method(devig: str, fair: str) -> None:
    """The published values of the odds 2.6, 2.4, 4.3; empty is multiplicative."""
    row = {**MONEYLINE, "market": "moneyline_3way", "odds_format": "decimal", "odds_bet": "2.6", "devig": devig}
    found = answer(row, odds_close="2.6", other_odds_close='[2.4, "4.3"]')
    assert float(fair) == pytest.approx(float(found["fair_close_prob"]), abs=1e-9)
    assert found["beat_close"] == "equal"


def test_without_other_prices_nothing_is_fair() -> None:
    """Fair and EV empty, price CLV stays; the reason says what is missing, and the row is not a bad one."""
    for others in ("", "[]"):
        found = answer(SPREAD, other_odds_close=others)
        assert (found["fair_close_prob"], found["novig_ev"]) == ("", "")
        assert (found["price_clv"], found["beat_close"]) == ("0.044296788483", "yes")
        assert found["reason"].startswith("other_odds_close: ")


@pytest.mark.parametrize("devig", ["", "additive", "power", "shin", "odds_ratio"])
def test_a_book_sum_below_1_leaves_price_clv_alone(devig: str) -> None:
    """Fair and EV empty with the reason."""
    found = answer(SPREAD, odds_close="+120", other_odds_close="[105]", devig=devig)
    assert (found["fair_close_prob"], found["novig_ev"]) == ("", "")
    assert found["price_clv"] == "-0.112554112554"
    assert found["line_clv_points"] == "0.000000000000"
    assert found["beat_close"] == "no"
    assert "book sum" in found["reason"]
    assert "below 1" in found["reason"]


def test_no_line_has_no_points() -> None:
    """A moneyline's points are empty, which needs no reason; a 0 is no line there."""
    for lines in ({}, {"line_bet": "0", "line_close": "0.0"}, {"line_bet": "0"}):
        found = answer(MONEYLINE, **lines)
        assert (found["line_clv_points"], found["reason"]) == ("", "")
        assert found["price_clv"] == "0.044296788483"


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"line_bet": "-2.5"}, "0.500000000000"),
        ({"line_bet": "-4"}, "-1.000000000000"),
        ({"selection": "away", "line_bet": "3.5", "line_close": "3"}, "0.500000000000"),
        ({"market": "total", "selection": "over", "line_bet": "44", "line_close": "46.5"}, "2.500000000000"),
        ({"market": "total", "selection": "under", "line_bet": "44", "line_close": "46.5"}, "-2.500000000000"),
        ({"market": "asian_total", "selection": "Over", "line_bet": "2.25", "line_close": "2.5"}, "0.250000000000"),
        ({"market": "team_total", "selection": "home_over", "line_bet": "20", "line_close": "21"}, "1.000000000000"),
        ({"market": "team_total", "selection": "away_under", "line_bet": "20", "line_close": "21"}, "-1.000000000000"),
        ({"market": "player_points", "selection": "over", "line_bet": "25.5", "line_close": "24.5"}, "-1.000000000000"),
        ({"market": "asian_handicap", "line_bet": "0", "line_close": "-0.25"}, "0.250000000000"),
    ],
)
def test_points_are_signed_for_the_pick(changes: dict[str, str], points: str) -> None:
    """Spread and under: pick less close; over: close less pick. Prices of different lines are not compared."""
    found = answer(SPREAD, **changes)
    assert points == found["line_clv_points"]
    assert (found["price_clv"], found["implied_prob_delta"], found["fair_close_prob"]) == ("", "", "")


@pytest.mark.parametrize(("line_bet", "win"), [("-2.5", 0.1 + 0.9 * 0.5), ("-3.5", 0.9 * 0.5)])
def test_half_a_point_from_a_whole_close_has_an_ev(line_bet: str, win: float) -> None:
    """Better wins with P + (1-P)·fair, worse with (1-P)·fair; beat_close is the sign of the EV."""
    row = {**SPREAD, "odds_format": "decimal", "odds_bet": "1.9", "odds_close": "1.9", "other_odds_close": "[1.9]"}
    found = answer(row, line_bet=line_bet, extra=LANDING)
    assert pytest.approx(1.9 * win - 1, abs=1e-12) == float(found["novig_ev"])
    assert ("yes" if win > 0.53 else "no", "") == (found["beat_close"], found["reason"])
    assert (found["price_clv"], found["implied_prob_delta"], found["fair_close_prob"]) == ("", "", "")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"line_bet": "-2"}, "line_bet"),
        ({"line_bet": "-2.75"}, "line_bet"),
        ({"line_bet": "-2.5", "line_close": "-3.5"}, "line_close"),
        ({"line_bet": "-3", "line_close": "-3.5"}, "line_close"),
        ({"line_bet": "-2.5", "extra": ""}, "extra"),
        ({"line_bet": "-2.5", "other_odds_close": ""}, "other_odds_close"),
    ],
)
def test_other_gaps_have_no_ev_but_a_reason(changes: dict[str, str], column: str) -> None:
    """The points stay, and the row is not a bad one."""
    found = answer({**SPREAD, "extra": LANDING}, **changes)
    assert found["novig_ev"] == ""
    assert found["line_clv_points"] != ""
    assert found["reason"].startswith(f"{column}: ")


def test_a_book_sum_below_1_leaves_a_moved_line_without_ev() -> None:
    """There is no fair price to start from."""
    found = answer(SPREAD, line_bet="-2.5", odds_close="+120", other_odds_close="[105]", extra=LANDING)
    assert (found["novig_ev"], found["line_clv_points"]) == ("", "0.500000000000")
    assert "book sum" in found["reason"]


def test_equal_lines_do_not_use_the_push_probability() -> None:
    """The prices are of the same bet already."""
    assert answer(SPREAD) == answer(SPREAD, extra=LANDING)


@pytest.mark.parametrize("minutes", ["0.5", "1", "90"])
def test_a_snapshot_after_the_start_is_no_close(minutes: str) -> None:
    """All empty, with the reason; up to the start it is one."""
    assert "after the start" in refusal(SPREAD, extra=f'{{"close_snapshot_minutes_after_start": {minutes}}}')
    for early in ("0", "-5", "null"):
        assert answer(SPREAD) == answer(SPREAD, extra=f'{{"close_snapshot_minutes_after_start": {early}}}')


@pytest.mark.parametrize(
    ("changes", "column"),
    [({"line_bet": ""}, "line_bet"), ({"line_close": ""}, "line_close"), ({"odds_close": ""}, "odds_close")],
)
def test_a_missing_line_or_close_leaves_all_empty(changes: dict[str, str], column: str) -> None:
    """Nothing can be compared; the reason names the column."""
    assert refusal(SPREAD, **changes).startswith(f"{column}: ")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "yes"),
        ({"odds_bet": "-115"}, "equal"),
        ({"odds_bet": "-120"}, "no"),
        ({"odds_bet": "-114", "other_odds_close": "[-105]"}, "yes"),  # at a loss by EV, yet a better price
        ({"line_bet": "-2.5"}, "yes"),
        ({"line_bet": "-2.5", "odds_bet": "-115"}, "yes"),
        ({"line_bet": "-2.5", "odds_bet": "-120"}, ""),
        ({"line_bet": "-3.5"}, ""),
        ({"line_bet": "-3.5", "odds_bet": "-115"}, "no"),
        ({"line_bet": "-3.5", "odds_bet": "-120"}, "no"),
        ({"line_bet": "-2.5", "odds_bet": "-120", "extra": LANDING}, "yes"),
        ({"line_bet": "-3.5", "odds_bet": "+150", "extra": LANDING}, "yes"),
        ({"line_bet": "-2.5", "odds_bet": "-150", "extra": LANDING}, "no"),
    ],
)
def test_beat_close(changes: dict[str, str], verdict: str) -> None:
    """Same line: by the price. Different lines: by EV where known, else where number and price do not disagree."""
    assert verdict == answer(SPREAD, **changes)["beat_close"]


def test_an_ev_of_nothing_at_a_moved_line_is_equal() -> None:
    """Even money that wins half the time, after P = .2 and a fair price of 3/8."""
    row = {**SPREAD, "line_bet": "-2.5", "odds_format": "decimal", "odds_bet": "2"}
    found = answer(row, odds_close="2.5", other_odds_close="[1.5]", extra='{"push_probability_at_close_line": 0.2}')
    assert (found["novig_ev"], found["beat_close"]) == ("0.000000000000", "equal")


@pytest.mark.parametrize(
    ("market", "others", "told"),
    [
        ("moneyline_3way", "[600]", "beside home moneyline_3way has 2 more, not 1"),
        ("moneyline", "[600, 300]", "beside home moneyline has 1 more, not 2"),
    ],
)
def test_more_or_fewer_prices_than_a_market_has_sides_are_not_made_fair(market: str, others: str, told: str) -> None:
    """Two of three would make home too likely."""
    found = answer({**MONEYLINE, "market": market, "odds_close": "-500", "other_odds_close": others})
    assert ("", "", f"other_odds_close: {told}") == (found["fair_close_prob"], found["novig_ev"], found["reason"])
    assert found["price_clv"] != ""


def test_a_missing_line_is_told_before_a_missing_side() -> None:
    """Nothing can be compared, however many prices there are."""
    assert refusal({**SPREAD, "line_close": "", "other_odds_close": "[-105, 200]"}).startswith("line_close: ")


def test_the_sides_of_a_double_chance_are_not_made_fair() -> None:
    """They overlap, so that their probabilities sum to 2; the price is compared all the same."""
    row = {**MONEYLINE, "market": "double_chance", "selection": "1X", "other_odds_close": "[-150, -200]"}
    found = answer(row)
    assert (found["fair_close_prob"], found["novig_ev"]) == ("", "")
    assert found["price_clv"] == "0.044296788483"
    assert found["reason"].startswith("market: ")


def test_the_places_of_a_top_n_are_not_made_fair() -> None:
    """Several players are among the first five; with one other price it is yes or no, and a top_1 has one winner."""
    row = {**MONEYLINE, "market": "top_5", "selection": "player"}
    found = answer(row, other_odds_close="[-105, 200]")
    assert (found["fair_close_prob"], found["novig_ev"], found["price_clv"]) == ("", "", "0.044296788483")
    assert found["reason"].startswith("market: ")
    assert answer(row)["fair_close_prob"] == "0.510834236186"
    assert answer(row, market="top_1", other_odds_close="[-105, 200]")["fair_close_prob"] != ""


def test_a_draw_with_a_handicap_has_no_better_line() -> None:
    """At another line it is another bet; nothing can be compared."""
    row = {**SPREAD, "market": "european_handicap_3way", "selection": "draw", "line_bet": "-1", "line_close": "-2"}
    assert refusal(row).startswith("selection: ")


@pytest.mark.parametrize("column", ["odds_bet", "odds_close", "other_odds_close"])
def test_a_price_that_pays_next_to_nothing_is_a_bad_cell(column: str) -> None:
    """As a float it would be 1, on which the solvers stumble."""
    row = {**MONEYLINE, "odds_format": "decimal", "odds_bet": "2", "odds_close": "2", "other_odds_close": "[1.9]"}
    dust = "1.00000000000000000001"
    assert refusal(row, **{column: f"[{dust}]" if column.startswith("other") else dust, "devig": "power"}).startswith(
        f"{column}: "
    )


def test_words_are_case_insensitive_and_formats_are_three() -> None:
    """The same prices in each format give the same measures."""
    as_decimal = {"odds_format": "DECIMAL", "odds_bet": "2.5", "odds_close": "2.25", "other_odds_close": "[1.7]"}
    as_fraction = {"odds_format": "Fractional", "odds_bet": "3/2", "odds_close": "5/4", "other_odds_close": '["7/10"]'}
    assert answer({**SPREAD, **as_decimal}) == answer(
        {**SPREAD, **as_fraction, "market": " Spread ", "selection": "HOME"}
    )


# What may stand in each column that is wrong, one row each.
WRONG = {
    "market": ["", "spreads", "SPREAD:FULL_GAME", "player_", "0", "null"],
    "selection": ["", "draw", "over", "Chiefs", "0", "1X"],
    "line_bet": ["abc", "NaN", "inf", "-3.3", "1/2", "3,5", "1e3", "--3", "9" * 400, "0x10", "\u0663"],
    "line_close": ["abc", "NaN", "inf", "-3.3", "1/2", "3,5", "1e3", "--3", "9" * 400, "0x10", "\u0663"],
    "odds_format": ["", "us", "dec", "american odds", "0"],
    "odds_bet": ["", "0", "99", "-99", "abc", "NaN", "inf", "-", "1/2", "1e999", "9" * 5000],
    "odds_close": ["0", "99", "-99", "abc", "NaN", "inf", "-", "1/2", "1e999", "9" * 5000],
    "other_odds_close": [
        "-105", "{}", "null", "[", "[-105", "[0]", "[99]", '["abc"]', "[null]", "[true]", "[[-105]]", "[NaN]",
        "[1e999]", "[-105,]", '[{"odds": -105}]',
    ],
    "devig": ["logarithmic", "0", "shin2", "multiplicative additive"],
    "extra": [
        "[]", "0.1", "null", "{", "abc", '{"push_probability_at_close_line": "0.1"}', "{'a': 1}",
        '{"push_probability_at_close_line": -0.1}', '{"push_probability_at_close_line": 1.1}',
        '{"push_probability_at_close_line": true}', '{"push_probability_at_close_line": NaN}',
        '{"close_snapshot_minutes_after_start": "late"}', '{"close_snapshot_minutes_after_start": [1]}',
        '{"push_probability_at_close_line": 0.1, "PUSH_PROBABILITY_AT_CLOSE_LINE": 0.2}',
    ],
}  # fmt: skip
BAD = [(column, text) for column, texts in WRONG.items() for text in texts]


@pytest.mark.parametrize(("column", "text"), BAD)
def test_a_bad_cell_is_named(column: str, text: str) -> None:
    """The reason begins with the column at fault."""
    assert refusal(SPREAD, **{column: text}).startswith(f"{column}: ")


def test_bad_rows_come_back_in_order_and_the_rest_are_graded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with empty numbers and its reason, named with its line on standard error; all input columns kept."""
    rows = [row for column, text in BAD for row in (SPREAD, {**SPREAD, column: text})]
    found, errors = valued(tmp_path, rows, capsys)
    assert [f"row {number}" for number in range(1, len(rows) + 1)] == [row["note"] for row in found]
    assert rows == [{name: row[name] for name in COLUMNS} for row in found]
    assert [answer(SPREAD)] * len(BAD) == [{name: row[name] for name in ADDED} for row in found[::2]]
    assert [EMPTY] * len(BAD) == [{name: row[name] for name in EMPTY} for row in found[1::2]]
    assert [f"line {3 + 2 * n}: {column}" for n, (column, _) in enumerate(BAD)] == [
        ":".join(line.split(":")[:2]) for line in errors
    ]


def test_a_measure_that_is_merely_missing_is_no_bad_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its reason stands in the row; standard error stays silent."""
    rows = [{**SPREAD, **changes} for changes in ({"other_odds_close": ""}, {"line_bet": "-2"})]
    found, errors = valued(tmp_path, rows, capsys)
    assert errors == []
    assert all(row["reason"] for row in found)


def test_a_row_without_any_measure_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No close, a late one, a line on one side only: all empty, with the reason, and a line on standard error."""
    late = '{"close_snapshot_minutes_after_start": 2}'
    rows = [{**SPREAD, **changes} for changes in ({"odds_close": ""}, {"extra": late}, {}, {"line_bet": ""})]
    found, errors = valued(tmp_path, rows, capsys)
    bad = [row for number, row in enumerate(found) if number != 2]
    assert [{name: row[name] for name in EMPTY} for row in bad] == [EMPTY] * 3
    assert errors == [f"line {line}: {row['reason']}" for line, row in zip((2, 3, 5), bad, strict=True)]


def test_optional_columns_may_be_absent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines, other prices, devig and extra."""
    path = tmp_path / "short.csv"
    path.write_text("Market,SELECTION,odds_format,odds_bet,odds_close\nmoneyline,home,decimal,2.2,2\n")
    clv_file(path, None)
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["price_clv"], row["beat_close"]) == ("0.100000000000", "yes")


def test_out_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is then left alone."""
    clv_file(written(tmp_path, [SPREAD]), tmp_path / "out.csv")
    assert capsys.readouterr().out == ""
    [row] = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8")))
    assert answer(SPREAD) == {name: row[name] for name in ADDED}


@pytest.mark.parametrize("header", ["market,selection,odds_format,odds_bet", "", "market,market", "reason,market"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, header: str) -> None:
    """A needed column missing, an empty file, a name twice, a name of an output column."""
    path = tmp_path / "picks.csv"
    path.write_text(header + "\n" if header else "")
    with pytest.raises(FileRefused):
        clv_file(path, None)
