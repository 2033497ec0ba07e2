"""The best lists of each query, from a matrix of scores.

Symbols: q queries, L lists, p lists to keep.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .heap import clear, key_score, key_slot, offer, sort_heap
from .shares import AGAINST_ONE_LIST, share_bounds


@kernel
def _best_of_rows(scores, lists, kept):  # type: ignore[no-untyped-def]
    # scores (q, L) float32 · lists (q, p) int32 · kept (q, p) float32
    heap = np.empty((1, lists.shape[1]), dtype=np.uint64)
    for i in range(scores.shape[0]):
        clear(heap, 0)
        limit = key_score(heap[0, 0])
        for j in range(scores.shape[1]):
            lower_is_better = np.float32(0.0) - scores[i, j]
            if lower_is_better <= limit:  # never true of NaN
                limit = offer(heap, 0, lower_is_better, j)
        sort_heap(heap, 0, heap.shape[1])
        for j in range(heap.shape[1]):
            chosen = key_slot(heap[0, j])
            lists[i, j] = np.int32(chosen)
            kept[i, j] = scores[i, chosen] if chosen >= 0 else -np.inf


@parallel_kernel
def _best_of_shares(scores, lists, kept, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the rows of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _best_of_rows(scores[begin:end], lists[begin:end], kept[begin:end])


def best_lists(
    scores: npt.NDArray[np.float32], count: int, threads: int = 1
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the columns of highest score of each row.

    Parameters
    ----------
    scores : (q, L) float32, C-contiguous
        Higher is better; NaN is never chosen.
    count : int
        p, at most L.
    threads : int
        Of a batch. The result does not depend on it.

    Returns
    -------
    lists : (q, p) int32
        Best first, equal scores by column; -1 where fewer than p scores are finite numbers.
    kept : (q, p) float32
        Their scores; -inf at -1.
    """
    lists = np.empty((len(scores), count), dtype=np.int32)
    kept = np.empty((len(scores), count), dtype=np.float32)
    if len(scores) == 1:
        _best_of_rows(scores, lists, kept)
    elif len(scores):
        bounds = share_bounds(len(scores), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _best_of_shares(scores, lists, kept, bounds)
    return lists, kept
