"""A person's own script: what it logged is in the record, once, whatever dies meanwhile. With a real API process."""

from __future__ import annotations

import math
import multiprocessing
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthboard
from depthboard import errors
from depthboard.client import Api, Client
from depthboard.client import start as start_of_client
from tests.scripts.conftest import Machine

START = {"experiment": "my study", "name": "l1, my network"}
PARAMS = {"loss": "l1", "lr": 1e-3, "batch_size": 8, "train_size": 795}


def test_five_lines_make_a_run_with_curves_and_depth_maps(person: Machine) -> None:
    run = depthboard.start(**START, params=PARAMS)
    for step in range(1000):
        run.log({"train/loss": 1 / (step + 1), "val/rmse": np.float32(0.5)}, step=step)
    depth = np.full((6, 8), 2.5)
    depth[0, 0], depth[0, 1] = math.nan, -1
    run.log_depth("frame 12", depth, target=depth + 0.5, rgb=np.zeros((6, 8, 3), np.uint8), step=999)
    assert run.finish()
    (entry,) = person.runs()
    assert (entry["status"], entry["kind"], entry["name"], entry["step"]) == ("finished", "script", START["name"], 999)
    loss = person.series(entry["id"], "train/loss")
    assert loss["step"] == list(range(1000))
    assert loss["value"] == [1 / (step + 1) for step in range(1000)]
    assert loss["epoch"][-1] == pytest.approx(999 * 8 / 795)
    api = Api(person.url)
    (shown,) = api.json("GET", f"/api/runs/{entry['id']}/predictions")
    assert (shown["frame"], shown["step"], shown["nonfinite"]) == ("frame 12", 999, 1)
    sent = np.frombuffer(api.request("GET", shown["url"]).content, "<u2").reshape(6, 8)
    assert sent[0].tolist() == [0, 0, *[2500] * 6]
    api.close()
    assert person.spools == [], "nothing is left behind"
    assert start_of_client is depthboard.start


def test_a_script_starts_and_trains_while_the_api_is_down_and_nothing_is_missing_later(machine: Machine) -> None:
    began = time.monotonic()
    run = depthboard.start(**START)
    for step in range(500):
        run.log({"loss": step}, step=step)
    run.log_depth("a", np.ones((4, 4)), step=499)
    assert run.flush(timeout=0.3) is False
    assert (run.number, run.cancelled) == (None, False)
    assert time.monotonic() - began < 10, "neither start nor log waits for the API"
    machine.up()
    assert run.finish()
    (entry,) = machine.runs()
    assert machine.series(entry["id"], "loss")["value"] == list(range(500))


def test_an_api_that_is_killed_again_and_again_loses_and_doubles_nothing(machine: Machine) -> None:
    machine.up()
    run = depthboard.start(**START)
    for step in range(4000):
        run.log({"loss": step, "other": -step}, step=step)
        if step % 50 == 0:
            run.log({"val/rmse": step}, step=step)
        if step in (700, 1900, 2600):
            machine.kill()
        if step in (1100, 2000, 3500):
            machine.up()
        if step % 20 == 0:
            time.sleep(0.005)
    assert run.finish()
    (entry,) = machine.runs()
    assert entry["status"] == "finished"
    for key, steps in (("loss", range(4000)), ("other", range(4000)), ("val/rmse", range(0, 4000, 50))):
        series = machine.series(entry["id"], key)
        assert series["step"] == list(steps)
        assert [abs(value) for value in series["value"]] == list(steps)
    assert _rows_held(machine) == 4080


def _rows_held(machine: Machine) -> int:
    """Rows that were accepted of this machine's runs, by their numbers."""
    with sqlite3.connect(f"file:{machine.server.database}?mode=ro", uri=True) as database:
        query = "select sum(last_seq + 1) from sequence where run_id > ?"
        (rows,) = database.execute(query, (machine.known,)).fetchone()
    database.close()
    return int(rows)


