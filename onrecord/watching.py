"""What an owner tells those who watch it: metrics for Prometheus, and alerts on standard error."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, get_args

from consumers.alerts import Alarms, Alert, AlertName, Limits, Standing, alerts
from consumers.owner import Owner
from eventlog.log import EventLog, Positions
from onrecord.wiring import Say, Workspace

LOOK_EVERY_S = 5.0


@dataclass
class Watching:
    """Looks at an owner every few seconds; metrics are served where a port is set.

    Raises:
        ImportError: a port is set, and prometheus-client is not installed.
    """

    workspace: Workspace
    say: Say
    limits: Limits = field(default_factory=Limits)
    _alarms: Alarms = field(default_factory=Alarms)
    _looked_at: float = float("-inf")
    _gauges: dict[str, Any] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None
    """Serve metrics no more."""

    def __post_init__(self) -> None:
        if port := self.workspace.settings.metrics_port:
            self._make_gauges(port)

    def _make_gauges(self, port: int) -> None:
        from prometheus_client import CollectorRegistry, Gauge

        ours, lanes = CollectorRegistry(), ("topic", "partition")
        self._gauges = {
            "lag": Gauge("onrecord_lag_records", "Offsets that are not folded yet", lanes, registry=ours),
            "lag_s": Gauge("onrecord_lag_seconds", "Age of the oldest record that is not folded", registry=ours),
            "dead": Gauge("onrecord_dead_letters_open", "Dead letters that wait for a decision", registry=ours),
            "folded": Gauge("onrecord_folded_offset", "The next offset to fold", lanes, registry=ours),
            "alert": Gauge("onrecord_alert", "1 while something needs somebody", ("name",), registry=ours),
        }
        self.close = _serve(port, ours)

    def look(self, owner: Owner) -> None:
        """Look, if the last look is a while ago."""
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = time.monotonic()
        positions, end = owner.store.positions(), owner.log.end()
        [row] = owner.store.query("health").to_pylist()
        lag_s = seconds_behind(owner.log, positions, end, self.workspace.clock.now().timestamp())
        standing = Standing(self.workspace.clock.now(), lag_s, **row)
        found = list(alerts(standing, self.limits))
        for line in self._alarms.news(found):
            self.say(line)
        if self._gauges:
            self._measure(standing, positions, end, found)

    def _measure(self, standing: Standing, positions: Positions, end: Positions, found: list[Alert]) -> None:
        for (topic, partition), offset in end.items():
            at = positions.get((topic, partition), 0)
            self._gauges["lag"].labels(topic, partition).set(max(0, offset - at))
            self._gauges["folded"].labels(topic, partition).set(at)
        self._gauges["lag_s"].set(standing.lag_s)
        self._gauges["dead"].set(standing.dead_letters)
        active = {alert.name for alert in found}
        for name in get_args(AlertName):
            self._gauges["alert"].labels(name).set(name in active)


def measure_worker(port: int, counts: object) -> Callable[[], None]:
    """Serve what a worker counts, by the names of its fields; gives what ends that."""
    from prometheus_client import CollectorRegistry, Gauge

    ours = CollectorRegistry()
    for name in vars(counts):
        gauge = Gauge(f"onrecord_worker_{name}", f"{name} since the worker began", registry=ours)
        gauge.set_function(partial(getattr, counts, name))
    return _serve(port, ours)


def _serve(port: int, registry: Any) -> Callable[[], None]:
    from prometheus_client import ProcessCollector, start_http_server

    ProcessCollector(registry=registry)
    server, thread = start_http_server(port, registry=registry)

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return close


def seconds_behind(log: EventLog, positions: Positions, end: Positions, now: float) -> float:
    """The age of the oldest record behind `positions`, in seconds, looked up where each topic is most behind."""
    behind = {lane: offset - positions.get(lane, 0) for lane, offset in end.items()}
    oldest = now
    for topic in {topic for (topic, _), offsets in behind.items() if offsets > 0}:
        lane = max((lane for lane in behind if lane[0] == topic), key=lambda lane: behind[lane])
        batch, _ = log.read_topic(topic, {**end, lane: positions.get(lane, 0)}, 1)
        oldest = min([oldest, *(at.timestamp() for at in batch["recorded_at"].to_pylist() if at is not None)])
    return max(0.0, now - oldest)
