"""The store itself: migrations, locks, what the two databases must agree on."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session, undefer

from backend.store import curves, outbox
from backend.store.columns import Columns, thin
from backend.store.evaluations import unpack_sums
from backend.store.migrations import HEAD, configuration, migrate
from backend.store.session import Database, clock
from backend.store.tables import Attempt, Base, Dataset, Evaluation, Event, Metric, Param
from backend.store.types import INT64
from depthboard.errors import InvalidInput, Misconfigured


def wipe(url: str) -> None:
    """Take the tables away too: the database as it is before the first start."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind without any table."""
    url = f"sqlite+pysqlite:///{tmp_path / 'home' / 'd.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_database").render_as_string(hide_password=False)
        wipe(url)
    database = Database(url)
    yield database
    database.close()
    if request.param == "postgresql":
        wipe(url)


def test_the_migrations_make_exactly_the_tables_of_the_models_and_running_them_again_changes_nothing(
    blank: Database,
) -> None:
    migrate(blank)
    migrate(blank)
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD
    with blank.reader.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    assert differences == []


EVALUATION = """
insert into evaluation (run_id, attempt, step, split, protocol, predictor, images, sums, per_image, pooled)
values (1, :attempt, 5, 'test', 'p', 'network', 2, :sums, '{"rmse": 0.5}', '{}')
"""


def test_a_migration_keeps_the_evaluations_of_the_release_before_and_can_be_taken_back(blank: Database) -> None:
    old, new = np.arange(24.0).reshape(2, 12), np.arange(60.0).reshape(2, 30)
    with blank.writer.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        connection.execute(text(DATASET))
        connection.execute(text(RUNNING_WITHOUT_LEASE.replace("'running'", "'finished'")))
        connection.execute(text(EVALUATION), {"attempt": 1, "sums": zlib.compress(old.tobytes())})
    migrate(blank)
    with blank.read() as session:
        (row,) = session.scalars(select(Evaluation).options(undefer(Evaluation.sums)))
        assert (row.per_image, row.sharpness_means, row.sharpness) == ({"rmse": 0.5}, None, None)
        assert (unpack_sums(row) == old).all()
    with blank.writer.begin() as connection:
        for attempt in (0, 2):
            connection.execute(text(EVALUATION), {"attempt": attempt, "sums": zlib.compress(new.tobytes())})
        command.downgrade(configuration(connection), "0001")
        left = connection.execute(text("select attempt, sums from evaluation order by attempt")).all()
        assert [row.attempt for row in left] == [1, 2], "older code would take what was scored again for the run's own"
        assert zlib.decompress(left[0].sums) == old.tobytes()
        assert zlib.decompress(left[1].sums) == new[:, :12].tobytes()
        command.upgrade(configuration(connection), "head")


OLD_CURVE = """
insert into curve (run_id, attempt, first_seq, key, n, first_step, last_step, steps, walls, values)
values (1, 1, :first_seq, :key, 2, 1, 2, :steps, :walls, :values)
""".replace("values)", '"values")', 1)
OLD_ATTEMPT = """
insert into attempt (run_id, attempt, owner, host, device, started_at, resumed_from_step, last_seq, log_length)
values (1, 1, 'o', 'h', 'cpu', '2026-01-01 00:00:00', 4, 3, 0)
"""


