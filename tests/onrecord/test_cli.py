"""The command line on a small SYNTHETIC season: what each command shows, and that importing again adds nothing."""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from consumers.lease import Lease
from onrecord import display, forms
from onrecord.doctor import findings, of_sqlite
from onrecord.forecasting import Forecaster
from onrecord.history import Imported, import_history, read_files
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from producers.importers.moments import Tally
from projections.sql_file import load_projections
from schemas.events import EventScheduled
from tests.onrecord.conftest import Run
from tests.onrecord.season import season_file, season_text
from tests.records import make

MATCHES = 60
COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a season, forecast, published and graded; its file lies beside it."""
    folder = tmp_path_factory.mktemp("season")
    workspace = Workspace(Settings(home=folder / "home"))
    files, refused = read_files("football-data", [season_file(folder, matches=MATCHES)])
    done = import_history(workspace.log, files, refused, Forecaster(), lambda _done, _left: None)
    workspace.settle_down(done.positions)
    workspace.close()
    return folder


@pytest.fixture
def season(template: Path, home: Path) -> Path:
    """A copy of that season as this test's folder; gives the season's file."""
    shutil.copytree(template / "home", home)
    return template / "E0_2122.csv"


def test_a_command_starts_without_the_libraries_that_few_commands_need() -> None:
    """Each of them takes as long to load as all else."""
    code = "import onrecord.cli, sys; print(*{'matplotlib', 'scipy.signal', 'scipy.stats', 'sklearn'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_init_makes_the_folder_and_says_what_is_in_it(run: Run, home: Path) -> None:
    """The log and its projections."""
    assert f"{home}: log " in run("init").out
    assert {"log.sqlite", "projections"} <= {path.name for path in home.iterdir()}


def test_an_import_tells_what_became_of_every_row(run: Run, tmp_path: Path) -> None:
    """rows = accepted + rejected; a bad cell is counted apart; the forecasts are graded when the command ends."""
    lines = season_text(6).splitlines()
    lines[1] = lines[1].replace("13/08/2021", "no date")
    lines[2] = lines[2].replace(",3.77,", ",0,", 1)
    path = tmp_path / "E0_2122.csv"
    path.write_text("\n".join(lines), "utf-8")

    shown = run("import", "football-data", path).out

    assert _cells(shown, "E0_2122.csv") == ["E0_2122.csv", "6", "5", "1", "1"]
    told = run("query", 'SELECT kind, "column", raw FROM rejections ORDER BY kind', "-f", "json").out
    [cell, row] = json.loads(told)
    assert ("CELL", "B365D", "ROW", lines[1]) == (cell["kind"], cell["column"], row["kind"], row["raw"])


def _cells(shown: str, name: str) -> list[str]:
    [line] = [line for line in shown.splitlines() if name in line]
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_an_import_tells_what_its_figures_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    """What no record has a place for, by reason over all files; and a file without rows."""
    lines = {"lines without a price": 4}
    files = (("a.json", Tally(3, 3, 0, 0, lines)), ("b.json", Tally(1, 1, 0, 0, lines)), ("E0.csv", Tally(0, 0, 0, 0)))

    Console(width=100).print(display.imported(Imported(files, (), 1, 1, {})))

    shown = capsys.readouterr().out
    assert "left out: 8 lines without a price" in shown
    assert "E0.csv has no rows: nothing to import" in shown


def test_importing_again_adds_nothing(run: Run, season: Path) -> None:
    """Not a record of the import, and not a grade."""
    before = run("log", "stats").out

    again = run("import", "football-data", season).out

    assert " 0 of them new" in again
    assert before == run("log", "stats").out


def test_a_file_that_has_grown_adds_its_new_rows(run: Run, season: Path, tmp_path: Path) -> None:
    """The rest is known already, from wherever the file lies now."""
    run("import", "football-data", season_file(tmp_path, matches=MATCHES + 3))

    assert f"n\n{MATCHES + 3}\n" == run("query", COUNT, "--format", "csv").out


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", b"\xef\xbb\xbf"), ("utf-8", b""), ("cp1252", b"")])
def test_byte_order_marks_and_windows_1252_are_read(run: Run, tmp_path: Path, encoding: str, mark: bytes) -> None:
    """A club's name comes out as it was meant."""
    text = season_text(3, division="SP1").replace("Leeds", "Peñarol").replace("Fulham", "Peñarol")
    path = tmp_path / "SP1_2122.csv"
    path.write_bytes(mark + text.encode(encoding))

    run("import", "football-data", path)

    assert "Peñarol" in run("query", "SELECT home, away FROM events", "-f", "csv").out


