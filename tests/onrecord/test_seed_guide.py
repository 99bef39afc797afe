"""The usage guide that upstream services were promised runs as it stands, import lines apart, beside an owner."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.onrecord.conftest import Run
from tests.onrecord.processes import up

pytestmark = pytest.mark.real_data
GUIDE = Path(__file__).parents[3] / "shared" / "seeds" / "logging_calibration_system.txt"
SECTIONS = (
    "2. Capture Odds Snapshots",
    "3. Create Simulation Runs",
    "4. Publish Predictions",
    "5. Grade Predictions",
    "6. Run Calibration",
    "7. Use Calibration",
    "8. Query Performance",
)
RETENTION = "Data Retention Strategy"

BEFORE = {
    "2. Capture Odds Snapshots": """
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from onrecord.services import event_service, snapshot_service
event_id = "nba_lakers_celtics_2026_01_20"
event_service.schedule_event(
    event_id, "NBA", "nba", "Los Angeles Lakers", "Boston Celtics", datetime.now(UTC) + timedelta(hours=1)
)
raw_data = {"name": "Los Angeles Lakers", "price": -110, "point": -5.5}
other_side = {"name": "Boston Celtics", "price": -110, "point": 5.5}
spreads = {"key": "spreads", "outcomes": [other_side, raw_data]}
odds_api_response = {"bookmakers": [{"key": "fanduel", "title": "FanDuel", "markets": [spreads]}]}
monte_carlo_engine = SimpleNamespace(simulate=lambda given: given)
""",
    "3. Create Simulation Runs": """
latest_snapshot_id = snapshot_id
home_injury_snapshot_id, away_injury_snapshot_id = (
    snapshot_service.capture_injury_snapshot(team, "NBA", "provider", [], {"team": team}, event_id)
    for team in ("Los Angeles Lakers", "Boston Celtics")
)
""",
    "5. Grade Predictions": """
event_service.start_event(event_id)
event_service.record_result(event_id, 112, 101)
""",
}
"""What happens before a section: the names that the guide assumes, and what the world does."""

AFTER = """
import json
told = ("snapshot_ids", "graded_id", "stats", "version_doc", "calibrated_prob", "summary", "summary_nba", "deleted")
print(json.dumps({name: globals()[name] for name in told}, default=str))
"""


def block(title: str) -> str:
    """The Python block below a heading of the guide."""
    assert GUIDE.exists(), f"no seed at {GUIDE}: put it there, or leave out the tests marked real_data"
    found = re.search(
        rf"^##+ {re.escape(title)}$.*?```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"the guide has no block below {title!r}"
    return found[1]


def ours(code: str) -> str:
    """The same block with our import lines."""
    return re.sub(r"^from services\.\w+ import ", "from onrecord.services import ", code, flags=re.MULTILINE)


@pytest.fixture
def owner(home: Path) -> Iterator[None]:
    """`onrecord up`, which publishes its copy at once."""
    with up(publish_every_s="0"):
        yield


def test_only_import_lines_are_changed() -> None:
    """Line by line: what differs is an import, and the name that it imports is the same."""
    for title in (*SECTIONS, RETENTION):
        seed, run = block(title).splitlines(), ours(block(title)).splitlines()
        changed = [(was, now) for was, now in zip(seed, run, strict=True) if was != now]
        assert all(was.startswith("from services.") and was.split()[-1] == now.split()[-1] for was, now in changed)


def test_the_guide_runs_beside_an_owner(owner: None, tmp_path: Path, run: Run) -> None:
    """Captured, simulated, published, graded, calibrated, measured and cleaned up, from a second process."""
    parts = [BEFORE.get(title, "") + ours(block(title)) for title in (*SECTIONS, RETENTION)]
    script = tmp_path / "guide.py"
    script.write_text("\n".join((*parts, AFTER)), "utf-8")

    done = subprocess.run(
        [sys.executable, script], env=os.environ, capture_output=True, text=True, timeout=200, check=False
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told["snapshot_ids"]) == 2
    assert told["graded_id"]
    assert told["stats"] == {"graded": 1, "voided": 0, "pending": 0}
    summary = told["summary"]
    assert (summary["picks"], summary["win_rate"]) == (1, 1.0)
    assert {"roi", "total_units", "avg_clv", "avg_brier"} <= set(summary)
    assert told["summary_nba"]["picks"] == 0  # the game was played today
    assert told["version_doc"]["activation_status"] == "REJECTED"  # one pick trains nothing
    assert told["calibrated_prob"] == 0.62
    assert told["deleted"] == 0
    assert run("audit").out.splitlines()[-1] == "audit: 0 offenders in 10 checks"
