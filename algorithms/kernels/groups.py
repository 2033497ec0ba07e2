"""One number for each group of columns: how several representatives of a list become one score.

Symbols: q queries, L lists (groups), r columns of each group, side by side.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .shares import AGAINST_ONE_LIST, share_bounds

COMBINATIONS = ("best", "log-sum-exp", "root-sum-square")


@kernel
def _combine_row(values, first, count, combination):  # type: ignore[no-untyped-def]
    # values (L·r,) float32
    if combination == 2:
        total = np.float32(0.0)
        for j in range(count):
            total += values[first + j] * values[first + j]
        return np.sqrt(total)
    largest = values[first]
    for j in range(1, count):
        value = values[first + j]
        if value > largest or value != value:  # NaN stays
            largest = value
    if combination == 0 or not np.isfinite(largest):
        return largest
    total = np.float32(0.0)
    for j in range(count):
        total += np.exp(values[first + j] - largest)
    return largest + np.log(total)


@kernel
def _combine_rows(values, count, combination, combined):  # type: ignore[no-untyped-def]
    # values (q, L·r) float32 · combined (q, L) float32
    for i in range(values.shape[0]):
        for j in range(combined.shape[1]):
            combined[i, j] = _combine_row(values[i], j * count, count, combination)


@parallel_kernel
def _combine_shares(values, count, combination, combined, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the rows of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _combine_rows(values[begin:end], count, combination, combined[begin:end])


def combine_groups(
    values: npt.NDArray[np.float32], count: int, combination: str, threads: int = 1
) -> npt.NDArray[np.float32]:
    """Combine each group of `count` neighbouring columns.

    Parameters
    ----------
    values : (q, L·r) float32, C-contiguous
    count : int
        r.
    combination : str
        ``best`` (the maximum), ``log-sum-exp`` or ``root-sum-square``.
    threads : int
        Of a batch. The result does not depend on it.

    Returns
    -------
    combined : (q, L) float32
        NaN where a group holds one.
    """
    combined = np.empty((len(values), values.shape[1] // count), dtype=np.float32)
    code = COMBINATIONS.index(combination)
    if len(values) == 1:
        _combine_rows(values, count, code, combined)
    elif len(values):
        with numba_threads(threads):
            _combine_shares(values, count, code, combined, share_bounds(len(values), threads, AGAINST_ONE_LIST))
    return combined
