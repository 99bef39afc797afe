"""Whatever happens to owners, workers, files and the broker, in any order: nothing is lost, nothing is doubled.

`make soak ROUNDS=50 SEED=7` plays many rounds; each prints what was done and how long it took until the round's answers
were in the owner's published copy. The short form runs with the other Kafka tests.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from onrecord.settings import Settings
from onrecord.wiring import Workspace
from tests.kafka.broker import LocalCluster
from tests.kafka.test_project import Owners
from tests.kafka.test_worker import Stage, end, eventually

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "6"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
ANSWERS = 60
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120 + 90 * ROUNDS)]
Process = subprocess.Popen[bytes]


@dataclass
class Soak:
    """One owner and one worker on a broker of their own."""

    cluster: LocalCluster
    stage: Stage
    owners: Owners
    owner: Process
    worker: Process

    def kill_owner(self) -> None:
        """The next one goes on where the file was left."""
        end(self.owner, signal.SIGKILL)
        self.owner = self.owners.start()

    def two_owners(self) -> None:
        """A second one waits, until the first dies."""
        second = self.owners.start()
        time.sleep(2)
        end(self.owner, signal.SIGKILL)
        self.owner = second

    def delete_file(self) -> None:
        """The next owner makes it anew."""
        end(self.owner, signal.SIGKILL)
        self._current().unlink(missing_ok=True)
        self.owner = self.owners.start()

    def damage_file(self) -> None:
        """The next owner sets it aside and makes it anew."""
        end(self.owner, signal.SIGKILL)
        path = self._current()
        if path.exists():
            path.write_bytes(b"no database" * 500)
        self.owner = self.owners.start()

    def kill_worker(self) -> None:
        """It comes back under its name."""
        end(self.worker, signal.SIGKILL)
        self.worker = self.stage.start()

    def freeze_worker(self) -> None:
        """For longer than its session."""
        self.worker.send_signal(signal.SIGSTOP)
        time.sleep(12)
        self.worker.send_signal(signal.SIGCONT)

    def kill_broker(self) -> None:
        """Nothing is written or said any more."""
        self.cluster.brokers[0].kill()
        self.cluster.brokers[0].start()

    def stop_broker(self) -> None:
        """And let it be away for a while."""
        self.cluster.brokers[0].terminate()
        time.sleep(8)
        self.cluster.brokers[0].start()

    def _current(self) -> Path:
        folder = self.owners.folder / "home"
        return Workspace(Settings(home=folder)).generations.current() or folder / "none"

    def visible(self, answers: int) -> bool:
        """Whether the owner's copy shows so many answers."""
        published = Settings(home=self.owners.folder / "home").published
        if not published.exists() or not self.owners.has_all():
            return False
        return bool(self.owners.published("SELECT count(*) FROM raw_payloads") >= answers)


DEEDS: tuple[Callable[[Soak], None], ...] = (
    Soak.kill_owner,
    Soak.two_owners,
    Soak.delete_file,
    Soak.damage_file,
    Soak.kill_worker,
    Soak.freeze_worker,
    Soak.kill_broker,
    Soak.stop_broker,
)


def deeds(rounds: int, seed: int) -> list[Callable[[Soak], None]]:
    """Each of them once in every eight rounds, in an order of the seed's."""
    rng, chosen = Random(seed), list[Callable[[Soak], None]]()
    while len(chosen) < rounds:
        chosen += rng.sample(DEEDS, len(DEEDS))
    return chosen[:rounds]


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """Every answer is on record, every projection equals a rebuild."""
    print(f"seed {SEED}, {ROUNDS} rounds")  # noqa: T201 - whoever soaks wants to see it
    with LocalCluster(tmp_path / "cluster") as cluster, ExitStack() as held:
        stage = Stage(cluster.bootstrap_servers, held, tmp_path)
        owners = Owners(cluster.bootstrap_servers, tmp_path, held, stage.prefix)
        soak = Soak(cluster, stage, owners, owners.start(), stage.start())
        for number, deed in enumerate(deeds(ROUNDS, SEED), 1):
            stage.send_games(ANSWERS // 2)
            deed(soak)
            stage.send_games(ANSWERS - ANSWERS // 2)
            took_s = eventually(lambda answers=ANSWERS * number: soak.visible(answers))  # type: ignore[misc]
            print(f"{number:3} {deed.__name__:15} visible after {took_s:5.1f} s")  # noqa: T201

        assert [end(soak.worker), end(soak.owner)] == [0, 0]
        assert stage.numbers() == list(range(ANSWERS * ROUNDS))
        assert len(stage.on_record("odds")) == 2 * ANSWERS * ROUNDS
        assert stage.log.conflicts() == []
        assert owners.differing() == []
