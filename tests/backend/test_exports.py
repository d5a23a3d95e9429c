"""The record as files: what CSV, Parquet and JSON hold is what the lists and curves say."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi import FastAPI
from pyarrow import parquet
from sqlalchemy import delete, insert, update
from starlette.testclient import TestClient

from backend import sheets
from backend.store import extracts, facts
from backend.store.tables import Metric, Param, Run
from depthboard.client import Client
from depthboard.errors import InvalidInput
from tests.backend import acting
from tests.backend.many_runs import Facts

FORMATS = ("csv", "parquet", "json")


def table(client: TestClient, path: str, format: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params={"format": format, **query})
    assert answer.status_code == 200, answer.text
    ending = f'.{format}"'
    assert answer.headers["content-disposition"].endswith(ending)
    if format == "json":
        return list(answer.json())
    if format == "parquet":
        return list(parquet.read_table(io.BytesIO(answer.content)).to_pylist())
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_has_every_run_that_the_filter_finds_with_all_it_is_known_by(
    client: TestClient, runs: list[Facts], format: str
) -> None:
    rows = table(client, "/api/runs/export", format, filter="status = finished", sort="-id")
    finished = [run for run in reversed(runs) if run["status"] == "finished"]
    assert [int(row["id"]) for row in rows] == [run["id"] for run in finished]
    for row, run in zip(rows, finished, strict=True):
        assert row["encoder"] == run["encoder"]
        for name in ("val/rmse", "acc"):
            shown, value = row[f"metric.{name}"], run["metrics"].get(name)
            assert (shown in (None, "")) if value is None else float(shown) == value
        lr = run["params"].get("lr")
        assert (row["param.lr"] in (None, "")) if lr is None else float(row["param.lr"]) == lr
        mixed = run["params"].get("mixed")
        assert (row["param.mixed"] or None) == (f"{mixed:g}" if isinstance(mixed, float) else mixed) or format == "csv"


def test_a_file_of_ten_times_a_portion_is_whole_and_in_order(
    client: TestClient, runs: list[Facts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extracts, "PORTION", 4)
    assert len(runs) == 40
    by_format = {
        format: [int(row["id"]) for row in table(client, "/api/runs/export", format, sort="metric.acc")]
        for format in FORMATS
    }
    listed = client.get("/api/runs", params={"sort": "metric.acc", "size": 1000}).json()["items"]
    assert set(map(tuple, by_format.values())) == {tuple(run["id"] for run in listed)}


def test_parquet_keeps_the_kinds_of_columns(client: TestClient, runs: list[Facts]) -> None:
    answer = client.get("/api/runs/export", params={"format": "parquet", "experiment": 1})
    found = parquet.read_table(io.BytesIO(answer.content))
    assert found.num_rows == sum(run["id"] % 2 == 0 for run in runs)
    kinds = {
        name: found.schema.field(name).type
        for name in ("id", "name", "created_at", "metric.acc", "param.mixed", "stalled")
    }
    assert kinds == {
        "id": pa.int64(),
        "name": pa.string(),
        "created_at": pa.timestamp("us", tz="UTC"),
        "metric.acc": pa.float64(),
        "param.mixed": pa.string(),
        "stalled": pa.bool_(),
    }


def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_quoted(
    client: TestClient, runs: list[Facts], app: FastAPI
) -> None:
    assert runs
    with app.state.database.write() as session:
        session.execute(update(Run).where(Run.id == 1).values(name="=cmd|'/c calc'!A1"))
        facts.put_params(session, 1, {"evil": "@SUM(A1)", "fine": "a=b"})
        session.execute(insert(Metric), [{"run_id": 1, "name": "down", "number": -1.5, "step": 1}])
    row = table(client, "/api/runs/export", "csv", filter="id = 1")[0]
    assert row["name"] == "'=cmd|'/c calc'!A1"
    assert (row["param.evil"], row["param.fine"], row["metric.down"]) == ("'@SUM(A1)", "a=b", "-1.5")
    assert table(client, "/api/runs/export", "json", filter="id = 1")[0]["name"] == "=cmd|'/c calc'!A1"


@pytest.mark.parametrize("format", ["csv", "json"])
def test_what_a_script_did_not_say_is_empty_and_what_a_column_says_stands_once(
    client: TestClient, runs: list[Facts], app: FastAPI, format: str
) -> None:
    assert runs
    with app.state.database.write() as session:
        empty = {"encoder": "", "loss": "", "seed": 0, "train_size": 0, "protocol": ""}
        session.execute(update(Run).where(Run.id == 1).values(**empty))
        session.execute(delete(Param).where(Param.run_id == 1))
        facts.put_params(session, 1, {"epochs": 8.0, "batch_size": 1})
    row = table(client, "/api/runs/export", format, filter="id = 1")[0]
    assert {str(row[name] or "") for name in ("encoder", "loss", "seed", "train_size", "evaluation")} == {""}
    assert (str(row["param.epochs"]), str(row["batch_size"])) == ("8", "1")
    assert "param.batch_size" not in row
    with app.state.database.write() as session:
        session.execute(update(Run).where(Run.id == 1).values(batch_size=2))  # the column says something else
    assert str(table(client, "/api/runs/export", format, filter="id = 1")[0]["param.batch_size"]) == "1"


@pytest.mark.parametrize("format", FORMATS)
def test_no_run_makes_an_empty_table(client: TestClient, runs: list[Facts], format: str) -> None:
    assert runs
    assert table(client, "/api/runs/export", format, filter="id = 999") == []


def test_a_filter_that_cannot_be_read_is_refused_before_the_file_begins(client: TestClient, runs: list[Facts]) -> None:
    assert runs
    for query in ({"filter": "what = 1"}, {"sort": "nothing"}, {"format": "xls"}):
        assert client.get("/api/runs/export", params=query).status_code == 422
    assert client.get("/api/runs/export", params={"experiment": 99}).status_code == 404


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_curves_are_exported_a_row_a_point(client: TestClient, format: str) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 4))
    attempt.points(range(4, 5), value=math.nan)
    rows = table(client, f"/api/experiments/{experiment['id']}/curves", format, key="train/loss/l1")
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["epoch"]) for row in rows] == [0.5, 1, 1.5, 2]
    assert float(rows[1]["value"]) == 0.5
    assert math.isnan(float(rows[3]["value"]))
    assert {row["key"] for row in rows} == {"train/loss/l1"}
    same = table(client, "/api/curves", format, run=attempt.run_id)
    assert str(same) == str(rows)


def test_the_writers_agree_on_no_rows_at_all() -> None:
    head: sheets.Head = [("a", "integer")]
    assert b"".join(sheets.write("csv", head, [])) == b"a\r\n"
    assert b"".join(sheets.write("json", head, [[], []])) == b"[]"
    assert parquet.read_table(io.BytesIO(b"".join(sheets.write("parquet", head, [])))).num_rows == 0


def test_the_client_writes_runs_and_curves_to_files(api: str, tmp_path: Path) -> None:
    with Client(api) as client:
        experiment = acting.submit(client.api._http)
        attempt = acting.claimed(client.api._http)
        attempt.points(range(1, 4))
        client.export(experiment["id"], "runs", tmp_path / "runs.csv", filter="status = running")
        client.export(experiment["id"], "curves", tmp_path / "curves.parquet", key=["train/loss/l1"])
        with pytest.raises(InvalidInput, match="no run has 'what'"):
            client.export(experiment["id"], "runs", tmp_path / "none.json", filter="what = 1")
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 2
    assert parquet.read_table(tmp_path / "curves.parquet")["value"].to_pylist() == [1.0, 1 / 2, 1 / 3]
    assert not (tmp_path / "none.json").exists()
