"""The spool of a script's run: everything it logs is in a folder on this machine before `log` returns, so that neither a
kill nor hours without the API lose a point.

run.json   who writes what to whom (About)
keys       a line for each set of keys that was logged together, as JSON; a row names its set by the line's number
rows       what was logged, appended: number of the key set, step, wall time, a float64 a key, all little-endian
depth/     depth maps, a file each
sent       how far it was acknowledged: sequence number and place in `rows` of the next row
end.json   how the script ended
refused    why the API will not take it
lock       held by the process that writes or sends it

A row's place among the rows is its sequence number. Where the disk was full, rows wait in memory; those that were sent
from there never reach the file, and a mark (MARK, next sequence number) says so.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from depthboard.errors import InvalidInput, Misconfigured
from depthboard.protocol import MAX_STEP

Content = TypeVar("Content")
HEAD = "<Iqd"
MARK = 0xFFFFFFFF
MARKED = struct.Struct("<Iq")
SENT = struct.Struct("<qq")
MOST_HELD = 64 << 20
"""Bytes of rows, and of depth maps, that wait in memory while the disk is full."""
RETRY_SECONDS = 1.0
LONGEST_KEY, MOST_KEYS = 200, 1000


@dataclass(frozen=True)
class About:
    """Whose spool it is: the run, the attempt by its token, the writer. `joined` ones do not end the run."""

    url: str
    identity: str
    token: str
    writer: str
    experiment: str
    name: str
    params: dict[str, Any]
    host: str
    started: FiniteFloat
    joined: bool = False
    resume: bool = False
    first_step: int | None = None

    @property
    def age(self) -> tuple[float, str]:
        """A strict order of attempts, the oldest first."""
        return self.started, self.token


@dataclass(frozen=True)
class End:
    """How a script ended."""

    status: str
    reason: str
    wall: FiniteFloat


@dataclass
class Held:
    """Rows that wait in memory: whole records, and the sequence number of the first."""

    data: bytearray = field(default_factory=bytearray)
    seq: int = 0


class Spool:
    """The writing side. No method raises for a full disk; `warn` is told once, in a sentence."""

    def __init__(self, folder: Path, about: About, warn: Callable[[str], None]) -> None:
        self.folder, self.about = folder, about
        self.sets: list[tuple[str, ...]] = []
        self.held = Held()
        self.count = self.dropped = self.dropped_maps = 0
        self.maps: list[dict[str, Any]] = []
        self.wake = threading.Event()
        self.idle = False
        self.lock = threading.Lock()
        self._warn = warn
        self._warned = False
        self._numbers: dict[tuple[str, ...], tuple[int, Callable[..., bytes]]] = {}
        self._unsaved: list[str] = []
        self._gap = False
        self._tried = 0.0
        self._places = {"rows": 0, "keys": 0}
        self._torn: set[str] = set()
        self._files: dict[str, int] = {}
        self._held_lock: int | None = None
        try:
            folder.mkdir(mode=0o700, parents=True)
            self._fill(folder, about)
        except OSError as error:
            raise unusable(folder, error) from error

    def _fill(self, folder: Path, about: About) -> None:
        """All of it, or nothing: `depthboard sync` would stumble over a part."""
        try:
            (folder / "depth").mkdir(mode=0o700)
            self._held_lock = lock(folder)
            for name in self._places:
                self._files[name] = os.open(folder / name, _APPEND, 0o600)
            save(folder, "run.json", asdict(about))
        except OSError:
            self.close()
            with contextlib.suppress(OSError):
                for name in (*self._places, "lock", ".run.json"):  # by name: to list a folder takes a file descriptor
                    (folder / name).unlink(missing_ok=True)
                (folder / "depth").rmdir()
                folder.rmdir()
            raise

    @property
    def whole(self) -> int:
        """Bytes of `rows` that are whole records; what a write in vain left stands behind them."""
        return self._places["rows"]

    def log(self, values: Mapping[str, Any], step: int, wall: float) -> None:
        """Keep a row. Raises InvalidInput naming the key for a value that is no number."""
        keys = tuple(values)
        known = self._numbers.get(keys)
        number, pack = known if known is not None else self._intern(keys)
        try:
            record = pack(number, step, wall, *values.values())
        except (struct.error, OverflowError, TypeError, ValueError):
            record = pack(number, whole(step), float(wall), *(number_of(k, v) for k, v in values.items()))
        if not 0 <= step <= MAX_STEP:
            raise InvalidInput(f"step {step} is not between 0 and {MAX_STEP}.", field="step")
        with self.lock:
            self._append(record)
        if self.idle:
            self.wake.set()

    def _append(self, record: bytes) -> None:
        self.count += 1
        held = self._gap or self._unsaved or self.held.data
        if not held and self._write("rows", record):
            return
        if not self.held.data:
            self.held.seq = self.count - 1
        self._hold(record)

    def _hold(self, record: bytes) -> None:
        if len(self.held.data) + len(record) > MOST_HELD:
            self.count -= 1
            self.dropped += 1
        else:
            self.held.data += record
        if time.monotonic() - self._tried > RETRY_SECONDS:
            self._settle()

    def _settle(self) -> None:
        """Bring to the disk what waits in memory, if there is room again."""
        self._tried = time.monotonic()
        while self._unsaved:
            if not self._write("keys", self._unsaved[0].encode()):
                return
            self._unsaved.pop(0)
        if self._write("rows", MARKED.pack(MARK, self.held.seq) + self.held.data):
            self.held.data.clear()
            self._gap = False

    def release(self, seq: int, size: int, rows: int) -> None:
        """These bytes of what waited in memory from row `seq` on were acknowledged; the file may have them meanwhile."""
        with self.lock:
            if self.held.data and self.held.seq == seq:
                del self.held.data[:size]
                self.held.seq += rows
                self._gap = True

    def waiting(self, most: int) -> tuple[bytes, int]:
        """A copy of the beginning of what waits in memory, and the sequence number of its first row."""
        with self.lock:
            return bytes(self.held.data[:most]), self.held.seq

    def _write(self, name: str, data: bytes) -> bool:
        """All of it, or nothing that counts: what a write in vain left is cut off before the next one, and what cannot be cut off is not written behind."""
        try:
            if name in self._torn:
                os.ftruncate(self._files[name], self._places[name])
                self._torn.discard(name)
            written = os.write(self._files[name], data)
        except OSError as error:
            self._torn.add(name)
            self.warn_full(error)
            return False
        if written < len(data):
            self._torn.add(name)
            self.warn_full(None)
            return False
        self._places[name] += written
        return True

    def warn_full(self, error: OSError | None) -> None:
        """Say once that the disk does not take what is written."""
        if not self._warned:
            why = error.strerror if error is not None else "No space left on device"
            self._warn(f"{self.folder} cannot be written ({why}); what is logged waits in memory. Make room.")
        self._warned = True

    def _intern(self, keys: tuple[str, ...]) -> tuple[int, Callable[..., bytes]]:
        check_keys(keys)
        with self.lock:
            known = self._numbers.get(keys)
            if known is not None:
                return known
            line = json.dumps(keys) + "\n"
            if self._unsaved or not self._write("keys", line.encode()):
                self._unsaved.append(line)
            self.sets.append(keys)
            packed = struct.Struct(f"{HEAD}{len(keys)}d").pack
            self._numbers[keys] = (len(self.sets) - 1, packed)
            return self._numbers[keys]

    def hold_map(self, content: dict[str, Any], error: OSError) -> None:
        """Keep a depth map in memory that found no room on the disk."""
        self.warn_full(error)
        held = sum(array.nbytes for map in [*self.maps, content] for array in map.values() if array is not None)
        if held <= MOST_HELD:
            self.maps.append(content)
        else:
            self.dropped_maps += 1

    def end(self, end: End) -> None:
        with contextlib.suppress(
            OSError
        ):  # whoever sends it from this process knows; a later one says that it broke off
            save(self.folder, "end.json", asdict(end))

    def close(self) -> None:
        """Once or more often: the numbers may be those of other files by then."""
        descriptors = [*self._files.values(), self._held_lock]
        self._files, self._held_lock = dict.fromkeys(self._files, -1), None
        for descriptor in descriptors:
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)


def unusable(folder: Path, error: OSError) -> Misconfigured:
    return Misconfigured(
        f"the folder {folder} cannot be used ({error.strerror}).",
        remedy="Make room, or set DEPTHBOARD_HOME to a folder of yours.",
    )


_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


def joined(about: About, writer: str) -> About:
    """Another writer of the same attempt."""
    return replace(about, writer=f"{writer[:30]}:{secrets.token_hex(4)}", joined=True, started=time.time())


def check_keys(keys: Sequence[str]) -> None:
    """Raises InvalidInput for a name that no curve can have."""
    if len(keys) > MOST_KEYS:
        raise InvalidInput(f"{len(keys)} values at once are more than {MOST_KEYS}.", remedy="Log them in parts.")
    for key in keys:
        if (
            not isinstance(key, str)
            or not 0 < len(key) <= LONGEST_KEY
            or any(ord(c) < 32 or ord(c) == 127 for c in key)
        ):
            raise InvalidInput(
                f"{key!r:.80} is no name of a curve.", remedy=f"Use a text of 1 to {LONGEST_KEY} visible characters."
            )


def number_of(key: str, value: object) -> float:
    """Raises InvalidInput naming the key."""
    try:
        if not isinstance(value, str | bytes):
            value = value.detach() if hasattr(value, "detach") else value
            return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        pass
    raise InvalidInput(
        f"{value!r:.80} is no number.", field=key, remedy="Log numbers, or arrays and tensors of one element."
    )


def whole(step: object) -> int:
    """Raises InvalidInput for a step that is no whole number."""
    try:
        if int(step) == step:  # type: ignore[call-overload]
            return int(step)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidInput(f"{step!r:.80} is no whole number.", field="step")


def lock(folder: Path) -> int | None:
    """Hold the spool for this process; None where another one does. The kernel frees it when the process ends."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of the process: a child that outlives it holds nothing
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def save(folder: Path, name: str, content: object) -> None:
    """Write a JSON file whole or not at all. Raises OSError."""
    temporary = folder / f".{name}"
    with open(temporary, "w", encoding="utf-8", opener=_private) as file:
        json.dump(content, file)
    os.replace(temporary, folder / name)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read(folder: Path, name: str, kind: type[Content]) -> Content | None:
    """A JSON file of the spool; None where it is not there. Fields of a newer release are left out. Raises ValueError."""
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        return TypeAdapter(kind).validate_python(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, (name, *first['loc'])))} cannot be read ({first['msg']}).") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{name} cannot be read ({error}).") from error


def remove(folder: Path) -> None:
    """Everything in it was acknowledged."""
    shutil.rmtree(folder, ignore_errors=True)