def test_several_files_are_replayed_in_time_order(run: Run, tmp_path: Path) -> None:
    """And a refused one beside them is told, and keeps nobody out."""
    good = [season_file(tmp_path, f"{division}_2122.csv", 6, seed) for seed, division in enumerate(("E0", "D1"))]
    empty = tmp_path / "I1_2122.csv"
    empty.touch()

    done = run("import", "football-data", *good, empty, check=False)

    assert (1, f"refused: {empty}: is empty; download it again") == (done.code, done.error)
    assert "2 files" in done.out
    assert run("query", COUNT, "-f", "csv").out == "n\n12\n"


def test_summary_tells_every_cohort_with_live_and_backfill_apart(run: Run, season: Path) -> None:
    """Picks, results, units, closing line value, scores; n beside every mean."""
    shown = run("summary", "--by", "market").out

    first_cells = {line.split("│")[1].strip() for line in shown.splitlines() if line.startswith("│")}
    assert "Performance by all" in shown
    assert first_cells - {""} == {"BACKFILL"}
    assert "ASIAN_HANDICAP:REGULATION" in shown


def test_query_formats_say_the_same(run: Run, season: Path, tmp_path: Path) -> None:
    """Table, CSV, JSON and Parquet; on standard output or in a file."""
    sql = "SELECT home, count(*) AS n FROM events GROUP BY home ORDER BY home"
    target = tmp_path / "out.parquet"
    run("query", sql, "--format", "parquet", "--out", target)
    rows = pq.read_table(target).to_pylist()
    run("query", sql, "--format", "csv", "--out", tmp_path / "out.csv")

    assert rows == json.loads(run("query", sql, "--format", "json").out)
    as_text = [{"home": row["home"], "n": str(row["n"])} for row in rows]
    assert as_text == list(csv.DictReader(io.StringIO(run("query", sql, "-f", "csv").out)))
    assert as_text == list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    shown = run("query", sql).out
    assert all(row["home"] in shown for row in rows)


def test_columns_of_one_name_are_told_apart_in_every_format(run: Run, tmp_path: Path) -> None:
    """As DuckDB tells them apart in Parquet of its own; each keeps its values."""
    sql = "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS A"
    expected = {"a": 1, "a_1": 2, "a_1_1": 3, "A_2": 4}
    target, own = tmp_path / "out.parquet", tmp_path / "own.parquet"
    run("query", sql, "-f", "parquet", "--out", target)
    duckdb.sql(f"COPY ({sql}) TO '{own}'")

    assert [expected] == pq.read_table(own).to_pylist() == pq.read_table(target).to_pylist()
    assert [expected] == json.loads(run("query", sql, "-f", "json").out)
    assert run("query", sql, "-f", "csv").out == "a,a_1,a_1_1,A_2\n1,2,3,4\n"
    assert all(name in run("query", sql).out for name in expected)


def test_a_named_query_takes_its_parameters(run: Run, season: Path) -> None:
    """Given as name=value; the rest by default."""
    [all_of_them] = json.loads(run("query", "performance", "-f", "json").out)
    markets = json.loads(run("query", "performance", "--set", "cohort=market", "-f", "json").out)

    assert all_of_them["picks"] == sum(row["picks"] for row in markets) > 0


def test_a_table_or_view_is_asked_by_its_name(run: Run, season: Path) -> None:
    """As `FROM` it."""
    by_name, by_sql = (
        json.loads(run("query", asked, "-f", "json").out)
        for asked in ("clv_coverage", "FROM clv_coverage ORDER BY ALL")
    )

    assert sorted(by_name, key=lambda row: list(row.values())[:3]) == by_sql != []


