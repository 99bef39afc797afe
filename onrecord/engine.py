"""Which engine keeps the log: SQLite in the home folder, or Kafka."""

from eventlog.clock import Clock
from eventlog.log import EventLog, LogError
from eventlog.sqlite import SqliteLog
from onrecord.settings import Settings


def open_log(settings: Settings, clock: Clock | None = None) -> EventLog:
    """The log that the settings name.

    Raises:
        LogError: it cannot be opened; the message says what to do.
    """
    return SqliteLog(settings.log_path, clock) if settings.log == "sqlite" else kafka_log(settings, clock)


def kafka_log(settings: Settings, clock: Clock | None = None) -> EventLog:
    """The log on the cluster that the settings name.

    Raises:
        LogError: the extra `kafka` is not installed, or the cluster does not let us in.
    """
    try:
        # Not at the top: who keeps the log in SQLite need not have Kafka's library.
        from eventlog.kafka import KafkaLog
        from eventlog.kafka_cluster import KafkaSettings
    except ImportError as error:
        raise LogError(f"Kafka's library is missing ({error}): pip install 'onrecord[kafka]'") from error
    return KafkaLog(
        KafkaSettings(
            settings.kafka_bootstrap_servers,
            topic_prefix=settings.kafka_topic_prefix,
            partitions=settings.kafka_partitions,
            replication=settings.kafka_replication,
            max_record_bytes=settings.kafka_max_record_bytes,
            timeout_s=settings.kafka_timeout_s,
            security=kafka_security(settings),
        ),
        clock,
    )


def forgetful_topics(log: EventLog, settings: Settings) -> list[str]:
    """The topics of a log on Kafka that are set to forget records; SQLite forgets none.

    Raises:
        LogError: the cluster does not answer.
    """
    if settings.log == "sqlite":
        return []
    from eventlog.kafka import KafkaLog

    return log.cluster.forgetful() if isinstance(log, KafkaLog) else []


def kafka_security(settings: Settings) -> dict[str, str]:
    """librdkafka's properties for TLS and SASL."""
    given: dict[str, str] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol.startswith("SASL"):
        given["sasl.mechanism"] = settings.kafka_sasl_mechanism
        given["sasl.username"] = settings.kafka_username
        given["sasl.password"] = settings.kafka_password.get_secret_value()
    files = {
        "ssl.ca.location": settings.kafka_ca_file,
        "ssl.certificate.location": settings.kafka_certificate_file,
        "ssl.key.location": settings.kafka_key_file,
    }
    return {**given, **{name: str(path) for name, path in files.items() if path is not None}}
