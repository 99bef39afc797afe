"""A workspace: who owns the projections, who waits for whom, and what a rebuild says it did."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from consumers.lease import Lease, OwnedElsewhereError, OwnerState, read_state, write_state
from consumers.owner import DecidedAgainError
from eventlog.clock import ManualClock
from eventlog.log import BATCH, LogError
from eventlog.sqlite import SqliteLog
from onrecord.doctor import findings
from onrecord.serving import Serving
from onrecord.settings import Settings
from onrecord.wiring import ReplicaError, TimedOutError, Workspace, user_name
from producers.snapshot_capture import SnapshotCapture
from projections.errors import StoreError, StoreInUseError
from schemas.events import EventScheduled
from schemas.requests import GradingCompleted, GradingRequest, GradingRequested
from tests.onrecord.conftest import hidden_writes
from tests.processes import until_it_says
from tests.producers.stage import NOW
from tests.records import make


def game(number: int = 0) -> EventScheduled:
    """A game on the calendar."""
    return make(EventScheduled, f"game {number}", number=number)


@contextmanager
def serving(workspace: Workspace) -> Iterator[None]:
    """`onrecord up` in a thread, over a workspace of its own in the same folder."""
    own = Workspace(workspace.settings, workspace.clock)
    told = threading.Event()
    server = threading.Thread(target=Serving(own, told.is_set).run)
    server.start()
    try:
        eventually(Lease(own.settings.projections).is_held)
        yield
    finally:
        told.set()
        server.join()
        own.close()


def eventually(holds: Callable[[], bool], within_s: float = 30) -> None:
    """Wait for it."""
    pause = threading.Event()
    for _ in range(int(within_s / 0.02)):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError(f"it did not happen in {within_s} s")


def events(workspace: Workspace) -> int:
    """How many events a fresh reader shows."""
    with workspace.fresh_reader() as store:
        [(count,)] = store.rows("SELECT count(*) FROM events")
    return int(count)


def test_nobody_owns_and_a_reader_catches_up_itself(workspace: Workspace) -> None:
    """It decides, too, and lets go."""
    workspace.log.append([game()])

    assert events(workspace) == 1
    assert not Lease(workspace.settings.projections).is_held()


def test_beside_an_owner_a_reader_sees_its_copy(workspace: Workspace) -> None:
    """A fresh one waits until the copy has all that is on record now."""
    with serving(workspace):
        workspace.log.append([game()])
        assert events(workspace) == 1
        workspace.log.append([game(1)])
        assert events(workspace) == 2
        with workspace.reader() as store:
            assert "published_at" in store.relations()


def test_beside_an_owner_of_other_code_it_is_the_owner_that_must_start_again(workspace: Workspace) -> None:
    """As after an upgrade: a rebuild would not make its copy anew, and could not be run beside it."""
    with serving(workspace):
        assert events(workspace) == 0
        with duckdb.connect(str(workspace.settings.published)) as copy:
            copy.execute("UPDATE store_identity SET fingerprint = 'other code'")

        with pytest.raises(StoreError, match="may be of other code; end `onrecord up` and start it again"):
            events(workspace)


def test_an_owner_of_an_empty_log_publishes_an_empty_copy(workspace: Workspace) -> None:
    """A query beside it is answered at once."""
    with serving(workspace), workspace.reader() as store:
        assert store.rows("SELECT count(*) FROM events") == [(0,)]


@pytest.mark.parametrize("served", [True, False])
def test_no_query_changes_what_it_asks(workspace: Workspace, tmp_path: Path, served: bool) -> None:
    """Neither beside an owner nor without one: DuckDB itself has opened the file read-only."""
    workspace.log.append([game()])
    with serving(workspace) if served else nullcontext():
        assert events(workspace) == 1
        with workspace.reader() as store:
            for sql in hidden_writes(tmp_path):
                with pytest.raises(StoreError, match="ask one SELECT: the projections change only by"):
                    store.ask(sql)
            with pytest.raises(duckdb.InvalidInputException, match="read-only mode"):
                store.execute("UPDATE events SET home = 'changed'")
            assert store.ask("EXPLAIN (ANALYZE) /* a reading, ééé */ FROM events").num_rows
        assert events(workspace) == 1
    assert not (tmp_path / "written.csv").exists()


def test_a_second_server_is_refused(workspace: Workspace) -> None:
    """With who is the first."""
    with serving(workspace), pytest.raises(OwnedElsewhereError, match=r"owns .*; stop it, or work beside it"):
        Serving(workspace, lambda: False).run()


def test_a_rebuild_beside_a_server_is_refused_and_told_which_ones_are_not(workspace: Workspace, tmp_path: Path) -> None:
    """Those that it names work."""
    with serving(workspace):
        with pytest.raises(
            OwnedElsewhereError, match=r"owns .*; stop it, or use `onrecord rebuild --verify` or .*--until"
        ):
            workspace.rebuild()
        verified = workspace.verify()
        built = workspace.rebuild_into(tmp_path / "then.duckdb", NOW)

    assert (verified.differing, built.path.exists()) == ((), True)


def test_what_is_appended_beside_a_server_is_caught_up_when_the_call_ends(workspace: Workspace) -> None:
    """`import` leaves projections and grades caught up, whoever owns them."""
    with serving(workspace):
        positions = workspace.log.append([game()])
        workspace.settle_down(positions)
        state = workspace.owner_state()

    assert state is not None
    assert state.positions["events", 0] == 1


def test_two_commands_that_end_together_take_turns(workspace: Workspace) -> None:
    """Neither takes the other for a server and waits for what it never tells."""
    positions = workspace.log.append([game()])
    done = []

    def settle() -> None:
        own = Workspace(workspace.settings, workspace.clock)
        own.settle_down(positions)
        own.close()
        done.append(True)

    with workspace.owner():
        others = [threading.Thread(target=settle) for _ in range(2)]
        for other in others:
            other.start()
        others[0].join(0.3)
        assert done == []
    for other in others:
        other.join(30)

    assert done == [True, True]


def test_what_a_dead_owner_told_is_not_taken_for_its_successors_word(workspace: Workspace) -> None:
    """It had published; the command that owns the folder now has not, and will be done soon."""
    dead = OwnerState({("events", 0): 9}, {("events", 0): 9}, NOW, pid=os.getpid() + 1)
    write_state(workspace.settings.projections, dead)

    with workspace.owner() as owner:
        assert workspace.owner_state() is None
        workspace.turn(owner)
        state = workspace.owner_state()

    assert state is not None
    assert (os.getpid(), None) == (state.pid, state.published)


def test_who_waits_for_nothing_is_told_so(home: Path, clock: ManualClock) -> None:
    """An owner that neither tells anything nor goes away."""
    workspace = Workspace(Settings(home=home, answer_timeout_s=0.3, poll_s=0.02), clock)
    other = Workspace(workspace.settings, clock)
    with (
        other.owner(),
        pytest.raises(
            TimedOutError, match="waited 0 s for the owner to catch up and publish a copy: see `onrecord status`"
        ),
    ):
        workspace.settle_down({("events", 0): 1})
    other.close()
    workspace.close()


@pytest.mark.parametrize("served", [True, False])
def test_a_request_is_answered_by_the_owner_or_in_its_stead(workspace: Workspace, served: bool) -> None:
    """The caller gets the record whose causation_id is its request."""
    request = GradingRequested(occurred_at=NOW, producer="tests", data=GradingRequest(requested_by="ann"))
    if served:
        with serving(workspace):
            answer = workspace.ask(request, GradingCompleted)
    else:
        answer = workspace.ask(request, GradingCompleted)

    assert answer.causation_id == request.record_id


@pytest.fixture
def forgetful(workspace: Workspace) -> Workspace:
    """Projections that have lost an answer behind everybody's back: whoever looks at everything decides it again."""
    request = GradingRequested(occurred_at=NOW, producer="tests", data=GradingRequest(requested_by="ann"))
    workspace.log.append([request])
    with serving(workspace):
        eventually(lambda: (state := workspace.owner_state()) is not None and state.published == workspace.log.end())
    with workspace.owner() as owner:
        owner.store.execute("DELETE FROM grading_answers")
    return workspace


