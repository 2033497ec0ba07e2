"""How vectors lie in memory: panels of 16, dimension by dimension.

::

    rows      x0 x0 x0 x0 ...          panel     x0[0] x1[0] ... x15[0]
              x1 x1 x1 x1 ...                    x0[1] x1[1] ... x15[1]
              ...                                ...
              x15 ...                            x0[d-1] ...     x15[d-1]

Sixteen scores then grow side by side in the lanes of one vector, with no sum across lanes at the end, and a
list is one uninterrupted stream. A list whose size is no multiple of 16 ends in padding: values 0, bias
+infinity, so that a padded lane never passes a limit. The price, at most 15 vectors a list, is in the index's
reported bytes.

A *slot* is a place in this layout: panel x 16 + lane. Symbols: n vectors, d dimension, L lists, P panels.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from .compile import numba_threads, parallel_kernel
from .space import Space, prepare_row
from .vector import LANES

ALIGNMENT = 64


class Panels(NamedTuple):
    """Vectors in panels, list after list.

    Attributes
    ----------
    values : (P, d, 16) float32
        Aligned to 64 bytes.
    bias : (P, 16) float32
        What a score starts from (see `scan`); +inf in padding.
    ids : (P, 16) int32
        Row of the vector in the training matrix; -1 in padding.
    starts : (L + 1,) int64
        List i owns the panels starts[i] to starts[i + 1] - 1.
    sizes : (L,) int64
        Vectors of each list, padding not counted.
    """

    values: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(array.nbytes for array in self)


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> npt.NDArray[np.float32]:
    """Return an uninitialised C-contiguous array whose data begins on a 64-byte line.

    `numpy.empty` promises 16 bytes only, and a vector that straddles two cache lines costs two loads.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + ALIGNMENT, dtype=np.uint8)
    skip = -raw.ctypes.data % ALIGNMENT
    return raw[skip : skip + size].view(dtype).reshape(shape)


def group_rows(assignment: npt.NDArray[np.int32], lists: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Sort rows by list, each list in row order.

    Parameters
    ----------
    assignment : (n,) int32
        The list of each row, in [0, lists).
    lists : int
        L.

    Returns
    -------
    order : (n,) int64
        Rows, list after list.
    offsets : (L + 1,) int64
        List i holds order[offsets[i]:offsets[i + 1]].
    """
    offsets = np.zeros(lists + 1, dtype=np.int64)
    np.cumsum(np.bincount(assignment, minlength=lists), out=offsets[1:])
    return np.argsort(assignment, kind="stable").astype(np.int64, copy=False), offsets


@parallel_kernel
def _fill(rows, center, normalise, order, offsets, starts, squared, values, bias, ids):  # type: ignore[no-untyped-def]
    # rows (n, d) · order (n,) · offsets, starts (L + 1,) · values (P, d, 16) · bias, ids (P, 16). Iteration i
    # owns list i.
    dimension = rows.shape[1]
    for i in numba.prange(starts.shape[0] - 1):
        prepared = np.empty(dimension, dtype=np.float32)
        for panel in range(starts[i], starts[i + 1]):
            for lane in range(16):
                place = offsets[i] + (panel - starts[i]) * 16 + lane
                half_square = np.inf
                ids[panel, lane] = -1
                prepared[:] = 0.0
                if place < offsets[i + 1]:
                    row = order[place]
                    ids[panel, lane] = row
                    prepare_row(rows[row], center, normalise, prepared)
                    half_square = 0.0
                    if squared:
                        for j in range(dimension):
                            half_square += 0.5 * np.float64(prepared[j]) * np.float64(prepared[j])
                for j in range(dimension):
                    values[panel, j, lane] = prepared[j]
                bias[panel, lane] = np.float32(half_square)


def make_panels(
    rows: npt.NDArray[np.float32],
    space: Space,
    assignment: npt.NDArray[np.int32] | None = None,
    lists: int = 1,
    *,
    squared: bool = False,
    bias: npt.NDArray[np.float32] | None = None,
    threads: int = 1,
) -> Panels:
    """Lay rows out in panels, list after list.

    Parameters
    ----------
    rows : (n, d) float32, C-contiguous
        Vectors as given.
    space : Space
        How each is prepared on its way into the panels.
    assignment : (n,) int32, optional
        The list of each row; by default all rows form list 0.
    lists : int
        L.
    squared : bool
        Give each vector the bias ½‖x‖², so that scores rank by euclidean distance.
    bias : (n,) float32, optional
        A bias for each row, instead of 0 or ½‖x‖².
    threads : int
        Threads to use. The result does not depend on it.
    """
    if assignment is None:
        assignment = np.zeros(len(rows), dtype=np.int32)
    order, offsets = group_rows(assignment, lists)
    sizes = np.diff(offsets)
    starts = np.zeros(lists + 1, dtype=np.int64)
    np.cumsum((sizes + LANES - 1) // LANES, out=starts[1:])
    panels = int(starts[-1])
    values = aligned_empty((panels, rows.shape[1], LANES))
    ids = np.empty((panels, LANES), dtype=np.int32)
    start_bias = np.empty((panels, LANES), dtype=np.float32)
    with numba_threads(threads):
        _fill(
            rows, space.center, space.normalise, order, offsets, starts, squared, values, start_bias, ids
        )  # fmt: skip
    if bias is not None:
        real = ids >= 0
        start_bias[real] = bias[ids[real]]
    return Panels(values, start_bias, ids, starts, sizes)