def test_a_migration_keeps_every_point_and_can_be_taken_back(blank: Database) -> None:
    values = {(0, "a"): [0.5, float("nan")], (0, "b"): [1.0, 2.0], (2, "a"): [3.0, float("inf")]}
    with blank.writer.begin() as connection:
        command.upgrade(configuration(connection), "0002")
        connection.execute(text(DATASET))
        connection.execute(text(RUNNING_WITHOUT_LEASE.replace("'running'", "'finished'")))
        connection.execute(text(OLD_ATTEMPT))
        for (first_seq, key), column in values.items():
            steps = np.array([1, 2]) if first_seq == 0 else np.array([3, 4])
            packed = {
                "steps": zlib.compress(steps.astype("<i8").tobytes()),
                "walls": zlib.compress(steps.astype("<f8").tobytes()),
                "values": zlib.compress(np.array(column, "<f8").tobytes()),
            }
            connection.execute(text(OLD_CURVE), {"first_seq": first_seq, "key": key, **packed})
    for _ in range(2):
        migrate(blank)
        with blank.read() as session:
            found = curves.read(session, 1)
            assert found["a"].steps.tolist() == [1, 2, 3, 4]
            assert np.array_equal(found["a"].values, [0.5, np.nan, 3.0, np.inf], equal_nan=True)
            assert found["b"].values.tolist() == [1.0, 2.0]
            assert session.get_one(Attempt, (1, 1)).resumed_from == 5
            newest = {row.name: (row.number, row.step) for row in session.scalars(select(Metric))}
            assert newest == {"a": (None, 4), "b": (2.0, 2)}
            assert session.scalars(select(Param.text).where(Param.name == "loss.name")).all() == []
        with blank.writer.begin() as connection:
            command.downgrade(configuration(connection), "0002")
            assert connection.scalar(text("select resumed_from_step from attempt")) == 4


def test_a_database_of_a_newer_version_is_refused_with_the_remedy(blank: Database) -> None:
    migrate(blank)
    with blank.writer.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(Misconfigured, match=r"newer version of Depthboard \(revision 9999\)") as caught:
        migrate(blank)
    assert "Update Depthboard" in str(caught.value.remedy)


def test_a_database_of_something_else_is_refused(blank: Database) -> None:
    with blank.writer.begin() as connection:
        connection.execute(text("create table run (id integer)"))
    with pytest.raises(Misconfigured, match="tables that Depthboard did not make"):
        migrate(blank)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    migrate(opened)
    yield opened
    opened.close()


def test_a_second_process_on_the_same_sqlite_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite+pysqlite:///{tmp_path / 'home' / 'd.sqlite3'}"
    first = Database(url)
    code = f"""
from backend.store.session import Database
from depthboard.errors import Misconfigured
try:
    Database({url!r})
except Misconfigured as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "another API process (process" in said
    assert "PostgreSQL" in said
    first.close()
    Database(url).close()


@pytest.mark.parametrize("url", ["", "mysql://x/y", "nonsense", "sqlite://", "oracle+x://y", "sqlite:///:memory:"])
def test_a_database_url_that_names_nothing_we_know_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Database(url)
    assert caught.value.field == "DEPTHBOARD_DATABASE_URL"


def test_the_embedded_database_is_durable_and_only_one_connection_writes(tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'd.sqlite3'}")
    migrate(database)
    with database.writer.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"pragma {p}").scalar() for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
        assert pragmas == ["wal", 2, 1]
    with database.read() as session:
        assert session.scalar(text("pragma wal_autocheckpoint")) == 0
        with pytest.raises(OperationalError, match="readonly"):
            session.execute(text("create table x (y integer)"))
    assert database.writer.pool.size() == 1  # type: ignore[attr-defined]
    database.close()


def write_and_fail(session: Session) -> None:
    outbox.add(session, "worker", experiment_ids=[])
    session.execute(insert(Event), {"kind": "x", "experiment_ids": [], "data": {}, "created_at": clock(session)})
    raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing_not_even_its_events(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        write_and_fail(session)
    with database.read() as session:
        assert session.scalars(select(Event)).all() == []


def test_newer_news_of_a_run_takes_the_place_of_older_news(database: Database) -> None:
    for step in (1, 2, 3):
        with database.write() as session:
            outbox.add(session, "points", run_id=7, step=step)
            outbox.add(session, "evaluation", run_id=7, step=step)
        with database.write() as session:
            outbox.sequence(session)
    with database.read() as session:
        rows = outbox.read_after(session, 0)
        assert [row.data["step"] for row in rows if row.kind == "points"] == [3]
        assert [row.data["step"] for row in rows if row.kind == "evaluation"] == [1, 2, 3]
        assert [row.id for row in rows] == sorted(row.id for row in rows)


def test_a_running_run_without_a_lease_cannot_be_written(database: Database) -> None:
    """NULL is less than nothing: a sweeper would never find it."""
    with pytest.raises(IntegrityError, match="ck_run_lease"), database.write() as session:
        session.execute(text(RUNNING_WITHOUT_LEASE))


DATASET = """
insert into dataset (name, format, path, options, fingerprint, report, created_at, updated_at)
values ('rooms', 'rooms', '', '{}', '', '{}', '2026-01-01', '2026-01-01')
"""
RUNNING_WITHOUT_LEASE = """
insert into run (identity, config, data_fingerprint, training_version, loss, loss_label, dataset, split, train_size,
 encoder, height, width, seed, steps, batch_size, images, evaluation_split, protocol, status, attempt, tries,
 max_attempts, priority, position, step, created_at, owner)
