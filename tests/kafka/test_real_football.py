"""The real football files through Kafka, and a copy of their SQLite log: the tables are those of SQLite."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from onrecord.engine import open_log
from onrecord.settings import Settings
from projections.catch_up import build
from projections.digest import differences, exact_digests
from projections.generations import Generations
from projections.store import Store
from tests.content import content_digests

pytestmark = [pytest.mark.kafka, pytest.mark.real_data, pytest.mark.timeout(3600)]
FILES = sorted((Path(__file__).parents[3] / "shared" / "data" / "football_odds").glob("*.csv"))


class Home:
    """A home folder, its log on one of the engines, and the command line over it in processes of its own."""

    def __init__(self, folder: Path, engine: Literal["sqlite", "kafka"], servers: str) -> None:
        self.settings = Settings(
            home=folder,
            log=engine,
            kafka_bootstrap_servers=servers,
            kafka_topic_prefix=f"{uuid.uuid4().hex[:12]}.",
            kafka_partitions=3,
        )

    def run(self, *words: object) -> str:
        """What a command shows."""
        told = self.settings
        settings = {
            "ONRECORD_HOME": str(told.home),
            "ONRECORD_LOG": told.log,
            "ONRECORD_KAFKA_BOOTSTRAP_SERVERS": told.kafka_bootstrap_servers,
            "ONRECORD_KAFKA_TOPIC_PREFIX": told.kafka_topic_prefix,
            "ONRECORD_KAFKA_PARTITIONS": str(told.kafka_partitions),
        }
        done = subprocess.run(
            [sys.executable, "-m", "onrecord", *map(str, words)],
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def live(self, digests: Callable[[Store], dict[str, str]]) -> dict[str, str]:
        """Digests of the tables as the owner left them."""
        path = Generations(self.settings.projections).current()
        assert path is not None
        with closing(Store(path, read_only=True)) as store:
            return digests(store)

    def rebuilt(self, folder: Path, digests: Callable[[Store], dict[str, str]]) -> dict[str, str]:
        """Digests of the tables made anew from the log."""
        with closing(open_log(self.settings)) as log:
            build(log, folder / "again.duckdb")
        with closing(Store(folder / "again.duckdb", read_only=True)) as store:
            return digests(store)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The 42 files, imported into SQLite."""
    assert len(FILES) == 42, f"no real data at {FILES or 'shared/data'}: put it there, or leave these tests out"
    home = Home(tmp_path_factory.mktemp("sqlite"), "sqlite", "")
    home.run("import", "football-data", *FILES)
    return home


def test_an_import_through_kafka_ends_with_the_same_tables(on_sqlite: Home, kafka: str, tmp_path: Path) -> None:
    """Every stage on the cluster: odds, forecasts, picks, grades, calibrations. A rebuild from Kafka equals live."""
    on_kafka = Home(tmp_path / "home", "kafka", kafka)
    on_kafka.run("import", "football-data", *FILES)

    assert differences(on_sqlite.live(content_digests), on_kafka.live(content_digests)) == []
    assert differences(on_kafka.live(exact_digests), on_kafka.rebuilt(tmp_path, exact_digests)) == []
    assert on_kafka.run("audit").splitlines()[-1] == "audit: 0 offenders in 10 checks"


def test_a_copy_on_kafka_has_the_same_tables_to_the_last_stamp(on_sqlite: Home, kafka: str, tmp_path: Path) -> None:
    """Exact digests: every column of every table."""
    copied = Home(tmp_path / "home", "kafka", kafka)
    copied.run("log", "copy", "--from", f"sqlite:{on_sqlite.settings.log_path}", "--to", "kafka")

    assert differences(on_sqlite.live(exact_digests), copied.rebuilt(tmp_path, exact_digests)) == []
