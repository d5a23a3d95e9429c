"""Engines and sessions. A write session is one transaction that commits at its end; a read session never writes.

SQLite: one connection writes (so writers queue here instead of failing as busy, and only it checkpoints the WAL: SQLite
before 3.51.3 can corrupt its WAL index when several connections do), several read. PostgreSQL: one pool for both.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from backend.store import outbox
from backend.store.types import dump_json, load_json
from depthboard.errors import Misconfigured

WAIT_SECONDS = 30
VACUUM_PAGES = 20_000
"""Given back in one go, some 80 MB, so that writers do not wait long."""


class Database:
    """The open database of this process.

    Raises Misconfigured for a URL that names no SQLite or PostgreSQL database, and for a SQLite file that another API
    process holds.
    """

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self._lock: int | None = None
        if self.sqlite:
            self._lock = _lock_file(Path(self.url.database or ""))
            self.writer = _sqlite_engine(self.url, writes=True)
            self.reader = _sqlite_engine(self.url, writes=False)
        else:
            self.writer = self.reader = _postgresql_engine(self.url)
        self._write_session = sessionmaker(self.writer, expire_on_commit=False)
        self._read_session = sessionmaker(self.reader, expire_on_commit=False, autoflush=False)
        frozen = self.reader if self.sqlite else self.reader.execution_options(isolation_level="REPEATABLE READ")
        self.after_publish: Callable[[], None] = lambda: None
        self._snapshot = sessionmaker(frozen, expire_on_commit=False, autoflush=False)

    @property
    def sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises. The events it collected go with
        it, and `after_publish` is called when they are committed.
        """
        with self._write_session() as session, session.begin():
            yield session
            told = outbox.publish(session)
        if told:
            self.after_publish()

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._read_session() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A read session all of whose queries see one moment of the database."""
        with self._snapshot() as session:
            yield session

    def describe(self) -> str:
        """For people: product, version, place; no password."""
        with self.reader.connect() as connection:
            if self.sqlite:
                return f"SQLite {connection.scalar(text('select sqlite_version()'))}, {self.url.database}"
            return f"PostgreSQL {connection.scalar(text('show server_version'))}, {self.url.host or 'local'}/{self.url.database}"

    def give_back(self) -> int:
        """Return pages of what was removed to the disk, and how many bytes they are; PostgreSQL does so by itself."""
        if not self.sqlite:
            return 0
        with self.writer.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            before, page_size = (
                driver.execute(f"pragma {name}").fetchone()[0] for name in ("freelist_count", "page_size")
            )
            if not before:
                return 0
            # As a script: each step gives back one page, and execute() takes one step of what returns no columns.
            driver.executescript(f"pragma incremental_vacuum({VACUUM_PAGES})")
            # The file shrinks when the log is written into it; what a reader still looks at waits for the next time.
            driver.execute("pragma wal_checkpoint(passive)").fetchall()
            after = driver.execute("pragma freelist_count").fetchone()[0]
        return int(max(before - after, 0) * page_size)

    def make_reclaimable(self) -> None:
        """A file from before pages were given back is rewritten once, so that they can be."""
        if self.sqlite:
            with self.writer.connect() as connection:
                driver: Any = connection.connection.dbapi_connection
                if driver.execute("pragma auto_vacuum").fetchone()[0] == 0:
                    driver.execute("pragma auto_vacuum = incremental")
                    driver.execute("vacuum")

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def one_at_a_time(session: Session, key: int) -> None:
    """Who asks for this key waits until the transactions that asked before have ended. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(key)))


def clock(session: Session) -> datetime:
    """The database server's time: leases are measured on one clock, whatever the workers' and the API's say."""
    if session.get_bind().dialect.name == "sqlite":
        now = session.scalar(text("select strftime('%Y-%m-%d %H:%M:%f', 'now')"))
        return datetime.fromisoformat(str(now)).replace(tzinfo=UTC)
    return datetime.fromisoformat(str(session.scalar(text("select clock_timestamp()")))).astimezone(UTC)


def moment(wall: float) -> datetime | None:
    """Seconds since the epoch as a time; None for what is none."""
    try:
        return datetime.fromtimestamp(wall, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _parse(url: str) -> URL:
    remedy = "Set DEPTHBOARD_DATABASE_URL to sqlite+pysqlite:///file or postgresql+psycopg://user:password@host/name, or leave it empty."
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise Misconfigured(
            "the database URL cannot be read.", field="DEPTHBOARD_DATABASE_URL", remedy=remedy
        ) from error
    memory = parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:")
    if parsed.get_backend_name() not in ("sqlite", "postgresql") or memory:
        raise Misconfigured(
            "Depthboard keeps its record in SQLite or PostgreSQL.", field="DEPTHBOARD_DATABASE_URL", remedy=remedy
        )
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _lock_file(path: Path) -> int:
    """Hold `<database>.lock` until close; the kernel frees it when the process ends, however it ends."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"the folder {path.parent} cannot be used ({error.strerror}).",
            remedy="Set DEPTHBOARD_HOME to a folder of yours.",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise Misconfigured(
            f"another API process{f' ({holder})' if holder else ''} has the database {path} open.",
            remedy="Stop it first, or give this one its own DEPTHBOARD_HOME; for several API processes use PostgreSQL.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()}\n".encode(), 0)
    return descriptor


def _sqlite_engine(url: URL, *, writes: bool) -> Engine:
    pool = {"pool_size": 1, "max_overflow": 0} if writes else {"pool_size": 4, "max_overflow": 12}
    engine = create_engine(
        url, json_serializer=dump_json, json_deserializer=load_json, pool_timeout=WAIT_SECONDS, **pool
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would open transactions by itself, and late; `_begin` does it
        for pragma in _pragmas(writes):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _pragmas(writes: bool) -> list[str]:
    shared = [
        "auto_vacuum = INCREMENTAL",  # of an empty file; another one is told by `reclaimable`
        f"busy_timeout = {WAIT_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -65536",
    ]
    return (
        [*shared, f"journal_size_limit = {64 << 20}"]
        if writes
        else [*shared, "wal_autocheckpoint = 0", "query_only = ON"]
    )


def _postgresql_engine(url: URL) -> Engine:
    return create_engine(
        url,
        json_serializer=dump_json,
        json_deserializer=load_json,
        pool_size=10,
        max_overflow=24,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        # Prepared statements would get generic plans, which compare every row with every item of a long IN list.
        connect_args={"connect_timeout": 5, "application_name": "depthboard-api", "prepare_threshold": None},
    )