ENDLESS = """
    import depthboard
    run = depthboard.start(experiment="my study", name="killed")
    for step in range(10**9):
        run.log({"loss": step}, step=step)
        if step % 1000 == 0:
            print(step, flush=True)
"""


@pytest.mark.parametrize("api", ["up", "down"])
def test_what_a_killed_script_had_logged_is_sent_by_sync(machine: Machine, api: str) -> None:
    if api == "up":
        machine.up()
    script = machine.script(ENDLESS)
    assert script.stdout is not None
    for _ in range(20):
        last = int(script.stdout.readline())
    script.send_signal(signal.SIGKILL)
    last = int((script.communicate()[0].splitlines() or [str(last)])[-1])
    if api == "down":
        told = machine.command("sync")
        assert (told.returncode, "does not answer" in told.stderr) == (2, True)
        machine.up()
    done = machine.command("sync")
    assert done.returncode == 0, done.stderr
    assert "rows sent" in done.stdout
    (entry,) = machine.runs()
    assert (entry["status"], "ended without run.finish()" in entry["reason"]) == ("failed", True)
    steps = machine.series(entry["id"], "loss")["step"]
    assert len(steps) > last
    assert steps == list(range(len(steps)))
    assert machine.spools == []
    assert machine.command("sync").stdout.strip() == "0 sent."


def test_sync_leaves_alone_what_a_living_script_writes(person: Machine) -> None:
    script = person.script(ENDLESS)
    assert script.stdout is not None
    script.stdout.readline()
    assert "its script is running" in person.command("sync").stdout
    assert person.runs()[0]["status"] == "running"


def test_a_script_whose_end_could_not_be_sent_says_how_to_and_it_can_be(machine: Machine) -> None:
    script = machine.script("""
        import depthboard
        run = depthboard.start(experiment="my study", name="cut off")
        run.log({"loss": 1}, step=0)
        assert run.finish(timeout=0.5) is False
    """)
    _, told = script.communicate(timeout=60)
    assert script.returncode == 0, told
    assert "`depthboard sync` sends it later" in told
    machine.up()
    assert machine.command("sync").returncode == 0
    assert machine.runs()[0]["status"] == "finished"


@pytest.mark.parametrize(
    ("ending", "status", "reason"),
    [
        ("raise ValueError('no depth')", "failed", "ValueError: no depth"),
        ("raise KeyboardInterrupt", "cancelled", "interrupted by a person"),
        ("pass", "finished", None),
        ("run.finish('failed', 'it was no good')", "failed", "it was no good"),
    ],
)
def test_a_run_ends_as_its_script_does(person: Machine, ending: str, status: str, reason: str | None) -> None:
    script = person.script(f"""
        import depthboard
        run = depthboard.start(experiment="my study", name="a")
        run.log({{"loss": 1}}, step=0)
        {ending}
    """)
    script.communicate(timeout=60)
    (entry,) = person.runs()
    assert (entry["status"], entry["reason"]) == (status, reason)
    assert person.spools == []


def test_a_run_that_nothing_in_the_script_holds_any_more_is_finished_at_its_end(person: Machine) -> None:
    script = person.script("""
        import depthboard
        depthboard.start(experiment="my study", name="unheld").log({"loss": 1}, step=0)
    """)
    script.communicate(timeout=60)
    assert person.runs()[0]["status"] == "finished"


def test_what_was_logged_for_an_api_that_moved_is_sent_to_where_it_is(person: Machine) -> None:
    script = person.script("""
        import depthboard
        run = depthboard.start(experiment="my study", name="moved", url="http://127.0.0.1:9")
        run.log({"loss": 1}, step=0)
        run.finish(timeout=0)
    """)
    script.communicate(timeout=60)
    done = person.command("sync", "--url", person.url)
    assert done.returncode == 0, done.stderr
    assert person.runs()[0]["name"] == "moved"


