"""The places of a worker: so many trainings on each of its GPUs, or, on a host without one, side by side.

A run over several GPUs has them to itself. It waits until so many are empty, and meanwhile nothing else begins here; on a CPU such a run takes one place.
"""

from __future__ import annotations

import threading


class Places:
    """Who trains where. A place is a GPU as CUDA_VISIBLE_DEVICES names it, or "" without one."""

    def __init__(self, gpus: list[str], each: int) -> None:
        self._gpus = gpus
        self.all = tuple(gpu for _ in range(each) for gpu in gpus or [""])
        self._free = list(self.all)
        self._each = each
        self._waiting: list[object] = []
        self._lock = threading.Lock()

    @property
    def gpus(self) -> int:
        return len(self._gpus)

    def take(self) -> str | None:
        """A place, on the GPU with the fewest trainings; None where none is free, or while a run waits for several GPUs."""
        with self._lock:
            if not self._free or self._waiting:
                return None
            place = max(self._free, key=lambda gpu: (self._free.count(gpu), -self._free.index(gpu)))
            self._free.remove(place)
            return place

    def give_back(self, places: list[str]) -> None:
        with self._lock:
            self._free += places

    def exchange(self, place: str, ticket: object) -> None:
        """Give one place back and stand in line, as `ticket`, for several GPUs."""
        with self._lock:
            self._free.append(place)
            self._waiting.append(ticket)

    def take_gpus(self, ticket: object, count: int) -> list[str] | None:
        """All the places of `count` empty GPUs for the first in line; None until there are so many."""
        with self._lock:
            empty = [gpu for gpu in self._gpus if self._free.count(gpu) == self._each]
            if self._waiting[0] != ticket or len(empty) < count:
                return None
            self._waiting.remove(ticket)
            places = [gpu for gpu in empty[:count] for _ in range(self._each)]
            for place in places:
                self._free.remove(place)
            return places

    def leave(self, ticket: object) -> None:
        """Stand in line no more."""
        with self._lock:
            self._waiting.remove(ticket)
