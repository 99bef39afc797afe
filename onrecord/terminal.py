"""What all commands share: the two consoles, the workspace that a command opens, and its progress bar."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eventlog.log import Positions
from onrecord import forms
from onrecord.settings import Settings
from onrecord.wiring import Workspace

# Piped output has no width of its own; 80 columns would fold every table.
# What is on record is shown as it is: no `:x:` of it is meant as an emoji.
out = Console(width=None if sys.stdout.isatty() else 200, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)
NOTHING_YET = "nothing is on record here yet: begin with `onrecord demo` or `onrecord import`, or set ONRECORD_HOME"
opened = ExitStack()
"""What the command opened, closed when it is done."""

Sheet = Annotated[Path, typer.Argument(help="A CSV file; - is standard input.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write here instead of to standard output.")]


def say(text: str) -> None:
    """One line on standard error."""
    err.print(escape(text), soft_wrap=True)


def tell_if_empty(positions: Positions) -> None:
    """Who looks into the wrong folder sees figures, too: of nothing."""
    if not any(positions.values()):
        say(NOTHING_YET)


def refuse_if_empty(positions: Positions) -> None:
    """Who asks for a decision about nothing, or for one thing of nothing, is in the wrong folder.

    Raises:
        ValueError: nothing is on record.
    """
    if not any(positions.values()):
        raise ValueError(NOTHING_YET)


def open_workspace(settings: Settings | None = None) -> Workspace:
    """The workspace of the settings, closed when the command is done."""
    workspace = Workspace(settings or Settings(), say=say)
    opened.callback(workspace.close)
    return workspace


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error; the callback takes what is done and what is left."""
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A file or a pipe gets no bar, nor the blank line that one leaves behind.
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, left: progress.update(task, completed=done, total=done + left)


def show(found: Mapping[str, Any], as_json: bool) -> None:
    """Facts as a table for people, or as one JSON object."""
    if as_json:
        sys.stdout.write(forms.as_json(found))
    else:
        out.print(forms.facts(found))
