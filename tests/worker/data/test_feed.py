"""Batches on their way to the device: the same from whatever place they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from depthboard.config import DataConfig
from worker.data import FrameStore, open_source
from worker.data.feed import Feed
from worker.data.store import LARGEST_MM, as_batch
from worker.schedule import ImageOrder

CPU = torch.device("cpu")


@pytest.fixture
def stores(tmp_path: Path) -> Callable[[int], FrameStore]:
    source = open_source("rooms")
    names = list(source.frames("official", "train")[:20])

    def make(limit: int) -> FrameStore:
        return FrameStore(source, names, DataConfig(), fingerprint="rooms", cache=tmp_path, byte_limit=limit)

    return make


@pytest.fixture
def feeds(stores: Callable[[int], FrameStore]) -> Iterator[dict[str, Feed]]:
    made = {feed.place: feed for feed in (Feed(stores(10**9), CPU), Feed(stores(0), CPU))}
    yield made
    for feed in made.values():
        feed.close()


def test_packed_and_decoded_frames_make_the_same_batches(
    feeds: dict[str, Feed], stores: Callable[[int], FrameStore]
) -> None:
    order = ImageOrder(20, 8, 0)
    assert set(feeds) == {"page cache", "files"}
    for step in (0, 1, 2, 7, 3):  # also out of turn, as a resumed run begins
        expected = stores(10**9).batch(order.batch(step).tolist())
        for feed in feeds.values():
            assert all(torch.equal(a, b) for a, b in zip(feed.batch(step, order.batch), expected, strict=True))


def test_the_next_batch_is_decoded_while_the_network_computes(feeds: dict[str, Feed]) -> None:
    feed, order = feeds["files"], ImageOrder(20, 8, 0)
    gathered: list[tuple[str, list[int]]] = []
    gather, done = feed._gather, threading.Event()

    def noted(chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        raw = gather(chosen)
        gathered.append((threading.current_thread().name, chosen.tolist()))
        if len(gathered) == 2:
            done.set()
        return raw

    feed._gather = noted  # type: ignore[method-assign]
    feed.batch(0, order.batch)
    assert done.wait(30)
    assert gathered[1][0].startswith("feed")
    assert gathered[1][1] == order.batch(1).tolist()
    feed.batch(1, order.batch)
    assert [indices for _, indices in gathered].count(order.batch(1).tolist()) == 1


def test_depth_beyond_half_the_range_of_sixteen_bits_survives_its_way_as_int16() -> None:
    millimetres = np.array([[[0, 1, 32767, 32768, LARGEST_MM]]], np.uint16)
    _, depth, mask = as_batch(torch.zeros(1, 3, 1, 5, dtype=torch.uint8), torch.from_numpy(millimetres.view(np.int16)))
    assert depth.flatten().tolist() == pytest.approx([0, 0.001, 32.767, 32.768, 65.535])
    assert mask.flatten().tolist() == [False, True, True, True, True]
