"""An owner that stays: a standby takes over, an outage of the log is survived, a replica decides nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.lease import Lease
from consumers.timetable import Timetable
from eventlog.clock import ManualClock
from eventlog.log import LogError
from onrecord.serving import Outage, Serving
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from schemas.requests import GradingRequest, GradingRequested
from tests.onrecord.test_wiring import eventually, game
from tests.producers.stage import NOW


@pytest.fixture
def another(workspace: Workspace) -> Iterator[Callable[[], Workspace]]:
    """Further workspaces over the same folder, closed at the end."""
    with ExitStack() as held:
        yield lambda: held.enter_context(closing(Workspace(workspace.settings, workspace.clock)))


@contextmanager
def served(serving: Serving, told: threading.Event) -> Iterator[threading.Thread]:
    """The loop in a thread, told to stop at the end; it must end then."""
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        yield thread
    finally:
        told.set()
        thread.join(30)
        assert not thread.is_alive()


def events(workspace: Workspace) -> int:
    """How many events the owner's copy shows."""
    with workspace.fresh_reader() as store:
        return int(store.rows("SELECT count(*) FROM events")[0][0])


def test_a_server_waits_for_a_command_to_be_done(workspace: Workspace, another: Callable[[], Workspace]) -> None:
    """A command that asks owns the projections meanwhile; a server that comes then goes on after it."""
    said: list[str] = []
    told = threading.Event()
    with ExitStack() as command:
        command.enter_context(workspace.reader())
        with served(Serving(another(), told.is_set, said.append), told) as thread:
            thread.join(1)
            assert (thread.is_alive(), said) == (True, [])
            command.close()
            eventually(lambda: bool(said))
    assert " owns " in said[0]


def test_a_standby_waits_and_takes_over(workspace: Workspace, another: Callable[[], Workspace]) -> None:
    """It says once that it waits; when the owner ends it goes on where the owner was."""
    said: list[str] = []
    first, second = threading.Event(), threading.Event()
    workspace.log.append([game()])
    with served(Serving(another(), first.is_set), first):
        eventually(Lease(workspace.settings.projections).is_held)
        with served(Serving(another(), second.is_set, said.append, standby=True), second):
            eventually(lambda: bool(said))
            first.set()
            eventually(lambda: len(said) == 2)
            workspace.log.append([game(1)])
            assert events(workspace) == 2

    assert [said[0].startswith("standing by: process "), " owns " in said[1]] == [True, True]


def test_a_standby_that_is_told_to_stop_ends(workspace: Workspace, another: Callable[[], Workspace]) -> None:
    """It never was the owner."""
    told, said = threading.Event(), list[str]()
    with workspace.owner(), served(Serving(another(), told.is_set, said.append, standby=True), told):
        eventually(lambda: bool(said))

    assert [line.startswith("standing by: process ") for line in said] == [True]


def test_an_outage_of_the_log_is_survived_and_told_once(workspace: Workspace, another: Callable[[], Workspace]) -> None:
    """Whatever in the loop meets it; then the loop goes on where it was."""
    said: list[str] = []
    tries: list[int] = []
    told = threading.Event()

    def meet_an_outage() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise LogError("no broker answers")

    workspace.log.append([game()])
    with served(Serving(workspace, told.is_set, said.append, [meet_an_outage]), told):
        eventually(lambda: len(tries) > 4)
        assert events(another()) == 1

    assert said[1] == "no broker answers; trying again until it answers"
    assert said[2].startswith("the log answers again, after ")
    assert len(said) == 3


def test_an_outage_that_changes_is_told_again() -> None:
    """The reason may be another one by now; a pause ends when somebody says stop."""
    said: list[str] = []
    outage = Outage(said.append)

    for reason in ("no broker", "no broker", "a wrong password"):
        outage.note(LogError(reason), lambda: True)
    outage.over()
    outage.over()

    assert [line.split(";")[0] for line in said[:2]] == ["no broker", "a wrong password"]
    assert len(said) == 3


def test_a_replica_decides_nothing(workspace: Workspace, clock: ManualClock, tmp_path: Path) -> None:
    """It folds the same log into a folder of its own, and publishes a copy there."""
    request = GradingRequested(occurred_at=NOW, producer="tests", data=GradingRequest(requested_by="ann"))
    workspace.log.append([game(), request])
    settings = workspace.settings.model_copy(update={"home": tmp_path / "replica", "replica": True})
    replica = Workspace(settings, clock)
    replica.__dict__["log"] = workspace.log
    told = threading.Event()

    with served(Serving(replica, told.is_set), told):
        eventually(settings.published.exists)
        eventually(lambda: (state := replica.owner_state()) is not None and state.published == workspace.log.end())
        state = replica.owner_state()

    assert state is not None
    assert state.at_rest is None
    assert workspace.log.end()["requests", 0] == 1
    workspace.request_grades(None, None)
    assert workspace.log.end()["requests", 0] > 2


def test_the_loop_keeps_the_timetable(workspace: Workspace, clock: ManualClock) -> None:
    """What is due is asked for, and answered in the same turn."""
    workspace.log.append([game()])
    timetable = Timetable(workspace.log, clock, retention_days=0)
    timetable.ask()
    clock.advance(timedelta(days=1))
    told = threading.Event()

    with served(Serving(workspace, told.is_set, beside=[timetable.ask]), told):
        eventually(lambda: any(row["type"] == "GradingCompleted" for row in workspace.newest(10, "requests")))

    asked = [row["type"] for row in workspace.newest(10, "requests")]
    assert asked.count("GradingRequested") == asked.count("GradingCompleted") == 1


def test_a_long_catch_up_ends_when_told_and_goes_on_the_next_time(home: Path, clock: ManualClock) -> None:
    """Between two transactions; nothing is folded twice."""
    workspace = Workspace(Settings(home=home, batch_rows=1, poll_s=0.02, publish_every_s=0), clock)
    workspace.log.append([game(number) for number in range(50)])
    with workspace.owner():
        pass  # the first opening is a rebuild
    workspace.log.append([game(number) for number in range(50, 90)])
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 10

    Serving(workspace, stop).run()

    state = workspace.generations.current()
    assert state is not None
    assert events(workspace) == 90
    workspace.close()
