"""The demo plays a SYNTHETIC season through every stage, and ends with an audit that finds nothing."""

from contextlib import closing
from pathlib import Path

import pytest

from onrecord.settings import Settings
from onrecord.wiring import Workspace
from tests.onrecord.conftest import Run


@pytest.mark.slow
def test_the_demo_shows_every_stage_and_is_played_once(spawn: Run, home: Path) -> None:
    """Labelled synthetic, in a folder of its own; a second time it shows the same season and adds nothing."""
    first, second = spawn("demo").out, spawn("demo").out

    assert first.startswith("SYNTHETIC season, seed 7: no game in it was ever played.")
    assert "Performance by market" in first
    assert "Reliability" in first
    assert first.splitlines()[-1] == "audit: 0 offenders in 10 checks"
    assert [path.name for path in home.iterdir()] == ["demo-7"]
    assert _table(first, "Performance") == _table(second, "Performance")


@pytest.mark.slow
def test_the_demo_has_a_bit_of_everything(spawn: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Picks on games that were not played, corrected grades; never on the log that is set, maybe a real one."""
    monkeypatch.setenv("ONRECORD_LOG", "kafka")

    spawn("demo")

    with closing(Workspace(Settings(home=home / "demo-7", log="sqlite"))) as workspace, workspace.reader() as store:
        [(voids, superseded)] = store.rows(
            "SELECT (SELECT count(*) FROM graded_picks WHERE summary = 'VOID'), "
            "(SELECT count(DISTINCT publish_id) FROM gradings WHERE revision > 0 "
            "AND publish_id IN (SELECT publish_id FROM graded_picks))"
        )

    assert (voids, superseded) == (2, 2)


@pytest.mark.slow
def test_the_demo_needs_no_network(spawn: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that it needs is installed: whoever asks for another machine gets an error."""
    denied = tmp_path / "denied"
    (tmp_path / "sitecustomize.py").write_text(_NO_NETWORK.format(denied=str(denied)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert spawn("demo").out.splitlines()[-1] == "audit: 0 offenders in 10 checks"
    assert set(denied.read_text().splitlines()) == {"from here on"}


_NO_NETWORK = """
import socket

def deny(*asked):
    open({denied!r}, "a").write(f"{{asked}}\\n")
    raise OSError("no network in this test")

open({denied!r}, "a").write("from here on\\n")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = deny
"""


def _table(shown: str, title: str) -> str:
    return shown.partition(title)[2].partition("Audit")[0]