def test_query_alone_lists_the_queries_with_their_parameters(run: Run) -> None:
    """All of those in the `.sql` files; in brackets what may be left out."""
    shown = run("query").out

    assert "│ event_id, [market_key], [book] " in next(line for line in shown.splitlines() if "│ closing_line " in line)

    named = {query.name for projection in load_projections() for query in projection.queries}
    assert named == {line.split("│")[1].strip() for line in shown.splitlines() if line.startswith("│")} - {""}


def test_status_tells_the_lag_of_each_topic(run: Run, season: Path, workspace: Workspace) -> None:
    """Nobody owns the projections: what was appended since is behind, until a command catches up."""
    shown = run("status").out
    assert _cells(shown, " events ") == ["events", "0", "180", "0", "0"]
    _schedule(workspace)

    assert _cells(run("status").out, " events ")[:4] == ["events", "0", "181", "1"]
    run("summary")
    assert _cells(run("status").out, " events ") == ["events", "0", "181", "0", "0"]


def test_status_tells_what_is_ahead_of_the_log(run: Run, workspace: Workspace) -> None:
    """An owner folded more than lies there now: not a word of 0 behind."""
    _schedule(workspace)
    with workspace.owner():
        workspace.tell({("events", 0): 3, ("odds", 0): 0}, None)
        shown = run("status").out
    assert _cells(shown, " events ") == ["events", "0", "1", "2 ahead", "0"]
    assert _cells(shown, " odds ") == ["odds", "0", "0", "0", "0"]
    assert "ahead of the log, which is an older copy or was made again" in " ".join(shown.split())


def _schedule(workspace: Workspace) -> None:
    workspace.log.append([make(EventScheduled)])


@pytest.mark.parametrize(("version", "is_fault"), [((3, 51, 2), True), ((3, 51, 3), False), ((4, 0, 0), False)])
def test_doctor_wants_a_sqlite_in_which_several_may_write(version: tuple[int, ...], is_fault: bool) -> None:
    """Older ones could damage the log."""
    assert of_sqlite(version).is_fault == is_fault


def test_doctor_finds_a_sound_folder_sound(run: Run, season: Path) -> None:
    """Log, projections, disk, versions; no fault."""
    shown = run("doctor").out

    assert "✗" not in shown
    assert {"onrecord", "python", "duckdb", "sqlite", "disk", "folder", "log", "projections"} == {
        line.split(":")[0].lstrip("✓ ") for line in shown.splitlines()
    }


