"""Routing by a whole matrix of scores, block by block: for routers that are more than one product for each list."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..kernels.best import best_lists
from .router import Routed

BLOCK_BYTES = 64 << 20  # of products that wait to be reduced
FEWEST_QUERIES = 64  # in a block: below that every block would read all vectors for little

# Queries (b, d), as given, to the score of every list, (b, L) float32; higher is better, NaN for nowhere.
Score = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


def route_by_scores(
    score: Score, queries: npt.NDArray[np.float32], nprobe: int, columns: int, threads: int = 1
) -> Routed:
    """Score the queries block after block and keep the best lists of each.

    Parameters
    ----------
    score : callable
    queries : (q, d) float32, as given
    nprobe : int
        Between 1 and L.
    columns : int
        How many numbers of 4 bytes `score` holds for one query: decides how many queries make a block.
    threads : int
    """
    size = max(FEWEST_QUERIES * threads, BLOCK_BYTES // (4 * max(1, columns)))
    lists = np.empty((len(queries), nprobe), dtype=np.int32)
    scores = np.empty((len(queries), nprobe), dtype=np.float32)
    for start in range(0, len(queries), size):
        block = slice(start, start + size)
        lists[block], scores[block] = best_lists(score(queries[block]), nprobe, threads)
    return Routed(lists, scores)


def nowhere(queries: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the scores (q, L), NaN for each query (q, d) that holds NaN: for routers that never multiply by it."""
    scores[np.isnan(queries).any(axis=1)] = np.nan
    return scores
