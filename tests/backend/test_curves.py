"""Points as chunks and as compacted curves: what is read is the same, bit for bit."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from backend.background import keep_house
from backend.store import compaction, curves
from backend.store.columns import (
    Block,
    Columns,
    pack_blocks,
    pack_columns,
    pack_values,
    thin,
    unpack_blocks,
    unpack_columns,
)
from backend.store.session import Database
from backend.store.tables import Axis, Chunk, Curve, Metric
from depthboard.settings import Settings
from tests.backend import acting

ODD = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1]


@pytest.fixture
def database(app: FastAPI, client: TestClient) -> Database:  # noqa: ARG001
    return cast(Database, app.state.database)


def held(database: Database, run_id: int) -> dict[str, tuple[bytes, bytes, bytes]]:
    with database.read() as session:
        found = curves.read(session, run_id)
    return {key: (c.steps.tobytes(), c.walls.tobytes(), c.values.tobytes()) for key, c in found.items()}


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def several_keys(first_seq: int, steps: list[int]) -> dict[str, object]:
    """Two keys at every step, a third at every other, logged in one batch."""
    even = [i for i, step in enumerate(steps) if step % 2 == 0]
    odd = [i for i, step in enumerate(steps) if step % 2]
    blocks = []
    for places, keys in ((even, ["a", "b", "c"]), (odd, ["a", "b"])):
        values = [[math.sin(steps[p] * (k + 1)) for k in range(len(keys))] for p in places]
        at = [steps[p] for p in places]
        blocks.append(
            {"keys": keys, "rows": places, "steps": at, "walls": [1.7e9 + s / 3 for s in at], "values": values}
        )
    return {"first_seq": first_seq, "blocks": blocks}


def test_what_is_packed_comes_back_bit_for_bit() -> None:
    steps = np.arange(len(ODD), dtype=np.int64) ** 2
    columns = Columns(steps, 1.7e9 + np.sqrt(np.arange(len(ODD))), np.array(ODD))
    back = unpack_columns(pack_columns(columns))
    for name in ("steps", "walls", "values"):
        assert getattr(back, name).tobytes() == getattr(columns, name).tobytes()
    block = Block(("a", "b"), np.arange(3), steps[:3], columns.walls[:3], np.array(ODD[:6]).reshape(3, 2))
    (again,) = unpack_blocks(pack_blocks([block]))
    assert again.keys == ("a", "b")
    assert again.values.tobytes() == block.values.tobytes()


def test_what_fits_in_float32_takes_half_the_room() -> None:
    noise = np.random.default_rng(0).standard_normal(10_000)
    assert len(pack_values(noise.astype(np.float32).astype(np.float64))) < 0.55 * len(pack_values(noise))


def test_thinning_keeps_every_extreme_of_every_stretch() -> None:
    values = np.random.default_rng(1).standard_normal(10_000)
    values[[17, 5000]] = math.nan
    columns = Columns(np.arange(10_000), np.zeros(10_000), values)
    kept = thin(columns, 402)
    edges = np.linspace(0, 10_000, 201).round().astype(int)
    for start, end in pairwise(edges):
        assert {np.nanmin(values[start:end]), np.nanmax(values[start:end])} <= set(kept.values)
    assert set(np.flatnonzero(np.isnan(values))) <= set(kept.steps)
    assert len(kept) <= 404


def test_compaction_changes_nothing_that_is_read(client: TestClient, database: Database, settings: Settings) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.ok("points", several_keys(0, list(range(1, 8))))
    attempt.ok("points", several_keys(7, list(range(8, 15))))
    attempt.ok("points", {"writer": "rank1", **several_keys(0, [3, 16])})
    before = held(database, attempt.run_id)
    assert compaction.compact(database, attempt.run_id)
    assert held(database, attempt.run_id) == before
    assert count(database, Chunk) == 0
    assert count(database, Axis) == 2, "two keys share their steps and times"
    attempt.ok("points", several_keys(14, [17, 18]))
    attempt.finish()
    before = held(database, attempt.run_id)
    keep_house(database, settings)
    assert held(database, attempt.run_id) == before
    assert (count(database, Chunk), count(database, Curve)) == (0, 3)
    assert not compaction.compact(database, attempt.run_id)


def test_of_values_logged_twice_at_a_step_the_last_one_counts(client: TestClient, database: Database) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    rows = [(["a"], 0, 1.0), (["a", "b"], 1, 2.0), (["a"], 2, 3.0)]
    blocks = [
        {"keys": keys, "rows": [row], "steps": [1], "walls": [0], "values": [value] * len(keys)}
        for keys, row, value in rows
    ]
    attempt.ok("points", {"first_seq": 0, "blocks": blocks})
    assert client.get(f"{attempt.path}/metrics").json()["series"]["a"]["value"] == [3.0]
    compaction.compact(database, attempt.run_id)
    assert client.get(f"{attempt.path}/metrics").json()["series"]["a"]["value"] == [3.0]


@pytest.mark.parametrize("compacted", ["not", "between", "at the end"])
def test_of_two_writers_at_a_step_the_one_that_came_later_counts(
    client: TestClient, database: Database, compacted: str
) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    for place, writer in enumerate(("main:c", "main:a", "main:b")):
        attempt.ok("points", {"writer": writer, **acting.points(0, range(1, 5), key="a", value=float(place))})
        if compacted == "between":
            compaction.compact(database, attempt.run_id)
    if compacted == "at the end":
        compaction.compact(database, attempt.run_id)
    assert client.get(f"{attempt.path}/metrics").json()["series"]["a"]["value"] == [2.0] * 4


def test_a_batch_that_overlaps_what_is_held_is_trimmed_row_by_row(client: TestClient, database: Database) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.ok("points", several_keys(0, [1, 2, 3]))
    assert attempt.ok("points", several_keys(0, [1, 2, 3, 4, 5]))["last_seq"] == 4
    with database.read() as session:
        assert session.scalar(select(func.sum(Chunk.n))) == 5
    series = client.get(f"{attempt.path}/metrics").json()["series"]
    assert series["a"]["step"] == [1, 2, 3, 4, 5]
    assert series["c"]["step"] == [2, 4]


def test_every_writer_of_an_attempt_has_its_own_numbers(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    for writer in ("rank0", "rank1"):
        body = acting.points(0, range(1, 4), key=writer)
        assert attempt.ok("points", {**body, "writer": writer})["last_seq"] == 2
    gap = attempt.send("points", {**acting.points(7, range(5, 6)), "writer": "rank1"})
    assert gap.json()["error"]["expected"] == 3
    assert set(client.get(f"{attempt.path}/metrics").json()["series"]) == {"rank0", "rank1"}


def test_a_long_curve_is_shown_from_its_summary_with_every_peak(client: TestClient, database: Database) -> None:
    acting.submit(client, base={**acting.SPEC["base"], "budget": {"images_seen": 400_000, "batch_size": 8}})
    attempt = acting.claimed(client)
    values = np.random.default_rng(2).standard_normal(50_000)
    for start in range(0, 50_000, 10_000):
        part = slice(start, start + 10_000)
        block = {
            "keys": ["a"],
            "steps": acting.packed_integers(np.arange(1, 50_001)[part]),
            "walls": acting.packed(np.zeros(10_000)),
            "values": acting.packed(values[part]),
        }
        attempt.ok("points", {"first_seq": start, "blocks": [block]})
    whole = client.get(f"{attempt.path}/metrics", params={"max_points": 1000}).json()["series"]["a"]
    compaction.compact(database, attempt.run_id)
    with database.read() as session:
        assert session.scalar(select(Curve.summary.is_not(None)))
    summed = client.get(f"{attempt.path}/metrics", params={"max_points": 1000}).json()["series"]["a"]
    for series in (whole, summed):
        assert len(series["value"]) <= 1002
        assert (max(series["value"]), min(series["value"])) == (values.max(), values.min())
        assert (series["step"][0], series["step"][-1]) == (1, 50_000)
    exact = client.get(f"{attempt.path}/metrics", params={"max_points": 1_000_000}).json()["series"]["a"]
    assert exact["value"] == values.tolist()


def test_the_newest_value_of_every_key_is_kept_for_lists(client: TestClient, database: Database) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 6))
    attempt.points(range(6, 8), value="NaN")
    with database.read() as session:
        row = session.get_one(Metric, (attempt.run_id, "train/loss/l1"))
        assert (row.number, row.step) == (None, 7)


def unpack_set(body: bytes) -> dict[tuple[int, str], dict[str, list[float]]]:
    """The binary form, read as docs/runs.md describes it."""
    assert body[:4] == b"DBC1"
    start = 8 + int.from_bytes(body[4:8], "little")
    assert start % 8 == 0
    header = json.loads(body[8:start])
    found = {}
    for curve in header["curves"]:
        columns = {}
        for name in header["columns"]:
            columns[name] = np.frombuffer(body, "<f8", curve["n"], start).tolist()
            start += 8 * curve["n"]
        found[curve["run"], curve["key"]] = columns
    assert start == len(body)
    return found


X = ("step", "epoch", "images_seen", "wall")


def test_curves_of_many_runs_are_those_of_each_run(client: TestClient, database: Database, settings: Settings) -> None:
    experiment = acting.submit(client)
    attempts = [acting.claimed(client, worker=f"worker-{i:04d}") for i in range(2)]
    for attempt in attempts:
        attempt.points(range(1, 9))
        attempt.ok("points", several_keys(attempt.seq, list(range(9, 15))))
    attempts[0].finish("failed", "")
    keep_house(database, settings)
    answer = client.get(f"/api/experiments/{experiment['id']}/curves", params={"x": list(X)}).json()["curves"]
    shown = {(curve["run"], curve["key"]): curve for curve in answer}
    assert [(c["run"], c["key"]) for c in answer] == sorted(shown)
    for attempt in attempts:
        series = client.get(f"{attempt.path}/metrics").json()["series"]
        for key, columns in series.items():
            whole = shown.pop((attempt.run_id, key))
            of_one = {name: column for name, column in columns.items() if name not in ("hours", "points")}
            assert whole == {"run": attempt.run_id, "key": key, **of_one}
    assert shown == {}


def test_curves_of_runs_named_have_the_keys_and_columns_asked_for(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 9))
    attempt.points(range(9, 12), key="val/rmse")
    query = {"run": [attempt.run_id, 999], "key": "val/rmse", "after_step": 9}
    expected = {"run": attempt.run_id, "key": "val/rmse", "step": [10, 11], "value": [1 / 10, 1 / 11], "nonfinite": []}
    assert client.get("/api/curves", params=query).json() == {"curves": [expected]}
    assert client.get("/api/curves").status_code == 422


def test_the_binary_form_holds_every_number_as_it_was_logged(client: TestClient) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    attempt.ok(
        "points",
        {
            "first_seq": 0,
            "blocks": [
                {
                    "keys": ["odd"],
                    "steps": list(range(1, 8)),
                    "walls": [1e9] * 7,
                    "values": acting.packed(np.array(ODD)),
                }
            ],
        },
    )
    path = f"/api/experiments/{experiment['id']}/curves"
    columns = unpack_set(client.get(path, params={"format": "binary", "x": list(X)}).content)[attempt.run_id, "odd"]
    assert np.array(columns["value"]).tobytes() == np.array(ODD).tobytes()
    assert columns["images_seen"] == [8 * step for step in range(1, 8)]
    as_json = client.get(path).json()["curves"][0]
    assert as_json["value"][:3] == [None] * 3
    assert as_json["nonfinite"] == [[0, "nan"], [1, "inf"], [2, "-inf"]]


def test_thinned_curves_keep_the_peak_of_every_run(client: TestClient) -> None:
    experiment = acting.submit(client, base={**acting.SPEC["base"], "budget": {"images_seen": 24_000, "batch_size": 8}})
    attempt = acting.claimed(client)
    for start in (1, 1001):
        attempt.points(range(start, start + 1000))
    attempt.points(range(2001, 2002), value=77.0)
    attempt.points(range(2002, 3001))
    shown = client.get(f"/api/experiments/{experiment['id']}/curves", params={"max_points": 100}).json()["curves"][0]
    assert len(shown["step"]) <= 102
    assert shown["value"][shown["step"].index(2001)] == 77.0


def test_curves_of_runs_are_kept_until_one_of_them_goes_on(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 5))
    query = {"run": attempt.run_id}
    etag = client.get("/api/curves", params=query).headers["etag"]
    attempt.renew(4)
    assert client.get("/api/curves", params=query, headers={"If-None-Match": etag}).status_code == 304
    attempt.points(range(5, 6))
    assert client.get("/api/curves", params=query, headers={"If-None-Match": etag}).status_code == 200


def test_a_value_that_was_logged_again_is_in_no_summary(client: TestClient, database: Database) -> None:
    acting.submit(client, base={**acting.SPEC["base"], "budget": {"images_seen": 200_000, "batch_size": 8}})
    attempt = acting.claimed(client)
    for start in range(0, 20_000, 10_000):
        steps, ones = np.arange(start + 1, start + 10_001), np.ones(10_000)
        ones[steps == 7000] = 1e6
        block = {"keys": ["a"], "steps": acting.packed_integers(steps), "walls": acting.packed(0 * ones)}
        attempt.ok("points", {"first_seq": start, "blocks": [{**block, "values": acting.packed(ones)}]})
    attempt.ok(
        "points", {"first_seq": 20_000, "blocks": [{"keys": ["a"], "steps": [7000], "walls": [0], "values": [0.5]}]}
    )
    compaction.compact(database, attempt.run_id)
    series = client.get(f"{attempt.path}/metrics", params={"max_points": 1000}).json()["series"]["a"]
    assert (max(series["value"]), min(series["value"])) == (1.0, 0.5)


def test_a_run_that_cannot_be_compacted_keeps_no_other_from_it(
    client: TestClient, database: Database, settings: Settings
) -> None:
    acting.submit(client)
    broken, sound = acting.claimed(client), acting.claimed(client)
    for attempt in (broken, sound):
        attempt.points(range(1, 5))
        attempt.finish()
    with database.write() as session:
        session.execute(update(Chunk).where(Chunk.run_id == broken.run_id).values(body=b"junk"))
    keep_house(database, settings)
    with database.read() as session:
        assert session.scalars(select(Chunk.run_id)).all() == [broken.run_id]
