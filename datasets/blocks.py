"""Stored arrays into float32 memory, block by block.

Published files keep vectors in whatever their maker held: float64, float16, bytes. The rest of the project
sees float32, C-contiguous, read-only, on a 64-byte boundary. Blocks follow the file's own chunks, so that a
compressed chunk is opened once and memory never holds the array in both types.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DatasetError

_BLOCK_BYTES = 16 * 2**20
_ALIGNMENT = 64
MAPPED_BYTES = 4 * 2**30
"""Vectors of so many bytes or more are mapped where the file holds them as they are, rather than read."""


def read_vectors(item: Any) -> npt.NDArray[np.float32]:
    """Read a matrix of vectors as float32 and refuse what is not finite.

    Parameters
    ----------
    item
        An h5py dataset (n, d) of floats or integers.

    Returns
    -------
    numpy.ndarray
        (n, d) float32, C-contiguous, read-only, 64-byte aligned. Of `MAPPED_BYTES` or more, it is a map of the file
        where that holds float32 in one piece: an index of it may then fill the memory.

    Raises
    ------
    DatasetError
        If a row holds NaN, infinity, or a value beyond float32; the first such row is named.
    """
    mapped = _mapped(item)
    if mapped is not None:
        for start, stop in _row_blocks(item):
            _refuse_not_finite(item, mapped[start:stop], start)
        return mapped
    out = aligned(item.shape)
    for start, stop in _row_blocks(item):
        with np.errstate(over="ignore"):
            out[start:stop] = item[start:stop]
        if item.dtype.kind == "f":
            _refuse_not_finite(item, out[start:stop], start)
    out.flags.writeable = False
    return out


def _mapped(item: Any) -> npt.NDArray[np.float32] | None:
    offset = item.id.get_offset()  # None unless the values lie in one piece
    plain = (
        item.dtype == np.dtype("<f4") and sys.byteorder == "little" and offset is not None and not offset % _ALIGNMENT
    )
    if not plain or item.nbytes < MAPPED_BYTES:
        return None
    return np.memmap(item.file.filename, dtype=np.float32, mode="r", offset=offset, shape=item.shape)


def read_ids(item: Any, n: int) -> npt.NDArray[np.int32]:
    """Read a matrix of neighbour ids as int32, each a row of the n database vectors.

    Parameters
    ----------
    item
        An h5py dataset (q, K) of any integer type.
    n
        Number of database vectors, at most 2**31.

    Returns
    -------
    numpy.ndarray
        (q, K) int32, C-contiguous, read-only.

    Raises
    ------
    DatasetError
        If an id lies outside 0 .. n - 1 (-1 included) or a row names an id twice.
    """
    values = item[...]
    wrong = (values < 0) | (values >= n)
    if wrong.any():
        row, column = (int(place) for place in np.argwhere(wrong)[0])
        raise DatasetError(
            f"{_where(item)} row {row}, rank {column}: found id {values[row, column]}, expected 0 .. {n - 1}"
        )
    ids: npt.NDArray[np.int32] = np.ascontiguousarray(values, dtype=np.int32)
    ordered = np.sort(ids, axis=1)
    twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    if twice.size:
        raise DatasetError(f"{_where(item)} row {twice[0]}: names an id twice, expected distinct neighbours")
    ids.flags.writeable = False
    return ids


def aligned(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Allocate an uninitialised float32 matrix whose first value stands on a 64-byte boundary."""
    count = int(shape[0]) * int(shape[1])
    raw = np.empty(count * 4 + _ALIGNMENT, np.uint8)
    skip = -raw.ctypes.data % _ALIGNMENT
    return raw[skip : skip + count * 4].view(np.float32).reshape(shape)


def _row_blocks(item: Any) -> list[tuple[int, int]]:
    """Cut the rows into blocks of about 16 MB that end where the file's chunks end."""
    rows, columns = item.shape
    grain = item.chunks[0] if item.chunks else 1
    wanted = max(1, _BLOCK_BYTES // (columns * item.dtype.itemsize))
    size = max(grain, wanted // grain * grain)
    return [(start, min(start + size, rows)) for start in range(0, rows, size)]


def _refuse_not_finite(item: Any, rows: npt.NDArray[np.float32], first: int) -> None:
    finite = np.isfinite(rows)
    if finite.all():
        return
    row = int(np.flatnonzero(~finite.all(axis=1))[0])
    column = int(np.flatnonzero(~finite[row])[0])
    raise DatasetError(
        f"{_where(item)} row {first + row}, column {column}: found {item[first + row, column]},"
        " expected a finite float32"
    )


def _where(item: Any) -> str:
    return f"{item.file.filename}: {item.name.lstrip('/')!r}"
