"""Which experiments a list shows: filters, order, pins, the archive; on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.backend import acting
from tests.backend.acting import error_of


def found(client: TestClient, **query: Any) -> list[str]:
    answer = client.get("/api/experiments", params=query)
    assert answer.status_code == 200, answer.text
    return [e["name"] for e in answer.json()["items"]]


def scored(client: TestClient, value: float) -> None:
    attempt = acting.claimed(client)
    attempt.evaluate(20, value)
    attempt.finish()


@pytest.fixture
def three(client: TestClient) -> TestClient:
    """`sizes` has BerHu at 0.7 and L1 at 0.5, `paper` L2 at 0.6, `plans` nothing yet; the newest is `plans`."""
    acting.submit(client, name="sizes", tags=["paper", "two words"], factors={"loss": ["berhu", "l1"]})
    for value in (0.7, 0.5):
        scored(client, value)
    acting.submit(client, name="paper, (c = 0.2)", tags=["Ablation"], factors={"loss": ["l2"]})
    scored(client, 0.6)
    acting.submit(client, name="plans", description="100% later", factors={"loss": ["eigen"]})
    return client


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("#paper", ["sizes"]),
        ("#ablation", ["paper, (c = 0.2)"]),
        ("#abl*", ["paper, (c = 0.2)"]),
        ('#"two words"', ["sizes"]),
        ("paper", ["paper, (c = 0.2)", "sizes"]),
        ("paper, (c", ["paper, (c = 0.2)"]),
        ("not paper", ["plans"]),
        ("#paper or later", ["plans", "sizes"]),
        ("100%", ["plans"]),
        ("loss = berhu", ["sizes"]),
        ("loss = berhu and rmse < 0.8", ["sizes"]),
        ("loss = berhu and rmse < 0.65", []),
        ("loss = berhu or loss = l2", ["paper, (c = 0.2)", "sizes"]),
        ("rmse < 0.65 and #paper", ["sizes"]),
        ("tag = ablation", ["paper, (c = 0.2)"]),
        ("tag != ablation and rmse < 1", ["sizes"]),
        ('tag ~ "o w"', ["sizes"]),
        ("status = queued", ["plans"]),
        ("#nothing", []),
    ],
)
def test_experiments_are_found_by_text_tags_and_what_one_of_their_runs_is(
    three: TestClient, q: str, names: list[str]
) -> None:
    assert found(three, q=q) == names


@pytest.mark.parametrize(("q", "said"), [("loss = ", "a value is missing"), ("colour = red", "no run has 'colour'")])
def test_a_filter_that_cannot_be_read_names_its_field_and_the_place(three: TestClient, q: str, said: str) -> None:
    error = error_of(three.get("/api/experiments", params={"q": q}))
    assert error["field"] == "q"
    assert said in error["message"]
    assert "at character" in error["message"]


def test_experiments_are_sorted_by_every_column_with_missing_values_last(three: TestClient) -> None:
    assert found(three, sort="best") == ["sizes", "paper, (c = 0.2)", "plans"]
    assert found(three, sort="-best") == ["paper, (c = 0.2)", "sizes", "plans"]
    assert found(three, sort="name") == ["paper, (c = 0.2)", "plans", "sizes"]
    assert found(three, sort="created") == ["sizes", "paper, (c = 0.2)", "plans"]
    assert found(three, sort="-runs")[0] == "sizes"
    assert found(three, sort="best", size=1, page=2) == ["paper, (c = 0.2)"]
    assert len(found(three, sort="-hours")) == 3
    assert found(three, sort="left")[-1] == "plans", "no worker trains: its time left is not known"
    assert error_of(three.get("/api/experiments?sort=colour"))["field"] == "sort"


def test_pinned_experiments_are_on_top_in_any_order(three: TestClient) -> None:
    assert found(three) == ["plans", "paper, (c = 0.2)", "sizes"]
    (sizes,) = three.get("/api/experiments", params={"q": "sizes"}).json()["items"]
    changed = three.patch(f"/api/experiments/{sizes['id']}", json={"pinned": True}).json()
    assert (sizes["pinned"], changed["pinned"], changed["tags"]) == (False, True, ["paper", "two words"])
    assert found(three) == ["sizes", "plans", "paper, (c = 0.2)"]
    assert found(three, sort="-best")[0] == "sizes"
    assert found(three, sort="name")[0] == "sizes"


def test_an_archived_experiment_leaves_the_list_keeps_training_and_comes_back(three: TestClient) -> None:
    (plans,) = three.get("/api/experiments", params={"q": "plans"}).json()["items"]
    path = f"/api/experiments/{plans['id']}"
    assert three.patch(path, json={"archived": True}).json()["archived_at"] is not None
    assert "plans" not in found(three)
    assert found(three, archived=True) == ["plans"]
    assert found(three, archived=True, q="sizes") == []
    assert acting.claimed(three).run_id, "its run is claimed all the same"
    three.delete(path)
    assert found(three, archived=True) == []
    assert found(three, trash=True) == ["plans"], "the trash shows it wherever it was"
    three.post(f"{path}/restore")
    assert found(three, archived=True) == ["plans"]
    three.patch(path, json={"archived": False})
    assert found(three)[0] == "plans"


def test_the_list_says_what_was_trained_for_the_best_value_and_how_long_all_took(three: TestClient) -> None:
    (sizes,) = three.get("/api/experiments", params={"q": "sizes"}).json()["items"]
    assert sizes["best"]["loss"] == "l1"
    assert sizes["best"]["train_size"] == 16
    assert sizes["best"]["encoder"]
    assert 0 <= sizes["hours"] < 0.1
    assert "notes" not in sizes
