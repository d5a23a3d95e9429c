"""Points as chunks and compacted curves, versions of experiments, runs of scripts, the trash, parameters and metrics as rows."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from backend.store import types
from backend.store.columns import Block, Columns, pack_blocks, unpack_blocks, unpack_steps, unpack_values, unpack_walls
from backend.store.facts import param_rows

revision = "0003"
down_revision = "0002"

WRITER = "main"
ADDED: dict[str, list[sa.Column[Any]]] = {
    "experiment": [
        sa.Column("version", types.Int64(), nullable=False, server_default=sa.text("0")),
        sa.Column("results_version", types.Int64(), nullable=False, server_default=sa.text("0")),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deleted_at", types.UtcDateTime(timezone=True), nullable=True),
    ],
    "run": [
        sa.Column("kind", types.CleanString(length=16), nullable=False, server_default=sa.text("'trained'")),
        sa.Column("name", types.CleanString(length=200), nullable=True),
        sa.Column("pause_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("stalled", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("progressed_at", types.UtcDateTime(timezone=True), nullable=True),
    ],
    "checkpoint": [sa.Column("host", types.CleanString(length=200), nullable=False, server_default=sa.text("''"))],
    "worker": [
        sa.Column("draining", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("gpus", sa.JSON(none_as_null=True), nullable=True),
    ],
    "event": [
        sa.Column("versions", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("position", types.Int64(), nullable=True),
    ],
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column._copy())
    _dataset_of_a_run(nullable=True)
    _events()
    _tables()
    _move_curves()
    op.drop_table("curve")
    _curve_table()
    op.execute("alter table attempt rename column resumed_from_step to resumed_from")
    op.execute("update attempt set resumed_from = resumed_from + 1")
    op.drop_column("attempt", "last_seq")
    _fill_params()
    _fill_metrics()


def _dataset_of_a_run(*, nullable: bool) -> None:
    """SQLite changes no column. It keeps the text that made the table, and by its manual a NOT NULL may be taken out there."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("run", "dataset", nullable=nullable)
        return
    before, after = "dataset VARCHAR(80) NOT NULL", "dataset VARCHAR(80)"
    if not nullable:
        before, after = after, before
    connection = op.get_bind()
    version = connection.exec_driver_sql("pragma schema_version").scalar_one()
    connection.exec_driver_sql("pragma writable_schema = on")
    changed = connection.exec_driver_sql(
        "update sqlite_schema set sql = replace(sql, ?, ?) where type = 'table' and name = 'run' and instr(sql, ?)",
        (before, after, before),
    )
    assert changed.rowcount == 1
    connection.exec_driver_sql(f"pragma schema_version = {int(version) + 1}")
    connection.exec_driver_sql("pragma writable_schema = off")


