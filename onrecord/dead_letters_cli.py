"""The commands of dead letters: look at the records that could not be read, and decide what becomes of each."""

import json
from typing import Annotated, Any, Literal

import typer

from onrecord import forms
from onrecord.terminal import Json, bar, open_workspace, out, show
from onrecord.wiring import Workspace, user_name
from projections.store import Store
from schemas.calibrations import CalibrationTrained
from schemas.gradings import PredictionGraded
from schemas.requests import DeadLetterResolution, DeadLetterResolved

app = typer.Typer(no_args_is_help=True, help="Records that could not be read, and what becomes of them.")
Name = Annotated[str, typer.Argument(help="As the list shows it, or its place: topic/partition/offset.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decided, for the record; default: you.")]
Why = Annotated[str, typer.Option("--why", help="Why, for the record.")]
_DECISIONS = {PredictionGraded.topic, CalibrationTrained.topic}
_LISTED = ["dead_letter", "kind", "type", "event_id", "action", "who", "why"]


@app.command(name="list")
def list_letters(
    everything: Annotated[bool, typer.Option("--all", help="Those that were dropped, too.")] = False,
) -> None:
    """What waits for a decision; its events are not graded meanwhile."""
    with bar("catching up") as progress, open_workspace().fresh_reader(progress) as store:
        letters = store.query("dead_letters_all").select(_LISTED) if everything else store.query("dead_letters_open")
        forms.write_table(letters, "table", None, out)


@app.command(name="show")
def show_letter(name: Name, as_json: Json = False) -> None:
    """One of them, whole: what came, where it lies, why it could not be read."""
    with bar("catching up") as progress, open_workspace().fresh_reader(progress) as store:
        letter = _found(store, name)
    letter["raw"] = json.loads(letter["raw"])
    show(letter, as_json)


@app.command()
def retry(name: Name, why: Why, who: Who = None) -> None:
    """Try again to read it, after a fix; exits with 1 where it still cannot be read."""
    letter = resolve(open_workspace(), name, "retry", who, why)
    if letter is not None:
        out.print(f"{letter['dead_letter']} still cannot be read: {letter['reason']}", markup=False)
        raise typer.Exit(1)
    out.print(f"{name} is folded", markup=False)


@app.command()
def drop(name: Name, why: Why, who: Who = None) -> None:
    """Go on without it: its events are graded again. The log, and the list of all, keep it."""
    resolve(open_workspace(), name, "drop", who, why)
    out.print(f"{name} is dropped", markup=False)


def resolve(
    workspace: Workspace, name: str, action: Literal["retry", "drop"], who: str | None, why: str
) -> dict[str, Any] | None:
    """Put a decision on record, and wait until it is done; gives the letter as it is then, None once it is folded.

    Raises:
        ReplicaError: only the owner's projections count, and this folder is a replica's.
        ValueError: there is no such dead letter, or it is a decision of newer code, which cannot be dropped.
    """
    workspace.check_decides()
    with workspace.fresh_reader() as store:
        letter = _found(store, name)
    if action == "drop" and letter["kind"] == "UNKNOWN" and letter["topic"] in _DECISIONS:
        raise ValueError(
            f"{letter['dead_letter']} is a decision of newer code, and what is decided without it would have its name: "
            "upgrade, then `onrecord dead-letters retry`"
        )
    decision = DeadLetterResolution(dead_letter=letter["dead_letter"], action=action, who=who or user_name(), why=why)
    workspace.log.append([DeadLetterResolved(occurred_at=workspace.clock.now(), producer="onrecord", data=decision)])
    with workspace.fresh_reader() as store:
        return next(iter(_letters(store, decision.dead_letter)), None)


def _found(store: Store, name: str) -> dict[str, Any]:
    letters = _letters(store, name)
    if not letters:
        raise ValueError(f"there is no dead letter {name!r}: `onrecord dead-letters list --all`")
    return letters[0]


def _letters(store: Store, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = store.query("dead_letter", {"dead_letter": name}).to_pylist()
    return found
