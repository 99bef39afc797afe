"""One owner at a time; the kernel lets go when it dies, however it dies."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from consumers.lease import Lease, OwnedElsewhereError, OwnerState, read_state, write_state
from tests.consumers.scene import MORNING
from tests.processes import until_it_says

HOLD = """
import sys, time
from pathlib import Path
from consumers.lease import Lease
with Lease(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[str]":
    """Another process that holds the lease of the folder."""
    return until_it_says("held", HOLD, [tmp_path])


def end(process: "subprocess.Popen[str]") -> None:
    """Kill it, as hard as can be."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_second_owner_is_refused_and_told_who_is_the_first(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    """Never two owners; the message says which process to look for."""
    with pytest.raises(OwnedElsewhereError, match=f"process {holder.pid} owns .*; stop it, or work beside it"):
        Lease(tmp_path).__enter__()

    assert Lease(tmp_path).is_held()
    end(holder)


def test_who_cannot_work_beside_the_owner_hears_what_to_do_instead(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    """As a rebuild cannot."""
    with pytest.raises(OwnedElsewhereError, match=f"process {holder.pid} owns .*; stop it, or wait$"):
        Lease(tmp_path, "wait").__enter__()
    end(holder)


def test_a_standby_takes_over_when_the_owner_is_killed(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    """No clean-up is needed: a lock goes with its process."""
    standby = Lease(tmp_path)
    assert not standby.take()

    end(holder)

    assert standby.take()
    assert str(os.getpid()) == Lease(tmp_path).holder()
    standby.release()


def test_looking_whether_there_is_an_owner_never_keeps_one_from_starting(tmp_path: Path) -> None:
    """Every command looks; an owner that starts at that moment must not be refused."""
    with Lease(tmp_path):
        pass
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            Lease(tmp_path).is_held()

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            with Lease(tmp_path):
                assert str(os.getpid()) == Lease(tmp_path).holder()
    finally:
        done.set()
        for looker in lookers:
            looker.join()


def test_nobody_owns_a_folder_that_nobody_ever_owned(tmp_path: Path) -> None:
    """Looking makes no file."""
    assert not Lease(tmp_path).is_held()
    assert list(tmp_path.iterdir()) == []


def test_what_the_owner_tells_is_read_back(tmp_path: Path) -> None:
    """Positions of the store and of the copy, and when it said so; before that, nothing."""
    state = OwnerState({("events", 0): 4, ("odds", 0): 7}, {("events", 0): 3}, MORNING, 17, "a log and code")
    unpublished = OwnerState({}, None, MORNING, 17)
    assert read_state(tmp_path) is None

    write_state(tmp_path, state)

    assert state == read_state(tmp_path)
    write_state(tmp_path, unpublished)

    assert unpublished == read_state(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null", "\xff", '{"published": 7, "positions": [], "at": ""}'])
def test_what_cannot_be_read_back_was_not_told(tmp_path: Path, text: str) -> None:
    """The next owner tells it anew."""
    (tmp_path / "owner.json").write_text(text, "latin-1")
    assert read_state(tmp_path) is None