def test_a_block_that_an_exception_leaves_has_failed_with_its_words(person: Machine) -> None:
    run = depthboard.start(**START)

    def train() -> None:
        with run:
            run.log({"loss": 1}, step=0)
            raise RuntimeError("out of ideas")

    with pytest.raises(RuntimeError):
        train()
    (entry,) = person.runs()
    assert (entry["status"], entry["reason"]) == ("failed", "RuntimeError: out of ideas")
    with pytest.raises(errors.Conflict, match=r"before run\.finish"):
        run.log({"loss": 1}, step=1)


def test_a_full_disk_is_told_once_and_nothing_that_fits_in_memory_is_lost(person: Machine) -> None:
    script = person.script("""
        import resource, time
        import depthboard, numpy
        run = depthboard.start(experiment="my study", name="full")
        run.flush()
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        for step in range(6000):
            if step == 2000:
                resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
            if step == 5000:
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            if step in (1000, 3000):
                run.log_depth("frame", numpy.ones((200, 200)), step=step)
            values = {"loss": step} if step % 3 else {f"late {step // 1500}": step, "loss": step}
            run.log(values, step=step)
            time.sleep(0.0003)
        assert run.finish()
    """)
    _, told = script.communicate(timeout=120)
    assert script.returncode == 0, told
    assert told.count("waits in memory") == 1
    (entry,) = person.runs()
    assert person.series(entry["id"], "loss")["value"] == list(range(6000))
    assert person.series(entry["id"], "late 3")["value"] == list(range(4500, 6000, 3))
    with Client(person.url) as client:
        shown = client.api.json("GET", f"/api/runs/{entry['id']}/predictions")
    assert [prediction["step"] for prediction in shown] == [1000, 3000]