def test_nobody_is_asked_again_where_the_last_owner_came_to_rest(forgetful: Workspace) -> None:
    """To look at everything takes seconds of a long history, and finds nothing more to decide."""
    forgetful.settle_down(forgetful.log.end())

    with forgetful.reader() as store:
        assert store.rows("SELECT count(*) FROM grading_answers") == [(0,)]


@pytest.mark.parametrize("told", [{"at_rest": None}, {"at_rest": "other code"}, {"positions": {}}])
def test_other_code_and_other_positions_are_reasons_to_look_at_everything(
    forgetful: Workspace, told: dict[str, Any]
) -> None:
    """So is an owner that was killed before it came to rest."""
    state = read_state(forgetful.settings.projections)
    assert state is not None
    write_state(forgetful.settings.projections, replace(state, **told))

    with pytest.raises(DecidedAgainError):
        forgetful.settle_down(forgetful.log.end())


def test_a_replica_refuses_what_it_would_wait_for_in_vain(workspace: Workspace) -> None:
    """At once, and nothing is on record: nobody would answer it here."""
    replica = Workspace(workspace.settings.model_copy(update={"replica": True}), workspace.clock)
    request = GradingRequested(occurred_at=NOW, producer="tests", data=GradingRequest(requested_by="ann"))

    service = SnapshotCapture(replica.log, replica.clock, ask=replica.ask)

    for ask in (lambda: replica.ask(request, GradingCompleted), service.cleanup_old_snapshots):
        with pytest.raises(ReplicaError, match="is a replica, which decides nothing: ask without ONRECORD_REPLICA"):
            ask()
    replica.close()

    assert not any(workspace.log.end().values())


