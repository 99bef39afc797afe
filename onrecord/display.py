"""What the command line shows to people: tables, trees and lines."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from consumers.lease import OwnedElsewhereError
from eventlog.log import EventLog, Positions, behind_by, beyond
from onrecord import trace
from onrecord.checks import Check, Verification
from onrecord.doctor import Finding
from onrecord.forms import NO_VALUE, Grid
from onrecord.history import Imported
from onrecord.settings import PREFIX, Settings
from onrecord.watching import seconds_behind
from onrecord.wiring import Workspace
from projections.errors import has_no_room
from projections.sql_file import NamedQuery
from projections.store import Store

_SAFE = "what was on record is all there"


def one_line(error: Exception) -> str:
    """An error as one clear line."""
    if isinstance(error, ValidationError):
        faults = (f"{_field(error, fault['loc'])}: {fault['msg']}" for fault in error.errors())
        return escape("; ".join(faults))
    if has_no_room(error):
        return escape(f"{_what_failed(error)}; free some space (or raise the limit), then run this again: {_SAFE}")
    if isinstance(error, OSError) and error.filename is not None:
        return escape(f"{error.filename}: {error.strerror}; check the path")
    return escape(" ".join(str(error).split()))


def _what_failed(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'what this command writes (standard output?)'}: {error.strerror or error}"
    return " ".join(str(error).split())


def _field(error: ValidationError, loc: tuple[int | str, ...]) -> str:
    """As whoever made the mistake knows it: a setting is a variable."""
    name = ".".join(map(str, loc))
    return f"{PREFIX}{name.upper()}" if error.title == Settings.__name__ else name


def performance(store: Store, cohort: str) -> Grid:
    """One kind of cohort, n beside every mean, live and backfill apart."""
    columns = ("origin", cohort, "picks", "W-L-P", "void", "ungr.", "won", "units", "n", "events", "ROI ± 95%")
    return Grid(
        (*columns, "CLV", "n", "beat", "n", "EV", "n", "Brier", "n", "log loss"),
        [_performance_row(row) for row in store.query("performance", {"cohort": cohort}).to_pylist()],
        f"Performance by {cohort}",
        "n counts what each figure left of it is of; voids are in none; CLV = by price, where the line did not move; "
        "beat = share that beat the close; EV = at the fair close",
        ("origin", cohort),
    )


def _performance_row(row: Mapping[str, Any]) -> Sequence[str]:
    return (
        row["origin"],
        row["cohort_key"],
        str(row["picks"]),
        f"{row['wins']}-{row['losses']}-{row['pushes']}",
        str(row["voids"]),
        str(row["ungradeable"]),
        _percent(row["win_rate"]),
        _number(row["total_units"], 2),
        str(row["priced"]),
        str(row["events"]),
        f"{_percent(row['roi'])} ± {_percent(row['roi_margin_95'])}",
        _percent(row["avg_clv"]),
        str(row["clv_n"]),
        _percent(row["beat_close_rate"]),
        str(row["beat_close_n"]),
        _percent(row["avg_clv_ev"]),
        str(row["clv_ev_n"]),
        _number(row["avg_brier"], 4),
        str(row["scored"]),
        _number(row["avg_log_loss"], 4),
    )


def reliability(store: Store) -> Table:
    """Served probability against what came."""
    shown = Table("origin", "bin", "n", "events", "mean p", "won", "95%", title="Reliability", title_justify="left")
    for row in store.query("reliability").to_pylist():
        low, high = (row["bin"] - 1) / 10, row["bin"] / 10
        figures = (_number(row[name], 3) for name in ("mean_p", "win_rate"))
        interval = f"{_number(row['win_rate_low'], 3)} to {_number(row['win_rate_high'], 3)}"
        shown.add_row(row["origin"], f"{low:.1f}-{high:.1f}", str(row["n"]), str(row["events"]), *figures, interval)
    return shown


def is_copy(store: Store) -> bool:
    """Whether this is an owner's published copy."""
    return "published_at" in store.relations()


def age(store: Store) -> str:
    """Whether this is the live state or the owner's copy, and how old that is."""
    if not is_copy(store):
        return "caught up with the log"
    [(at,)] = store.rows("FROM published_at")
    return f"the owner's published copy, {(datetime.now(UTC) - at).total_seconds():.0f} s old"


def calibration(store: Store) -> str:
    """The active version and its first warning, in one line."""
    active = store.query("active_version").to_pylist()
    if not active:
        return "calibration: no version is active, raw probabilities are served"
    told = f"calibration: {escape(active[0]['calibration_version'])} is active"
    warnings = store.query("calibration_warnings").to_pylist()
    if not warnings:
        return f"{told}, no warnings"
    first, more = warnings[0], len(warnings) - 1
    where = " ".join(filter(None, (first["origin"], f"{first['league']}|{first['market_key']}")))
    others = f"; {more} more: `onrecord query calibration_warnings`" if more else ""
    return f"{told}; [yellow]{first['warning']}[/] {escape(where)}: {escape(first['says'])}{others}"