values ('a', '{}', '', '', '', '', 'rooms', '', 1, '', 1, 1, 1, 1, 1, 1, '', '', 'running', 1, 1, 1, 1, 1, 1,
 '2026-01-01', 'w')
"""


@pytest.mark.parametrize(
    "change",
    [{"name": "a\x00b"}, {"name": "\ud800"}, {"name": "x" * 81}, {"options": {"a": "\x00"}}, {"id": INT64 + 1}],
)
def test_what_a_database_cannot_hold_is_the_senders_fault(database: Database, change: dict[str, object]) -> None:
    row = {"name": "a", "format": "f", "path": "p", "options": {}, "fingerprint": "f", "report": {}} | change
    now = datetime.now(UTC)
    with pytest.raises((StatementError, InvalidInput)) as caught, database.write() as session:
        session.add(Dataset(**row, created_at=now, updated_at=now))
    assert isinstance(getattr(caught.value, "orig", caught.value), InvalidInput)


def test_thinning_keeps_the_ends_the_peaks_and_what_is_not_finite() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=10_000)
    values[1234], values[4321], values[7777] = 50.0, -50.0, np.nan
    steps = np.arange(10_000)
    thinned = thin(Columns(steps, steps.astype(float), values), 500)
    assert len(thinned.steps) <= 503
    assert {0, 1234, 4321, 7777, 9999} <= set(thinned.steps.tolist())
    assert (values[thinned.steps] == thinned.values)[np.isfinite(thinned.values)].all()
    assert (np.diff(thinned.steps) > 0).all()


def test_a_short_curve_is_not_thinned() -> None:
    columns = Columns(np.arange(10), np.arange(10.0), np.arange(10.0))
    assert thin(columns, 10) is columns


def test_the_pages_of_what_was_removed_go_back_to_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'd.sqlite3'}")
    with database.write() as session:
        session.execute(text("create table filled (x blob)"))
        session.execute(text("insert into filled values (zeroblob(1000000))"))
    with database.write() as session:
        session.execute(text("delete from filled"))
    database.give_back()
    with database.read() as session:
        assert session.scalar(text("pragma freelist_count")) == 0
    database.close()


def test_json_comes_back_as_it_was_also_with_a_number_beyond_every_double(blank: Database) -> None:
    migrate(blank)
    odd = {"deep": [{"a": None, "b": [1, 2.5, True]}], "words": 'é\u2028"\\', "huge": 10**400, "small": 5e-324}
    with blank.write() as session:
        now = clock(session)
        texts = {"name": "odd", "format": "rooms", "path": "", "fingerprint": ""}
        session.execute(
            insert(Dataset), [{**texts, "options": odd, "report": {}, "created_at": now, "updated_at": now}]
        )
    with blank.read() as session:
        assert session.scalar(select(Dataset.options)) == odd