def _events() -> None:
    """Events that are there already have their order: that of their ids."""
    op.execute("update event set position = id")
    new = sa.text("position IS NULL")
    op.create_index("ix_event_position", "event", ["position"])
    op.create_index("ix_event_new", "event", ["id"], sqlite_where=new, postgresql_where=new)
    op.create_table(
        "stream",
        sa.Column("id", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("position", types.Int64(), nullable=False),
        sa.Column("forgotten", types.Int64(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stream"),
    )
    op.execute("insert into stream select 1, coalesce(max(id), 0), coalesce(min(id), 1) - 1 from event")


def _of_run(table: str, *columns: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column("run_id", types.Int64(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=f"fk_{table}_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", *key, name=f"pk_{table}"),
    )


def _number(name: str, *, keyed: bool = False) -> sa.Column[Any]:
    return sa.Column(name, types.Int64(), nullable=False, autoincrement=False if keyed else "auto")


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, types.CleanString(length=length), nullable=False)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _tables() -> None:
    attempt = _number("attempt", keyed=True)
    _of_run("sequence", attempt._copy(), _text("writer", 40), _number("last_seq"), key=("attempt", "writer"))
    _of_run(
        "chunk",
        attempt._copy(),
        _text("writer", 40),
        _number("first_seq", keyed=True),
        *map(_number, ("n", "first_step", "last_step")),
        _bytes("body"),
        key=("attempt", "writer", "first_seq"),
    )
    _of_run(
        "axis",
        attempt._copy(),
        _number("number", keyed=True),
        _number("n"),
        _bytes("steps"),
        _bytes("walls"),
        key=("attempt", "number"),
    )
    _facts()
    op.create_table(
        "doomed",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("path", types.CleanText(), nullable=False),
        _text("host", 200),
        _number("bytes"),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doomed"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_doomed_host", "doomed", ["host"])


def _curve_table() -> None:
    _of_run(
        "curve",
        _text("key", 200),
        _number("attempt", keyed=True),
        *map(_number, ("axis", "n", "first_step", "last_step")),
        _bytes("values"),
        _bytes("summary", nullable=True),
        key=("key", "attempt"),
    )


def _facts() -> None:
    number: sa.Column[Any] = sa.Column("number", sa.Float(precision=53), nullable=True)
    text: sa.Column[Any] = sa.Column("text", types.CleanString(length=300), nullable=True)
    _of_run("param", _text("name", 200), number, text, key=("name",))
    op.create_index("ix_param_number", "param", ["name", "number", "run_id"])
    op.create_index("ix_param_text", "param", ["name", "text", "run_id"])
    _of_run("metric", _text("name", 200), number._copy(), _number("step"), key=("name",))
    op.create_index("ix_metric_number", "metric", ["name", "number", "run_id"])


CHUNK = sa.table(
    "chunk", *map(sa.column, ["run_id", "attempt", "writer", "first_seq", "n", "first_step", "last_step", "body"])
)
SEQUENCE = sa.table("sequence", *map(sa.column, ["run_id", "attempt", "writer", "last_seq"]))
METRIC = sa.table("metric", *map(sa.column, ["run_id", "name", "number", "step"]))
PARAM = sa.table("param", *map(sa.column, ["run_id", "name", "number", "text"]))


def _move_curves() -> None:
    """What came in one batch becomes a chunk; compaction follows when the API runs."""
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "insert into sequence select run_id, attempt, :writer, last_seq from attempt where last_seq >= 0",
        ),
        {"writer": WRITER},
    )
    for (run_id,) in connection.execute(sa.text("select distinct run_id from curve order by run_id")).all():
        batches = defaultdict(list)
        rows = sa.text("select * from curve where run_id = :run order by attempt, first_seq, key")
        for row in connection.execute(rows, {"run": run_id}):
            batches[row.attempt, row.first_seq].append(_block(row._mapping))
        chunks = [_chunk(run_id, *place, blocks) for place, blocks in batches.items()]
        connection.execute(sa.insert(CHUNK), chunks)


def _block(row: Any) -> Block:
    steps, walls, values = (
        np.frombuffer(zlib.decompress(row[name]), kind)
        for name, kind in (("steps", "<i8"), ("walls", "<f8"), ("values", "<f8"))
    )
    return Block((row["key"],), np.arange(len(steps)), steps, walls, values.reshape(-1, 1))


def _chunk(run_id: int, attempt: int, first_seq: int, blocks: list[Block]) -> dict[str, object]:
    return {
        "run_id": run_id,
        "attempt": attempt,
        "writer": WRITER,
        "first_seq": first_seq,
        "n": max(len(block.rows) for block in blocks),
        "first_step": min(int(block.steps.min()) for block in blocks),
        "last_step": max(int(block.steps.max()) for block in blocks),
        "body": pack_blocks(blocks),
    }


def _fill_params() -> None:
    connection = op.get_bind()
    for run_id, config in connection.execute(sa.text("select id, config from run")).all():
        tree = json.loads(config) if isinstance(config, str) else config
        if rows := param_rows(run_id, tree):
            connection.execute(sa.insert(PARAM), rows)


def _fill_metrics() -> None:
    """What lists filter and sort by: the newest value of every key, and the metrics that a run's row holds."""
    connection = op.get_bind()
    for run_id, step, metrics in connection.execute(sa.text("select id, step, metrics from run")).all():
        newest: dict[str, tuple[float | None, int]] = {}
        chunks = sa.text("select body from chunk where run_id = :run order by attempt, writer, first_seq")
        for (body,) in connection.execute(chunks, {"run": run_id}):
            for block in unpack_blocks(body):
                for i, key in enumerate(block.keys):
                    newest[key] = (float(block.values[-1, i]), int(block.steps[-1]))
        tree = json.loads(metrics) if isinstance(metrics, str) else metrics or {}
        newest |= {name: (value, step) for name, value in tree.items()}
        rows = [
            {
                "run_id": run_id,
                "name": name,
                "step": at,
                "number": number if number is not None and np.isfinite(number) else None,
            }
            for name, (number, at) in newest.items()
        ]
        if rows:
            connection.execute(sa.insert(METRIC), rows)


def downgrade() -> None:
    """Runs of scripts, which the release before does not know, go."""
    op.execute("delete from run where kind <> 'trained'")
    op.add_column("attempt", sa.Column("last_seq", types.Int64(), nullable=False, server_default=sa.text("-1")))
    op.execute("update attempt set resumed_from = resumed_from - 1")
    op.execute("alter table attempt rename column resumed_from to resumed_from_step")
    everything = list(_everything(op.get_bind()))
    for table in ("sequence", "chunk", "axis", "curve", "param", "metric", "doomed", "stream"):
        op.drop_table(table)
    _old_curve_table()
    _move_back(everything)
    _dataset_of_a_run(nullable=False)
    op.drop_index("ix_event_new", "event")
    op.drop_index("ix_event_position", "event")
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column.name)


