"""MATLAB v7.3 files byte by byte as MATLAB lays them out: arrays column by column, cells as object references.

Knows nothing of the loader: it takes arrays in MATLAB's own shape and order of axes, and writes them through HDF5's low-level calls.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

HEADER = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Wed Aug 15 12:00:00 2012 HDF5 schema 1.00 ."


def write_v73(path: Path, arrays: dict[str, np.ndarray], cells: dict[str, list[str]]) -> None:
    """`arrays` have MATLAB's shapes; `cells` are N×1 cell arrays of row strings."""
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_userblock(512)
    file = h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, fcpl=creation)
    for name, array in arrays.items():
        _write(file, name, array)
    references = h5py.h5g.create(file, b"#refs#")
    for name, strings in cells.items():
        _write_cell(file, references, name, strings)
    references.close()
    file.close()
    with path.open("r+b") as raw:
        raw.write(HEADER.ljust(124) + b"\x00\x02IM")


def _write(parent: h5py.h5g.GroupID, name: str, array: np.ndarray) -> None:
    """HDF5 counts its last axis fastest and MATLAB its first, so the dimensions are stored in reverse."""
    column_major = np.frombuffer(array.tobytes(order="F"), array.dtype)
    space = h5py.h5s.create_simple(tuple(reversed(array.shape)))
    data = h5py.h5d.create(parent, name.encode(), h5py.h5t.py_create(array.dtype), space)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, column_major.reshape(tuple(reversed(array.shape))))
    data.close()


def _write_cell(file: h5py.h5f.FileID, references: h5py.h5g.GroupID, name: str, strings: list[str]) -> None:
    pointers = np.empty((1, len(strings)), dtype=h5py.ref_dtype)
    for i, text in enumerate(strings):
        target = f"{name}_{i}"
        _write(references, target, np.array([[ord(c) for c in text]], np.uint16))
        pointers[0, i] = h5py.Reference() if not text else h5py.h5r.create(references, target.encode(), h5py.h5r.OBJECT)
    space = h5py.h5s.create_simple(pointers.shape)
    data = h5py.h5d.create(file, name.encode(), h5py.h5t.STD_REF_OBJ, space)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, pointers)
    data.close()
