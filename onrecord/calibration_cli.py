"""The commands of calibration: score and fit spreadsheets, train versions, look at them, overrule them."""

from pathlib import Path
from typing import Annotated

import typer

from onrecord import display, forms
from onrecord.calibration_service import CalibrationService, UnknownVersionError
from onrecord.terminal import Json, Sheet, bar, open_workspace, out, refuse_if_empty, show, tell_if_empty
from onrecord.wiring import user_name

app = typer.Typer(no_args_is_help=True, help="Calibration versions.")
Version = Annotated[str, typer.Argument(help="Such as v_20260119_030000.")]
Why = Annotated[str, typer.Option("--why", help="For the record.")]
_VERSION_COLUMNS = [
    "calibration_version",
    "activation_status",
    "method",
    "training_rows",
    "overall_ece",
    "overall_brier",
]


def scores(file: Sheet, as_json: Json = False) -> None:
    """Score a spreadsheet of forecasts (columns p, y; optional event_id, time, league, market)."""
    from onrecord.scores_file import scores_file  # the log's parts are not needed, and the other way round

    show(scores_file(file), as_json)


def calibrate(
    file: Annotated[Path | None, typer.Option("--file", help="A spreadsheet of forecasts, without any log.")] = None,
    method: Annotated[str, typer.Option(help="isotonic, platt, temperature, beta or auto")] = "auto",
    training_days: Annotated[int, typer.Option(min=1, max=36_525, help="The least window, in days.")] = 30,
    venn_abers: Annotated[bool, typer.Option("--venn-abers", help="With --file: an interval for every row.")] = False,
    three_way: Annotated[
        bool, typer.Option("--three-way", help="With --file: p_home, p_draw, p_away by one temperature; y is a word.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a version from the settled official picks and let the gate judge it; or fit a spreadsheet."""
    if file is not None and three_way:
        from onrecord.calibrate_three_way import calibrate_three_way

        if venn_abers or method not in {"auto", "temperature"}:
            raise ValueError("--three-way fits a temperature: leave out --venn-abers and --method")
        show(calibrate_three_way(file), as_json)
        return
    if file is not None:
        from onrecord.calibrate_file import calibrate_file

        show(calibrate_file(file, method, venn_abers), as_json)
        return
    if venn_abers or three_way:
        raise ValueError("--venn-abers and --three-way are for a spreadsheet: add --file FILE.csv")
    service = CalibrationService(open_workspace())
    refuse_if_empty(service.workspace.log.end())
    version = service.run_calibration_job(training_days, method)
    show(service.calibration_versions_collection.find_one({"calibration_version": version}) or {}, as_json)


@app.command(name="list")
def list_versions() -> None:
    """The versions on record, the newest first."""
    with bar("catching up") as progress, open_workspace().reader(progress) as store:
        forms.write_table(store.query("versions").select(_VERSION_COLUMNS), "table", None, out)
        tell_if_empty(store.positions())


@app.command(name="show")
def show_version(version: Version, as_json: Json = False) -> None:
    """One version: how it came about, and its segments with the gate's verdict on each."""
    with bar("catching up") as progress, open_workspace().reader(progress) as store:
        found = store.query("versions", {"calibration_version": version}).to_pylist()
        if not found:
            raise UnknownVersionError(version)
        segments = store.query("segments_of", {"calibration_version": version})
        if as_json:
            show({**found[0], "segments": segments.to_pylist()}, as_json)
            return
        show(found[0], as_json)
        forms.write_table(segments, "table", None, out)


@app.command()
def activate(version: Version, why: Why) -> None:
    """Let a version serve, whatever the gate said; who and why go on record."""
    service = CalibrationService(open_workspace())
    service.activate(version, user_name(), why)
    _tell(service, version)


@app.command()
def rollback(version: Version, why: Why) -> None:
    """Stop a version from serving; who and why go on record."""
    service = CalibrationService(open_workspace())
    service.roll_back(version, user_name(), why)
    _tell(service, version)


def _tell(service: CalibrationService, version: str) -> None:
    """What a decision led to: how the version stands, and what serves now."""
    with service.workspace.fresh_reader() as store:
        [stands] = store.query("versions", {"calibration_version": version}).to_pylist()
        out.print(f"{version} is {stands['activation_status']}, by {stands['decided_by']}", soft_wrap=True)
        out.print(display.calibration(store), soft_wrap=True)


@app.command()
def plot(
    league: Annotated[str, typer.Argument(help="Such as NBA; * is all leagues.")],
    market: Annotated[str, typer.Argument(help="A market key, such as SPREAD:FULL_GAME; * is all markets.")],
    out_file: Annotated[Path, typer.Option("--out", help="A .png or .svg file.")],
    version: Annotated[str | None, typer.Option(help="Default: the active version, or else the newest.")] = None,
) -> None:
    """Reliability before and after, of the picks that a version was judged by, with bands and histogram."""
    from onrecord.calibration_plot import diagram, draw  # scipy.stats and matplotlib take a second to import

    with bar("catching up") as progress, open_workspace().fresh_reader(progress) as store:
        shown = diagram(store, league, market, version)
    draw(shown, out_file)
    out.print(f"{out_file}: {shown.segment} of {shown.version}, {shown.y.size} picks out of time", soft_wrap=True)