def _old_curve_table() -> None:
    _of_run(
        "curve",
        _number("attempt", keyed=True),
        _number("first_seq", keyed=True),
        _text("key", 200),
        *map(_number, ("n", "first_step", "last_step")),
        *map(_bytes, ("steps", "walls", "values")),
        key=("attempt", "first_seq", "key"),
    )


def _move_back(everything: list[tuple[int, int, str, Columns]]) -> None:
    """A row a curve and chunk; numbers of their own, since a compacted curve has no sequence any more."""
    connection = op.get_bind()
    names = ["run_id", "attempt", "first_seq", "key", "n", "first_step", "last_step", "steps", "walls", "values"]
    table = sa.table("curve", *map(sa.column, names))
    numbers: dict[tuple[int, int], int] = defaultdict(int)
    for run_id, attempt, key, columns in everything:
        packed = {
            name: zlib.compress(np.ascontiguousarray(column).tobytes(), 6)
            for name, column in (("steps", columns.steps), ("walls", columns.walls), ("values", columns.values))
        }
        ends = {"first_step": int(columns.steps.min()), "last_step": int(columns.steps.max()), "n": len(columns)}
        place = {"run_id": run_id, "attempt": attempt, "first_seq": numbers[run_id, attempt], "key": key}
        numbers[run_id, attempt] += len(columns)
        connection.execute(sa.insert(table).values(**place, **ends, **packed))


def _everything(connection: sa.Connection) -> Iterator[tuple[int, int, str, Columns]]:
    axes = {
        (row.run_id, row.attempt, row.number): (unpack_steps(row.steps), unpack_walls(row.walls))
        for row in connection.execute(sa.text("select * from axis"))
    }
    for row in connection.execute(sa.text("select * from curve")).all():
        found = row._mapping
        yield (
            row.run_id,
            row.attempt,
            row.key,
            Columns(*axes[row.run_id, row.attempt, row.axis], unpack_values(found["values"])),
        )
    for row in connection.execute(sa.text("select * from chunk order by run_id, attempt, writer, first_seq")).all():
        for block in unpack_blocks(row.body):
            for i, key in enumerate(block.keys):
                yield row.run_id, row.attempt, key, Columns(block.steps, block.walls, block.values[:, i])
