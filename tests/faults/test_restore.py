"""A backup of the database is put back while everybody goes on writing."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from depthboard.errors import SequenceGap, StaleAttempt
from depthboard.status import RunStatus
from tests.faults import stored
from tests.faults.acting import Actor, claimed, spec
from tests.faults.checker import check
from tests.faults.history import Entry
from tests.faults.product import Product, until

SCRIPT = """
import sys, time
from pathlib import Path
import depthboard
run, step = depthboard.start(experiment="scripts", name="goes on"), 0
while not Path(sys.argv[1]).exists():
    step += 1
    run.log({"loss": step}, step=step)
    time.sleep(0.002)
assert run.finish()
print(step)
"""


def back_up(product: Product) -> Path:
    copy = product.folder / "backup.sqlite3"
    with closing(sqlite3.connect(product.home / "depthboard.sqlite3")) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    return copy


def put_back(product: Product, copy: Path) -> float:
    """As an administrator does it: the API stopped, the files replaced, the API started. When it had started."""
    product.kill_api()
    time.sleep(0.5)  # who had an answer has noted it
    for suffix in ("-wal", "-shm"):
        (product.home / f"depthboard.sqlite3{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, product.home / "depthboard.sqlite3")
    began = time.monotonic()
    product.start_api()
    return began


def without(entries: list[Entry], since: float, until_: float) -> list[Entry]:
    """The history without what was acknowledged after the backup and before it was put back: no record can hold that."""
    return [entry for entry in entries if not since <= entry["at"] <= until_]


def test_what_a_script_logged_since_the_backup_is_sent_again(tmp_path: Path) -> None:
    """F25: the API says which row it wants (SequenceGap), and the spool still has all of them."""
    stop = tmp_path / "stop"
    with Product(tmp_path) as product:
        product.start_api()
        script = product.start("-c", SCRIPT, str(stop), name="script")
        product.others.append(script)

        def held() -> int:
            return sum(len(piece.steps) for run in stored.read(product.database).runs.values() for piece in run.pieces)

        until(lambda: held() > 50)
        copy, at_backup = back_up(product), held()
        until(lambda: held() > at_backup + 50)
        put_back(product, copy)
        assert product.client.run(1)["status"] == "running"
        time.sleep(0.5)
        stop.touch()
        assert script.wait(60) == 0, (tmp_path / "script.log").read_text()
        assert product.verdict() == []
        (run,) = stored.read(product.database).runs.values()
        steps, values = run.shown["loss"]
        assert len(steps) == int((tmp_path / "script.log").read_text().split()[-1])
        assert steps.tolist() == values.tolist() == list(range(1, len(steps) + 1))


def test_trainings_go_on_from_what_the_backup_knows(tmp_path: Path) -> None:
    """F25: one had ended, one was claimed, one was claimed later; what was acknowledged since is gone, and nothing is there twice."""
    with Product(tmp_path, lease=20) as product:
        product.start_api()
        product.client.submit(spec(3))
        done, before = (Actor(claimed(product.client.api, product.history), product.url, product.history) for _ in "12")
        done.points(done.steps)
        done.finish()
        before.points(10)
        before.checkpoint()
        since = time.monotonic()
        copy = back_up(product)
        before.points(10)
        after = Actor(claimed(product.client.api, product.history), product.url, product.history)
        after.points(10)
        started = put_back(product, copy)
        with pytest.raises(SequenceGap, match="Send the rows from 10 on"):
            before.points(5)
        before.finish(RunStatus.failed, "the record holds less than it had acknowledged", retry=True)
        with pytest.raises(StaleAttempt):
            after.points(5)
        for actor in (done, before, after):
            actor.close()
        product.act([1, 2])
        until(product.over)
        product.stop_actors()
        found = stored.read(product.database)
        assert check(without(product.history.entries(), since, started), found) == []
        assert product.counts()["finished"] == 3
        assert [run.attempt for run in found.runs.values()] == [1, 2, 1]
        assert found.runs[2].attempts[1].first == 11, "it went on from the checkpoint that the backup knows"