def test_who_runs_it_has_a_name_or_else_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user need not be in the list of users."""
    monkeypatch.setenv("LOGNAME", "ann")
    named = user_name()
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_065_533)

    assert (named, user_name()) == ("ann", "uid 2000065533")


def test_a_file_that_somebody_looks_into_is_left_where_it_is(workspace: Workspace) -> None:
    """In use is not damaged."""
    events(workspace)
    path = workspace.generations.current()
    assert path is not None
    with (
        duckdb.connect(str(path), read_only=True),
        pytest.raises(StoreInUseError, match="is in use"),
        workspace.owner(),
    ):
        raise AssertionError("it must not be opened")

    assert path == workspace.generations.current()


def test_only_the_newest_damaged_file_is_kept(workspace: Workspace) -> None:
    """For whoever wants to look; all of them would fill the disk."""
    workspace.log.append([game()])
    for _ in range(3):
        assert events(workspace) == 1
        path = workspace.generations.current()
        assert path is not None
        path.write_bytes(b"no database")

    assert events(workspace) == 1
    assert len(list(workspace.settings.projections.glob("damaged.*"))) == 1


def test_a_file_of_other_code_goes_once_it_is_made_anew(workspace: Workspace) -> None:
    """It is not damaged, and as large as what takes its place."""
    workspace.log.append([game()])
    assert events(workspace) == 1
    path = workspace.generations.current()
    assert path is not None
    with duckdb.connect(str(path)) as file:
        file.execute("UPDATE store_identity SET fingerprint = 'other code'")

    assert events(workspace) == 1
    assert [one.name for one in path.parent.glob("*.duckdb")] == ["projections.2.duckdb"]
    assert [one.state for one in findings(workspace) if one.subject == "projections"] == [
        "projections.2.duckdb, up to date"
    ]


def an_older_copy_lies_in_the_place_of_the_log(workspace: Workspace) -> Workspace:
    """Three games are folded, and the file of the log is a copy from when there was one."""
    file, copy = workspace.settings.log_path, workspace.settings.home / "copy"
    with SqliteLog(file, workspace.clock) as log:
        log.append([game(0)])
    shutil.copy(file, copy)
    workspace.log.append([game(1), game(2)])
    assert events(workspace) == 3
    workspace.close()
    copy.replace(file)
    return Workspace(workspace.settings, workspace.clock, say=print)


def test_projections_that_are_ahead_of_the_log_are_made_anew(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else they would skip what comes next. It is said in one line, and the file is kept aside."""
    restored = an_older_copy_lies_in_the_place_of_the_log(workspace)
    restored.log.append([game(7)])

    with restored.reader() as store:
        found = store.rows("SELECT event_id FROM events ORDER BY ALL")

    [said] = capsys.readouterr().out.splitlines()
    assert "is ahead of the log (events/0: 3 of 2), which is an older copy or was made again" in said
    assert said.endswith("; rebuilding from the log")
    assert found == [("game 0",), ("game 7",)]
    assert [check.offenders for check in restored.audit()] == [0] * 10
    assert len(list(workspace.settings.projections.glob("damaged.*"))) == 1
    restored.close()


