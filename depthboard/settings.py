"""Settings: the only place that reads the environment. Every variable begins with DEPTHBOARD_."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DEPTHBOARD_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(
        Path.home() / ".depthboard", description="Folder of the embedded database, queue, caches and artifacts."
    )
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8765, ge=0, le=65535)
    api_url: str = Field(
        "", description="Where workers, command line and scripts find the API; empty: this host and port."
    )
    database_url: SecretStr = Field(SecretStr(""), description="SQLAlchemy URL with driver; empty: SQLite in home.")
    broker_url: SecretStr = Field(
        SecretStr(""), description="Celery broker; empty: the embedded file-system queue in home."
    )
    allowed_hosts: list[str] = Field(
        default_factory=list, description="Host names besides loopback that the API answers to (JSON list)."
    )
    lease_seconds: float = Field(60.0, gt=0.5)
    renew_seconds: float = Field(2.0, gt=0.05)
    poll_seconds: float = Field(5.0, gt=0.05, description="How often a free worker asks for work when no wake-up came.")
    max_attempts: int = Field(3, ge=1, le=100)
    trash_days: float = Field(
        7.0, ge=0, le=36_500, description="How long a deleted experiment can be restored; 0: it is removed at once."
    )
    threads: int = Field(1, ge=1, description="CPU threads of one training.")
    cache_bytes: int = Field(
        32 << 30, ge=0, description="Prepared frames kept on disk up to this many bytes a dataset and size."
    )

    artifacts_url: str = Field(
        "",
        description="Where checkpoints are kept: a folder that all workers reach, as file:///…, or s3://bucket/prefix; empty: home/artifacts.",
    )
    keep_checkpoints: int = Field(
        2, ge=1, le=1000, description="The last checkpoints kept of a run, besides the best on validation."
    )
    stall_seconds: float = Field(
        600.0, gt=0, description="A training that has not moved for so long is shown as stalled."
    )
    stall_kill_seconds: float = Field(
        0.0, ge=0, description="A training that has not moved for so long is killed and tried again; 0: never."
    )
    run: str = Field(
        "", description="The run that scripts write to, each as another writer; empty: every script begins its own."
    )

    @property
    def url(self) -> str:
        return (
            self.api_url.rstrip("/")
            or f"http://{'127.0.0.1' if self.host in ('0.0.0.0', '::') else self.host}:{self.port}"
        )

    @property
    def database(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite+pysqlite:///{self.home / 'depthboard.sqlite3'}"

    @property
    def queue_folder(self) -> Path:
        return self.home / "queue"

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    @property
    def cache(self) -> Path:
        return self.home / "cache"


@lru_cache
def get_settings() -> Settings:
    return Settings()
