"""Slots and GPUs, and what is set before a training starts."""

from __future__ import annotations

import pytest

from worker import gpus
from worker.environment import training_environment


def test_slots_take_the_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "gpu_names", lambda: ("NVIDIA H200", "NVIDIA H200"))
    assert [gpus.gpu_of(slot) for slot in range(5)] == ["0", "1", "0", "1", "0"]


def test_a_worker_keeps_to_the_gpus_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "gpu_names", lambda: ("NVIDIA H200",) * 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert [gpus.gpu_of(slot) for slot in range(3)] == ["2", "5", "2"]
    monkeypatch.setattr(gpus, "gpu_names", lambda: ("Tesla T4", "Tesla T4", "NVIDIA H200"))
    assert gpus.device_name() == "NVIDIA H200"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus.gpu_of(0) is None


def test_without_a_gpu_the_device_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "gpu_names", lambda: ())
    assert (gpus.gpu_of(3), gpus.device_name()) == (None, "cpu")


def test_a_training_on_a_cpu_keeps_its_memory_unless_the_person_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_MMAP_MAX_", raising=False)
    on_cpu, on_gpu = training_environment(3), training_environment(2, "1")
    assert (on_cpu["MALLOC_MMAP_MAX_"], on_cpu["OMP_NUM_THREADS"]) == ("0", "3")
    assert (on_gpu["CUDA_VISIBLE_DEVICES"], on_gpu["MKL_NUM_THREADS"]) == ("1", "2")
    assert "MALLOC_MMAP_MAX_" not in on_gpu
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "65536")
    assert training_environment(1)["MALLOC_MMAP_MAX_"] == "65536"