def imported(done: Imported) -> Table:
    """What became of every file."""
    shown = Table(title=f"{done.records} records, {done.added} of them new", title_justify="left")
    for name in ("file", "rows", "accepted", "rejected", "rejected cells"):
        shown.add_column(name, justify="left" if name == "file" else "right")
    for source, tally in done.files:
        figures = (tally.rows, tally.accepted, tally.rejected, tally.rejected_cells)
        shown.add_row(escape(source), *map(str, figures))
    if len(done.files) > 1:
        names = ("rows", "accepted", "rejected", "rejected_cells")
        sums = (str(sum(getattr(tally, name) for _, tally in done.files)) for name in names)
        shown.add_section()
        shown.add_row(f"{len(done.files)} files", *sums)
    shown.caption = "\n".join(_remarks(done)) or None
    shown.caption_justify = "left"
    return shown


def _remarks(done: Imported) -> Iterator[str]:
    """What the figures alone do not tell: files without rows, and cells that no record has a place for."""
    for source, tally in done.files:
        if not tally.rows:
            yield f"{escape(source)} has no rows: nothing to import"
    left_out = sum((Counter(tally.left_out) for _, tally in done.files), Counter[str]())
    for reason, cells in left_out.items():
        yield f"left out: {cells} {reason}"


def audit(checks: Sequence[Check]) -> Table:
    """The checks with their offenders."""
    shown = Table("", "what must hold", "offenders", "one of them", title="Audit", title_justify="left")
    for check in checks:
        shown.add_row(str(check.number), check.says, str(check.offenders), escape(check.example or ""))
    return shown


def verified(done: Verification) -> str:
    """The outcome of a verification."""
    if done.differing:
        return f"[red]differs[/] from a rebuild: {', '.join(done.differing)}; `onrecord rebuild` makes it anew"
    return f"equal to a rebuild in all {done.tables} tables"


def queries(store: Store) -> Table:
    """The named queries with their parameters."""
    shown = Table("query", "parameters", "what", title="Named queries", title_justify="left")
    for name, query in sorted(store.named_queries().items()):
        shown.add_row(name, escape(", ".join(_parameters(query))), query.description)
    return shown


def _parameters(query: NamedQuery) -> Iterator[str]:
    """As they are called; in brackets what may be left out."""
    for key, default in query.defaults.items():
        told = f"{key}={default}" if default else key
        yield told if key in query.required else f"[{told}]"


def status(workspace: Workspace) -> Table:
    """Lag per topic and partition, in records and in seconds, by our own positions."""
    positions, alive = _stored_positions(workspace)
    end, now = workspace.log.end(), workspace.clock.now().timestamp()
    title = "an owner is alive" if alive else "no owner is alive; any command catches up"
    shown = Table("topic", "partition", "end", "behind", "seconds", title=title, title_justify="left")
    ahead = beyond(positions, end)
    if ahead:
        shown.caption = "ahead of the log, which is an older copy or was made again: end the owner, and start it again"
    for (topic, partition), offset in sorted(end.items()):
        key = (topic, partition)
        behind = behind_by(positions, {key: offset})
        told = f"{ahead[key] - offset} ahead" if key in ahead else str(behind)
        lag_s = seconds_behind(workspace.log, {**end, key: offset - behind}, end, now)
        shown.add_row(topic, str(partition), str(offset), told, f"{lag_s:.0f}")
    return shown


def log_stats(log: EventLog) -> Table:
    """Records by topic, and conflicts."""
    shown = Table("topic", "partition", "next offset", title=f"log {log.log_id}", title_justify="left")
    for (topic, partition), offset in sorted(log.end().items()):
        shown.add_row(topic, str(partition), str(offset))
    shown.caption = f"{len(log.conflicts())} appends refused: known id, other content"
    return shown


def lineage(store: Store, identifier: str) -> Tree:
    """A grade's lineage as a tree."""
    root = trace.lineage(store, identifier)
    tree = Tree(_label(root))
    _grow(tree, root)
    return tree


def finding(found: Finding) -> str:
    """One line of the doctor's."""
    mark = "[red]✗[/]" if found.is_fault else "[yellow]![/]" if found.is_warning else "[green]✓[/]"
    return f"{mark} {found.subject}: {escape(found.state)}"


def _grow(tree: Tree, node: trace.Node) -> None:
    for below in node.rests_on:
        _grow(tree.add(_label(below)), below)


def _label(node: trace.Node) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in node.facts.items())
    return f"[bold]{node.kind}[/] {escape(node.id)}\n[dim]{escape(facts)}[/]"


def _stored_positions(workspace: Workspace) -> tuple[Positions, bool]:
    """How far the projections are, and whether it is a living owner that tells."""
    try:
        with workspace.present() as store:
            return ({} if store is None else store.positions()), False
    except OwnedElsewhereError:
        state = workspace.owner_state()
        return ({} if state is None else state.positions), True


def _percent(value: Any) -> str:
    return NO_VALUE if value is None else f"{float(value):.2%}"


def _number(value: Any, digits: int) -> str:
    return NO_VALUE if value is None else f"{float(value):.{digits}f}"
