"""Lists of runs: what a filter finds, in what order, page by page; against plain Python over the same runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from starlette.testclient import TestClient

from backend.store.filters import LONGEST, Compare, Every, Has, Not, Some, Word, parse
from backend.store.sparklines import thinned
from backend.store.tables import Attempt, Param, Run
from depthboard.errors import InvalidInput
from tests.backend import acting
from tests.backend.many_runs import NUMBERS, START, STATUSES, WORDS, Facts

Predicate = Callable[[Facts], bool]


def found(client: TestClient, text: str, **query: Any) -> list[int]:
    answer = client.get("/api/runs", params={"filter": text, "size": 1000, **query})
    assert answer.status_code == 200, answer.text
    ids = [run["id"] for run in answer.json()["items"]]
    assert answer.json()["total"] == len(ids)
    return ids


# --- what a filter says, and the same in Python ---------------------------------------------------------------------

ORDERS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
Said = tuple[str, Predicate]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def column(name: str) -> Callable[[Facts], Any]:
    return lambda run: run[name]


def param(name: str) -> Callable[[Facts], Any]:
    return lambda run: run["params"].get(name)


def metric(name: str) -> Callable[[Facts], Any]:
    return lambda run: run["metrics"].get(name)


NUMERIC = {
    "seed": column("seed"),
    "size": column("train_size"),
    "rmse": column("rmse"),
    "lr": param("lr"),
    "mixed": param("mixed"),
    "param.lr": param("lr"),
    "metric.val/rmse": metric("val/rmse"),
    "val/rmse": metric("val/rmse"),
    '"acc"': metric("acc"),
}
TEXTS = {
    "status": column("status"),
    "encoder": column("encoder"),
    "name": column("name"),
    "opt.name": param("opt.name"),
    'param."mixed"': param("mixed"),
}


def number_test(name: str, operator: str, value: float) -> Said:
    def holds(run: Facts) -> bool:
        known = NUMERIC[name](run)
        return isinstance(known, int | float) and ORDERS[operator](known, value)

    return f"{name} {operator} {value!r}", holds


def text_test(name: str, value: str, part: bool) -> Said:
    def holds(run: Facts) -> bool:
        known = TEXTS[name](run)
        if not isinstance(known, str):
            return False
        return lowered(value) in lowered(known) if part else value == known

    return f"{name} {'~' if part else '='} {quoted(value)}", holds


def lowered(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def among_test(name: str, values: list[str], negative: bool) -> Said:
    text = f"{name} {'not ' if negative else ''}in ({', '.join(map(quoted, values))})"
    return text, lambda run: (TEXTS[name](run) in values) != negative


def has_test(name: str) -> Said:
    where, what = {"lr": ("params", "lr"), "val/rmse": ("metrics", "val/rmse")}[name]
    return f"has({name})", lambda run: what in run[where]


def time_test(operator: str, hours: int) -> Said:
    at = START + timedelta(hours=hours)
    return f'created_at {operator} "{at:%Y-%m-%dT%H:%M}"', (
        lambda run: ORDERS[operator](run["created_at"].timestamp(), at.timestamp())
    )


def opposite(said: Said) -> Said:
    return f"not {said[0]}", lambda run: not said[1](run)


def joined(first: Said, second: Said, word: str) -> Said:
    either = word == "or"
    return f"({first[0]} {word} {second[0]})", (
        lambda run: (first[1](run) or second[1](run)) if either else (first[1](run) and second[1](run))
    )


some_text = st.sampled_from(WORDS) | st.sampled_from(STATUSES) | st.text("aA_%\\\"'é*", max_size=4)
tests = st.one_of(
    st.builds(number_test, st.sampled_from(sorted(NUMERIC)), st.sampled_from(sorted(ORDERS)), st.sampled_from(NUMBERS)),
    st.builds(text_test, st.sampled_from(sorted(TEXTS)), some_text, st.booleans()),
    st.builds(among_test, st.sampled_from(sorted(TEXTS)), st.lists(some_text, min_size=1, max_size=3), st.booleans()),
    st.builds(has_test, st.sampled_from(["lr", "val/rmse"])),
    st.builds(time_test, st.sampled_from(sorted(ORDERS)), st.integers(-1, 50)),
)
filters = st.recursive(
    tests,
    lambda inner: st.builds(opposite, inner) | st.builds(joined, inner, inner, st.sampled_from(["and", "or", ""])),
    max_leaves=8,
)
SORTS: dict[str, Callable[[Facts], Any]] = {
    "id": column("id"),
    "seed": column("seed"),
    "status": column("status"),
    "rmse": column("rmse"),
    "param.lr": param("lr"),
    "mixed": param("mixed"),
    "metric.val/rmse": metric("val/rmse"),
}
quickly = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def test_a_filter_finds_what_plain_python_finds_over_the_same_runs(client: TestClient, runs: list[Facts]) -> None:
    @quickly
    @given(filters)
    def check(said: Said) -> None:
        text, holds = said
        assert sorted(found(client, text)) == [run["id"] for run in runs if holds(run)], text

    check()


def in_order(runs: list[Facts], name: str, descending: bool) -> list[int]:
    """Numbers, then texts, each by value, then the runs without; equal ones by number."""

    def group(kind: type | tuple[type, ...]) -> list[int]:
        known = [(value, run["id"]) for run in runs if isinstance(value := SORTS[name](run), kind)]
        values = sorted({value for value, _ in known}, reverse=descending)
        return [id for value in values for other, id in known if other == value]

    return group((int, float)) + group(str) + [run["id"] for run in runs if SORTS[name](run) is None]


def test_pages_in_every_order_are_cut_from_one_list_with_nothing_twice(client: TestClient, runs: list[Facts]) -> None:
    @quickly
    @given(st.sampled_from(sorted(SORTS)), st.booleans(), st.integers(1, 17), st.booleans())
    def check(name: str, descending: bool, size: int, all_of_them: bool) -> None:
        text = "" if all_of_them else "status in (finished, failed)"
        wanted = [run for run in runs if all_of_them or run["status"] in ("finished", "failed")]
        got: list[int] = []
        for page in range(1, len(wanted) // size + 3):
            query = {"filter": text, "size": size, "page": page, "sort": ("-" if descending else "") + name}
            got += [run["id"] for run in client.get("/api/runs", params=query).json()["items"]]
        assert got == in_order(wanted, name, descending)

    check()


def test_several_names_sort_within_one_another(client: TestClient, runs: list[Facts]) -> None:
    @quickly
    @given(
        st.lists(
            st.tuples(st.sampled_from(sorted(SORTS)), st.booleans()), min_size=2, max_size=3, unique_by=lambda n: n[0]
        )
    )
    def check(names: list[tuple[str, bool]]) -> None:
        by_id = {run["id"]: run for run in runs}
        expected = sorted(runs, key=lambda run: run["id"])
        for name, descending in reversed(names):  # each sort keeps what the one before made of equals
            expected = [by_id[id] for id in in_order_of(expected, name, descending)]
        sort = ",".join(("-" if descending else "") + name for name, descending in names)
        pages = [client.get("/api/runs", params={"sort": sort, "size": 25, "page": page}).json() for page in (1, 2)]
        assert [run["id"] for page in pages for run in page["items"]] == [run["id"] for run in expected], sort

    check()


def in_order_of(runs: list[Facts], name: str, descending: bool) -> list[int]:
    """As `in_order`, equal ones as they stand."""
    groups: list[list[Facts]] = [[], [], []]
    for run in runs:
        value = SORTS[name](run)
        groups[2 if value is None else 1 if isinstance(value, str) else 0].append(run)
    for group in groups[:2]:
        group.sort(key=SORTS[name], reverse=descending)
    return [run["id"] for group in groups for run in group]


def test_more_names_than_five_are_refused(client: TestClient, runs: list[Facts]) -> None:
    assert runs
    error = acting.error_of(client.get("/api/runs", params={"sort": "id,seed,status,rmse,loss,size"}))
    assert (error["field"], error["remedy"]) == ("sort", "At most 5.")
    error = acting.error_of(client.get("/api/runs", params={"sort": "loss,-rmsse"}))
    assert (error["field"], error["remedy"]) == ("sort", "Did you mean rmse?")


def test_losses_sort_as_the_paper_has_them(client: TestClient, runs: list[Facts]) -> None:
    losses = [runs[id - 1]["loss"] for id in found(client, "", sort="loss")]
    assert losses == sorted(losses, key=["l1", "berhu"].index)
    assert set(losses) == {"l1", "berhu"}


def test_columns_that_are_asked_for_come_with_the_rows(client: TestClient, runs: list[Facts]) -> None:
    query = {"column": ["param.lr", "acc", "steps", "no such thing"], "size": 1000}
    for shown in client.get("/api/runs", params=query).json()["items"]:
        run = runs[shown["id"] - 1]
        assert shown["facts"] == {
            "param.lr": run["params"].get("lr"),
            "metric.acc": run["metrics"].get("acc"),
            "steps": 10,
        }


def test_parameters_that_differ_have_several_values_or_are_absent_from_some(
    client: TestClient, runs: list[Facts]
) -> None:
    def differing(**query: Any) -> list[str]:
        return list(client.get("/api/runs/differing", params=query).json()["params"])

    assert differing() == ["lr", "mixed", "opt.name", "seed"]
    assert differing(filter="lr = 3 and opt.name = adam and seed = 0") == [
        name
        for name in ("mixed",)
        for some in [
            [
                r["params"].get(name)
                for r in runs
                if (r["params"].get("lr"), r["params"].get("opt.name"), r["seed"]) == (3, "adam", 0)
            ]
        ]
        if len(set(some)) > 1
    ]
    assert differing(filter="id = 1") == []


def test_time_between_attempts_is_no_training(client: TestClient, app: FastAPI) -> None:
    acting.submit(client)
    run_id = acting.claimed(client).run_id
    with app.state.database.write() as session:
        first = session.get_one(Attempt, (run_id, 1))
        first.started_at, first.ended_at = START, START + timedelta(seconds=100)
        later = START + timedelta(hours=5)
        second = {"run_id": run_id, "attempt": 2, "owner": "w", "host": "lab-2", "device": "cpu", "log_length": 0}
        session.add(Attempt(**second, started_at=later, ended_at=later + timedelta(seconds=20)))
        session.get_one(Run, run_id).attempt = 2
    shown = client.get("/api/runs", params={"filter": f"id = {run_id}"}).json()["items"][0]
    assert (shown["trained_seconds"], shown["host"], shown["device"]) == (120, "lab-2", "cpu")
    assert found(client, "trained = 120 and host = lab-2 and took < 121") == [run_id]
    waiting = client.get("/api/runs", params={"filter": "status = queued"}).json()["items"][0]
    assert (waiting["trained_seconds"], waiting["host"]) == (None, None)


def test_a_sparkline_is_a_runs_metric_over_its_evaluations(client: TestClient) -> None:
    """acting.evaluate(step, error) predicts `error` metres too far everywhere: MAE and RMSE are `error`."""
    acting.submit(client)
    attempt = acting.claimed(client)
    for step, error in ((5, 0.5), (10, 0.125), (15, 0.25)):
        attempt.evaluate(step, error)
    query = {"id": [attempt.run_id, 999], "metric": "rmse"}
    (line,) = client.get("/api/runs/sparklines", params=query).json()
    assert line == {
        "run_id": attempt.run_id,
        "x": [0.25, 0.5, 0.75],
        "y": [0.5, 0.125, 0.25],
        "best": 0.125,
        "best_epoch": 5,
    }
    attempt.points(range(1, 4))
    (logged,) = client.get("/api/runs/sparklines", params={**query, "metric": "train/loss/l1"}).json()
    assert (logged["x"], logged["y"], logged["best"]) == ([0.05, 0.1, 0.15], [1, 0.5, 0.33333], None)


def test_a_sparkline_has_at_most_forty_points_with_the_first_and_the_last() -> None:
    for n in (1, 2, 39, 40, 41, 200, 1999):
        places = thinned(n, 40).tolist()
        assert (places[0], places[-1], len(places)) == (0, n - 1, min(n, 40))


tokens = st.sampled_from(
    [
        *"()=<>~,*'\"\\!. ",
        "and ",
        "or ",
        "not ",
        "in ",
        "has(",
        "lr",
        "status",
        "1e999",
        "-3k",
        "2026-11-01",
        "metric.",
        'param."',
        "created_at",
        "ö",
        "1" * 400,
    ]
)


def test_nothing_that_is_typed_into_the_filter_ends_in_a_500(client: TestClient, runs: list[Facts]) -> None:
    @quickly
    @given(st.lists(tokens, max_size=12).map("".join) | st.text(max_size=30), st.text(max_size=12))
    def check(text: str, sort: str) -> None:
        assert runs
        for query in ({"filter": text}, {"sort": sort}):
            answer = client.get("/api/runs", params=query)
            assert answer.status_code in (200, 422), answer.text
            if answer.status_code == 422:
                acting.error_of(answer)

    check()


@pytest.mark.parametrize(
    "text, words, remedy",
    [
        ("status = finished and lrr > 3", "at character 23: no run has 'lrr'", "Did you mean lr?"),
        ("rmse < many", "at character 8: rmse is a number", "Write a number"),
        ("status > 3", "at character 1: status is a text", "Use =, !=, ~ or in."),
        ("(status = failed", "at character 17: ')' is missing", ""),
        ("status in failed", "at character 11: '(' is missing after in", ""),
        ("status = ", "a value is missing after =", ""),
        ('name = "a', "at character 8: this text has no end", "Close the quotes."),
        ("created_at > soon", "'soon' is no time", "Write 2026-11-21"),
        ("stalled = maybe", "stalled is true or false", "Write stalled = true."),
        ("and", "a name or a word is missing", ""),
        ("x" * (LONGEST + 1), "", ""),
    ],
)
def test_an_error_names_the_place_in_the_filter_and_the_remedy(
    client: TestClient, runs: list[Facts], text: str, words: str, remedy: str
) -> None:
    assert runs
    answer = client.get("/api/runs", params={"filter": text})
    assert answer.status_code == 422
    error = acting.error_of(answer)
    assert words in error["message"]
    assert remedy in (error["remedy"] or "")


def test_an_unknown_order_is_refused_with_the_name_that_is_like_it(client: TestClient, runs: list[Facts]) -> None:
    assert runs
    error = acting.error_of(client.get("/api/runs", params={"sort": "-rmsse"}))
    assert (error["field"], error["remedy"]) == ("sort", "Did you mean rmse?")


def test_words_are_found_in_what_a_run_is_called_and_stars_stand_for_anything(
    client: TestClient, runs: list[Facts]
) -> None:
    ids = {name: [run["id"] for run in runs if run["encoder"] == name] for name in ("resnet", "densenet")}
    assert sorted(found(client, "RESNET")) == sorted(found(client, "encoder = res*")) == ids["resnet"]
    finished = [run["id"] for run in runs if run["status"] == "finished" and run["train_size"] == 12000]
    assert sorted(found(client, "finished size >= 12k")) == finished


def test_an_answer_carries_the_parameters_and_metrics_that_it_was_asked_by(
    client: TestClient, runs: list[Facts]
) -> None:
    answer = client.get("/api/runs", params={"filter": "has(lr)", "sort": "-metric.val/rmse", "size": 1000})
    for shown in answer.json()["items"]:
        run = runs[shown["id"] - 1]
        assert shown["facts"] == {"param.lr": run["params"]["lr"], "metric.val/rmse": run["metrics"].get("val/rmse")}


def test_an_experiment_lists_its_own_runs_by_the_same_rules(client: TestClient, runs: list[Facts]) -> None:
    query = {"filter": "status = finished", "sort": "-param.lr", "size": 1000}
    answer = client.get("/api/experiments/1/runs", params=query).json()
    own = [run for run in runs if run["id"] % 2 == 0 and run["status"] == "finished"]
    assert [run["id"] for run in answer["items"]] == in_order(own, "param.lr", True)
    assert found(client, "status = finished", sort="-param.lr", experiment=1) == in_order(own, "param.lr", True)
    grid = client.get("/api/experiments/1/runs", params={"size": 1000}).json()["items"]
    assert [run["id"] for run in grid] == sorted((run["id"] for run in runs if run["id"] % 2 == 0), reverse=True)


def test_the_names_are_those_that_runs_have(client: TestClient, runs: list[Facts], app: FastAPI) -> None:
    names = client.get("/api/runs/names").json()
    assert (names["params"], names["metrics"]) == (["lr", "mixed", "opt.name", "seed"], ["acc", "val/rmse"])
    assert {"name": "status", "kind": "text"} in names["columns"]
    with app.state.database.write() as session:
        session.execute(
            delete(Param).where(Param.name == "mixed", Param.run_id.in_([r["id"] for r in runs if r["id"] % 2 == 0]))
        )
    assert client.get("/api/runs/names", params={"experiment": 1}).json()["params"] == ["lr", "opt.name", "seed"]


def test_not_binds_closer_than_and_which_binds_closer_than_or() -> None:
    tree = parse("not a = 1 and b = 2 or c")
    assert isinstance(tree, Some)
    first, last = tree.parts
    assert isinstance(first, Every)
    assert isinstance(first.parts[0], Not)
    assert last == Word("c")
    different = parse("a != 1")
    assert isinstance(different, Not)
    assert isinstance(different.part, Compare)
    assert different.part.operator == "="
    assert isinstance(parse("has(x)"), Has)
    assert parse("  ") is None


def test_a_filter_nested_too_deep_is_refused() -> None:
    for text in ("(" * 100 + "a" + ")" * 100, "not " * 100 + "a", " and ".join(["a = 1"] * 101)):
        with pytest.raises(InvalidInput, match="more than"):
            parse(text)
