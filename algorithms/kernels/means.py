"""The mean of each list, and the sum of squared lengths: the update step of k-means."""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .space import Space, prepare_row


@kernel
def _mean(rows, center, normalise, order, first, last, mean):  # type: ignore[no-untyped-def]
    # rows (n, d) · order (n,): the list's rows are order[first:last] · mean (d,) float32
    dimension = rows.shape[1]
    total = np.zeros(dimension, dtype=np.float64)
    prepared = np.empty(dimension, dtype=np.float32)
    for place in range(first, last):
        prepare_row(rows[order[place]], center, normalise, prepared)
        for j in range(dimension):
            total[j] += prepared[j]
    for j in range(dimension):
        mean[j] = np.float32(total[j] / max(1, last - first))


@parallel_kernel
def _means(rows, center, normalise, order, offsets, means):  # type: ignore[no-untyped-def]
    # Iteration i owns list i: every sum runs in row order, whatever the number of threads.
    for i in numba.prange(offsets.shape[0] - 1):
        if offsets[i + 1] > offsets[i]:
            _mean(rows, center, normalise, order, offsets[i], offsets[i + 1], means[i])


def update_means(
    rows: npt.NDArray[np.float32],
    space: Space,
    order: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    means: npt.NDArray[np.float32],
    threads: int = 1,
) -> None:
    """Overwrite the mean of every list that is not empty.

    Parameters
    ----------
    rows : (n, d) float32
        As given; prepared on the fly.
    space : Space
    order, offsets : (n,) int64, (L + 1,) int64
        Of `panels.group_rows`.
    means : (L, d) float32
        Changed in place; float64 sums in row order, so independent of `threads`.
    """
    with numba_threads(threads):
        _means(rows, space.center, space.normalise, order, offsets, means)


@kernel
def _squares_of_block(rows, center, normalise, first, last):  # type: ignore[no-untyped-def]
    prepared = np.empty(rows.shape[1], dtype=np.float32)
    total = 0.0
    for i in range(first, last):
        prepare_row(rows[i], center, normalise, prepared)
        for j in range(rows.shape[1]):
            total += np.float64(prepared[j]) * np.float64(prepared[j])
    return total


@parallel_kernel
def _squares(rows, center, normalise, totals):  # type: ignore[no-untyped-def]
    # Iteration i owns block i of 1024 rows; the blocks depend on the rows alone.
    for i in numba.prange(totals.shape[0]):
        totals[i] = _squares_of_block(rows, center, normalise, i * 1024, min((i + 1) * 1024, rows.shape[0]))


def sum_of_squares(rows: npt.NDArray[np.float32], space: Space, threads: int = 1) -> float:
    """Return the sum of squared lengths of the prepared rows, in float64."""
    totals = np.zeros(-(-len(rows) // 1024), dtype=np.float64)
    with numba_threads(threads):
        _squares(rows, space.center, space.normalise, totals)
    return float(totals.sum())
