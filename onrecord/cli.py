"""The command line. Each command is a few lines over `onrecord.wiring`; what it shows is made in `onrecord.display`."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from consumers.lease import OwnedElsewhereError
from eventlog.log import LogError
from onrecord import display
from onrecord.calibration_service import CalibrationService
from onrecord.csv_file import FileRefused as SheetRefused
from onrecord.demo import play_season
from onrecord.doctor import findings
from onrecord.forecasting import Forecaster
from onrecord.history import import_history, read_files
from onrecord.settings import Settings
from onrecord.stopping import until_told
from onrecord.wiring import TimedOutError, Workspace
from producers.importers import FileRefused
from projections.published import export_parquet
from projections.store import StoreError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
log_app = typer.Typer(no_args_is_help=True, help="Look at the log itself.")
calibration_app = typer.Typer(no_args_is_help=True, help="Calibration versions.")
app.add_typer(log_app, name="log")
app.add_typer(calibration_app, name="calibration")
# Piped output has no width of its own; 80 columns would fold every table.
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)
_opened = ExitStack()
"""What the command opened, closed when it is done."""

_EXPECTED = (
    FileRefused,
    LogError,
    OwnedElsewhereError,
    SheetRefused,
    StoreError,
    TimedOutError,
    ValidationError,
    OSError,
    ValueError,
    duckdb.Error,
)
COHORTS = ("all", "league", "market", "book", "tier", "channel", "model_version", "day", "month")
Files = Annotated[list[Path], typer.Argument(help="Files to import, of one format.")]
Sheet = Annotated[Path, typer.Argument(help="A CSV file; - is standard input.")]
Book = Annotated[
    str | None,
    typer.Option("--rulebook", help="A packaged one (nfl, nfl@1) or your own TOML file, for its sport."),
]
_VERSION_COLUMNS = [
    "calibration_version",
    "activation_status",
    "method",
    "training_rows",
    "overall_ece",
    "overall_brier",
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Version = Annotated[str, typer.Argument(help="Such as v_20260119_030000.")]
Why = Annotated[str, typer.Option("--why", help="For the record.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write here instead of to standard output.")]


def main() -> None:
    """Run a command; an error that was foreseen is one line, with what to do, and exit code 2."""
    try:
        with _opened:
            app()
    except _EXPECTED as error:
        if "ONRECORD_DEBUG" in os.environ:
            raise
        err.print(f"[bold red]error:[/] {display.one_line(error)}", soft_wrap=True)
        raise SystemExit(2) from None


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False) -> None:
    if debug:
        os.environ["ONRECORD_DEBUG"] = "1"


def _workspace(settings: Settings | None = None) -> Workspace:
    workspace = Workspace(settings or Settings(), say=lambda text: err.print(escape(text), soft_wrap=True))
    _opened.callback(workspace.close)
    return workspace


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error; the callback takes what is done and what is left."""
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A file or a pipe gets no bar, nor the blank line that one leaves behind.
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, left: progress.update(task, completed=done, total=done + left)


@app.command()
def init() -> None:
    """Make the folder that holds all state: the log and its projections."""
    workspace = _workspace()
    with workspace.reader() as store:
        out.print(f"{workspace.settings.home}: log {workspace.log.log_id}, {len(store.relations())} tables and views")


@app.command()
def demo(seed: Annotated[int, typer.Option(help="Another season.")] = 7) -> None:
    """Play a SYNTHETIC season through every stage, in a folder of its own."""
    settings = Settings()
    workspace = _workspace(settings.model_copy(update={"home": settings.home / "demo"}))
    out.print(
        f"[bold]SYNTHETIC season[/], seed {seed}: no game in it was ever played. State: {workspace.settings.home}"
    )
    with _bar("playing") as progress:
        play_season(workspace, seed, progress)
    with workspace.reader() as store:
        out.print(display.performance(store, "market"))
        out.print(display.reliability(store))
    _audit(workspace)


@app.command()
def up() -> None:
    """Run everything in this process: fold, grade, publish the analysts' copy; until interrupted."""
    _workspace().serve(until_told())


