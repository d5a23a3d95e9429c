"""A person's own script: what it logged is in the record, once, whatever dies meanwhile. With a real API process."""

from __future__ import annotations

import math
import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthboard
from depthboard import errors
from depthboard.client import Api
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


def test_a_short_run_is_two_requests(person: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, request = [], Api.request

    logged = threading.Event()

    def noting(api: Api, method: str, path: str, *more: Any, **query: Any) -> Any:
        asked.append(path)
        assert logged.wait(60)
        return request(api, method, path, *more, **query)

    monkeypatch.setattr(Api, "request", noting)
    run = depthboard.start(**START)
    for step in range(100):
        run.log({"a": step}, step=step)
    logged.set()
    assert run.finish()
    monkeypatch.undo()
    assert asked == ["/api/scripts", f"/api/runs/{run.number}/finish"]
    assert person.series(run.number, "a")["value"] == list(range(100))
    assert person.spools == []


def test_a_run_that_is_finished_twice_closes_no_file_of_the_training(person: Machine, tmp_path: Path) -> None:
    with depthboard.start(**START) as run:
        run.log({"loss": 1}, step=0)
        assert run.finish()
        files = [(tmp_path / str(number)).open("w") for number in range(8)]
    for file in files:
        file.write("kept")
        file.close()
    assert person.runs()[0]["status"] == "finished"


@pytest.mark.parametrize("waiting", ["nothing else", "a map", "rows in memory"])
def test_an_end_whose_answers_are_lost_is_sent_again_and_adds_nothing(
    person: Machine, monkeypatch: pytest.MonkeyPatch, waiting: str
) -> None:
    """What the API committed is asked for once more, whether the last rows came with the end or before it."""
    asked, lost, request, logged = [], set(), Api.request, threading.Event()

    def losing(api: Api, method: str, path: str, *more: Any, **query: Any) -> Any:
        asked.append(path.rsplit("/", 1)[1])
        assert logged.wait(60)
        answer = request(api, method, path, *more, **query)
        if path not in lost:
            lost.add(path)
            raise errors.Unavailable("the answer is lost")
        return answer

    monkeypatch.setattr(Api, "request", losing)
    run = depthboard.start(**START)
    for step in range(100):
        if waiting == "rows in memory" and step == 50:
            monkeypatch.setattr(run._sending[0], "_write", lambda *_: False)
        run.log({"a": step}, step=step)
    if waiting == "a map":
        run.log_depth("frame 12", np.full((6, 8), 2.5), step=99)
    logged.set()
    assert run.finish()
    monkeypatch.undo()
    between = {"nothing else": [], "a map": ["points", "points", "depth", "depth"], "rows in memory": ["points"] * 3}
    assert asked == ["scripts", "scripts", *between[waiting], "finish", "finish"]
    series = person.series(run.number, "a")
    assert series["value"] == series["step"] == list(range(100))
    api = Api(person.url)
    assert len(api.json("GET", f"/api/runs/{run.number}/predictions")) == (waiting == "a map")
    api.close()
    assert person.runs()[0]["status"] == "finished"
    assert person.spools == []


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


def test_of_several_threads_that_log_first_in_a_forked_child_none_loses_a_row(person: Machine) -> None:
    run = depthboard.start(**START)

    def child() -> None:
        threads = [threading.Thread(target=run.log, args=({f"of {i}": i},), kwargs={"step": i}) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.finish()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert run.finish()
    (entry,) = person.runs()
    assert [person.series(entry["id"], f"of {i}")["value"] for i in range(8)] == [[i] for i in range(8)]


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


def test_another_writer_may_be_the_first_of_a_resumed_run(person: Machine) -> None:
    depthboard.start(**START, run_id="ranks").finish()
    rank = depthboard.start(**START, run_id="ranks.again", writer="rank1")
    rank.log({"rank/loss": 1}, step=0)
    assert rank.flush()
    main = depthboard.start(**START, run_id=rank.run_id)
    main.log({"loss": 1}, step=0)
    assert main.flush()
    assert rank.number == main.number
    assert rank.finish()
    assert main.finish()
    assert [entry["status"] for entry in person.runs()] == ["finished"]


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
        ("step", lambda: run.log({"a": 1}, step=2**40 + 1)),
        ("step", lambda: run.log_depth("a", np.ones((4, 4)), step=2**40 + 1)),
        ("wall", lambda: run.log({"a": 1}, step=1, wall=math.nan)),
        ("no name of a curve", lambda: run.log({"a\nb": 1}, step=1)),
        ("more than 1000", lambda: run.log({str(i): 1 for i in range(1001)}, step=1)),
        ("depth", lambda: run.log_depth("a", np.ones(4), step=1)),
        ("target", lambda: run.log_depth("a", np.ones((4, 4)), target=np.ones((4, 5)), step=1)),
        ("rgb", lambda: run.log_depth("a", np.ones((4, 4)), rgb=np.ones((4, 4, 5)), step=1)),
        ("depth", lambda: run.log_depth("a", np.ones((8193, 2)), step=1)),
        ("step", lambda: run.log_depth("a", np.ones((4, 4)), step=-1)),
        ("name", lambda: run.log_depth("a\x7f", np.ones((4, 4)), step=1)),
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
    assert person.rows_held() == 20_001


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
