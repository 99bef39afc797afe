"""An owner, two importers and queries at the same time: no lock error, and nothing lost."""

import json
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from consumers.lease import Lease
from onrecord.forecasting import Forecaster
from onrecord.history import import_history, read_files
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from projections.digest import differences
from tests.onrecord.conftest import Run, content
from tests.onrecord.processes import ended, eventually, killed, running, start, up
from tests.onrecord.season import season_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MATCHES = 90
DIVISIONS = (("E0", "E1"), ("D1", "D2"))
COUNT = "SELECT count(*) AS n FROM events"
LEARNED = {"calibration_requests", "calibration_verdicts", "trained_versions"}
"""What a version is learned from is what stood on the log by then: here two importers take turns as they come."""


@pytest.fixture
def seasons(tmp_path: Path) -> list[list[Path]]:
    """Two seasons for each of two importers, of four leagues."""
    return [
        [season_file(tmp_path, f"{name}_2122.csv", MATCHES, seed=len(name + pair[0])) for name in pair]
        for pair in DIVISIONS
    ]


def undisturbed(home: Path, seasons: list[list[Path]]) -> dict[str, str]:
    """The content when one import after the other has the folder to itself."""
    workspace = Workspace(Settings(home=home))
    for paths in seasons:
        files, refused = read_files("football-data", paths)
        done = import_history(workspace.log, files, refused, Forecaster(), lambda _done, _left: None)
        workspace.settle_down(done.positions)
    return content(workspace)


def count(run: Run) -> int:
    """What a query sees now."""
    [row] = json.loads(run("query", COUNT, "-f", "json").out)
    return int(row["n"])


@pytest.mark.parametrize(
    ("served", "options", "may_differ"),
    [(True, ["--no-calibrate"], set()), (False, ["--no-calibrate"], set()), (True, [], LEARNED), (False, [], LEARNED)],
    ids=["beside up", "without up", "beside up, calibrating", "without up, calibrating"],
)
def test_two_importers_and_queries_at_once(
    spawn: Run,
    home: Path,
    tmp_path: Path,
    seasons: list[list[Path]],
    served: bool,
    options: list[str],
    may_differ: set[str],
) -> None:
    """Every command ends well; a later query never sees less; in the end all is there, as if nobody had disturbed."""
    with up(publish_every_s="0.5") if served else nullcontext(), ExitStack() as importers:
        for paths in seasons:
            importers.enter_context(running("import", *options, "football-data", *paths))
        seen = [count(spawn) for _ in range(4)]
        importers.close()
        last = spawn("summary")

    assert seen == sorted(seen)
    assert (last.err, "BACKFILL" in last.out) == ("", True)
    assert spawn("audit").out.splitlines()[-1] == "audit: 0 offenders in 10 checks"
    assert count(spawn) == 4 * MATCHES
    alone, together = undisturbed(tmp_path / "alone", seasons), content(Workspace(Settings(home=home)))
    assert set(differences(alone, together)) <= may_differ


def test_who_comes_after_a_killed_owner_misses_nothing(spawn: Run, home: Path, seasons: list[list[Path]]) -> None:
    """While it lives nobody else owns; after kill -9 the next one does, and goes on from its positions."""
    first = start("up")
    try:
        eventually(Lease(Settings(home=home).projections).is_held, first)
        ended(start("import", "football-data", *seasons[0]))
        refused = spawn("up", check=False)
        assert (refused.code, refused.error.splitlines()[-1].startswith(f"error: process {first.pid} owns ")) == (
            2,
            True,
        )
    finally:
        killed(first)

    with up(publish_every_s="0"):
        ended(start("import", "football-data", *seasons[1]))
        assert "voided 0, pending 0" in spawn("grade").out
    assert count(spawn) == 4 * MATCHES