def test_doctor_names_variables_that_are_no_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in a name is no error, for a later version may know it: a warning, without its value."""
    monkeypatch.setenv("ONRECORD_HOM", "secret")
    monkeypatch.setenv("onrecord_poll_s", "0.1")

    shown = run("doctor").out

    assert "! settings: ONRECORD_HOM is none, and does nothing: see docs/settings.md\n" in shown
    assert ("secret" in shown, "POLL" in shown.upper()) == (False, False)


def test_whoever_looks_holds_the_lease(workspace: Workspace) -> None:
    """Else another command would find the file in use, and end; so it waits. Beside an owner its word is taken."""
    _schedule(workspace)
    workspace.settle_down(workspace.log.end())
    with workspace.present() as store:
        assert store is not None
        assert Lease(workspace.settings.projections).is_held()
        assert str(display.status(workspace).title) == "an owner is alive"
        assert [one.state for one in findings(workspace) if one.subject == "owner"]
    assert str(display.status(workspace).title).startswith("no owner is alive")


def test_rebuild_makes_the_next_generation_and_says_what_it_did(run: Run, season: Path, home: Path) -> None:
    """The old one goes."""
    shown = run("rebuild").out

    [path] = (home / "projections").glob("projections.*.duckdb")
    size = sum(int(row["records"]) for row in _stats(run))
    assert f"{path}: {size} records, 0 dead letters, 0 of unknown type or newer version" == " ".join(shown.split())
    assert path.name == "projections.2.duckdb"


def _stats(run: Run) -> list[dict[str, str]]:
    rows = (line.split("│") for line in run("log", "stats").out.splitlines() if line.startswith("│"))
    return [{"topic": row[1].strip(), "records": row[3].strip()} for row in rows]


def test_rebuild_verify_compares_every_table(run: Run, season: Path, home: Path) -> None:
    """And keeps no second file."""
    assert "equal to a rebuild in all" in run("rebuild", "--verify").out
    assert len(list((home / "projections").glob("*.duckdb"))) == 1


def test_rebuild_verify_exits_with_1_where_a_table_differs(run: Run, season: Path, workspace: Workspace) -> None:
    """For a script that asks."""
    with workspace.owner() as owner:
        owner.store.execute("UPDATE latest_odds SET price_decimal = price_decimal + 1 WHERE book = 'bet365'")

    done = run("rebuild", "--verify", check=False)

    assert (done.code, "differs from a rebuild: latest_odds" in done.out) == (1, True)


def test_rebuild_until_knows_only_what_was_known_then(run: Run, season: Path, tmp_path: Path) -> None:
    """On the eve of the third day: six results, and no price of a later day."""
    target = tmp_path / "then.duckdb"

    run("rebuild", "--until", "2021-08-15T00:00:00", "--out", target)

    known = "SELECT (SELECT count(*) FROM event_results), max(captured_at) < '2021-08-15 00:00+00' FROM odds_records"
    with duckdb.connect(str(target), read_only=True) as then:
        assert then.execute(known).fetchall() == [(6, True)]


def test_rebuild_into_a_file_leaves_the_projections_as_they_are(
    run: Run, season: Path, home: Path, tmp_path: Path
) -> None:
    """Everything is in it, and the generation in use is the one that was."""
    before = (home / "projections" / "CURRENT").read_text("utf-8")

    run("rebuild", "--out", tmp_path / "all.duckdb")

    with duckdb.connect(str(tmp_path / "all.duckdb"), read_only=True) as everything:
        assert everything.execute("SELECT count(*) FROM event_results").fetchall() == [(60,)]
    assert (home / "projections" / "CURRENT").read_text("utf-8") == before


def test_a_summary_of_nothing_says_how_to_begin(run: Run) -> None:
    """A new user may have looked into the wrong folder."""
    assert "nothing is on record here yet: begin with `onrecord demo`" in " ".join(run("summary").err.split())


def test_trace_draws_a_grade_back_to_its_raw_payloads(run: Run, season: Path) -> None:
    """Grade, publish, prediction, run, odds, result, raw payload; from the publish_id, or from the grade's own id."""
    sql = (
        "SELECT publish_id, grade_id FROM graded_picks WHERE close_snapshot_id IS NOT NULL ORDER BY publish_id LIMIT 1"
    )
    [ids] = json.loads(run("query", sql, "-f", "json").out)

    tree = run("trace", ids["publish_id"]).out

    for kind in ("grade", "publish", "prediction", "run", "odds", "result", "change", "raw payload"):
        assert f" {kind} " in f" {tree}".replace("\n", " \n"), kind
    assert tree == run("trace", ids["grade_id"]).out


def test_log_tail_shows_the_newest_records_as_json_lines(run: Run, season: Path) -> None:
    """Of one topic, oldest first."""
    lines = run("log", "tail", "-n", "3", "--topic", "gradings").out.splitlines()

    records = [json.loads(line) for line in lines]
    assert [record["type"] for record in records] == ["PredictionGraded"] * 3
    assert records == sorted(records, key=lambda record: record["offset"])


