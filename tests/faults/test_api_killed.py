"""The API killed at any moment: what was acknowledged is there once, every run ends, and the live stream catches up."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests import postgresql
from tests.faults import stored
from tests.faults.acting import claimed, spec
from tests.faults.checker import acknowledged_points
from tests.faults.history import History, read
from tests.faults.product import Product, seed_of, until


def test_an_api_that_is_killed_three_times_during_ingest_loses_no_acknowledged_point(tmp_path: Path) -> None:
    """F7."""
    draw = random.Random(seed_of("F7"))
    with Product(tmp_path) as product:
        product.start_api()
        product.client.submit(spec(12))
        product.listen()
        product.act([draw.randrange(10**6) for _ in range(4)])
        for _ in range(3):
            time.sleep(draw.uniform(0.3, 1.0))
            product.kill_api()
            product.start_api()
        until(product.over)
        assert product.verdict() == []
        assert product.counts()["finished"] == 12


def test_a_wake_up_that_was_never_sent_costs_no_more_than_a_poll(tmp_path: Path) -> None:
    """F8: the API is killed after the commit of a submission and before its wake-up."""
    with Product(tmp_path) as product:
        product.start_api("-m", "tests.faults.failing", "wake")
        product.client.submit(spec(1))
        assert product.api is not None
        assert product.api.wait(10) == -signal.SIGKILL
        product.start_api()
        product.act([1])
        until(product.over, 10)
        assert product.verdict() == []


@pytest.mark.parametrize("seed", range(2))
def test_an_api_that_dies_at_any_line_keeps_what_it_acknowledged(tmp_path: Path, seed: int) -> None:
    """F30, some seeds."""
    die_at_a_line(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 202))
def test_an_api_that_dies_at_any_of_many_lines_keeps_what_it_acknowledged(tmp_path: Path, seed: int) -> None:
    """F30."""
    die_at_a_line(tmp_path, seed)


def die_at_a_line(folder: Path, seed: int) -> None:
    with Product(folder) as product:
        product.start_api()
        product.client.submit(spec(4, steps=24))
        product.kill_api()
        product.listen()
        product.act([seed, seed + 1000])
        api = product.start_api("-m", "tests.faults.failing", f"line:{seed}", ready=False)
        api.wait(60)
        assert api.returncode == -signal.SIGKILL
        product.start_api()
        until(product.over)
        assert product.verdict() == []


def test_a_power_cut_leaves_every_point_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    """F29: the files as they are at a random moment under load, opened as a copy."""
    draw = random.Random(seed_of("F29"))
    with Product(tmp_path) as product:
        api = product.start_api()
        product.client.submit(spec(12))
        product.act([1, 2, 3])
        for number in range(4):
            time.sleep(draw.uniform(0.1, 0.6))
            before = list(read(product.history.path))
            api.send_signal(signal.SIGSTOP)
            copy = tmp_path / f"copy-{number}" / "depthboard.sqlite3"
            copy.parent.mkdir()
            for suffix in ("", "-wal"):
                shutil.copy(product.home / f"depthboard.sqlite3{suffix}", f"{copy}{suffix}")
            api.send_signal(signal.SIGCONT)
            found = stored.read(f"sqlite+pysqlite:///{copy}")
            assert found.unsound == []
            assert acknowledged_points(before, found) == []
        until(product.over)
        assert product.verdict() == []


def test_two_apis_and_two_sweepers_end_every_lost_attempt_once(tmp_path: Path, postgresql_server: URL) -> None:
    """F24: two API processes on one PostgreSQL; attempts are left to their leases all the time."""
    with postgresql.fresh_database(postgresql_server) as url:
        database = url.render_as_string(hide_password=False)
        with (
            Product(tmp_path / "two", database=database, history=History(tmp_path / "history")) as two,
            Product(tmp_path / "one", database=database, history=History(tmp_path / "history")) as one,
        ):
            one.start_api()
            two.start_api()
            one.client.submit(spec(10))
            one.listen()
            two._thread(_leave, one, two)
            one.act([1, 2])
            two.act([3, 4])
            until(one.over)
            two.stop_actors()
            assert one.verdict() == []
            outcomes = [a.outcome for run in stored.read(database).runs.values() for a in run.attempts]
            assert outcomes.count("lost") >= 6
            assert outcomes.count("finished") == 10


def _leave(one: Product, two: Product) -> None:
    """Claim six times, three a side, and never come back."""
    for product in (one, two) * 3:
        claimed(product.client.api, one.history, "leaves-0001")


def test_sqlite_says_that_a_second_api_may_not_write_beside_the_first(tmp_path: Path) -> None:
    """F24 on SQLite: one process writes."""
    with Product(tmp_path) as product:
        product.start_api()
        second = product.start("-m", "backend.serve", name="second", DEPTHBOARD_PORT="0")
        assert second.wait(30) == 2
        assert "another API process" in (tmp_path / "second.log").read_text()
        with sqlite3.connect(product.home / "depthboard.sqlite3") as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
