"""Runs trained, then scored again from their checkpoints, through the real API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from backend.store.tables import Evaluation
from depthboard.client import Client
from depthboard.config import RunConfig
from depthboard.errors import DataProblem, InvalidInput, Unavailable
from depthboard.metrics import from_sums, sharpness_means
from depthboard.protocol import CheckpointNote, Claim, DatasetRef, Trained
from depthboard.settings import Settings, get_settings
from tests.backend import acting
from worker import checkpoint
from worker.artifacts import Folder
from worker.attempt import make_network, run_attempt
from worker.checkpoint import Shelf
from worker.rescore import Rescorer, find_checkpoint, is_scored, load_network, main, under
from worker.stop import Stop

SPEC: dict[str, Any] = {
    "base": {
        "data": {"dataset": "rooms", "train_size": 8},
        "budget": {"images_seen": 16, "batch_size": 8},
        "evaluation": {"evaluations": 2, "samples": 1},
    },
    "factors": {"loss": ["l1", "l2"]},
}


@pytest.fixture
def home(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("DEPTHBOARD_HOME", str(tmp_path / "worker"))
    monkeypatch.setenv("DEPTHBOARD_API_URL", api)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def experiment(api: str, home: Settings) -> int:
    """Two losses, trained for two steps each."""
    with httpx2.Client(base_url=api, trust_env=False) as http:
        experiment = acting.submit(http, **SPEC)
        for _ in range(2):
            attempt = acting.claimed(http)
            folder = home.home / f"attempt-{attempt.run_id}"
            folder.mkdir(parents=True)
            assert run_attempt(Claim.model_validate(attempt.claim), folder, Stop())
            attempt.finish()
    return int(experiment["id"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_finished_run_is_scored_again_and_its_own_values_stay(home: Settings, experiment: int) -> None:
    with Client() as client:
        before = [client.evaluations(run["id"]) for run in client.runs(experiment)]
        outcomes = list(Rescorer(client, home, {"max_depth": 8}).experiment(experiment))
        assert [outcome.state for outcome in outcomes] == ["scored", "scored"]
        for run, own in zip(client.runs(experiment), before, strict=True):
            entries = client.evaluations(run["id"])
            assert [e for e in entries if not e["rescored"]] == own
            again = {e["predictor"]: e for e in entries if e["rescored"]}
            assert {e["protocol"] for e in again.values()} == {"none-0.001-8m-64x96-v2"}
            assert (again["network"]["step"], again["network"]["images"]) == (2, 64)
            assert again["constant"]["constant"] == own[0]["constant"]
        table = client.results(experiment, protocol="none-0.001-8m-64x96-v2")
        ours = [row for row in table["rows"] if row["kind"] == "run"]
        assert [row["values"]["rmse"] is not None for row in ours] == [True, True]
        assert "2 runs re-scored" in table["caption"]
        sharp = client.sharpness(experiment, protocol="none-0.001-8m-64x96-v2")
        assert [row["n"] for row in sharp["rows"]] == [1, 1]
        twice = list(Rescorer(client, home, {"max_depth": 8}).experiment(experiment))
        assert [outcome.state for outcome in twice] == ["already", "already"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_checkpoint_that_was_best_on_validation_is_scored_too(
    api: str, app: FastAPI, home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {**SPEC["base"]["data"], "validation": 0.01}
    with httpx2.Client(base_url=api, trust_env=False) as http:
        acting.submit(http, base={**SPEC["base"], "data": data}, factors={"loss": ["l1"]})
        attempt = acting.claimed(http)
        folder = home.home / "attempt"
        folder.mkdir(parents=True)
        assert run_attempt(Claim.model_validate(attempt.claim), folder, Stop())
        attempt.finish()
    with app.state.database.write() as session:  # as if the second half of the training had spoilt the network
        for row in session.scalars(select(Evaluation).where(Evaluation.split == "validation", Evaluation.step == 2)):
            row.per_image = row.per_image | {"rmse": 99.0}
            row.pooled = row.pooled | {"rmse": 99.0}
    assert main(["1", "--max-depth", "8"]) == 0
    said = capsys.readouterr().out
    assert "run 1: best on validation, step 1: RMSE" in said
    assert "2 scored, 0 scored already, 0 not scored." in said
    name = "none-0.001-8m-64x96-v2"
    with Client() as client:
        again = {(e["step"], e["predictor"]): e for e in client.evaluations(attempt.run_id) if e["rescored"]}
        assert sorted(again) == [(0, "constant"), (1, "network"), (2, "network")]
        assert again[1, "network"]["sharpness"] is None
        assert again[2, "network"]["sharpness"] is not None
        for value, step in (("last", 2), ("best_validation", 1)):
            table = client.results(1, protocol=name, value=value)
            shown = next(row["values"]["rmse"] for row in table["rows"] if row["kind"] == "run")
            assert shown == again[step, "network"]["per_image"]["rmse"]
    (file,) = (home.artifacts / "runs").glob("*-1/step-*1-1.pt")
    file.unlink()
    assert main(["1", "--max-depth", "7"]) == 0, "that one is gone is no reason to try again"
    said = capsys.readouterr().out
    assert "best on validation, step 1: checkpoint: its checkpoint" in said
    assert "1 scored, 0 scored already, 0 not scored. 1 best on validation not kept." in said
    assert main(["1", "--max-depth", "8"]) == 0
    assert "0 scored, 2 scored already, 0 not scored." in capsys.readouterr().out


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_scoring_again_by_the_runs_own_protocol_gives_what_the_training_recorded(
    home: Settings, experiment: int
) -> None:
    with Client() as client:
        run = client.runs(experiment)[0]
        own = next(e for e in client.evaluations(run["id"]) if e["step"] == 2)
        rescorer = Rescorer(client, home, {})
        trained = Trained.model_validate(client.api.json("GET", f"/api/runs/{run['id']}/trained"))
        config = under(trained.config, {})
        assert config.protocol == own["protocol"]
        network = load_network(config, find_checkpoint(trained.checkpoints[0], home.artifacts))
        evaluation, maps = rescorer._evaluator(config, trained.dataset).score(network, 2)
        sums = np.frombuffer(evaluation.sums, "<f8").reshape(64, -1)
        assert maps == []
        assert {k: v for k, v in from_sums(sums, "per_image").items() if np.isfinite(v)} == {
            k: v for k, v in own["per_image"].items() if v is not None
        }
        edges = sharpness_means(np.frombuffer(evaluation.sharpness or b"", "<f8").reshape(64, -1))
        assert {name: mean.images for name, mean in edges.items()} == {
            name: mean["images"] for name, mean in own["sharpness"].items()
        }
        assert edges["mae_edge"].value == own["sharpness"]["mae_edge"]["value"]
        table = client.sharpness(experiment)
        assert table["rows"][0]["values"]["mae_edge"] == edges["mae_edge"].value
        assert table["rows"][0]["note"].startswith("resolution-limited: 64×96")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_run_lacks_is_told_and_the_rest_goes_on(
    home: Settings, experiment: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client() as client:
        first, second = (run["id"] for run in client.runs(experiment))
    (file,) = (home.artifacts / "runs").glob(f"*-{first}/step-*2-1.pt")
    moved = file.rename(file.with_suffix(".moved"))
    assert main([str(experiment), "--max-depth", "8"]) == 1
    said = capsys.readouterr().out
    assert f"run {first}: checkpoint: its checkpoint {file} is not on this machine." in said
    assert f"run {second}: RMSE" in said
    assert "1 scored, 0 scored already, 1 not scored." in said
    moved.rename(file)
    assert main([str(experiment), "--max-depth", "8"]) == 0
    assert "1 scored, 1 scored already, 0 not scored." in capsys.readouterr().out


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_protocol_that_does_not_fit_a_run_is_its_reason(
    home: Settings, experiment: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.url
    assert main([str(experiment), "--protocol", "paper"]) == 1
    assert "at 64×96" in capsys.readouterr().out
    assert main([str(experiment), "--protocol", "raw", "--crop", "eigen"]) == 2
    assert main(["999"]) == 2
    assert "there is no experiment 999" in capsys.readouterr().err


def written(root: Path, state: dict[str, Any]) -> CheckpointNote:
    return checkpoint.write(Shelf(Folder(root, "here"), "runs/7"), state)


def test_a_checkpoint_is_found_at_its_path_or_in_this_machines_artifacts(tmp_path: Path) -> None:
    note = written(tmp_path, {"step": 3})
    elsewhere = note.model_copy(update={"path": f"/gone/7/{Path(note.path).name}"})
    assert find_checkpoint(note, tmp_path / "other") == note
    assert find_checkpoint(elsewhere, tmp_path) == note
    with pytest.raises(Unavailable, match="is not on this machine") as caught:
        find_checkpoint(elsewhere, tmp_path / "other")
    assert str(tmp_path / "other" / "runs" / "7") in str(caught.value.remedy)


def test_a_damaged_checkpoint_is_not_scored(tmp_path: Path) -> None:
    network, _ = make_network(RunConfig())
    note = written(tmp_path, {"step": 3, "network": network.state_dict()})
    loaded = load_network(RunConfig(), note)
    assert all((a == b).all() for a, b in zip(loaded.parameters(), network.parameters(), strict=True))
    with pytest.raises(DataProblem, match="damaged"):
        load_network(RunConfig(), note.model_copy(update={"sha256": "0" * 64}))


def test_data_that_has_changed_since_is_not_scored(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9") as client:
        rescorer = Rescorer(client, Settings(_env_file=None, home=tmp_path), {})
        with pytest.raises(DataProblem, match="not those that were registered"):
            rescorer._evaluator(RunConfig(), DatasetRef(name="rooms", format="rooms", path="", fingerprint="f"))


def test_only_the_evaluation_of_a_configuration_is_changed() -> None:
    config = RunConfig.model_validate({"network": {"weights": "/gone.pth"}, "evaluation": {"max_depth": 8}, "seed": 4})
    named, own = under(config, {"protocol": "eigen"}), under(config, {"flip_average": True})
    assert named.protocol == "eigen-0.001-10m-native-v2"
    assert own.protocol == "none-0.001-8m-64x96-flip-v2"
    for changed in (named, own):
        assert (changed.data, changed.seed, changed.network.weights) == (config.data, 4, None)
        assert (changed.evaluation.samples, changed.evaluation.sharpness) == (0, "all")
    with pytest.raises(InvalidInput, match="min_depth must be below"):
        under(config, {"min_depth": 9.0})


def test_a_run_is_scored_already_when_nothing_new_would_come() -> None:
    config = RunConfig()
    entry = {"predictor": "network", "split": "test", "protocol": config.protocol, "step": 9}
    entry |= {"rescored": False, "sharpness": {}}
    assert is_scored([entry], config, 9)
    assert is_scored([entry | {"sharpness": None, "rescored": True}], config, 9)
    assert not is_scored([entry | {"sharpness": None}], config, 9), "edges are still to be measured"
    assert is_scored([entry | {"sharpness": None}], config, 9, edges=False)
    assert not is_scored([entry], config, 5), "another checkpoint"
    assert not is_scored([entry | {"protocol": "none-0.001-10m-64x96"}], config, 9)
