"""Real workers and trainings, killed, frozen and starved at any point: nothing is left behind, and every run ends with one continuous curve."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import re
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from depthboard.client import Client
from tests.faults.checker import MARKER, marked
from tests.faults.product import Product, kill_tree, seed_of, until

SEEDS = count(1)
DAEMON = """
import os, sys, time
if os.environ.get("DEPTHBOARD_ATTEMPT") and "worker.launch" in sys.orig_argv:
    import signal
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
        os._exit(0)
"""


def spec(steps: int = 60, **base: Any) -> dict[str, Any]:
    """One small run that no other test has trained."""
    base = {
        "data": {"train_size": 8},
        "budget": {"images_seen": steps * 8, "batch_size": 8},
        "evaluation": {"evaluations": 6, "samples": 0, "sharpness": "off"},
        **base,
    }
    return {"name": "faults", "base": base, "factors": {"loss": ["l1"], "seed": [next(SEEDS)]}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One API for all tests of this module, and a home where calibration and frames are made once."""
    with Product(tmp_path_factory.mktemp("product"), lease=4.0, DEPTHBOARD_STALL_SECONDS="8") as product:
        product.start_api()
        yield product


@pytest.fixture
def product(shared: Product) -> Iterator[Product]:
    """The shared one, without workers, and with all that a test left ended."""
    yield shared
    for worker in shared.others:
        kill_tree(worker.pid)
        worker.wait()
    shared.others.clear()
    for run in shared.client.api.json("GET", "/api/runs", size=1000)["items"]:
        if run["status"] in ("queued", "running"):
            shared.client.cancel(run["id"])
    until(lambda: not active(shared.client), 30)


def active(client: Client) -> list[dict[str, Any]]:
    return [
        run for run in client.api.json("GET", "/api/runs", size=1000)["items"] if run["status"] in ("queued", "running")
    ]


def submitted(product: Product, **changes: Any) -> int:
    """The run's number."""
    experiment = product.client.submit(spec(**changes))["id"]
    (run,) = product.client.runs(experiment)
    return int(run["id"])


def trains(product: Product, run: int, beyond: int = 12) -> psutil.Process:
    """Once it has trained for some steps and left a checkpoint: the process that trains, the innermost of the attempt's."""
    until(lambda: product.client.run(run)["step"] > beyond, 180, "a training's first steps")
    return innermost(product, run)


def innermost(product: Product, run: int) -> psutil.Process:
    found = [psutil.Process(process.pid) for process in marked(str(product.home)) if process.run == run]
    parents = {process.ppid() for process in found}
    return next(process for process in found if process.pid not in parents)


def ended(product: Product, run: int, status: str = "finished") -> dict[str, Any]:
    found = until(lambda: _final(product.client.run(run)), 120, f"run {run}'s end")
    assert found["status"] == status, found["reason"]
    return dict(found)


def _final(run: dict[str, Any]) -> dict[str, Any] | None:
    return run if run["status"] in ("finished", "failed", "cancelled") else None


def assert_sound(product: Product) -> None:
    assert product.verdict() == []


@pytest.mark.long
def test_a_killed_training_goes_on_from_its_checkpoint(product: Product) -> None:
    """F1."""
    product.start_worker()
    run = submitted(product)
    training = trains(product, run)
    assert training.environ()[MARKER].startswith(f"{run}-1"), "what the checker finds processes by"
    training.kill()
    found = ended(product, run)
    assert found["attempt"] >= 2
    assert found["attempts"][1]["resumed_from"] is not None
    assert_sound(product)


@pytest.mark.long
def test_a_killed_guard_takes_its_training_along(product: Product) -> None:
    """F2: the process between the worker and the training."""
    worker = product.start_worker()
    run = submitted(product)
    training = trains(product, run)
    guard = training.parent()
    assert guard is not None
    if guard.pid == worker.pid:
        pytest.skip("the worker itself is the training's parent")
    guard.kill()
    assert gone([training], 3)
    ended(product, run)
    assert_sound(product)


