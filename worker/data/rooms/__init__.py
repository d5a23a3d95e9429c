"""Procedural rooms: lit, textured, furnished, seen by a hand-held camera, with exact depth."""

from __future__ import annotations

from worker.data.rooms.source import Rooms

__all__ = ["Rooms"]
