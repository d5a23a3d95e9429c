"""The spool's bytes: what is read is what was logged, in its order, wherever the file ends."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthboard import maps, spool
from depthboard.errors import InvalidInput, Misconfigured
from depthboard.protocol import MAX_KEYS, MAX_POINTS, unpack_depth
from depthboard.spool import About, Spool
from depthboard.tail import Tail, Taken, take

ABOUT = About("http://127.0.0.1:1", "a" * 64, "token", "main:1", "e", "n", {}, "here", 0.0)


def rows_of(taken: Taken) -> list[tuple[int, dict[str, float]]]:
    """(step, values) in the order in which they were logged."""
    found = {}
    for block in taken.blocks:
        values = block.values.reshape(len(block.steps), -1)
        for row, step, line in zip(block.places, block.steps, values, strict=True):
            found[int(row)] = (int(step), dict(zip(block.keys, line.tolist(), strict=True)))
    return [found[i] for i in range(taken.rows)]


KEY_SETS = st.sampled_from([("a",), ("b",), ("a", "b"), ("b", "a"), ("c", "d", "e")])


@settings(deadline=None, max_examples=60)
@given(st.lists(KEY_SETS, min_size=1, max_size=40), st.integers(0, 60))
def test_rows_of_any_mixture_of_keys_come_back_in_order_and_a_cut_off_one_does_not(
    sets: list[tuple[str, ...]], cut: int
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "a"
        written = Spool(folder, ABOUT, lambda words: pytest.fail(words))
        logged = [(step, {key: step + i / 8 for i, key in enumerate(keys)}) for step, keys in enumerate(sets)]
        for step, values in logged:
            written.log(values, step, 0.0)
        tail = Tail(folder)
        data = tail.data()
        assert tail.sets() == written.sets
        assert rows_of(take(data, written.sets, 0)) == logged
        part = take(data[: max(0, len(data) - cut)], written.sets, 5)
        assert rows_of(part) == logged[: part.rows]
        assert part.first_seq == 5
        assert part.rows >= len(logged) - 1 - cut // 20
        tail.close()
        written.close()


def test_a_batch_holds_no_more_than_the_protocol_takes_and_the_next_goes_on_behind_it(tmp_path: Path) -> None:
    written = Spool(tmp_path / "a", ABOUT, lambda words: pytest.fail(words))
    for step in range(MAX_POINTS + 10):
        written.log({"a": step}, step, 0.0)
    data = (tmp_path / "a" / "rows").read_bytes()
    first = take(data, written.sets, 0)
    second = take(data[first.used :], written.sets, first.next_seq)
    assert (first.rows, second.rows, second.first_seq) == (MAX_POINTS, 10, MAX_POINTS)
    written.close()


def test_a_batch_names_no_more_keys_than_the_protocol_takes(tmp_path: Path) -> None:
    written = Spool(tmp_path / "a", ABOUT, lambda words: pytest.fail(words))
    for step in range(25):  # every row has a thousand keys of its own
        written.log({f"{step}/{key}": key for key in range(1000)}, step, 0.0)
    data, seen, at = (tmp_path / "a" / "rows").read_bytes(), [], 0
    while at < len(data):
        taken = take(data[at:], written.sets, sum(seen))
        assert taken.points("main").names <= MAX_KEYS
        seen.append(taken.rows)
        at += taken.used
    assert seen == [10, 10, 5]
    written.close()


def test_how_far_it_was_sent_is_remembered(tmp_path: Path) -> None:
    Spool(tmp_path / "a", ABOUT, lambda words: pytest.fail(words)).close()
    (tmp_path / "a" / "rows").write_bytes(bytes(140))
    tail = Tail(tmp_path / "a")
    tail.move(7, 140)
    tail.close()
    again = Tail(tmp_path / "a")
    assert (again.seq, again.place) == (7, 140)
    again.close()


def test_rows_that_are_no_file_are_told_and_not_waited_for(tmp_path: Path) -> None:
    Spool(tmp_path / "a", ABOUT, lambda words: pytest.fail(words)).close()
    (tmp_path / "a" / "rows").unlink()
    os.mkfifo(tmp_path / "a" / "rows")
    with pytest.raises(ValueError, match="is no file"):
        Tail(tmp_path / "a")


def test_of_two_lines_of_keys_a_cut_off_one_counts_for_nothing(tmp_path: Path) -> None:
    Spool(tmp_path / "a", ABOUT, lambda words: pytest.fail(words)).close()
    (tmp_path / "a" / "keys").write_text(json.dumps(["a"]) + '\n["b"')
    tail = Tail(tmp_path / "a")
    assert tail.sets() == [("a",)]
    tail.close()


def test_a_folder_that_cannot_be_made_is_a_sentence_before_the_training_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="DEPTHBOARD_HOME"):
        Spool(tmp_path / "file" / "a", ABOUT, lambda words: pytest.fail(words))


@contextmanager
def disk_of(bytes_: int) -> Iterator[None]:
    """No file of this process grows beyond: the last write that fits in part is short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("cuts", [True, False], ids=["can be cut", "cannot be cut"])
