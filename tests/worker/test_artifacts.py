"""Where checkpoints are kept: a folder, or an S3 server over HTTP; nothing else is deleted there."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from depthboard.errors import Misconfigured
from depthboard.settings import Settings
from worker import artifacts, checkpoint
from worker.artifacts import Bucket, Folder, OutOfReach, local, open_store
from worker.checkpoint import Saver, Shelf, Unwritten

SERVER = """
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
import boto3, sys
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="studies")
print(url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that speaks S3, with an empty bucket `studies`."""
    pytest.importorskip("moto", reason="moto serves S3 for tests: pip install -e .[dev]")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        command = [sys.executable, "-W", "ignore", "-c", SERVER]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        patch.setenv("AWS_ENDPOINT_URL", url)
        yield url
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


STATE = {"weights": torch.arange(1_000_000.0), "best": {"pooled": [1, 0.5]}}


def test_checkpoints_in_s3_are_kept_whole_come_back_equal_and_are_forgotten(server: str) -> None:
    assert server
    shelf = Shelf(Bucket("s3://studies/depth/a"), "runs/9f-7", attempt=2, keep=2)
    notes = []
    saver = Saver(shelf, lambda: None, notes.append)
    for step in (1, 2, 3, 4):
        saver.save({**STATE, "step": step})
    saver.close()
    assert [note.path.rpartition("/")[2] for note in notes] == [f"step-00000000000{step}-2.pt" for step in (1, 2, 3, 4)]
    assert notes[0].path.startswith("s3://studies/depth/a/runs/9f-7/")
    assert {note.host for note in notes} == {""}
    assert sorted(shelf.store.paths(shelf.folder)) == [notes[i].path for i in (0, 2, 3)], "best on validation, and two"
    state = checkpoint.first_whole([notes[1], notes[3]])
    assert state is not None
    assert state["step"] == 4
    assert torch.equal(state["weights"], STATE["weights"])  # type: ignore[arg-type]
    assert shelf.store.free(notes[3].path)
    assert checkpoint.load(notes[3]) is None
    assert shelf.store.free(notes[3].path), "what is gone is gone"


def test_a_damaged_object_is_not_taken(server: str, tmp_path: Path) -> None:
    assert server
    store = Bucket("s3://studies/damaged")
    note = checkpoint.write(Shelf(store, "runs/7"), {**STATE, "step": 1})
    half = tmp_path / "half"
    half.write_bytes(b"PK")
    store.keep(half, "runs/7/step-000000000001-1.pt")
    assert checkpoint.load(note) is None


def test_only_what_lies_under_the_prefix_is_deleted(server: str, tmp_path: Path) -> None:
    assert server
    whole, ours = Bucket("s3://studies"), Bucket("s3://studies/ours")
    file = tmp_path / "file"
    file.write_bytes(b"x")
    other = whole.keep(file, "theirs/step-000000000001-1.pt")
    data = whole.keep(file, "ours/data.csv")
    for path in (other, data, "s3://elsewhere/ours/step-000000000001-1.pt"):
        assert not ours.free(path)
    assert whole.paths("theirs") == [other]


def test_a_store_that_does_not_answer_is_no_missing_checkpoint(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server
    note = checkpoint.write(Shelf(Bucket("s3://studies/away"), "runs/7"), {**STATE, "step": 1})
    from datetime import timedelta

    monkeypatch.setattr(artifacts, "PATIENCE", timedelta(seconds=0.2))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OutOfReach, match=r"s3://studies/away/.* does not answer"):
        checkpoint.load(note)


def test_the_store_follows_from_the_url(tmp_path: Path) -> None:
    def store(url: str) -> artifacts.Store:
        return open_store(Settings(_env_file=None, home=tmp_path, artifacts_url=url))

    here, shared = store(""), store(f"file://{tmp_path}/all%20of%20us")
    assert isinstance(here, Folder)
    assert here.host
    assert shared.host == ""
    note = checkpoint.write(Shelf(shared, "runs/7"), {"step": 1})
    assert note.path == f"file://{tmp_path}/all%20of%20us/runs/7/step-000000000001-1.pt"
    assert checkpoint.load(note) == {"step": 1}
    for url in ("s3://", "ftp://there/x", "file://host/x", "artifacts"):
        with pytest.raises(Misconfigured, match="DEPTHBOARD_ARTIFACTS_URL"):
            store(url)


def test_a_worker_deletes_checkpoints_of_its_own_folders_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home", artifacts_url=f"file://{tmp_path}/shared")
    old = checkpoint.write(Shelf(Folder(settings.artifacts, "here"), "runs/7"), {"step": 1})
    new = checkpoint.write(Shelf(open_store(settings), "runs/7"), {"step": 2})
    outside = tmp_path / "step-000000000001-1.pt"
    outside.write_text("mine")
    notes = settings.artifacts / "runs" / "notes.txt"
    notes.write_text("mine")
    link = settings.artifacts / "runs" / "link"
    link.symlink_to(tmp_path)
    climbing = settings.artifacts / "runs" / ".." / ".." / ".." / outside.name
    for path in (outside, notes, link / outside.name, climbing, "step-000000000001-1.pt", "/etc/passwd", ""):
        assert not artifacts.free(settings, str(path))
    assert outside.exists()
    assert notes.exists()
    for note in (old, new):
        assert artifacts.free(settings, note.path)
        assert not local(note.path).parent.exists()
        assert artifacts.free(settings, note.path), "what is gone is freed"


def test_a_folder_that_is_not_mounted_has_freed_nothing(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, artifacts_url=f"file://{tmp_path}/disk")
    path = f"file://{tmp_path}/disk/runs/7/step-000000000001-1.pt"
    assert not artifacts.free(settings, path)
    (tmp_path / "disk").mkdir()
    assert not artifacts.free(settings, path), "an empty mount point"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where a shared store is mounted: see `unmounted`."""
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@contextmanager
def unmounted(disk: Path) -> Iterator[None]:
    """The mount point stays, empty."""
    away = disk.with_name("away")
    disk.rename(away)
    disk.mkdir()
    try:
        yield
    finally:
        disk.rmdir()
        away.rename(disk)


def test_a_store_that_is_not_mounted_is_no_missing_checkpoint(disk: Path) -> None:
    note = checkpoint.write(Shelf(Folder(disk, ""), "runs/7"), {"step": 1})
    with unmounted(disk), pytest.raises(OutOfReach, match=r"not there.*Mount it on .*\.depthboard-store"):
        checkpoint.first_whole([note])
    assert checkpoint.first_whole([note]) == {"step": 1}
    shutil.rmtree(disk / "runs")
    assert checkpoint.first_whole([note]) is None, "the store is there, and the file is gone"


def test_a_store_of_a_release_that_left_no_mark_is_known_by_its_folder_of_runs(disk: Path) -> None:
    note = checkpoint.write(Shelf(Folder(disk, ""), "runs/7"), {"step": 1})
    (disk / artifacts.MARKER).unlink()
    local(note.path).unlink()
    assert checkpoint.load(note) is None
    checkpoint.write(Shelf(Folder(disk, "", known=True), "runs/8"), {"step": 1})
    assert not (disk / artifacts.MARKER).exists(), "its root may be somebody else's"


def test_no_checkpoint_is_written_into_the_mount_point_while_the_disk_is_away(disk: Path) -> None:
    checkpoint.write(Shelf(Folder(disk, ""), "runs/7"), {"step": 1})
    shelf = Shelf(Folder(disk, ""), "runs/7")
    with unmounted(disk):
        begun_meanwhile = Shelf(Folder(disk, "", known=True), "runs/8")
        for of_whom in (shelf, begun_meanwhile):
            with pytest.raises(Unwritten, match="is not there"):
                checkpoint.write(of_whom, {"step": 2})
        assert not list(disk.iterdir())
    assert checkpoint.load(checkpoint.write(shelf, {"step": 2})) == {"step": 2}


def test_a_home_that_was_removed_holds_no_checkpoint(tmp_path: Path) -> None:
    note = checkpoint.write(Shelf(Folder(tmp_path / "artifacts", "here"), "runs/7"), {"step": 1})
    assert not (tmp_path / "artifacts" / artifacts.MARKER).exists()
    shutil.rmtree(tmp_path / "artifacts")
    assert checkpoint.first_whole([note]) is None


@pytest.mark.parametrize("shared", [True, False])
def test_a_checkpoint_that_cannot_be_opened_now_is_tried_again_later(tmp_path: Path, shared: bool) -> None:
    """A link to itself gives ELOOP, also to root; EIO and ESTALE come the same way."""
    note = checkpoint.write(Shelf(Folder(tmp_path, "" if shared else platform.node()), "runs/7"), {"step": 1})
    file = local(note.path)
    file.unlink()
    file.symlink_to(file)
    with pytest.raises(OutOfReach, match="cannot be read"):
        checkpoint.load(note)
    elsewhere = note.model_copy(update={"host": "elsewhere"})
    assert checkpoint.load(elsewhere) is None, "what is at this path here is no other host's disk"


def test_a_worker_does_not_take_its_own_disk_for_a_shared_one_at_the_same_path(tmp_path: Path) -> None:
    own = Settings(_env_file=None, home=tmp_path)
    shared = own.model_copy(update={"artifacts_url": f"file://{own.artifacts}"})
    note = checkpoint.write(Shelf(open_store(shared), "runs/7"), {"step": 1})
    local(note.path).unlink()
    assert not artifacts.free(own, note.path), "it lies on another host's disk"
    assert artifacts.free(shared, note.path)


def test_what_a_killed_attempt_was_writing_is_removed_by_the_next(tmp_path: Path) -> None:
    shelf = Shelf(Folder(tmp_path, "here"), "runs/7")
    left = tmp_path / "runs" / "7" / "step-000000000001-1.pt.tmp-99"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    note = checkpoint.write(shelf, {"step": 2})
    assert [file.name for file in left.parent.iterdir()] == [Path(note.path).name]
    assert hashlib.sha256(Path(note.path).read_bytes()).hexdigest() == note.sha256
