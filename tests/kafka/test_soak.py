"""Whatever happens to owners, workers, files and brokers, in any order: nothing is lost, nothing is doubled.

`make soak ROUNDS=50 SEED=7` plays all kinds on three brokers; each round prints what was done, and how long it took
from the end of the fault until the round's answers were in the owner's published copy. The short form, with the other
Kafka tests, draws from the quick kinds on one broker by a seed of its own; SOAK_SEED repeats it.
"""

import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from consumers.faust_app import STUCK
from onrecord.settings import Settings
from onrecord.wiring import Workspace
from tests.kafka.broker import Broker, LocalCluster
from tests.kafka.test_project import Owners
from tests.kafka.test_worker import Stage, end, eventually

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "0"))
"""None given: the short form."""
SHORT_ROUNDS = 4
ANSWERS = 300
AWAY_S = 15.0
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240 + 120 * ROUNDS)]
Process = subprocess.Popen[bytes]


def _nothing() -> None:
    """All is as it was before the round."""


@dataclass
class Soak:
    """One owner and one worker on brokers of their own; `rng` draws which broker is hit.

    `restore` is what is left to do once the round's answers are visible.
    """

    cluster: LocalCluster
    stage: Stage
    owners: Owners
    rng: Random
    restore: Callable[[], object] = _nothing
    answers: int = 0
    bites: int = 0
    """How often the worker's watchdog ended it."""
    owner: Process = field(init=False)
    worker: Process = field(init=False)
    _names: int = 0

    def __post_init__(self) -> None:
        self.owner, self.worker = self._new_owner(), self.stage.start()

    def kill_owner(self) -> None:
        """The next one goes on where the file was left."""
        end(self.owner, signal.SIGKILL)
        self.owner = self._new_owner()

    def two_owners(self) -> None:
        """A second one says that it stands by, and waits until the first dies."""
        second = self._new_owner()
        eventually(lambda: "standing by" in self.owners.said(self._name()))
        end(self.owner, signal.SIGKILL)
        self.owner = second

    def delete_file(self) -> None:
        """The next owner makes it anew."""
        end(self.owner, signal.SIGKILL)
        self._current().unlink()
        self.owner = self._new_owner()

    def damage_file(self) -> None:
        """The next owner sets it aside and makes it anew."""
        end(self.owner, signal.SIGKILL)
        path = self._current()
        assert path.exists()
        path.write_bytes(b"no database" * 500)
        self.owner = self._new_owner()

    def kill_worker(self) -> None:
        """It comes back under its name."""
        end(self.worker, signal.SIGKILL)
        self.worker = self.stage.start()

    def freeze_worker(self) -> None:
        """For longer than its session."""
        self.worker.send_signal(signal.SIGSTOP)
        time.sleep(AWAY_S)
        self.worker.send_signal(signal.SIGCONT)

    def join_and_leave(self) -> None:
        """A second worker gets partitions, and gives them back."""
        second = self.stage.start("two")
        time.sleep(self.rng.uniform(2, 8))  # from before it has joined to when it is at work
        self.send(ANSWERS // 4)
        end(second)

    def kill_broker(self) -> None:
        """SIGKILL: nothing is written or said any more."""
        broker = self._some_broker()
        broker.kill()
        broker.start()

    def stop_broker(self) -> None:
        """SIGTERM."""
        broker = self._some_broker()
        broker.terminate()
        broker.start()

    def outage(self) -> None:
        """All brokers are away for 15 s."""
        for broker in self.cluster.brokers:
            broker.kill()
        time.sleep(AWAY_S)
        for broker in self.cluster.brokers:
            broker.launch()
        for broker in self.cluster.brokers:
            broker.await_ready()

    def lose_broker(self) -> None:
        """One of three is gone, and comes back only after all was visible without it."""
        broker = self._some_broker()
        broker.kill()
        self.restore = broker.start

    def send(self, answers: int) -> None:
        """Answers that the round waits for."""
        self.stage.send_games(answers)
        self.answers += answers

    def visible(self) -> bool:
        """Whether the owner's copy shows all that was sent."""
        self._supervise()
        published = Settings(home=self.owners.folder / "home").published
        if not published.exists() or not self.owners.has_all():
            return False
        return bool(self.owners.published("SELECT count(*) FROM raw_payloads") >= self.answers)

    def _supervise(self) -> None:
        """Start a worker anew whose watchdog has ended it, as whoever runs workers does; nobody else may end."""
        assert self.owner.poll() is None
        if self.worker.poll() == STUCK:
            self.bites += 1
            self.worker = self.stage.start()
        assert self.worker.poll() is None

    def _some_broker(self) -> Broker:
        return self.rng.choice(self.cluster.brokers)

    def _current(self) -> Path:
        current = Workspace(Settings(home=self.owners.folder / "home")).generations.current()
        assert current is not None
        return current

    def _new_owner(self) -> Process:
        self._names += 1
        return self.owners.start(name=self._name())

    def _name(self) -> str:
        return f"owner {self._names}"


Deed = Callable[[Soak], None]
QUICK: tuple[Deed, ...] = (
    Soak.kill_owner,
    Soak.two_owners,
    Soak.delete_file,
    Soak.damage_file,
    Soak.kill_worker,
    Soak.kill_broker,
    Soak.stop_broker,
)
ALL = (*QUICK, Soak.join_and_leave, Soak.freeze_worker, Soak.outage, Soak.lose_broker)


def deeds(kinds: Sequence[Deed], rounds: int, rng: Random) -> list[Deed]:
    """Each kind once before any comes again, in an order that the seed draws."""
    chosen = list[Deed]()
    while len(chosen) < rounds:
        chosen += rng.sample(kinds, len(kinds))
    return chosen[:rounds]


def play(soak: Soak, deed: Deed) -> float:
    """One round; gives the seconds from the end of the fault until its answers are visible."""
    soak.send(ANSWERS // 2)
    deed(soak)
    over = time.monotonic()
    soak.send(ANSWERS // 2)
    eventually(soak.visible)
    took_s = time.monotonic() - over
    soak.restore()
    soak.restore = _nothing
    return took_s


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """Every answer is on record once, every projection equals a rebuild, nobody died but those killed or bitten."""
    seed = int(os.environ.get("SOAK_SEED") or Random().randrange(1_000_000))
    rng, took = Random(seed), defaultdict[str, list[float]](list)
    tell(f"seed {seed}, {ROUNDS or SHORT_ROUNDS} rounds")
    with LocalCluster(tmp_path / "cluster", brokers=3 if ROUNDS else 1) as cluster, ExitStack() as held:
        stage = Stage(cluster.bootstrap_servers, held, tmp_path)
        soak = Soak(cluster, stage, Owners(cluster.bootstrap_servers, tmp_path, held, stage.prefix), rng)
        soak.send(ANSWERS)
        tell(f"  0 {'start':15} visible after {eventually(soak.visible):5.1f} s")
        for number, deed in enumerate(deeds(ALL if ROUNDS else QUICK, ROUNDS or SHORT_ROUNDS, rng), 1):
            bites, took_s = soak.bites, play(soak, deed)
            took[deed.__name__].append(took_s)
            bitten = ", the watchdog ended the worker" if soak.bites > bites else ""
            tell(f"{number:3} {deed.__name__:15} visible after {took_s:5.1f} s{bitten}")

        assert [end(soak.worker), end(soak.owner)] == [0, 0]
        assert stage.numbers() == list(range(soak.answers))
        assert len(stage.on_record("odds")) == 2 * soak.answers
        assert stage.log.conflicts() == []
        assert soak.owners.differing() == []
    for name, seconds in sorted(took.items()):
        tell(f"| {name} | {len(seconds)} | {max(seconds):.1f} s |")
    tell(f"{soak.answers} answers: 0 lost, 0 doubled; the watchdog ended a worker {soak.bites} times")
