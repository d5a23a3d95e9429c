"""Slots and GPUs."""

from __future__ import annotations

import pytest

from worker import gpus


def test_slots_take_the_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "gpu_names", lambda: ("NVIDIA H200", "NVIDIA H200"))
    assert [gpus.gpu_of(slot) for slot in range(5)] == ["0", "1", "0", "1", "0"]


def test_a_worker_keeps_to_the_gpus_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "gpu_names", lambda: ("NVIDIA H200",) * 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert [gpus.gpu_of(slot) for slot in range(3)] == ["2", "5", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus.gpu_of(0) is None


def test_without_a_gpu_the_device_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "gpu_names", lambda: ())
    assert (gpus.gpu_of(3), gpus.device_name()) == (None, "cpu")
