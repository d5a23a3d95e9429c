"""A script, its API and their disk die or fill up: what was logged is in the record, once. With a real API process."""

from __future__ import annotations

import signal
import sqlite3
import time

import numpy as np
import pytest

import depthboard
from depthboard.client import Client
from tests.scripts.conftest import Machine

START = {"experiment": "my study", "name": "l1, my network"}


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
    assert machine.rows_held() == 4080


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
        assert (told.returncode, "does not answer" in told.stdout) == (1, True)
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
    assert person.rows_held() == 3000


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


def test_a_depth_map_that_cannot_be_read_is_set_aside_and_the_rest_is_sent(machine: Machine) -> None:
    run = depthboard.start(**START)
    run.log({"loss": 1}, step=0)
    for step in (0, 1):
        run.log_depth("a", np.ones((4, 4)), step=step)
    (folder,) = machine.spools
    (folder / "depth" / "00000001.npz").write_bytes(b"PK damaged")
    machine.up()
    assert run.finish()
    (entry,) = machine.runs()
    with Client(machine.url) as client:
        (shown,) = client.api.json("GET", f"/api/runs/{entry['id']}/predictions")
    assert (entry["status"], shown["step"], machine.spools) == ("finished", 1, [])
    (aside,) = (machine.home / "spool").glob("*.bad")
    assert aside.read_bytes() == b"PK damaged"


def test_a_spool_whose_api_is_gone_does_not_keep_sync_from_the_others(person: Machine) -> None:
    for url in ("http://127.0.0.1:9", person.url):
        text = f"""
            import depthboard, os
            run = depthboard.start(experiment="my study", name="left", url="{url}")
            run.log({{"loss": 1}}, step=0)
            os._exit(9)
        """
        person.script(text).communicate(timeout=60)
    done = person.command("sync")
    assert (done.returncode, "does not answer" in done.stdout, "rows sent" in done.stdout) == (1, True, True)
    assert len(person.spools) == 1
