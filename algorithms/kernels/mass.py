"""Softmax mass of routed lists: how much of it lies ahead of each, and which lists come before a share is reached.

Symbols: q queries, L lists.
"""

import math

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .shares import AGAINST_ONE_LIST, share_bounds


@kernel
def _mass_ahead(scores, inverse, ahead):  # type: ignore[no-untyped-def]
    # scores (L,) float32, best first, -inf where there is no list · ahead (L,) float64, NaN throughout without a list
    best = np.float64(scores[0])
    total = 0.0
    for j in range(scores.shape[0]):
        ahead[j] = total
        if scores[j] > -np.inf:
            total += math.exp((np.float64(scores[j]) - best) * inverse)
    for j in range(scores.shape[0]):
        ahead[j] = ahead[j] / total if total > 0.0 else np.nan


@kernel
def _ahead_share(scores, inverse, ahead):  # type: ignore[no-untyped-def]
    for i in range(scores.shape[0]):
        _mass_ahead(scores[i], inverse, ahead[i])


@kernel
def _open_share(lists, scores, inverse, share, probes):  # type: ignore[no-untyped-def]
    # lists, probes (q, L) int32 · scores (q, L) float32
    ahead = np.empty(scores.shape[1], dtype=np.float64)
    for i in range(scores.shape[0]):
        _mass_ahead(scores[i], inverse, ahead)
        for j in range(scores.shape[1]):
            probes[i, j] = lists[i, j] if ahead[j] < share else np.int32(-1)


@parallel_kernel
def _open_shares(lists, scores, inverse, share, probes, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _open_share(lists[begin:end], scores[begin:end], inverse, share, probes[begin:end])


@kernel
def _moments(scores, inverse):  # type: ignore[no-untyped-def]
    # scores (q, L) float32, best first. Mean over queries of the mean and the variance of score - best score under the
    # softmax.
    mean, variance = 0.0, 0.0
    for i in range(scores.shape[0]):
        total, first, second = 0.0, 0.0, 0.0
        for j in range(scores.shape[1]):
            gap = np.float64(scores[i, j]) - np.float64(scores[i, 0])
            weight = math.exp(gap * inverse)
            if weight > 0.0:
                total += weight
                first += weight * gap
                second += weight * gap * gap
        mean += first / total
        variance += second / total - (first / total) ** 2
    return mean / scores.shape[0], variance / scores.shape[0]


def mass_ahead(scores: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float64]:
    """Return the softmax mass of the lists that come before each.

    Parameters
    ----------
    scores : (q, L) float32
        Best first, as a router returns them; -inf where there is no list.
    temperature : float
        In the router's own unit; the softmax is over ``scores / temperature``.

    Returns
    -------
    (q, L) float64
        0 for the best list; the very numbers that `lists_before` compares with its share.
    """
    ahead = np.empty(scores.shape, dtype=np.float64)
    _ahead_share(scores, 1.0 / temperature, ahead)
    return ahead


def lists_before(
    lists: npt.NDArray[np.int32],
    scores: npt.NDArray[np.float32],
    temperature: float,
    share: float,
    threads: int = 1,
) -> npt.NDArray[np.int32]:
    """Return the lists of each query that have less than `share` of the softmax mass ahead of them.

    These are the lists that are opened, in order, until their mass reaches `share`: the best one always is.

    Parameters
    ----------
    lists, scores : (q, L) int32, float32
        As a router returns them, of all L lists.
    temperature : float
    share : float
        Above 1: all lists.
    threads : int
        Of a batch. The result does not depend on it.

    Returns
    -------
    (q, L) int32
        -1 for lists that stay closed.
    """
    probes = np.empty_like(lists)
    if len(lists) == 1:
        _open_share(lists, scores, 1.0 / temperature, share, probes)
    elif len(lists):
        bounds = share_bounds(len(lists), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _open_shares(lists, scores, 1.0 / temperature, share, probes, bounds)
    return probes


def softmax_moments(scores: npt.NDArray[np.float32], inverse_temperature: float) -> tuple[float, float]:
    """Return mean and variance of the gap to the best score under the softmax, averaged over queries.

    Parameters
    ----------
    scores : (q, L) float32
        Best first and finite in the first column.
    inverse_temperature : float
    """
    mean, variance = _moments(scores, inverse_temperature)
    return float(mean), float(variance)
