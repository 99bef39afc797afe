"""Settings: environment variables with the prefix ONRECORD_, read once. docs/settings.md is the table."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from projections.catch_up import BATCH_ROWS

PREFIX = "ONRECORD_"


def _expanded(path: Path) -> Path:
    """Without `~`, which comes as it is from a file of settings: DuckDB would look elsewhere for it than Python."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from error


_Path = Annotated[Path, AfterValidator(_expanded)]


class Traces(BaseSettings):
    """How errors are shown; apart, since another setting may be the error."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    debug: bool = Field(default=False, description="show the trace of an error instead of one line, as `--debug` does")


class Settings(Traces):
    """Where the state lies, and how the owner works."""

    home: _Path = Field(default=Path("onrecord-data"), description="the one folder that holds all state")
    log: Literal["sqlite", "kafka"] = Field(default="sqlite", description="the engine of the log")
    batch_rows: int = Field(default=BATCH_ROWS, ge=1, description="records that the owner folds in one transaction")
    poll_s: float = Field(default=0.2, gt=0, description="seconds between looks at the log while nothing comes")
    publish_every_s: float = Field(default=5.0, ge=0, description="least seconds between two published copies")
    answer_timeout_s: float = Field(default=120.0, gt=0, description="seconds that a caller waits for an answer")
    retention_days: int = Field(default=180, ge=0, description="age at which the timetable lets odds go; 0: never")
    replica: bool = Field(default=False, description="only project into this folder: decide nothing")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="where Prometheus finds metrics; 0: nowhere")
    kafka_bootstrap_servers: str = Field(default="localhost:9092", description="brokers, as host:port,host:port")
    kafka_topic_prefix: str = Field(default="onrecord.", description="what the names of the log's topics begin with")
    kafka_partitions: int = Field(default=6, ge=1, description="of each topic that is made")
    kafka_replication: int = Field(default=-1, description="of each topic that is made; -1: the brokers' default")
    kafka_max_record_bytes: int = Field(default=16_777_216, ge=1024, description="the largest record that is taken")
    kafka_timeout_s: float = Field(default=60.0, gt=0, description="seconds that brokers may be away")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how brokers are spoken to"
    )
    kafka_sasl_mechanism: str = Field(default="SCRAM-SHA-512", description="how a user is proven, with SASL")
    kafka_username: str = Field(default="", description="the user, with SASL")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="the user's password, with SASL")
    kafka_ca_file: _Path | None = Field(default=None, description="PEM: the brokers' authority, if not a public one")
    kafka_certificate_file: _Path | None = Field(default=None, description="PEM: this client's certificate")
    kafka_key_file: _Path | None = Field(default=None, description="PEM: the key of this client's certificate")

    @property
    def log_path(self) -> Path:
        """The SQLite log."""
        return self.home / "log.sqlite"

    @property
    def projections(self) -> Path:
        """The folder of the DuckDB generations."""
        return self.home / "projections"

    @property
    def published(self) -> Path:
        """The copy that analysts open."""
        return self.home / "published.duckdb"

    @property
    def parquet(self) -> Path:
        """The folder of Parquet files."""
        return self.home / "parquet"