def test_parquet_writes_every_table_and_the_odds_by_month(run: Run, season: Path, home: Path) -> None:
    """And again over what is there."""
    first = run("parquet").out
    assert first == run("parquet").out

    folder = home / "parquet"
    counted = "SELECT count(*) FROM '{}/odds_snapshots/**/*.parquet' UNION ALL SELECT count(*) FROM '{}/events.parquet'"
    with duckdb.connect() as con:
        assert con.execute(counted.format(folder, folder)).fetchall() == [(MATCHES * 20,), (MATCHES,)]
    months = {path.name for path in (folder / "odds_snapshots").iterdir()}
    assert {"captured_month=2021-08-01", "captured_month=2021-09-01"} >= months


def test_audit_ends_with_its_count(run: Run, season: Path) -> None:
    """And the exit code is that of its offenders."""
    assert run("audit").out.splitlines()[-1] == "audit: 0 offenders in 10 checks"


def test_audit_exits_with_1_where_something_offends(run: Run, season: Path, workspace: Workspace) -> None:
    """A grade without a close or a reason, planted behind everybody's back."""
    with workspace.owner() as owner:
        owner.store.execute(
            "UPDATE grading SET close_snapshot_id = NULL, close_reason = NULL "
            "WHERE publish_id = (SELECT min(publish_id) FROM grading)"
        )

    done = run("audit", check=False)

    assert done.code == 1
    assert done.out.splitlines()[-1].startswith("audit: 2 offenders in 10 checks")  # the tenth sees the change, too


def test_grade_tells_how_the_picks_stand(run: Run, season: Path) -> None:
    """Nothing is pending; the same answer however often it is asked."""
    first = run("grade").out

    assert first.endswith(", voided 0, pending 0\n")
    assert first == run("grade").out


