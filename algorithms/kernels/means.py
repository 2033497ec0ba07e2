"""The mean of each list, and the sum of squared lengths: the update step of k-means.

Rows are prepared already (see `space`). Every sum runs in row order, whatever the number of threads.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel

_ROWS_PER_BLOCK = 1024


@kernel
def _mean(rows, order, first, last, total, mean):  # type: ignore[no-untyped-def]
    # rows (n, d) · order (n,): the list's rows are order[first:last] · total (d,) float64, scratch · mean (d,) float32
    total[:] = 0.0
    for place in range(first, last):
        row = order[place]
        for j in range(total.shape[0]):
            total[j] += rows[row, j]
    for j in range(total.shape[0]):
        mean[j] = np.float32(total[j] / max(1, last - first))


@parallel_kernel
def _means(rows, order, offsets, means):  # type: ignore[no-untyped-def]
    # Iteration i owns list i.
    for i in numba.prange(offsets.shape[0] - 1):
        if offsets[i + 1] > offsets[i]:
            _mean(rows, order, offsets[i], offsets[i + 1], np.empty(rows.shape[1], dtype=np.float64), means[i])


def update_means(
    rows: npt.NDArray[np.float32],
    order: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    means: npt.NDArray[np.float32],
    threads: int = 1,
) -> None:
    """Overwrite the mean of every list that is not empty.

    Parameters
    ----------
    rows : (n, d) float32
        Prepared.
    order, offsets : (n,) int64, (L + 1,) int64
        Of `panels.group_rows`.
    means : (L, d) float32
        Changed in place; summed in float64.
    threads : int
    """
    with numba_threads(threads):
        _means(rows, order, offsets, means)


@kernel
def _squares_of_block(rows, first, last):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(first, last):
        for j in range(rows.shape[1]):
            total += np.float64(rows[i, j]) * np.float64(rows[i, j])
    return total


@parallel_kernel
def _squares(rows, totals):  # type: ignore[no-untyped-def]
    # Iteration i owns block i; the blocks depend on the rows alone.
    for i in numba.prange(totals.shape[0]):
        first = i * _ROWS_PER_BLOCK
        totals[i] = _squares_of_block(rows, first, min(first + _ROWS_PER_BLOCK, rows.shape[0]))


def sum_of_squares(rows: npt.NDArray[np.float32], threads: int = 1) -> float:
    """Return the sum of squared lengths of prepared rows (n, d) float32, in float64."""
    totals = np.zeros(-(-len(rows) // _ROWS_PER_BLOCK), dtype=np.float64)
    with numba_threads(threads):
        _squares(rows, totals)
    return float(totals.sum())
