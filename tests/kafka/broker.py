"""Real Apache Kafka brokers as processes of this machine: one or several, open or secured; killed, stopped, frozen.

    with LocalCluster(folder) as cluster:            # one broker, ready
        cluster.bootstrap_servers                    # "127.0.0.1:41234"
        cluster.brokers[0].kill()                    # SIGKILL; terminate() SIGTERM, freeze() SIGSTOP, thaw() SIGCONT
        cluster.brokers[0].start()                   # same port, same data; returns when it answers
    with LocalCluster(folder, brokers=3) as cluster: # three, replicated
    with LocalCluster(folder, security=Security(certificates)) as cluster:  # SASL_SSL, SCRAM-SHA-512, ACLs

The jars come from Maven Central, once, into `build/kafka/libs`; `tests/kafka/pom.xml` names them. Java 17 runs them.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.certificates import Certificates

ROOT = Path(__file__).parents[2]
LIBS = ROOT / "build" / "kafka" / "libs"
POM = Path(__file__).with_name("pom.xml")
READY_S = 120
STOP_S = 30
_JAVA = ("java", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class NoKafkaError(Exception):
    """Kafka was asked for, and cannot be had; the message says what to install or set."""


@dataclass(frozen=True)
class Security:
    """SASL_SSL with SCRAM-SHA-512: `admin` may do everything, the others what ACLs allow them."""

    certificates: Certificates
    users: Mapping[str, str] = field(default_factory=lambda: {"admin": "admin-secret", "onrecord": "onrecord-secret"})
    """Names to passwords."""

    def client(self, user: str = "admin", password: str | None = None) -> dict[str, str]:
        """What a librdkafka client is configured with to come in as a user."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": self.users[user] if password is None else password,
            "ssl.ca.location": str(self.certificates.authority),
        }


