"""Rows as text: what no calendar, no JSON and no spreadsheet has a form for is readable all the same."""

import csv
import io
import json
import tracemalloc
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onrecord import row_texts
from tests.onrecord.conftest import Run

INTERVALS = [
    "1 day",
    "0 days",
    "-1 month",
    "1 year 2 months 3 days 04:05:06.7",
    "-14 months -2 days -00:00:00.000001",
    "100 hours",
    "2 years",
]


def _asked(sql: str) -> pa.Table:
    return duckdb.connect().execute(sql).to_arrow_table()


@pytest.mark.parametrize("text", INTERVALS)
def test_an_interval_reads_as_in_duckdb(text: str) -> None:
    """Alone, in a list, and in a structure."""
    table = _asked(f"SELECT i, i::VARCHAR AS t, [i] AS l, {{'i': i}} AS s FROM (SELECT INTERVAL '{text}' AS i)")

    [row] = json.loads("".join(row_texts.as_json(table)))

    assert row == {"i": row["t"], "t": row["t"], "l": [row["t"]], "s": {"i": row["t"]}}


def test_a_list_or_a_structure_in_a_csv_cell_is_json() -> None:
    """Any program can take it apart."""
    table = _asked("SELECT [1, NULL] AS l, {'a': 'ż', 'd': DATE '2020-01-01', 'x': 'nan'::DOUBLE} AS s, 'a' AS t")

    [row] = csv.DictReader(io.StringIO("".join(row_texts.as_csv(table))))

    assert row == {"l": "[1, null]", "s": '{"a": "ż", "d": "2020-01-01", "x": null}', "t": "a"}


def test_json_has_whole_sums_as_numbers_and_null_for_what_is_no_number() -> None:
    """DuckDB adds integers up in 128 bits; an exact fraction stays a text, and NaN is no JSON."""
    numbers = "sum(i) AS n, 1.50::DECIMAL(5, 2) AS d, 'nan'::DOUBLE AS x, '-inf'::FLOAT AS y, 2e300 AS z"
    table = _asked(f"SELECT {numbers} FROM range(5) AS r(i)")

    [row] = json.loads("".join(row_texts.as_json(table)), parse_constant=pytest.fail)

    assert row == {"n": 10, "d": "1.50", "x": None, "y": None, "z": 2e300}


@pytest.mark.parametrize("columns", ["i, NULL AS n, 'ü' AS t, i / 7 AS x", "[i] AS l, {'a': [i, 1e-7]} AS s, i"])
@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_json_in_pieces_is_the_text_that_json_dumps_writes(columns: str, count: int) -> None:
    """However many pieces it takes."""
    table = _asked(f"SELECT {columns} FROM range({count}) AS r(i)")

    assert "".join(row_texts.as_json(table)) == json.dumps(table.to_pylist(), indent=1) + "\n"


@pytest.mark.parametrize("form", [row_texts.as_json, row_texts.as_csv])
def test_many_rows_are_there_as_text_a_few_at_a_time(form: row_texts.Form) -> None:
    """All of these at once took 8 MB."""
    table = _asked("SELECT i, i::VARCHAR AS t, i / 7 AS x, now() AS at FROM range(20_000) AS r(i)")
    tracemalloc.start()

    lines = sum(piece.count("\n") for piece in form(table))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (lines >= 20_000, peak < 4_000_000) == (True, True)


@pytest.mark.parametrize(
    "column", ["INTERVAL '1 day' AS lead", "[INTERVAL '1 day'] AS lead", "union_value(k := 1) AS lead"]
)
def test_a_column_that_parquet_has_no_form_for_is_named(run: Run, tmp_path: Path, column: str) -> None:
    """With what to ask for instead; text has a form for all."""
    target = tmp_path / "lead.parquet"

    error = run("query", f"SELECT 1 AS n, {column}", "--out", target, check=False).error

    assert error.startswith("error: Parquet has no form for the column lead, an interval or a union: ask for its text")
    assert not target.exists()
    run("query", f"SELECT lead::VARCHAR AS lead FROM (SELECT {column})", "--out", target)
    assert pq.read_table(target).num_rows == 1


def test_a_time_of_no_calendar_is_told_before_any_row_is_written(run: Run) -> None:
    """A program that reads the output would take the rows before it for all."""
    sql = "SELECT CASE WHEN i = 9000 THEN TIMESTAMPTZ 'infinity' ELSE now() END AS t FROM range(9001) AS r(i)"

    done = run("query", sql, "-f", "json", check=False)

    assert (done.out, done.error.startswith("error: a date or time is infinite")) == ("", True)