def test_a_row_that_was_written_in_part_stops_no_training_and_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    told: list[str] = []
    monkeypatch.setattr(spool, "RETRY_SECONDS", 0.0)
    written = Spool(tmp_path / "a", ABOUT, told.append)
    with disk_of(100), monkeypatch.context() as patch:
        if not cuts:
            patch.setattr(os, "ftruncate", refuse)
        for step in range(10):
            written.log({"a": step}, step, 0.0)
    file, logged = tmp_path / "a" / "rows", [(step, {"a": float(step)}) for step in range(10)]
    torn = file.read_bytes()
    assert rows_of(take(torn, written.sets, 0)) == logged[:3]
    assert len(torn) == 100
    tail = Tail(tmp_path / "a")
    assert rows_of(take(tail.data(written.whole), written.sets, 0)) == logged[:3]
    tail.move(3, written.whole)
    assert tail.data(written.whole) == b"", "what is behind keeps nobody waiting"
    assert rows_of(take(*_last(written.waiting(1000), written.sets))) == logged[3:]
    written.log({"a": 10}, 10, 0.0)
    rest = take(tail.data(), written.sets, tail.seq)
    assert (rest.first_seq, rows_of(rest)) == (3, [*logged[3:], (10, {"a": 10.0})])
    assert len(told) == 1
    tail.close()
    written.close()


def _last(waiting: tuple[bytes, int], sets: list[tuple[str, ...]]) -> tuple[bytes, list[tuple[str, ...]], int]:
    return waiting[0], sets, waiting[1]


def test_a_key_that_was_written_in_part_is_written_whole_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "RETRY_SECONDS", 0.0)
    written = Spool(tmp_path / "a", ABOUT, lambda _: None)
    with disk_of(30):
        written.log({"a": 1, "k" * 50: 1}, 0, 0.0)
    tail = Tail(tmp_path / "a")
    assert tail.sets() == []
    written.log({"b": 2}, 1, 0.0)
    assert tail.sets() == written.sets
    assert rows_of(take(tail.data(), tail.sets(), 0)) == [(0, {"a": 1.0, "k" * 50: 1.0}), (1, {"b": 2.0})]
    tail.close()
    written.close()


@pytest.mark.parametrize("left", range(8))
def test_a_spool_that_cannot_be_made_whole_is_a_sentence_and_leaves_nothing(tmp_path: Path, left: int) -> None:
    """So many more files may be open: the lock, the rows, the keys and run.json fail in turn."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.open(tmp_path, os.O_RDONLY) for _ in range(left + 1)]  # numbers of other files may lie between them
    for number in free:
        os.close(number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[-1], hard))
    try:
        written = Spool(tmp_path / "a", ABOUT, lambda words: pytest.fail(words))
    except Misconfigured as error:
        words = str(error)
    else:
        words = ""
        written.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    again = os.open(tmp_path, os.O_RDONLY)
    os.close(again)
    assert again == free[0], "no file stays open"
    assert ("Too many open files" in words and "DEPTHBOARD_HOME" in words) == (left < 4)
    assert (tmp_path / "a").exists() == (left >= 4)


def test_a_full_memory_drops_rows_and_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    written = Spool(tmp_path / "a", ABOUT, told.append)
    written.log({"a": 0}, 0, 0.0)
    monkeypatch.setattr(written, "_write", lambda *_: False)
    monkeypatch.setattr(spool, "MOST_HELD", 100)
    for step in range(1, 11):
        written.log({"a": step}, step, 0.0)
    assert (written.count, written.dropped) == (4, 7)
    data, seq = written.waiting(1000)
    assert [step for step, _ in rows_of(take(data, written.sets, seq))] == [1, 2, 3]
    written.close()


def test_a_full_memory_drops_depth_maps_and_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Spool(tmp_path / "a", ABOUT, lambda _: None)
    monkeypatch.setattr(spool, "MOST_HELD", 1000)
    for _ in range(10):
        written.hold_map({"depth": np.zeros(50, np.uint16)}, OSError(errno.ENOSPC, "No space left on device"))
    assert (len(written.maps), written.dropped_maps) == (10, 0)
    written.hold_map({"depth": np.zeros(50, np.uint16)}, OSError(errno.ENOSPC, "No space left on device"))
    assert (len(written.maps), written.dropped_maps) == (10, 1)
    written.close()


def test_a_picture_of_sixteen_bits_is_refused_and_not_wrapped() -> None:
    with pytest.raises(InvalidInput, match="uint16"):
        maps.photograph(np.full((2, 4, 3), 300, np.uint16))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_depth_is_kept_in_millimetres_and_what_is_no_depth_as_zero(kind: type) -> None:
    depth = np.array([[1.2345, 0, -1, np.nan], [np.inf, -np.inf, 70.0, 0.0001]], kind)
    content = maps.shown("a b", 3, depth[None], None, None)
    sent = maps.message(content)
    assert (sent.frame, sent.step, sent.height, sent.width, sent.nonfinite) == ("a b", 3, 2, 4, 3)
    kept = unpack_depth(sent.depth, 2, 4)
    assert abs(int(kept[0, 0]) - 1234) <= 1
    assert kept.ravel().tolist()[1:] == [0, 0, 0, 0, 0, 65535, 1]


def test_pictures_are_taken_in_the_shapes_that_people_have(tmp_path: Path) -> None:
    bytes_of = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    expected = maps.photograph(bytes_of)
    assert np.array_equal(expected, bytes_of)
    assert np.array_equal(maps.photograph(bytes_of.transpose(2, 0, 1)[None]), expected)
    assert np.array_equal(maps.photograph(bytes_of / 255), expected)
    assert maps.photograph(bytes_of[:, :, 0]).shape == (2, 4, 3)
    content = maps.shown("a", 0, np.ones((2, 4)), np.ones((2, 4)), bytes_of)
    maps.write(tmp_path / "a.npz", content)
    assert maps.message(maps.read(tmp_path / "a.npz")) == maps.message(content)
