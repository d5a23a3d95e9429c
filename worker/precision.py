"""In which number format the convolutions compute, and what this processor is."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Literal

import torch

from depthboard.config import EngineConfig

Format = Literal["float32", "bfloat16"]

CPU_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
"""x86 and Arm names of the instructions that multiply bfloat16; without them it is emulated and slower than float32."""


class Precision:
    """The format that a configuration comes to on a device."""

    def __init__(self, config: EngineConfig, device: torch.device) -> None:
        self.device = device
        self.format: Format = computes_in(device) if config.precision == "auto" else config.precision

    def autocast(self) -> torch.autocast:
        """A context in which convolutions take `format` and everything that sums stays float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.format == "bfloat16")


def computes_in(device: torch.device) -> Format:
    """bfloat16 where the hardware multiplies in it."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if any(flag in processor_flags() for flag in CPU_FLAGS) else "float32"


def processor_flags() -> set[str]:
    """The instruction sets that Linux lists for the first core; empty elsewhere."""
    for line in _cpuinfo():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return set()


def processor() -> str:
    """Vendor, family and model as Linux names them (virtual machines often hide the trade name), else what Python knows."""
    found = dict(reversed([_pair(line) for line in _cpuinfo() if ":" in line]))
    parts = [found.get("model name"), *(f"{key} {found[key]}" for key in ("cpu family", "model") if key in found)]
    return ", ".join(part for part in parts if part) or platform.processor() or platform.machine()


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text(errors="replace").splitlines() if file.is_file() else []
