"""Whatever is wrong with the input, a command says so in one clear line and exits with a code that is not 0."""

import gzip
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from onrecord.wiring import Workspace
from projections.errors import StoreError
from schemas.events import EventScheduled
from tests.onrecord.conftest import Run, only_readable
from tests.onrecord.season import season_file, season_text
from tests.records import make

GOOD = season_text(6).encode()
BAD_FILES = {
    "empty": (b"", "is empty; download it again"),
    "wrong columns": (b"a,b\n1,2\n", "is not a football-data file, it has no column Div, Date"),
    "no header": (b"\n\n\n", "is empty; download it again"),
    "truncated gzip": (gzip.compress(GOOD)[:200], "its gzip data is damaged or cut off"),
    "binary": (bytes(range(256)) * 4, "is binary, not text; name a CSV or JSON file"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_refused_in_one_line_and_leaves_nothing(run: Run, tmp_path: Path, fault: str) -> None:
    """Never half an import."""
    content, reason = BAD_FILES[fault]
    path = tmp_path / "E0_2122.csv"
    path.write_bytes(content)

    done = run("import", "football-data", path, check=False)

    assert (done.code, done.error.startswith(f"refused: {path}: {reason}")) == (1, True)
    assert run("log", "tail").out == ""


def test_a_missing_file_is_refused(run: Run, tmp_path: Path) -> None:
    """By its name, with the system's reason."""
    done = run("import", "football-data", tmp_path / "nothing.csv", check=False)

    assert (1, f"refused: {tmp_path / 'nothing.csv'}: No such file or directory") == (done.code, done.error)


ERRORS: dict[str, tuple[Sequence[str], str]] = {
    "unknown format": (("import", "tea-leaves", "x.csv"), "there is no format 'tea-leaves'; there are football-data"),
    "unknown query": (("query", "no_such_query"), "there is no query, table or view 'no_such_query': "),
    "unknown parameter": (
        ("query", "performance", "-s", "color=red"),
        "query performance has no parameter color;",
    ),
    "parameter that is no time": (
        ("query", "performance_summary", "-s", "start_date=foo"),
        "query performance_summary: start_date=foo is no TIMESTAMPTZ",
    ),
    "parameter below zero": (("query", "reliability", "-s", "bins=-3"), "query reliability: bins=-3 is no UINTEGER"),
    "parameter that is none of its words": (
        ("query", "performance", "-s", "cohort=foo"),
        "query performance: cohort=foo is no ENUM('all', 'league', ",
    ),
    "misspelt table": (("query", "evnts"), "there is no query, table or view 'evnts', but events"),
    "parameter of SQL without any": (("query", "SELECT 1", "-s", "b=2"), "the query has no parameter b; it has none"),
    "parameter of a table": (("query", "events", "-s", "a=b"), "the query has no parameter a; it has none"),
    "parameter without a value": (("query", "performance", "-s", "cohort"), "--set cohort: write it as name=value"),
    "missing parameter": (("query", "grades_of"), "query grades_of needs publish_id"),
    "bad SQL": (("query", "SELEKT 1"), "DuckDB refuses the query: Parser Error"),
    "unknown table": (("query", "SELECT * FROM nowhere"), "DuckDB refuses the query: Catalog Error"),
    "no SQL": (("query", ""), "ask one SELECT"),
    "two statements": (("query", "SELECT 1; SELECT 2"), "ask one SELECT"),
    "a deletion": (("query", "DELETE FROM events"), "ask one SELECT"),
    "a new table": (("query", "CREATE TABLE mine AS SELECT 1"), "ask one SELECT"),
    "a file written by SQL": (("query", "COPY events TO 'events.csv'"), "ask one SELECT"),
    "another database": (("query", "ATTACH 'other.duckdb'"), "ask one SELECT"),
    "a change in an EXPLAIN": (("query", "EXPLAIN ANALYZE UPDATE grading SET summary = 'WIN'"), "ask one SELECT"),
    "a deletion in a SELECT": (
        ("query", "WITH gone AS (DELETE FROM predictions RETURNING *) SELECT count(*) FROM gone"),
        "ask one SELECT: the projections change only by what is put on record",
    ),
    "a time without end": (
        ("query", "SELECT TIMESTAMPTZ 'infinity'"),
        "a date or time is infinite, or not of the years 1 to 9999: ask for its text, as in starts_at::VARCHAR",
    ),
    "a date of no calendar": (("query", "SELECT '200000-01-01'::DATE AS t", "-f", "csv"), "a date or time is infinite"),
    "unknown output format": (
        ("query", "SELECT 1", "-f", "xml"),
        "there is no format 'xml'; there are table",
    ),
    "parquet as text": (("query", "SELECT 1", "-f", "parquet"), "parquet is not text: name a file with --out"),
    "unknown cohort": (("summary", "--by", "colour"), "--by colour: there are all, league, market"),
    "unknown id": (("trace", "nobody"), "nothing on record has the id 'nobody': pass a publish_id"),
    "unknown topic": (("log", "tail", "--topic", "gossip"), "there is no topic 'gossip'; there are raw_payloads"),
    "as of, without a file": (("rebuild", "--until", "2021-08-15"), "rebuild --until makes a file of its own"),
    "a version to show that nobody trained": (
        ("calibration", "show", "v_20200101_000000"),
        "no version 'v_20200101_000000' is on record: `onrecord calibration list`",
    ),
    "a version to activate that nobody trained": (
        ("calibration", "activate", "v_20200101_000000", "--why", "a slip"),
        "no version 'v_20200101_000000' is on record: `onrecord calibration list`",
    ),
    "a version to roll back that nobody trained": (
        ("calibration", "rollback", "v_20200101_000000", "--why", "a slip"),
        "no version 'v_20200101_000000' is on record: `onrecord calibration list`",
    ),
    "unknown method": (("calibrate", "--method", "magic"), "method: Input should be 'isotonic'"),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_a_mistake_is_one_line_that_says_what_to_do(run: Run, workspace: Workspace, mistake: str) -> None:
    """Exit code 2, and no trace."""
    words, message = ERRORS[mistake]
    workspace.log.append([make(EventScheduled)])

    done = run(*words, check=False)

    assert done.code == 2
    assert done.error.startswith(f"error: {message}")


def test_a_file_that_exists_is_not_overwritten_by_a_rebuild(run: Run, tmp_path: Path) -> None:
    """It may be anything."""
    target = tmp_path / "precious"
    target.write_text("precious")

    done = run("rebuild", "--until", "2021-08-15", "--out", target, check=False)

    assert done.error == f"error: {target} exists, and is not overwritten: name another file with --out"
    assert done.error == run("rebuild", "--out", target, check=False).error
    assert target.read_text() == "precious"


def test_a_rebuild_into_a_folder_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    """No file is damaged."""
    target = tmp_path / "nowhere" / "x.db"

    error = run("rebuild", "--out", target, check=False).error

    assert error == f"error: {target}: there is no folder {target.parent}; make it first"


@pytest.mark.parametrize("words", [("query", "SELECT 1", "-f", "parquet", "--out"), ("query", "SELECT 1", "--out")])
def test_an_output_that_cannot_be_written_is_told(run: Run, tmp_path: Path, words: Sequence[str]) -> None:
    """A folder that is not there."""
    assert "No such file or directory" in run(*words, tmp_path / "nowhere" / "x", check=False).error


def test_a_parquet_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    """It is a file."""
    (tmp_path / "file").touch()

    assert "file" in run("parquet", tmp_path / "file" / "folder", check=False).error


@pytest.fixture
def another_users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home where others may look, which pytest's own folders forbid."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("ONRECORD_HOME", str(Path(folder) / "theirs"))
        yield Path(folder) / "theirs"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("is_published", [True, False])
def test_a_home_that_one_may_only_read_is_told_with_what_can_be_read(
    run: Run, another_users: Path, is_published: bool
) -> None:
    """Not a lock file's name, nor a driver's words; the doctor goes on to its last look."""
    run("doctor")
    run("summary")
    copy = another_users / "published.duckdb"
    if is_published:
        copy.touch()

    with only_readable(another_users):
        errors = [run(*words, check=False).error for words in (("summary",), ("query", "events"), ("log", "stats"))]
        looked = run("doctor", check=False)

    told = f"{another_users} is not writable for this user"
    there = "can be opened with DuckDB" if is_published else "would be there if `onrecord up` had run"
    assert [
        (error.startswith(f"error: {told} ("), error.endswith(f"the published copy {copy} {there}")) for error in errors
    ] == [(True, True)] * 3
    assert (looked.code, looked.err) == (1, "")
    assert [line for line in looked.out.splitlines() if line.startswith("✗ projections")]
    assert {line.split(":")[0] for line in looked.out.splitlines() if told in line} == {"✗ log", "✗ projections"}


@pytest.mark.usefixtures("home")
def test_a_home_in_which_one_may_not_begin_is_told(run: Run, another_users: Path) -> None:
    """It is there, and empty."""
    run("doctor")
    shutil.rmtree(another_users)
    another_users.mkdir()

    with only_readable(another_users):
        done = run("summary", check=False)

    assert done.error.startswith(f"error: {another_users} is not writable for this user (")


def test_a_home_that_cannot_be_made_is_told(run: Run, home: Path) -> None:
    """Its parent is a file."""
    home.touch()

    done = run("summary", check=False)

    assert (done.code, f"error: ONRECORD_HOME: {home} can't be a folder (File exists); name another") == (
        2,
        done.error.strip(),
    )


@pytest.mark.parametrize(
    ("value", "is_traced"), [("1", True), ("true", True), ("0", False), ("false", False), ("", False)]
)
def test_the_trace_of_an_error_is_a_setting(
    run: Run, monkeypatch: pytest.MonkeyPatch, value: str, is_traced: bool
) -> None:
    """Off is off, however it is written."""
    monkeypatch.setenv("ONRECORD_DEBUG", value)

    if is_traced:
        with pytest.raises(StoreError):
            run("query", "no_such_query", check=False)
    else:
        assert run("query", "no_such_query", check=False).error.startswith("error: there is no query, table or view")


def test_a_setting_that_makes_no_sense_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of its variable."""
    monkeypatch.setenv("ONRECORD_BATCH_ROWS", "none")

    assert run("summary", check=False).error.startswith("error: ONRECORD_BATCH_ROWS: Input should be a valid integer")


@pytest.mark.parametrize("content", [b"no database", b"", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_log_is_told_and_left_alone(run: Run, home: Path, tmp_path: Path, content: bytes) -> None:
    """It is the truth: nothing is made anew in its place. An empty file is a log that is just being made."""
    home.mkdir()
    (home / "log.sqlite").write_bytes(content)
    if not content:
        assert run("summary").code == 0
        return

    done = run("import", "football-data", season_file(tmp_path), check=False)

    assert (done.code, done.error.startswith(f"error: the log {home / 'log.sqlite'} failed: ")) == (2, True)
    assert content == (home / "log.sqlite").read_bytes()
    assert run("doctor", check=False).code == 1


def test_a_damaged_projections_file_is_made_anew_and_that_is_said(run: Run, tmp_path: Path, home: Path) -> None:
    """DuckDB is disposable: set aside, rebuilt from the log, and the answer is the same."""
    run("import", "football-data", season_file(tmp_path, matches=6))
    before = run("query", "performance", "-f", "csv").out
    [path] = (home / "projections").glob("projections.*.duckdb")
    path.write_bytes(b"no database")

    assert "✗ projections" in run("doctor", check=False).out
    done = run("query", "performance", "-f", "csv")

    assert before == done.out
    [said] = done.err.splitlines()
    assert said.startswith(f"{path} is damaged or no store")
    assert said.endswith("; rebuilding from the log")
    assert (home / "projections" / "damaged.1.duckdb").read_bytes() == b"no database"


def test_a_file_that_is_damaged_within_is_told_and_rebuild_mends_it(run: Run, tmp_path: Path, home: Path) -> None:
    """It opens, and fails when its blocks are read: one line that says so, never a wrong answer."""
    run("import", "football-data", season_file(tmp_path, matches=6))
    before = run("query", "SELECT * FROM odds_records ORDER BY ALL", "-f", "csv").out
    [path] = (home / "projections").glob("projections.*.duckdb")
    content = bytearray(path.read_bytes())
    content[12288 + 8 :] = bytes(len(content) - 12288 - 8)
    path.write_bytes(content)

    done = run("query", "SELECT * FROM odds_records ORDER BY ALL", "-f", "csv", check=False)

    assert done.out == before or done.error
    run("rebuild")
    assert before == run("query", "SELECT * FROM odds_records ORDER BY ALL", "-f", "csv").out


def test_a_process_of_its_own_exits_the_same_way(spawn: Run, tmp_path: Path) -> None:
    """As a shell sees it."""
    done = spawn("import", "football-data", tmp_path / "nothing.csv", check=False)

    assert (1, f"refused: {tmp_path / 'nothing.csv'}: No such file or directory") == (done.code, done.error)


def test_sql_that_the_terminal_cannot_say_is_told(spawn: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without UTF-8 an é comes as two bytes of no meaning."""
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)

    error = spawn("query", "SELECT 'é' AS x", check=False).error

    assert error == "error: the query has characters that this locale cannot read: ask again with LC_ALL=C.UTF-8"


def test_debug_shows_the_trace(spawn: Run, workspace: Workspace) -> None:
    """For whoever has to find out why."""
    workspace.log.append([make(EventScheduled)])
    done = spawn("--debug", "trace", "nobody", check=False)

    assert done.code == 1
    assert "Traceback (most recent call last):" in done.err
    assert "StoreError: nothing on record has the id 'nobody'" in done.err


TOO_MUCH = "99999999999999999999"


@pytest.mark.parametrize(
    "words",
    [
        ("log", "tail", "-n", TOO_MUCH),
        ("log", "tail", "-n", "0"),
        ("demo", "--seed", TOO_MUCH),
        ("demo", "--seed", "-1"),
        ("calibrate", "--training-days", TOO_MUCH),
        ("calibrate", "--training-days", "0"),
    ],
    ids=" ".join,
)
def test_a_number_out_of_bounds_is_refused_before_anything_is_done(run: Run, home: Path, words: Sequence[str]) -> None:
    """No trace, no folder, and no request on record that no column has room for."""
    done = run(*words, check=False)

    assert (done.code, "Invalid value for" in done.err, f"{words[-2]}'" in done.err) == (2, True, True)
    assert not home.exists()
