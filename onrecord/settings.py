"""Settings: environment variables with the prefix ONRECORD_, read once. docs/settings.md is the table."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the state lies, and how the owner works."""

    model_config = SettingsConfigDict(env_prefix="ONRECORD_", frozen=True)

    home: Path = Field(default=Path("onrecord-data"), description="the one folder that holds all state")
    batch_rows: int = Field(default=200_000, ge=1, description="records folded in one transaction while catching up")
    poll_s: float = Field(default=0.2, gt=0, description="seconds between looks at the log while nothing comes")
    publish_every_s: float = Field(default=5.0, ge=0, description="least seconds between two published copies")
    answer_timeout_s: float = Field(default=120.0, gt=0, description="seconds that a caller waits for an answer")
    retention_days: int = Field(default=180, ge=0, description="age at which the timetable lets odds go; 0: never")
    replica: bool = Field(default=False, description="only project into this folder: decide nothing")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="where Prometheus finds metrics; 0: nowhere")

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
