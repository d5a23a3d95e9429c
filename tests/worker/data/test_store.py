from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from depthboard.config import DataConfig
from depthboard.errors import DataProblem, Unavailable
from tests.worker.data.conftest import MakeFolder
from worker.data import FrameStore, Source, open_source, pack
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


def test_another_size_crop_or_fingerprint_is_kept_apart(source: Source, tmp_path: Path) -> None:
    frames = source.frames("held_out", "train")
    for config, fingerprint in ((CONFIG, "f"), (DataConfig(height=64, width=64), "f"), (CONFIG, "g")):
        FrameStore(source, frames, config, fingerprint=fingerprint, cache=tmp_path)
    assert len(list((tmp_path / "frames").glob("*/*/rgb.npy"))) == 3


def test_other_frames_of_a_dataset_share_its_pack_and_none_is_decoded_twice(source: Source, tmp_path: Path) -> None:
    """Subsets of two seeds, then all: as runs of several sizes and seeds take them."""
    frames, decoded, prepared = source.frames("held_out", "train"), [], source.prepared

    def counting(frame: str, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
        decoded.append(frame)
        return prepared(frame, config)

    source.prepared = counting  # type: ignore[method-assign]
    some = [[frames[3], frames[1]], [frames[4], frames[3]], frames]
    stores = [FrameStore(source, names, CONFIG, fingerprint="f", cache=tmp_path) for names in some]
    assert sorted(decoded) == sorted(frames)
    assert len(list((tmp_path / "frames").iterdir())) == 1
    for names, store in zip(some, stores, strict=True):
        fresh = FrameStore(source, names, CONFIG, fingerprint="f", cache=tmp_path, byte_limit=0)
        for a, b in zip(store.raw(range(len(names))), fresh.raw(range(len(names))), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("file, keep", [("depth.npy", -100), ("rgb.npy", 0), ("names.json", -3), ("names.json", None)])
def test_a_damaged_segment_is_decoded_again_and_whoever_reads_it_goes_on(
    open_store: Callable[..., FrameStore], source: Source, tmp_path: Path, file: str, keep: int | None
) -> None:
    reading = open_store()
    whole = reading.raw(range(8))
    (damaged,) = (tmp_path / "cache" / "frames").glob(f"*/*/{file}")
    content = damaged.read_bytes()
    damaged.unlink()  # a live reader has the file itself mapped
    if keep is not None:
        damaged.write_bytes(content[:keep])
    other_order = list(reversed(source.frames("held_out", "train")))
    FrameStore(source, other_order, CONFIG, fingerprint="f", cache=tmp_path / "cache")
    for store in (reading, open_store(), open_store()):
        for a, b in zip(whole, store.raw(range(8)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_frames_may_be_asked_for_twice_and_none_at_all(source: Source, tmp_path: Path) -> None:
    frames = source.frames("held_out", "train")
    twice = FrameStore(source, [frames[0], frames[0], frames[2]], CONFIG, fingerprint="f", cache=tmp_path)
    rgb, depth = twice.raw([0, 1, 2])
    np.testing.assert_array_equal(rgb[0], rgb[1])
    np.testing.assert_array_equal(
        depth[2], FrameStore(source, frames, CONFIG, fingerprint="f", cache=tmp_path).raw([2])[1][0]
    )
    none = FrameStore(source, [], CONFIG, fingerprint="f", cache=tmp_path)
    assert (none.raw([])[0].shape, none.median_depth()) == ((0, 3, 32, 64), 0.0)


def test_a_disk_without_room_is_said_before_it_is_filled(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=8 * 32 * 64 * 5 - 1))
    with pytest.raises(Unavailable, match=r"No space left on device.*Free 0 MiB there"):
        FrameStore(source, source.frames("held_out", "train"), CONFIG, fingerprint="f", cache=tmp_path)
    assert not list((tmp_path / "frames").glob("*/segment-*"))


def test_writers_that_are_killed_leave_every_frame_what_it_is(folder_pair: MakeFolder, tmp_path: Path) -> None:
    """Overlapping lists, two frames a segment, killed at random: what is read is what is decoded."""
    root, random = folder_pair(24), np.random.default_rng(0)
    context = multiprocessing.get_context("fork")
    source = open_source("folder", str(root), {"unit": "mm"})
    frames = source.all_frames()
    fresh = FrameStore(source, frames, CONFIG, fingerprint="f", cache=tmp_path, byte_limit=0).raw(range(len(frames)))
    for _ in range(12):
        lists = [list(random.choice(frames, 9, replace=False)) for _ in range(2)]
        writers = [context.Process(target=_pack, args=(str(root), str(tmp_path), names)) for names in lists]
        for writer in writers:
            writer.start()
        time.sleep(float(random.uniform(0, 0.15)))
        for writer in writers:
            writer.kill()
            writer.join()
        some = [int(i) for i in random.choice(len(frames), 5, replace=False)]
        store = FrameStore(source, [frames[i] for i in some], CONFIG, fingerprint="f", cache=tmp_path)
        for ours, theirs in zip(store.raw(range(5)), fresh, strict=True):
            np.testing.assert_array_equal(ours, theirs[some])
    assert len(list((tmp_path / "frames").glob("*/tmp-*"))) <= 1


def _pack(root: str, cache: str, names: list[str]) -> None:
    pack.TOGETHER = 2
    source = open_source("folder", root, {"unit": "mm"})
    FrameStore(source, names, CONFIG, fingerprint="f", cache=Path(cache))


def test_a_frame_that_cannot_be_decoded_leaves_the_pack_as_it_was(source: Source, tmp_path: Path) -> None:
    frames, prepared = source.frames("held_out", "train"), source.prepared
    FrameStore(source, frames[:2], CONFIG, fingerprint="f", cache=tmp_path)

    def failing(frame: str, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
        if frame == frames[5]:
            raise DataProblem("broken", field=frame)
        return prepared(frame, config)

    source.prepared = failing  # type: ignore[method-assign]
    with pytest.raises(DataProblem, match="broken"):
        FrameStore(source, frames, CONFIG, fingerprint="f", cache=tmp_path)
    source.prepared = prepared  # type: ignore[method-assign]
    store = FrameStore(source, frames, CONFIG, fingerprint="f", cache=tmp_path)
    fresh = FrameStore(source, frames, CONFIG, fingerprint="f", cache=tmp_path, byte_limit=0)
    np.testing.assert_array_equal(store.raw(range(8))[1], fresh.raw(range(8))[1])


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
    written = [json.loads(file.read_text()) for file in (tmp_path / "c" / "frames").glob("*/*/names.json")]
    due = open_source("folder", str(root), {"unit": "mm"}).frames("held_out", "train")
    assert sorted(chain.from_iterable(written)) == sorted(due), "each decoded once"


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