@app.command(name="import")
def import_(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="Such as football-data; see docs/importing.md.")],
    files: Files,
    forecast: Annotated[
        bool, typer.Option(help="Forecast the games walk-forward, publish where there is an edge.")
    ] = True,
) -> None:
    """Replay files of history in time order, forecast, grade; run twice it adds nothing."""
    workspace = _workspace()
    read, refused = read_files(format_name, files)
    with _bar("importing") as progress:
        done = import_history(
            workspace.log,
            read,
            refused,
            Forecaster() if forecast else None,
            lambda now, total: progress(now, total - now),
        )
    with _bar("projecting and grading") as progress:
        workspace.settle_down(done.positions, progress)
    out.print(display.imported(done))
    for line in refused:
        err.print(f"[bold red]refused:[/] {escape(line)}", soft_wrap=True)
    if refused:
        raise typer.Exit(1)


@app.command()
def grade(
    lookback_hours: Annotated[float | None, typer.Option(help="Only events that started within so many hours.")] = None,
    publish_id: Annotated[str | None, typer.Option(help="One pick.")] = None,
    force: Annotated[bool, typer.Option(help="Grade again, even from the same inputs.")] = False,
    why: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
) -> None:
    """Grade what can be graded; says how many picks are graded, voided and pending."""
    tally = _workspace().request_grades(lookback_hours, publish_id, force=force, why=why)
    out.print(f"graded {tally.graded}, voided {tally.voided}, pending {tally.pending}")
    if tally.pending_because:
        out.print(f"pending because {tally.pending_because}")


@app.command()
def summary(
    by: Annotated[str, typer.Option(help=", ".join(COHORTS))] = "league",
) -> None:
    """How the picks did: record, units, closing line value, scores; live and backfill apart."""
    if by not in COHORTS:
        raise ValueError(f"--by {by}: there are {', '.join(COHORTS)}")
    with _bar("catching up") as progress, _workspace().reader(progress) as store:
        out.print(display.age(store))
        for cohort in dict.fromkeys(("all", by)):
            out.print(display.performance(store, cohort))


@app.command()
def query(
    sql: Annotated[
        str | None, typer.Argument(help="SQL, or the name of a query; without it, the queries are listed.")
    ] = None,
    parameters: Annotated[list[str] | None, typer.Option("--set", "-s", help="A parameter as name=value.")] = None,
    format_name: Annotated[str, typer.Option("--format", "-f", help="table, csv, json or parquet")] = "table",
    out_file: Out = None,
) -> None:
    """Ask DuckDB: SQL, or a named query with parameters."""
    with _bar("catching up") as progress, _workspace().reader(progress) as store:
        if sql is None:
            out.print(display.queries(store))
            return
        given = _parameters(parameters or ())
        # One word is no SQL: it is the name of a query, or a mistyped one.
        named = sql.isidentifier()
        table = store.query(sql, given) if named else store.ask(sql, given or None)
        display.write_table(table, format_name, out_file, out)


def _parameters(texts: Iterable[str]) -> dict[str, str]:
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: write it as name=value")
        given[name] = value
    return given


@app.command()
def status() -> None:
    """How far the projections are behind the log, in records and seconds, per topic."""
    workspace = _workspace()
    out.print(display.status(workspace))


def _audit(workspace: Workspace) -> None:
    with _bar("auditing") as progress:
        checks = workspace.audit(progress)
    out.print(display.audit(checks))
    offenders = sum(check.offenders for check in checks)
    out.print(f"audit: {offenders} offenders in {len(checks)} checks")
    if offenders:
        raise typer.Exit(1)


@app.command()
def audit() -> None:
    """Check what must always hold; exits with 1 where anything offends."""
    _audit(_workspace())


@app.command()
def rebuild(
    until: Annotated[datetime | None, typer.Option(help="Only what was known by then (UTC); needs --out.")] = None,
    verify: Annotated[bool, typer.Option(help="Rebuild beside the projections, compare, and keep neither.")] = False,
    out_file: Out = None,
) -> None:
    """Make the projections anew from the log."""
    workspace = _workspace()
    with _bar("rebuilding") as progress:
        if verify:
            out.print(display.verified(workspace.verify(progress)))
            return
        report = workspace.rebuild_until(until, out_file, progress) if until else workspace.rebuild(progress)
    out.print(
        f"{report.path}: {report.records} records, {report.dead_letters} dead letters, "
        f"{report.unknown} of unknown type or newer version"
    )