def test_the_doctor_tells_projections_that_are_ahead_of_the_log(workspace: Workspace) -> None:
    """As a fault, with what to do; until the next command has done it."""
    restored = an_older_copy_lies_in_the_place_of_the_log(workspace)

    [told] = [one for one in findings(restored) if one.is_fault]
    assert events(restored) == 1

    assert (told.subject, "is ahead of the log (events/0: 3 of 1)" in told.state) == ("projections", True)
    assert told.state.endswith("`onrecord rebuild` makes it anew; the next command rebuilds them")
    assert [one for one in findings(restored) if one.is_fault] == []
    restored.close()


def row(kind: str, version: int = 1, number: int = 0, data: Any = None) -> dict[str, Any]:
    """A row as a foreign producer, or one of another version, puts it on the log."""
    envelope = {
        "topic": "events",
        "partition": 0,
        "offset": 0,
        "record_id": f"00000000-0000-7000-8000-{number:012}",
        "type": kind,
        "schema_version": version,
        "event_id": f"game {number}",
        "occurred_at": NOW,
        "recorded_at": NOW,
        "origin": "LIVE",
        "producer": "foreign",
        "data": json.dumps(data or {}),
    }
    return dict.fromkeys(BATCH.names) | envelope


KNOWN = game(9).data.model_dump(mode="json")
LOGS = {
    "empty": ([], (0, 0, 0), 0),
    "one record": ([row("EventScheduled", data=KNOWN)], (1, 0, 0), 1),
    "only unknown types": ([row("EventDreamt"), row("EventSung", number=1)], (2, 0, 2), 0),
    "a newer version": ([row("EventScheduled", version=2, data=KNOWN)], (1, 0, 1), 0),
    "a known one among newer ones": (
        [row("EventScheduled", 2), row("EventScheduled", 1, 1, KNOWN), row("EventDreamt", number=2)],
        (3, 0, 2),
        1,
    ),
    "what cannot be read": ([row("EventScheduled", data={"league": "EPL"})], (1, 1, 0), 0),
    "the same at length": ([row("EventScheduled", data={"league": "Ç" * 500})], (1, 1, 0), 0),
}
"""What is on the log; what the rebuild says: records, dead letters, unknown; and how many events that makes."""


@pytest.mark.parametrize("on_the_log", LOGS)
def test_every_log_can_be_rebuilt_and_the_rebuild_says_what_it_did(workspace: Workspace, on_the_log: str) -> None:
    """Records, dead letters, and what this code does not know; a verification agrees, and the owner goes on."""
    rows, said, known = LOGS[on_the_log]
    if rows:
        workspace.log.append_batch(pa.Table.from_pylist(rows, schema=BATCH))

    done = workspace.rebuild()

    assert said == (done.records, done.dead_letters, done.unknown)
    assert workspace.verify().differing == ()
    assert [check.offenders for check in workspace.audit()] == [0] * 10
    workspace.log.append([game(50)])
    assert known + 1 == events(workspace)


