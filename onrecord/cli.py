"""The command line. Each command is a few lines over `onrecord.wiring`; `onrecord.display` makes what it shows."""

import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape

from consumers.lease import OwnedElsewhereError
from consumers.owner import DecidedAgainError
from eventlog.log import LogError
from onrecord import calibration_cli, dead_letters_cli, display, forms, hosts_cli, log_cli
from onrecord.calibration_service import UnknownVersionError
from onrecord.demo import play_season
from onrecord.doctor import findings
from onrecord.forecasting import Forecaster
from onrecord.history import import_history, read_files
from onrecord.settings import Settings, Traces
from onrecord.stopping import was_interrupted
from onrecord.terminal import (
    Out,
    Sheet,
    bar,
    err,
    open_workspace,
    opened,
    out,
    refuse_if_empty,
    say,
    tell_if_empty,
)
from onrecord.walk_forward import walking
from onrecord.wiring import ReplicaError, TimedOutError, UnwritableError, Workspace
from producers.importers import FileRefused
from projections.errors import DuckDBError, StoreError
from projections.published import export_parquet

_HELP = """A system of record for sports predictions.

All state lies in one folder, ONRECORD_HOME (default: onrecord-data). Begin with `onrecord demo`, or put history on
record with `onrecord import football-data E0.csv`; then `onrecord summary` shows how the picks did.
"""
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=_HELP)
app.add_typer(log_cli.app, name="log")
app.add_typer(calibration_cli.app, name="calibration")
app.add_typer(dead_letters_cli.app, name="dead-letters")
app.command()(hosts_cli.up)
app.command()(hosts_cli.project)
app.command()(hosts_cli.worker)

_EXPECTED = (
    DecidedAgainError,
    DuckDBError,
    FileRefused,
    LogError,
    OwnedElsewhereError,
    ReplicaError,
    StoreError,
    TimedOutError,
    UnknownVersionError,
    UnwritableError,
    OSError,
    ValueError,
)
INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""
COHORTS = ("all", "league", "market", "book", "tier", "channel", "model_version", "day", "month")
Files = Annotated[list[Path], typer.Argument(help="Files to import, of one format.")]
Book = Annotated[
    str | None,
    typer.Option("--rulebook", help="A packaged one (nfl, nfl@1) or your own TOML file, for its sport."),
]