class Broker:
    """One process on one port over one data folder; a broker and a voter of the controllers' quorum."""

    def __init__(self, folder: Path, port: int, properties: Mapping[str, str], client: Mapping[str, str]) -> None:
        self.folder, self.port, self._client = folder, port, dict(client)
        self.bootstrap_servers = f"127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        lines = {**properties, "log.dirs": str(folder / "data")}
        self._properties = folder / "server.properties"
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def format(self, cluster_id: str, *scram: str) -> None:
        """Prepare the data folder, with users as `SCRAM-SHA-512=[name=...,password=...]`."""
        users = [part for user in scram for part in ("--add-scram", user)]
        self._tool(
            "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(self._properties), *users
        )

    def launch(self) -> None:
        """Start the process; `await_ready` waits for it."""
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [*_JAVA, "-cp", f"{LIBS}/*", "kafka.Kafka", str(self._properties)],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )

    def start(self) -> None:
        """Start the process, and return when it answers."""
        self.launch()
        self.await_ready()

    def await_ready(self, timeout_s: float = READY_S, brokers: int = 1) -> None:
        """Return when the broker tells of its topics, and knows of so many brokers at work.

        Raises:
            NoKafkaError: it has ended, or did not answer in time.
        """
        deadline = time.monotonic() + timeout_s
        admin = AdminClient({**self._client, "bootstrap.servers": self.bootstrap_servers, "log_level": "0"})
        while time.monotonic() < deadline and self.is_running():
            try:
                if len(admin.list_topics(timeout=1).brokers) >= brokers:
                    return
                time.sleep(0.1)
            except KafkaException:
                continue
        raise NoKafkaError(f"the broker on port {self.port} is not there: {self.output()[-2000:]}")

    def await_listening(self, timeout_s: float = READY_S) -> None:
        """Return when somebody takes connections on the port.

        Raises:
            NoKafkaError: nobody does in time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.is_running():
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise NoKafkaError(f"nobody listens on port {self.port}: {self.output()[-2000:]}")

    def is_running(self) -> bool:
        """Whether the process lives, frozen or not."""
        return self.process is not None and self.process.poll() is None

    def output(self) -> str:
        """What the broker has written so far."""
        return (self.folder / "output.log").read_text(errors="replace")

    def terminate(self, timeout_s: float = STOP_S) -> None:
        """SIGTERM, and wait for the end."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """SIGKILL: nothing is written or said any more."""
        self._end(signal.SIGKILL, STOP_S)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nobody answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.process is not None and self.is_running():
            self.process.send_signal(number)

    def _end(self, number: signal.Signals, timeout_s: float) -> None:
        self._send(number)
        if self.process is not None:
            self.process.wait(timeout_s)

    def _tool(self, *arguments: str) -> None:
        done = subprocess.run(
            [*_JAVA, "-cp", f"{LIBS}/*", *arguments], capture_output=True, text=True, check=False, cwd=self.folder
        )
        if done.returncode:
            raise NoKafkaError(f"{arguments[0]} failed: {done.stdout}{done.stderr}")


class LocalCluster:
    """Brokers in KRaft mode, started in `with`, gone with their data at its end.

    `settings` are further broker properties, which win over the usual ones.
    """

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        security: Security | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        fetch_jars()
        self.folder, self.security = folder, security
        ports = _free_ports(3 * brokers)
        self.client: dict[str, str] = security.client() if security else {}
        """What a librdkafka client needs beside `bootstrap.servers`; of a secured cluster, as `admin`."""
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(ports[brokers : 2 * brokers], 1))
        self.brokers = [
            Broker(
                folder / f"broker-{n}",
                ports[n - 1],
                {
                    **_properties(n, ports[n - 1], ports[brokers + n - 1], voters, brokers),
                    **(_secured(security, *ports[n - 1 :: brokers]) if security else {}),
                    **(settings or {}),
                },
                self.client,
            )
            for n in range(1, brokers + 1)
        ]
        self._cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")

    @property
    def bootstrap_servers(self) -> str:
        """All brokers, as a client wants them."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    def start(self, *, expect_answer: bool = True) -> None:
        """Format all, start all, wait for all; those that cannot answer us need only listen."""
        users = self.security.users if self.security else {}
        for broker in self.brokers:
            broker.format(self._cluster_id, *(f"SCRAM-SHA-512=[name={n},password={p}]" for n, p in users.items()))
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.await_ready(brokers=len(self.brokers)) if expect_answer else broker.await_listening()

    def stop(self) -> None:
        """End all and remove their data."""
        for broker in self.brokers:
            broker.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def fetch_jars() -> None:
    """Have Kafka's jars in `build/kafka/libs`.

    Raises:
        NoKafkaError: Java or Maven is missing, or Maven did not get them.
    """
    if shutil.which("java") is None:
        raise NoKafkaError("Kafka was asked for: install Java 17, or set KAFKA_BOOTSTRAP_SERVERS to a cluster")
    if list(LIBS.glob("kafka_*.jar")):
        return
    if (maven := shutil.which("mvn")) is None:
        raise NoKafkaError("Kafka was asked for: install Maven, or set KAFKA_BOOTSTRAP_SERVERS to a cluster")
    # Into a folder of our own, then renamed: two runs at once must not see half of the jars.
    arriving = LIBS.with_name(f"libs.{os.getpid()}")
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={arriving}")
    done = subprocess.run([maven, "-q", "-B", "-f", str(POM), *goal], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoKafkaError(f"Maven did not fetch Kafka: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    try:
        arriving.rename(LIBS)
    except OSError:  # another run was first
        shutil.rmtree(arriving)


def _free_ports(count: int) -> list[int]:
    # All at once, so that no two are alike.
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _properties(node: int, port: int, controller_port: int, voters: str, brokers: int) -> dict[str, str]:
    replicas, in_sync = str(min(3, brokers)), str(min(2, brokers))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": voters,
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{port}",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "3",
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": "2097152",  # the default does not fit into a small heap
        "broker.session.timeout.ms": "2000",  # a boot after SIGKILL waits for the old session to end
        "broker.heartbeat.interval.ms": "500",
        "controlled.shutdown.enable": "true" if brokers > 1 else "false",  # one alone has nobody to hand over to
    }


def _secured(security: Security, port: int, controller_port: int, inner_port: int) -> dict[str, str]:
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    return {
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},INNER://127.0.0.1:{inner_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{port},INNER://127.0.0.1:{inner_port}",
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT,INNER:PLAINTEXT",
        # Brokers among themselves go without: over TLS one with an expired certificate would not even start.
        "inter.broker.listener.name": "INNER",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config": f"{login};",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",  # ANONYMOUS is the brokers and controllers among themselves
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.certificates.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(security.certificates.authority),
    }
