"""Vector files as research groups publish them, without the HDF5 around.

======================== ====================================================================================
``.npy``                 NumPy's own; never with pickled objects
``.fvecs .ivecs .bvecs`` every row: int32 d, then d values (float32, int32, uint8); TEXMEX, 2010
``.fbin .u8bin .i8bin``  uint32 n, uint32 d, then n·d values (float32, uint8, int8); big-ann-benchmarks, 2021
``.ibin``                the same with int32; a k-NN file with distances after the ids gives its ids
======================== ====================================================================================

Everything is little-endian. Files are mapped, not read, where their layout allows it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DatasetError, one_line

_VECS = {".fvecs": "<f4", ".ivecs": "<i4", ".bvecs": "u1"}
_BIN = {".fbin": "<f4", ".ibin": "<i4", ".u8bin": "u1", ".i8bin": "i1"}

FORMATS = (".npy", *_VECS, *_BIN)


def read_vectors_file(path: str | Path) -> npt.NDArray[Any]:
    """Open a file of vectors as a matrix.

    Parameters
    ----------
    path
        A file whose suffix is one of `FORMATS`.

    Returns
    -------
    numpy.ndarray
        (n, d) of the stored type, memory-mapped read-only.

    Raises
    ------
    DatasetError
        If the format is unknown, or the size of the file contradicts what it says.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise DatasetError(f"{path}: unknown vector format {suffix!r}, expected one of {', '.join(FORMATS)}")
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    if suffix == ".npy":
        return _npy(path)
    return _vecs(path, np.dtype(_VECS[suffix])) if suffix in _VECS else _bin(path, np.dtype(_BIN[suffix]))


def _npy(path: Path) -> npt.NDArray[Any]:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # its header is Python's syntax, an archive is a zip file: each has errors of its own
        raise DatasetError(f"{path}: not a readable .npy file: {one_line(error)}") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or 0 in rows.shape or rows.dtype.kind not in "fiu":
        found = f"{rows.dtype} {rows.shape}" if isinstance(rows, np.ndarray) else "an archive"
        raise DatasetError(f"{path}: found {found}, expected a matrix of numbers")
    return rows


def _vecs(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    size = path.stat().st_size
    d = _header(path, 1)[0]
    row = 4 + d * dtype.itemsize
    if not 0 < d < 2**31 or size % row:
        raise DatasetError(f"{path}: {size} bytes are no whole number of rows of dimension {d} ({row} bytes each)")
    raw = np.memmap(path, dtype=np.uint8, mode="r", shape=(size // row, row))
    leads = np.ascontiguousarray(raw[:, :4]).view("<i4")[:, 0]
    other = np.flatnonzero(leads != d)
    if other.size:
        raise DatasetError(f"{path}: row {other[0]} has dimension {leads[other[0]]}, expected {d} as in row 0")
    # Skipping the lead of every row keeps the mapping: the rows are strided views of the file.
    return np.ndarray((size // row, d), dtype, buffer=raw, offset=4, strides=(row, dtype.itemsize))


def _bin(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    size = path.stat().st_size
    n, d = _header(path, 2)
    expected = 8 + n * d * dtype.itemsize
    with_distances = 8 + n * d * 8 if path.suffix.lower() == ".ibin" else expected
    if not n or not d or size not in (expected, with_distances):
        raise DatasetError(f"{path}: {size} bytes, but its header says {n} x {d} {dtype}: expected {expected} bytes")
    return np.memmap(path, dtype=dtype, mode="r", offset=8, shape=(n, d))


def _header(path: Path, count: int) -> list[int]:
    with path.open("rb") as stream:
        head = stream.read(4 * count)
    if len(head) < 4 * count:
        raise DatasetError(f"{path}: {len(head)} bytes, expected a header of {4 * count} bytes")
    return [int(value) for value in np.frombuffer(head, "<u4")]
