"""The audit's checks, and the verification that projections equal a rebuild."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from eventlog.log import EventLog, listed
from projections.catch_up import Progress, build
from projections.digest import differences, exact_digests
from projections.generations import replace_file
from projections.store import Store

_FILE = "verification.json"


@dataclass(frozen=True)
class Check:
    """One check of the audit: how many offend, and one of them."""

    number: int
    says: str
    offenders: int
    example: str | None = None


@dataclass(frozen=True)
class Verification:
    """A rebuild beside the projections: the tables that differed, when it was, and how many tables were compared.

    `of` says of which file and positions: of others it says nothing.
    """

    at: datetime
    tables: int
    differing: tuple[str, ...]
    of: str


def state(generation: Path | None, store: Store) -> str:
    """Names a file of projections and how far it is folded."""
    return json.dumps([generation and generation.name, listed(store.positions())])


def verify(
    log: EventLog, store: Store, of: str, beside: Path, remember_in: Path, at: datetime, progress: Progress
) -> Verification:
    """Rebuild into the file `beside`, to where `store` is, and compare every table exactly."""
    build(log, beside, progress, target=store.positions())
    rebuilt = Store(beside, log_id=log.log_id, read_only=True)
    try:
        first, second = exact_digests(store), exact_digests(rebuilt)
    finally:
        rebuilt.close()
    done = Verification(at, len(first), tuple(differences(first, second)), of)
    replace_file(remember_in / _FILE, json.dumps({**asdict(done), "at": at.isoformat()}))
    return done


def last_verification(folder: Path, of: str) -> Verification | None:
    """The last one made, if it is one of this file at these positions, and can be read."""
    path = folder / _FILE
    if not path.exists():
        return None
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        said = json.loads(path.read_text("utf-8"))
        if said["of"] == of:
            return Verification(datetime.fromisoformat(said["at"]), int(said["tables"]), tuple(said["differing"]), of)
    return None


def verification_check(done: Verification, now: datetime) -> Check:
    """The tenth check."""
    says = "projections equal a rebuild at the same positions"
    age = timedelta(seconds=round((now - done.at).total_seconds()))
    return Check(
        10, f"{says} (verified {age} ago, {done.tables} tables)", len(done.differing), min(done.differing, default=None)
    )
