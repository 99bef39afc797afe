"""The compose file says what docs/cluster.md promises; `make check-compose` asks Docker's own client, too."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from onrecord import watching
from onrecord.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
OURS = ("owner", "replica", "worker")
BROKERS = ("kafka-1", "kafka-2", "kafka-3")


@pytest.fixture(scope="module")
def services() -> Mapping[str, Any]:
    """The services, with what they share filled in."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    services: dict[str, Any] = found["services"]
    return services


def test_all_parts_are_there(services: Mapping[str, Any]) -> None:
    """Three brokers or one, by profile; the rest always runs."""
    profiles = {name: service.get("profiles") for name, service in services.items()}

    assert profiles == {
        **{name: ["cluster"] for name in BROKERS},
        "kafka": ["single"],
        **dict.fromkeys((*OURS, "prometheus", "grafana")),
    }


def test_three_brokers_may_lose_one(services: Mapping[str, Any]) -> None:
    """Each is a voter under its own number; a write waits for two of three."""
    for number, name in enumerate(BROKERS, 1):
        given = services[name]["environment"]
        assert given["KAFKA_NODE_ID"] == str(number)
        assert given["KAFKA_ADVERTISED_LISTENERS"] == f"CLIENT://{name}:9092"
        assert f"{number}@{name}:9093" in given["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")
        assert (given["KAFKA_DEFAULT_REPLICATION_FACTOR"], given["KAFKA_MIN_INSYNC_REPLICAS"]) == ("3", "2")


def test_what_is_on_record_is_never_removed_by_time(services: Mapping[str, Any]) -> None:
    """On any broker; each has a volume of its own."""
    for name in (*BROKERS, "kafka"):
        assert services[name]["environment"]["KAFKA_LOG_RETENTION_MS"] == "-1"
        assert services[name]["volumes"] == [f"{name}:/var/lib/kafka/data"]


def test_our_processes_are_confined_and_may_end_in_peace(services: Mapping[str, Any]) -> None:
    """No capabilities, a file system that is read only, and longer to stop than brokers are waited for."""
    longest_s = Settings.model_fields["kafka_timeout_s"].default
    for name in OURS:
        service = services[name]
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
        assert int(service["stop_grace_period"].removesuffix("s")) > longest_s


def test_every_setting_that_is_given_is_one(services: Mapping[str, Any]) -> None:
    """A misspelt one would be left unread."""
    known = {f"ONRECORD_{name.upper()}" for name in Settings.model_fields}

    given = {key for name in OURS for key in services[name]["environment"] if key.startswith("ONRECORD_")}

    assert given - known == set()
    assert {"ONRECORD_LOG", "ONRECORD_KAFKA_BOOTSTRAP_SERVERS"} <= given


def test_the_owner_and_the_replica_have_folders_of_their_own(services: Mapping[str, Any]) -> None:
    """A DuckDB file has one process."""
    assert services["owner"]["volumes"] != services["replica"]["volumes"]
    assert services["replica"]["environment"]["ONRECORD_REPLICA"] == "true"


def test_nothing_is_open_to_the_network(services: Mapping[str, Any]) -> None:
    """Only to this machine."""
    published = [port for service in services.values() for port in service.get("ports", ())]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_prometheus_and_grafana_ask_for_metrics_that_exist(services: Mapping[str, Any]) -> None:
    """On the port that the settings name; every name in an expression is one that the code makes."""
    port = int(services["owner"]["environment"]["ONRECORD_METRICS_PORT"])
    scraped = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text("utf-8"))["scrape_configs"][0]
    [found] = scraped["dns_sd_configs"]
    rules = (ROOT / "deploy/alerts.yml").read_text("utf-8")
    dashboard = (ROOT / "deploy/grafana/dashboards/onrecord.json").read_text("utf-8")
    code = Path(watching.__file__).read_text("utf-8").replace("onrecord_worker_{name}", "onrecord_worker_answers")

    assert (found["port"], sorted(found["names"])) == (port, sorted(OURS))
    json.loads(dashboard)
    for name in set(re.findall(r"onrecord_[a-z_]+", yaml.safe_dump(yaml.safe_load(rules)["groups"]) + dashboard)):
        assert name in code


def test_the_image_is_built_of_the_packages_and_runs_as_nobody() -> None:
    """Every package is copied; the user is not root; Docker can see whether it is well."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}

    assert packages <= set(re.findall(r"^COPY (\w+) ", text, re.MULTILINE))
    assert packages <= {line.lstrip("!") for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()}
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["onrecord"]
    assert "HEALTHCHECK" in text
    assert text.rstrip().endswith('ENTRYPOINT ["onrecord"]\nCMD ["up"]')
