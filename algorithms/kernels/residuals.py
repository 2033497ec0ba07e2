"""What is left of vectors when the centroids of their lists are taken away, and what codecs want to know beside it.

Symbols: n vectors, d dimension, L lists.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from .compile import numba_threads, parallel_kernel
from .space import Space, prepare_row


class Residuals(NamedTuple):
    """Vectors less the centroids of their lists.

    Attributes
    ----------
    rows : (n, d) float32
        x - c of prepared vectors x.
    along : (n,) float64
        ⟨c, x - c⟩.
    half : (n,) float64
        ½‖x‖².
    """

    rows: npt.NDArray[np.float32]
    along: npt.NDArray[np.float64]
    half: npt.NDArray[np.float64]


@parallel_kernel
def _subtract(given, center, normalise, centroids, of_list, rows, along, half):  # type: ignore[no-untyped-def]
    # given, rows (n, d) float32: never the same, since `given` may be a view of a caller's matrix · centroids (L, d)
    # float32 · of_list (n,) int32 · along, half (n,) float64. Sums are of 64 bits: products of large float32 would
    # leave it.
    for i in numba.prange(given.shape[0]):
        prepare_row(given[i], center, normalise, rows[i])
        own, product, square = of_list[i], 0.0, 0.0
        for j in range(given.shape[1]):
            value = rows[i, j]
            left = value - centroids[own, j]
            rows[i, j] = left
            product += np.float64(centroids[own, j]) * np.float64(left)
            square += np.float64(value) * np.float64(value)
        along[i] = product
        half[i] = 0.5 * square


def subtract_centroids(
    rows: npt.NDArray[np.float32],
    space: Space,
    centroids: npt.NDArray[np.float32],
    of_list: npt.NDArray[np.int32],
    threads: int = 1,
) -> Residuals:
    """Return prepared rows less the centroids of their lists.

    Parameters
    ----------
    rows : (n, d) float32
        As given.
    space : Space
    centroids : (L, d) float32
        Prepared.
    of_list : (n,) int32
        The list of each row.
    threads : int
        The result does not depend on it.
    """
    found = Residuals(np.empty(rows.shape, dtype=np.float32), np.empty(len(rows)), np.empty(len(rows)))
    with numba_threads(threads):
        _subtract(rows, space.center, space.normalise, centroids, of_list, *found)
    return found
