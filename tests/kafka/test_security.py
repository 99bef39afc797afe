"""TLS, SCRAM and ACLs against a real broker: who may comes in, who may not is told what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, but not said to be
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from eventlog.kafka import KafkaLog
from eventlog.kafka_cluster import KafkaSettings
from eventlog.log import LogError
from onrecord.engine import kafka_security
from onrecord.settings import Settings
from tests.eventlog.contract import drained, records_in, started
from tests.kafka.broker import LocalCluster, Security
from tests.kafka.certificates import make_certificates

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A broker that lets nobody in without a password, and lets nobody but `admin` do anything."""
    folder = tmp_path_factory.mktemp("secured")
    with LocalCluster(folder / "cluster", security=Security(make_certificates(folder / "certificates"))) as cluster:
        yield cluster


def settings(cluster: LocalCluster, user: str = "onrecord", password: str | None = None) -> KafkaSettings:
    """How the product would come in, by its own settings."""
    assert cluster.security is not None
    given = Settings(
        kafka_security_protocol="SASL_SSL",
        kafka_username=user,
        kafka_password=cluster.security.users.get(user, "") if password is None else password,
        kafka_ca_file=cluster.security.certificates.authority,
    )
    return KafkaSettings(
        cluster.bootstrap_servers, topic_prefix="mine.", timeout_s=5, security=kafka_security(given), partitions=1
    )


def allow(cluster: LocalCluster, prefix: str, *operations: AclOperation, user: str = "onrecord") -> None:
    """Grant a user what it asks for, on all topics of a prefix."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, **cluster.client})
    rules = [
        AclBinding(
            ResourceType.TOPIC,
            prefix,
            ResourcePatternType.PREFIXED,
            f"User:{user}",
            "*",
            operation,
            AclPermissionType.ALLOW,
        )
        for operation in operations
    ]
    for future in admin.create_acls(rules, request_timeout=10).values() if rules else ():
        future.result()


def append_and_read(given: KafkaSettings) -> None:
    """Whatever somebody does with a log."""
    with KafkaLog(given) as log:
        log.append([started(1)])
        drained(log)


def test_a_user_with_password_and_rights_appends_and_reads(secured: LocalCluster) -> None:
    """With rights on topics alone: no group is joined."""
    allow(secured, "mine.", AclOperation.CREATE, AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE)
    with KafkaLog(settings(secured)) as log:
        log.append([started(1)])
        assert [started(1)] == records_in(drained(log))
        assert log.find("events", started(1).ref) is not None


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"sasl.password": "wrong"}, "the brokers refuse the name or the password"),
        ({"sasl.username": "nobody"}, "the brokers refuse the name or the password"),
        ({"ssl.ca.location": ""}, "TLS failed"),
        ({"security.protocol": "PLAINTEXT"}, "ONRECORD_KAFKA_SECURITY_PROTOCOL"),
    ],
    ids=["wrong password", "unknown user", "unknown authority", "no TLS"],
)
def test_who_may_not_come_in_is_told_why(secured: LocalCluster, change: Mapping[str, str], advice: str) -> None:
    """In one line, within seconds."""
    given = settings(secured)
    security = {name: value for name, value in {**given.security, **change}.items() if value}
    with pytest.raises(LogError, match=advice) as refused:
        KafkaLog(replace(given, security=security))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("prefix", "granted", "advice"),
    [
        ("none.", [], "grant it CREATE, DESCRIBE, READ and WRITE on topics that begin with 'none.'"),
        ("look.", [AclOperation.CREATE, AclOperation.DESCRIBE], "while appending .*: this user may not: grant it"),
        ("deaf.", [AclOperation.CREATE, AclOperation.WRITE], "while reading .*: this user may not: grant it"),
    ],
    ids=["may do nothing", "may not write", "may not read"],
)
def test_a_missing_right_is_named(secured: LocalCluster, prefix: str, granted: list[AclOperation], advice: str) -> None:
    """With what to grant on which topics."""
    allow(secured, prefix, *granted)
    given = replace(settings(secured), topic_prefix=prefix)
    with pytest.raises(LogError, match=advice):
        append_and_read(given)


def test_an_expired_certificate_is_told(tmp_path: Path) -> None:
    """The broker's own: nobody but its keeper can renew it."""
    security = Security(make_certificates(tmp_path / "certificates", expired=True))
    cluster = LocalCluster(tmp_path / "cluster", security=security)
    try:
        cluster.start(expect_answer=False)
        with pytest.raises(LogError, match="see that the certificates have not expired"):
            KafkaLog(settings(cluster))
    finally:
        cluster.stop()