@app.command()
def trace(identifier: Annotated[str, typer.Argument(help="A publish_id, or any id that a call returned.")]) -> None:
    """Draw the whole lineage of a grade, back to the raw payloads."""
    with _workspace().reader() as store:
        out.print(display.lineage(store, identifier))


@app.command()
def parquet(folder: Annotated[Path | None, typer.Argument(help="Default: parquet in the home folder.")] = None) -> None:
    """Write every table and view as Parquet, odds partitioned by month."""
    workspace = _workspace()
    with _bar("catching up") as progress, workspace.reader(progress) as store:
        written = export_parquet(store, folder or workspace.settings.parquet)
    out.print(f"{len(written)} tables and views below {folder or workspace.settings.parquet}")


@app.command()
def doctor() -> None:
    """Look for what is wrong with the folder, the log, the projections and this machine."""
    found = list(findings(_workspace()))
    for finding in found:
        out.print(display.finding(finding))
    if any(finding.is_fault for finding in found):
        raise typer.Exit(1)


@app.command()
def settle(file: Sheet, rulebook: Book = None, out_file: Out = None) -> None:
    """Grade a spreadsheet of picks; docs/settlement.md has its columns."""
    from onrecord.settle_file import settle_file  # the log's parts are not needed, and the other way round

    settle_file(file, rulebook, out_file)


@app.command()
def clv(file: Sheet, out_file: Out = None) -> None:
    """Closing line value of a spreadsheet of picks; docs/closing-line-value.md has its columns."""
    from onrecord.clv_file import clv_file

    clv_file(file, out_file)


@app.command()
def scores(file: Sheet, as_json: Json = False) -> None:
    """Score a spreadsheet of forecasts (columns p, y; optional event_id, time, league, market)."""
    from onrecord.scores_file import scores_file

    _show(scores_file(file), as_json)


@app.command()
def calibrate(
    file: Annotated[Path | None, typer.Option("--file", help="A spreadsheet of forecasts, without any log.")] = None,
    method: Annotated[str, typer.Option(help="isotonic, platt, temperature, beta or auto")] = "auto",
    training_days: Annotated[int, typer.Option(help="The least window, in days.")] = 30,
    as_json: Json = False,
) -> None:
    """Train a version from the settled official picks and let the gate judge it; or fit a spreadsheet."""
    if file is not None:
        from onrecord.calibrate_file import calibrate_file

        _show(calibrate_file(file, method), as_json)
        return
    service = CalibrationService(_workspace())
    version = service.run_calibration_job(training_days, method)
    _show(service.calibration_versions_collection.find_one({"calibration_version": version}) or {}, as_json)


@calibration_app.command(name="list")
def list_versions() -> None:
    """The versions on record, the newest first."""
    with _workspace().reader() as store:
        display.write_table(store.query("versions").select(_VERSION_COLUMNS), "table", None, out)


@calibration_app.command()
def show(version: Version) -> None:
    """One version: its segments with the gate's verdict on each."""
    with _workspace().reader() as store:
        segments = store.query("segments_of", {"calibration_version": version})
        if not segments.num_rows:
            raise ValueError(f"no version {version!r} with segments is on record: `onrecord calibration list`")
        display.write_table(segments, "table", None, out)


@calibration_app.command()
def activate(version: Version, why: Why) -> None:
    """Let a version serve, whatever the gate said; who and why go on record."""
    CalibrationService(_workspace()).activate(version, getpass.getuser(), why)


@calibration_app.command()
def rollback(version: Version, why: Why) -> None:
    """Stop a version from serving; who and why go on record."""
    CalibrationService(_workspace()).roll_back(version, getpass.getuser(), why)


def _show(found: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(display.as_json(found))
    else:
        out.print(display.facts(found))


@log_app.command()
def tail(
    records: Annotated[int, typer.Option("--records", "-n", min=1, help="How many.")] = 20,
    topic: Annotated[str | None, typer.Option(help="One topic only.")] = None,
) -> None:
    """The newest records, oldest first, one JSON object a line."""
    for envelope in _workspace().newest(records, topic):
        sys.stdout.write(json.dumps(envelope, default=str) + "\n")


@log_app.command()
def stats() -> None:
    """How many records the log holds by topic, and the conflicts it refused."""
    out.print(display.log_stats(_workspace().log))
