"""A script, its API and their disk die or fill up: what was logged is in the record, once. With a real API process."""

from __future__ import annotations

import json
import secrets
import signal
import sqlite3
import struct
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import depthboard
from depthboard import spool
from depthboard.client import Client
from depthboard.sending import send
from depthboard.spool import MARK, MARKED, SENT, About, Spool
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


def test_rows_behind_those_that_were_sent_from_memory_are_sent_by_sync(machine: Machine) -> None:
    machine.up()
    script = machine.script("""
        import os, signal
        import depthboard
        from depthboard import spool
        from depthboard.client import Api
        from depthboard.errors import Unavailable

        def log(first):
            for step in range(first, first + 100):
                run.log({"loss": step}, step=step)

        def away(*_, **__):
            raise Unavailable("away")

        spool.RETRY_SECONDS = 0.0
        run = depthboard.start(experiment="my study", name="full")
        log(0)
        assert run.flush()
        written = run._sending[0]
        write, written._write = written._write, lambda *_: False
        log(100)
        assert run.flush()
        Api.request, written._write = away, write
        log(200)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    script.communicate(timeout=120)
    done = machine.command("sync")
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.series(machine.runs()[0]["id"], "loss")["value"] == list(range(300))
    assert machine.spools == []


def test_rows_are_sent_from_memory_though_half_a_row_stands_in_the_file(person: Machine) -> None:
    script = person.script("""
        import os, resource
        import depthboard

        def refuse(*_):
            raise PermissionError(1, "Operation not permitted")

        os.ftruncate = refuse
        run = depthboard.start(experiment="my study", name="torn")
        run.flush()
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        for step in range(3000):
            run.log({"loss": step}, step=step)
        assert run.flush()
        assert run.finish()
    """)
    _, told = script.communicate(timeout=120)
    assert script.returncode == 0, told
    assert person.series(person.runs()[0]["id"], "loss")["value"] == list(range(3000))


def test_a_forked_child_that_cannot_make_its_spool_trains_on_and_says_what_is_lost(person: Machine) -> None:
    script = person.script("""
        import os, resource, time
        import depthboard, numpy
        from depthboard import spool
        spool.RETRY_SECONDS = 0.0
        run = depthboard.start(experiment="my study", name="forks")
        run.log({"parent": 1}, step=0)
        assert run.flush()
        child = os.fork()
        if child == 0:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
            for step in range(5):
                run.log({"child": step}, step=step)
            run.log_depth("frame", numpy.ones((4, 4)), step=0)
            assert (run.number, run.cancelled, run.flush(0.1)) == (None, False, False)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            for step in range(5, 8):
                run.log({"child": step}, step=step)
            os._exit(0 if run.finish() else 1)
        assert os.waitpid(child, 0)[1] == 0
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            run.log({"child": 9}, step=9)
            os._exit(1 if run.finish() else 0)
        assert os.waitpid(child, 0)[1] == 0
        assert run.finish()
    """)
    _, told = script.communicate(timeout=60)
    assert script.returncode == 0, told
    assert told.count("is lost until then") == 2, "once a process"
    assert "5 rows were lost" in told
    assert "1 rows were lost" in told
    (entry,) = person.runs()
    assert person.series(entry["id"], "child")["value"] == [5, 6, 7]
    assert person.spools == []


def test_a_script_that_can_open_no_more_files_is_told_so_at_its_start(person: Machine) -> None:
    script = person.script("""
        import os, resource, threading
        import depthboard
        from depthboard.errors import Misconfigured
        depthboard.start(experiment="my study", name="before").finish()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.open(".", os.O_RDONLY)
        os.close(lowest)
        refused = 0
        for left in range(8):
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + left, hard))
            try:
                run = depthboard.start(experiment="my study", name="narrow")
            except Misconfigured as error:
                refused += 1
                assert "DEPTHBOARD_HOME" in str(error)
            else:
                break
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert refused > 4, refused
        run.log({"loss": 1}, step=0)
        assert run.finish()
    """)
    _, told = script.communicate(timeout=60)
    assert script.returncode == 0, told
    assert [run["name"] for run in person.runs()] == ["before", "narrow"]
    assert person.spools == []


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


KILLED = """
    import os, signal, sys
    import depthboard
    begin, how = int(sys.argv[1]), sys.argv[2]
    run = depthboard.start(experiment="my study", name="preempted", **{how: "job-1"})
    for step in range(begin, begin + 100):
        run.log({"loss": step}, step=step)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("sent_by", ["a third resume", "sync"])
def test_a_run_that_was_resumed_and_killed_twice_while_the_api_was_away_is_there_once(
    machine: Machine, sent_by: str
) -> None:
    for begin, how in ((0, "run_id"), (100, "resume"), (200, "resume")):
        machine.script(KILLED, str(begin), how).communicate(timeout=60)
    assert len(machine.spools) == 3
    machine.up()
    if sent_by == "sync":
        done = machine.command("sync")
        assert (done.returncode, done.stdout.count("100 rows sent")) == (0, 3), done.stdout + done.stderr
    else:
        run = depthboard.start(experiment="my study", name="preempted", resume="job-1")
        for step in range(300, 400):
            run.log({"loss": step}, step=step)
        assert run.finish()
    (entry,) = machine.runs()
    assert machine.series(entry["id"], "loss")["value"] == list(range(300 if sent_by == "sync" else 400))
    assert machine.spools == []