def test_rows_that_waited_in_memory_reach_the_disk_when_there_is_room_again(machine: Machine) -> None:
    script = machine.script("""
        import os, resource, signal, time
        import depthboard
        from depthboard import spool
        spool.RETRY_SECONDS = 0.0
        run = depthboard.start(experiment="my study", name="full")
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        for step in range(3000):
            if step == 1000:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
            if step == 2000:
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            run.log({"loss": step, f"late {step // 1500}": step}, step=step)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    script.communicate(timeout=120)
    machine.up()
    assert machine.command("sync").returncode == 0
    assert machine.series(machine.runs()[0]["id"], "loss")["value"] == list(range(3000))


def test_a_spool_that_is_sent_from_its_beginning_again_adds_nothing(person: Machine) -> None:
    script = person.script("""
        import os, signal
        import depthboard
        run = depthboard.start(experiment="my study", name="again")
        for step in range(3000):
            run.log({"loss": step}, step=step)
        assert run.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    script.communicate(timeout=60)
    (folder,) = person.spools
    (folder / "sent").unlink()
    assert person.command("sync").returncode == 0
    (entry,) = person.runs()
    assert person.series(entry["id"], "loss")["value"] == list(range(3000))
    assert _rows_held(person) == 3000


def test_two_processes_write_one_run_and_the_main_one_ends_it(person: Machine) -> None:
    text = """
        import sys
        import depthboard
        rank = int(sys.argv[1])
        writer = "main" if rank == 0 else f"rank{rank}"
        run = depthboard.start(experiment="my study", name="two", run_id="two-ranks", writer=writer)
        for step in range(500):
            run.log({f"rank{rank}/loss": step}, step=step)
        assert run.finish()
    """
    ranks = [person.script(text, str(rank)) for rank in (1, 0, 2)]
    for rank in ranks:
        assert rank.wait(60) == 0, rank.communicate()[1]
    (entry,) = person.runs()
    assert entry["status"] == "finished"
    for rank_number in range(3):
        assert person.series(entry["id"], f"rank{rank_number}/loss")["value"] == list(range(500))


def test_a_forked_child_writes_the_same_run_as_another_writer(person: Machine) -> None:
    script = person.script("""
        import os
        import depthboard
        run = depthboard.start(experiment="my study", name="forks")
        run.log({"parent": 1}, step=0)
        child = os.fork()
        if child == 0:
            run.log({"child": 2, "parent": 2}, step=1)
            os._exit(0)
        os.waitpid(child, 0)
        run.log({"parent": 3}, step=2)
        assert run.finish()
    """)
    _, told = script.communicate(timeout=60)
    assert script.returncode == 0, told
    (entry,) = person.runs()
    assert person.series(entry["id"], "parent")["value"] == [1, 2, 3]
    assert person.series(entry["id"], "child")["value"] == [2]
    assert person.spools == []


def test_a_resumed_script_is_one_curve_and_what_it_had_left_behind_goes_first(machine: Machine) -> None:
    first = machine.script("""
        import os, signal
        import depthboard
        run = depthboard.start(experiment="my study", name="long", run_id="long-one")
        for step in range(1000):
            run.log({"loss": step}, step=step)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    first.communicate(timeout=60)
    machine.up()
    run = depthboard.start(**START, resume="long-one")
    for step in range(800, 1200):
        run.log({"loss": -step}, step=step)
    assert run.finish()
    (entry,) = machine.runs()
    assert (entry["attempt"], entry["status"]) == (2, "finished")
    assert machine.series(entry["id"], "loss")["value"] == [*range(800), *range(-800, -1200, -1)]
    assert machine.spools == []


def test_a_run_id_that_has_ended_is_not_written_to_without_resume(
    person: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    for expected in (True, False):
        run = depthboard.start(**START, run_id="once")
        run.log({"loss": 1}, step=0)
        assert run.finish() is expected
    assert "say resume=" in capfd.readouterr().err
    assert person.series(person.runs()[0]["id"], "loss")["value"] == [1]


def test_a_person_asks_a_script_to_stop_and_it_hears_of_it(person: Machine) -> None:
    with depthboard.start(**START) as run:
        run.log({"loss": 1}, step=0)
        assert run.flush()
        api = Api(person.url)
        api.json("POST", f"/api/runs/{run.number}/cancel")
        api.close()
        end = time.monotonic() + 30
        while not run.cancelled:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert person.runs()[0]["status"] == "cancelled"


def test_a_run_that_was_deleted_stops_no_training_and_its_spool_is_kept(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.up()
    run = depthboard.start(**START)
    run.log({"loss": 1}, step=0)
    assert run.flush()
    machine.kill()
    with sqlite3.connect(machine.server.database) as database:
        database.execute("pragma foreign_keys = on")
        database.execute("delete from run")
    database.close()
    machine.up()
    for step in range(1, 100):
        run.log({"loss": 1}, step=step)
    assert run.finish() is False
    assert "the API refuses" in capfd.readouterr().err
    assert "are kept in" in machine.command("sync").stdout
    assert machine.command("sync", "--again").returncode == 0
    assert machine.series(machine.runs()[0]["id"], "loss")["step"] == list(range(100))


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("value", ["0.5", None, [1, 2], {}, np.zeros(3), b"1", object()])
def test_a_value_that_is_no_number_is_refused_by_its_key(value: Any) -> None:
    with depthboard.start(**START) as run, pytest.raises(errors.InvalidInput, match="val/rmse"):
        run.log({"train/loss": 1.0, "val/rmse": value}, step=0)


def test_numbers_of_every_kind_are_kept_and_not_finite_ones_too(person: Machine) -> None:
    torch = pytest.importorskip("torch")
    values = [1, True, 2.5, np.float32(0.5), np.int64(7), torch.tensor(1.5), torch.tensor([2.0], requires_grad=True)]
    odd = [math.nan, math.inf, -math.inf, np.float64("nan")]
    with depthboard.start(**START) as run:
        for step, value in enumerate([*values, *odd]):
            run.log({"x": value}, step=np.int64(step))
        run.log({}, step=0)
    series = person.series(person.runs()[0]["id"], "x")
    assert series["value"][:7] == [1, 1, 2.5, 0.5, 7, 1.5, 2]
    assert [kind for _, kind in series["nonfinite"]] == ["nan", "inf", "-inf", "nan"]


@pytest.mark.usefixtures("machine")
def test_what_cannot_be_logged_is_refused_in_a_sentence() -> None:
    run = depthboard.start(**START)
    refused: list[tuple[str, Any]] = [
        ("step", lambda: run.log({"a": 1}, step=-1)),
        ("step", lambda: run.log({"a": 1}, step=1.5)),  # type: ignore[arg-type]
        ("step", lambda: run.log({"a": 1}, step=2**60)),
        ("wall", lambda: run.log({"a": 1}, step=1, wall=math.nan)),
        ("no name of a curve", lambda: run.log({"a\nb": 1}, step=1)),
        ("more than 1000", lambda: run.log({str(i): 1 for i in range(1001)}, step=1)),
        ("depth", lambda: run.log_depth("a", np.ones(4), step=1)),
        ("target", lambda: run.log_depth("a", np.ones((4, 4)), target=np.ones((4, 5)), step=1)),
        ("rgb", lambda: run.log_depth("a", np.ones((4, 4)), rgb=np.ones((4, 4, 5)), step=1)),
        ("name", lambda: run.log_depth(" ", np.ones((4, 4)), step=1)),
        ("experiment", lambda: depthboard.start(experiment="", name="a")),
        ("params", lambda: depthboard.start(**START, params={"a": {(1, 2): 3}})),
        ("run_id", lambda: depthboard.start(**START, run_id="my run")),
        ("writer", lambda: depthboard.start(**START, writer="")),
        ("resume", lambda: depthboard.start(**START, writer="rank1", resume="a")),
    ]
    for words, call in refused:
        with pytest.raises(errors.InvalidInput, match=words):
            call()
    assert run.finish(timeout=0) is False


def test_a_script_that_only_imports_depthboard_loads_no_web_client(person: Machine) -> None:
    script = person.script("import sys, depthboard; print(sorted(sys.modules))")
    loaded = script.communicate(timeout=60)[0]
    assert "httpx2" not in loaded
    assert "numpy" not in loaded


def test_the_speed_of_logging_is_shown(person: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    run = depthboard.start(**START)
    values = {f"k{i}": 0.1 * i for i in range(8)}
    run.log(values, step=0)
    assert run.flush()
    began, own = time.perf_counter(), time.thread_time()
    for step in range(1, 20_001):
        run.log(values, step=step)
    logged, own = time.perf_counter() - began, time.thread_time() - own
    assert run.flush(120)
    total = time.perf_counter() - began
    assert run.finish()
    with capsys.disabled():
        print(
            f"\n160,000 points: {160_000 / total:,.0f} points/s until acknowledged; log() {logged / 0.02:.1f} µs, "
            f"of which {own / 0.02:.1f} µs of its own"
        )
    assert _rows_held(person) == 20_001


def test_children_of_multiprocessing_end_without_waiting_for_the_parents_run(person: Machine) -> None:
    with depthboard.start(**START) as run:
        child = multiprocessing.get_context("fork").Process(target=run.log, args=({"child": 1},), kwargs={"step": 0})
        child.start()
        child.join(30)
        assert child.exitcode == 0
    assert person.series(person.runs()[0]["id"], "child")["value"] == [1]


def test_the_home_folder_is_readable_by_nobody_else(person: Machine) -> None:
    run = depthboard.start(**START)
    (folder,) = person.spools
    modes = {path.name: path.stat().st_mode & 0o077 for path in [folder, *Path(folder).iterdir()]}
    assert not any(modes.values()), modes
    run.finish(timeout=0)