def test_a_rebuild_until_a_time_knows_live_records_by_when_they_were_recorded(
    workspace: Workspace, clock: ManualClock, tmp_path: Path
) -> None:
    """Not by what they say of themselves."""
    workspace.log.append([game(0)])
    clock.advance(timedelta(hours=1))
    workspace.log.append([game(1)])

    done = workspace.rebuild_into(tmp_path / "then.duckdb", NOW + timedelta(minutes=30))

    assert done.records == 1


def test_a_rebuild_into_a_file_that_is_cut_short_leaves_none(workspace: Workspace, tmp_path: Path) -> None:
    """A part of it would look whole; and the same command again finds nothing in its way."""
    (there := tmp_path / "there").mkdir()
    workspace.log.append([game()])

    def interrupt(_done: int, _left: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workspace.rebuild_into(there / "all.duckdb", progress=interrupt)

    assert not list(there.iterdir())
    assert workspace.rebuild_into(there / "all.duckdb").path == there / "all.duckdb"
    assert [there / "all.duckdb"] == list(there.iterdir())


def test_a_rebuild_into_a_file_spares_one_that_was_made_meanwhile(workspace: Workspace, tmp_path: Path) -> None:
    """Whoever made it may have it open: renamed over, it would lose what they write."""
    target = tmp_path / "all.duckdb"
    workspace.log.append([game()])

    with pytest.raises(ValueError, match="exists, and is not overwritten"):
        workspace.rebuild_into(target, progress=lambda _done, _left: target.touch())

    assert target.read_bytes() == b""


def test_a_rebuild_into_a_file_can_be_opened_beside_what_is_left_of_another(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Of a file of that name, since removed, the write-ahead log stayed."""
    path, kept = tmp_path / "all.duckdb", tmp_path / "kept"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE other (a INTEGER)")
        kept.hardlink_to(f"{path}.wal")
    path.unlink()
    kept.rename(f"{path}.wal")
    workspace.log.append([game()])

    workspace.rebuild_into(path)

    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)


VERIFY = """
import time
from onrecord.settings import Settings
from onrecord.wiring import Workspace

def hold(_done, _left):
    print("rebuilding", flush=True)
    time.sleep(60)

workspace = Workspace(Settings())
with workspace.reader():
    pass
workspace.verify(hold)
"""


def test_what_a_killed_verification_left_goes_with_the_next(workspace: Workspace) -> None:
    """It is as large as the projections, and each left another."""
    workspace.log.append([game()])
    workspace.verify()
    before = sorted(workspace.settings.projections.iterdir())
    with until_it_says("rebuilding", VERIFY) as process:
        process.kill()
    assert len(list(workspace.settings.projections.iterdir())) == len(before) + 1

    assert workspace.verify().differing == ()

    assert before == sorted(workspace.settings.projections.iterdir())


def test_the_newest_records_come_oldest_first(workspace: Workspace, clock: ManualClock) -> None:
    """Of all topics together."""
    for number in range(3):
        workspace.log.append([game(number)])
        clock.advance(timedelta(seconds=1))

    assert [record["event_id"] for record in workspace.newest(2, None)] == ["game 1", "game 2"]


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_log_that_is_lost_is_not_made_anew(workspace: Workspace, left: str) -> None:
    """What was made from it is all that is left, and would be replaced by nothing."""
    workspace.log.append([game()])
    with workspace.reader():
        pass
    workspace.close()
    path = workspace.settings.log_path
    kept = path.rename(path.with_name("backup"))
    if left == "an empty file":
        path.touch()

    with pytest.raises(LogError, match=r"log.sqlite is missing or empty, and .* was made from a log: put the log back"):
        _ = Workspace(workspace.settings).log

    kept.rename(path)
    again = Workspace(workspace.settings)
    with again.reader() as store:
        assert store.rows("SELECT count(*) FROM events") == [(1,)]
    again.close()


def test_a_home_of_the_user_is_found_however_it_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell expands `~`, a file of settings does not; whose home nobody knows is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ONRECORD_HOME", "~/data")
    assert Settings().home == tmp_path / "data"
    monkeypatch.setenv("ONRECORD_HOME", "~nobody-of-that-name/data")
    with pytest.raises(ValueError, match="~nobody-of-that-name/data"):
        Settings()
