"""From one product for each vector of a list to one score for each list.

Routers that know a list by several vectors score them all (`score`), list after list, and reduce each list's segment
of the products here: to its largest, or to a mean plus so many standard deviations.

Symbols: q queries, m vectors in all, L lists; list j owns the columns starts[j] to starts[j + 1] - 1.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .shares import AGAINST_ONE_LIST, share_bounds


@kernel
def _largest(products, starts, scores):  # type: ignore[no-untyped-def]
    # products (q, m) float32 · scores (q, L) float32. NaN stays NaN: no comparison displaces it.
    for i in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            best = products[i, starts[j]]
            for place in range(starts[j] + 1, starts[j + 1]):
                if products[i, place] > best:
                    best = products[i, place]
            scores[i, j] = best


@parallel_kernel
def _largest_of_shares(products, starts, scores, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _largest(products[begin:end], starts, scores[begin:end])


def largest_of_segments(
    products: npt.NDArray[np.float32], starts: npt.NDArray[np.int64], threads: int = 1
) -> npt.NDArray[np.float32]:
    """Return the largest product of each list.

    Parameters
    ----------
    products : (q, m) float32
    starts : (L + 1,) int64
        Every list owns at least one column.
    threads : int
        Of a batch; one query takes a serial path. The result does not depend on it.

    Returns
    -------
    scores : (q, L) float32
    """
    scores = np.empty((len(products), len(starts) - 1), dtype=np.float32)
    if len(products) == 1:
        _largest(products, starts, scores)
    elif len(products):
        bounds = share_bounds(len(products), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _largest_of_shares(products, starts, scores, bounds)
    return scores


@kernel
def _optimistic(means, diagonal, products, weights, starts, scale, deviations, scores):  # type: ignore[no-untyped-def]
    # means, scores (q, L) float32 · diagonal (q, L or 0) float32 · products (q, m) float32 · weights (m,) float32.
    # Squares are summed in float64: those of half squared lengths would leave float32.
    for i in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            variance = 0.0
            if diagonal.shape[1] > 0:
                variance = scale * np.float64(diagonal[i, j])
            for place in range(starts[j], starts[j + 1]):
                product = np.float64(products[i, place])
                variance += np.float64(weights[place]) * product * product
            if variance < 0.0:  # rounding; never true of NaN
                variance = 0.0
            scores[i, j] = np.float32(np.float64(means[i, j]) + deviations * np.sqrt(variance))


@parallel_kernel
def _optimistic_shares(  # type: ignore[no-untyped-def]
    means, diagonal, products, weights, starts, scale, deviations, scores, bounds
):
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _optimistic(
            means[begin:end], diagonal[begin:end], products[begin:end], weights, starts, scale, deviations,
            scores[begin:end],
        )  # fmt: skip


def optimistic_scores(
    means: npt.NDArray[np.float32],
    diagonal: npt.NDArray[np.float32],
    products: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    scale: float,
    deviations: float,
    threads: int = 1,
) -> npt.NDArray[np.float32]:
    """Return mean + deviations · √variance of each list.

    Parameters
    ----------
    means : (q, L) float32
    diagonal : (q, L) or (q, 0) float32
        A first part of the variance, divided by `scale`; without columns there is none.
    products : (q, m) float32
        The rest is Σ weight · product² over the list's columns; a list may own none.
    weights : (m,) float32
    starts : (L + 1,) int64
    scale, deviations : float
    threads : int
        Of a batch; one query takes a serial path.

    Returns
    -------
    scores : (q, L) float32
        A variance below 0 counts as 0.
    """
    scores = np.empty(means.shape, dtype=np.float32)
    parts = (means, diagonal, products, weights, starts, float(scale), float(deviations), scores)
    if len(means) == 1:
        _optimistic(*parts)
    elif len(means):
        bounds = share_bounds(len(means), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _optimistic_shares(*parts, bounds)
    return scores
