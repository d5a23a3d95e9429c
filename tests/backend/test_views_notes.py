"""Saved views, and the notes of an experiment, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.backend import acting
from tests.backend.acting import error_of

VIEW: dict[str, Any] = {"name": "GAN and L1", "path": "/experiments/1/convergence", "search": "?metric=mae"}
HOSTILE = ["<script>alert(1)</script>", "'; drop table saved_view; --", "\u202egnp.exe", "{{7*7}}", "../../x", "%00"]


def save(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/views", json={**VIEW, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def names(client: TestClient) -> list[str]:
    return [view["name"] for view in client.get("/api/views").json()]


def test_a_view_is_saved_renamed_deleted_and_saved_again(client: TestClient) -> None:
    experiment = acting.submit(client)["id"]
    view = save(client, experiment_id=experiment)
    save(client, name="a view of no experiment", path="/runs", search="")
    assert names(client) == ["a view of no experiment", "GAN and L1"]
    assert client.patch(f"/api/views/{view['id']}", json={"name": "GAN"}).json() == {**view, "name": "GAN"}
    gone = client.delete(f"/api/views/{view['id']}").json()
    assert names(client) == ["a view of no experiment"]
    again = save(client, **{key: gone[key] for key in ("name", "experiment_id", "path", "search")})
    assert again["id"] != view["id"]
    assert names(client) == ["a view of no experiment", "GAN"]
    assert client.delete(f"/api/views/{view['id']}").status_code == 404


def test_a_name_is_used_once_in_an_experiment_and_once_outside(client: TestClient) -> None:
    first, second = acting.submit(client)["id"], acting.submit(client, name="again")["id"]
    save(client)
    save(client, experiment_id=first)
    other = save(client, experiment_id=second, name="other")
    save(client, experiment_id=second)
    for taken in ({}, {"experiment_id": first}):
        error = error_of(client.post("/api/views", json={**VIEW, **taken}))
        assert (error["code"], error["field"]) == ("conflict", "name")
    assert client.patch(f"/api/views/{other['id']}", json={"name": VIEW["name"]}).status_code == 409


def test_the_views_of_an_experiment_go_to_the_trash_and_go_for_good_with_it(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})["id"]
    save(client, experiment_id=experiment)
    client.delete(f"/api/experiments/{experiment}")
    assert names(client) == []
    client.post(f"/api/experiments/{experiment}/restore")
    assert names(client) == [VIEW["name"]]
    client.delete(f"/api/experiments/{experiment}?now=true")
    assert names(client) == []
    assert client.post("/api/views", json={**VIEW, "experiment_id": experiment}).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "//evil.example"),
        ("path", "/\\evil.example"),
        ("path", "https://evil.example"),
        ("path", "javascript:alert(1)"),
        ("path", ""),
        ("search", "metric=mae"),
        ("search", "? x"),
        ("name", " "),
        ("name", "a\nb"),
        ("name", "x" * 201),
        ("search", "?" + "x" * 8000),
    ],
    ids=range(11),
)
def test_a_view_leads_to_no_other_host_and_has_a_name(client: TestClient, field: str, value: str) -> None:
    error = error_of(client.post("/api/views", json={**VIEW, field: value}))
    assert (error["code"], error["field"]) == ("invalid_input", field)


def test_hostile_names_tags_and_notes_are_plain_data(client: TestClient) -> None:
    path = f"/api/experiments/{acting.submit(client)['id']}"
    for i, text in enumerate(HOSTILE):
        assert save(client, name=text)["name"] == text
        assert client.patch(path, json={"tags": [text]}).json()["tags"] == [text]
        written = client.put(f"{path}/notes", json={"text": text, "version": i})
        assert written.json() == {"text": text, "version": i + 1}
        assert client.get("/api/experiments", params={"q": f'#"{text}"'}).status_code in (200, 422)
    assert sorted(names(client)) == sorted(HOSTILE)
    for text in ("a\x00b", "\ud800"):
        body = {"text": text, "version": len(HOSTILE)}
        assert client.put(f"{path}/notes", content=str(body).replace("'", '"')).status_code == 422


def test_notes_are_not_overwritten_by_who_has_not_seen_the_last_version(client: TestClient) -> None:
    path = f"/api/experiments/{acting.submit(client)['id']}"
    assert client.get(f"{path}/notes").json() == {"text": "", "version": 0}
    assert client.put(f"{path}/notes", json={"text": "**mine**", "version": 0}).json()["version"] == 1
    assert client.get(path).json()["notes_version"] == 1
    error = error_of(client.put(f"{path}/notes", json={"text": "theirs", "version": 0}))
    assert error["code"] == "conflict"
    assert "have changed since you opened them" in error["message"]
    assert client.get(f"{path}/notes").json() == {"text": "**mine**", "version": 1}
    same = client.put(f"{path}/notes", json={"text": "**mine**", "version": 0}).json()
    assert same["version"] == 1, "an answer that was lost on its way is asked for again"


def test_notes_hold_a_hundred_thousand_characters_and_no_more(client: TestClient) -> None:
    path = f"/api/experiments/{acting.submit(client)['id']}/notes"
    assert client.put(path, json={"text": "é" * 100_000, "version": 0}).status_code == 200
    error = error_of(client.put(path, json={"text": "é" * 100_001, "version": 1}))
    assert error["field"] == "text"
    assert client.put("/api/experiments/99/notes", json={"text": "", "version": 0}).status_code == 404