def main() -> None:
    """Run a command; an error that was foreseen is one line, with what to do, and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that has no ± gets a ?, not a trace.
            stream.reconfigure(errors="replace")
    try:
        with opened:
            app()
    except SystemExit as ended:
        if ended.code != INTERRUPTED:
            raise
        raise KeyboardInterrupt from None
    except Exception as error:
        if was_interrupted(error):
            raise KeyboardInterrupt from None
        if not isinstance(error, _EXPECTED) or _shows_traces():
            raise
        err.print(f"[bold red]error:[/] {display.one_line(error)}", soft_wrap=True)
        raise SystemExit(2) from None


def _shows_traces() -> bool:
    try:
        return Traces().debug
    except ValidationError:
        return False


def _tell_version(asked: bool) -> None:
    if asked:
        out.print(f"onrecord {version('onrecord')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which onrecord this is.")
    ] = False,
) -> None:
    if debug:
        os.environ["ONRECORD_DEBUG"] = "1"


@app.command()
def init() -> None:
    """Make the folder that holds all state: the log and its projections."""
    workspace = open_workspace()
    with workspace.reader() as store:
        out.print(f"{workspace.settings.home}: log {workspace.log.log_id}, {len(store.relations())} tables and views")


@app.command()
def demo(seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Another season.")] = 7) -> None:
    """Play a SYNTHETIC season through every stage, in a folder of its own."""
    settings = Settings()
    # Whatever engine is set: what is made up never comes near a log of what happened.
    home = settings.home / f"demo-{seed}"
    workspace = open_workspace(settings.model_copy(update={"home": home, "log": "sqlite"}))
    out.print(f"[bold]SYNTHETIC season[/], seed {seed}: no game in it was ever played. State: {home}")
    with bar("playing") as progress:
        play_season(workspace, seed, progress)
    with workspace.reader() as store:
        out.print(display.performance(store, "market"))
        out.print(display.reliability(store))
    out.print(f"To look further, set ONRECORD_HOME={home} for any other command, such as summary.", soft_wrap=True)
    _audit(workspace)


@app.command(name="import")
def import_(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="Such as football-data; see docs/importing.md.")],
    files: Files,
    forecast: Annotated[
        bool, typer.Option(help="Forecast the games walk-forward, publish where there is an edge.")
    ] = True,
    calibrate: Annotated[
        bool, typer.Option(help="Calibrate the forecasts, each week by what was on record by then.")
    ] = True,
) -> None:
    """Replay files of history in time order, forecast, grade; run twice it adds nothing."""
    workspace = open_workspace()
    read, refused = read_files(format_name, files)
    with bar("importing") as progress, ExitStack() as held:
        model_at = held.enter_context(walking(workspace, read)) if calibrate else None
        forecaster = Forecaster() if forecast else None
        done = import_history(workspace.log, read, refused, forecaster, progress, model_at=model_at)
    with bar("projecting and grading") as progress:
        workspace.settle_down(done.positions, progress)
    if done.files:
        out.print(display.imported(done))
    for line in refused:
        err.print(f"[bold red]refused:[/] {escape(line)}", soft_wrap=True)
    if refused:
        raise typer.Exit(1)


@app.command()
def grade(
    lookback_hours: Annotated[float | None, typer.Option(help="Only events that started within so many hours.")] = None,
    publish_id: Annotated[str | None, typer.Option(help="One pick, whenever its event started.")] = None,
    force: Annotated[bool, typer.Option(help="Grade again, even from the same inputs.")] = False,
    why: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
) -> None:
    """Grade what can be graded; says how many picks are graded, voided and pending."""
    workspace = open_workspace()
    tell_if_empty(workspace.log.end())
    with bar("grading") as progress:
        tally = workspace.request_grades(lookback_hours, publish_id, force=force, why=why, progress=progress)
    if publish_id and not (tally.graded or tally.voided or tally.pending):
        raise ValueError(f"{publish_id} is no pick: {tally.pending_because}; see `onrecord query publishes`")
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
    with bar("catching up") as progress, open_workspace().reader(progress) as store:
        out.print(display.age(store))
        tell_if_empty(store.positions())
        out.print(display.calibration(store), soft_wrap=True)
        for cohort in dict.fromkeys(("all", by)):
            out.print(display.performance(store, cohort))


@app.command()
def query(
    sql: Annotated[
        str | None, typer.Argument(help="SQL, or a query, table or view by its name; alone it lists the queries.")
    ] = None,
    parameters: Annotated[list[str] | None, typer.Option("--set", "-s", help="A parameter as name=value.")] = None,
    format_name: Annotated[
        str | None,
        typer.Option("--format", "-f", help="table, csv, json or parquet; default: by the ending of --out, else table"),
    ] = None,
    out_file: Out = None,
) -> None:
    """Ask DuckDB: SQL, a named query with parameters, or a table or view by its name."""
    shape = format_name or forms.format_of(out_file)
    with bar("catching up") as progress, open_workspace().reader(progress) as store:
        if display.is_copy(store):
            say(display.age(store))
        if sql is None:
            out.print(display.queries(store))
            return
        given = _parameters(parameters or ())
        # One word is no SQL: it is the name of a query, of a table or view, or a mistyped one.
        if sql in store.relations() and sql not in store.named_queries():
            sql = f"FROM {sql}"
        table = store.query(sql, given) if sql.isidentifier() else store.ask(sql, given or None)
        forms.write_table(table, shape, out_file, out)
        if shape == "table" and not table.num_rows:
            say("no rows")
        tell_if_empty(store.positions())


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
    workspace = open_workspace()
    out.print(display.status(workspace))
    tell_if_empty(workspace.log.end())


def _audit(workspace: Workspace) -> None:
    with bar("auditing") as progress:
        checks = workspace.audit(progress)
    tell_if_empty(workspace.log.end())
    out.print(display.audit(checks))
    offenders = sum(check.offenders for check in checks)
    out.print(f"audit: {offenders} offenders in {len(checks)} checks")
    if offenders:
        raise typer.Exit(1)


@app.command()
def audit() -> None:
    """Check what must always hold; exits with 1 where anything offends."""
    _audit(open_workspace())


@app.command()
def rebuild(
    until: Annotated[datetime | None, typer.Option(help="Only what was known by then (UTC); needs --out.")] = None,
    verify: Annotated[bool, typer.Option(help="Rebuild beside the projections, and only compare.")] = False,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A new DuckDB file to rebuild into; the projections stay as they are.")
    ] = None,
) -> None:
    """Make the projections anew from the log; --verify exits with 1 where they differ."""
    workspace = open_workspace()
    if verify and (until or out_file):
        raise ValueError("rebuild --verify compares everything, and keeps nothing: leave out --until and --out")
    with bar("rebuilding") as progress:
        if verify:
            done = workspace.verify(progress)
            out.print(display.verified(done))
            raise typer.Exit(1 if done.differing else 0)
        beside = until is not None or out_file is not None
        report = workspace.rebuild_into(out_file, until, progress) if beside else workspace.rebuild(progress)
    out.print(
        f"{report.path}: {report.records} records, {report.dead_letters} dead letters, "
        f"{report.unknown} of unknown type or newer version"
    )


@app.command()
def trace(identifier: Annotated[str, typer.Argument(help="A publish_id, or any id that a call returned.")]) -> None:
    """Draw the whole lineage of a grade, back to the raw payloads."""
    with bar("catching up") as progress, open_workspace().reader(progress) as store:
        refuse_if_empty(store.positions())
        out.print(display.lineage(store, identifier))


@app.command()
def parquet(folder: Annotated[Path | None, typer.Argument(help="Default: parquet in the home folder.")] = None) -> None:
    """Write every table and view as Parquet, odds partitioned by month."""
    workspace = open_workspace()
    with bar("catching up") as progress, workspace.reader(progress) as store:
        written = export_parquet(store, folder or workspace.settings.parquet)
    out.print(f"{len(written)} tables and views below {folder or workspace.settings.parquet}")


@app.command()
def doctor() -> None:
    """Look for what is wrong with the folder, the log, the projections and this machine."""
    found = list(findings(open_workspace()))
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


app.command()(calibration_cli.scores)
app.command()(calibration_cli.calibrate)
