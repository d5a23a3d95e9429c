"""The main job through the real product: submit, watch, see the paper's views, cancel, retry."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch

from depthboard.errors import InvalidInput, UnknownName
from tests.e2e.conftest import ROOT, Product, settle
from worker.precision import computes_in

pytestmark = pytest.mark.timeout(900)

SPEC: dict[str, Any] = {
    "name": "Two losses end to end",
    "base": {
        "data": {"dataset": "rooms", "train_size": 8},
        "optimiser": {"lr": 2e-3, "schedule": "one_cycle"},
        "budget": {"images_seen": 80, "batch_size": 8},
        "evaluation": {"evaluations": 2, "samples": 3},
    },
    "factors": {"loss": ["l1", "gan"], "size": [8, 16]},
}


@pytest.fixture(scope="module")
def experiment(product: Product) -> dict[str, Any]:
    submitted = product.client.submit(SPEC)
    done = product.client.wait(submitted["id"], timeout=840, every=0.5)
    assert done["counts"]["finished"] == 4, [r["reason"] for r in product.client.runs(done["id"])]
    return done


def test_every_run_trains_to_the_end_of_its_budget(product: Product, experiment: dict[str, Any]) -> None:
    for run in product.client.runs(experiment["id"]):
        assert (run["step"], run["steps"], run["images_seen"]) == (10, 10, 80)
        assert run["metrics"]["rmse"] > 0


def test_the_record_of_a_run_is_complete(product: Product, experiment: dict[str, Any]) -> None:
    run = product.client.run(next(r["id"] for r in product.client.runs(experiment["id"]) if r["loss"] == "gan"))
    assert run["provenance"]["parameters"] > 500_000
    assert run["provenance"]["libraries"]["torch"].startswith("2.13.0")
    provenance = run["provenance"]
    assert provenance["torch_build"].startswith("2.13.0")
    assert (provenance["processor"] != "", provenance["threads"]) == (True, 1)
    assert provenance["precision"] == computes_in(torch.device("cpu"))
    assert (provenance["deterministic"], len(provenance["code_sha256"])) == (True, 64)
    assert (provenance["train_images"], provenance["evaluation_images"]) == (run["train_size"], 64)
    assert run["constant"]["rmse"] > 0
    evaluations = [e for e in product.client.evaluations(run["id"]) if e["predictor"] == "network"]
    assert [e["step"] for e in evaluations] == [5, 10]
    curves = product.client.api.json("GET", f"/api/runs/{run['id']}/metrics")["series"]
    assert curves["train/loss/gan"]["step"] == list(range(1, 11))
    assert {"train/loss/gan_discriminator", "train/loss/gan_l1"} <= curves.keys()
    assert {"train/loss/gan_score_real", "train/loss/gan_score_fake", "train/loss/gan_adversarial"} <= curves.keys()
    assert "resumed" not in product.client.api.json("GET", f"/api/runs/{run['id']}/log")["text"]


def test_the_runs_of_a_seed_began_with_the_same_weights_and_batches(
    product: Product, experiment: dict[str, Any]
) -> None:
    runs = [product.client.run(run["id"]) for run in product.client.runs(experiment["id"])]
    begun: dict[tuple[int, int], set[tuple[str, str]]] = {}
    for run in runs:
        known = run["provenance"]
        hashes = known["initialisation"]["weights_sha256"], known["first_batches_sha256"]
        assert all(len(value) == 64 for value in hashes)
        begun.setdefault((run["seed"], run["train_size"]), set()).add(hashes)
    assert all(len(hashes) == 1 for hashes in begun.values())
    assert len(begun) < len(runs), "several losses each"


def test_a_kept_map_gives_the_error_that_was_recorded(product: Product, experiment: dict[str, Any]) -> None:
    """From the stored pixels to the stored metric, by hand."""
    api, run = product.client.api, product.client.runs(experiment["id"])[0]
    shown = api.json("GET", f"/api/experiments/{experiment['id']}/qualitative")
    assert len(shown["frames"]) == 3
    frame = shown["frames"][0]
    entry = next(
        p for p in api.json("GET", f"/api/runs/{run['id']}/predictions", step=10) if p["frame"] == frame["frame"]
    )
    size = (entry["height"], entry["width"])
    predicted = np.frombuffer(api.request("GET", entry["url"]).content, "<u2").reshape(size) / 1000
    truth = np.frombuffer(api.request("GET", frame["depth_url"]).content, "<u2").reshape(size) / 1000
    valid = (truth > 1e-3) & (truth < 10)
    rmse = np.sqrt(np.mean((predicted - truth)[valid] ** 2))
    assert rmse == pytest.approx(entry["metrics"]["rmse"], abs=1e-3)


def test_the_same_submission_again_trains_nothing(product: Product, experiment: dict[str, Any]) -> None:
    plan = product.client.dry_run(SPEC)
    assert (plan["total"], plan["new"], plan["reused"], plan["images_to_train"]) == (4, 0, 4, 0)
    again = product.client.submit({**SPEC, "name": "The same again"})
    assert again["counts"]["finished"] == 4
    assert {r["id"] for r in product.client.runs(again["id"])} == {
        r["id"] for r in product.client.runs(experiment["id"])
    }


@pytest.mark.parametrize("figure", ["convergence", "dataset-size", "encoders", "qualitative", "results", "sharpness"])
def test_every_view_is_a_plotly_figure(product: Product, experiment: dict[str, Any], figure: str) -> None:
    drawn = product.client.api.json("GET", f"/api/experiments/{experiment['id']}/figures/{figure}")
    assert drawn["data"]
    assert "test" in drawn["layout"]["meta"]["caption"]


@pytest.mark.long
def test_finished_runs_are_scored_again_from_the_command_line(product: Product, experiment: dict[str, Any]) -> None:
    """The runs' own values stay; what was scored is shown when its protocol is asked for, and a second call finds nothing to do."""
    own = [run["metrics"]["rmse"] for run in product.client.runs(experiment["id"])]
    command = [sys.executable, "-m", "depthboard.cli", "rescore", str(experiment["id"]), "--flip-average"]
    for said in ("4 scored, 0 scored already, 0 not scored.", "0 scored, 4 scored already, 0 not scored."):
        done = subprocess.run(
            command, cwd=ROOT, env=product.environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == said
    flipped = product.client.runs(experiment["id"])[0]["evaluation"].replace("-v", "-flip-v")
    table = product.client.results(experiment["id"], protocol=flipped)
    ours = [row for row in table["rows"] if row["kind"] == "run"]
    assert len(ours) == 4
    assert all(row["values"]["rmse"] > 0 and row["n"] == 1 for row in ours)
    assert "4 runs re-scored from kept checkpoints" in table["caption"]
    assert len(product.client.sharpness(experiment["id"], protocol=flipped)["rows"]) == 4
    assert [run["metrics"]["rmse"] for run in product.client.runs(experiment["id"])] == own


def test_a_running_training_is_cancelled_within_seconds_and_can_be_tried_again(product: Product) -> None:
    client = product.client
    long = {
        **SPEC,
        "name": "Long",
        "factors": {"seed": [77]},
        "base": {**SPEC["base"], "budget": {"images_seen": 80_000}},
    }
    experiment = client.submit(long)
    (run,) = client.runs(experiment["id"])
    settle(lambda: client.run(run["id"])["step"] > 2, 60, "it trains")
    asked = time.monotonic()
    client.cancel(run["id"])
    settle(lambda: client.run(run["id"])["status"] == "cancelled", 30, "it is cancelled")
    stopped_after = time.monotonic() - asked
    step = client.run(run["id"])["step"]
    client.retry(run["id"])
    settle(lambda: client.run(run["id"])["attempt"] == 2 and client.run(run["id"])["step"] > step, 60, "it goes on")
    client.cancel(run["id"])
    settle(lambda: client.run(run["id"])["status"] == "cancelled", 30, "it is cancelled again")
    attempts = client.run(run["id"])["attempts"]
    assert attempts[-1]["resumed_from"] >= step or attempts[0]["resumed_from"] >= step
    print(f"stopped after {stopped_after:.1f} s")


def test_bad_input_names_the_field(product: Product) -> None:
    with pytest.raises(InvalidInput, match="unknown loss l3") as caught:
        product.client.submit({"name": "x", "factors": {"loss": ["l3"]}})
    assert caught.value.field
    with pytest.raises(UnknownName, match="rooms"):
        product.client.submit({"name": "x", "base": {"data": {"dataset": "nyu"}}})
    with pytest.raises(InvalidInput, match=r"4,?096"):
        product.client.submit({"name": "x", "factors": {"size": [5000]}})


def test_a_run_that_fails_says_why(product: Product) -> None:
    client = product.client
    base = {**SPEC["base"], "network": {"weights": "/nowhere/densenet121.pth"}}
    experiment = client.submit({"name": "No weights", "base": base})
    done = client.wait(experiment["id"], timeout=60, every=0.5)
    assert done["counts"]["failed"] == 1
    (run,) = client.runs(experiment["id"])
    assert "/nowhere/densenet121.pth" in run["reason"]
    assert "Traceback" in client.api.json("GET", f"/api/runs/{run['id']}/log")["text"]