@pytest.mark.parametrize("whole_tree", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_killed_worker_leaves_no_process_and_its_run_goes_on_with_another(product: Product, whole_tree: bool) -> None:
    """F3: the worker alone; F4: all of its processes. The other worker is there when the lease has run out."""
    first = product.start_worker()
    run = submitted(product)
    training = trains(product, run)
    if whole_tree:
        kill_tree(first.pid)
    else:
        first.kill()
    first.wait()
    assert gone([training], 5)
    product.start_worker(name="worker-2")
    killed = time.monotonic()
    until(lambda: product.client.run(run)["attempts"][0]["outcome"] == "lost", product.lease + 5)
    assert time.monotonic() - killed < product.lease + 5
    assert ended(product, run)["attempt"] >= 2
    assert_sound(product)


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether all of them end in that time; one that nobody has waited for yet has ended."""
    end = time.monotonic() + seconds
    while any(alive(process) for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.long
def test_a_worker_and_its_training_that_slept_through_the_lease_write_nothing_when_they_wake(product: Product) -> None:
    """F5, of real processes: all stopped for two leases; meanwhile another worker has the run."""
    first = product.start_worker()
    run = submitted(product, steps=300)
    training = trains(product, run)
    kill_tree(first.pid, signal.SIGSTOP)
    product.start_worker(name="worker-2")
    until(lambda: product.client.run(run)["attempt"] >= 2, 60)
    kill_tree(first.pid, signal.SIGCONT)
    assert gone([training], 5)
    assert ended(product, run)["attempt"] >= 2
    assert_sound(product)


@pytest.mark.long
@pytest.mark.parametrize("twice", [False, True])
def test_a_worker_that_is_asked_to_stop_leaves_a_checkpoint_and_uses_up_no_attempt(
    product: Product, twice: bool
) -> None:
    """F6: SIGTERM once gives the run back; a second one ends it at once, and the lease gives it back."""
    worker = product.start_worker()
    run = submitted(product, steps=300)
    step = int(trains(product, run) is not None and product.client.run(run)["step"])
    worker.terminate()
    if twice:
        time.sleep(0.2)
        worker.terminate()
    worker.wait(30)
    assert not marked(str(product.home))
    product.start_worker(name="worker-2")
    found = until(lambda: _again(product.client.run(run)), 60)
    assert found["attempts"][0]["outcome"] in ("queued", *(["lost"] if twice else []))
    if not twice:
        assert found["attempts"][1]["resumed_from"] > step
    product.client.cancel(run)
    ended(product, run, "cancelled")
    assert_sound(product)


def _again(run: dict[str, Any]) -> dict[str, Any] | None:
    return run if run["attempt"] >= 2 else None


def test_a_training_is_cancelled_within_five_seconds_and_leaves_a_checkpoint(product: Product) -> None:
    """F23, of a real training."""
    product.start_worker()
    run = submitted(product, steps=3000)
    trains(product, run)
    asked = time.monotonic()
    product.client.cancel(run)
    ended(product, run, "cancelled")
    assert time.monotonic() - asked < 5 + product.lease / 2
    assert checkpoints(product, run)
    assert_sound(product)


@pytest.mark.parametrize("damage", ["truncated", pytest.param("flipped", marks=pytest.mark.long)])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(product: Product, damage: str) -> None:
    """F17."""
    worker = product.start_worker()
    run = submitted(product, steps=300, evaluation={"evaluations": 30, "samples": 0, "sharpness": "off"})
    trains(product, run, beyond=32)
    worker.terminate()
    worker.wait(30)
    newest, *older = checkpoints(product, run)
    assert older
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data if damage == "flipped" else data[: len(data) // 2])
    product.start_worker(name="worker-2")
    found = until(lambda: _begun(product.client.run(run), step_of(newest)), 60, "another attempt")
    assert found["attempts"][1]["resumed_from"] == step_of(older[0]) + 1
    product.client.cancel(run)
    ended(product, run, "cancelled")
    assert_sound(product)


def checkpoints(product: Product, run: int) -> list[Path]:
    """The run's files, the furthest first."""
    files = (product.home / "artifacts" / "runs").glob("*/step-*.pt")
    return sorted((file for file in files if file.parent.name.rpartition("-")[2] == str(run)), reverse=True)


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.split("-")[1])


