"""The commands of the log itself: its newest records, its size, and a copy of it on another engine."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from eventlog.log import EventLog, LogError
from eventlog.sqlite import SqliteLog
from onrecord import display
from onrecord.engine import kafka_log
from onrecord.log_copy import copy_log
from onrecord.settings import Settings
from onrecord.terminal import bar, open_workspace, opened, out

app = typer.Typer(no_args_is_help=True, help="The log itself.")
SQLITE = "sqlite:"


@app.command()
def tail(
    records: Annotated[int, typer.Option("--records", "-n", min=1, max=1_000_000_000, help="How many.")] = 20,
    topic: Annotated[str | None, typer.Option(help="One topic only.")] = None,
) -> None:
    """The newest records, oldest first, one JSON object a line."""
    for envelope in open_workspace().newest(records, topic):
        sys.stdout.write(json.dumps(envelope, default=str) + "\n")


@app.command()
def stats() -> None:
    """How many records the log holds by topic, and the conflicts it refused."""
    out.print(display.log_stats(open_workspace().log))


@app.command()
def copy(
    source: Annotated[str, typer.Option("--from", help="sqlite:PATH, or kafka.")],
    target: Annotated[str, typer.Option("--to", help="sqlite:PATH, or kafka.")],
) -> None:
    """Copy a whole log, stamps and all; run again it goes on where it was, and adds what is new."""
    settings = Settings()
    first, second = _log(source, settings, is_source=True), _log(target, settings, is_source=False)
    notes = settings.home / "copies" / f"{first.log_id}-{second.log_id}.json"
    with bar("copying") as progress:
        copied = copy_log(first, second, notes, progress)
    out.print(f"{copied.records} records copied; log {second.log_id} holds all of log {first.log_id}")
    if copied.left:
        out.print(
            f"{copied.left} that are no records stay behind: `onrecord dead-letters list` of the old log names them"
        )


def _log(name: str, settings: Settings, *, is_source: bool) -> EventLog:
    path = Path(name.removeprefix(SQLITE))
    if name == "kafka":
        log = kafka_log(settings)
    elif not name.startswith(SQLITE):
        raise LogError(f"there is no log {name!r}: name sqlite:PATH, or kafka for the one of the settings")
    elif is_source and not path.exists():
        raise LogError(f"{path} is not there: name the file of a log")
    else:
        log = SqliteLog(path)
    opened.callback(log.close)
    return log
