"""What the command line shows: tables and trees for people, CSV, JSON and Parquet for machines."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from consumers.lease import OwnedElsewhereError
from eventlog.log import EventLog, Positions, behind_by, beyond
from onrecord import trace
from onrecord.checks import Check, Verification
from onrecord.doctor import Finding
from onrecord.history import Imported
from onrecord.settings import PREFIX, Settings
from onrecord.watching import seconds_behind
from onrecord.wiring import Workspace
from projections.sql_file import NamedQuery
from projections.store import Store, StoreError

_NO_VALUE = "–"
_BETWEEN = "  "
_ENDLESS = 100_000
_ENDINGS = {"": "table", ".txt": "table", ".csv": "csv", ".json": "json", ".parquet": "parquet"}
SHOWN_ROWS = 500
LONGEST = 400


def one_line(error: Exception) -> str:
    """An error as one clear line."""
    if isinstance(error, ValidationError):
        faults = (f"{_field(error, fault['loc'])}: {fault['msg']}" for fault in error.errors())
        return escape("; ".join(faults))
    if isinstance(error, OSError) and error.filename is not None:
        return escape(f"{error.filename}: {error.strerror}; check the path")
    return escape(" ".join(str(error).split()))


def _field(error: ValidationError, loc: tuple[int | str, ...]) -> str:
    """As whoever made the mistake knows it: a setting is a variable."""
    name = ".".join(map(str, loc))
    return f"{PREFIX}{name.upper()}" if error.title == Settings.__name__ else name


@dataclass(frozen=True)
class Grid:
    """Rows as a table; where that is too wide for the terminal, row by row as `name value`, so that no value is cut."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str | None = None
    caption: str | None = None
    texts: Sequence[str] | None = None
    """The columns that are not figures; default: all."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        if Measurement.get(console, options.update(width=_ENDLESS), table).minimum <= options.max_width:
            yield table
            return
        if self.title:
            yield Text(self.title, "italic")
        if not self.rows:
            yield Text(_BETWEEN.join(self.names), "dim")
        for row in self.rows:
            yield _wrapped(self.names, row, options.max_width)
        if self.caption:
            yield Text(self.caption, "dim italic")

    def _table(self) -> Table:
        shown = Table(title=self.title, title_justify="left", caption=self.caption)
        for name in self.names:
            if self.texts is None:
                shown.add_column(escape(name))
            elif name in self.texts:
                shown.add_column(escape(name), no_wrap=True)
            else:
                shown.add_column(escape(name), justify="right")
        for row in self.rows:
            shown.add_row(*map(escape, row))
        return shown


def _wrapped(names: Sequence[str], row: Sequence[str], width: int) -> Text:
    """One row on as many lines as it takes, broken between its values only."""
    text, used = Text(), 0
    for name, value in zip(names, row, strict=True):
        pair = Text.assemble((f"{name} ", "dim"), value)
        if used and used + len(_BETWEEN) + pair.cell_len > width:
            text.append("\n" + _BETWEEN)
            used = len(_BETWEEN)
        elif used:
            text.append(_BETWEEN)
            used += len(_BETWEEN)
        text.append_text(pair)
        used += pair.cell_len
    return text


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


def facts(found: Mapping[str, Any]) -> Table:
    """Names and values; long ones are cut, `--json` gives them whole."""
    shown = Table("what", "value")
    for name, value in found.items():
        text = str(value)
        shown.add_row(name, escape(text if len(text) <= LONGEST else text[:LONGEST] + " ..."))
    return shown


def as_json(found: Mapping[str, Any]) -> str:
    """One JSON object."""
    return json.dumps(found, default=_plain, indent=1) + "\n"


def finding(found: Finding) -> str:
    """One line of the doctor's."""
    mark = "[red]✗[/]" if found.is_fault else "[yellow]![/]" if found.is_warning else "[green]✓[/]"
    return f"{mark} {found.subject}: {escape(found.state)}"


def write_table(table: pa.Table, format_name: str, target: Path | None, console: Console) -> None:
    """Rows as a table for people, or as CSV, JSON or Parquet; columns of one name are told apart as DuckDB does.

    Raises:
        StoreError: an unknown format, Parquet without a file, or a time that no calendar of ours has.
    """
    table = table.rename_columns(_told_apart(table.column_names))
    if format_name == "parquet":
        if target is None:
            raise StoreError("parquet is not text: name a file with --out")
        pq.write_table(table, target)
        return
    if format_name not in _FORMS:
        raise StoreError(f"there is no format {format_name!r}; there are table, csv, json and parquet")
    if format_name == "table" and target is None:
        console.print(_table(table))
        return
    text = _FORMS[format_name](table)
    if target is None:
        _check_can_say(text, console)
        console.out(text, end="", highlight=False)
    else:
        target.write_text(text, encoding="utf-8")


def _check_can_say(text: str, console: Console) -> None:
    """People can do with a ? in a table; a program would take it for what is on record."""
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError as error:
        raise StoreError(
            f"standard output is {console.encoding}, which has no {text[error.start]!a}: name a file with --out, or "
            "set PYTHONIOENCODING=utf-8"
        ) from error


def format_of(target: Path | None) -> str:
    """What a file's name asks for; a table where it has no ending.

    Raises:
        StoreError: the ending names no format.
    """
    ending = target.suffix.lower() if target is not None else ""
    if ending not in _ENDINGS:
        known = ", ".join(filter(None, _ENDINGS))
        raise StoreError(f"{target}: {ending} names no format; there are {known}; or name one with --format")
    return _ENDINGS[ending]


def _told_apart(names: Sequence[str]) -> list[str]:
    """Names as DuckDB writes them to Parquet: `event_id`, `event_id_1`; upper and lower case are one."""
    told: dict[str, str] = {}
    for name in names:
        tried = chain((name,), (f"{name}_{number}" for number in count(1)))
        free = next(one for one in tried if one.lower() not in told)
        told[free.lower()] = free
    return list(told.values())


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    try:
        return list(table.to_pylist())
    except OverflowError as error:
        raise StoreError(
            "a date or time is infinite, or not of the years 1 to 9999: ask for its text, as in starts_at::VARCHAR"
        ) from error


def _table(table: pa.Table) -> Grid:
    rows = [
        [_NO_VALUE if value is None else str(value) for value in row.values()]
        for row in _rows(table.slice(0, SHOWN_ROWS))
    ]
    is_cut = table.num_rows > SHOWN_ROWS
    caption = f"the first {SHOWN_ROWS} of {table.num_rows} rows; --format csv gives all" if is_cut else None
    return Grid(table.column_names, rows, caption=caption)


def _csv(table: pa.Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(tuple("" if value is None else value for value in row.values()) for row in _rows(table))
    return text.getvalue()


def _json(table: pa.Table) -> str:
    return json.dumps(_rows(table), default=_plain, indent=1) + "\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _text(table: pa.Table) -> str:
    console = Console(file=io.StringIO(), width=240, emoji=False)
    console.print(_table(table))
    return str(console.file.getvalue())  # type: ignore[attr-defined] # the StringIO above


_FORMS = {"table": _text, "csv": _csv, "json": _json}


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
    return _NO_VALUE if value is None else f"{float(value):.2%}"


def _number(value: Any, digits: int) -> str:
    return _NO_VALUE if value is None else f"{float(value):.{digits}f}"