def left(person: Machine, name: str, **changed: object) -> Path:
    """A spool of two rows that a killed script left behind, with such fields of run.json."""
    folder = person.home / "spool" / secrets.token_hex(8)
    secret = secrets.token_hex(32)
    about = About(person.url, secret, secret, "main:1", "my study", name, {}, "here", time.time())
    written = Spool(folder, about, lambda words: pytest.fail(words))
    for step in (0, 1):
        written.log({"loss": step}, step, time.time())
    written.close()
    (folder / "run.json").write_text(json.dumps({**asdict(about), **changed}))
    return folder


STRANGE = {
    "of other fields": '{"url": "http://127.0.0.1:9"}',
    "a list": "[1, 2]",
    "a number": "3",
    "cut off": '{"url":',
    "no text": "\udcff",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("kind", [*STRANGE, "of no time", "of a number as url"])
def test_a_spool_of_nobody_knows_whom_keeps_no_other_one_back(person: Machine, kind: str) -> None:
    changed = {"of no time": {"started": "now"}, "of a number as url": {"url": 5}}
    folder = left(person, "strange", **changed.get(kind, {}))
    if kind in STRANGE:
        (folder / "run.json").write_bytes(STRANGE[kind].encode(errors="surrogateescape"))
    left(person, "killed")
    done = person.command("sync")
    assert (done.returncode, done.stdout.count("run.json")) == (1, 1), done.stdout + done.stderr
    assert f"{folder} is left as it is" in done.stdout
    assert "killed: 2 rows sent." in done.stdout
    run = depthboard.start(**START)
    run.log({"loss": 1}, step=0)
    assert run.finish()
    assert [(entry["name"], entry["status"]) for entry in person.runs()] == [
        ("killed", "failed"),
        (START["name"], "finished"),
    ]
    assert person.spools == [folder]


def test_a_spool_with_fields_of_a_newer_release_is_sent(person: Machine) -> None:
    left(person, "newer", colour="red")
    done = person.command("sync")
    assert (done.returncode, "newer: 2 rows sent." in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("keys", ["5\n", '{"a": 1}\n', "[]\n", "[1]\n", "{{{\n", "[" * 100_000 + "\n"])
def test_a_spool_of_strange_keys_is_kept_and_keeps_no_other_one_back(person: Machine, keys: str) -> None:
    strange, _ = left(person, "strange"), left(person, "killed")
    (strange / "keys").write_text(keys)
    done = person.command("sync")
    assert done.returncode == 1
    assert "strange: not sent, kept in" in done.stdout
    assert "killed: 2 rows sent." in done.stdout
    assert person.spools == [strange]


@pytest.mark.parametrize(
    "end", ["[]", '{"foo": 1}', '{"status": "queued", "reason": "", "wall": 1}', '{"status": "finished", "wall": "x"}']
)
def test_an_end_that_cannot_be_read_is_none(person: Machine, end: str) -> None:
    (left(person, "killed") / "end.json").write_text(end)
    done = person.command("sync")
    assert done.returncode == 0, done.stdout + done.stderr
    (entry,) = person.runs()
    assert (entry["status"], "ended without run.finish()" in entry["reason"]) == ("failed", True)


@pytest.mark.parametrize("name", ["[/x]", "[small] :100:"])
def test_a_name_in_square_brackets_is_printed_as_it_is(person: Machine, name: str) -> None:
    left(person, name)
    left(person, "the next")
    done = person.command("sync")
    assert (done.returncode, person.spools) == (0, []), done.stdout + done.stderr
    assert f"{name}: 2 rows sent." in done.stdout


ROW = struct.Struct("<Iqdd")
MORE = {
    "of keys that nobody named": ROW.pack(7, 2, 1e9, 1.0) + ROW.pack(0, 3, 1e9, 1.0),
    "of a negative mark": MARKED.pack(MARK, -3) + ROW.pack(0, 2, 1e9, 1.0),
    "of a negative step": ROW.pack(0, -5, 1e9, 1.0),
}


@pytest.mark.parametrize("more", MORE)
def test_rows_that_cannot_be_read_are_kept_and_told(person: Machine, more: str) -> None:
    folder = left(person, "odd")
    with (folder / "rows").open("ab") as file:
        file.write(MORE[more])
    done = person.command("sync")
    assert (done.returncode, "cannot be read" in done.stdout) == (1, True), done.stdout + done.stderr
    assert "cannot be read" in (folder / "refused").read_text()
    assert "1 are kept in" in done.stdout


@pytest.mark.parametrize("cut", [3, 10, 20, 27])
def test_a_last_row_that_a_kill_cut_off_is_dropped(person: Machine, cut: int) -> None:
    folder = left(person, "torn")
    with (folder / "rows").open("ab") as file:
        file.write(ROW.pack(0, 2, 1e9, 1.0)[:cut])
    rows = send(folder, spool.read(folder, "run.json", About), pytest.fail, 0.0)  # type: ignore[arg-type]
    assert (rows, person.spools) == (2, [])


@pytest.mark.parametrize("sent", [(100, 10**6), (-5, -5)])
def test_a_note_of_what_was_sent_that_cannot_be_true_loses_no_row(person: Machine, sent: tuple[int, int]) -> None:
    folder = left(person, "odd")
    (folder / "sent").write_bytes(SENT.pack(*sent))
    rows = send(folder, spool.read(folder, "run.json", About), pytest.fail, 0.0)  # type: ignore[arg-type]
    assert (rows, person.rows_held(), person.spools) == (2, 2, [])