@pytest.mark.parametrize("command", ["grade", "calibrate"])
def test_a_replica_is_asked_for_nothing(run: Run, season: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """It would wait for an answer until the time is up; before, nothing goes on record."""
    before = run("log", "stats").out
    monkeypatch.setenv("ONRECORD_REPLICA", "true")

    done = run(command, check=False)

    assert (done.code, done.error.endswith("which decides nothing: ask without ONRECORD_REPLICA")) == (2, True)
    assert before == run("log", "stats").out


def test_a_forced_grade_of_one_pick_is_a_second_grade(run: Run, season: Path) -> None:
    """With who asked and why on record."""
    [pick] = json.loads(run("query", "SELECT min(publish_id) AS publish_id FROM picks", "-f", "json").out)

    run("grade", "--publish-id", pick["publish_id"], "--force", "--why", "a test")

    asked = "SELECT revision, why FROM gradings JOIN grading_requests ON request_id = forced_by"
    assert run("query", asked, "-f", "csv").out == "revision,why\n1,a test\n"


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_value_is_cut_on_a_narrow_terminal(workspace: Workspace, width: int) -> None:
    """A table that does not fit is told row by row."""
    text = io.StringIO()
    console = Console(file=text, width=width)
    with workspace.reader() as store:
        table = store.ask("SELECT event_id, price_decimal, clv_price, brier FROM graded_picks ORDER BY publish_id")
        forms.write_table(table, "table", None, console)
        console.print(display.performance(store, "market"))
        units = [row["total_units"] for row in store.query("performance", {"cohort": "market"}).to_pylist()]

    shown = "".join(text.getvalue().split())

    assert "…" not in shown
    assert all(str(value) in shown for row in table.to_pylist() for value in row.values() if value is not None)
    assert all(f"{float(one):.2f}" in shown for one in units)


@pytest.mark.parametrize(
    ("ending", "begins"), [("csv", b"n\n1\n"), ("json", b"["), ("parquet", b"PAR1"), ("txt", b"\xe2")]
)
def test_the_ending_of_the_file_says_the_format(run: Run, tmp_path: Path, ending: str, begins: bytes) -> None:
    """Unless --format does; a box drawing in a CSV file would help nobody."""
    target = tmp_path / f"answer.{ending}"

    run("query", "SELECT 1 AS n", "--out", target)

    assert target.read_bytes().startswith(begins)


@pytest.mark.parametrize(("options", "is_refused"), [((), True), (("--format", "csv"), False)])
def test_an_ending_that_names_no_format_is_refused(
    run: Run, tmp_path: Path, options: Sequence[str], is_refused: bool
) -> None:
    """What opens it would find a table drawn for people; --format says what it is meant to be."""
    target = tmp_path / "answer.xls"

    done = run("query", "SELECT 1 AS n", "--out", target, *options, check=False)

    assert (target.exists(), "names no format; there are .txt, .csv, .json, .parquet;" in done.err) == (
        not is_refused,
        is_refused,
    )


@pytest.mark.parametrize("text", [":x:", "postgres:x:101", "[bold]"])
def test_a_cell_is_shown_as_it_is(run: Run, tmp_path: Path, text: str) -> None:
    """Nothing in it is an emoji's name, or a style."""
    target = tmp_path / "answer.txt"

    run("query", f"SELECT '{text}' AS cell", "--out", target)

    assert text in run("query", f"SELECT '{text}' AS cell").out
    assert text in target.read_text("utf-8")


@pytest.mark.parametrize("width", [40, 120])
def test_a_table_without_rows_has_its_names(workspace: Workspace, width: int) -> None:
    """On a narrow terminal, too, where rows are told one by one."""
    text = io.StringIO()
    with workspace.reader() as store:
        forms.write_table(store.ask("FROM events"), "table", None, Console(file=text, width=width))

    assert {"event_id", "starts_at", "status_reason"} <= set(text.getvalue().split())


@pytest.mark.parametrize(("form", "says_so"), [("table", True), ("csv", False), ("json", False)])
def test_who_asks_for_rows_and_gets_none_hears_it(run: Run, season: Path, form: str, says_so: bool) -> None:
    """A program counts them itself."""
    assert run("query", "SELECT 1 AS n WHERE false", "-f", form).err == ("no rows\n" if says_so else "")


def test_a_terminal_without_a_character_shows_a_question_mark(
    spawn: Run, season: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In what people read. A program would take it for what is on record: that is refused."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    assert "% ? " in spawn("summary").out
    assert spawn("query", "SELECT 'Skłodowska' AS n", "-f", "csv", check=False).error == (
        "error: standard output is ascii, which has no '\\u0142': name a file with --out, or set PYTHONIOENCODING=utf-8"
    )


@pytest.mark.parametrize(
    "command", [("query", "SELECT 1"), ("summary",), ("audit",), ("status",), ("grade",), ("calibration", "list")]
)
def test_who_looks_where_nothing_is_hears_it(run: Run, command: Sequence[str]) -> None:
    """A green audit of the wrong folder would be believed."""
    assert "nothing is on record here yet" in " ".join(run(*command).err.split())


@pytest.mark.parametrize("command", [("calibrate",), ("trace", "nobody")])
def test_who_asks_about_something_where_nothing_is_is_refused(run: Run, command: Sequence[str]) -> None:
    """And nothing goes on record, by which the folder would look used."""
    assert run(*command, check=False).error.startswith(
        "error: nothing is on record here yet: begin with `onrecord demo`"
    )
    assert "nothing is on record here yet" in " ".join(run("status").err.split())


def test_an_empty_setting_is_no_setting(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an unset variable in a shell or a compose file leaves it: the home is not the folder one happens to be in."""
    monkeypatch.setenv("ONRECORD_HOME", "")
    monkeypatch.chdir(tmp_path)

    run("status")

    assert [path.name for path in tmp_path.iterdir()] == ["onrecord-data"]


def test_a_command_loads_of_scipy_only_what_it_uses() -> None:
    """Its packages take as long to load as all else: `import scipy`, then `scipy.special.ndtr`, loads what is asked."""
    loaded = "import sys, onrecord.cli; print({name for name in sys.modules if name.startswith('scipy.')})"

    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert "'scipy.version'" in done.stdout
    assert not any(f"'scipy.{part}'" in done.stdout for part in ("optimize", "signal", "special", "stats"))


def test_the_version_is_told(run: Run) -> None:
    """And by doctor, for whoever reports a fault."""
    assert run("--version").out == f"onrecord {version('onrecord')}\n"
    assert f"onrecord: {version('onrecord')}" in run("doctor").out