def _begun(run: dict[str, Any], damaged: int) -> dict[str, Any] | None:
    """Once the second attempt has said from where it goes on."""
    return run if run["attempt"] >= 2 and run["attempts"][1]["resumed_from"] != damaged + 1 else None


@pytest.mark.long
def test_a_worker_that_cannot_renew_ends_its_training_when_the_lease_does(product: Product) -> None:
    """F5, the other way round: the API is stopped, so the worker must take its training as lost."""
    product.start_worker()
    run = submitted(product, steps=3000)
    training = trains(product, run)
    assert product.api is not None
    product.api.send_signal(signal.SIGSTOP)
    try:
        assert gone([training], 1.5 * product.lease), "a fence and a look at it after the last renewal"
    finally:
        product.api.send_signal(signal.SIGCONT)
    product.client.cancel(run)
    ended(product, run, "cancelled")
    assert_sound(product)


@pytest.mark.long
def test_a_training_without_memory_fails_with_that_reason_and_is_not_tried_again(product: Product) -> None:
    """F20: RLIMIT_AS leaves the training what it has."""
    product.start_worker()
    run = submitted(product, steps=3000)
    training = trains(product, run, beyond=2)
    training.rlimit(psutil.RLIMIT_AS, (training.memory_info().rss, psutil.RLIM_INFINITY))
    found = ended(product, run, "failed")
    assert re.search("memory|GiB", found["reason"])
    assert found["attempt"] == 1
    assert_sound(product)


@pytest.mark.long
def test_what_a_training_left_running_is_killed_with_it(product: Product, tmp_path: Path) -> None:
    """F22: a grandchild in a session of its own that ignores SIGTERM."""
    (tmp_path / "sitecustomize.py").write_text(DAEMON)
    path = f"{tmp_path}{os.pathsep}{product.environment['PYTHONPATH']}"
    product.start_worker(PYTHONPATH=path)
    run = submitted(product)
    trains(product, run)
    daemons = [psutil.Process(p.pid) for p in marked(str(product.home)) if is_daemon(p.pid)]
    assert daemons
    ended(product, run)
    assert gone(daemons, 2 * product.lease)
    assert_sound(product)


def is_daemon(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return (
            os.getsid(pid) == pid and psutil.Process(pid).ppid() != os.getpid() and not psutil.Process(pid).children()
        )
    return False


@pytest.mark.long
def test_a_training_that_hangs_is_shown_as_stalled(product: Product) -> None:
    """F21: its worker renews the lease, and nothing moves."""
    product.start_worker()
    run = submitted(product, steps=3000)
    training = trains(product, run)
    training.suspend()
    until(lambda: product.client.run(run)["stalled"], 120, "the flag")
    training.resume()
    until(lambda: not product.client.run(run)["stalled"], 60, "the flag's end")
    product.client.cancel(run)
    ended(product, run, "cancelled")


JUNK = {
    "empty": b"",
    "half": b'{"body": "x", "head',
    "object": b"{}",
    "list": b"[]",
    "pickle": pickle.dumps({"body": 1}),
    "large": b"x" * (50 << 20),
}


@pytest.mark.long
def test_tripled_reordered_and_lost_messages_among_junk_leave_no_run_out(product: Product) -> None:
    """F11 and F12: the doorbell's messages as they lie in the embedded queue before a worker reads them."""
    draw = random.Random(seed_of("F11"))
    runs = [submitted(product, steps=12) for _ in range(3)]
    folder = product.home / "queue" / "messages"
    until(lambda: len(list(folder.glob("*.msg"))) >= 3, 10)
    messages = [(file, file.read_bytes()) for file in sorted(folder.glob("*.msg"))]
    for file, _ in messages:
        file.unlink()
    tripled = [body for _, body in messages[1:] for _ in range(3)]  # the first one is lost
    draw.shuffle(tripled)
    for number, body in enumerate([*JUNK.values(), *tripled]):
        (folder / f"{number:020d}_{draw.random()}.runs.msg".replace("0.", "")).write_bytes(body)
    product.start_worker()
    for run in runs:
        ended(product, run)
    until(lambda: not list(folder.glob("[0-9]*.msg")), 10, "the last message's end")
    assert len(list(folder.glob(".bad-*"))) == len(JUNK)
    assert_sound(product)
