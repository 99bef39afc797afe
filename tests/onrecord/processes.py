"""`onrecord` in processes of its own, for tests with several at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from consumers.lease import Lease

Process = subprocess.Popen[str]


def start(*words: object, **settings: str) -> Process:
    """Start a command; `settings` by their names without the prefix, in lower case.

    It hears Ctrl-C even where the tests run in a shell's background, which has its children ignore it.
    """
    given = {f"ONRECORD_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "onrecord", *map(str, words)],
        env=os.environ | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def ended(process: Process, timeout_s: float = 240) -> str:
    """Wait for a command that must end well; gives what it showed."""
    out, err = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, err
    return out


@contextmanager
def running(*words: object, **settings: str) -> Iterator[Process]:
    """A command that runs beside what is inside, and must have ended well at its end."""
    process = start(*words, **settings)
    try:
        yield process
        ended(process)
    finally:
        if process.poll() is None:
            killed(process)


def killed(process: Process) -> None:
    """kill -9."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


@contextmanager
def up(**settings: str) -> Iterator[Process]:
    """`onrecord up`, from when it owns the projections until it is told to end; it must end well."""
    with running("up", **settings) as process:
        lease = Lease(Path(os.environ["ONRECORD_HOME"]) / "projections")
        eventually(lambda: lease.is_held() and lease.holder() == str(process.pid), process)
        yield process
        process.send_signal(signal.SIGINT)


def eventually(holds: Callable[[], bool], process: Process, within_s: float = 60) -> None:
    """Wait for it, for as long as the process runs."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"it did not happen in {within_s} s"
        time.sleep(0.02)
