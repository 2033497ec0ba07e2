"""Float32 scores for the one metric that no matrix product can serve: manhattan distance itself.

`scores` brings every other metric to inner products. Σ|q - x| has to be summed pair by pair, here by a small kernel
on as many threads as Numba may use. `Differences` offers what `scores.Scores` offers, so that the search for
candidates and its proof are the same.

Nothing cancels in a sum of absolute differences: each difference is rounded once and each sum once, hence a score is
wrong by at most about d · 2⁻²⁴ of the distance itself, whatever the order of the additions (Higham, Accuracy and
Stability of Numerical Algorithms, section 4.2).
"""

import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS = 64  # database rows that a processor's cache holds while all queries pass over them


@dataclass(frozen=True, eq=False)
class Differences:
    """A database and queries, scored by manhattan distance.

    Attributes
    ----------
    train, queries
        (n, d) and (q, d) float32, C-contiguous, as given.
    trustworthy
        False where norms are too extreme for float32 scores.
    """

    train: npt.NDArray[np.float32]
    queries: npt.NDArray[np.float32]
    trustworthy: bool

    def block(self, queries: slice, rows: slice) -> npt.NDArray[np.float32]:
        """Score some queries against some database rows: (queries, rows) float32."""
        return manhattan_distances(self.queries[queries], self.train[rows])

    def limit(self, queries: slice, distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the score no row nearer than `distances` (one per query) can exceed: (queries,) float64."""
        return np.asarray(distances * (1.0 + (self.train.shape[1] + 8) * 2.0**-23))


def manhattan_distances(queries: npt.NDArray[np.float32], rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Sum the absolute differences of every query and every row, in float32.

    Parameters
    ----------
    queries, rows
        (q, d) and (m, d) float32, C-contiguous.

    Returns
    -------
    numpy.ndarray
        (q, m) float32. It does not depend on the number of threads.
    """
    from numba import get_num_threads

    distances = np.empty((len(queries), len(rows)), dtype=np.float32)
    share = -(-len(rows) // (get_num_threads() * _ROWS)) * _ROWS or 1
    kernel = _kernel()
    with ThreadPoolExecutor(get_num_threads()) as pool:
        starts = range(0, len(rows), share)
        parts = ((queries, rows[start : start + share], distances[:, start : start + share]) for start in starts)
        for done in [pool.submit(kernel, *part) for part in parts]:
            done.result()
    return distances


def _fill(queries, rows, distances):  # type: ignore[no-untyped-def]
    # queries (q, d), rows (m, d), distances (q, m) float32
    for first in range(0, rows.shape[0], _ROWS):
        for i in range(queries.shape[0]):
            for row in range(first, min(first + _ROWS, rows.shape[0])):
                total = np.float32(0.0)
                for j in range(queries.shape[1]):
                    total += abs(queries[i, j] - rows[row, j])
                distances[i, row] = total


@functools.cache
def _kernel() -> Any:
    # Compiled when it is first needed, once: a signature of read-only matrices takes both kinds. `reassoc` lets the
    # sum run in the lanes of a vector; the bound on its error holds in any order.
    from numba import njit, types

    matrix = types.Array(types.float32, 2, "C", readonly=True)
    signature = types.void(matrix, matrix, types.Array(types.float32, 2, "A"))
    return njit(signature, nogil=True, fastmath={"reassoc"})(_fill)
