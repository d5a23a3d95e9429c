from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from depthboard.config import DataConfig
from depthboard.errors import Unavailable
from tests.worker.data.conftest import MakeFolder
from worker.data import FrameStore, Source, open_source
from worker.data.store import to_millimetres

CONFIG = DataConfig(height=32, width=64)


@pytest.fixture
def source(folder_pair: MakeFolder) -> Source:
    return open_source("folder", str(folder_pair()), {"unit": "mm"})


@pytest.fixture
def open_store(source: Source, tmp_path: Path) -> Callable[..., FrameStore]:
    def open_(**keywords: int) -> FrameStore:
        frames = source.frames("held_out", "train")
        return FrameStore(source, frames, CONFIG, fingerprint="f", cache=tmp_path / "cache", **keywords)

    return open_


def test_a_batch_has_network_units_metres_and_a_mask(source: Source, open_store: Callable[..., FrameStore]) -> None:
    rgb, depth, mask = open_store().batch([3, 0])
    assert (rgb.shape, depth.shape, mask.shape) == ((2, 3, 32, 64), (2, 1, 32, 64), (2, 1, 32, 64))
    assert (rgb.dtype, depth.dtype, mask.dtype) == (torch.float32, torch.float32, torch.bool)
    due_rgb, due_depth = source.prepared(source.frames("held_out", "train")[3], CONFIG)
    np.testing.assert_allclose(rgb[0].numpy(), due_rgb.transpose(2, 0, 1) / 255 * 2 - 1, atol=1e-6)
    np.testing.assert_allclose(depth[0, 0].numpy(), due_depth, atol=5e-4)
    np.testing.assert_array_equal(mask[0, 0].numpy(), due_depth > 0)
    assert not mask.all()


def test_frames_decoded_each_time_equal_those_kept(open_store: Callable[..., FrameStore]) -> None:
    kept, fresh = open_store(), open_store(byte_limit=0)
    assert kept.cached
    assert not fresh.cached
    for a, b in zip(kept.batch([1, 5, 2]), fresh.batch([1, 5, 2]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert kept.median_depth() == fresh.median_depth()


def test_a_second_store_reads_what_the_first_wrote(open_store: Callable[..., FrameStore], source: Source) -> None:
    first = open_store().batch(range(8))

    def fail(*_: object) -> None:
        raise AssertionError("decoded again")

    source.prepared = fail  # type: ignore[method-assign, assignment]
    for a, b in zip(first, open_store().batch(range(8)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_another_size_crop_frame_list_or_fingerprint_is_kept_apart(source: Source, tmp_path: Path) -> None:
    frames = source.frames("held_out", "train")
    for config, chosen, fingerprint in (
        (CONFIG, frames, "f"),
        (DataConfig(height=64, width=64), frames, "f"),
        (CONFIG, frames[1:], "f"),
        (CONFIG, frames, "g"),
    ):
        FrameStore(source, chosen, config, fingerprint=fingerprint, cache=tmp_path)
    assert len(list((tmp_path / "frames").glob("*/rgb.npy"))) == 4


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY garbage", None])
def test_a_damaged_cache_is_built_again(
    open_store: Callable[..., FrameStore], tmp_path: Path, damage: bytes | None
) -> None:
    first = open_store().batch([0])
    (file,) = (tmp_path / "cache" / "frames").glob("*/depth.npy")
    file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    for a, b in zip(first, open_store().batch([0]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_what_a_killed_process_left_is_cleared_away(open_store: Callable[..., FrameStore], tmp_path: Path) -> None:
    open_store()
    (folder,) = (path for path in (tmp_path / "cache" / "frames").iterdir() if path.is_dir())
    (folder.parent / f"{folder.name}.tmp-dead").mkdir()
    (folder / "rgb.npy").unlink()
    open_store()
    assert not list(folder.parent.glob("*.tmp-*"))


def _build(root: str, cache: str, queue: multiprocessing.Queue[int]) -> None:
    source = open_source("folder", root, {"unit": "mm"})
    store = FrameStore(source, source.frames("held_out", "train"), CONFIG, fingerprint="f", cache=Path(cache))
    queue.put(int(store.raw(range(len(store)))[1].sum()))


def test_two_processes_that_start_together_get_the_same_whole_arrays(folder_pair: MakeFolder, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    root = folder_pair(40)
    workers = [context.Process(target=_build, args=(str(root), str(tmp_path / "c"), queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    totals = {queue.get(timeout=120) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(totals) == 1
    assert [path.name for path in (tmp_path / "c" / "frames").iterdir() if "tmp" in path.name] == []


def test_a_cache_that_cannot_be_written_is_said_in_a_sentence(source: Source, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match=r"cannot be kept in .*set another cache folder"):
        FrameStore(source, source.all_frames(), CONFIG, fingerprint="f", cache=tmp_path / "file")


def test_the_median_is_that_of_all_valid_depths(source: Source, open_store: Callable[..., FrameStore]) -> None:
    depths = [source.prepared(frame, CONFIG)[1] for frame in source.frames("held_out", "train")]
    valid = np.concatenate([to_millimetres(depth)[depth > 0] for depth in depths])
    assert open_store().median_depth() == pytest.approx(float(np.median(valid)) / 1000)


def test_millimetres_are_rounded_and_what_cannot_be_written_is_invalid() -> None:
    depth = np.array([0, 1.2344, 1.2346, 65.535, 65.6, np.nan, np.inf, -1, 3e38], np.float32)
    assert to_millimetres(depth).tolist() == [0, 1234, 1235, 65535, 0, 0, 0, 0, 0]
