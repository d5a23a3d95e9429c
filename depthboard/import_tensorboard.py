"""Runs from TensorBoard's event files: their scalars, with steps and wall times.

A file is TFRecords (length, its checksum, data, its checksum), each a protocol buffer `Event`: wall_time = 1, step = 2,
summary = 5. Summary.Value: tag = 1, simple_value = 2, tensor = 8. TensorProto: dtype = 1, tensor_shape = 2, tensor_content = 4,
float_val = 5, double_val = 6.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from depthboard.errors import InvalidInput
from depthboard.imports import Imported, check_name

RECORD = struct.Struct("<QI")
FLOAT, DOUBLE, BFLOAT16, HALF = 1, 2, 14, 19
Fields = Iterator[tuple[int, bytes | int]]


def read(path: Path) -> list[Imported]:
    """A run for every folder with event files; of a single file one. Raises InvalidInput where there is none."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*tfevents*") if not file.is_dir())
    if not files:
        raise InvalidInput(f"there is no event file in {path}.", field="path", remedy="Name a log folder or its file.")
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    root = path if path.is_dir() else path.parent
    found = [_run(_name(folder, root), members) for folder, members in folders.items()]
    return [run for run in found if run.key]


def _name(folder: Path, root: Path) -> str:
    below = folder.relative_to(root).as_posix()
    name = (root.resolve().name if below == "." else below) or "tensorboard"
    check_name(f"a run, of the folder {str(folder)!r}", name, "Rename the folder.")
    return name


def _run(name: str, files: list[Path]) -> Imported:
    bodies = [(file, _body(file)) for file in files]
    digest = hashlib.sha256()
    for _, body in bodies:
        digest.update(hashlib.sha256(body).digest())
    run = Imported(name, digest.hexdigest())
    for file, body in bodies:
        try:
            for record in _records(body):
                _add(run, record)
        except (struct.error, IndexError, ValueError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{file} is no event file ({error}).", field="path") from error
    return run


def _body(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read ({error.strerror}).",
            field="path",
            remedy="Restore it, or take it out of the folder.",
        ) from error


def _records(body: bytes) -> Iterator[bytes]:
    """A last record that was not written to its end is left out: its writer was killed, or still writes."""
    at = 0
    while at + RECORD.size <= len(body):
        length, _ = RECORD.unpack_from(body, at)
        end = at + RECORD.size + length + 4
        if end > len(body):
            if at == 0:
                raise ValueError("it does not begin with a record")
            return
        yield body[at + RECORD.size : end - 4]
        at = end


def _add(run: Imported, event: bytes) -> None:
    wall, step, summaries = 0.0, 0, []
    for number, value in _fields(event):
        if number == 1 and isinstance(value, bytes):
            (wall,) = struct.unpack("<d", value)
        elif number == 2 and isinstance(value, int):
            step = value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, value in _fields(summary):
            if number == 1 and isinstance(value, bytes):
                tag, scalar = _scalar(value)
                if scalar is not None:
                    run.add(tag, step, wall, scalar)


def _scalar(body: bytes) -> tuple[str, float | None]:
    """(tag, value) of a Summary.Value; None for pictures, histograms and texts."""
    tag, scalar = "", None
    for number, value in _fields(body):
        if number == 1 and isinstance(value, bytes):
            tag = value.decode()
        elif number == 2 and isinstance(value, bytes):
            (scalar,) = struct.unpack("<f", value)
        elif number == 8 and isinstance(value, bytes):
            scalar = _tensor(value)
    return tag, scalar


def _tensor(body: bytes) -> float | None:
    """The one number of a tensor; None for one of words, or of more."""
    kind, found = 0, np.empty(0)
    for number, value in _fields(body):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 4 and isinstance(value, bytes) and kind in (FLOAT, DOUBLE, HALF):
            found = np.frombuffer(value, {FLOAT: "<f4", DOUBLE: "<f8", HALF: "<f2"}[kind])
        elif number in (5, 6) and isinstance(value, bytes):
            found = np.frombuffer(value, "<f4" if number == 5 else "<f8")
    return float(found[0]) if found.size == 1 else None


def _fields(body: bytes) -> Fields:
    """(number, content) of each field of a protocol buffer: varints as integers, all else as bytes."""
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(body, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(body, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of unknown kind {kind}")
        if at + size > len(body):
            raise ValueError("a field is cut off")
        yield key >> 3, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:  # at most ten bytes
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("a number has no end")
