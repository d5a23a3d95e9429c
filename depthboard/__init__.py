"""Depthboard's core: what a run is, and how it is spoken of. Shared by the API, the workers and people's own scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthboard.script import Run, start

__all__ = ["Run", "__version__", "start"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`depthboard.start` and `depthboard.Run`, loaded when they are asked for: the core itself stays light."""
    if name in ("Run", "start"):
        from depthboard import script

        return getattr(script, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
