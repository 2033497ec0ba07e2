"""How far queries are from the centroids of the lists they are routed to, whatever the router scores by.

Sums are in float64: policies compare these distances with one another, and small differences decide.

Symbols: q queries, d dimension, L lists, p routed lists.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import Space, prepare_row


@kernel
def squared_distance(one, other):  # type: ignore[no-untyped-def]
    """Return ‖one - other‖². one, other (d,) float32."""
    total = 0.0
    for j in range(one.shape[0]):
        difference = np.float64(one[j]) - np.float64(other[j])
        total += difference * difference
    return total


@kernel
def _distances_share(queries, center, normalise, centroids, lists, squares):  # type: ignore[no-untyped-def]
    # queries (q, d) · centroids (L, d) · lists (q, p) int32 · squares (q, p) float64
    prepared = np.empty(queries.shape[1], dtype=np.float32)
    for i in range(queries.shape[0]):
        prepare_row(queries[i], center, normalise, prepared)
        for j in range(lists.shape[1]):
            chosen = lists[i, j]
            squares[i, j] = squared_distance(prepared, centroids[chosen]) if chosen >= 0 else np.inf


@parallel_kernel
def _distances_shares(queries, center, normalise, centroids, lists, squares, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _distances_share(
            queries[begin:end], center, normalise, centroids, lists[begin:end], squares[begin:end]
        )  # fmt: skip


def centroid_distances(
    queries: npt.NDArray[np.float32],
    space: Space,
    centroids: npt.NDArray[np.float32],
    lists: npt.NDArray[np.int32],
    threads: int = 1,
) -> npt.NDArray[np.float64]:
    """Return ‖q - μ‖ for the centroid μ of each routed list.

    Parameters
    ----------
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How the kernel prepares them.
    centroids : (L, d) float32
        Prepared.
    lists : (q, p) int32
        -1 for none.
    threads : int
        Of a batch. The result does not depend on it.

    Returns
    -------
    (q, p) float64
        +inf at -1.
    """
    squares = np.empty(lists.shape, dtype=np.float64)
    if len(queries) == 1:
        _distances_share(queries, space.center, space.normalise, centroids, lists, squares)
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _distances_shares(queries, space.center, space.normalise, centroids, lists, squares, bounds)
    return np.sqrt(squares, out=squares)
