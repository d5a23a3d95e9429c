"""GPUs, places, and what is set before a training starts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from depthboard.errors import Misconfigured
from worker import gpus
from worker.__main__ import _positive
from worker.environment import training_environment
from worker.gpus import Gpu
from worker.places import Places


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Makes this a host with GPUs of these names."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def has(*names: str) -> None:
        found = tuple(Gpu(i, f"GPU-{i}b7e-41", name) for i, name in enumerate(names))
        monkeypatch.setattr(gpus, "gpus", lambda: found)

    yield has
    gpus._nvml.cache_clear()


def test_slots_take_the_emptiest_gpu() -> None:
    places = Places(["0", "1"], 2)
    assert [places.take() for _ in range(5)] == ["0", "1", "0", "1", None]
    places.give_back(["1"])
    assert places.take() == "1"
    assert [Places([], 2).take() for _ in range(2)] == ["", ""]


def test_a_run_over_several_gpus_waits_until_they_are_empty_and_nothing_overtakes_it() -> None:
    places = Places(["0", "1", "2"], 2)
    own, other = places.take(), places.take()
    assert (own, other) == ("0", "1")
    places.exchange("0", "large")
    assert places.take() is None, "what begins now would keep it waiting"
    assert places.take_gpus("large", 3) is None
    places.give_back(["1"])
    assert places.take_gpus("large", 3) == ["0", "0", "1", "1", "2", "2"]
    assert places.take() is None
    places.give_back(["0", "0", "1", "1", "2", "2"])
    assert sorted(str(places.take()) for _ in range(6)) == ["0", "0", "1", "1", "2", "2"]


def test_two_runs_over_several_gpus_take_them_in_turn() -> None:
    places = Places(["0", "1"], 1)
    claimed = [(places.take() or "", ticket) for ticket in ("first", "second")]
    for place, ticket in claimed:
        places.exchange(place, ticket)
    assert places.take_gpus("second", 2) is None, "the first came before"
    given = places.take_gpus("first", 2)
    assert given == ["0", "1"]
    assert places.take_gpus("second", 2) is None
    places.give_back(given)
    assert places.take_gpus("second", 2) == ["0", "1"]


def test_a_worker_keeps_to_the_gpus_it_was_given(host: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    host("Tesla T4", "Tesla T4", "NVIDIA H200")
    assert (gpus.visible_gpus(), gpus.device_name()) == (["0", "1", "2"], "Tesla T4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 0")
    assert (gpus.visible_gpus(), gpus.device_name()) == (["2", "0"], "NVIDIA H200")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-2b7e")
    assert gpus.device_name() == "NVIDIA H200"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert (gpus.visible_gpus(), gpus.device_name()) == ([], "cpu")


def test_the_gpus_of_the_command_line_are_those_of_the_trainings(
    host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    host("Tesla T4", "Tesla T4", "NVIDIA H200")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    gpus.restrict("2,GPU-0b7e,2")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,GPU-0b7e"
    assert training_environment(1, "2")["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID", "as nvidia-smi numbers them"
    with pytest.raises(Misconfigured, match=r"no GPU 7 on this host. There is: 0 \(Tesla T4\)"):
        gpus.restrict("0,7")
    host()
    with pytest.raises(Misconfigured, match="There is: none"):
        gpus.restrict("0")


def test_without_a_gpu_the_device_is_the_cpu(host: Callable[..., None]) -> None:
    host()
    assert (gpus.visible_gpus(), gpus.device_name(), gpus.use()) == ([], "cpu", [])


class Failed(Exception):
    pass


def broken(*_: object) -> None:
    raise Failed


def test_how_busy_a_gpu_is_comes_from_nvml_and_is_left_out_where_it_does_not_answer(
    host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    host("Tesla T4", "NVIDIA H200")
    nvml = SimpleNamespace(
        NVMLError=Failed,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(used=2, total=8),
        nvmlDeviceGetUtilizationRates=lambda uuid: SimpleNamespace(gpu=40) if uuid == "GPU-0b7e-41" else broken(),
        nvmlDeviceGetPowerUsage=lambda _: 588_500,
        nvmlDeviceGetTemperature=lambda *_: 69,
        NVML_TEMPERATURE_GPU=0,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    first, second = gpus.use()
    assert (first.name, first.utilisation, first.memory_used, first.memory_total) == ("Tesla T4", 40.0, 2, 8)
    assert (first.power, first.temperature) == (588.5, 69.0)
    assert (second.name, second.utilisation) == ("NVIDIA H200", None)
    nvml.nvmlDeviceGetPowerUsage = broken
    assert (gpus.use()[0].utilisation, gpus.use()[0].power) == (40.0, None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [one.index for one in gpus.use()] == [1]
    nvml.nvmlInit = broken
    gpus._nvml.cache_clear()
    assert gpus.use() == []


def test_a_training_on_a_cpu_keeps_its_memory_unless_the_person_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_MMAP_MAX_", raising=False)
    on_cpu, on_gpu = training_environment(3), training_environment(2, "1")
    assert (on_cpu["MALLOC_MMAP_MAX_"], on_cpu["OMP_NUM_THREADS"]) == ("0", "3")
    assert (on_gpu["CUDA_VISIBLE_DEVICES"], on_gpu["MKL_NUM_THREADS"]) == ("1", "2")
    assert "MALLOC_MMAP_MAX_" not in on_gpu
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "65536")
    assert training_environment(1)["MALLOC_MMAP_MAX_"] == "65536"


def test_slots_are_counted_from_one() -> None:
    assert _positive("3") == 3
    for text in ("0", "-1", "many"):
        with pytest.raises(argparse.ArgumentTypeError, match=f"{text} is no number from 1 up"):
            _positive(text)
